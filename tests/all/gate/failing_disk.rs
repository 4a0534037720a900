//! Each write and each sync of a gate fails in its turn: it denies, says that it is not ready, recovers by itself, and
//! builds on nothing of a file whose sync had failed. Of votes, revokes and the start: `failing_disk::sweeps`.

mod sweeps;

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use proviso_tests::{Binary, FailingDisk, Failure, Parties, until, write_file};
use serde_json::{Value, json};

use super::{audit, parties, sign_in};

const IN_SCOPE: &str = "/srv/files/drafts/a.md";
const APPROVED: &str = "/srv/files/reports/a.md";
/// More calls than any act comes to.
const MANY: i64 = 500;

/// A gate over a disk that fails on demand, with a grant for many uses.
struct Stage {
    _folder: tempfile::TempDir,
    gate: Binary,
    disk: FailingDisk,
    parties: Parties,
    mara: String,
    exception: String,
}

impl Stage {
    async fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let disk = FailingDisk::under(&data);
        let gate = Binary::serve_over(&data, &disk).unwrap();
        let parties = parties(&gate);
        let mara = sign_in(&gate, "mara").await;
        let exception = parties.ask(&write_file("report-writer", APPROVED, "ask"), Some("/srv/files/reports")).await;
        assert_eq!(parties.vote(&mara, &exception, "approve", None).await.json()["state"], "granted");
        Self { _folder: folder, gate, disk, parties, mara, exception }
    }

    async fn ready(&self) -> bool {
        self.gate.client.get("/readyz", None).await.status.is_success()
    }

    /// The disk is whole again: the gate recovers by itself, and nobody restarts it.
    async fn recovered(&self) {
        self.disk.mend();
        until("the gate is ready again", async || self.ready().await.then_some(())).await;
    }

    async fn detail(&self, exception: &str) -> Value {
        self.gate.client.get(&format!("/api/v1/exceptions/{exception}"), Some(&self.mara)).await.json()
    }
}

fn is_unrecorded(reply: &Value) -> bool {
    reply["decision"] == json!(false) && reply["context"]["reason"] == json!("record_unavailable")
}

/// What the gate's log says so often.
fn said(data: &Path, what: &str) -> usize {
    std::fs::read_to_string(data.with_extension("log")).unwrap_or_default().matches(what).count()
}

#[tokio::test]
async fn each_write_and_sync_that_fails_denies_and_the_gate_recovers() {
    proviso_tests::clauses!("c4-14-fails");
    let stage = Stage::begin().await;
    let data = stage.gate.data().to_owned();
    let mut failures = 0;
    for failure in [Failure::IO, Failure::FULL] {
        // In scope, where one log grows.
        for call in 1.. {
            assert!(call < MANY, "it never ends");
            stage.disk.fail_at(call, failure);
            let reply = stage.parties.evaluate(&write_file("report-writer", IN_SCOPE, "c")).await.json();
            if stage.disk.failed() == 0 {
                assert_eq!(reply["decision"], json!(true), "{reply}");
                break;
            }
            failures += 1;
            assert!(is_unrecorded(&reply), "{failure:?} at call {call}: {reply}");
            if failure.lasts() {
                assert!(!stage.ready().await, "ready on a full disk, at call {call}");
                let again = stage.parties.evaluate(&write_file("report-writer", IN_SCOPE, "c")).await.json();
                assert!(is_unrecorded(&again), "{failure:?} lasts, at call {call}: {again}");
            }
            stage.recovered().await;
        }
        stage.recovered().await;
    }
    assert!(failures > 20, "too few calls failed to mean anything: {failures}");
    assert!(said(&data, "the record could not be written; all is denied") > 0);
    assert!(said(&data, "the record can be written again") > 0);
    assert_eq!(stage.disk.trusted_after_failure(), 0, "a file is used whose sync had failed");
    let reply = stage.parties.evaluate(&write_file("report-writer", IN_SCOPE, "last")).await.json();
    assert_eq!(reply["decision"], json!(true), "{reply}");
    let report = audit(&data);
    assert!(report.status.success(), "{report:?}");
}

#[tokio::test]
async fn a_decision_waits_for_one_sync_and_no_file_takes_anothers_place() {
    let stage = Stage::begin().await;
    let kept = stage.gate.data().join("heads/decisions-main");
    let place = || std::fs::metadata(&kept).map(|facts| (facts.ino(), facts.len())).expect("a head");
    let mut written_over = 0;
    for number in 0..12 {
        let before = place();
        // None fails: they are counted.
        stage.disk.fail_at(MANY, Failure::SYNC);
        let call = write_file("report-writer", IN_SCOPE, &format!("sync-{number}"));
        assert_eq!(stage.parties.evaluate(&call).await.json()["decision"], json!(true));
        assert_eq!(stage.disk.calls(), 1, "syncs of decision {number}");
        let now = place();
        // With one digit more in its size it is longer.
        written_over += usize::from(now == before);
        assert!(now == before || now.1 > before.1, "{before:?} {now:?}");
    }
    assert!(written_over >= 10, "{written_over}");
    let checkpoint = std::fs::read_to_string(&kept).expect("a head");
    let newest = stage.gate.client.get("/api/v1/logs/decisions-main/checkpoint", Some(&stage.mara)).await;
    assert_eq!(newest.text, checkpoint, "the head beside the database is the newest");
}

#[tokio::test]
async fn a_disk_that_hangs_denies_in_seconds_and_holds_a_revoke() {
    proviso_tests::clauses!("c4-14-hangs");
    let stage = Stage::begin().await;
    let detail = stage.detail(&stage.exception).await;
    let grant = detail["exception"]["phase"]["grant"]["id"].as_str().expect("a grant").to_owned();
    stage.disk.fail_at(1, Failure::HANGS);
    let asked = write_file("report-writer", IN_SCOPE, "c");
    let reply = tokio::time::timeout(Duration::from_secs(60), stage.parties.evaluate(&asked)).await;
    let reply = reply.expect("an answer, whatever the disk does").json();
    assert!(is_unrecorded(&reply), "{reply}");
    assert!(!stage.ready().await, "ready over a disk that hangs");
    let body = json!({"reason": "stop"});
    let answer = stage.gate.client.post(&format!("/api/v1/grants/{grant}/revoke"), &stage.mara, &body).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "stop_unrecorded"), "{answer:?}");
    stage.disk.mend();
    until("the gate is ready again", async || {
        let reply = stage.parties.evaluate(&write_file("report-writer", APPROVED, "knock")).await.json();
        assert_ne!(reply["decision"], json!(true), "revoked, recorded or not: {reply}");
        stage.ready().await.then_some(())
    })
    .await;
    assert_eq!(stage.detail(&stage.exception).await["state"], json!("revoked"));
    assert!(audit(stage.gate.data()).status.success());
}

#[tokio::test]
async fn what_a_failed_sync_left_is_written_anew() {
    let stage = Stage::begin().await;
    let log = stage.gate.data().join("record.sqlite-wal");
    let size = || std::fs::metadata(&log).expect("a write-ahead log").len();
    for number in 0..30 {
        let call = write_file("report-writer", IN_SCOPE, &format!("c{number}"));
        assert_eq!(stage.parties.evaluate(&call).await.json()["decision"], json!(true));
    }
    let grown = size();
    stage.disk.fail_at(1, Failure::SYNC);
    let reply = stage.parties.evaluate(&write_file("report-writer", IN_SCOPE, "failed")).await.json();
    assert!(is_unrecorded(&reply) && stage.disk.failed() == 1, "{reply}");
    stage.recovered().await;
    // The pages that the system shows may never have reached the disk, and a later sync would not say so: the log was
    // taken over and begun anew.
    assert!(size() * 3 < grown, "{} bytes of {grown} are still built upon", size());
    let again = stage.parties.evaluate(&write_file("report-writer", IN_SCOPE, "again")).await.json();
    assert_eq!(again["decision"], json!(true), "{again}");
    assert_eq!(stage.disk.trusted_after_failure(), 0);
    assert!(audit(stage.gate.data()).status.success());
}

#[tokio::test]
async fn a_use_whose_record_failed_is_no_use_that_anybody_had() {
    let stage = Stage::begin().await;
    let data = stage.gate.data().to_owned();
    // Three uses in all: each is tried until its writes no longer fail, with every one of them failing in turn.
    let mut told = 0;
    for call in 1.. {
        assert!(call < MANY, "it never ends");
        stage.disk.fail_at(call, Failure::IO);
        let id = format!("use-{call}");
        let reply = stage.parties.evaluate(&write_file("report-writer", APPROVED, &id)).await.json();
        let failed = stage.disk.failed() > 0;
        stage.recovered().await;
        if !failed {
            break;
        }
        assert_ne!(reply["decision"], json!(true), "at call {call}: {reply}");
        told += 1;
        // What became durable all the same counts, and is never more than what was granted.
        let uses = proviso_tests::uses(&stage.detail(&stage.exception).await);
        assert!(uses.is_some_and(|uses| uses <= 3), "at call {call}: {uses:?}");
        if uses == Some(3) {
            break;
        }
    }
    assert!(told > 5, "too few calls failed to mean anything: {told}");
    assert_eq!(stage.disk.trusted_after_failure(), 0);
    let report: Value = serde_json::from_slice(&audit(&data).stdout).unwrap();
    assert_eq!(report["verified"], json!(true), "{report}");
    assert_eq!(report["uses"].as_u64(), proviso_tests::uses(&stage.detail(&stage.exception).await), "{report}");
}
