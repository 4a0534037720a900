//! ARAP's `approval.state`: what it proves, that nothing else proves it, and that it opens nothing by itself.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use policy_core::digest::Digest;
use proviso_tests::{Answer, Client, Setup, Story, write_file};
use reqwest::Method;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::binding::{encoded, part, rotate, signed, stolen};
use super::{allowed, denied, exception, verdict};

fn call(name: &str) -> Value {
    write_file("report-writer", &format!("/srv/files/reports/{name}.md"), name)
}

/// The approval of a request, as the status tells it.
async fn approval_of(story: &Story, id: &str) -> Value {
    let request = story.client.request(Method::GET, &format!("/access/v1/requests/{id}")).bearer_auth(&story.point);
    let status = Client::send(request.header("proviso-subject-token", &story.agent)).await.json();
    status["result"]["approval"].clone()
}

/// An approved request for this call, three uses in two hours: its id, its approval, and the approver's cookie.
async fn approved(story: &Story, call: &Value) -> (String, Value, String) {
    let denied = story.evaluate(call).await.json();
    let mut scope = denied["context"]["access_request"]["display"]["scope"].clone();
    (scope["max_uses"], scope["valid_for"]) = (json!(3), json!("2h"));
    let request = story.request_body(call, &denied, Some(scope));
    let id = story.request(&request).await.json()["task"]["id"].as_str().unwrap().to_owned();
    let mara = story.gate.person("mara").await;
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    let approval = approval_of(story, &id).await;
    assert!(approval["state"].is_string(), "{approval:#}");
    (id, approval, mara)
}

fn with(call: &Value, approval: &Value) -> Value {
    let mut call = call.clone();
    call["context"]["approval"] = approval.clone();
    call
}

fn carrying(approval: &Value, state: Value) -> Value {
    let mut approval = approval.clone();
    approval["state"] = state;
    approval
}

fn verified(story_keys: &Value, state: &str) -> bool {
    let kid = part(state, 0)["kid"].clone();
    let Some(key) = story_keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid) else { return false };
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let key = VerifyingKey::from_bytes(&bytes(key["x"].as_str().unwrap()).try_into().unwrap()).unwrap();
    let (text, signature) = state.rsplit_once('.').unwrap();
    key.verify_strict(text.as_bytes(), &Signature::from_slice(&bytes(signature)).unwrap()).is_ok()
}

async fn keys(story: &Story) -> Value {
    story.client.get("/access/v1/jwks", None).await.json()
}

/// The newest decision in the record.
fn newest(story: &Story) -> Value {
    let database = Connection::open(story.gate.data().join("record.sqlite")).unwrap();
    let newest =
        "SELECT bytes FROM payload WHERE log = 'decisions/main' AND name = 'decision' ORDER BY seq DESC LIMIT 1";
    let bytes: Vec<u8> = database.query_row(newest, [], |row| row.get(0)).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn next(answer: &Answer) -> Value {
    answer.json()["context"]["next_action"].clone()
}

#[tokio::test]
async fn a_state_says_what_was_approved_and_anybody_can_verify_it() {
    proviso_tests::clauses!(
        "arap-12-j",
        "arap-12-p",
        "arap-12-q",
        "arap-12-r",
        "arap-12-s",
        "arap-12-t",
        "arap-12-v",
        "arap-12-zg",
        "arap-21.1.3-c",
        "arap-21.1.4-m"
    );
    let story = Story::begin().await;
    let asked = call("a");
    let (id, approval, _) = approved(&story, &asked).await;
    let state = approval["state"].as_str().unwrap();
    assert!(verified(&keys(&story).await, state));
    let (header, claims) = (part(state, 0), part(state, 1));
    assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("arap-approval+jwt")));
    let metadata = story.client.get("/.well-known/authzen-configuration", None).await.json();
    let gate = &metadata["policy_decision_point"];
    assert_eq!((&claims["iss"], &claims["aud"]), (gate, &json!([gate])));
    assert_eq!(
        (&claims["jti"], &claims["approval_id"], &claims["task_id"]),
        (&approval["id"], &approval["id"], &json!(id))
    );
    assert_eq!(claims["subject"], asked["subject"]);
    assert_eq!(claims["proviso.dev/task"], "weekly-report");
    assert_eq!(claims["proviso.dev/enforcement_point"], "proxy");
    for name in ["approved_at", "approved_until"] {
        assert_eq!(claims[name], approval[name]);
    }
    let until: chrono::DateTime<chrono::Utc> = approval["approved_until"].as_str().unwrap().parse().unwrap();
    assert_eq!(claims["exp"], until.timestamp());
    assert!(claims["iat"].as_i64().unwrap() < until.timestamp());
    // ARAP's construction of the refused call, by hand.
    let members = claims["binding_context_members"].as_array().unwrap();
    assert_eq!(*members, [json!("input"), json!("proviso.dev/server")]);
    let mut context = asked["context"].clone();
    context.as_object_mut().unwrap().retain(|name, _| members.contains(&json!(name)));
    let bound = json!({
        "subject": asked["subject"], "resource": asked["resource"], "action": asked["action"], "context": context,
    });
    let hash = Digest::of(&policy_core::json::to_canonical_bytes(&bound).unwrap());
    assert_eq!(claims["binding_hash"], URL_SAFE_NO_PAD.encode(hash.as_bytes()));
    // Each look tells the same; the call passes with it, and the allow names the approval without it.
    assert_eq!(approval_of(&story, &id).await, approval);
    let answer = story.evaluate(&with(&asked, &approval)).await;
    assert_eq!(verdict(&answer), allowed("exception"), "{answer:?}");
    let echoed = &answer.json()["context"]["approval"];
    assert_eq!((&echoed["id"], &echoed["state"]), (&approval["id"], &Value::Null));
    assert_eq!(newest(&story)["state_fault"], Value::Null);
    // By the id alone, as ever.
    let mut bare = approval.clone();
    bare.as_object_mut().unwrap().remove("state");
    let mut again = with(&asked, &bare);
    again["context"]["proviso.dev/call"] = json!("again");
    assert_eq!(verdict(&story.evaluate(&again).await), allowed("exception"));
}

/// What is no state of this approval, by whoever holds the gate's own key too, with what the record keeps of each.
fn forged(state: &str, key: &SigningKey) -> Vec<(&'static str, Value, &'static str)> {
    let (header, claims) = (part(state, 0), part(state, 1));
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        json!(signed(key, &header, &claims))
    };
    let headed = |name: &str, value: Value| {
        let mut header = header.clone();
        header[name] = value;
        header
    };
    let [head, _, tail] = state.split('.').collect::<Vec<_>>()[..] else { panic!() };
    let mut longer = claims.clone();
    longer["approved_until"] = json!("2030-01-01T00:00:00.000Z");
    let mut unbound = claims.clone();
    unbound.as_object_mut().unwrap().remove("exp");
    let none = format!("{}.{}.", encoded(&headed("alg", json!("none"))), encoded(&claims));
    let stranger = SigningKey::from_bytes(&[7; 32]);
    vec![
        ("no text", json!({"id": claims["approval_id"]}), "signature"),
        ("nothing", json!(""), "signature"),
        ("much", json!("x".repeat(20_000)), "signature"),
        ("no algorithm", json!(none), "signature"),
        ("cut", json!(state.split_at(state.len() - 1).0), "signature"),
        ("altered", json!(format!("{head}.{}.{tail}", encoded(&longer))), "signature"),
        ("another key", json!(signed(&stranger, &header, &claims)), "signature"),
        ("a key that nobody knows", json!(signed(key, &headed("kid", json!("other")), &claims)), "signature"),
        ("a binding token", json!(signed(key, &headed("typ", json!("arap-binding+jwt")), &claims)), "signature"),
        ("without an end", json!(signed(key, &header, &unbound)), "signature"),
        ("another issuer", with("iss", json!("https://elsewhere.example")), "issuer"),
        ("another decision point", with("aud", json!(["https://elsewhere.example"])), "audience"),
        ("for nobody", with("aud", json!([])), "audience"),
        ("another subject", with("subject", json!({"type": "Agent", "id": "other"})), "subject"),
        ("another task of the agent", with("proviso.dev/task", json!("another-task")), "task"),
        ("another point", with("proviso.dev/enforcement_point", json!("other-proxy")), "enforcement_point"),
        ("another call", with("binding_hash", json!(URL_SAFE_NO_PAD.encode([1; 32]))), "record"),
        ("fewer members", with("binding_context_members", json!(["input"])), "record"),
        ("another request", with("task_id", json!("exc_00000000000000000000000000000000")), "record"),
        ("another denial", with("evaluation_id", json!("eval_00000000000000000000000000000000")), "record"),
        ("a longer life", json!(signed(key, &header, &longer)), "record"),
        ("a later expiry", with("exp", json!(claims["exp"].as_i64().unwrap() + 60)), "record"),
    ]
}

#[tokio::test]
async fn only_an_approvals_own_state_counts_and_another_lets_nothing_pass() {
    proviso_tests::clauses!(
        "arap-12-k",
        "arap-12-l",
        "arap-12-m",
        "arap-12-n",
        "arap-12-r",
        "arap-12-s",
        "arap-12-t",
        "arap-12-u",
        "arap-17-f",
        "arap-21.1.2-b",
        "arap-21.1.3-a",
        "arap-21.1.3-c",
        "arap-21.1.4-m"
    );
    let story = Story::begin().await;
    let (id, approval, mara) = approved(&story, &call("a")).await;
    let state = approval["state"].as_str().unwrap();
    let refuses = async |what: &str, body: &Value, point: &str, agent: &str, fault: &str| {
        let answer = story.client.post_for("/access/v1/evaluation", point, agent, body).await;
        assert_eq!(verdict(&answer), denied("approval_unverifiable"), "{what}: {answer:?}");
        assert_eq!(next(&answer), "none", "{what}");
        let message = answer.json()["context"]["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with("the approval that came with this counts for nothing"), "{what}: {message}");
        assert_eq!(newest(&story)["state_fault"], fault, "{what}");
        assert_eq!(newest(&story)["evaluation"], answer.json()["context"]["evaluation_id"], "{what}");
    };
    for (what, state, fault) in forged(state, &stolen(&story)) {
        let body = with(&call("a"), &carrying(&approval, state));
        refuses(what, &body, &story.point, &story.agent, fault).await;
    }
    // Each state is for the approval that it came with, and what stands beside it is signed, too.
    let (_, second, _) = approved(&story, &call("b")).await;
    for (what, approval, fault) in [
        ("another approval's state", carrying(&approval, second["state"].clone()), "approval"),
        ("another approval's id", carrying(&second, approval["state"].clone()), "approval"),
    ] {
        refuses(what, &with(&call("a"), &approval), &story.point, &story.agent, fault).await;
    }
    let mut later = approval.clone();
    later["approved_until"] = json!("2030-01-01T00:00:00.000Z");
    refuses("another end beside it", &with(&call("a"), &later), &story.point, &story.agent, "beside").await;
    let mut earlier = approval.clone();
    earlier["approved_at"] = json!("2020-01-01T00:00:00.000Z");
    refuses("another begin beside it", &with(&call("a"), &earlier), &story.point, &story.agent, "beside").await;
    // In other hands.
    let planner = story.gate.agent("close-planner", "weekly-report", Some("ines")).await;
    let other_task = story.gate.agent("report-writer", "another-task", Some("ines")).await;
    let other_point = story.gate.point("other-proxy", &["files", "ledger"]).await;
    let of_planner = write_file("close-planner", "/srv/files/reports/a.md", "p");
    refuses("a subject", &with(&of_planner, &approval), &story.point, &planner, "subject").await;
    refuses("a task", &with(&call("a"), &approval), &story.point, &other_task, "task").await;
    refuses("a point", &with(&call("a"), &approval), &other_point, &story.agent, "enforcement_point").await;
    // At another gate, and another gate's here.
    let other = Story::begin().await;
    let (_, elsewhere, _) = approved(&other, &call("a")).await;
    refuses("another gate's", &with(&call("a"), &elsewhere), &story.point, &story.agent, "signature").await;
    let answer = other.evaluate(&with(&call("a"), &approval)).await;
    assert_eq!(verdict(&answer), denied("approval_unverifiable"), "{answer:?}");
    // What delegated scope permits is refused, too: nobody sends a forged approval by mistake.
    let draft = write_file("report-writer", "/srv/files/drafts/a.md", "d");
    let forged = carrying(&approval, json!("forged"));
    refuses("in delegated scope", &with(&draft, &forged), &story.point, &story.agent, "signature").await;
    assert_eq!(newest(&story)["limit"], "approval_unverifiable", "the record says why it is not policy's answer");
    assert_eq!(verdict(&story.evaluate(&with(&draft, &approval)).await), allowed("scope"));
    // A search finds what an evaluation permits.
    for (approval, found) in [(&approval, 1), (&forged, 0)] {
        let mut search = with(&draft, approval);
        search["resource"] = json!({"type": "Volume"});
        let answer = story.client.post_for("/access/v1/search/resource", &story.point, &story.agent, &search).await;
        assert_eq!(answer.json()["results"].as_array().map(Vec::len), Some(found), "{answer:?}");
    }
    // Nothing of all that used the grant, and the true state still lets its own call pass.
    assert_eq!(proviso_tests::uses(&exception(&story, &mara, &id).await), Some(0));
    assert_eq!(verdict(&story.evaluate(&with(&call("a"), &approval)).await), allowed("exception"));
}

#[tokio::test]
async fn a_true_state_opens_no_more_than_the_record_does() {
    proviso_tests::clauses!(
        "arap-12-l",
        "arap-12-n",
        "arap-12-y",
        "arap-12-zc",
        "arap-12-zf",
        "arap-12-zh",
        "arap-17-g"
    );
    let story = Story::begin().await;
    let (_, approval, mara) = approved(&story, &call("a")).await;
    // Another call of the same agent in the same task.
    let answer = story.evaluate(&with(&call("b"), &approval)).await;
    assert_eq!(verdict(&answer), denied("out_of_scope"), "{answer:?}");
    assert_eq!(next(&answer), "request");
    assert!(answer.json()["context"]["access_request"].is_object(), "{answer:?}");
    // What another approval of theirs covers is that one's to permit.
    let (_, second, _) = approved(&story, &call("b")).await;
    let answer = story.evaluate(&with(&call("b"), &approval)).await;
    assert_eq!(verdict(&answer), allowed("exception"), "{answer:?}");
    assert_eq!(answer.json()["context"]["approval"]["id"], second["id"]);
    // A guardrail stands above it.
    let hidden = write_file("report-writer", "/srv/files/.hidden", "h");
    assert_eq!(verdict(&story.evaluate(&with(&hidden, &approval)).await), denied("policy_denied"));
    // Revoked before its end, and over.
    let revoke = format!("/api/v1/grants/{}/revoke", second["id"].as_str().unwrap());
    let answer = story.client.post(&revoke, &mara, &json!({"reason": "the task is over"})).await;
    assert_eq!(answer.json()["state"], "revoked", "{answer:?}");
    let answer = story.evaluate(&with(&call("b"), &second)).await;
    assert_eq!((verdict(&answer), next(&answer)), (denied("approval_expired"), json!("none")), "{answer:?}");
    let until: chrono::DateTime<chrono::Utc> = approval["approved_until"].as_str().unwrap().parse().unwrap();
    let begun: chrono::DateTime<chrono::Utc> = approval["approved_at"].as_str().unwrap().parse().unwrap();
    story.gate.clock.advance(u32::try_from((until - begun).num_seconds()).unwrap());
    let answer = story.evaluate(&with(&call("a"), &approval)).await;
    assert_eq!((verdict(&answer), next(&answer)), (denied("approval_expired"), json!("request")), "{answer:?}");
    // Whoever holds the key makes it no longer, and makes no approval that nobody gave.
    let state = approval["state"].as_str().unwrap();
    let (header, mut claims) = (part(state, 0), part(state, 1));
    claims["exp"] = json!(claims["exp"].as_i64().unwrap() + 3_600);
    claims["approved_until"] =
        json!((until + chrono::Duration::hours(1)).to_rfc3339_opts(chrono::SecondsFormat::Millis, true));
    let mut longer = carrying(&approval, json!(signed(&stolen(&story), &header, &claims)));
    longer["approved_until"] = claims["approved_until"].clone();
    assert_eq!(verdict(&story.evaluate(&with(&call("a"), &longer)).await), denied("approval_unverifiable"));
    claims["approval_id"] = json!("grant_00000000000000000000000000000000");
    claims["jti"] = claims["approval_id"].clone();
    let mut nobodys = carrying(&longer, json!(signed(&stolen(&story), &header, &claims)));
    nobodys["id"] = claims["approval_id"].clone();
    assert_eq!(verdict(&story.evaluate(&with(&call("a"), &nobodys)).await), denied("approval_unverifiable"));
}

#[tokio::test]
async fn a_key_verifies_as_long_as_an_approval_of_its_time_lives() {
    proviso_tests::clauses!("arap-12-r", "arap-12-u");
    let story = Story::begin().await;
    let (id, approval, _) = approved(&story, &call("a")).await;
    let thief = stolen(&story);
    let state = approval["state"].as_str().unwrap().to_owned();
    story.gate.clock.advance(60);
    let kid = rotate(&story).await;
    // Longer than any binding token, and over a restart.
    story.gate.clock.advance(30 * 60);
    let url = story.client.url.clone();
    let setup = Setup { clock: story.gate.clock.clone(), public_url: Some(url), ..Setup::default() };
    let Story { gate, .. } = story;
    let story = Story::on(gate.again(setup).await).await;
    let published = keys(&story).await;
    assert!(verified(&published, &state), "{published:#}");
    assert_eq!(published["keys"].as_array().map(Vec::len), Some(2));
    let answer = story.evaluate(&with(&call("a"), &approval)).await;
    assert_eq!(verdict(&answer), allowed("exception"), "{answer:?}");
    // A look now tells one by the new key.
    let fresh = approval_of(&story, &id).await;
    let fresh_state = fresh["state"].as_str().unwrap();
    assert_eq!(part(fresh_state, 0)["kid"], kid);
    assert!(verified(&published, fresh_state));
    let mut again = call("a");
    again["context"]["proviso.dev/call"] = json!("again");
    assert_eq!(verdict(&story.evaluate(&with(&again, &fresh)).await), allowed("exception"));
    // The old key, stolen, signs nothing that was approved later.
    let (_, late, _) = approved(&story, &call("b")).await;
    let forged = signed(&thief, &part(&state, 0), &part(late["state"].as_str().unwrap(), 1));
    let answer = story.evaluate(&with(&call("b"), &carrying(&late, json!(forged)))).await;
    assert_eq!(verdict(&answer), denied("approval_unverifiable"), "{answer:?}");
    assert_eq!(newest(&story)["state_fault"], "signature");
    // With the last approval of its time it goes.
    let until: chrono::DateTime<chrono::Utc> = approval["approved_until"].as_str().unwrap().parse().unwrap();
    let begun: chrono::DateTime<chrono::Utc> = approval["approved_at"].as_str().unwrap().parse().unwrap();
    let left = u32::try_from((until - begun).num_seconds()).unwrap() - 31 * 60;
    story.gate.clock.advance(left + 59);
    assert!(verified(&keys(&story).await, &state));
    story.gate.clock.advance(1);
    assert!(!verified(&keys(&story).await, &state));
    let answer = story.evaluate(&with(&call("a"), &approval)).await;
    assert_eq!(verdict(&answer), denied("approval_unverifiable"), "{answer:?}");
}
