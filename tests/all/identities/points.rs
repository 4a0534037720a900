//! Enforcement points with tokens of other issuers: which they are, for whom they may ask, and that they stay one point
//! though their tokens change.

use proviso_tests::{Parties, write_file};
use serde_json::{Value, json};

use super::{AUDIENCE, MESH, World, access_token, with};

const GATEWAY: &str = "spiffe://acme.example/gateway/edge";

fn entry() -> String {
    format!(
        "\n[[enforcement_point]]\nname = \"edge\"\nissuer = \"spiffe://acme.example\"\nsubject = \"{GATEWAY}\"\n\
         subjects = \"Agent::spiffe://acme.example/agent/report-*\"\nservers = [\"files\"]\n"
    )
}

/// A token of the gateway's; `number` makes it another.
fn gateway(world: &World, number: i64) -> String {
    let claims =
        json!({"sub": GATEWAY, "aud": AUDIENCE, "exp": world.now() + 300 - number, "iat": world.now() - number});
    MESH.sign(None, &claims)
}

#[tokio::test]
async fn a_point_is_who_the_file_says_for_whom_it_says() {
    let world = World::with(&entry()).await;
    let by = |point: String, agent: String| Parties { client: world.gate.client.clone(), point, agent };
    let agent = |name: &str| access_token(&world.access(name, "weekly-report", "5f0c1e", name));
    let said = world.who(&gateway(&world, 0)).await.json();
    assert_eq!((&said["caller"], &said["name"]), (&json!("enforcement_point"), &json!("edge")), "{said}");
    let draft = |name: &str| write_file(name, "/srv/files/drafts/a.md", "c1");
    let answer = by(gateway(&world, 0), agent("report-writer")).evaluate(&draft("report-writer")).await;
    assert_eq!(answer.json()["decision"], true, "{answer:?}");
    let mut elsewhere = draft("report-writer");
    elsewhere["context"]["proviso.dev/server"] = json!("ledger");
    for (what, parties, call, code) in [
        ("another subject", by(gateway(&world, 0), agent("ledger-bot")), draft("ledger-bot"), "not_for_this_subject"),
        ("another server", by(gateway(&world, 0), agent("report-writer")), elsewhere, "not_for_this_server"),
        ("itself for a subject", by(gateway(&world, 0), gateway(&world, 1)), draft("report-writer"), "claim_conflict"),
    ] {
        let answer = parties.evaluate(&call).await;
        assert_eq!(answer.code(), code, "{what}: {answer:?}");
    }
    // A workload beside it is none, nor is the point one that somebody names in `act`.
    let other = MESH.sign(
        None,
        &with(&world.svid("report-writer", "weekly-report"), "sub", json!("spiffe://acme.example/gateway/other")),
    );
    assert_eq!(world.code(&other).await, (403, "subject_not_mapped".to_owned()));
    let acting = with(
        &world.access("x", "weekly-report", "5f0c1e", "j1"),
        "act",
        json!({"iss": "spiffe://acme.example", "sub": GATEWAY}),
    );
    assert_eq!(world.code(&access_token(&acting)).await, (403, "subject_not_mapped".to_owned()));
}

#[tokio::test]
async fn a_point_stays_one_point_though_its_tokens_change() {
    let world = World::with(&entry()).await;
    let agent = |jti: &str| access_token(&world.access("report-writer", "weekly-report", "5f0c1e", jti));
    let by = |point: String, agent: String| Parties { client: world.gate.client.clone(), point, agent };
    let first = by(gateway(&world, 0), agent("j1"));
    let call = |id: &str| write_file("report-writer", "/srv/files/reports/a.md", id);
    let id = first.ask(&call("ask"), Some("/srv/files/reports")).await;
    let mara = world.gate.person("mara").await;
    assert_eq!(first.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    let used = first.evaluate(&call("c1")).await.json();
    assert_eq!(used["decision"], true, "{used}");
    // The same call with the next tokens of both is the same call: it consumes nothing.
    let second = by(gateway(&world, 1), agent("j2"));
    let again = second.evaluate(&call("c1")).await.json();
    assert_eq!(
        (&again["decision"], &again["context"]["proviso.dev/repeated"]),
        (&json!(true), &json!(true)),
        "{again}"
    );
    // And it reports under the next token what it did under this one.
    let report = json!({
        "evaluation_id": used["context"]["evaluation_id"], "call": "c1", "phase": "executed",
        "digest": used["context"]["proviso.dev/input_digest"],
    });
    let reported = second.client.post_for("/api/v1/executions", &second.point, &second.agent, &report).await;
    assert!(reported.status.is_success(), "{reported:?}");
    // A point of the gate's own with another name does not use what this one was granted.
    let own = by(world.gate.point("proxy", &["files"]).await, agent("j3"));
    assert_eq!(own.evaluate(&call("c2")).await.json()["decision"], false);
    let lines: Vec<Value> = world.gate.app.tokens().iter().map(|line| json!(line.what)).collect();
    assert!(lines.iter().any(|what| what.as_str().unwrap().starts_with("edge: ")), "{lines:?}");
}
