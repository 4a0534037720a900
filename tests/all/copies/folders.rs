//! A copy in a folder.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use proviso_tests::copy_folder;

use super::*;

#[tokio::test]
async fn a_copy_is_checked_alone_at_any_moment_and_ends_where_the_record_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("copy");
    let story = Arc::new(gate_with(folder_copy(&copy)).await);
    decide(&story, 1, "first").await;
    until("a first head", async || copy.join("decisions/main/checkpoint").exists().then_some(())).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mara = story.gate.person("mara").await;
    let load = {
        let (story, stop) = (Arc::clone(&story), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut rounds = 0;
            while !stop.load(Ordering::SeqCst) {
                // A use stands in the ledger, and the decision that took it in the other log.
                let call = write_file("report-writer", &format!("/srv/files/summaries/{rounds}.md"), "use");
                let id = story.ask(&call, None).await;
                assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], json!("granted"));
                assert_eq!(story.evaluate(&call).await.json()["decision"], json!(true));
                decide(&story, 20, &format!("r{rounds}")).await;
                rounds += 1;
            }
        })
    };
    // More than one tile's records come while it is looked at.
    let mut looks = 0;
    until("more than a tile", async || {
        let of = copy.clone();
        let (exit, told) = tokio::task::spawn_blocking(move || checked(&of)).await.expect("a look");
        looks += 1;
        assert_eq!(exit, Some(0), "{told}");
        (told[1].as_u64() > Some(300) && looks >= 3).then_some(())
    })
    .await;
    stop.store(true, Ordering::SeqCst);
    load.await.expect("the load");
    holds_all(&story, "nas").await;
    assert_eq!(checked(&copy), (Some(0), sizes(&story)));
    assert_eq!(metric(&story, "proviso_copy_lag_records", "nas").await, Some(0));
    // What is no longer needed is gone: a tile that is full has no part beside it.
    let parts = walk(&copy).into_iter().filter(|path| path.contains("decisions/main/tile/entries/000.p/"));
    assert_eq!(parts.collect::<Vec<_>>(), Vec::<String>::new());
    // It is checked, and not only there: one byte is found.
    let tile = copy.join("decisions/main/tile/entries/000");
    let mut bytes = fs::read(&tile).expect("a full tile");
    bytes[40] ^= 1;
    fs::write(&tile, bytes).expect("changed");
    assert_eq!(checked(&copy), (Some(65), json!("record_altered")));
}

/// Every file, by its path below the folder.
pub(super) fn walk(folder: &std::path::Path) -> Vec<String> {
    fn below(at: &std::path::Path, root: &std::path::Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(at).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                below(&path, root, found);
            } else if let Ok(path) = path.strip_prefix(root) {
                found.push(path.display().to_string());
            }
        }
    }
    let mut found = Vec::new();
    below(folder, folder, &mut found);
    found.sort();
    found
}

#[tokio::test]
async fn a_copy_goes_on_after_a_restart_and_through_a_rotation_of_the_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let (copy, data) = (folder.path().join("copy"), folder.path().join("data"));
    let story = gate_with(folder_copy(&copy)).await;
    decide(&story, 5, "a").await;
    holds_all(&story, "nas").await;
    copy_folder(story.gate.data(), &data).expect("a copy of the data");
    drop(story.gate);
    let first = fs::read_to_string(copy.join("keys")).expect("keys");
    let again = opened(&Story::begin().await, &data, folder_copy(&copy)).await;
    let again = Story::on(again.gate).await;
    let operator = proviso::app::Operator { uid: 0, name: "root".to_owned() };
    again.gate.app.rotate_log_key(&operator, "a year is over").await.expect("rotated");
    decide(&again, 5, "b").await;
    holds_all(&again, "nas").await;
    assert_eq!(checked(&copy), (Some(0), sizes(&again)));
    let keys = fs::read_to_string(copy.join("keys")).expect("keys");
    assert!(first.lines().all(|key| keys.contains(key)) && keys.len() > first.len(), "{keys}");
    // Whoever knows the first key alone comes to know the second from the copy.
    let key = first.lines().next().expect("a key");
    let by_first = Binary::run(&["audit", "verify", "--json", "--export", &text(&copy), "--key", key]);
    assert!(by_first.status.success(), "{by_first:?}");
}

#[tokio::test]
async fn a_copy_that_cannot_be_written_is_told_and_is_caught_up_and_the_gate_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("copy");
    // Where the folder should be lies a file.
    fs::write(&copy, "in the way").expect("a file");
    let story = gate_with(folder_copy(&copy)).await;
    decide(&story, 3, "a").await;
    until("it is told", async || (line(&story, "nas").await["state"] == "failing").then_some(())).await;
    story.gate.clock.advance(7);
    decide(&story, 3, "b").await;
    let told = line(&story, "nas").await;
    assert!(told["records"].as_u64() >= Some(6) && told["seconds"].as_u64() >= Some(7), "{told}");
    assert!(told["error"].as_str().is_some_and(|error| !error.contains('/')), "a reason without a path: {told}");
    assert_eq!(metric(&story, "proviso_copy_failing", "nas").await, Some(1));
    assert!(metric(&story, "proviso_copy_lag_records", "nas").await >= Some(6));
    assert!(metric(&story, "proviso_copy_lag_seconds", "nas").await >= Some(7));
    fs::remove_file(&copy).expect("out of the way");
    holds_all(&story, "nas").await;
    assert_eq!(checked(&copy), (Some(0), sizes(&story)));
    assert_eq!(metric(&story, "proviso_copy_failing", "nas").await, Some(0));
}

#[tokio::test]
async fn a_copy_of_another_gate_is_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("copy");
    let other = gate_with(folder_copy(&copy)).await;
    decide(&other, 3, "a").await;
    holds_all(&other, "nas").await;
    drop(other);
    let held =
        || walk(&copy).into_iter().map(|path| (fs::read(copy.join(&path)).expect("a file"), path)).collect::<Vec<_>>();
    let before = held();
    let story = gate_with(folder_copy(&copy)).await;
    decide(&story, 3, "b").await;
    until("it is told", async || (line(&story, "nas").await["state"] == "other_record").then_some(())).await;
    assert_eq!(held(), before);
    let epoch = story.gate.app.epoch();
    assert_eq!(epoch, 1, "another gate's record says nothing of this one's");
}

#[test]
fn a_file_that_makes_no_sense_stops_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("record.toml");
    fs::write(&file, "[[copy]]\nname = \"nas\"\n").expect("a file");
    let bundle = text(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundles/sample"));
    let data = text(&folder.path().join("data"));
    let done = Binary::run(&["serve", "--json", "--bundle", &bundle, "--data", &data, "--record", &text(&file)]);
    let said: Value = serde_json::from_slice(&done.stdout).unwrap_or_default();
    assert_eq!((done.status.code(), &said["error"]["code"]), (Some(65), &json!("bad_record_file")), "{said}");
    assert!(said["error"]["help"].as_str().is_some_and(|help| help.contains("docs/copies.md")), "{said}");
}
