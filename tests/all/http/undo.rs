//! A decision taken back within a minute: what it brings, and who does not get it.

use proviso_tests::{Answer, Story, write_file};
use serde_json::{Value, json};

use super::{exception, refusal, refused, sizes};

const CALL: &str = "/srv/files/reports/undo.md";

async fn undo(story: &Story, person: &str, id: &str) -> Answer {
    story.client.post(&format!("/api/v1/exceptions/{id}/undo"), person, &json!({})).await
}

async fn open(story: &Story) -> String {
    story.ask(&write_file("report-writer", CALL, "u1"), None).await
}

fn sentences(detail: &Value) -> String {
    let lines = detail["history"].as_array().unwrap().iter();
    lines.map(|line| line["sentence"].as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn an_approval_that_is_undone_is_a_revoke_and_the_call_is_denied_at_once() {
    let story = Story::begin().await;
    let id = open(&story).await;
    let mara = story.gate.person("mara").await;
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    let detail = exception(&story, &mara, &id).await;
    assert!(detail["undo_until"].is_string(), "{detail:#}");
    // Whoever did not decide it revokes it, with a reason; there is nothing of theirs to undo.
    let ola = story.gate.person("ola").await;
    assert_eq!(refusal(&undo(&story, &ola, &id).await), refused(409, "nothing_to_undo"));
    let undone = undo(&story, &mara, &id).await;
    assert_eq!(undone.json()["state"], "revoked", "{undone:?}");
    assert_eq!(undone.json()["exception"], json!(id));
    let denied = story.evaluate(&write_file("report-writer", CALL, "u2")).await.json();
    assert_eq!(denied["decision"], false, "{denied:#}");
    let detail = exception(&story, &mara, &id).await;
    assert!(sentences(&detail).contains("revoked by User::mara"), "{detail:#}");
    assert_eq!(detail.get("undo_until"), None, "once is enough: {detail:#}");
    // The same wish again is done already, and no record.
    let before = sizes(&story);
    assert_eq!(undo(&story, &mara, &id).await.json()["state"], "revoked");
    assert_eq!(sizes(&story), before);
}

#[tokio::test]
async fn a_refusal_that_is_undone_opens_the_request_again_and_silences_nobody() {
    let story = Story::begin().await;
    let id = open(&story).await;
    let mara = story.gate.person("mara").await;
    assert_eq!(story.vote(&mara, &id, "refuse", None).await.json()["state"], "denied");
    let undone = undo(&story, &mara, &id).await;
    let next = undone.json()["exception"].as_str().unwrap().to_owned();
    assert_eq!(undone.json()["state"], "requested", "{undone:?}");
    assert_ne!(next, id, "what is denied stays denied");
    let (old, new) = (exception(&story, &mara, &id).await, exception(&story, &mara, &next).await);
    assert_eq!((old["state"].as_str(), old["reopened_as"].as_str()), (Some("denied"), Some(next.as_str())));
    assert_eq!((new["state"].as_str(), new["reopens"].as_str()), (Some("requested"), Some(id.as_str())));
    for part in ["scope", "justification", "requester", "question"] {
        assert_eq!(old["exception"]["request"][part], new["exception"]["request"][part], "{part}");
    }
    assert_eq!(new["exception"]["votes"], json!([]));
    assert!(sentences(&old).contains(&format!("it goes on as {next}")), "{old:#}");
    assert!(sentences(&new).contains(&format!("took back the refusal of {id}")), "{new:#}");
    // Twice is once.
    let before = sizes(&story);
    assert_eq!(undo(&story, &mara, &id).await.json()["exception"], json!(next));
    assert_eq!(sizes(&story), before);
    // The agent that asks again finds the open one, and is not told to be silent.
    assert_eq!(story.ask(&write_file("report-writer", CALL, "u3"), None).await, next);
    assert_eq!(story.vote(&mara, &next, "approve", None).await.json()["state"], "granted");
    let allowed = story.evaluate(&write_file("report-writer", CALL, "u4")).await.json();
    assert_eq!(allowed["decision"], true, "{allowed:#}");
}

#[tokio::test]
async fn after_a_minute_a_decision_stands() {
    let story = Story::begin().await;
    let (first, mara) = (open(&story).await, story.gate.person("mara").await);
    story.vote(&mara, &first, "refuse", None).await;
    story.gate.clock.advance(60);
    assert_eq!(refusal(&undo(&story, &mara, &first).await), refused(409, "undo_too_late"));
    let second = story.ask(&write_file("report-writer", "/srv/files/reports/other.md", "u5"), None).await;
    story.vote(&mara, &second, "approve", None).await;
    story.gate.clock.advance(60);
    assert_eq!(refusal(&undo(&story, &mara, &second).await), refused(409, "undo_too_late"));
    assert_eq!(exception(&story, &mara, &second).await["state"], "granted");
}

#[tokio::test]
async fn what_decided_nothing_has_nothing_to_undo() {
    let story = Story::begin().await;
    let (id, mara) = (open(&story).await, story.gate.person("mara").await);
    assert_eq!(refusal(&undo(&story, &mara, &id).await), refused(409, "nothing_to_undo"));
    story.vote(&mara, &id, "ask", None).await;
    assert_eq!(refusal(&undo(&story, &mara, &id).await), refused(409, "nothing_to_undo"));
    assert_eq!(refusal(&undo(&story, &mara, "exc_none").await), refused(404, "unknown_exception"));
}

#[tokio::test]
async fn a_reopened_request_is_there_after_a_restart() {
    let story = Story::begin().await;
    let (id, mara) = (open(&story).await, story.gate.person("mara").await);
    story.vote(&mara, &id, "refuse", None).await;
    let next = undo(&story, &mara, &id).await.json()["exception"].as_str().unwrap().to_owned();
    let clock = story.gate.clock.clone();
    let setup = proviso_tests::Setup { clock, ..proviso_tests::Setup::default() };
    let Story { gate, .. } = story;
    let story = Story::on(gate.again(setup).await).await;
    let mara = story.gate.person("mara").await;
    assert_eq!(exception(&story, &mara, &id).await["reopened_as"], json!(next));
}

/// A request of which two people of finance and security decide, and who they are.
async fn of_two(story: &Story) -> (String, String, String) {
    let two = story.ask(&proviso_tests::post_rows("report-writer", "finance/ledger-eu", 5, "w1"), None).await;
    (two, story.gate.person("mara").await, story.gate.person("ola").await)
}

#[tokio::test]
async fn an_approval_that_waits_is_taken_back_and_counts_no_more() {
    let story = Story::begin().await;
    let (two, mara, ola) = of_two(&story).await;
    // Nobody has voted: there is nothing of anybody's.
    assert_eq!(refusal(&undo(&story, &mara, &two).await), refused(409, "nothing_to_undo"));
    assert_eq!(story.vote(&mara, &two, "approve", None).await.json()["state"], "requested");
    let detail = exception(&story, &mara, &two).await;
    assert_eq!(
        detail["undo_until"], detail["exception"]["request"]["decide_by"],
        "for as long as it waits: {detail:#}"
    );
    let line =
        |list: Value| list["exceptions"].as_array().unwrap().iter().find(|line| line["id"] == json!(two)).cloned();
    let queue = || async { line(story.client.get("/api/v1/exceptions", Some(&mara)).await.json()).unwrap() };
    assert_eq!((&queue().await["votes"], queue().await["undo_until"].is_string()), (&json!(1), true));
    // Another person's vote is not theirs to take back.
    assert_eq!(refusal(&undo(&story, &ola, &two).await), refused(409, "nothing_to_undo"));
    // Long after the minute that a decision can be undone in.
    story.gate.clock.advance(600);
    let undone = undo(&story, &mara, &two).await;
    assert_eq!(
        (&undone.json()["state"], &undone.json()["exception"]),
        (&json!("requested"), &json!(two)),
        "{undone:?}"
    );
    let detail = exception(&story, &mara, &two).await;
    assert!(detail["exception"]["votes"][0]["withdrawn"].is_string(), "it stays on record: {detail:#}");
    assert!(sentences(&detail).contains("User::mara took the approval back"), "{detail:#}");
    assert_eq!((detail.get("undo_until"), &queue().await["votes"]), (None, &json!(0)));
    assert_eq!(detail["allowed"]["approve"], json!("yes"), "who took it back may decide again");
    // Twice is once.
    let before = sizes(&story);
    assert_eq!(undo(&story, &mara, &two).await.json()["state"], "requested");
    assert_eq!(sizes(&story), before);
    // The second approver stands there alone, and the call stays refused.
    assert_eq!(story.vote(&ola, &two, "approve", None).await.json()["state"], "requested");
    let denied = story.evaluate(&proviso_tests::post_rows("report-writer", "finance/ledger-eu", 5, "w2")).await;
    assert_eq!(denied.json()["decision"], false, "{denied:?}");
    // With the first one's new vote there are two.
    assert_eq!(story.vote(&mara, &two, "approve", None).await.json()["state"], "granted");
    // What made a grant is revoked, and no vote of it is taken back: not by who did not complete it a minute later.
    story.gate.clock.advance(60);
    assert_eq!(refusal(&undo(&story, &ola, &two).await), refused(409, "undo_too_late"));
    let verified =
        proviso_tests::Binary::run(&["audit", "verify", "--json", "--data", &story.gate.data().display().to_string()]);
    assert!(verified.status.success(), "{verified:?}");
}

#[tokio::test]
async fn a_sheet_that_showed_a_standing_approval_makes_no_vote_once_it_is_taken_back() {
    let story = Story::begin().await;
    let (two, mara, ola) = of_two(&story).await;
    story.vote(&mara, &two, "approve", None).await;
    let ballot = story.ballot(&ola, &two, "approve", None).await;
    let refusing = story.ballot(&ola, &two, "refuse", None).await;
    assert_eq!(undo(&story, &mara, &two).await.json()["state"], "requested");
    let votes = format!("/api/v1/exceptions/{two}/votes");
    let answer = story.client.post(&votes, &ola, &ballot).await;
    assert_eq!(refusal(&answer), refused(409, "stale_sheet"));
    assert!(answer.text.contains("taken back"), "{answer:?}");
    // The first one's ballot, sent again, is the vote that was taken back, and no new one.
    let before = sizes(&story);
    let again = story.ballot_at(&mara, &two, ballot["as_of"].as_u64().unwrap(), "approve", None).await;
    if let Some(again) = again {
        assert_ne!(story.client.post(&votes, &mara, &again).await.json()["state"], "granted");
    }
    assert_eq!(sizes(&story), before, "nothing was voted");
    // A refusal is as good as before.
    assert_eq!(story.client.post(&votes, &ola, &refusing).await.json()["state"], "denied");
}

#[tokio::test]
async fn a_vote_that_completes_and_one_that_is_taken_back_meet_in_either_order_and_never_make_half_a_grant() {
    let story = Story::begin().await;
    for round in 0..4 {
        let call = proviso_tests::post_rows("report-writer", "finance/ledger-eu", 5 + round, &format!("race{round}"));
        let two = story.ask(&call, None).await;
        let (mara, ola) = (story.gate.person("mara").await, story.gate.person("ola").await);
        story.vote(&mara, &two, "approve", None).await;
        let ballot = story.ballot(&ola, &two, "approve", None).await;
        let votes = format!("/api/v1/exceptions/{two}/votes");
        let (voted, undone) = tokio::join!(story.client.post(&votes, &ola, &ballot), undo(&story, &mara, &two));
        let detail = exception(&story, &mara, &two).await;
        match detail["state"].as_str() {
            // The vote came first: what was taken back is the grant, or there was nothing of hers to take back any more.
            Some("revoked" | "granted") => assert_eq!(voted.json()["state"], json!("granted"), "{voted:?} {undone:?}"),
            Some("requested") => {
                assert_eq!(undone.json()["state"], json!("requested"), "{undone:?}");
                assert!(voted.code() == "stale_sheet" || voted.json()["state"] == json!("requested"), "{voted:?}");
                assert_eq!(story.evaluate(&call).await.json()["decision"], false);
            }
            other => panic!("{other:?}: {voted:?} {undone:?}"),
        }
    }
}
