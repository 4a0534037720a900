//! Who may bring which evidence, what it is worth, and that the same counts once.

use proviso::app::Operator;
use proviso::identity::MintRequest;
use proviso::reconcile::Said;
use proviso_tests::{AGENTS, Setup, Story, write_file};
use serde_json::{Value, json};

use super::super::{denied, refusal, refused, sizes, verdict};
use super::{finding, found, id_of, kinds_found, later, report, story_with, told, write_ran};

const REPORT: &str = "/srv/files/reports/b.md";
const DRAFT: &str = "/srv/files/drafts/a.md";

#[tokio::test]
async fn r3_nobody_brings_evidence_under_anothers_evaluation() {
    let story = Story::begin().await;
    let other = story.gate.agent("ledger-bot", "other", None).await;
    let call = write_file("report-writer", DRAFT, "c1");
    let evaluation = story.evaluate(&call).await.json()["context"]["evaluation_id"].clone();
    let (name, servers) = ("narrow".to_owned(), vec!["files".to_owned()]);
    let subjects = format!("Agent::{AGENTS}ledger-*");
    let narrow = story
        .gate
        .mint(MintRequest::EnforcementPoint { name, subjects, servers, vouches: false, resource: None })
        .await;
    let before = sizes(&story);
    for token in [&other, &narrow] {
        let mut ran = write_ran(&story, "t1", DRAFT, 0);
        ran["subject"]["id"] = json!(format!("{AGENTS}ledger-bot"));
        ran["task"] = json!("other");
        ran["evaluation_id"] = evaluation.clone();
        assert_eq!(refusal(&report(&story, token, &ran).await), refused(403, "not_for_this_subject"));
    }
    assert_eq!(sizes(&story), before);
}

#[tokio::test]
async fn r3_nobody_brings_evidence_of_what_is_not_theirs() {
    let story = Story::begin().await;
    let at_the_tool = story.gate.point("at-the-tool", &["files"]).await;
    let before = sizes(&story);
    let ran = |change: fn(&mut Value)| {
        let mut ran = write_ran(&story, "t1", REPORT, 0);
        change(&mut ran);
        ran
    };
    for (what, token, body, status, code) in [
        (
            "another's subject",
            &at_the_tool,
            ran(|r| r["subject"]["id"] = json!("elsewhere")),
            403,
            "not_for_this_subject",
        ),
        (
            "nobody's",
            &at_the_tool,
            ran(|r| drop(r.as_object_mut().unwrap().remove("subject"))),
            403,
            "not_for_this_subject",
        ),
        ("another server", &at_the_tool, ran(|r| r["server"] = json!("ledger")), 403, "not_for_this_server"),
        ("no server", &at_the_tool, ran(|r| drop(r.as_object_mut().unwrap().remove("server"))), 400, "server_needed"),
        (
            "another agent's",
            &story.agent,
            ran(|r| r["subject"]["id"] = json!(format!("{AGENTS}ledger-bot"))),
            400,
            "claim_conflict",
        ),
        ("another task's", &story.agent, ran(|r| r["task"] = json!("another-task")), 400, "claim_conflict"),
        ("no action", &at_the_tool, ran(|r| drop(r.as_object_mut().unwrap().remove("action"))), 400, "bad_evidence"),
        ("odd name", &at_the_tool, ran(|r| r["evidence_id"] = json!("a b")), 400, "bad_evidence"),
        ("tomorrow", &at_the_tool, ran(|r| r["started_at"] = json!("2027-11-22T12:00:00Z")), 400, "bad_evidence"),
        ("backwards", &at_the_tool, ran(|r| r["ended_at"] = json!("2025-11-22T12:00:00Z")), 400, "bad_evidence"),
        ("no phase", &at_the_tool, ran(|r| r["phase"] = json!("ran")), 400, "bad_shape"),
        ("an array for a subject", &at_the_tool, ran(|r| r["subject"] = json!(["Agent", "x"])), 400, "bad_shape"),
    ] {
        assert_eq!(refusal(&report(&story, token, &body).await), refused(status, code), "{what}");
    }
    let answer = report(&story, "pvp_0.0", &ran(|_| {})).await;
    assert_eq!(refusal(&answer), refused(401, "unauthenticated"));
    // Who speaks of an agent by its token says no other subject.
    let mut other = ran(|_| {});
    other["subject"]["id"] = json!(format!("{AGENTS}ledger-bot"));
    let answer = story.client.post_for("/api/v1/executions", &story.point, &story.agent, &other).await;
    assert_eq!(refusal(&answer), refused(400, "claim_conflict"));
    assert_eq!(sizes(&story), before, "none of it is on record");
}

#[tokio::test]
async fn the_same_counts_once_and_something_else_under_its_name_is_refused() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let at_the_tool = story.gate.point("at-the-tool", &["files"]).await;
    let ran = write_ran(&story, "t1", REPORT, 0);
    told(&story, &at_the_tool, &ran).await;
    let findings = found(&story, &mara).await;
    let before = sizes(&story);
    for _ in 0..3 {
        told(&story, &at_the_tool, &ran).await;
    }
    // Eight at once are one as well.
    let fresh = write_ran(&story, "t2", REPORT, 0);
    let all = (0..8).map(|_| report(&story, &at_the_tool, &fresh));
    for answer in futures::future::join_all(all).await {
        assert_eq!(answer.status.as_u16(), 204, "{answer:?}");
    }
    assert_eq!(sizes(&story), [before[0], before[1] + 1]);
    let mut other = ran.clone();
    other["input_digest"] = json!("0".repeat(64));
    assert_eq!(refusal(&report(&story, &at_the_tool, &other).await), refused(409, "evidence_conflict"));
    // A new credential of the same point is the same source.
    let again = story.gate.point("at-the-tool", &["files"]).await;
    told(&story, &again, &ran).await;
    assert_eq!(sizes(&story), [before[0] + 1, before[1] + 1], "the credential alone is new");
    // And a restart knows it as well, and finds nothing twice.
    let ids: Vec<String> = found(&story, &mara).await.iter().map(id_of).collect();
    assert!(ids.contains(&id_of(&findings[0])));
    let clock = story.gate.clock.clone();
    let token = at_the_tool.clone();
    let Story { gate, .. } = story;
    let gate = gate.again(Setup { clock, ..Setup::default() }).await;
    let story = Story::on(gate).await;
    let sizes_before = sizes(&story);
    let mara = story.gate.person("mara").await;
    told(&story, &token, &ran).await;
    let after: Vec<String> = found(&story, &mara).await.iter().map(id_of).collect();
    assert_eq!(after, ids);
    assert_eq!(sizes(&story)[1], sizes_before[1]);
}

#[tokio::test]
async fn r11_reported_evidence_opens_a_finding_at_most_and_stronger_evidence_acts() {
    let story = story_with("on = { ran_without_decision = \"lock_subject\" }").await;
    let mara = story.gate.person("mara").await;
    // The agent's own word, of something that nobody asked for.
    told(&story, &story.agent, &write_ran(&story, "own-1", REPORT, 0)).await;
    let findings = found(&story, &mara).await;
    assert_eq!((&findings[0]["strength"], &findings[0]["acted"]), (&json!("reported"), &json!([])), "{findings:#?}");
    assert!(verdict(&story.evaluate(&write_file("report-writer", DRAFT, "c1")).await).0, "nothing is stopped");
    // The same from where it ran: now the bundle's word holds, at once.
    told(&story, &story.point, &write_ran(&story, "t1", REPORT, 0)).await;
    let findings = found(&story, &mara).await;
    let acted: Vec<&Value> = findings.iter().filter(|finding| finding["acted"] == json!(["lock_subject"])).collect();
    assert_eq!((findings.len(), acted.len()), (2, 1), "{findings:#?}");
    assert_eq!(verdict(&story.evaluate(&write_file("report-writer", DRAFT, "c2")).await), denied("locked"));
    let locks = story.client.get("/api/v1/locks", Some(&mara)).await.json();
    assert_eq!(locks["locks"][0]["by"], json!({"type": "gate", "id": "reconcile"}), "{locks:#}");
    assert!(locks["locks"][0]["reason"].as_str().unwrap().contains(&id_of(acted[0])));
    // It acts once: another look sets no second lock.
    let before = sizes(&story);
    found(&story, &mara).await;
    assert_eq!(sizes(&story), before);
}

#[tokio::test]
async fn receipts_that_nobody_can_account_for_are_found() {
    proviso_tests::clauses!("c4-22-orphan-receipts");
    let story = story_with("on = { ran_after_denial = \"lock_subject\" }").await;
    let mara = story.gate.person("mara").await;
    let operator = Operator { uid: 4242, name: "tester".to_owned() };
    let said = |body: Value| -> Said { serde_json::from_value(body).unwrap() };
    let receipt = |path: &str, seconds: i64| {
        let mut receipt = write_ran(&story, "", path, seconds);
        receipt.as_object_mut().unwrap().remove("evidence_id");
        said(receipt)
    };
    assert!(verdict(&story.evaluate(&write_file("report-writer", DRAFT, "c1")).await).0);
    assert!(!verdict(&story.evaluate(&write_file("report-writer", REPORT, "c2")).await).0);
    let all = vec![
        ("r1".to_owned(), receipt(DRAFT, 1)),
        ("r2".to_owned(), receipt("/srv/files/drafts/never-asked.md", 1)),
        ("r3".to_owned(), receipt(REPORT, 1)),
    ];
    let brought = story.gate.app.bring_evidence(&operator, "files-audit", all.clone()).await.unwrap();
    assert_eq!((brought.recorded, brought.known), (3, 0));
    let brought = story.gate.app.bring_evidence(&operator, "files-audit", all).await.unwrap();
    assert_eq!((brought.recorded, brought.known), (0, 3), "the same file again");
    let findings = found(&story, &mara).await;
    assert_eq!(super::kinds(&findings), ["ran_after_denial", "ran_without_decision"]);
    assert!(findings.iter().all(|finding| finding["strength"] == "system_of_record"), "{findings:#?}");
    assert_eq!(verdict(&story.evaluate(&write_file("report-writer", DRAFT, "c3")).await), denied("locked"));
    // And a grant that was never closed by a use: the other half.
    let orphan = findings.iter().find(|finding| finding["kind"] == "ran_without_decision").unwrap();
    let detail = finding(&story, &mara, &id_of(orphan)).await;
    assert_eq!(detail["evidence"][0]["source"], "system:files-audit");
    // All or nothing: one that cannot be leaves none.
    let before = sizes(&story);
    let mut bad = receipt(DRAFT, 1);
    bad.action = None;
    let both = vec![("r8".to_owned(), receipt(DRAFT, 1)), ("r9".to_owned(), bad)];
    assert_eq!(story.gate.app.bring_evidence(&operator, "files-audit", both).await.unwrap_err().code, "bad_evidence");
    assert_eq!(sizes(&story), before);
}

#[tokio::test]
async fn late_evidence_opens_again_what_was_closed() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let at_the_tool = story.gate.point("at-the-tool", &["files"]).await;
    assert!(verdict(&story.evaluate(&write_file("report-writer", DRAFT, "c1")).await).0);
    let first = write_ran(&story, "t1", DRAFT, 0);
    let second = write_ran(&story, "t2", DRAFT, 1);
    let third = write_ran(&story, "t3", DRAFT, 2);
    told(&story, &at_the_tool, &first).await;
    told(&story, &at_the_tool, &second).await;
    let findings = found(&story, &mara).await;
    let id = id_of(&findings[0]);
    assert_eq!(findings[0]["kind"], "more_often");
    let closing = json!({"state": "resolved", "outcome": "expected", "note": "a retry, as agreed"});
    let path = format!("/api/v1/findings/{id}/state");
    assert!(story.client.post(&path, &mara, &closing).await.status.is_success());
    assert_eq!(kinds_found(&story, &mara).await, Vec::<String>::new(), "what a person closed stays closed");
    // An hour later a third one comes to light.
    story.gate.clock.advance(1_800);
    told(&story, &at_the_tool, &third).await;
    assert_eq!(kinds_found(&story, &mara).await, ["more_often"]);
    let detail = finding(&story, &mara, &id).await;
    assert_eq!(detail["evidence"].as_array().unwrap().len(), 3);
    let kinds: Vec<&str> = detail["history"].as_array().unwrap().iter().filter_map(|s| s["kind"].as_str()).collect();
    let expected = ["finding_opened", "finding_state_changed", "finding_evidence_added", "finding_state_changed"];
    assert_eq!(kinds, expected, "{detail:#}");
    assert!(later(&story, 0) > later(&story, -1));
}

#[tokio::test]
async fn an_agent_fills_no_list_by_talking() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    for number in 0..30 {
        let path = format!("/srv/files/reports/{number}.md");
        told(&story, &story.agent, &write_ran(&story, &format!("own-{number}"), &path, 0)).await;
    }
    let findings = found(&story, &mara).await;
    assert_eq!(findings.len(), 20);
    // What was observed finds its place all the same.
    told(&story, &story.point, &write_ran(&story, "t1", REPORT, 0)).await;
    assert_eq!(found(&story, &mara).await.len(), 21);
    // As one is resolved, the next one comes.
    let closing = json!({"state": "resolved", "outcome": "expected", "note": "seen"});
    let own = findings.first().map(id_of).unwrap();
    assert!(story.client.post(&format!("/api/v1/findings/{own}/state"), &mara, &closing).await.status.is_success());
    assert_eq!(found(&story, &mara).await.len(), 21);
}
