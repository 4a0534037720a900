//! What a credential leaves behind, what it is good for, and who hears of it.

use std::fs;
use std::path::Path;

use proviso_tests::{AGENTS, Client, Story, cookie_of, write_file};
use reqwest::Method;
use serde_json::{Value, json};

use super::{allowed, exception, granted, refusal, refused, sizes, verdict};
use crate::own_tokens::{public_id, secret_of};

/// Every file below a folder whose bytes hold this text.
pub(crate) fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if let Ok(bytes) = fs::read(&path)
            && bytes.windows(text.len()).any(|window| window == text.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

#[tokio::test]
async fn no_secret_stands_in_the_data_folder() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let call = write_file("report-writer", "/srv/files/drafts/a.md", "c1");
    assert_eq!(verdict(&story.evaluate(&call).await), allowed("scope"));
    let (cookie, key) = mara.split_once('#').unwrap();
    let (_, session) = cookie.split_once('=').unwrap();
    // A kind, a public id and the secret; of the signed ones in their claims.
    let (id, secret) = session.rsplit_once('_').unwrap();
    let mut handed_out = vec![(id.to_owned(), secret.to_owned())];
    for token in [&story.point, &story.agent] {
        handed_out.push((public_id(token), secret_of(token)));
        for part in token.split('.').skip(1) {
            assert_eq!(files_with(story.gate.data(), part), [""; 0], "the token is written down");
        }
    }
    for (public, secret) in &handed_out {
        assert_eq!(secret.len(), 64, "{public}");
        assert!(!files_with(story.gate.data(), public).is_empty(), "the record names the credential: {public}");
        assert_eq!(files_with(story.gate.data(), secret), [""; 0], "its secret is written down");
    }
    assert_eq!(files_with(story.gate.data(), key), [""; 0], "the page's key is written down");
}

#[tokio::test]
async fn a_session_is_strict_host_only_and_out_of_scripts_reach() {
    let story = Story::begin().await;
    let minting = proviso::identity::MintRequest::Approver { user: "mara".to_owned() };
    let root = proviso::app::Operator { uid: 0, name: "root".to_owned() };
    let link = story.gate.app.mint(minting, &root).await.unwrap().secret;
    let body = json!({"link": link.rsplit('#').next().unwrap()});
    let answer = story.gate.client.post("/api/v1/session", "", &body).await;
    let mut attributes: Vec<&str> = answer.header("set-cookie").split("; ").skip(1).collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Strict"], "no Domain, and nothing laxer");
}

#[tokio::test]
async fn a_vote_says_how_strongly_its_person_signed_in() {
    let story = Story::begin().await;
    let (id, mara) = granted(&story).await;
    let detail = exception(&story, &mara, &id).await;
    assert_eq!(detail["exception"]["votes"][0]["assurance"], "link", "{detail}");
}

/// What was minted, as the person of this session is shown it: kinds and who minted.
async fn minted(story: &Story, person: &str) -> Vec<(String, String)> {
    let session = story.gate.client.get("/api/v1/session", Some(person)).await.json();
    let lines = session["minted"].as_array().unwrap().iter();
    lines.map(|line| (line["kind"].as_str().unwrap().to_owned(), line["by"].as_str().unwrap().to_owned())).collect()
}

#[tokio::test]
async fn whoever_a_credential_names_is_shown_it_at_the_next_sign_in() {
    let story = Story::begin().await;
    let pair = |kind: &str| (kind.to_owned(), "tester".to_owned());
    // An agent's token for ines, and the link itself.
    let ines = story.gate.person("ines").await;
    let mut shown = minted(&story, &ines).await;
    shown.sort_unstable();
    assert_eq!(shown, [pair("agent"), pair("approver")]);
    // Somebody mints in her name behind her back: she sees that, and no longer what she was shown.
    story.gate.clock.advance(60);
    story.gate.agent("close-planner", "night-shift", Some("ines")).await;
    let again = story.gate.person("ines").await;
    let mut shown = minted(&story, &again).await;
    shown.sort_unstable();
    assert_eq!(shown, [pair("agent"), pair("approver")]);
    let session = story.gate.client.get("/api/v1/session", Some(&again)).await.text;
    assert!(session.contains("night-shift") && !session.contains("weekly-report"), "{session}");
    // And nobody else does.
    let jun = story.gate.person("jun").await;
    assert_eq!(minted(&story, &jun).await, [pair("approver")]);
}

#[tokio::test]
async fn evidence_is_observed_by_the_enforcement_point_of_that_call_or_not_at_all() {
    let story = Story::begin().await;
    granted(&story).await;
    let call = write_file("report-writer", "/srv/files/reports/b.md", "c1");
    let permitted = story.evaluate(&call).await.json()["context"]["evaluation_id"].clone();
    let denied = story.evaluate(&write_file("report-writer", "/srv/files/other.md", "c2")).await.json();
    let mut ask = call.clone();
    ask["context"]["proviso.dev/ask"] = json!(true);
    let asked = story.evaluate(&ask).await.json()["context"]["evaluation_id"].clone();
    let other_point = story.gate.point("other-proxy", &["files", "ledger"]).await;
    let mara = story.gate.person("mara").await;
    let report = |evaluation: &Value, phase: &str| json!({"evaluation_id": evaluation, "call": "c1", "phase": phase});
    let send = async |token: &str, body: Value| {
        let request = story.gate.client.request(Method::POST, "/api/v1/executions").bearer_auth(token);
        Client::send(request.header("proviso-subject-token", &story.agent).json(&body)).await
    };
    let before = sizes(&story);
    for (what, token, evaluation) in [
        ("another enforcement point", other_point.as_str(), &permitted),
        ("a denied call", &story.point, &denied["context"]["evaluation_id"]),
        ("a question", &story.point, &asked),
        ("no call at all", &story.point, &json!("eval_00000000000000000000000000000000")),
    ] {
        let answer = send(token, report(evaluation, "executed")).await;
        assert_eq!(refusal(&answer), refused(404, "unknown_evaluation"), "{what}");
    }
    // Another agent alone has made no call.
    let other = story.gate.agent("report-writer", "another-task", Some("ines")).await;
    let before = [before[0] + 1, before[1]];
    let alone = story.gate.client.request(Method::POST, "/api/v1/executions").bearer_auth(&other);
    let answer = Client::send(alone.json(&report(&permitted, "failed"))).await;
    assert_eq!(refusal(&answer), refused(404, "unknown_evaluation"));
    // A person's session is no enforcement point.
    let request = story.gate.client.request(Method::POST, "/api/v1/executions").header("cookie", cookie_of(&mara));
    assert_eq!(Client::send(request.json(&report(&permitted, "failed"))).await.status, 401);
    let answer = send(&story.point, report(&permitted, "not_run")).await;
    assert_eq!(refusal(&answer), refused(400, "bad_shape"), "there is no such phase");
    assert_eq!(sizes(&story), before, "none of these is on record");
    for phase in ["sending", "executed"] {
        assert_eq!(send(&story.point, report(&permitted, phase)).await.status, 204, "{phase}");
    }
}

#[tokio::test]
async fn an_agents_own_word_is_told_and_decides_nothing() {
    let story = Story::begin().await;
    let id = story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), None).await;
    let mara = story.gate.person("mara").await;
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    let used = story.evaluate(&write_file("report-writer", "/srv/files/reports/a.md", "u1")).await.json();
    let evaluation = used["context"]["evaluation_id"].as_str().unwrap_or_default().to_owned();
    let report = json!({"evaluation_id": evaluation, "call": "u1", "phase": "executed"});
    let send = async |token: &str| {
        let request = story.client.request(Method::POST, "/api/v1/executions").bearer_auth(token);
        Client::send(request.json(&report)).await
    };
    // Another agent's word of it, or the same agent's in another task, is of no call of theirs.
    for (name, task) in [("close-planner", "weekly-report"), ("report-writer", "another-task")] {
        let other = story.gate.agent(name, task, Some("ines")).await;
        assert_eq!(refusal(&send(&other).await), refused(404, "unknown_evaluation"), "{name} {task}");
    }
    assert_eq!(send(&story.agent).await.status.as_u16(), 204);
    let history = async || exception(&story, &mara, &id).await["history"].to_string();
    assert!(history().await.contains("reported: the call ran"), "{}", history().await);
    assert!(!history().await.contains("observed"), "{}", history().await);
    // By its word alone the use is as unreported as before, and still under way for who would stop it.
    assert_eq!(exception(&story, &mara, &id).await["uses"][0]["reported"], Value::Null);
    let subject = json!({"subject": {"type": "Agent", "id": format!("{AGENTS}report-writer")}});
    let stop = json!({"target": subject, "reason": "look first"});
    let stopped = story.client.post("/api/v1/revocations", &mara, &stop).await;
    assert!(stopped.json()["calls_in_flight"].to_string().contains(&evaluation), "{stopped:?}");
    assert_eq!(send(&story.point).await.status.as_u16(), 204);
    assert!(history().await.contains("observed: the call ran"), "{}", history().await);
    assert_eq!(exception(&story, &mara, &id).await["uses"][0]["reported"], "executed");
    // Nor does a further word of the agent's change what was observed.
    let failed = json!({"evaluation_id": evaluation, "call": "u1", "phase": "failed"});
    let request = story.client.request(Method::POST, "/api/v1/executions").bearer_auth(&story.agent);
    assert_eq!(Client::send(request.json(&failed)).await.status.as_u16(), 204);
    assert_eq!(exception(&story, &mara, &id).await["uses"][0]["reported"], "executed");
}
