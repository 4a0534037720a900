//! A restore that nobody said: somebody holds a head that the record does not lead to.

use std::fs;
use std::path::Path;

use proviso_tests::copy_folder;

use super::*;

fn seen(data: &Path) -> Vec<SeenHead> {
    let read = |name: &str| fs::read_to_string(data.join("heads").join(name)).expect("a head");
    ["ledger", "decisions-main"]
        .map(|name| SeenHead { place: "the shelf".to_owned(), note: read(name) })
        .into_iter()
        .collect()
}

#[tokio::test]
async fn a_folder_that_was_put_back_by_hand_is_noticed_by_a_newer_head_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let story = Story::begin().await;
    let (id, _) = granted(&story).await;
    // The whole folder, its own heads too, as a snapshot of the disk has it.
    let snapshot = folder.path().join("snapshot");
    copy_folder(story.gate.data(), &snapshot).expect("a copy");
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    copy_folder(&snapshot, &first).expect("a copy");
    copy_folder(&snapshot, &second).expect("a copy");
    assert_eq!(written(&story, "u1").await, (true, String::new()));
    let mara = story.gate.person("mara").await;
    let path = format!("/api/v1/grants/{}/revoke", grant(&story, &mara, &id).await);
    assert!(story.client.post(&path, &mara, &json!({"reason": "enough"})).await.status.is_success());
    let shelf = seen(story.gate.data());

    // Without anybody who holds a newer head nothing can tell: that is why heads go elsewhere.
    let unnoticed = opened(&story, &first, seen(&snapshot)).await;
    assert_eq!(written(&unnoticed, "u1").await, (true, String::new()));

    let noticed = opened(&story, &second, shelf.clone()).await;
    let answer = noticed.evaluate(&write_file("report-writer", FILE, "u2")).await;
    assert_eq!(answer.code(), "credential_of_earlier_epoch");
    let noticed = minted(noticed).await;
    assert_eq!(written(&noticed, "u2").await, (false, "unconfirmed".to_owned()));
    let mara = noticed.gate.person("mara").await;
    let epoch = noticed.client.get("/api/v1/record", Some(&mara)).await.json()["epoch"].clone();
    assert_eq!((&epoch["cause"], &epoch["epoch"]), (&json!("newer_head_seen"), &json!(2)), "{epoch}");
    assert!(epoch["gaps"][0]["missing"].as_u64() >= Some(2), "the use and the revoke: {epoch}");
    assert!(confirm(&noticed, &mara, &id, "it was revoked by mistake").await.status.is_success());
    assert_eq!(written(&noticed, "u3").await, (true, String::new()));

    // The same head begins no second epoch, and one that nobody has told of yet does.
    let third = folder.path().join("third");
    copy_folder(noticed.gate.data(), &third).expect("a copy");
    let known = opened(&noticed, &third, shelf).await;
    assert_eq!(written(&known, "u4").await, (true, String::new()));
    let fourth = folder.path().join("fourth");
    copy_folder(known.gate.data(), &fourth).expect("a copy");
    assert_eq!(written(&noticed, "u5").await, (true, String::new()), "another gate goes on under the same keys");
    let forked = opened(&known, &fourth, seen(noticed.gate.data())).await;
    let answer = forked.evaluate(&write_file("report-writer", FILE, "u6")).await;
    assert_eq!(answer.code(), "credential_of_earlier_epoch", "a fork is noticed, though it is no longer");
}

async fn grant(story: &Story, person: &str, id: &str) -> String {
    let detail = exception(story, person, id).await;
    detail["exception"]["phase"]["grant"]["id"].as_str().expect("a grant").to_owned()
}

#[tokio::test]
async fn another_gates_head_and_an_older_one_of_the_same_record_begin_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let story = Story::begin().await;
    granted(&story).await;
    let older = seen(story.gate.data());
    assert_eq!(written(&story, "u1").await, (true, String::new()));
    let other = Story::begin().await;
    granted(&other).await;
    let copy = folder.path().join("copy");
    copy_folder(story.gate.data(), &copy).expect("a copy");
    let heads = [older, seen(story.gate.data()), seen(other.gate.data())].concat();
    let again = opened(&story, &copy, heads).await;
    assert_eq!(written(&again, "u2").await, (true, String::new()));
}
