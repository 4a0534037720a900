//! Votes that ask: whoever waits hears of it, and no clock stops for it.

use std::time::Duration;

use policy_core::time::Timestamp;
use proviso::clock::Clock as _;
use proviso_tests::{Answer, Client, Story, write_file};
use reqwest::Method;
use serde_json::json;

use super::acts::{as_agent, as_person};
use super::{exception, refusal};

async fn status(story: &Story, id: &str, query: &str) -> Answer {
    let request = story.client.request(Method::GET, &format!("/access/v1/requests/{id}{query}"));
    Client::send(request.bearer_auth(&story.point).header("proviso-subject-token", &story.agent)).await
}

async fn open(story: &Story) -> String {
    story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), None).await
}

#[tokio::test]
async fn who_waits_hears_of_a_question_and_waits_again_once_it_is_answered() {
    let story = Story::begin().await;
    let id = open(&story).await;
    let mara = story.gate.person("mara").await;
    let ballot = story.ballot(&mara, &id, "ask", None).await;
    let both = async { tokio::join!(status(&story, &id, "?wait=60"), as_person(&story, &mara, &id, "votes", &ballot)) };
    let (told, voted) =
        tokio::time::timeout(Duration::from_secs(50), both).await.expect("told before the wait is over");
    assert!(voted.status.is_success(), "{voted:?}");
    assert_eq!(told.json()["task"]["status"], "pending");
    assert_eq!(told.json()["task"]["display"]["questions"][0]["answered"], json!(false), "{told:?}");
    // It is told to who comes later, too, and does not make anybody ask in a loop.
    let later = status(&story, &id, "?wait=60").await;
    assert_eq!((later.json()["task"]["status"].as_str(), later.header("retry-after")), (Some("pending"), "2"));
    let answer = as_agent(&story, &id, "answer", &json!({"vote": 0, "words": "the third"})).await;
    assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
    let waited = status(&story, &id, "?wait=1").await;
    assert_eq!(waited.header("retry-after"), "", "it waited: {waited:?}");
    assert_eq!(waited.json()["task"]["display"]["questions"][0]["answered"], json!(true));
}

#[tokio::test]
async fn a_question_and_its_answer_stop_no_clock() {
    let story = Story::begin().await;
    let id = open(&story).await;
    story.gate.clock.advance(3_600);
    let mara = story.gate.person("mara").await;
    let ends = async || status(&story, &id, "").await.json()["task"]["expires_at"].clone();
    let before = ends().await;
    let asking = story.ballot(&mara, &id, "ask", None).await;
    assert_eq!(as_person(&story, &mara, &id, "votes", &asking).await.json()["state"], "requested");
    assert_eq!(ends().await, before);
    story.gate.clock.advance(3_600);
    let answer = as_agent(&story, &id, "answer", &json!({"vote": 0, "words": "the third"})).await;
    assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
    assert_eq!(ends().await, before);
    assert_eq!(exception(&story, &mara, &id).await["exception"]["request"]["decide_by"], before);

    let approving = story.ballot(&mara, &id, "approve", None).await;
    let end: Timestamp = before.as_str().and_then(|end| end.parse().ok()).expect("an instant");
    let left = end.since(story.gate.clock.now()).seconds();
    story.gate.clock.advance(u32::try_from(left).expect("hours"));
    let (status, code) = refusal(&as_person(&story, &mara, &id, "votes", &approving).await);
    assert!(status == 409 && ["closed", "too_late"].contains(&code.as_str()), "{code}");
    assert_eq!(exception(&story, &mara, &id).await["state"], "lapsed");
}
