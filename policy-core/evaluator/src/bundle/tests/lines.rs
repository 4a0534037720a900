//! The line of an error is that of what has to change: in files of several policies, over several lines, and where the
//! same name stands elsewhere, too.

use super::{Bundle, Case, ENTITIES, PERMIT, TERMS, case, check, sample};

/// A policy that is right, over three lines, whose condition holds `text`.
fn other(id: &str, text: &str) -> String {
    format!(
        "@id(\"{id}\")\npermit (principal is Agent, action == Action::\"move_file\", resource)\nwhen {{ resource.id == \"{text}\" }};\n"
    )
}

fn policies() -> [Case; 9] {
    [
        case("scope/x.cedar", |_| format!("@id(\"a\")\n{PERMIT}\n\n// @id(\"b\")\n{PERMIT}"), 5, "no_id", "no `@id`"),
        case("scope/x.cedar", |_| format!("@id(\"a\") {PERMIT}\n@doc(\"x\")\n{PERMIT}"), 2, "no_id", "no `@id`"),
        case(
            "scope/x.cedar",
            |_| format!("@id(\"a\") {PERMIT}\n\n@doc(\"a\")\n@id(\"\")\n{PERMIT}"),
            4,
            "no_id",
            "no `@id`",
        ),
        case(
            "scope/x.cedar",
            |_| format!("@id(\"a\")\n{PERMIT}\n@doc(\"again\")\n@id(\"a\")\n{PERMIT}"),
            4,
            "same_id",
            "x.cedar:1`",
        ),
        case(
            "scope/x.cedar",
            |_| (0..12).map(|number| format!("@id(\"a{}\")\n{PERMIT}\n", number.min(10))).collect(),
            23,
            "same_id",
            "two policies",
        ),
        case(
            "scope/x.cedar",
            |_| {
                format!("@doc(\"journals-may-be-read\")\n@id(\"a\")\n{PERMIT}\n@id(\"journals-may-be-read\")\n{PERMIT}")
            },
            4,
            "same_id",
            "two policies",
        ),
        case(
            "scope/x.cedar",
            |_| format!("@doc(\"b\")\n@id(\"a\")\n{PERMIT}\n@id(\"b\")\n{}", PERMIT.replace("permit", "forbid")),
            4,
            "wrong_folder",
            "is a forbid",
        ),
        case(
            "scope/x.cedar",
            |_| format!("@id(\"a\")\n{PERMIT}\n@id(\"b\")\n@tier(\"low\")\n{PERMIT}"),
            4,
            "bad_annotation",
            "`@tier`",
        ),
        case(
            "approval/request/x.cedar",
            |_| format!("@doc(\"b\")\n@id(\"a\")\n{TERMS}\n{PERMIT}\n@id(\"b\")\n{PERMIT}"),
            5,
            "bad_annotation",
            "no `@tier`",
        ),
    ]
}

#[test]
fn a_policys_error_names_its_own_line() {
    check(policies());
    // One that is only found by what it says of the bundle's types.
    check([case(
        "scope/x.cedar",
        |_| format!("{}{}", other("a", "b").replace("resource.id == \"b\"", "true"), other("b", "x")),
        6,
        "invalid_policy",
        "`id`",
    )]);
    check([case(
        "scope/x.cedar",
        |_| {
            format!(
                "@id(\"a\") // ?resource\n{PERMIT}\n@id(\"b\")\npermit (principal,\naction, resource == ?resource);"
            )
        },
        5,
        "template",
        "no templates",
    )]);
}

#[test]
fn a_schemas_error_names_its_own_line() {
    check([
        case(
            "schema.cedarschema",
            |text| format!("{text}\n// Nowhere\nentity Extra {{ at: Nowhere }};\n"),
            "{ at: Nowhere }",
            "bad_schema",
            "Nowhere",
        ),
        case(
            "schema.cedarschema",
            |text| format!("{text}\n// In Nowhere\nentity Extra in\n[Nowhere];\n"),
            "[Nowhere];",
            "bad_schema",
            "Nowhere",
        ),
        case(
            "schema.cedarschema",
            |text| format!("{text}\n// \"nothings\"\naction extra in [\"nothings\"];\n"),
            "in [\"nothings\"]",
            "bad_schema",
            "nothings",
        ),
        case(
            "schema.cedarschema",
            |text| format!("{text}\ntype Round = {{ again: Round }};\n"),
            "type Round",
            "bad_schema",
            "Round",
        ),
        case(
            "schema.cedarschema",
            |text| format!("{text}\n// approve\naction approve;\n"),
            "action approve",
            "reserved",
            "approve",
        ),
    ]);
}

/// The entities with one more at the end.
fn end(text: &str, more: &str) -> String {
    format!("{},\n{more}\n]\n", text.trim_end().trim_end_matches(']').trim_end())
}

#[test]
fn an_entitys_error_names_its_own_line() {
    check([
        case(
            "entities.json",
            |text| end(text, "{\"uid\": {\"type\": \"Disk\",\n\"id\": \"finance\"}}"),
            "\"Disk\"",
            "bad_entities",
            "Disk",
        ),
        case(
            "entities.json",
            |text| end(text, "{\"uid\": {\"type\": \"Group\", \"id\": \"finance\"}, \"attrs\": {}}"),
            "\"id\": \"finance\"}, \"attrs\": {}}",
            "bad_entities",
            "twice",
        ),
        case(
            "entities.json",
            |text| end(text, "{\"uid\":\n{\"type\": \"User\", \"id\": \"new\"},\n\"attrs\": {\n\"name\": 17}}"),
            "\"name\": 17",
            "bad_entities",
            "`name`",
        ),
        // What only Cedar finds.
        case(
            "entities.json",
            |text| {
                end(
                    text,
                    "{\"uid\": {\"type\": \"Group\", \"id\": \"new\"}, \"parents\": [{\"type\": \"User\", \"id\": \"mara\"}]}",
                )
            },
            "\"id\": \"new\"",
            "bad_entities",
            "does not fit the schema",
        ),
    ]);
}

#[test]
fn a_circle_of_parents_is_told_at_one_of_its_entities() {
    let mut files = sample();
    let schema = files.get_mut("schema.cedarschema").unwrap();
    *schema = schema.replacen("entity Group;", "entity Group in [Group];", 1);
    let group = |id: &str, parent: &str| {
        format!(
            "{{\"uid\": {{\"type\": \"Group\", \"id\": \"{id}\"}}, \"parents\": [{{\"type\": \"Group\", \"id\": \"{parent}\"}}]}}"
        )
    };
    let before = files[ENTITIES].lines().count();
    let more = [group("above", "finance"), group("below", "one"), group("one", "two"), group("two", "one")].join(",\n");
    let changed = end(&files[ENTITIES], &more);
    files.insert(ENTITIES.to_owned(), changed);
    let errors = Bundle::accept(&files).unwrap_err();
    let [error] = &errors[..] else { panic!("{errors:?}") };
    let line = usize::try_from(error.line).unwrap();
    assert!([before + 2, before + 3].contains(&line), "{error:?} behind {before}");
    assert!(error.message.contains("`Group::") && !error.message.contains("BadInput"), "{error:?}");
}
