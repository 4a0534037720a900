//! What a replay and an export make of a record from which something was erased.

use std::path::Path;

use audit_verify::erasure::Erased;
use policy_core::time::Timestamp;
use proviso::store::{Log, Store as _};
use proviso_tests::{Binary, Story, write_file};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::raw::{record, store};
use super::replayed::{compiled, copied, replay};

/// Erases these records' payloads of this name, as a gate's store does it.
async fn erase(data: &Path, name: &str, range: (u64, u64)) {
    let log = Log::Decisions.name().to_owned();
    let erased = Erased { log, name: name.to_owned(), ranges: vec![range], payloads: range.1 - range.0 + 1 };
    let event = json!({"gate": {"kind": "payloads_erased", "erased": [&erased]}});
    let at = Timestamp::from_millis(1_795_348_900_000);
    let said =
        record(Log::Ledger, "payloads_erased", at, (None, None), vec![("event", event.to_string().into_bytes())]);
    store(data).erase(Vec::new(), vec![said], vec![erased]).await.unwrap();
}

/// Four decisions in a folder that no gate holds.
async fn recorded(folder: &Path) -> std::path::PathBuf {
    let story = Story::begin().await;
    compiled(&story);
    for call in ["c0", "c1", "c2", "c3"] {
        story.evaluate(&write_file("report-writer", "/srv/files/drafts/a.md", call)).await;
    }
    copied(&story, folder)
}

#[tokio::test]
async fn what_was_erased_is_counted_as_that_and_never_as_agreeing() {
    let folder = tempfile::tempdir().unwrap();
    let data = recorded(folder.path()).await;
    erase(&data, "question", (1, 2)).await;
    let data = data.display().to_string();
    let (exit, said) = replay(&["--data", &data]);
    let counts = |said: &Value| (said["counts"]["agreed"].clone(), said["counts"]["erased"].clone());
    assert_eq!((exit, counts(&said)), (Some(0), (json!(2), json!(2))), "{said:#}");
    // An export says the same, and a bundle that is proposed is not asked about it.
    let export = folder.path().join("export").display().to_string();
    assert!(Binary::run(&["audit", "export", "--data", &data, "--to", &export]).status.success());
    let (exit, said) = replay(&["--export", &export]);
    assert_eq!((exit, counts(&said)), (Some(0), (json!(2), json!(2))), "{said:#}");
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundles/sample").display().to_string();
    let (exit, said) = replay(&["--data", &data, "--bundle", &bundle]);
    assert_eq!((exit, counts(&said)), (Some(0), (json!(2), json!(2))), "{said:#}");
    // What is told of it is told; its text is gone from there, too.
    for (format, gone) in [("json", "\"question\":{\"salt\""), ("csv", "Volume::files")] {
        let done = Binary::run(&["audit", "export", "--data", &data, "--format", format]);
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success() && text.matches(gone).count() == 2, "{format}: {text}");
    }
}

#[tokio::test]
async fn what_is_gone_and_no_record_says_so_ends_the_replay() {
    let folder = tempfile::tempdir().unwrap();
    let data = recorded(folder.path()).await;
    let database = Connection::open(data.join("record.sqlite")).unwrap();
    let emptied =
        "UPDATE payload SET salt = x'', bytes = x'' WHERE log = 'decisions/main' AND name = 'question' AND seq = 1";
    assert_eq!(database.execute(emptied, []).unwrap(), 1);
    let (exit, said) = replay(&["--data", &data.display().to_string()]);
    let fault = &said["error"]["fault"];
    assert_eq!((exit, &fault["code"], &fault["seq"]), (Some(65), &json!("erasure_unrecorded"), &json!(1)), "{said:#}");
}
