//! Hand-overs and deputies, by those who would make one person two (R4).

use proviso_tests::{Client, Setup, Story, TestGate, as_person, post_rows, sample_bundle, write_file};
use reqwest::Method;
use serde_json::{Value, json};

use super::{exception, refusal, refused, sizes};

fn user(id: &str) -> Value {
    json!({"type": "User", "id": id})
}

/// An open request that one approver decides.
async fn open(story: &Story) -> String {
    story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), None).await
}

/// An open request that takes one of finance and one of security.
async fn open_for_two(story: &Story) -> String {
    story.ask(&post_rows("report-writer", "finance/ledger-eu", 5, "ask"), None).await
}

/// Names a deputy for a day. The deputyship's id.
pub(super) async fn appoint(story: &Story, absent: &str, deputy: &str) -> String {
    let cookie = story.gate.person(absent).await;
    let body = json!({"deputy": user(deputy), "until": "2026-11-23T12:00:00Z", "reason": "away"});
    let answer = story.gate.client.post("/api/v1/deputies", &cookie, &body).await;
    assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
    answer.json()["id"].as_str().unwrap_or_default().to_owned()
}

async fn delete(story: &Story, path: &str, cookie: &str) -> proviso_tests::Answer {
    Client::send(as_person(story.gate.client.request(Method::DELETE, path), cookie)).await
}

#[tokio::test]
async fn two_who_stand_in_for_one_another_are_one_vote() {
    proviso_tests::clauses!("c4-1-deputy");
    for (absent, deputy, first, second) in [("mara", "vera", "mara", "vera"), ("mara", "vera", "vera", "mara")] {
        let story = Story::begin().await;
        let id = open_for_two(&story).await;
        let deputyship = appoint(&story, absent, deputy).await;
        let first = story.gate.person(first).await;
        let answer = story.vote(&first, &id, "approve", None).await;
        assert_eq!(answer.json()["state"], "requested", "{answer:?}");
        let second = story.gate.person(second).await;
        let before = sizes(&story);
        assert_eq!(refusal(&story.vote(&second, &id, "approve", None).await), refused(409, "seat_taken"));
        assert_eq!(sizes(&story), before);
        assert_eq!(exception(&story, &second, &id).await["allowed"]["approve"], json!({"no": "not_eligible"}));
        // Ending it now does not make two of them.
        let path = format!("/api/v1/deputies/{deputyship}");
        assert_eq!(delete(&story, &path, &second).await.status.as_u16(), 204);
        story.gate.clock.advance(1);
        assert_eq!(refusal(&story.vote(&second, &id, "approve", None).await), refused(409, "seat_taken"));
        // Another person of security is another person.
        let ola = story.gate.person("ola").await;
        let answer = story.vote(&ola, &id, "approve", None).await;
        let granted = answer.json()["state"] == "granted";
        // Where vera's approval is the one that counts, finance is still missing.
        assert_eq!(granted, exception(&story, &ola, &id).await["exception"]["votes"][0]["person"]["id"] == "mara");
        let jun = story.gate.person("jun").await;
        if !granted {
            let answer = story.vote(&jun, &id, "approve", None).await;
            assert_eq!(answer.json()["state"], "granted", "{answer:?}");
        }
    }
}

#[tokio::test]
async fn who_stands_in_for_the_asker_or_the_owner_does_not_approve_and_may_refuse() {
    proviso_tests::clauses!("c4-1-deputy");
    for absent in ["ines", "tom"] {
        let story = Story::begin().await;
        let id = open(&story).await;
        appoint(&story, absent, "mara").await;
        let mara = story.gate.person("mara").await;
        let before = sizes(&story);
        assert_eq!(
            refusal(&story.vote(&mara, &id, "approve", None).await),
            refused(403, "deputy_of_party"),
            "{absent}"
        );
        assert_eq!(sizes(&story), before);
        let answer = story.vote(&mara, &id, "refuse", None).await;
        assert_eq!(answer.json()["state"], "denied", "{absent}: {answer:?}");
    }
}

#[tokio::test]
async fn who_handed_the_agent_over_stays_its_owner_for_30_days() {
    proviso_tests::clauses!("c4-1-owner-hand-over");
    let story = Story::begin().await;
    // The agent passes from tom to ola, both approvers of files, while a request of it is open.
    let asked_before = open(&story).await;
    let mut bundle = sample_bundle();
    let entities = bundle.get_mut("entities.json").unwrap();
    let owned_by = |owner: &str| {
        format!(r#"agent/report-writer"}}, "attrs": {{"owner": {{"__entity": {{"type": "User", "id": "{owner}"}}}}"#)
    };
    assert!(entities.contains(&owned_by("tom")));
    *entities = entities.replace(&owned_by("tom"), &owned_by("ola"));
    let again = async |story: Story| {
        let setup =
            Setup { bundle: bundle.clone(), clock: story.gate.clock.clone(), activate: true, ..Setup::default() };
        Story::on(story.gate.again(setup).await).await
    };
    let story = again(story).await;
    let asked_after = story.ask(&write_file("report-writer", "/srv/files/reports/b.md", "ask-2"), None).await;
    for (id, owner, codes) in [
        (&asked_before, "tom", ["is_owner"].as_slice()),
        (&asked_before, "ola", &["is_owner", "not_eligible"]),
        (&asked_after, "tom", &["is_owner"]),
        (&asked_after, "ola", &["is_owner"]),
    ] {
        let cookie = story.gate.person(owner).await;
        // A look at it writes down that it is judged under the newer bundle; the vote writes nothing.
        let ballot = story.ballot(&cookie, id, "approve", None).await;
        let before = sizes(&story);
        let path = format!("/api/v1/exceptions/{id}/votes");
        let (status, code) = refusal(&story.gate.client.post(&path, &cookie, &ballot).await);
        assert!(status == 403 && codes.contains(&code.as_str()), "{owner}: {status} {code}");
        assert_eq!(sizes(&story), before, "{owner}");
        assert_eq!(exception(&story, &cookie, id).await["state"], "requested", "{owner}");
    }
    // A month later tom is nobody's owner here, and ola still is.
    story.gate.clock.advance(31 * 86_400);
    let story = again(story).await;
    let id = story.ask(&write_file("report-writer", "/srv/files/reports/c.md", "ask-3"), None).await;
    let ola = story.gate.person("ola").await;
    assert_eq!(refusal(&story.vote(&ola, &id, "approve", None).await), refused(403, "is_owner"));
    let tom = story.gate.person("tom").await;
    assert_eq!(story.vote(&tom, &id, "approve", None).await.json()["state"], "granted");
}

#[tokio::test]
async fn a_deputyship_after_the_votes_takes_one_of_them_back() {
    let mut setup = Setup::default();
    for (path, text) in &mut setup.bundle {
        if path.starts_with("approval/request/") {
            *text = text.replace("@approvals(\"2\")", "@approvals(\"3\")");
        }
    }
    let story = Story::on(TestGate::with(setup).await).await;
    let id = open_for_two(&story).await;
    for voter in ["jun", "mara"] {
        let cookie = story.gate.person(voter).await;
        assert_eq!(story.vote(&cookie, &id, "approve", None).await.json()["state"], "requested", "{voter}");
    }
    appoint(&story, "jun", "mara").await;
    // Three people have approved, and two of them sit on one seat.
    let vera = story.gate.person("vera").await;
    assert_eq!(story.vote(&vera, &id, "approve", None).await.json()["state"], "requested");
    let ola = story.gate.person("ola").await;
    assert_eq!(story.vote(&ola, &id, "approve", None).await.json()["state"], "granted");
}

#[tokio::test]
async fn a_request_is_handed_over_between_those_who_may_decide_it() {
    let story = Story::begin().await;
    let id = open(&story).await;
    let path = format!("/api/v1/exceptions/{id}/handover");
    let before = sizes(&story);
    // Signing in is on record, too.
    let mut signed_in = 0;
    for (from, to, status, code) in [
        ("jun", "mara", 403, "not_eligible"),
        ("ines", "mara", 403, "not_eligible"),
        ("tom", "mara", 403, "not_eligible"),
        ("mara", "jun", 403, "deputy_not_eligible"),
        ("mara", "ines", 403, "deputy_not_eligible"),
        ("mara", "tom", 403, "deputy_not_eligible"),
        ("mara", "mara", 400, "unknown_person"),
        ("mara", "nobody", 400, "unknown_person"),
    ] {
        let cookie = story.gate.person(from).await;
        signed_in += 2;
        let answer = story.gate.client.post(&path, &cookie, &json!({"to": user(to), "reason": "yours"})).await;
        assert_eq!(refusal(&answer), refused(status, code), "{from} to {to}");
    }
    assert_eq!(sizes(&story)[0], before[0] + signed_in, "nothing of it is on record");
    let mara = story.gate.person("mara").await;
    let answer = story.gate.client.post(&path, &mara, &json!({"to": user("ola"), "reason": " "})).await;
    assert_eq!(refusal(&answer), refused(400, "reason_needed"));
    let request = story.gate.client.request(Method::POST, &path).bearer_auth(&story.agent);
    let answer = Client::send(request.json(&json!({"to": user("ola"), "reason": "yours"}))).await;
    assert_eq!(refusal(&answer), refused(403, "not_a_person"));

    for _ in 0..2 {
        let answer = story.gate.client.post(&path, &mara, &json!({"to": user("ola"), "reason": "yours"})).await;
        assert_eq!(answer.json()["to"], user("ola"), "{answer:?}");
    }
    let history = exception(&story, &mara, &id).await["history"].clone();
    let handed =
        history.as_array().map(|lines| lines.iter().filter(|line| line["kind"] == "request_handed_over").count());
    assert_eq!(handed, Some(1), "the same again is done already");
    let ola = story.gate.person("ola").await;
    let answer = story.vote(&ola, &id, "approve", None).await;
    assert_eq!(answer.json()["state"], "granted", "{answer:?}");
    let answer = story.gate.client.post(&path, &mara, &json!({"to": user("ola"), "reason": "again"})).await;
    assert_eq!(refusal(&answer), refused(409, "closed"));
}

#[tokio::test]
async fn one_seat_stays_one_seat_over_any_number_of_hands() {
    proviso_tests::clauses!("c4-1-passed-on");
    let story = Story::begin().await;
    let id = open_for_two(&story).await;
    let path = format!("/api/v1/exceptions/{id}/handover");
    for (from, to) in [("mara", "vera"), ("vera", "jun")] {
        let cookie = story.gate.person(from).await;
        let answer = story.gate.client.post(&path, &cookie, &json!({"to": user(to), "reason": "yours"})).await;
        assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
    }
    let jun = story.gate.person("jun").await;
    assert_eq!(story.vote(&jun, &id, "approve", None).await.json()["state"], "requested");
    for voter in ["vera", "mara"] {
        let cookie = story.gate.person(voter).await;
        assert_eq!(refusal(&story.vote(&cookie, &id, "approve", None).await), refused(409, "seat_taken"), "{voter}");
    }
    // A seat that is filled is passed on to nobody.
    let answer = story.gate.client.post(&path, &jun, &json!({"to": user("vera"), "reason": "yours"})).await;
    assert_eq!(refusal(&answer), refused(409, "voted_already"));
}

#[tokio::test]
async fn a_deputy_is_named_for_oneself_for_a_period_and_either_ends_it() {
    let story = Story::begin().await;
    let (mara, ola, jun) =
        (story.gate.person("mara").await, story.gate.person("ola").await, story.gate.person("jun").await);
    let client = &story.gate.client;
    let body = |deputy: &str, from: &str, until: &str| json!({"deputy": user(deputy), "from": from, "until": until, "reason": "away"});
    let (noon, day, week) = ("2026-11-22T12:00:00Z", "2026-11-23T12:00:00Z", "2026-11-29T12:00:00Z");
    for (body, status, code) in [
        (body("mara", noon, day), 400, "unknown_person"),
        (body("nobody", noon, day), 400, "unknown_person"),
        (body("ola", day, noon), 400, "bad_period"),
        (body("ola", noon, noon), 400, "bad_period"),
        (body("ola", noon, "2027-11-22T12:00:00Z"), 400, "bad_period"),
        (json!({"deputy": user("ola"), "until": day, "reason": ""}), 400, "reason_needed"),
    ] {
        assert_eq!(refusal(&client.post("/api/v1/deputies", &mara, &body).await), refused(status, code), "{body}");
    }
    let made = client.post("/api/v1/deputies", &mara, &body("ola", day, week)).await;
    assert_eq!((made.status.as_u16(), &made.json()["absent"]), (201, &user("mara")), "{made:?}");
    let again = client.post("/api/v1/deputies", &mara, &body("jun", noon, "2026-11-24T12:00:00Z")).await;
    assert_eq!(refusal(&again), refused(409, "deputy_overlaps"));
    let path = format!("/api/v1/deputies/{}", made.json()["id"].as_str().unwrap_or_default());
    assert_eq!(refusal(&delete(&story, &path, &jun).await), refused(404, "unknown_deputy"));
    assert_eq!(client.get("/api/v1/deputies", Some(&jun)).await.json()["deputies"].as_array().map(Vec::len), Some(1));
    for _ in 0..2 {
        assert_eq!(delete(&story, &path, &ola).await.status.as_u16(), 204);
    }
    assert_eq!(client.get("/api/v1/deputies", Some(&jun)).await.json()["deputies"], json!([]));
}

#[tokio::test]
async fn what_was_given_up_is_listed_and_its_states_are_known() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let client = &story.gate.client;
    assert_eq!(client.get("/api/v1/deliveries", Some(&mara)).await.json()["deliveries"], json!([]));
    let answer = client.get("/api/v1/deliveries?state=lost", Some(&mara)).await;
    assert_eq!(refusal(&answer), refused(400, "bad_state"));
    let answer = client.post("/api/v1/deliveries/msg_0/retry", &mara, &json!({})).await;
    assert_eq!(refusal(&answer), refused(404, "unknown_delivery"));
    assert_eq!(refusal(&client.get("/api/v1/deliveries", None).await), refused(401, "no_session"));
}
