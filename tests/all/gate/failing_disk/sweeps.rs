//! Each write and each sync of a vote, of a revoke and of a start fails in its turn, by an error of the disk and by a disk
//! that is full. The nightly task takes every call of each (`PROVISO_DISK=each`); a change takes those of a start in
//! steps.

use super::*;

/// Of a start: every so-manieth call with each change, unless all are to be taken.
const STEP: usize = 5;

/// The step from one call to the next, where not all are taken.
fn step(sampled: usize) -> usize {
    if std::env::var("PROVISO_DISK").is_ok_and(|which| which == "each") { 1 } else { sampled }
}

/// Every call in its turn, until one act is through without a failure: how many failed.
async fn sweep(mut act: impl AsyncFnMut(i64, Failure) -> bool) -> usize {
    let mut failed = 0;
    for failure in [Failure::IO, Failure::FULL] {
        for call in 1.. {
            assert!(call < MANY, "it never ends");
            if !act(call, failure).await {
                break;
            }
            failed += 1;
        }
    }
    failed
}

/// A request of its own for each call.
async fn asked(stage: &Stage, call: i64, failure: Failure) -> (Value, String) {
    let of = if failure.lasts() { "full" } else { "error" };
    let wanted = write_file("report-writer", &format!("/srv/files/summaries/{of}-{call}.md"), &format!("{of}-{call}"));
    let id = stage.parties.ask(&wanted, None).await;
    (wanted, id)
}

#[tokio::test]
async fn a_vote_whose_record_failed_is_none_or_counts_once() {
    proviso_tests::clauses!("c4-14-fails");
    let stage = Stage::begin().await;
    let failed = sweep(async |call, failure| {
        let (_, id) = asked(&stage, call, failure).await;
        let ballot = stage.parties.ballot(&stage.mara, &id, "approve", None).await;
        let vote =
            async || stage.gate.client.post(&format!("/api/v1/exceptions/{id}/votes"), &stage.mara, &ballot).await;
        stage.disk.fail_at(call, failure);
        let answer = vote().await;
        let failed = stage.disk.failed() > 0;
        if failed {
            assert_eq!(
                (answer.status.as_u16(), answer.code().as_str()),
                (503, "record_unavailable"),
                "{failure:?} at {call}"
            );
            assert!(!failure.lasts() || !stage.ready().await, "ready on a full disk, at call {call}");
        } else {
            assert_eq!(answer.json()["state"], json!("granted"), "{answer:?}");
        }
        stage.recovered().await;
        let detail = stage.detail(&id).await;
        let votes = detail["exception"]["votes"].as_array().map_or(0, Vec::len);
        let granted = detail["state"] == json!("granted");
        assert_eq!(granted, votes == 1, "a grant is what its votes make, {failure:?} at call {call}: {detail}");
        // The same ballot again: one vote in the end.
        vote().await;
        let votes = stage.detail(&id).await["exception"]["votes"].as_array().map(Vec::len);
        assert!(votes <= Some(1), "{failure:?} at call {call}: {votes:?}");
        failed
    })
    .await;
    assert!(failed > 20, "too few calls failed to mean anything: {failed}");
    assert_eq!(stage.disk.trusted_after_failure(), 0);
    assert!(audit(stage.gate.data()).status.success());
}

#[tokio::test]
async fn a_revoke_whose_record_failed_holds_at_once_and_is_recorded_by_itself() {
    proviso_tests::clauses!("c4-14-fails");
    let stage = Stage::begin().await;
    let failed = sweep(async |call, failure| {
        let (wanted, id) = asked(&stage, call, failure).await;
        assert_eq!(stage.parties.vote(&stage.mara, &id, "approve", None).await.json()["state"], "granted");
        let grant = stage.detail(&id).await["exception"]["phase"]["grant"]["id"].as_str().expect("a grant").to_owned();
        stage.disk.fail_at(call, failure);
        let body = json!({"reason": "stop"});
        let answer = stage.gate.client.post(&format!("/api/v1/grants/{grant}/revoke"), &stage.mara, &body).await;
        let failed = stage.disk.failed() > 0;
        // Recorded or not: nothing honours it from here on.
        let used = async || stage.parties.evaluate(&wanted).await.json()["decision"].clone();
        if failed {
            // Over a disk that failed once it may be on record by now: that is tried again at once.
            let unrecorded = (answer.status.as_u16(), answer.code().as_str()) == (503, "stop_unrecorded");
            assert!(
                unrecorded || (!failure.lasts() && answer.status.is_success()),
                "{failure:?} at {call}: {answer:?}"
            );
            assert!(!failure.lasts() || !stage.ready().await, "ready on a full disk, at call {call}");
            assert_ne!(used().await, json!(true), "{failure:?} at call {call}");
        } else {
            assert!(answer.status.is_success(), "{answer:?}");
        }
        stage.disk.mend();
        until("the revoke is recorded", async || {
            // Whatever is asked lets what is held be tried again.
            assert_ne!(used().await, json!(true), "{failure:?} at call {call}");
            stage.ready().await.then_some(())
        })
        .await;
        assert_eq!(stage.detail(&id).await["state"], json!("revoked"), "{failure:?} at call {call}");
        failed
    })
    .await;
    assert!(failed > 10, "too few calls failed to mean anything: {failed}");
    assert_eq!(stage.disk.trusted_after_failure(), 0);
    assert!(audit(stage.gate.data()).status.success());
}

/// How a start's calls fail: the one call alone, it and all after it, and for want of room.
const OF_STARTS: [Failure; 3] = [Failure::BROKEN, Failure::IO, Failure::FULL];

#[tokio::test]
async fn a_start_whose_disk_fails_is_refused_and_the_next_one_works() {
    proviso_tests::clauses!("c4-14-fails");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let step = step(STEP);
    // One that has a record already, and one that has none but its keys.
    for recorded in [true, false] {
        if recorded {
            Binary::serve(&data).stop();
        }
        let mut refused = 0;
        for (number, call) in (1..).step_by(step).enumerate() {
            assert!(call < MANY, "it never ends");
            // With each change they take turns.
            let turn = number % OF_STARTS.len();
            let failures = if step == 1 { &OF_STARTS[..] } else { &OF_STARTS[turn..=turn] };
            let mut any = false;
            for failure in failures {
                let (failed, was_refused) = start(&data, recorded, call, *failure).await;
                any |= failed;
                refused += usize::from(was_refused);
            }
            if !any {
                break;
            }
        }
        assert!(refused > 2, "too few starts were refused to mean anything: {refused}");
    }
}

/// A start at which one call fails. Whether it did, and whether the start was refused.
async fn start(data: &Path, recorded: bool, call: i64, failure: Failure) -> (bool, bool) {
    if !recorded {
        // Nothing is there any more; another test's folder would do as well.
        let _ = std::fs::remove_dir_all(data);
        Binary::prepare(data);
    }
    let disk = FailingDisk::under(data);
    disk.fail_at(call, failure);
    let started = Binary::serve_over(data, &disk);
    let failed = disk.failed() > 0;
    let refused = started.is_err();
    if let Err(told) = &started {
        assert!(failed, "call {call}: {told}");
        let told: Value = serde_json::from_str(told.lines().next().unwrap_or_default()).unwrap_or_default();
        assert!(
            told["error"]["help"].as_str().is_some_and(|help| !help.is_empty()),
            "{failure:?} at call {call}: {told}"
        );
    }
    drop(started);
    // The disk is whole: the same folder starts, and its record verifies.
    let gate = Binary::serve(data);
    assert!(gate.client.get("/readyz", None).await.status.is_success(), "{failure:?} at call {call}");
    gate.kill();
    assert!(audit(data).status.success(), "{failure:?} at call {call}");
    (failed, refused)
}
