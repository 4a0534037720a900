//! What takes two approvers is granted only where two administrators are here: judged by bundle and record alone (R4).

use proviso_tests::{Setup, Story, TestGate, post_rows};
use serde_json::json;

use super::{ADMINISTRATORS, operator, said, setup};

#[tokio::test]
async fn what_takes_two_approvers_waits_for_the_second_administrator() {
    let story = Story::on(TestGate::with(setup()).await).await;
    let id = story.ask(&post_rows("report-writer", "finance/sandbox", 100, "c1"), None).await;
    let (mara, nia) = (story.gate.person("mara").await, story.gate.person("nia").await);
    let [jun, kit] = ADMINISTRATORS;
    for administrator in [None, Some(jun)] {
        if let Some(user) = administrator {
            story.gate.person(user).await;
        }
        let detail = story.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await.json();
        assert_eq!(detail["allowed"]["approve"], json!({"no": "one_administrator"}), "{:#}", detail["allowed"]);
        assert_eq!(detail["allowed"]["refuse"], "yes", "whoever refuses gives nothing");
        let answer = story.vote(&mara, &id, "approve", None).await;
        assert_eq!(said(&answer), (409, "one_administrator".to_owned()), "{answer:?}");
        assert!(answer.json()["help"].as_str().unwrap().contains("second"), "{answer:?}");
    }
    story.gate.person(kit).await;
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "requested");
    // The second one leaves before the second vote.
    story.gate.app.departed(&operator(), kit, "left the company").await.unwrap();
    assert_eq!(said(&story.vote(&nia, &id, "approve", None).await), (409, "one_administrator".to_owned()));
    story.gate.app.returned(&operator(), kit, "a mistake").await.unwrap();
    let voted = story.vote(&nia, &id, "approve", None).await;
    assert!(voted.json()["grant"].is_string(), "{voted:?}");
}

#[tokio::test]
async fn what_takes_one_needs_none_and_a_bundle_without_administrators_is_as_before() {
    let story = Story::on(TestGate::with(setup()).await).await;
    let mara = story.gate.person("mara").await;
    let id = story.ask(&proviso_tests::write_file("report-writer", "/srv/files/a.md", "c1"), None).await;
    assert!(story.vote(&mara, &id, "approve", None).await.json()["grant"].is_string());
    let story = Story::on(TestGate::with(Setup::default()).await).await;
    let id = story.ask(&post_rows("report-writer", "finance/sandbox", 100, "c1"), None).await;
    let (mara, jun) = (story.gate.person("mara").await, story.gate.person("jun").await);
    story.vote(&mara, &id, "approve", None).await;
    let voted = story.vote(&jun, &id, "approve", None).await;
    assert!(voted.json()["grant"].is_string(), "{voted:?}");
}
