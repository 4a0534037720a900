//! `proviso audit` on the data folder and on an export: what it finds, and that it needs nothing of the gate.

use std::path::Path;
use std::process::Output;

use proviso_tests::{Binary, write_file};
use serde_json::{Value, json};

use crate::gate::{parties, sign_in};

fn told(done: &Output) -> (Option<i32>, Value) {
    (done.status.code(), serde_json::from_slice(&done.stdout).unwrap_or_default())
}

fn audit(arguments: &[&str]) -> (Option<i32>, Value) {
    told(&Binary::run(&[&["audit"], arguments, &["--json"]].concat()))
}

/// A gate's folder with a few records of both logs, and the gate gone.
async fn recorded(folder: &Path) -> String {
    let data = folder.join("data");
    let gate = Binary::serve(&data);
    let parties = parties(&gate);
    sign_in(&gate, "mara").await;
    for (path, allowed) in [("/srv/files/drafts/a.md", true), ("/srv/files/reports/a.md", false)] {
        let answer = parties.evaluate(&write_file("report-writer", path, "c")).await;
        assert_eq!(answer.json()["decision"], json!(allowed), "{answer:?}");
    }
    gate.stop();
    data.display().to_string()
}

#[tokio::test]
async fn an_export_is_checked_where_no_gate_is_and_by_keys_that_came_another_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = recorded(folder.path()).await;
    let export = folder.path().join("export").display().to_string();
    let (exit, said) = audit(&["verify", "--data", &data]);
    assert_eq!((exit, &said["verified"]), (Some(0), &json!(true)), "{said}");
    assert_eq!(audit(&["export", "--data", &data, "--to", &export]).0, Some(0));
    // Twice into one folder would mix two records.
    let (exit, again) = audit(&["export", "--data", &data, "--to", &export]);
    assert_eq!((exit, &again["error"]["code"]), (Some(64), &json!("folder_not_empty")));
    let (_, keys) = audit(&["keys", "--data", &data]);
    let keys: Vec<String> = serde_json::from_value(keys["keys"].clone()).expect("keys");
    std::fs::rename(&data, folder.path().join("gone")).expect("moved");
    let (exit, report) = audit(&["verify", "--export", &export]);
    assert_eq!((exit, &report["logs"]), (Some(0), &said["logs"]), "{report}");
    assert!(report["note"].as_str().is_some_and(|note| note.contains("--key")), "its own keys prove little: {report}");
    let (exit, report) = audit(&["verify", "--export", &export, "--key", &keys[0], "--key", &keys[1]]);
    assert_eq!((exit, &report["note"]), (Some(0), &Value::Null), "{report}");
    // One key is enough: a gate signs both logs with it.
    assert_eq!(audit(&["verify", "--export", &export, "--key", &keys[0]]).0, Some(0));
    let other = "proviso.dev/log/0000000000000000/ledger+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    assert_eq!(audit(&["verify", "--export", &export, "--key", other]).0, Some(64), "its id is another's");
}

#[tokio::test]
async fn an_older_head_that_was_kept_finds_a_restored_copy() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = recorded(folder.path()).await;
    let early = folder.path().join("early").display().to_string();
    audit(&["export", "--data", &data, "--to", &early]);
    // It goes on: everything that was seen before is still its beginning.
    Binary::serve(Path::new(&data)).stop();
    let late = folder.path().join("late").display().to_string();
    audit(&["export", "--data", &data, "--to", &late]);
    let head = |of: &str| format!("{of}/ledger/checkpoint");
    for (what, of, held, exit) in [
        ("what goes on", &late, head(&early), Some(0)),
        ("the very same", &late, head(&late), Some(0)),
        ("a restored copy", &early, head(&late), Some(65)),
    ] {
        let (got, report) = audit(&["verify", "--export", of, "--head", &held]);
        assert_eq!(got, exit, "{what}: {report}");
        if exit != Some(0) {
            assert_eq!(
                (&report["error"]["code"], &report["error"]["fault"]["code"]),
                (&json!("log_tampered"), &json!("log_cut"))
            );
        }
    }
    let (exit, _) = audit(&["verify", "--data", &data, "--head", &head(&early), "--head", &head(&late)]);
    assert_eq!(exit, Some(0));
}

#[tokio::test]
async fn the_first_bad_record_is_named_with_what_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = recorded(folder.path()).await;
    let database = rusqlite::Connection::open(format!("{data}/record.sqlite")).expect("the database");
    database.execute_batch("DROP TRIGGER payload_no_update").expect("no trigger");
    let changed = "UPDATE payload SET bytes = CAST(replace(CAST(bytes AS TEXT), 'weekly-report', 'another-one') AS BLOB) WHERE log = 'ledger'";
    assert!(database.execute(changed, []).expect("changed") > 0);
    let (exit, report) = audit(&["verify", "--data", &data]);
    let fault = &report["error"]["fault"];
    assert_eq!(
        (exit, &fault["code"], &fault["log"]),
        (Some(65), &json!("payload_altered"), &json!("ledger")),
        "{report}"
    );
    let minted = "SELECT min(seq) FROM payload WHERE log = 'ledger' AND CAST(bytes AS TEXT) LIKE '%another-one%'";
    let seq: i64 = database.query_row(minted, [], |row| row.get(0)).expect("a record");
    assert_eq!(fault["seq"], json!(seq));
    assert!(report["error"]["message"].as_str().is_some_and(|message| message.contains("payload `event`")), "{report}");
}
