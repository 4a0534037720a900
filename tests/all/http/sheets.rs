//! Votes on something else than what the gate has on record (design, section 6).

use proviso_tests::{AGENTS, Setup, Story, TestGate, post_rows, sample_bundle, write_file};
use serde_json::{Value, json};

use super::{exception, refusal, refused, sizes};

#[tokio::test]
async fn one_altered_fact_and_the_vote_is_refused() {
    proviso_tests::clauses!("c4-4-changed-while-looking");
    let story = Story::begin().await;
    let call = write_file("report-writer", "/srv/files/reports/a.md", "ask");
    let id = story.ask(&call, Some("/srv/files/reports")).await;
    let mara = story.gate.person("mara").await;
    let path = format!("/api/v1/exceptions/{id}/votes");
    let good = story.ballot(&mara, &id, "approve", None).await;
    let digest = good["sheet"].as_str().unwrap();
    let flipped = format!("{}{}", if digest.starts_with('0') { '1' } else { '0' }, digest.get(1..).unwrap());
    let as_of = good["as_of"].as_u64().unwrap();
    let before = sizes(&story);
    for (member, value) in [
        ("sheet", json!(flipped)),
        ("as_of", json!(as_of - 1)),
        ("as_of", json!(as_of + 1)),
        ("as_of", json!(0)),
        ("as_of", json!(1_000_000)),
    ] {
        let mut ballot = good.clone();
        ballot[member] = value;
        let answer = story.gate.client.post(&path, &mara, &ballot).await;
        assert_eq!(refusal(&answer), refused(409, "stale_sheet"), "{member}: {ballot}");
    }
    // Inside what was asked for, but not what this digest is of: the page showed another grant.
    let mut other = good.clone();
    other["grant"]["max_uses"] = json!(2);
    assert_eq!(refusal(&story.gate.client.post(&path, &mara, &other).await), refused(409, "stale_sheet"));
    // Somebody else's digest: it binds the person as well.
    let ola = story.gate.person("ola").await;
    let answer = story.gate.client.post(&path, &ola, &good).await;
    assert_eq!(refusal(&answer).1, "stale_sheet");
    assert_eq!(exception(&story, &mara, &id).await["state"], "requested");
    assert_eq!(sizes(&story)[1..], before[1..]);
    let answer = story.gate.client.post(&path, &mara, &good).await;
    assert_eq!(answer.json()["state"], "granted", "the unaltered one counts: {answer:?}");
}

#[tokio::test]
async fn a_vote_on_an_older_version_is_refused_and_on_older_news_is_not() {
    let story = Story::begin().await;
    let call = post_rows("report-writer", "finance/ledger-eu", 5, "ask");
    let body = story.evaluate(&call).await.json();
    let mut scope = body["context"]["access_request"]["display"]["scope"].clone();
    scope["max_uses"] = json!(3);
    let id = story.request(&story.request_body(&call, &body, Some(scope))).await.json()["task"]["id"].clone();
    let id = id.as_str().unwrap();
    let (mara, jun, vera) =
        (story.gate.person("mara").await, story.gate.person("jun").await, story.gate.person("vera").await);
    let path = format!("/api/v1/exceptions/{id}/votes");

    // News that voids nothing: another request, another person's vote on the same version.
    let early = story.ballot(&vera, id, "approve", None).await;
    story.ask(&write_file("report-writer", "/srv/files/reports/other.md", "ask-2"), None).await;
    assert_eq!(story.vote(&jun, id, "approve", None).await.json()["state"], "requested");

    // mara narrows: a new version, on which nobody else has voted.
    let mut narrower = early["grant"].clone();
    narrower["max_uses"] = json!(1);
    let answer = story.vote(&mara, id, "approve", Some(narrower)).await;
    assert_eq!(answer.json()["state"], "requested", "{answer:?}");
    let before = sizes(&story);
    let answer = story.gate.client.post(&path, &vera, &early).await;
    let (status, code) = refusal(&answer);
    // The scope of the first version is wider than the second: it is refused as stale, or as widening.
    assert!(
        (status, code.as_str()) == (409, "stale_sheet") || (status, code.as_str()) == (400, "widens"),
        "{answer:?}"
    );
    assert_eq!(sizes(&story), before);
    assert_eq!(exception(&story, &mara, id).await["state"], "requested");

    let answer = story.vote(&vera, id, "approve", None).await;
    assert_eq!(answer.json()["state"], "granted", "{answer:?}");
    let granted = exception(&story, &mara, id).await;
    assert_eq!(granted["exception"]["phase"]["grant"]["scope"]["max_uses"], 1, "{granted}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_that_narrow_at_once_one_wins_and_the_other_looks_again() {
    proviso_tests::clauses!("c4-4-two-votes-at-once");
    for _ in 0..4 {
        let story = Story::begin().await;
        let call = post_rows("report-writer", "finance/ledger-eu", 5, "ask");
        let body = story.evaluate(&call).await.json();
        let mut scope = body["context"]["access_request"]["display"]["scope"].clone();
        scope["max_uses"] = json!(3);
        let id = story.request(&story.request_body(&call, &body, Some(scope.clone()))).await.json();
        let id = id["task"]["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/exceptions/{id}/votes");
        // Each makes another version of what both were shown.
        let mut sent = Vec::new();
        for user in ["jun", "mara", "vera", "ola"] {
            let cookie = story.gate.person(user).await;
            scope["max_uses"] = json!(2);
            let ballot = story.ballot(&cookie, &id, "approve", Some(scope.clone())).await;
            sent.push((cookie, ballot));
        }
        let client = &story.client;
        let votes = sent.iter().map(async |(cookie, ballot)| client.post(&path, cookie, ballot).await);
        let answers = futures::future::join_all(votes).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status.is_success());
        assert_eq!(won.len(), 1, "{answers:?}");
        for answer in lost {
            assert_eq!(refusal(answer), refused(409, "stale_sheet"));
        }
        let (mara, _) = &sent[1];
        let detail = exception(&story, mara, &id).await;
        assert_eq!(detail["exception"]["votes"].as_array().map(Vec::len), Some(1), "{detail:#}");
        assert_eq!(detail["exception"]["versions"].as_array().map(Vec::len), Some(2), "{detail:#}");
    }
}

#[tokio::test]
async fn an_older_sheet_counts_where_nothing_voids_it() {
    let story = Story::begin().await;
    let id = story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), None).await;
    let mara = story.gate.person("mara").await;
    let ballot = story.ballot(&mara, &id, "approve", None).await;
    story.ask(&write_file("report-writer", "/srv/files/reports/b.md", "ask-2"), None).await;
    let answer = story.gate.client.post(&format!("/api/v1/exceptions/{id}/votes"), &mara, &ballot).await;
    assert_eq!(answer.json()["state"], "granted", "{answer:?}");
}

#[tokio::test]
async fn no_vote_widens() {
    let story = Story::begin().await;
    let call = write_file("report-writer", "/srv/files/reports/a.md", "ask");
    let id = story.ask(&call, Some("/srv/files/reports")).await;
    let mara = story.gate.person("mara").await;
    let current = story.ballot(&mara, &id, "approve", None).await["grant"].clone();
    let mut wider = Vec::new();
    for (pointer, value) in [
        ("/max_uses", json!(4)),
        ("/not_after", json!("2027-01-01T00:00:00Z")),
        ("/arguments", json!([{"at": ["path"], "op": "inside", "path": "/srv/files"}])),
        ("/arguments", json!([{"at": ["content"], "op": "equals", "value": "hello"}])),
    ] {
        let mut scope = current.clone();
        *scope.pointer_mut(pointer).unwrap() = value;
        wider.push(scope);
    }
    for scope in wider {
        let before = sizes(&story);
        let answer = story.vote(&mara, &id, "approve", Some(scope.clone())).await;
        assert_eq!(refusal(&answer), refused(400, "widens"), "{scope}");
        assert_eq!(sizes(&story), before);
    }
}

#[tokio::test]
async fn a_lock_voids_a_vote() {
    let story = Story::begin().await;
    let id = story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), None).await;
    let mara = story.gate.person("mara").await;
    let ballot = story.ballot(&mara, &id, "approve", None).await;
    let ola = story.gate.person("ola").await;
    let lock = json!({"target": {"task": "weekly-report"}, "reason": "something is wrong"});
    assert_eq!(story.gate.client.post("/api/v1/locks", &ola, &lock).await.status.as_u16(), 201);
    let answer = story.gate.client.post(&format!("/api/v1/exceptions/{id}/votes"), &mara, &ballot).await;
    assert_eq!(refusal(&answer), refused(409, "stale_sheet"));
    let answer = story.evaluate(&write_file("report-writer", "/srv/files/drafts/a.md", "draft")).await;
    assert_eq!(super::verdict(&answer), super::denied("locked"), "a lock stops delegated scope, too");
}

#[tokio::test]
async fn denials_of_a_whole_fleet_make_no_vote_stale() {
    let mut files = sample_bundle();
    let mut entities: Vec<Value> = serde_json::from_str(&files["entities.json"]).unwrap();
    let uid = |name: &str| json!({"type": "Agent", "id": format!("{AGENTS}{name}")});
    let model = entities.iter().find(|entity| entity["uid"] == uid("report-writer")).unwrap().clone();
    let fleet: Vec<String> = (0..102).map(|number| format!("fleet-{number}")).collect();
    for name in &fleet {
        let mut agent = model.clone();
        agent["uid"] = uid(name);
        entities.push(agent);
    }
    files.insert("entities.json".to_owned(), serde_json::to_string(&entities).unwrap());
    let story = Story::on(TestGate::with(Setup { bundle: files, ..Setup::default() }).await).await;
    let denied = async |name: &str| {
        let agent = story.gate.agent(name, "fleet", Some("ines")).await;
        let call = write_file(name, "/srv/files/reports/f.md", "f");
        let answer = story.client.post_for("/access/v1/evaluation", &story.point, &agent, &call).await;
        assert_eq!(answer.json()["decision"], false, "{answer:?}");
    };
    let id = story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), None).await;
    for name in &fleet[..101] {
        denied(name).await;
    }
    // The sheet's position is the ledger's: somebody does something, so that what was denied lies before it.
    let mara = story.gate.person("mara").await;
    let ballot = story.ballot(&mara, &id, "approve", None).await;
    denied(&fleet[101]).await;
    let answer = story.client.post(&format!("/api/v1/exceptions/{id}/votes"), &mara, &ballot).await;
    assert_eq!(answer.json()["state"], "granted", "{answer:?}");
}
