//! Votes by those who may not, and by one person twice (R4).

use proviso_tests::{Client, Story, as_person, cookie_of, post_rows, write_file};
use reqwest::Method;
use serde_json::json;

use super::{allowed, denied, exception, refusal, refused, sizes, verdict};

/// An open request that one approver decides.
async fn open(story: &Story) -> String {
    story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), None).await
}

/// An open request that takes two people, one of finance and one of security.
async fn open_for_two(story: &Story) -> String {
    story.ask(&post_rows("report-writer", "finance/ledger-eu", 5, "ask"), None).await
}

#[tokio::test]
async fn who_asks_owns_or_is_a_stranger_cannot_vote() {
    proviso_tests::clauses!("arap-18-l", "arap-18-m", "arap-21.2.2-a", "arap-21.2.2-b", "c4-1-owner");
    let story = Story::begin().await;
    let id = open(&story).await;
    // ines stands behind the agent, tom owns it, jun and vera are no approvers of files.
    for (user, code) in
        [("ines", "is_requester"), ("tom", "is_owner"), ("jun", "not_eligible"), ("vera", "not_eligible")]
    {
        let cookie = story.gate.person(user).await;
        for decision in ["approve", "refuse", "ask"] {
            let ballot = story.ballot(&cookie, &id, decision, None).await;
            let before = sizes(&story);
            let answer = story.gate.client.post(&format!("/api/v1/exceptions/{id}/votes"), &cookie, &ballot).await;
            assert_eq!(refusal(&answer), refused(403, code), "{user} {decision}");
            assert_eq!(sizes(&story), before, "{user} {decision}");
        }
        let allowed = &exception(&story, &cookie, &id).await["allowed"];
        assert_eq!(allowed["approve"], json!({"no": code}), "{user}");
    }
    let answer = story.evaluate(&write_file("report-writer", "/srv/files/reports/a.md", "use")).await;
    assert_eq!(verdict(&answer), denied("approval_required"));
}

#[tokio::test]
async fn a_service_token_is_nobody() {
    proviso_tests::clauses!("c4-1-agents-token");
    let story = Story::begin().await;
    let id = open(&story).await;
    let mara = story.gate.person("mara").await;
    let ballot = story.ballot(&mara, &id, "approve", None).await;
    let before = sizes(&story);
    let post = || story.gate.client.request(Method::POST, &format!("/api/v1/exceptions/{id}/votes")).json(&ballot);
    let cookie = cookie_of(&mara);
    let secret = cookie.split_once('=').map(|(_, secret)| secret).unwrap_or_default();
    for (request, status, code) in [
        (post().bearer_auth(&story.agent), 403, "not_a_person"),
        (post().bearer_auth(&story.point), 403, "not_a_person"),
        (as_person(post().bearer_auth(&story.agent), &mara), 403, "not_a_person"),
        (post().bearer_auth(secret), 403, "not_a_person"),
        (post(), 401, "no_session"),
        (post().header("cookie", format!("proviso_session={}", story.agent)), 401, "signed_out"),
        (post().header("cookie", format!("{cookie}0")), 401, "signed_out"),
        (post().header("cookie", format!("{cookie}; {cookie}")), 401, "no_session"),
    ] {
        assert_eq!(refusal(&Client::send(request).await), refused(status, code));
    }
    assert_eq!(sizes(&story), before);
    assert_eq!(exception(&story, &mara, &id).await["state"], "requested");
}

#[tokio::test]
async fn a_cookie_without_its_pages_key_can_neither_read_nor_vote() {
    proviso_tests::clauses!("c4-1-agents-token");
    let story = Story::begin().await;
    let id = open(&story).await;
    let mara = story.gate.person("mara").await;
    let elsewhere = story.gate.person("mara").await;
    let ballot = story.ballot(&mara, &id, "approve", None).await;
    let before = sizes(&story);
    // What a server on another port of this host gets when the approver opens its page.
    let cookie = cookie_of(&mara);
    let (_, others_key) = elsewhere.split_once('#').unwrap();
    let (_, key) = mara.split_once('#').unwrap();
    let secret = cookie.rsplit('_').next().unwrap();
    let exception = format!("/api/v1/exceptions/{id}");
    let requests = [
        (Method::GET, "/api/v1/session".to_owned()),
        (Method::DELETE, "/api/v1/session".to_owned()),
        (Method::GET, "/api/v1/exceptions".to_owned()),
        (Method::GET, exception.clone()),
        (Method::GET, format!("{exception}/sheet?as_of=1")),
        (Method::GET, format!("{exception}/questions?as_of=1")),
        (Method::POST, format!("{exception}/votes")),
        (Method::POST, "/api/v1/grants/grant_x/revoke".to_owned()),
        (Method::GET, "/api/v1/locks".to_owned()),
        (Method::POST, "/api/v1/locks".to_owned()),
        (Method::DELETE, "/api/v1/locks/lock_x".to_owned()),
        (Method::GET, "/api/v1/record".to_owned()),
        (Method::GET, format!("/api/v1/bundles/{}", "0".repeat(64))),
    ];
    for (method, path) in requests {
        let request = || {
            let request = story.gate.client.request(method.clone(), &path).header("cookie", cookie);
            if method == Method::POST { request.json(&ballot) } else { request }
        };
        let keyed = |key: &str| request().header("proviso-session-key", key);
        for request in [request(), keyed(""), keyed(secret), keyed(others_key), keyed(&format!("{key}0"))] {
            let answer = Client::send(request).await;
            assert_eq!(refusal(&answer), refused(401, "session_key_missing"), "{method} {path}");
        }
        let answer = Client::send(keyed(key).header("proviso-session-key", key)).await;
        assert_eq!(refusal(&answer), refused(400, "bad_header"), "{method} {path}");
    }
    assert_eq!(sizes(&story), before);
    // The key is told once, to whoever signs in.
    assert_eq!(story.gate.client.get("/api/v1/session", Some(&mara)).await.json()["key"], json!(null));
    let answer = story.gate.client.post(&format!("{exception}/votes"), &mara, &ballot).await;
    assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
}

#[tokio::test]
async fn two_votes_of_one_person_are_one() {
    proviso_tests::clauses!("arap-18-l", "arap-18-m", "c4-1-two-sign-ins");
    let story = Story::begin().await;
    let id = open_for_two(&story).await;
    let mara = story.gate.person("mara").await;
    let path = format!("/api/v1/exceptions/{id}/votes");
    let ballot = story.ballot(&mara, &id, "approve", None).await;
    let first = story.gate.client.post(&path, &mara, &ballot).await;
    assert_eq!(first.json()["state"], "requested", "{first:?}");

    // The same vote again, as a click on a slow line sends it: done already, nothing written.
    let before = sizes(&story);
    let again = story.gate.client.post(&path, &mara, &ballot).await;
    assert_eq!((again.status.as_u16(), again.json()["state"].clone()), (200, json!("requested")), "{again:?}");
    assert_eq!(sizes(&story), before);

    // A second one, also from a second sign-in.
    let elsewhere = story.gate.person("mara").await;
    for cookie in [&mara, &elsewhere] {
        let before = sizes(&story);
        let answer = story.vote(cookie, &id, "approve", None).await;
        assert_eq!(refusal(&answer), refused(409, "voted_already"));
        assert_eq!(sizes(&story), before);
    }

    // Another of finance makes two people, but none of security.
    let jun = story.gate.person("jun").await;
    let answer = story.vote(&jun, &id, "approve", None).await;
    assert_eq!(answer.json()["state"], "requested", "{answer:?}");
    let vera = story.gate.person("vera").await;
    let answer = story.vote(&vera, &id, "approve", None).await;
    assert_eq!(answer.json()["state"], "granted", "{answer:?}");
}

#[tokio::test]
async fn a_vote_names_the_grant_also_when_it_is_used_up_before_the_answer_leaves() {
    let story = Story::begin().await;
    let id = open(&story).await;
    let mara = story.gate.person("mara").await;
    let path = format!("/api/v1/exceptions/{id}/votes");
    let ballot = story.ballot(&mara, &id, "approve", None).await;
    let first = story.gate.client.post(&path, &mara, &ballot).await.json();
    assert_eq!(first["state"], "granted", "{first}");
    let answer = story.evaluate(&write_file("report-writer", "/srv/files/reports/a.md", "use")).await;
    assert_eq!(verdict(&answer), allowed("exception"));
    // What the answer to the vote says when the agent was faster than it: the vote whose answer was lost, sent again.
    let again = story.gate.client.post(&path, &mara, &ballot).await.json();
    assert_eq!((&again["state"], &again["grant"]), (&json!("exhausted"), &first["grant"]), "{again}");
    assert!(again["grant"].is_string(), "{again}");
}

#[tokio::test]
async fn a_refusal_ends_it_and_needs_a_reason() {
    let story = Story::begin().await;
    let id = open(&story).await;
    let mara = story.gate.person("mara").await;
    let mut ballot = story.ballot(&mara, &id, "refuse", None).await;
    let path = format!("/api/v1/exceptions/{id}/votes");
    for (reason, code) in
        [(String::new(), "reason_needed"), (" ".to_owned(), "reason_needed"), ("x".repeat(2001), "text_too_long")]
    {
        ballot["reason"] = json!(reason);
        assert_eq!(refusal(&story.gate.client.post(&path, &mara, &ballot).await), refused(400, code));
    }
    ballot["reason"] = json!("not this week");
    let answer = story.gate.client.post(&path, &mara, &ballot).await;
    assert_eq!(answer.json()["state"], "denied", "{answer:?}");
    let ola = story.gate.person("ola").await;
    assert_eq!(refusal(&story.vote(&ola, &id, "approve", None).await), refused(409, "closed"));
    let answer = story.evaluate(&write_file("report-writer", "/srv/files/reports/a.md", "use")).await;
    assert_eq!(verdict(&answer), denied("approval_required"));
}

#[tokio::test]
async fn a_vote_comes_in_time_or_not_at_all() {
    let story = Story::begin().await;
    let id = open(&story).await;
    let mara = story.gate.person("mara").await;
    let ballot = story.ballot(&mara, &id, "approve", None).await;
    // People have eight hours to decide, whatever is asked for.
    story.gate.clock.advance(8 * 3_600);
    // Nor does a fresh sign-in make it early.
    let mara = story.gate.person("mara").await;
    let answer = story.gate.client.post(&format!("/api/v1/exceptions/{id}/votes"), &mara, &ballot).await;
    let (status, code) = refusal(&answer);
    assert!(status == 409 && ["closed", "too_late"].contains(&code.as_str()), "{answer:?}");
    assert_eq!(exception(&story, &mara, &id).await["state"], "lapsed");
}

#[tokio::test]
async fn a_sign_in_link_works_once_and_not_for_long() {
    let story = Story::begin().await;
    let operator = proviso::app::Operator { uid: 0, name: "root".to_owned() };
    let mint = async |user: &str| {
        let request = proviso::identity::MintRequest::Approver { user: user.to_owned() };
        let link = story.gate.app.mint(request, &operator).await.unwrap().secret;
        link.rsplit('#').next().unwrap_or_default().to_owned()
    };
    let sign_in = async |link: &str| story.gate.client.post("/api/v1/session", "", &json!({"link": link})).await;
    let link = mint("mara").await;
    assert_eq!(sign_in(&link).await.status.as_u16(), 200);
    assert_eq!(refusal(&sign_in(&link).await), refused(401, "bad_link"), "a second time");
    let late = mint("mara").await;
    story.gate.clock.advance(15 * 60);
    assert_eq!(refusal(&sign_in(&late).await), refused(401, "bad_link"), "too late");
    for link in ["", "x", &story.agent, &story.point] {
        assert_eq!(refusal(&sign_in(link).await), refused(401, "bad_link"), "{link}");
    }
}

#[tokio::test]
async fn who_asks_again_and_again_comes_to_an_end_for_an_hour_and_can_refuse_all_the_same() {
    let story = Story::begin().await;
    let id = open(&story).await;
    let mara = story.gate.person("mara").await;
    let mut ballot = story.ballot(&mara, &id, "ask", None).await;
    let mut asked = async |number: u32| {
        ballot["reason"] = json!(format!("why, for the {number}th time?"));
        story.client.post(&format!("/api/v1/exceptions/{id}/votes"), &mara, &ballot).await
    };
    // The first is no further one, and what is said already takes nothing of the hour.
    for number in 0..=120 {
        for _ in 0..1 + u32::from(number == 7) {
            assert_eq!(asked(number).await.status.as_u16(), 200, "{number}");
        }
    }
    let before = sizes(&story);
    let more = asked(121).await;
    assert_eq!((refusal(&more), sizes(&story)), (refused(429, "too_often"), before), "{more:?}");
    let refusing = story.ballot(&mara, &id, "refuse", None).await;
    let refusing = story.client.post(&format!("/api/v1/exceptions/{id}/votes"), &mara, &refusing).await;
    assert_eq!(refusing.json()["state"], "denied", "{refusing:?}");
}
