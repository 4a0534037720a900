//! Bundles that a gate must not take: each error says which file, which line, and what to do.

use std::fs;
use std::path::{Path, PathBuf};

use proviso_tests::{Binary, sample_bundle};
use serde_json::Value;
use tempfile::TempDir;

use super::{audit, failure, sign_in, told};

/// The sample bundle with one file changed.
fn bundle(path: &str, change: impl Fn(&str) -> String) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("bundle");
    let mut files = sample_bundle();
    let changed = change(files.get(path).map_or("", String::as_str));
    files.insert(path.to_owned(), changed);
    for (path, text) in files {
        let file = root.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    (folder, root)
}

fn check(root: &Path) -> (Option<i32>, Value) {
    told(&Binary::run(&["bundle", "check", "--json", &root.display().to_string()]))
}

#[test]
fn what_does_not_validate_is_told_by_file_line_and_remedy() {
    type Change = fn(&str) -> String;
    let table: [(&str, &str, Change); 9] = [
        ("misspelt attribute", "scope/files.cedar", |text| text.replacen("principal.autonomy", "principal.autonmy", 1)),
        ("unknown action", "scope/files.cedar", |text| text.replacen("list_allowed_directories", "list_everything", 1)),
        ("no Cedar", "guardrails/files.cedar", |text| format!("{text}\nforbid (principal, action")),
        ("a forbid among the permits", "scope/forbid.cedar", |_| {
            "@id(\"wrong-folder\")\nforbid (principal, action, resource);\n".to_owned()
        }),
        ("a permit among the guardrails", "guardrails/permit.cedar", |_| {
            "@id(\"wrong-folder\")\npermit (principal, action, resource);\n".to_owned()
        }),
        ("a misspelt annotation", "approval/request/files.cedar", |text| text.replacen("@approvals", "@aprovals", 1)),
        ("no approvals", "approval/request/files.cedar", |text| text.replacen("@approvals(\"1\")\n", "", 1)),
        ("nobody approves", "approval/request/files.cedar", |text| {
            text.replacen("@approvals(\"1\")", "@approvals(\"0\")", 1)
        }),
        ("an id twice", "scope/again.cedar", |_| {
            "@id(\"files-may-be-read\")\npermit (principal is Agent, action == Action::\"tools/list\", resource is mcp_server);\n"
                .to_owned()
        }),
    ];
    for (what, path, change) in table {
        let (_folder, root) = bundle(path, change);
        let (exit, json) = check(&root);
        assert_eq!((exit, json["valid"].clone()), (Some(65), Value::Bool(false)), "{what}: {json}");
        let errors = json["errors"].as_array().unwrap();
        let named = errors.iter().find(|error| error["file"] == path || error["file"] == "scope/files.cedar");
        let error = named.unwrap_or_else(|| panic!("{what}: no error names `{path}`: {json}"));
        assert!(error["line"].as_u64().is_some_and(|line| line > 0), "{what}: {error}");
        for member in ["code", "message", "help"] {
            assert!(error[member].as_str().is_some_and(|text| !text.is_empty()), "{what}: {error}");
        }
        // The gate says the same and does not start.
        let data = root.with_file_name("data");
        Binary::prepare(&data);
        let (root, shown) = (root.display().to_string(), data.display().to_string());
        let serve = ["serve", "--json", "--listen", "127.0.0.1:0", "--bundle", &root, "--data", &shown];
        let (exit, code) = failure(&Binary::run(&serve));
        assert_eq!((exit, code.as_str()), (Some(65), errors[0]["code"].as_str().unwrap()), "{what}");
        assert!(!data.join("record.sqlite").exists(), "{what}: nothing was begun");
    }
}

#[test]
fn a_bundle_that_nobody_activated_does_not_start() {
    let (folder, changed) = bundle("scope/files.cedar", |text| text.replace("autonomy >= 2", "autonomy >= 1"));
    let (_, json) = check(&changed);
    let digest = json["digest"].as_str().unwrap().to_owned();
    let data = folder.path().join("data");
    Binary::serve(&data).kill();
    let (changed, data) = (changed.display().to_string(), data.display().to_string());
    let serve = ["serve", "--json", "--listen", "127.0.0.1:0", "--bundle", &changed, "--data", &data];
    assert_eq!(failure(&Binary::run(&serve)), (Some(64), "bundle_not_activated".to_owned()));
    let unheard = "0".repeat(64);
    let other = [&serve[..], &["--activate", &unheard, "--reason", "x"]].concat();
    assert_eq!(failure(&Binary::run(&other)), (Some(65), "other_bundle".to_owned()));
    let no_reason = [&serve[..], &["--activate", &digest, "--reason", " "]].concat();
    assert_eq!(failure(&Binary::run(&no_reason)), (Some(64), "reason_needed".to_owned()));
    let without = [&serve[..], &["--activate", &digest]].concat();
    assert_eq!(Binary::run(&without).status.code(), Some(64), "a reason is not optional");
}

#[tokio::test]
async fn a_bundle_is_activated_with_a_reason_and_stays_the_active_one() {
    let (folder, changed) = bundle("scope/files.cedar", |text| text.replace("autonomy >= 2", "autonomy >= 1"));
    let digest = check(&changed).1["digest"].as_str().unwrap().to_owned();
    let data = folder.path().join("data");
    Binary::serve(&data).stop();
    let activate = ["--activate", &digest, "--reason", "interns write drafts, too"];
    let gate = Binary::serve_bundle(&data, &changed, &activate);
    let mara = sign_in(&gate, "mara").await;
    let record = gate.client.get("/api/v1/record", Some(&mara)).await.json();
    assert_eq!(record["bundle"], Value::from(digest), "{record}");
    gate.stop();
    // It needs no second act, and the one before it would.
    Binary::serve_bundle(&data, &changed, &[]).stop();
    let shown = data.display().to_string();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundles/sample").display().to_string();
    let serve = ["serve", "--json", "--listen", "127.0.0.1:0", "--bundle", &sample, "--data", &shown];
    assert_eq!(failure(&Binary::run(&serve)), (Some(64), "bundle_not_activated".to_owned()));
    // Who activated it, when and why stand in a record that verifies.
    assert!(audit(&data).status.success());
}
