//! A restore that nobody said is noticed by whoever holds more than was restored.

use std::fs;

use proviso_tests::copy_folder;

use super::*;

/// What an agent with a credential of before gets.
async fn with_old_credential(story: &Story) -> String {
    story.evaluate(&write_file("report-writer", "/srv/files/drafts/a.md", "old")).await.code()
}

#[tokio::test]
async fn a_copy_that_holds_more_begins_an_epoch_at_the_start_and_is_not_written_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let (copy, snapshot) = (folder.path().join("copy"), folder.path().join("snapshot"));
    let story = gate_with(folder_copy(&copy)).await;
    decide(&story, 2, "a").await;
    copy_folder(story.gate.data(), &snapshot).expect("a snapshot");
    decide(&story, 3, "b").await;
    holds_all(&story, "nas").await;
    let held = fs::read_to_string(copy.join("decisions/main/checkpoint")).expect("a head");
    let restored = opened(&story, &snapshot, folder_copy(&copy)).await;
    assert_eq!(with_old_credential(&restored).await, "credential_of_earlier_epoch");
    let restored = Story::on(restored.gate).await;
    decide(&restored, 9, "c").await;
    until("it is told", async || (line(&restored, "nas").await["state"] == "other_record").then_some(())).await;
    assert_eq!(fs::read_to_string(copy.join("decisions/main/checkpoint")).expect("a head"), held);
    let epoch = restored.client.request(reqwest::Method::GET, "/api/v1/record").bearer_auth(&restored.point);
    let epoch = proviso_tests::Client::send(epoch).await.json()["epoch"].clone();
    assert_eq!((&epoch["cause"], &epoch["gaps"][1]["missing"]), (&json!("newer_head_seen"), &json!(3)), "{epoch}");
}

#[tokio::test]
async fn a_copy_that_comes_back_later_begins_an_epoch_in_the_running_gate() {
    let folder = tempfile::tempdir().expect("a folder");
    let (copy, away, snapshot) =
        (folder.path().join("copy"), folder.path().join("away"), folder.path().join("snapshot"));
    let story = gate_with(folder_copy(&copy)).await;
    decide(&story, 2, "a").await;
    copy_folder(story.gate.data(), &snapshot).expect("a snapshot");
    decide(&story, 3, "b").await;
    holds_all(&story, "nas").await;
    // The mount is gone when the restored gate starts, and comes back later.
    fs::rename(&copy, &away).expect("unmounted");
    fs::write(&copy, "not mounted").expect("a file");
    let restored = opened(&story, &snapshot, folder_copy(&copy)).await;
    decide(&restored, 1, "c").await;
    until("it fails", async || (line(&restored, "nas").await["state"] == "failing").then_some(())).await;
    assert_eq!(restored.gate.app.epoch(), 1);
    fs::remove_file(&copy).expect("mounted");
    fs::rename(&away, &copy).expect("mounted");
    until("it is noticed", async || (restored.gate.app.epoch() == 2).then_some(())).await;
    assert_eq!(with_old_credential(&restored).await, "credential_of_earlier_epoch");
}

#[tokio::test]
async fn a_head_on_the_shelf_begins_an_epoch_and_stays_beside() {
    let folder = tempfile::tempdir().expect("a folder");
    let (shelf, snapshot) = (folder.path().join("heads"), folder.path().join("snapshot"));
    let record =
        || Record::parse(&format!("[[head]]\nname = \"shelf\"\nfile = \"{}\"\n", shelf.display())).expect("a file");
    let story = gate_with(record()).await;
    decide(&story, 2, "a").await;
    copy_folder(story.gate.data(), &snapshot).expect("a snapshot");
    decide(&story, 3, "b").await;
    let of = |name: &str| folder.path().join(format!("heads.{name}"));
    let newest = || story.gate.app.heads().into_iter().map(|head| head.note).collect::<Vec<_>>();
    until("the shelf holds the newest", async || {
        let held = ["ledger", "decisions-main"].map(|log| fs::read_to_string(of(log)).unwrap_or_default());
        (held.to_vec() == newest()).then_some(())
    })
    .await;
    let lost = newest();
    let restored = opened(&story, &snapshot, record()).await;
    assert_eq!(with_old_credential(&restored).await, "credential_of_earlier_epoch");
    until("the shelf goes on", async || {
        let kept = fs::read_to_string(of("decisions-main.before-epoch-2")).ok()?;
        let now = fs::read_to_string(of("decisions-main")).ok()?;
        (kept == lost[1] && now != lost[1]).then_some(())
    })
    .await;
    // It is told of once: the next start goes on in the same epoch.
    let again = folder.path().join("again");
    copy_folder(restored.gate.data(), &again).expect("a copy");
    let again = opened(&restored, &again, record()).await;
    assert_eq!(again.gate.app.epoch(), 2);
}
