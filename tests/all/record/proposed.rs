//! `proviso replay --bundle`: what a proposed bundle would have answered to what was asked.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proviso_tests::{Setup, Story, TestGate, post_rows, sample_bundle, write_file};
use serde_json::{Value, json};

use super::replayed::{compiled, replay};

/// Writes a bundle into a folder.
fn written(files: &BTreeMap<String, String>, folder: &Path) -> String {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder.display().to_string()
}

/// The sample bundle with one text in one file replaced.
fn changed(file: &str, from: &str, to: &str) -> BTreeMap<String, String> {
    let mut files = sample_bundle();
    let text = files.get_mut(file).unwrap();
    assert!(text.contains(from), "{file}: {from}");
    *text = text.replace(from, to);
    files
}

/// Record number, kind, and the outcomes before and after.
type Told = (u64, String, String, String);

/// Each change, in the order they are told in.
fn changes(said: &Value) -> Vec<Told> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let one = |change: &Value| {
        let (before, after) = (word(&change["before"]["outcome"]), word(&change["after"]["outcome"]));
        (change["seq"].as_u64().unwrap(), word(&change["kind"]), before, after)
    };
    said["changes"].as_array().unwrap_or_else(|| panic!("{said:#}")).iter().map(one).collect()
}

fn change(seq: u64, kind: &str, before: &str, after: &str) -> Told {
    (seq, kind.to_owned(), before.to_owned(), after.to_owned())
}

/// Six calls: 0 by scope, 1 and 2 requestable, 3 by a guardrail, 4 through a mapped tool, 5 of an unknown action.
async fn recorded() -> Story {
    let story = Story::begin().await;
    compiled(&story);
    let mut mapped = write_file("report-writer", "/srv/files/drafts/b.md", "c4");
    mapped["action"]["name"] = json!("tools/call");
    mapped["resource"] = json!({"type": "tool", "id": "write_file"});
    let mut unknown = write_file("report-writer", "/srv/files/drafts/c.md", "c5");
    unknown["action"]["name"] = json!("append_file");
    for (call, decision) in [
        (write_file("report-writer", "/srv/files/drafts/a.md", "c0"), true),
        (write_file("report-writer", "/srv/files/reports/a.md", "c1"), false),
        (post_rows("report-writer", "finance/sandbox", 30, "c2"), false),
        (write_file("report-writer", "/srv/files/.hidden", "c3"), false),
        (mapped, true),
        (unknown, false),
    ] {
        let answer = story.evaluate(&call).await.json();
        assert_eq!(answer["decision"], json!(decision), "{answer}");
    }
    story
}

#[tokio::test]
async fn every_outcome_that_changes_is_listed_new_allows_first() {
    let story = recorded().await;
    let data = story.gate.data().display().to_string();
    let (scope, requestable, none) = ("permitted_by_scope", "requestable_denial", "denial");
    let (schema, toml) = ("schema.cedarschema", "bundle.toml");
    let table: Vec<(&str, BTreeMap<String, String>, Vec<Told>)> = vec![
        ("the same", sample_bundle(), vec![]),
        (
            "drafts are closed, and reports opened",
            changed("scope/files.cedar", "/srv/files/drafts/*\" };", "/srv/files/reports/*\" };"),
            vec![
                change(1, "new_allow", requestable, scope),
                change(0, "new_denial", scope, requestable),
                change(4, "new_denial", scope, requestable),
            ],
        ),
        (
            "a guardrail goes",
            changed(
                "guardrails/files.cedar",
                "context.input.path like \"/srv/files/.*\"",
                "context.input.path == \"/\"",
            ),
            // What a guardrail had closed may be asked for, as other files are.
            vec![change(3, "new_requestable", none, requestable)],
        ),
        (
            "nobody posts",
            changed("guardrails/ledger.cedar", "principal.autonomy < 2", "principal.autonomy < 9"),
            vec![change(2, "no_longer_requestable", requestable, none)],
        ),
        (
            "an agent decides less",
            changed("entities.json", "\"autonomy\": 2", "\"autonomy\": 1"),
            vec![
                change(0, "new_denial", scope, requestable),
                change(4, "new_denial", scope, requestable),
                change(2, "no_longer_requestable", requestable, none),
            ],
        ),
        (
            "an action that nobody knew",
            changed(schema, "action edit_file in", "action append_file, edit_file in"),
            // Its arguments are others, so it still fits nothing.
            vec![],
        ),
        (
            "a tool is another action",
            changed(
                toml,
                "name = \"write_file\"\naction = \"write_file\"",
                "name = \"write_file\"\naction = \"create_directory\"",
            ),
            // The arguments of the mapped call do not fit that action.
            vec![change(4, "new_denial", scope, none)],
        ),
    ];
    for (what, files, expected) in table {
        let folder = tempfile::tempdir().unwrap();
        let (exit, said) = replay(&["--data", &data, "--bundle", &written(&files, folder.path())]);
        let found = changes(&said);
        let sorted = |mut of: Vec<Told>| {
            of.sort_by_key(|(seq, kind, ..)| (kind != "new_allow", *seq));
            of
        };
        assert_eq!(found, sorted(expected.clone()), "{what}: {said:#}");
        assert_eq!(exit, Some(if expected.is_empty() { 0 } else { 3 }), "{what}");
        let counts = &said["counts"];
        assert_eq!(counts["changed"], json!(expected.len()), "{what}: {counts}");
        assert_eq!(counts["questions"], counts["records"], "{what}: all of them can be asked again: {counts}");
    }
}

#[tokio::test]
async fn a_question_that_no_schema_knew_is_asked_again_as_it_came() {
    let story = recorded().await;
    let files = changed("schema.cedarschema", "action write_file in", "action append_file, write_file in");
    let folder = tempfile::tempdir().unwrap();
    let (data, bundle) = (story.gate.data().display().to_string(), written(&files, folder.path()));
    let (exit, said) = replay(&["--data", &data, "--bundle", &bundle]);
    let expected = [change(5, "new_allow", "denial", "permitted_by_scope")];
    assert_eq!((exit, changes(&said)), (Some(3), expected.to_vec()), "{said:#}");
    assert_eq!(said["changes"][0]["after"]["policies"], json!(["drafts-may-be-written"]));
    // For people it is one line with both sides.
    let told = proviso_tests::Binary::run(&["replay", "--data", &data, "--bundle", &bundle]);
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(text.starts_with("new allow: record 5 of decisions/main"), "{text}");
    assert!(text.contains("denial (unknown_action) -> permitted_by_scope (scope) by drafts-may-be-written"), "{text}");
    assert!(text.contains("1 newly allowed"), "{text}");
}

#[tokio::test]
async fn what_was_never_stored_is_no_question_of_another_bundle() {
    // The text that is written is a secret: it decides nothing here, and is not there to be asked about.
    let setup = Setup {
        bundle: changed("schema.cedarschema", "content: String", "@secret content: String"),
        ..Setup::default()
    };
    let story = Story::on(TestGate::with(setup).await).await;
    compiled(&story);
    story.evaluate(&write_file("report-writer", "/srv/files/drafts/a.md", "c0")).await;
    story.evaluate(&post_rows("report-writer", "finance/sandbox", 30, "c1")).await;
    let data = story.gate.data().display().to_string();
    let (exit, said) = replay(&["--data", &data]);
    assert_eq!((exit, &said["counts"]["agreed"]), (Some(0), &json!(2)), "{said:#}");
    let folder = tempfile::tempdir().unwrap();
    let (exit, said) = replay(&["--data", &data, "--bundle", &written(&sample_bundle(), folder.path())]);
    let counts = &said["counts"];
    assert_eq!(
        (exit, &counts["agreed"], &counts["not_evaluated"]),
        (Some(0), &json!(1), &json!({"withheld": 1})),
        "{said:#}"
    );
}

#[tokio::test]
async fn a_bundle_that_does_not_load_is_refused_before_anything_is_asked() {
    let story = recorded().await;
    let data = story.gate.data().display().to_string();
    let folder = tempfile::tempdir().unwrap();
    let bundle = written(&changed("scope/files.cedar", "permit", "allow"), folder.path());
    let (exit, said) = replay(&["--data", &data, "--bundle", &bundle]);
    assert_eq!((exit, &said["error"]["code"]), (Some(65), &json!("bad_bundle")), "{said}");
    let (exit, said) = replay(&["--data", &data, "--bundle", "/nowhere"]);
    assert_eq!((exit, &said["error"]["code"]), (Some(65), &json!("bundle_unreadable")), "{said}");
}
