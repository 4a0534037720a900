//! `proviso backup` and `proviso restore` themselves.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use proviso_tests::{copy_folder, until};

use super::*;

fn code(said: &Value) -> &str {
    said["error"]["code"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_backup_of_a_gate_under_load_verifies_and_holds_no_gates_mark() {
    let folder = tempfile::tempdir().expect("a folder");
    let story = Arc::new(Story::begin().await);
    let stop = Arc::new(AtomicBool::new(false));
    let clients = (0..4).map(|client| {
        let (story, stop) = (Arc::clone(&story), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut calls = 0u32;
            while !stop.load(Ordering::SeqCst) {
                let call = write_file("report-writer", "/srv/files/drafts/a.md", &format!("c{client}-{calls}"));
                assert_eq!(story.evaluate(&call).await.json()["decision"], json!(true));
                calls += 1;
            }
            calls
        })
    });
    let clients: Vec<_> = clients.collect();
    let mut sizes = Vec::new();
    for number in 0..3 {
        let to = folder.path().join(format!("backup-{number}"));
        let data = story.gate.data().to_owned();
        let said = tokio::task::spawn_blocking(move || {
            let said = run(&["backup", "--data", &text(&data), "--to", &text(&to)]);
            assert_eq!(run(&["audit", "verify", "--data", &text(&to)]).0, Some(0));
            said
        });
        let (exit, said) = said.await.expect("a backup");
        assert_eq!(exit, Some(0), "{said}");
        sizes.push(said["logs"][1]["records"].as_u64().expect("a number"));
    }
    stop.store(true, Ordering::SeqCst);
    let mut made = 0;
    for client in clients {
        made += client.await.expect("a client");
    }
    assert!(made > 0 && sizes.is_sorted() && sizes[0] < sizes[2], "{sizes:?} of {made}");
    let backup = folder.path().join("backup-2");
    for file in [backup.clone(), backup.join("keys"), backup.join("keys/log.key"), backup.join("record.sqlite")] {
        let mode = fs::metadata(&file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} is open to others", file.display());
    }
    // No gate starts on it as it is.
    let opened = TestGate::open(Setup::default(), &backup).await.map(drop).expect_err("a backup");
    assert_eq!(opened.code(), "wrong_data_folder");
}

#[test]
fn what_holds_something_is_not_written_over_and_what_is_no_backup_not_restored() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| text(&folder.path().join(name));
    Binary::serve(&folder.path().join("data")).stop();
    assert_eq!(run(&["backup", "--data", &at("data"), "--to", &at("backup")]).0, Some(0));
    let restore = |from: &str, data: &str| {
        let (exit, said) = run(&["restore", "--from", &at(from), "--data", &at(data), "--reason", "a try"]);
        (exit, code(&said).to_owned())
    };
    let refused = |exit: i32, code: &str| (Some(exit), code.to_owned());
    let (exit, said) = run(&["backup", "--data", &at("data"), "--to", &at("backup")]);
    assert_eq!((exit, code(&said)), (Some(64), "folder_not_empty"), "{said}");
    let (exit, said) = run(&["backup", "--data", &at("nothing"), "--to", &at("other")]);
    assert_eq!((exit, code(&said)), (Some(69), "not_a_data_folder"), "{said}");
    assert_eq!(restore("backup", "data"), refused(64, "folder_not_empty"));
    assert_eq!(restore("data", "new"), refused(69, "wrong_data_folder"));
    assert_eq!(restore("nothing", "new"), refused(64, "not_a_backup"));
    let (exit, said) = run(&["restore", "--from", &at("backup"), "--data", &at("new"), "--reason", " "]);
    assert_eq!((exit, code(&said)), (Some(64), "reason_needed"));
    assert!(!folder.path().join("new").exists(), "nothing was begun");

    // One whose bytes are not what was signed, one that lacks a mark, and a head that is none.
    for (name, harm) in [
        ("altered", "UPDATE payload SET bytes = CAST('{}' AS BLOB) WHERE log = 'ledger' AND seq = 0"),
        ("cut", "DELETE FROM leaf WHERE log = 'ledger' AND seq = (SELECT max(seq) FROM leaf WHERE log = 'ledger')"),
    ] {
        copy_folder(&folder.path().join("backup"), &folder.path().join(name)).expect("a copy");
        let database = rusqlite::Connection::open(folder.path().join(name).join("record.sqlite")).expect("a database");
        database.execute_batch("DROP TRIGGER payload_no_update; DROP TRIGGER leaf_no_delete;").expect("no triggers");
        assert!(database.execute(harm, []).expect("changed") > 0);
        drop(database);
        assert_eq!(restore(name, &format!("of-{name}")), refused(65, "log_tampered"), "{name}");
        assert!(!folder.path().join(format!("of-{name}")).join("proviso-data").exists());
    }
    copy_folder(&folder.path().join("backup"), &folder.path().join("unfinished")).expect("a copy");
    fs::remove_file(folder.path().join("unfinished/proviso-data")).expect("a mark");
    assert_eq!(restore("unfinished", "of-unfinished"), refused(64, "not_a_backup"));
    assert_eq!(restore("backup", "new"), (Some(0), String::new()));
    // Whoever kept a newer head finds what is missing, whatever the gate says.
    Binary::serve(&folder.path().join("data")).stop();
    let held = at("data/heads/ledger");
    let (exit, said) = run(&["audit", "verify", "--data", &at("new"), "--head", &held]);
    assert_eq!((exit, said["error"]["fault"]["code"].as_str()), (Some(65), Some("log_cut")), "{said}");
    Binary::serve(&folder.path().join("new")).stop();
    let (exit, said) = run(&["audit", "verify", "--data", &at("new"), "--head", &held]);
    assert_eq!((exit, said["error"]["fault"]["code"].as_str()), (Some(65), Some("log_forked")), "{said}");
    assert_eq!(run(&["audit", "verify", "--data", &at("new")]).0, Some(0));
}

#[tokio::test]
async fn a_backup_that_was_killed_is_marked_only_where_it_was_finished() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    Binary::serve(&data).stop();
    let mut unfinished = 0;
    for (number, file) in ["heads", "record.sqlite", "keys", "keys/log.key"].into_iter().enumerate() {
        let to = folder.path().join(format!("backup-{number}"));
        let mut child = Command::new(Binary::path())
            .args(["backup", "--data", &text(&data), "--to", &text(&to)])
            .stdout(Stdio::null())
            .spawn()
            .expect("the binary");
        until("the copy has begun", async || to.join(file).exists().then_some(())).await;
        child.kill().expect("a process of ours");
        child.wait().expect("its end");
        if to.join("proviso-data").exists() {
            assert_eq!(run(&["audit", "verify", "--data", &text(&to)]).0, Some(0), "{file}");
        } else {
            unfinished += 1;
            let (exit, said) =
                run(&["restore", "--from", &text(&to), "--data", &text(&folder.path().join("new")), "--reason", "r"]);
            assert_eq!((exit, code(&said)), (Some(64), "not_a_backup"), "{file}: {said}");
        }
    }
    assert!(unfinished > 0, "each was finished before it was killed");
}
