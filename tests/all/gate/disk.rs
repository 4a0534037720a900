//! A full disk: a limit on how large any file may grow stands for it, since the writes fail the same way.

use proviso_tests::{Binary, Parties, write_file};
use serde_json::{Value, json};

use super::{audit, parties, sign_in};

const WRITE: &str = "/srv/files/reports/a.md";

async fn ready(parties: &Parties) -> u16 {
    parties.client.get("/readyz", None).await.status.as_u16()
}

#[tokio::test]
async fn without_a_record_nothing_is_allowed_and_nothing_is_lost() {
    proviso_tests::clauses!("c4-14-full");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let gate = Binary::serve(&data);
    let parties = parties(&gate);
    let (mara, ola) = (sign_in(&gate, "mara").await, sign_in(&gate, "ola").await);
    let id = parties.ask(&write_file("report-writer", WRITE, "ask"), Some("/srv/files/reports")).await;
    assert_eq!(parties.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    let other = parties.ask(&write_file("report-writer", "/srv/files/summaries/b.md", "ask-2"), None).await;
    let ballot = parties.ballot(&ola, &other, "approve", None).await;
    let detail = parties.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await.json();
    let grant = detail["exception"]["phase"]["grant"]["id"].as_str().unwrap().to_owned();
    let position = detail["position"].clone();
    assert_eq!(ready(&parties).await, 200);

    gate.fill_disk();
    // R1: delegated scope, too, is allowed only on record.
    for path in ["/srv/files/drafts/a.md", WRITE] {
        let reply = parties.evaluate(&write_file("report-writer", path, "c1")).await.json();
        assert_eq!(
            (reply["decision"].clone(), reply["context"]["reason"].clone()),
            (json!(false), json!("record_unavailable")),
            "{reply}"
        );
        assert_eq!(reply["context"]["next_action"], "retry", "{reply}");
    }
    assert_eq!(ready(&parties).await, 503);
    let refused = async |answer: proviso_tests::Answer| {
        assert_eq!(answer.status.as_u16(), 503, "{answer:?}");
        assert!(answer.json()["help"].as_str().is_some_and(|help| !help.is_empty()), "{answer:?}");
        answer.code()
    };
    let vote = parties.client.post(&format!("/api/v1/exceptions/{other}/votes"), &ola, &ballot).await;
    assert_eq!(refused(vote).await, "record_unavailable");
    let output = Binary::run(&["token", "list", "--json", "--data", &data.display().to_string()]);
    assert!(output.status.success(), "what needs no record still works: {output:?}");
    let subject = format!("Agent::{}report-writer", proviso_tests::AGENTS);
    let minted =
        ["token", "agent", "--json", "--subject", &subject, "--task", "t", "--data", &data.display().to_string()];
    assert_eq!(super::failure(&Binary::run(&minted)), (Some(69), "record_unavailable".to_owned()));
    // R7: a revoke holds from now on, recorded or not.
    let revoke =
        parties.client.post(&format!("/api/v1/grants/{grant}/revoke"), &mara, &json!({"reason": "stop"})).await;
    assert_eq!(refused(revoke).await, "stop_unrecorded");

    gate.free_disk();
    until_ready(&parties, &mara).await;
    let reply = parties.evaluate(&write_file("report-writer", "/srv/files/drafts/a.md", "c2")).await.json();
    assert_eq!(reply["decision"], true, "{reply}");
    let reply = parties.evaluate(&write_file("report-writer", WRITE, "c3")).await.json();
    assert_eq!(reply["decision"], false, "revoked while nothing could be recorded: {reply}");
    let detail = parties.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await.json();
    assert_eq!(detail["state"], "revoked", "and recorded by now: {detail}");
    assert_eq!(detail["exception"]["phase"]["grant"]["uses"], 0, "a denied call used nothing: {detail}");
    let detail = parties.client.get(&format!("/api/v1/exceptions/{other}"), Some(&ola)).await.json();
    assert_eq!(detail["state"], "requested", "a vote that was refused is no vote: {detail}");
    assert_eq!(detail["exception"]["votes"], json!([]));
    assert!(detail["position"].as_u64() > position.as_u64());
    let report = audit(&data);
    assert!(report.status.success(), "{report:?}");
}

/// Asks until the store has opened itself again. Each question makes the held stop try to be recorded, too.
async fn until_ready(parties: &Parties, cookie: &str) {
    for _ in 0..600 {
        let _: Value = parties.evaluate(&write_file("report-writer", WRITE, "knock")).await.json();
        if ready(parties).await == 200 {
            return;
        }
        // A request that is answered slowly is the pause.
        let pause = parties.client.get("/api/v1/exceptions", Some(cookie));
        drop(pause.await);
    }
    panic!("the gate did not recover");
}
