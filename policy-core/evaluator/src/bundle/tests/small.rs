//! Bundles as small as can be, each with one thing at its edge.

use policy_core::abi::Op;
use policy_core::json::to_canonical_bytes;

use super::*;
use crate::abi::{Instance, LARGEST_INPUT};
use crate::bundle::caps::LARGEST_FILE;

const SCHEMA: &str = "entity User, Agent, File;\naction read appliesTo { principal: [Agent], resource: [File] };\n";
const CONFIG: &str = "tiers = [\"low\"]\nstep_ups = [\"link\"]\n[types]\nperson = \"User\"\nsubjects = [\"Agent\"]\n";

/// The two files that a bundle must have, with these laid over them.
fn accept(files: &[(&str, &str)]) -> Result<Bundle, Vec<BundleError>> {
    let base = [("bundle.toml", CONFIG), ("schema.cedarschema", SCHEMA)];
    let files = base.iter().chain(files).map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    Bundle::accept(&files.collect())
}

/// Where, with which code and with which words it is refused; nothing when it is accepted.
fn refusal(files: &[(&str, &str)]) -> Option<(String, u32, &'static str, String)> {
    let error = accept(files).err()?.into_iter().next()?;
    Some((error.file, error.line, error.code, error.message))
}

#[test]
fn a_tasks_past_matters_where_an_action_declares_it() {
    assert!(!accept(&[]).unwrap().rules.mentions_done());
    let schema = SCHEMA.replace("[File] }", "[File], context: { done: Set<String> } }");
    assert!(accept(&[("schema.cedarschema", &schema)]).unwrap().rules.mentions_done());
}

#[test]
fn a_file_and_a_bundle_are_as_large_as_they_may_be() {
    let comment = |bytes: usize| format!("//{}\n", "x".repeat(bytes - 3));
    assert_eq!(refusal(&[("scope/a.cedar", &comment(LARGEST_FILE))]), None);
    let (file, line, code, message) = refusal(&[("scope/a.cedar", &comment(LARGEST_FILE + 1))]).unwrap();
    assert_eq!((file.as_str(), line, code), ("scope/a.cedar", 1, "too_complex"));
    assert!(message.contains("1048577 bytes"), "{message}");
    assert_eq!((LARGEST_FILE, LARGEST_INPUT), (1_048_576, 4_194_304));

    let given = |text: &str| to_canonical_bytes(&accept(&[("README.md", text)]).unwrap().load()).unwrap();
    let left = LARGEST_INPUT - given("").len();
    // A line's end takes two bytes in JSON.
    for (text, fits) in [
        ("x".repeat(left), true),
        ("x".repeat(left + 1), false),
        ("\n".repeat(left / 2), true),
        ("\n".repeat(left / 2 + 1), false),
    ] {
        if fits {
            let answer = Instance::new().call(Op::Load as i32, &given(&text));
            assert!(answer.starts_with(b"{\"ok\""), "what is accepted is loaded");
        } else {
            let (file, _, code, _) = refusal(&[("README.md", &text)]).unwrap();
            assert_eq!((file.as_str(), code), ("bundle.toml", "too_large"));
        }
    }
    // What is true of entities is bounded by itself.
    let entities = format!("[]{}", " ".repeat(left + 1));
    assert_eq!(refusal(&[("entities.json", &entities)]), None);
}

#[test]
fn a_bundle_holds_its_files_and_no_others() {
    for (path, text, fits) in [
        ("README.md", "x", true),
        ("docs/why.md", "x", true),
        ("scope/a.cedar", "", true),
        ("scope/.cedar", "", false),
        ("scope/a.txt", "", false),
        ("a.cedar", "", false),
        ("approval/a.cedar", "", false),
        ("Scope/a.cedar", "", false),
    ] {
        let found = refusal(&[(path, text)]);
        let expected = (path.to_owned(), 1, "unknown_file", format!("`{path}` is no part of a bundle"));
        assert_eq!(found, (!fits).then_some(expected), "{path}");
    }
}

#[test]
fn bundle_toml_is_held_to_itself_and_to_the_schema() {
    let tool = |name: &str, more: &str| {
        format!("[[tool]]\nserver = \"s\"\nname = \"{name}\"\naction = \"read\"\nresource = \"File\"\n{more}\n")
    };
    let head = "tiers = [\"low\"]\nstep_ups = [\"link\"]\n";
    for (text, line, says) in [
        (format!("{CONFIG}{}", tool("t", "id = \"a.b\"")), 0, ""),
        (format!("{CONFIG}{}", tool("t", "id = [\"a\", \"b\"]")), 0, ""),
        (format!("{CONFIG}{}", tool("t", "fixed = \"x\"")), 0, ""),
        (format!("{CONFIG}{}", tool("tt", "")), 8, "says neither or both"),
        (format!("{CONFIG}{}", tool("tt", "id = []")), 8, "says neither or both"),
        (format!("{CONFIG}{}", tool("tt", "id = \"a\"\nfixed = \"x\"")), 8, "says neither or both"),
        (format!("{CONFIG}{0}{0}", tool("tt", "fixed = \"x\"")), 14, "is mapped twice"),
        (format!("{CONFIG}{}{}", tool("t", "fixed = \"x\""), tool("u", "fixed = \"x\"")), 0, ""),
        (format!("{CONFIG}{}", tool("tt", "fixed = \"x\"").replace("\"File\"", "\"User\"")), 10, "does not apply to"),
        (format!("{CONFIG}{}", tool("tt", "fixed = \"x\"").replace("\"read\"", "\"burn\"")), 9, "is no action"),
        (CONFIG.replace("[\"low\"]", "[]"), 1, "`tiers` is empty"),
        (CONFIG.replace("[\"link\"]", "[]"), 2, "`step_ups` is empty"),
        (CONFIG.replace("[\"link\"]", "[\"link\", \"link\"]"), 2, "`step_ups` is empty or names one twice"),
        (CONFIG.replace("\"User\"", "\"Usr\""), 4, "`Usr` is no entity type"),
        (CONFIG.replace("[\"Agent\"]", "[\"Agent\", \"Bot\"]"), 5, "`Bot` is no entity type"),
        (format!("{head}sensitive = [\"File\"]\n[types]\nperson = \"User\"\nsubjects = [\"Agent\"]\n"), 0, ""),
        (
            format!("{head}sensitive = [\"Fyle\"]\n[types]\nperson = \"User\"\nsubjects = [\"Agent\"]\n"),
            3,
            "`Fyle` is no entity type",
        ),
        (format!("{CONFIG}[claims.Fyle]\nnames = []\nenforcement_points = []\n"), 6, "`Fyle` is no entity type"),
        (format!("{CONFIG}[record]\nwait_for_copy = [\"low\"]\n"), 0, ""),
        (format!("{CONFIG}[record]\nwait_for_copy = [\"low\", \"lov\"]\n"), 7, "`lov` is no tier"),
        (format!("{CONFIG}[reconcile.on]\nmore_often = \"lock_subject\"\n"), 0, ""),
        (format!("{CONFIG}[reconcile.on]\nmore_oftn = \"lock_subject\"\n"), 7, "`more_oftn` is no kind of finding"),
        (
            format!("{head}not_requestable = [\"low\"]\n[types]\nperson = \"User\"\nsubjects = [\"Agent\"]\n"),
            3,
            "`not_requestable`",
        ),
    ] {
        let found = refusal(&[("bundle.toml", &text)]);
        match &found {
            None => assert_eq!(says, "", "{text}"),
            Some((file, at, code, message)) => {
                assert_eq!((file.as_str(), *at, *code), ("bundle.toml", line, "bad_config"), "{message}\n{text}");
                assert!(!says.is_empty() && message.contains(says), "{message}\n{text}");
            }
        }
    }
}

#[test]
fn what_is_judged_is_never_claimed() {
    let schema = SCHEMA.replace("entity User, Agent, File;", "entity User, Agent; entity File = { open?: Bool };");
    let config = format!("{CONFIG}[claims.File]\nnames = [\"open\"]\nenforcement_points = [\"gateway\"]\n");
    let policies = [
        (
            "scope/a.cedar",
            "@id(\"a\") permit (principal, action == Action::\"read\", resource) when { resource has open };",
            true,
        ),
        (
            "guardrails/a.cedar",
            "@id(\"a\") forbid (principal, action == Action::\"read\", resource) when { resource has open };",
            false,
        ),
        (
            "guardrails/a.cedar",
            "@id(\"a\") forbid (principal, action == Action::\"read\", resource) when { resource has \"open\" };",
            false,
        ),
        ("guardrails/a.cedar", "// open\n@id(\"a\") forbid (principal, action == Action::\"read\", resource);", true),
        (
            "approval/request/a.cedar",
            "@id(\"a\") @tier(\"low\") @approvals(\"1\") @max_duration(\"1h\") @max_uses(\"1\") permit (principal, action == Action::\"read\", resource) when { resource has open };",
            false,
        ),
        (
            "approval/approve/a.cedar",
            "@id(\"a\") permit (principal, action == Action::\"approve\", resource) when { resource has open };",
            false,
        ),
    ];
    for (path, policy, fits) in policies {
        let found = refusal(&[("schema.cedarschema", &schema), ("bundle.toml", &config), (path, policy)]);
        let expected = (
            "bundle.toml".to_owned(),
            7,
            "claim_in_guardrail",
            format!("`open` occurs in `{path}` and can therefore never be claimed by a caller"),
        );
        assert_eq!(found, (!fits).then_some(expected), "{path}: {policy}");
    }
}

#[test]
fn an_emergency_may_take_as_many_approvals_and_not_more() {
    let terms = "@tier(\"low\") @approvals(\"2\") @max_duration(\"1h\") @max_uses(\"1\")";
    for (emergency, fits) in [(1, true), (2, true), (3, false)] {
        let policy = format!(
            "@id(\"a\") {terms} @emergency_approvals(\"{emergency}\") permit (principal, action == Action::\"read\", resource);"
        );
        let found = refusal(&[("approval/request/a.cedar", &policy)]);
        assert_eq!(found.is_none(), fits, "{emergency}: {found:?}");
    }
}

#[test]
fn a_policys_id_is_of_few_letters_and_bounded() {
    let longest = "x".repeat(128);
    let longer = "x".repeat(129);
    for (id, fits) in [
        ("a", true),
        ("A-1_b.c", true),
        (longest.as_str(), true),
        (longer.as_str(), false),
        ("", false),
        ("ä", false),
        ("a/b", false),
    ] {
        let policy = format!("@id(\"{id}\") permit (principal, action == Action::\"read\", resource);");
        let code = refusal(&[("scope/a.cedar", &policy)]).map(|(_, _, code, _)| code);
        assert_eq!(code, (!fits).then_some("no_id"), "{id}");
    }
}
