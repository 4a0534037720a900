//! `proviso reconcile`: a system's own log brought by an operator, the running job, and the record alone.

use std::fs;
use std::path::Path;
use std::process::Output;

use policy_core::time::Timestamp;
use proviso_tests::{AGENTS, Binary, Parties, until, write_file};
use serde_json::{Value, json};

use super::{failure, parties, told};

const DRAFT: &str = "/srv/files/drafts/a.md";

/// A line of the files server's own log: `write_file` of a path by report-writer, begun at this instant.
fn receipt(uid: &str, path: &str, at: Timestamp) -> Value {
    json!({
        "class_uid": 6003, "category_uid": 6, "type_uid": 600_301, "activity_id": 1, "severity_id": 1,
        "time": at.millis(), "status_id": 1,
        "metadata": {"version": "1.8.0", "uid": uid, "product": {"name": "files", "vendor_name": "Acme"}},
        "actor": {"app_uid": format!("Agent::{AGENTS}report-writer")},
        "api": {
            "operation": "write_file", "service": {"name": "files"},
            "request": {"data": {"path": path, "content": "hello"}},
        },
        "src_endpoint": {"hostname": "worker-3"},
    })
}

fn reconcile(data: &Path, more: &[&str]) -> Output {
    let data = data.display().to_string();
    Binary::run(&[&["reconcile", "--json", "--data", &data], more].concat())
}

/// Brings these lines.
fn bring(data: &Path, lines: &[Value]) -> Output {
    let file = data.with_extension("jsonl");
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(&file, text).unwrap();
    reconcile(data, &["--evidence", &file.display().to_string(), "--source", "files-audit"])
}

/// A call in scope, and when it was permitted.
async fn permitted(parties: &Parties) -> Timestamp {
    let reply = parties.evaluate(&write_file("report-writer", DRAFT, "c1")).await.json();
    assert_eq!(reply["decision"], true, "{reply}");
    serde_json::from_value(reply["context"]["evaluated_at"].clone()).unwrap()
}

fn kinds(told: &Value) -> Vec<&str> {
    let mut kinds: Vec<&str> =
        told["findings"].as_array().unwrap().iter().filter_map(|finding| finding["kind"].as_str()).collect();
    kinds.sort_unstable();
    kinds
}

#[tokio::test]
async fn a_systems_log_is_held_against_what_was_decided() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let gate = Binary::serve(&data);
    let parties = parties(&gate);
    let at = permitted(&parties).await;
    // All that ran had a decision.
    let (exit, fine) = told(&bring(&data, &[receipt("w-1", DRAFT, at)]));
    assert_eq!((exit, &fine["matched"], &fine["findings"]), (Some(0), &json!(1), &json!([])), "{fine:#}");
    assert_eq!(fine["brought"], json!({"recorded": 1, "known": 0}));
    // The same file with one line more: the first counts once, the second was never asked for.
    let lines = [receipt("w-1", DRAFT, at), receipt("w-2", "/srv/files/drafts/other.md", at)];
    let (exit, found) = told(&bring(&data, &lines));
    assert_eq!((exit, kinds(&found)), (Some(3), vec!["ran_without_decision"]), "{found:#}");
    assert_eq!(found["brought"], json!({"recorded": 1, "known": 1}));
    assert_eq!(found["findings"][0]["strength"], "system_of_record");
    let (exit, later) = told(&reconcile(&data, &["--since", "2999-01-01T00:00:00Z"]));
    assert_eq!((exit, &later["findings"]), (Some(0), &json!([])));
    // In words, too.
    let words = Binary::run(&["reconcile", "--data", &data.display().to_string()]);
    let words = String::from_utf8(words.stdout).unwrap();
    assert!(words.contains("the gate was never asked") && words.contains("2 calls ran"), "{words}");
    // Without a gate the record alone says the same, and is not written to.
    let id = found["findings"][0]["id"].clone();
    gate.stop();
    let before = super::audit(&data);
    let (exit, offline) = told(&reconcile(&data, &[]));
    assert_eq!((exit, kinds(&offline)), (Some(3), vec!["ran_without_decision"]), "{offline:#}");
    assert_eq!((&offline["findings"][0]["id"], &offline["offline"]), (&id, &json!(true)));
    assert_eq!(told(&super::audit(&data)), told(&before));
    // But evidence needs a gate to be recorded by.
    assert_eq!(failure(&bring(&data, &lines)), (Some(69), "gate_unreachable".to_owned()));
}

#[tokio::test]
async fn a_file_with_one_bad_line_is_refused_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let gate = Binary::serve(&data);
    let parties = parties(&gate);
    let at = permitted(&parties).await;
    let mut nobody = receipt("w-3", DRAFT, at);
    nobody["actor"] = json!({});
    let mut elsewhere = receipt("w-4", DRAFT, at);
    elsewhere["actor"]["app_uid"] = json!("User::mara");
    for (line, bad) in [(2, nobody), (2, json!({"class_uid": 3002})), (2, json!("no event"))] {
        let output = bring(&data, &[receipt("w-1", DRAFT, at), bad, receipt("w-2", DRAFT, at)]);
        assert_eq!(failure(&output), (Some(65), "bad_evidence".to_owned()));
        assert_eq!(told(&output).1["error"]["line"], line);
    }
    // What only the gate knows to be wrong leaves nothing of its message either.
    assert_eq!(failure(&bring(&data, &[receipt("w-1", DRAFT, at), elsewhere])), (Some(65), "bad_evidence".to_owned()));
    let (exit, fine) = told(&reconcile(&data, &[]));
    assert_eq!((exit, &fine["executions"]), (Some(0), &json!(0)), "{fine:#}");
    // The same name with other content is another line's.
    told(&bring(&data, &[receipt("w-1", DRAFT, at)]));
    let other = receipt("w-1", "/srv/files/drafts/other.md", at);
    assert_eq!(failure(&bring(&data, &[other])), (Some(65), "evidence_conflict".to_owned()));
    let nothing = reconcile(&data, &["--evidence", "/nowhere.jsonl", "--source", "x"]);
    assert_eq!(failure(&nothing), (Some(69), "file_unusable".to_owned()));
    drop(gate);
}

#[tokio::test]
async fn the_running_job_finds_it_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let gate = Binary::serve(&data);
    let parties = parties(&gate);
    let report = json!({
        "evidence_id": "t-1", "phase": "executed", "action": "write_file", "server": "files",
    });
    let answer = parties.client.post_for("/api/v1/executions", &parties.point, &parties.agent, &report).await;
    assert_eq!(answer.status.as_u16(), 204, "{answer:?}");
    let mara = super::sign_in(&gate, "mara").await;
    until("the job has found it", async || {
        let list = parties.client.get("/api/v1/findings?state=open", Some(&mara)).await.json();
        (list["findings"][0]["kind"] == "ran_without_decision").then_some(())
    })
    .await;
}
