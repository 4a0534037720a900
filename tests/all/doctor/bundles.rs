//! People, owners and rules.

use std::fs;

use super::world::{World, tells};

/// A bundle of few types, in which nobody has to own anything.
const SMALL: [(&str, &str); 4] = [
    (
        "bundle.toml",
        r#"
tiers = ["low"]
step_ups = ["link"]
[types]
person = "User"
subjects = ["Agent"]
[record]
wait_for_copy = ["low"]
"#,
    ),
    (
        "schema.cedarschema",
        r#"
entity User;
entity Agent = { owner?: User };
entity Box;
action "open" appliesTo { principal: [Agent], resource: [Box] };
"#,
    ),
    (
        "entities.json",
        r#"[
  {"uid": {"type": "User", "id": "ines"}, "attrs": {}, "parents": []},
  {"uid": {"type": "Agent", "id": "a"}, "attrs": {}, "parents": []},
  {"uid": {"type": "Box", "id": "b"}, "attrs": {}, "parents": []}
]"#,
    ),
    (
        "scope/all.cedar",
        r#"@id("all")
permit (principal, action == Action::"open", resource);
"#,
    ),
];

fn small(world: &mut World) {
    fs::remove_dir_all(world.path("bundle")).unwrap();
    fs::create_dir_all(world.path("bundle/scope")).unwrap();
    for (file, text) in SMALL {
        world.write(&format!("bundle/{file}"), text);
    }
}

/// Takes a person out of all groups.
fn alone(world: &World, person: &str) {
    let text = fs::read_to_string(world.path("bundle/entities.json")).unwrap();
    let lines = text.lines().map(|line| match line.split_once("\"parents\": ") {
        Some((before, after)) if line.contains(&format!("\"User\", \"id\": \"{person}\"}}, \"attrs\": {{\"name\"")) => {
            let end = if after.ends_with(',') { "," } else { "" };
            format!("{before}\"parents\": []}}{end}\n")
        }
        _ => format!("{line}\n"),
    });
    world.write("bundle/entities.json", &lines.collect::<String>());
}

#[test]
fn a_bundle_without_people_owners_and_guardrails_is_told() {
    for code in ["agent_without_owner", "too_few_people", "nothing_forbidden"] {
        tells(code, small);
    }
    tells("claims_believed", |world| {
        small(world);
        let claims = "[claims.Agent]\nnames = [\"owner\"]\nenforcement_points = [\"proxy\"]\n[record]";
        world.edit("bundle.toml", "[record]", claims);
    });
}

#[test]
fn terms_without_people_among_them_are_told() {
    // Nobody but mara is of finance, and two are asked for.
    tells("terms_without_people", |world| alone(world, "jun"));
    tells("one_approver", |world| {
        ["tom", "ola", "jun", "vera", "sol", "kit"].iter().for_each(|person| alone(world, person));
    });
    tells("one_yes_for_grave_acts", |world| {
        world.edit("approval/request/ledger.cedar", "@approvals(\"2\")", "@approvals(\"1\")");
    });
    tells("empty_group", |world| {
        let group = "[\n  {\"uid\": {\"type\": \"Group\", \"id\": \"night\"}, \"attrs\": {}, \"parents\": []},\n";
        world.edit("entities.json", "[\n", group);
        world.edit("approval/request/files.cedar", "@tier(\"low\")", "@tier(\"low\")\n@notify(\"night\")");
    });
}

#[test]
fn a_console_that_lets_one_person_look_after_people_is_told() {
    tells("one_administrator", |world| {
        let rules = "@id(\"all\")\npermit (principal, action == Proviso::Action::\"activate\", resource);\n\
                     @id(\"one\")\npermit (principal == User::\"kit\", action == Proviso::Action::\"administer\", resource);\n";
        fs::create_dir_all(world.path("bundle/console")).unwrap();
        world.write("bundle/console/all.cedar", rules);
    });
}

#[test]
fn a_rule_that_is_hardly_meant_and_a_tier_that_waits_for_no_copy_are_told() {
    tells("rule_hardly_meant", |world| {
        let rule = "@id(\"for-nobody\")\npermit (principal == Agent::\"nobody\", action == Action::\"read_file\", resource);\n";
        world.write("bundle/scope/more.cedar", rule);
    });
    tells("no_copy_awaited", |world| {
        world.edit("bundle.toml", "wait_for_copy = [\"high\"]", "wait_for_copy = []");
    });
    // A bundle that does not load is none that is weak.
    let world = World::good();
    world.edit("bundle.toml", "[types]", "[typs]");
    let (exit, json) = world.told_json();
    assert_eq!((exit, json["error"]["code"].as_str()), (Some(65), Some("bad_bundle")));
}
