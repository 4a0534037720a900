//! What a person could do without end, each time a record: links made and ended, passkeys added and ended, signing in.

use proviso_tests::{Answer, Client, Story, as_person};
use reqwest::Method;

use super::authenticator::Authenticator;
use super::{add, holder, refusal, refused, sign_in, story};

async fn make(story: &Story, person: &str) -> Answer {
    Client::send(as_person(story.client.request(Method::POST, "/api/v1/sessions/links"), person)).await
}

async fn delete(story: &Story, person: &str, path: &str) -> Answer {
    Client::send(as_person(story.client.request(Method::DELETE, path), person)).await
}

/// How much is on record.
fn sizes(story: &Story) -> Vec<u64> {
    story.gate.app.record().logs.iter().map(|log| log.size).collect()
}

/// Refused for the hour, with when it is worth trying again, and nothing of it is on record.
fn too_often(answer: &Answer, before: &[u64], story: &Story) {
    assert_eq!(refused(answer), refusal(429, "too_often"), "{answer:?}");
    let wait: u32 = answer.header("retry-after").parse().unwrap_or_else(|_| panic!("{answer:?}"));
    assert!((1..=3_600).contains(&wait), "{wait}");
    assert_eq!(sizes(story), before, "what is refused is no record");
}

#[tokio::test]
async fn links_made_and_ended_in_a_loop_come_to_an_end_for_an_hour() {
    let story = story().await;
    let (mara, jun) = (story.gate.person("mara").await, story.gate.person("jun").await);
    for _ in 0..8 {
        assert_eq!(make(&story, &mara).await.status.as_u16(), 201);
    }
    // What its own bound refuses takes nothing of the hour.
    for _ in 0..20 {
        assert_eq!(refused(&make(&story, &mara).await), refusal(409, "too_many_links"));
    }
    assert!(delete(&story, &mara, "/api/v1/sessions").await.status.is_success());
    for number in 8..60 {
        let made = make(&story, &mara).await;
        assert_eq!(made.status.as_u16(), 201, "{number}: {made:?}");
        let id = made.json()["id"].as_str().unwrap_or_default().to_owned();
        assert_eq!(delete(&story, &mara, &format!("/api/v1/sessions/{id}")).await.status.as_u16(), 204, "{number}");
    }
    let before = sizes(&story);
    too_often(&make(&story, &mara).await, &before, &story);
    assert_eq!(make(&story, &jun).await.status.as_u16(), 201, "each has an hour of their own");
    story.gate.clock.advance(3_601);
    let mara = story.gate.person("mara").await;
    assert_eq!(make(&story, &mara).await.status.as_u16(), 201);
}

#[tokio::test]
async fn passkeys_added_and_ended_in_a_loop_come_to_an_end_for_an_hour() {
    let story = story().await;
    let mara = story.gate.person("mara").await;
    for seed in 1..=60 {
        let added = add(&story, &mara, &mut Authenticator::new(seed), "laptop").await;
        assert_eq!(added.status.as_u16(), 201, "{seed}: {added:?}");
        let id = added.json()["passkeys"][0]["id"].as_str().unwrap_or_default().to_owned();
        assert_eq!(delete(&story, &mara, &format!("/api/v1/passkeys/{id}")).await.status.as_u16(), 204, "{seed}");
    }
    let before = sizes(&story);
    too_often(&add(&story, &mara, &mut Authenticator::new(61), "laptop").await, &before, &story);
    let jun = story.gate.person("jun").await;
    assert_eq!(add(&story, &jun, &mut Authenticator::new(62), "laptop").await.status.as_u16(), 201);
}

#[tokio::test]
async fn signing_in_by_a_passkey_in_a_loop_comes_to_an_end_for_an_hour_and_a_link_still_opens() {
    let story = story().await;
    let (_, mut authenticator) = holder(&story, "mara", 1).await;
    for number in 0..240 {
        let came = sign_in(&story, &mut authenticator).await;
        assert!(came.status.is_success(), "{number}: {came:?}");
    }
    let before = sizes(&story);
    too_often(&sign_in(&story, &mut authenticator).await, &before, &story);
    let (_, mut other) = holder(&story, "jun", 2).await;
    assert!(sign_in(&story, &mut other).await.status.is_success());
    // Whoever floods shuts nobody out for long, and the operator lets them in meanwhile.
    story.gate.person("mara").await;
    story.gate.clock.advance(3_601);
    assert!(sign_in(&story, &mut authenticator).await.status.is_success());
}
