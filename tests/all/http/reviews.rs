//! Who looks afterwards, and what an open look stops.

use proviso_tests::{Parties, Setup, Story, TestGate, sample_bundle, write_file};
use serde_json::{Value, json};

use super::{exception, refusal, refused, verdict};

const FILE: &str = "/srv/files/reports/a.md";

/// close-planner is autonomous enough that what it writes is looked at afterwards. In a task for jun.
async fn planner() -> Story {
    planner_on(TestGate::start().await).await
}

async fn planner_on(gate: TestGate) -> Story {
    let parties = parties(&gate).await;
    Story::of(gate, parties)
}

/// The planner and its proxy, with new credentials.
async fn parties(gate: &TestGate) -> Parties {
    let agent = gate.agent("close-planner", "quarter-close", Some("jun")).await;
    let point = gate.point("proxy", &["files", "ledger"]).await;
    Parties { client: gate.client.clone(), point, agent }
}

fn write(path: &str, call: &str) -> Value {
    write_file("close-planner", path, call)
}

/// Granted by mara, used up. The exception, its review, and mara's cookie.
async fn used_up(story: &Story) -> (String, String, String) {
    let id = story.ask(&write(FILE, "ask"), None).await;
    let mara = story.gate.person("mara").await;
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    assert!(verdict(&story.evaluate(&write(FILE, "u1")).await).0);
    let open = story.client.get("/api/v1/reviews?state=open", Some(&mara)).await.json();
    let review = open["reviews"][0].clone();
    assert_eq!((&review["kind"], &review["exception"]), (&json!("after_use"), &json!(id)), "{open:#}");
    (id, review["id"].as_str().unwrap().to_owned(), mara)
}

#[tokio::test]
async fn whom_policy_lets_approve_reviews_and_nobody_with_a_part_in_it() {
    let story = planner().await;
    let (id, review, mara) = used_up(&story).await;
    let path = format!("/api/v1/reviews/{review}/close");
    let closing = json!({"outcome": "appropriate", "note": ""});
    let before = super::sizes(&story);
    // vera and sol have nothing to do with it, and policy would let neither approve the like.
    for (user, code) in [
        ("mara", "has_voted"),
        ("jun", "is_requester"),
        ("ines", "is_owner"),
        ("vera", "not_eligible"),
        ("sol", "not_eligible"),
    ] {
        let cookie = story.gate.person(user).await;
        assert_eq!(refusal(&story.client.post(&path, &cookie, &closing).await).1, code, "{user}");
        let listed = story.client.get("/api/v1/reviews?state=open", Some(&cookie)).await.json();
        assert_eq!(listed["reviews"][0]["may_close"], json!({"no": code}), "{user}");
        if ["jun", "ines", "vera", "sol"].contains(&user) {
            let judge = json!({"disposition": "one_off"});
            let answer = story.client.post(&format!("/api/v1/exceptions/{id}/disposition"), &cookie, &judge).await;
            assert_eq!(refusal(&answer), refused(403, code), "{user}");
        }
    }
    let signed_in = 5;
    assert!(super::sizes(&story)[0] <= before[0] + 2 * signed_in, "nothing but signing in was recorded");
    let as_agent = story.client.post_for(&path, &story.point, &story.agent, &closing).await;
    assert!(as_agent.status.is_client_error(), "{as_agent:?}");
    let ola = story.gate.person("ola").await;
    let listed = story.client.get("/api/v1/reviews?state=open", Some(&ola)).await.json();
    assert_eq!(listed["reviews"][0]["may_close"], json!("yes"));
    let closed = story.client.post(&path, &ola, &closing).await;
    assert_eq!(closed.status.as_u16(), 200, "{closed:?}");
    let again = story.client.post(&path, &ola, &closing).await;
    assert_eq!(again.status.as_u16(), 200, "the same again is done already: {again:?}");
    let other = story.client.post(&path, &ola, &json!({"outcome": "abuse", "note": "no"})).await;
    assert_eq!(refusal(&other), refused(409, "closed"), "what was found stands");
    let judge = json!({"disposition": "policy_too_narrow"});
    let answer = story.client.post(&format!("/api/v1/exceptions/{id}/disposition"), &mara, &judge).await;
    assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
}

#[tokio::test]
async fn an_overdue_review_stops_its_tier_for_its_subject_until_it_is_closed() {
    let story = planner().await;
    let (id, review, _) = used_up(&story).await;
    let request = async |path: &str| {
        let parties = parties(&story.gate).await;
        let call = write(path, "ask");
        let denied = parties.evaluate(&call).await.json();
        parties.request(&parties.request_body(&call, &denied, None)).await
    };
    // While there is time for it nothing is stopped; one that waits for its votes meets the end of that time.
    let waiting = request("/srv/files/reports/b.md").await;
    assert_eq!(waiting.status.as_u16(), 201, "{waiting:?}");
    story.gate.clock.advance(7 * 86_400 - 3_600);
    let waiting = request("/srv/files/reports/c.md").await.json()["task"]["id"].as_str().unwrap().to_owned();
    story.gate.clock.advance(2 * 3_600);
    assert_eq!(refusal(&request("/srv/files/reports/d.md").await), refused(409, "review_overdue"));
    let ola = story.gate.person("ola").await;
    let listed = story.client.get("/api/v1/reviews?state=overdue", Some(&ola)).await.json();
    assert_eq!(listed["reviews"][0]["id"], json!(review), "{listed:#}");
    assert_eq!(refusal(&story.vote(&ola, &waiting, "approve", None).await), refused(409, "review_overdue"));
    // Others are not stopped by it.
    let writer = story.gate.agent("report-writer", "weekly-report", Some("ines")).await;
    let point = story.gate.point("proxy", &["files", "ledger"]).await;
    let other = Parties { client: story.gate.client.clone(), point, agent: writer };
    let theirs = other.ask(&write_file("report-writer", FILE, "ask"), None).await;
    assert_ne!(theirs, id);
    let closing = json!({"outcome": "excessive", "note": "one file would have done"});
    let closed = story.client.post(&format!("/api/v1/reviews/{review}/close"), &ola, &closing).await;
    assert_eq!(closed.status.as_u16(), 200, "{closed:?}");
    assert_eq!(story.vote(&ola, &waiting, "approve", None).await.json()["state"], "granted");
    assert_eq!(request("/srv/files/reports/d.md").await.status.as_u16(), 201);
    let mara = story.gate.person("mara").await;
    let detail = exception(&story, &mara, &id).await;
    assert_eq!(detail["exception"]["reviews"][0]["closed"]["outcome"], "excessive");
}

/// Granted by mara, used once of three times, and then suspended by a bundle that asks for two. The exception.
async fn suspended() -> (Story, String) {
    let story = planner().await;
    let id = story.ask(&write(FILE, "ask"), Some("/srv/files/reports")).await;
    let mara = story.gate.person("mara").await;
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    assert!(verdict(&story.evaluate(&write(FILE, "u1")).await).0);
    let mut bundle = sample_bundle();
    let policies = bundle.get_mut("approval/request/files.cedar").unwrap();
    let one = "@id(\"the-most-autonomous-are-reviewed\")\n@tier(\"medium\")\n@approvals(\"1\")";
    assert!(policies.contains(one));
    *policies = policies.replacen(one, &one.replace("(\"1\")", "(\"2\")"), 1);
    let setup = Setup { bundle, clock: story.gate.clock.clone(), activate: true, ..Setup::default() };
    let story = planner_on(story.gate.again(setup).await).await;
    assert!(!verdict(&story.evaluate(&write(FILE, "u2")).await).0);
    let mara = story.gate.person("mara").await;
    assert_eq!(exception(&story, &mara, &id).await["state"], "suspended");
    (story, id)
}

#[tokio::test]
async fn a_used_grant_that_was_suspended_is_reviewed_when_its_time_ends() {
    // A quarter of an hour was asked for, and policy gives a week after that to look.
    let (story, id) = suspended().await;
    let reviews = async || {
        let ola = story.gate.person("ola").await;
        story.client.get("/api/v1/reviews?state=open", Some(&ola)).await.json()["reviews"].clone()
    };
    story.gate.clock.advance(899);
    assert_eq!(reviews().await, json!([]), "a bundle to come may grant it again");
    story.gate.clock.advance(1);
    let open = reviews().await;
    assert_eq!((&open[0]["exception"], &open[0]["kind"]), (&json!(id), &json!("after_use")), "{open:#}");
    let ola = story.gate.person("ola").await;
    assert_eq!(exception(&story, &ola, &id).await["state"], "expired");

    // Nor does it take anybody's look for the review to be overdue.
    let (story, _) = suspended().await;
    for (seconds, overdue) in [(900 + 7 * 86_400 - 1, false), (1, true)] {
        story.gate.clock.advance(seconds);
        let planner = parties(&story.gate).await;
        // Elsewhere than what was granted, or it would be a renewal.
        let call = write(&format!("/srv/files/summaries/{seconds}.md"), "ask");
        let denied = planner.evaluate(&call).await.json();
        let answer = planner.request(&planner.request_body(&call, &denied, None)).await;
        match overdue {
            true => assert_eq!(refusal(&answer), refused(409, "review_overdue")),
            false => assert_eq!(answer.status.as_u16(), 201, "{answer:?}"),
        }
    }
}
