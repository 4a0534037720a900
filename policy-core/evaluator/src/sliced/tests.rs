//! What is sliced is held against what asks every policy: the same policies satisfied, the same errors, the same outcome.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cedar_policy::{Entities, PolicyId};
use policy_core::abi::{Evaluate, Load, Op};
use policy_core::entity::EntityRef;
use policy_core::question::Purpose;
use policy_core::time::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::*;
use crate::cedar;
use crate::evaluate::evaluate;
use crate::seal::{Ask, Claimed};
use crate::{Bundle, Rules};

/// Entities `a` to `d` and groups `g0` to `g3`, in whatever groups; what is named and not there is tried, too.
const IDS: [&str; 5] = ["a", "b", "c", "d", "nobody"];
const GROUPS: [&str; 4] = ["g0", "g1", "g2", "g3"];
const ACTIONS: [&str; 4] = ["read", "write", "all", "unlisted"];

fn principal(of: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![
        Just(of.to_owned()),
        select(&IDS[..]).prop_map(move |id| format!("{of} == Agent::\"{id}\"")),
        select(&GROUPS[..]).prop_map(move |group| format!("{of} in Group::\"{group}\"")),
        // What one is in is not what one is.
        select(&GROUPS[..]).prop_map(move |group| format!("{of} == Group::\"{group}\"")),
        // An entity lies in itself.
        select(&IDS[..]).prop_map(move |id| format!("{of} in Agent::\"{id}\"")),
        select(&["Agent", "File", "Group"][..]).prop_map(move |kind| format!("{of} is {kind}")),
        (select(&["Agent", "File"][..]), select(&GROUPS[..]))
            .prop_map(move |(kind, group)| format!("{of} is {kind} in Group::\"{group}\"")),
    ]
}

fn action() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("action".to_owned()),
        select(&ACTIONS[..]).prop_map(|action| format!("action == Action::\"{action}\"")),
        prop::collection::vec(select(&ACTIONS[..]), 0..3).prop_map(|actions| {
            let actions: Vec<String> = actions.iter().map(|action| format!("Action::\"{action}\"")).collect();
            format!("action in [{}]", actions.join(", "))
        }),
    ]
}

/// Conditions that hold, that do not, and that err in each of Cedar's ways.
fn condition() -> impl Strategy<Value = &'static str> {
    select(
        &[
            "",
            "when { true }",
            "when { false }",
            "when { principal.level > 2 }",
            "when { principal has level && principal.level > 2 }",
            "unless { resource.level == 1 }",
            "when { context.rows + 9223372036854775807 > 0 }",
            "when { context.missing }",
            "when { context.rows < 10 } when { principal.level + 1 > 0 }",
            "when { principal in resource }",
            "when { [0, 5].contains(context.rows) }",
            "when { [\"a\", 5, Agent::\"b\"].contains(principal.level) }",
            "when { [].contains(context.missing) || [1].contains(context.missing) }",
            "when { principal in [Group::\"g1\", Group::\"g3\", Agent::\"b\"] }",
            "when { context.rows in [Group::\"g1\"] }",
            "when { datetime(context.text) > datetime(\"2026-01-01\") }",
        ][..],
    )
}

fn policies(effect: &'static str) -> impl Strategy<Value = Vec<String>> {
    let policy = (principal("principal"), action(), principal("resource"), condition());
    prop::collection::vec(policy, 0..24).prop_map(move |policies| {
        let policy = |(principal, action, resource, condition): &(String, String, String, &str)| {
            format!("{effect}({principal}, {action}, {resource}) {condition};")
        };
        policies.iter().map(policy).collect()
    })
}

/// Which groups each entity is in, and whether it has its attribute.
fn world() -> impl Strategy<Value = serde_json::Value> {
    let groups = || prop::collection::btree_set(0_usize..4, 0..3);
    let of = |kind: &'static str| {
        prop::collection::vec((groups(), prop::option::of(0_i64..4)), 4).prop_map(move |entities| {
            let entities = IDS.iter().zip(entities).map(move |(id, (groups, level))| {
                let parents: Vec<_> =
                    groups.iter().map(|group| json!({"type": "Group", "id": GROUPS[*group]})).collect();
                let attrs = level.map_or(json!({}), |level| json!({"level": level}));
                json!({"uid": {"type": kind, "id": id}, "attrs": attrs, "parents": parents})
            });
            entities.collect::<Vec<_>>()
        })
    };
    // A group lies in groups of higher numbers only.
    let nested = prop::collection::vec(groups(), 4).prop_map(|nested| {
        let groups = nested.iter().enumerate().map(|(number, parents)| {
            let parents = parents.iter().filter(|parent| **parent > number);
            let parents: Vec<_> = parents.map(|parent| json!({"type": "Group", "id": GROUPS[*parent]})).collect();
            json!({"uid": {"type": "Group", "id": GROUPS[number]}, "attrs": {}, "parents": parents})
        });
        groups.collect::<Vec<_>>()
    });
    (of("Agent"), of("File"), nested).prop_map(|(agents, files, groups)| json!([agents, files, groups].concat()))
}

fn set(policies: &[String]) -> PolicySet {
    let policy =
        |(number, text): (usize, &String)| Policy::parse(Some(PolicyId::new(number.to_string())), text).unwrap();
    PolicySet::from_policies(policies.iter().enumerate().map(policy)).unwrap()
}

/// The action `read` lies in the group `all`.
fn actions() -> serde_json::Value {
    let uid = |action: &str| json!({"type": "Action", "id": action});
    json!([
        {"uid": uid("read"), "attrs": {}, "parents": [uid("all")]},
        {"uid": uid("write"), "attrs": {}, "parents": []},
        {"uid": uid("all"), "attrs": {}, "parents": []},
    ])
}

proptest! {
    #[test]
    fn a_slice_says_what_every_policy_would_say(
        policies in policies("permit"),
        world in world(),
        who in select(&IDS[..]),
        what in select(&ACTIONS[..]),
        on in select(&IDS[..]),
        rows in select(&[0_i64, 5, 20][..]),
    ) {
        let set = set(&policies);
        let everything = [world.as_array().unwrap().clone(), actions().as_array().unwrap().clone()].concat();
        let entities = Entities::from_json_value(json!(everything), None).unwrap();
        let context = cedar_policy::Context::from_json_value(json!({"rows": rows, "text": "never"}), None).unwrap();
        let uid = |kind: &str, id: &str| format!("{kind}::\"{id}\"").parse().unwrap();
        let request = Request::new(uid("Agent", who), uid("Action", what), uid("File", on), context, None).unwrap();
        let sliced = Sliced::of(&set).ask(&request, &entities);
        prop_assert_eq!(sliced, cedar::ask(&set, &request, &entities));
    }

    #[test]
    fn an_outcome_of_slices_is_the_outcome_of_all_policies(
        scope in policies("permit"),
        guardrails in policies("forbid"),
        world in world(),
        who in select(&IDS[..]),
        what in select(&["read", "write"][..]),
        on in select(&IDS[..]),
        rows in select(&[0_i64, 5, 20][..]),
    ) {
        let question = |bundle: &Bundle| bundle.seal(&ask(who, what, on, rows));
        let files = files(&scope, &guardrails, &world);
        let bundle = Bundle::accept(&files).unwrap_or_else(|errors| panic!("{errors:?}"));
        let Ok(question) = question(&bundle) else { return Ok(()) };
        prop_assert_eq!(evaluate(&bundle.rules, &question), evaluate(&bundle.rules.unsliced(), &question));
    }
}

#[test]
fn what_is_left_open_is_held_by_nobody_and_errs_in_every_policy() {
    use cedar_policy_core::ast::{self, Context, EntityUIDEntry};
    let policies = ["permit(principal, action, resource);", "permit(principal is Agent, action, resource);"];
    let set = set(&policies.map(ToOwned::to_owned));
    let agent = "Agent::\"a\"".parse::<cedar_policy::EntityUid>().unwrap();
    let known = || EntityUIDEntry::known(agent.clone().into(), None);
    let open = || EntityUIDEntry::Unknown { ty: None, loc: None };
    for (principal, action, resource) in
        [(open(), known(), known()), (known(), open(), known()), (known(), known(), open())]
    {
        let request = ast::Request::new_unchecked(principal, action, resource, Some(Context::empty()));
        let verdict = Sliced::of(&set).ask(&request.into(), &Entities::empty());
        assert_eq!((verdict.satisfied.len(), verdict.errors.len()), (0, 2), "{verdict:?}");
    }
}

#[test]
fn each_golden_question_has_the_outcome_of_all_policies() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/vectors.json");
    let vectors: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let loads = vectors["loads"].as_object().unwrap().iter().filter_map(|(name, load)| {
        let load: Load = serde_json::from_str(load["input"].as_str()?).ok()?;
        let rules = Rules::read(&load.files, load.bundle).ok()?;
        let unsliced = rules.unsliced();
        Some((name.as_str(), (rules, unsliced)))
    });
    let loads: BTreeMap<&str, (Rules, Rules)> = loads.collect();
    let mut asked = 0;
    for case in vectors["cases"].as_array().unwrap() {
        let evaluates = case["op"].as_i64() == Some(Op::Evaluate as i64);
        let held = case["load"].as_str().and_then(|name| loads.get(name));
        let input = case["input"].as_str().and_then(|input| serde_json::from_str::<Evaluate>(input).ok());
        if let (true, Some((rules, unsliced)), Some(Evaluate { question, .. })) = (evaluates, held, input) {
            assert_eq!(evaluate(rules, &question), evaluate(unsliced, &question), "{}", case["name"]);
            asked += 1;
        }
    }
    assert!(asked > 200, "{asked} questions were asked");
}

fn ask(who: &str, what: &str, on: &str, rows: i64) -> Ask {
    Ask {
        purpose: Purpose::Use,
        subject: EntityRef::new("Agent", who),
        task: "t".into(),
        chain: Vec::new(),
        enforcement_point: None,
        bound: false,
        vouched: false,
        server: None,
        tool: None,
        action: what.into(),
        resource: EntityRef::new("File", on),
        input: Some(json!({"rows": rows})),
        claims: Claimed::default(),
        now: Timestamp::from_millis(1_800_000_000_000),
        done: BTreeSet::new(),
    }
}

/// A bundle that strict validation takes: of the conditions those that are typed.
fn files(scope: &[String], guardrails: &[String], world: &serde_json::Value) -> BTreeMap<String, String> {
    let schema = "entity Group in [Group]; entity User, Other;
        entity Agent in [Group] = { level?: Long }; entity File in [Group] = { level?: Long };
        action all;
        action read in [all] appliesTo { principal: [Agent], resource: [File], context: { input: { rows: Long } } };
        action write appliesTo { principal: [Agent], resource: [File], context: { input: { rows: Long } } };";
    let config = "tiers = [\"low\"]\nstep_ups = [\"link\"]\n[types]\nperson = \"User\"\nsubjects = [\"Agent\"]\n";
    let typed = |policies: &[String], prefix: &str| {
        let typed = policies.iter().enumerate().filter_map(|(number, text)| {
            let (scope, condition) = text.split_once(") ")?;
            let overflow = "when { context.input.rows + 9223372036854775807 > 0 }";
            let condition = match condition.trim_end_matches(';') {
                "" => "",
                "when { true }" => "when { context.input.rows < 10 }",
                "when { context.missing }" => overflow,
                "when { context.rows + 9223372036854775807 > 0 }" => overflow,
                "when { principal has level && principal.level > 2 }" => {
                    "when { principal has level && principal.level > 2 }"
                }
                "when { principal in [Group::\"g1\", Group::\"g3\", Agent::\"b\"] }" => {
                    "when { principal in [Group::\"g1\", Group::\"g3\"] }"
                }
                "when { [0, 5].contains(context.rows) }" => "when { [0, 5].contains(context.input.rows) }",
                _ => return None,
            };
            let text = format!("@id(\"{prefix}{number}\")\n{scope}) {condition};\n");
            // What can never apply does not load.
            let apt = !text.contains("principal is File") && !text.contains("resource is Agent");
            let apt = apt && !text.contains("is Group") && !text.contains("unlisted") && !text.contains("in []");
            let apt = apt && !text.contains("resource in Agent") && !text.contains("resource == Agent");
            let apt = apt && !text.contains("== Group");
            (apt && !text.contains("\"nobody\"")).then_some(text)
        });
        typed.collect::<String>()
    };
    let files = [
        ("schema.cedarschema", schema.to_owned()),
        ("bundle.toml", config.to_owned()),
        ("entities.json", world.to_string()),
        ("scope/all.cedar", typed(scope, "s")),
        ("guardrails/all.cedar", typed(guardrails, "g")),
    ];
    files.map(|(path, text)| (path.to_owned(), text)).into()
}
