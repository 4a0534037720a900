//! What is read from a schema: names in two namespaces, common types, depths, annotations, and what is added.

use policy_core::entity::EntityRef;
use policy_core::value::Value;

use super::*;
use crate::bundle::config::Config;
use crate::bundle::schema::{Model, read};
use crate::bundle::types::{Member, Type, at};

const SCHEMA: &str = r#"
namespace Other {
  type Money = { units: decimal };
  entity Team;
  entity Boss in [Team] = { of?: Team, pay: Money, act?: Acme::Action };
}
namespace Acme {
  type Money = { cents: Long };
  type Many = Set<Money>;
  entity User;
  entity Group in [Group];
  entity Agent, Robot in [Group, Other::Team] = {
    owner?: User, lead?: Other::Boss, budget: Money, foreign: Other::Money, many?: Many, act?: Action,
    flag: Bool, when: datetime, hold: duration, source: ipaddr, tags: Set<String>,
  };
  entity File, Note, Draft;
  action writes;
  action read in [writes] appliesTo { principal: [Agent, User], resource: [File, Note] };
  @doc("why") @says("writes") @effect("files") @reversible("no") @sum("deep.n")
  action write appliesTo { principal: [Robot], resource: [Note], context: {
    input: { @path file: String, @path files?: Set<String>, @secret pin?: String, @doc("x") deep?: { n: Long } } } };
  action vote appliesTo { principal: [User], resource: [Draft] };
}
"#;

const CONFIG: &str = "namespace = \"Acme\"\ntiers = [\"low\"]\nstep_ups = [\"link\"]\n[types]\nperson = \"User\"\nsubjects = [\"Agent\", \"Robot\"]\n";

fn model(schema: &str, config: &str) -> Result<Model, BundleError> {
    read(schema, &Config::read(config).unwrap(), config)
}

fn member(of: Type, required: bool) -> Member {
    Member { of, required, path: false, secret: false }
}

fn record(members: &[(&str, Member)]) -> Type {
    Type::Record(members.iter().map(|(name, member)| ((*name).to_owned(), member.clone())).collect())
}

fn entity(name: &str) -> Type {
    Type::Entity(name.to_owned())
}

fn names<'a>(names: impl IntoIterator<Item = &'a String>) -> Vec<&'a str> {
    names.into_iter().map(String::as_str).collect()
}

#[test]
fn the_configuration_says_who_a_subject_of_another_issuer_is() {
    let issuers = "[issuers.\"https://login.acme.example\"]\n\"agent|*\" = \"Agent::*\"\n";
    let config = Config::read(&format!("{CONFIG}{issuers}")).unwrap();
    let named =
        |subject: &str| config.entity_of("https://login.acme.example", subject).map(|entity| entity.to_string());
    assert_eq!((named("agent|a").as_deref(), named("a")), (Some("Agent::a"), None));
}

#[test]
fn types_have_full_names_and_resolved_members() {
    let types = model(SCHEMA, CONFIG).unwrap().types;
    let expected = [
        "Acme::Agent",
        "Acme::Draft",
        "Acme::File",
        "Acme::Group",
        "Acme::Note",
        "Acme::Robot",
        "Acme::User",
        "Other::Boss",
        "Other::Team",
    ];
    assert_eq!(names(types.keys()), expected);
    let money = record(&[("cents", member(Type::Long, true))]);
    let foreign = record(&[("units", member(Type::Decimal, true))]);
    let agent = [
        ("act", member(entity("Acme::Action"), false)),
        ("budget", member(money.clone(), true)),
        ("flag", member(Type::Bool, true)),
        ("foreign", member(foreign.clone(), true)),
        ("hold", member(Type::Duration, true)),
        ("lead", member(entity("Other::Boss"), false)),
        ("many", member(Type::Set(Box::new(money)), false)),
        ("owner", member(entity("Acme::User"), false)),
        ("source", member(Type::Ipaddr, true)),
        ("tags", member(Type::Set(Box::new(Type::String)), true)),
        ("when", member(Type::Datetime, true)),
    ];
    assert_eq!(Type::Record(types["Acme::Agent"].attributes.clone()), record(&agent));
    assert_eq!(types["Acme::Agent"], types["Acme::Robot"]);
    assert_eq!(names(&types["Acme::Agent"].member_of), ["Acme::Group", "Other::Team"]);
    assert_eq!(names(&types["Acme::Group"].member_of), ["Acme::Group"]);
    let boss = [
        ("act", member(entity("Acme::Action"), false)),
        ("of", member(entity("Other::Team"), false)),
        ("pay", member(foreign, true)),
    ];
    assert_eq!(Type::Record(types["Other::Boss"].attributes.clone()), record(&boss));
    assert_eq!(names(&types["Other::Boss"].member_of), ["Other::Team"]);
    assert!(types["Acme::User"].attributes.is_empty() && types["Acme::User"].member_of.is_empty());
    assert!(types["Acme::Agent"].needs_facts() && !types["Acme::User"].needs_facts());
}

#[test]
fn an_actions_type_lies_where_actions_are() {
    let schema = "entity User, Agent, File; action read appliesTo { principal: [Agent], resource: [File] };\nnamespace Other { entity Boss = { act: Action }; }";
    let types = model(schema, &CONFIG.replace("namespace = \"Acme\"\n", "").replace(", \"Robot\"", "")).unwrap().types;
    assert_eq!(types["Other::Boss"].attributes["act"].of, entity("Action"));
}

#[test]
fn actions_have_their_types_context_and_annotations() {
    let actions = model(SCHEMA, CONFIG).unwrap().actions;
    assert_eq!(names(actions.keys()), ["approve", "read", "vote", "write", "writes"]);
    assert_eq!(names(&actions["read"].principals), ["Acme::Agent", "Acme::User"]);
    assert_eq!(names(&actions["read"].resources), ["Acme::File", "Acme::Note"]);
    assert!(actions["read"].input().is_none() && actions["read"].annotations.is_empty());
    let said: Vec<(&str, &str)> =
        actions["write"].annotations.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let expected = [("doc", "why"), ("effect", "files"), ("reversible", "no"), ("says", "writes"), ("sum", "deep.n")];
    assert_eq!(said, expected);
    let input = actions["write"].input().unwrap();
    let path = |of: Type, required| Member { path: true, ..member(of, required) };
    let expected = record(&[
        ("deep", member(record(&[("n", member(Type::Long, true))]), false)),
        ("file", path(Type::String, true)),
        ("files", path(Type::Set(Box::new(Type::String)), false)),
        ("pin", Member { secret: true, ..member(Type::String, false) }),
    ]);
    assert_eq!(Type::Record(input.clone()), expected);
    let place = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(at(input, &place("deep.n")).map(|member| &member.of), Some(&Type::Long));
    for nowhere in ["deep.m", "deep.n.o", "file.x", "none"] {
        assert_eq!(at(input, &place(nowhere)), None, "{nowhere}");
    }
    assert_eq!(at(input, &[]), None);
}

#[test]
fn an_approval_is_about_what_subjects_may_ask_for() {
    let actions = model(SCHEMA, CONFIG).unwrap().actions;
    let approve = &actions["approve"];
    assert_eq!(names(&approve.principals), ["Acme::User"]);
    assert_eq!(names(&approve.resources), ["Acme::File", "Acme::Note"]);
    for (name, of) in [
        ("action", entity("Acme::Action")),
        ("task", Type::String),
        ("tier", Type::String),
        ("owners", Type::Set(Box::new(entity("Acme::User")))),
        ("voted", Type::Set(Box::new(entity("Acme::User")))),
        ("requester", entity("Acme::User")),
        ("chain", Type::String),
        ("now", Type::Datetime),
        ("assurance", Type::String),
        ("votes", Type::Long),
    ] {
        assert!(approve.declares(name, &of), "{name}: {:?}", approve.context.get(name));
    }
    assert!(!approve.declares("votes", &Type::String) && !approve.declares("vote", &Type::Long));
    assert_eq!(approve.context.len(), 10);
}

#[test]
fn a_type_nests_as_deep_as_arguments_may() {
    let config = "tiers = [\"low\"]\nstep_ups = [\"link\"]\n[types]\nperson = \"User\"\nsubjects = [\"Agent\"]\n";
    let of = |of: &str, more: &str| {
        format!(
            "{more}entity User, Agent = {{}}; entity File = {{ a: {of} }};\naction read appliesTo {{ principal: [Agent], resource: [File] }};"
        )
    };
    let sets = |number: usize| of(&format!("{}Long{}", "Set<".repeat(number), ">".repeat(number)), "");
    let records = |number: usize| of(&format!("{}Long{}", "{ a: ".repeat(number), " }".repeat(number)), "");
    let aliases = |number: usize| {
        let types: String = (1..number).map(|n| format!("type T{n} = T{}; ", n + 1)).collect();
        of("T1", &format!("{types}type T{number} = Long; "))
    };
    for (kind, schema) in [("sets", &sets as &dyn Fn(usize) -> String), ("records", &records), ("aliases", &aliases)] {
        for (number, fits) in [(1, true), (31, true), (32, false), (40, false)] {
            let found = model(&schema(number), config).map(|_| ()).map_err(|error| (error.code, error.message));
            let expected = Err(("bad_schema", "a type nests more than 32 levels deep".to_owned()));
            assert_eq!(found, if fits { Ok(()) } else { expected }, "{number} {kind}");
        }
    }
}

#[test]
fn what_a_schema_may_not_say_is_refused() {
    for (from, to, code, says) in [
        ("action vote ", "@colour(\"red\") action vote ", "bad_schema", "unknown annotation `@colour`"),
        ("@secret pin", "@hidden pin", "bad_schema", "unknown annotation `@hidden`"),
        ("@secret pin?: String", "@path pin?: Long", "bad_schema", "`@path` stands on `pin`"),
        ("@secret pin?: String", "@path pin?: Set<Long>", "bad_schema", "`@path` stands on `pin`"),
        ("deep.n", "file", "bad_schema", "names no whole number"),
        ("deep.n", "deep", "bad_schema", "names no whole number"),
        ("deep.n", "n", "bad_schema", "names no whole number"),
        ("action vote ", "action approve ", "reserved", "`approve`"),
        ("namespace Other", "namespace Proviso", "reserved", "`Proviso`"),
    ] {
        let schema = SCHEMA.replace(from, to);
        assert_ne!(schema, SCHEMA);
        let error = model(&schema, CONFIG).unwrap_err();
        assert_eq!((error.file.as_str(), error.code), ("schema.cedarschema", code), "{error}");
        assert!(error.message.contains(says), "{error}");
    }
}

#[test]
fn names_are_short_in_questions_and_long_in_cedar() {
    let config = Config::read(CONFIG).unwrap();
    for (short, long) in [("User", "Acme::User"), ("Other::Team", "Other::Team"), ("AcmeUser", "Acme::AcmeUser")] {
        assert_eq!((config.short(long), config.long(short).as_str()), (short, long));
        assert_eq!(config.long(long), long);
    }
    assert_eq!(config.short("AcmeX::User"), "AcmeX::User");
}

#[test]
fn entities_hold_what_the_schema_declares() {
    let schema = "namespace Acme { entity Team; entity User in [Team]; entity Agent = { last?: Action }; entity File; action read appliesTo { principal: [Agent], resource: [File] }; }";
    let config = CONFIG.replace(", \"Robot\"", "");
    let accept = |entities: &str| {
        let files = [("schema.cedarschema", schema), ("bundle.toml", &config), ("entities.json", entities)];
        let accepted = Bundle::accept(&files.map(|(path, text)| (path.to_owned(), text.to_owned())).into());
        accepted.map_err(|errors| errors.into_iter().map(|error| error.message).collect::<Vec<_>>().join("; "))
    };
    let agent = |attrs: &str| {
        format!(r#"[{{"uid": {{"type": "Acme::Agent", "id": "one"}}, "attrs": {attrs}, "parents": []}}]"#)
    };
    let last = r#"{"last": {"__entity": {"type": "Acme::Action", "id": "read"}}}"#;
    let one = accept(&agent(last)).unwrap().facts.into_values().next().unwrap();
    assert_eq!(one.attrs.get("last"), Some(&Value::Entity(EntityRef::new("Action", "read"))));
    let far = "x".repeat(200);
    for (entities, says) in [
        ("{}".to_owned(), "no array"),
        (r#"[{"id": "lost"}]"#.to_owned(), r#"has no `uid`: {"id":"lost"}"#),
        (agent("[]"), "`attrs` of `Agent::one` is no object"),
        (agent(r#"{"next": 1}"#), "`next` of `Agent::one` is not declared"),
        (
            agent(&last.replace("Acme::Action", "Acme::User")),
            "`last` of `Agent::one` is no entity of the declared type",
        ),
        (agent("{}").replace("[]", "[1]"), "a parent of `Agent::one` is no reference"),
        (agent("{}").replace("Acme::Agent", "Acme::Bot"), "`Bot::one` is of a type"),
        (agent("{}").replace("\"parents\"", "\"tags\": {}, \"parents\""), "has members besides"),
        (agent("{}").replace("}]", "}, {\"uid\": {\"type\": \"Agent\", \"id\": \"one\"}}]"), "stands there twice"),
        (agent("{}").replace("[]", r#"[{"type": "Acme::Team", "id": "a"}]"#), "not allowed to have an ancestor"),
        (format!("[{{\"name\": \"{far}\"}}]"), "`uid`"),
    ] {
        let message = accept(&entities).err().unwrap_or_else(|| panic!("accepted: {entities}"));
        assert!(message.contains(says), "{message}\n{entities}");
        assert!(!message.contains(&far), "what does not fit is quoted in part");
    }
}
