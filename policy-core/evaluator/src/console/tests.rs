//! What a bundle's `console/` may not come to. What it answers is told by the golden cases.

mod matters;

use std::collections::BTreeMap;

use policy_core::console::Act;
use policy_core::time::Timestamp;

use super::*;
use crate::Bundle;
use crate::bundle::tests::sample;

/// The sample bundle with these people in the group `administrators`, and with this as its `console/`.
fn files(administrators: &[&str], console: &str) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = sample();
    files.retain(|path, _| !path.starts_with("console/"));
    if !console.is_empty() {
        files.insert("console/all.cedar".to_owned(), console.to_owned());
    }
    let mut entities: serde_json::Value = serde_json::from_str(&files["entities.json"]).unwrap();
    let group = serde_json::json!({"type": "Group", "id": "administrators"});
    for entity in entities.as_array_mut().unwrap() {
        let id = entity["uid"]["id"].as_str().unwrap().to_owned();
        if entity["uid"]["type"] == "User" && administrators.contains(&id.as_str()) {
            entity["parents"].as_array_mut().unwrap().push(group.clone());
        }
    }
    let known = entities.as_array().unwrap().iter().any(|entity| entity["uid"] == group);
    if !known {
        entities.as_array_mut().unwrap().push(serde_json::json!({"uid": group, "attrs": {}, "parents": []}));
    }
    files.insert("entities.json".to_owned(), entities.to_string());
    files
}

fn with(administrators: &[&str], console: &str) -> Result<Bundle, Vec<(String, &'static str)>> {
    let files = files(administrators, console);
    Bundle::accept(&files).map_err(|errors| errors.into_iter().map(|error| (error.file, error.code)).collect())
}

/// A Sunday afternoon.
fn now() -> Timestamp {
    "2026-11-29T13:20:00Z".parse().unwrap()
}

fn alone_by(old: &Bundle, new: &Bundle) -> Vec<Alone> {
    alone(old, new, now()).unwrap()
}

/// The sample bundle with so many agents more, each told from the others by its autonomy where they are unlike.
fn crowded(agents: i64, unlike: bool, console: &str) -> Bundle {
    let mut files = files(&["mara", "tom"], console);
    let mut entities: Vec<serde_json::Value> = serde_json::from_str(&files["entities.json"]).unwrap();
    entities.extend((0..agents).map(|number| {
        let owner = serde_json::json!({"__entity": {"type": "User", "id": "mara"}});
        let attrs = serde_json::json!({"owner": owner, "autonomy": if unlike { number } else { 1 }});
        serde_json::json!({"uid": {"type": "Agent", "id": format!("zz-{number:05}")}, "attrs": attrs, "parents": []})
    }));
    files.insert("entities.json".to_owned(), serde_json::json!(entities).to_string());
    Bundle::accept(&files).unwrap()
}

fn permits(annotations: &str, act: &str, when: &str) -> String {
    format!(
        "@id(\"by-administrators\") {annotations}\npermit (principal in Group::\"administrators\", \
         action == Proviso::Action::\"{act}\", resource) {when};"
    )
}

#[test]
fn a_bundle_under_which_nobody_could_activate_the_next_one_is_refused() {
    let nobody = Err(vec![("console/all.cedar".to_owned(), "nobody_activates")]);
    let by_two = "@persons(\"2\")";
    let cases: [(&[&str], &str, &str, &str, bool); 8] = [
        (&["mara"], "", "activate", "", true),
        (&[], "", "activate", "", false),
        (&["mara"], "", "erase", "", false),
        (&["mara"], by_two, "activate", "", false),
        (&["mara", "tom"], by_two, "activate", "", true),
        (&["mara"], "", "activate", "when { context.assurance == \"webauthn\" }", true),
        (&["mara"], "", "activate", "when { context.now < datetime(\"2020-01-01\") }", false),
        // Only at the weekend: a week of hours is tried.
        (&["mara"], "", "activate", "when { context.now >= datetime(\"2026-11-28\") }", true),
    ];
    for (people, annotations, act, when, loads) in cases {
        let told = with(people, &permits(annotations, act, when)).map(drop);
        assert_eq!(told, if loads { Ok(()) } else { nobody.clone() }, "{people:?} {annotations} {act} {when}");
    }
    assert!(with(&[], "").is_ok(), "without a `console/` the operator activates");
    for (people, told) in [(&[][..], "nobody could activate"), (&["mara"][..], "one alone could do it")] {
        let errors = Bundle::accept(&files(people, &permits(by_two, "activate", ""))).map(drop).unwrap_err();
        assert!(errors[0].to_string().contains(told), "{errors:?}");
    }
}

#[test]
fn what_takes_two_people_takes_two_under_the_next_bundle() {
    let activates =
        "\n@id(\"a\") permit (principal == User::\"tom\", action == Proviso::Action::\"activate\", resource);";
    let bundle = |annotations: &str, act: &str, when: &str| {
        with(&["mara", "tom"], &format!("{}{activates}", permits(annotations, act, when))).unwrap()
    };
    let by_two = "@persons(\"2\")";
    let old = bundle(by_two, "erase", "");
    let told = |new: &Bundle| alone_by(&old, new).into_iter().map(|one| (one.act, one.person.id)).collect::<Vec<_>>();
    let found = alone_by(&old, &bundle("", "erase", ""));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].act, found[0].person.id.as_str()), (Act::Erase, "mara"));
    assert_eq!(found[0].policies, ["by-administrators"]);
    assert_eq!(told(&bundle("", "erase", "when { resource is Agent }")), [(Act::Erase, "mara".into())]);
    assert_eq!(told(&bundle(by_two, "erase", "")), []);
    assert_eq!(told(&bundle("", "revoke", "")), [], "nobody erases at all: that is no less");
    assert_eq!(alone_by(&bundle("", "erase", ""), &bundle("", "erase", "")), [], "one did it alone before");
    // Without a `console/` nobody of them erases.
    assert_eq!(alone_by(&old, &with(&[], "").unwrap()), []);
    assert_eq!(alone_by(&with(&[], "").unwrap(), &bundle("", "erase", "")), []);
    // What takes two for all of it but one agent's.
    let split = "unless { resource == Agent::\"spiffe://acme.example/agent/intern-bot\" }";
    assert_eq!(
        alone_by(&bundle(by_two, "revoke", split), &bundle("", "revoke", "when { resource is Agent }")).len(),
        1
    );
}

const ACTIVATES: &str =
    "\n@id(\"a\") permit (principal == User::\"tom\", action == Proviso::Action::\"activate\", resource);";

#[test]
fn the_last_agent_of_thousands_is_looked_at_like_the_first() {
    let by_two = format!("{}{ACTIVATES}", permits("@persons(\"2\")", "revoke", ""));
    let last = "@id(\"one\") permit (principal, action == Proviso::Action::\"revoke\", resource) when";
    let spared = permits("@persons(\"2\")", "revoke", "unless { resource == Agent::\"zz-02999\" }");
    let named = format!("{spared}{ACTIVATES}\n{last} {{ resource == Agent::\"zz-02999\" }};");
    let told = format!("{spared}{ACTIVATES}\n{last} {{ resource is Agent && resource.autonomy == 2999 }};");
    for (unlike, next) in [(false, &named), (true, &told)] {
        let found = alone_by(&crowded(3_000, unlike, &by_two), &crowded(3_000, unlike, next));
        assert_eq!(found.len(), 1, "{next}");
        assert_eq!(found[0].policies, ["one"]);
    }
    // Also where no rule changed, and an agent did.
    let of_another = format!("{spared}{ACTIVATES}\n{last} {{ resource is Agent && resource.autonomy == 3000 }};")
        .replace("resource == Agent::\"zz-02999\"", "resource is Agent && resource.autonomy == 3000");
    assert_eq!(alone_by(&crowded(3_000, true, &of_another), &crowded(3_000, true, &of_another)), []);
    assert_eq!(alone_by(&crowded(3_000, true, &of_another), &crowded(3_001, true, &of_another)).len(), 1);
}

#[test]
fn what_takes_two_at_one_hour_takes_two_at_that_hour_under_the_next_bundle() {
    let at = |when: &str| format!("when {{ {when} }}");
    let by_two = permits("@persons(\"2\")", "erase", "");
    let bundle = |when: &str| {
        let one = "@id(\"one\") permit (principal == User::\"mara\", action == Proviso::Action::\"erase\", resource)";
        let lax = if when.is_empty() { String::new() } else { format!("\n{one} {when};") };
        let by_two = by_two.replace(
            " ;",
            &format!(
                " unless {{ {} }};",
                when.strip_prefix("when { ").and_then(|when| when.strip_suffix(" }")).unwrap_or("false")
            ),
        );
        with(&["mara", "tom"], &format!("{by_two}{ACTIVATES}{lax}")).unwrap()
    };
    let night = at("context.now.toTime() >= duration(\"22h10m\")");
    let later = at("context.now.toTime() >= duration(\"22h5m\")");
    let short =
        at("context.now >= datetime(\"2027-05-01T10:00:00Z\") && context.now < datetime(\"2027-05-01T10:00:01Z\")");
    let over = at("context.now < datetime(\"2026-11-01\")");
    let found = |old: &str, new: &str| alone_by(&bundle(old), &bundle(new)).len();
    assert_eq!(found("", &night), 1, "at night one does alone what took two");
    assert_eq!(found(&night, &night), 0);
    assert_eq!(found(&night, &at("true")), 1, "one did it alone at night, and by day nobody");
    assert_eq!(found(&night, &later), 1, "and five minutes are a time, too");
    assert_eq!(found("", &short), 1, "and so is a second of next year");
    assert_eq!(found("", &over), 0, "what is over comes to nothing");
}

#[test]
fn what_is_too_much_to_tell_gets_no_answer() {
    let by_two = |when: &str| format!("{}{ACTIVATES}", permits("@persons(\"2\")", "revoke", when));
    let old = crowded(4_000, true, &by_two(""));
    let hours = by_two("when { context.now.toTime() >= duration(\"9h\") }");
    assert_eq!(alone(&old, &crowded(4_000, true, &hours), now()), Err(TooMuch::Questions));
    // Where nothing that counts has changed, nothing is asked.
    assert_eq!(alone(&old, &old, now()), Ok(Vec::new()));
}

#[test]
fn a_policy_of_console_stands_in_no_other_folder_and_no_other_in_console() {
    let activate = permits("", "activate", "");
    let code = |path: &str, text: &str| {
        let mut files = sample();
        files.insert(path.to_owned(), text.to_owned());
        Bundle::accept(&files).err().and_then(|errors| Some(errors.first()?.code))
    };
    assert_eq!(code("scope/console.cedar", &activate), Some("invalid_policy"));
    assert_eq!(code("approval/approve/console.cedar", &activate), Some("invalid_policy"));
    for (text, expected) in [
        ("@id(\"x\") permit (principal, action == Action::\"write_file\", resource);", "invalid_policy"),
        ("@id(\"x\") permit (principal, action == Proviso::Action::\"veiw\", resource);", "invalid_policy"),
        ("@id(\"x\") permit (principal, action, resource) when { context.tier == \"low\" };", "invalid_policy"),
        ("@id(\"x\") forbid (principal, action, resource);", "wrong_folder"),
        ("permit (principal, action, resource);", "no_id"),
    ] {
        assert_eq!(code("console/x.cedar", text), Some(expected), "{text}");
    }
    // A bundle's own action, tool or type of any name stands beside ours.
    let mut files = sample();
    let schema = files.get_mut("schema.cedarschema").unwrap();
    schema.push_str("entity Gate;\naction view, vote, lock appliesTo { principal: [Agent], resource: [Gate] };\n");
    assert!(Bundle::accept(&files).is_ok());
}
