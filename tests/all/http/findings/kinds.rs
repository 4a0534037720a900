//! Each kind over HTTP, with its neighbour that is none.

use proviso_tests::{Story, write_file};
use serde_json::{Value, json};

use super::super::{granted, verdict};
use super::{finding, found, id_of, kinds, kinds_found, later, report, story_with, told, write_ran};

const DRAFT: &str = "/srv/files/drafts/a.md";
const REPORT: &str = "/srv/files/reports/b.md";
const NONE: [&str; 0] = [];

/// A call in scope, allowed. Its evaluation.
async fn allowed(story: &Story, path: &str, call: &str) -> String {
    let answer = story.evaluate(&write_file("report-writer", path, call)).await;
    assert!(verdict(&answer).0, "{answer:?}");
    answer.json()["context"]["evaluation_id"].as_str().unwrap().to_owned()
}

/// A word of the proxy on its own evaluation.
fn of(evaluation: &str, call: &str, phase: &str) -> Value {
    json!({"evaluation_id": evaluation, "call": call, "phase": phase})
}

#[tokio::test]
async fn what_the_tool_saw_and_the_gate_did_not_is_found() {
    proviso_tests::clauses!("c4-21-past-the-gate");
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let at_the_tool = story.gate.point("at-the-tool", &["files"]).await;
    allowed(&story, DRAFT, "c1").await;
    told(&story, &at_the_tool, &write_ran(&story, "t1", DRAFT, 1)).await;
    assert_eq!(kinds_found(&story, &mara).await, NONE, "the gate was asked for that one");
    // Started round the proxy, with the same tool and another file.
    told(&story, &at_the_tool, &write_ran(&story, "t2", REPORT, 1)).await;
    let findings = found(&story, &mara).await;
    assert_eq!(kinds(&findings), ["ran_without_decision"]);
    let detail = finding(&story, &mara, &id_of(&findings[0])).await;
    assert_eq!(detail["finding"]["strength"], "observed");
    assert_eq!(detail["finding"]["owner"], json!({"type": "User", "id": "tom"}), "who owns the agent");
    assert_eq!(detail["evidence"][0]["source"], "point:at-the-tool", "{detail:#}");
    assert_eq!(detail["decisions"], json!([]));
}

#[tokio::test]
async fn what_ran_after_a_denial_shows_the_denial_beside_it() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let denied = story.evaluate(&write_file("report-writer", REPORT, "c1")).await.json();
    assert_eq!(denied["decision"], false);
    told(&story, &story.point, &write_ran(&story, "t1", REPORT, 1)).await;
    let findings = found(&story, &mara).await;
    assert_eq!(kinds(&findings), ["ran_after_denial"]);
    let detail = finding(&story, &mara, &id_of(&findings[0])).await;
    assert_eq!(detail["decisions"][0]["evaluation_id"], denied["context"]["evaluation_id"], "{detail:#}");
    assert_eq!(detail["decisions"][0]["permitted"], false);
    // Its neighbour: another file in the same second, permitted by scope.
    allowed(&story, DRAFT, "c2").await;
    told(&story, &story.point, &write_ran(&story, "t2", DRAFT, 1)).await;
    assert_eq!(kinds_found(&story, &mara).await, ["ran_after_denial"]);
}

#[tokio::test]
async fn what_ran_otherwise_than_allowed_says_what_differs() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let evaluation = allowed(&story, DRAFT, "c1").await;
    let mut ran = write_ran(&story, "t1", DRAFT, 1);
    ran["evaluation_id"] = json!(evaluation);
    told(&story, &story.point, &ran).await;
    assert_eq!(kinds_found(&story, &mara).await, NONE);
    let evaluation = allowed(&story, "/srv/files/drafts/b.md", "c2").await;
    let mut ran = write_ran(&story, "t2", "/srv/files/drafts/c.md", 1);
    ran["evaluation_id"] = json!(evaluation);
    told(&story, &story.point, &ran).await;
    let findings = found(&story, &mara).await;
    assert_eq!(kinds(&findings), ["outside_conditions"]);
    assert!(findings[0]["says"].as_str().unwrap().contains("the arguments"), "{findings:#?}");
    // What the proxy says that it sends is held against it, too.
    let evaluation = allowed(&story, "/srv/files/drafts/d.md", "c3").await;
    let mut sending = of(&evaluation, "c3", "sending");
    sending["digest"] = json!("0".repeat(64));
    told(&story, &story.point, &sending).await;
    told(&story, &story.point, &of(&evaluation, "c3", "executed")).await;
    assert_eq!(kinds_found(&story, &mara).await, ["outside_conditions"; 2]);
}

#[tokio::test]
async fn an_allow_and_a_grant_end_and_what_begins_later_is_found() {
    let story = Story::begin().await;
    let (id, mara) = granted(&story).await;
    let ran = |evaluation: &str, name: &str, seconds: i64| {
        let mut ran = write_ran(&story, name, REPORT, seconds);
        ran["evaluation_id"] = json!(evaluation);
        ran
    };
    let first = allowed(&story, REPORT, "u1").await;
    story.gate.clock.advance(35);
    // Five seconds of the allow, and thirty of another clock.
    told(&story, &story.point, &ran(&first, "t1", 0)).await;
    assert_eq!(kinds_found(&story, &mara).await, NONE);
    let second = allowed(&story, REPORT, "u2").await;
    story.gate.clock.advance(36);
    told(&story, &story.point, &ran(&second, "t2", 0)).await;
    assert_eq!(kinds_found(&story, &mara).await, ["after_expiry"]);
    // Revoked right after the allow: what begins then is after a revocation.
    let third = allowed(&story, REPORT, "u3").await;
    let detail = super::super::exception(&story, &mara, &id).await;
    let grant = detail["exception"]["phase"]["grant"]["id"]
        .as_str()
        .or(detail["exception"]["phase"]["grant"]["grant"]["id"].as_str());
    let path = format!("/api/v1/grants/{}/revoke", grant.unwrap_or_else(|| panic!("{detail:#}")));
    let revoked = story.client.post(&path, &mara, &json!({"reason": "no more"})).await;
    assert!(revoked.status.is_success(), "{revoked:?}");
    story.gate.clock.advance(37);
    told(&story, &story.point, &ran(&third, "t3", 0)).await;
    assert_eq!(kinds_found(&story, &mara).await, ["after_expiry", "after_revocation"]);
}

#[tokio::test]
async fn one_allow_is_for_one_call_whoever_tells_of_it() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let evaluation = allowed(&story, DRAFT, "c1").await;
    for phase in ["sending", "executed", "executed"] {
        told(&story, &story.point, &of(&evaluation, "c1", phase)).await;
    }
    let mut word = of(&evaluation, "c1", "executed");
    told(&story, &story.agent, &word).await;
    assert_eq!(kinds_found(&story, &mara).await, NONE, "the same call, told by two");
    word["call"] = json!("c1-again");
    told(&story, &story.point, &word).await;
    assert_eq!(kinds_found(&story, &mara).await, ["more_often"]);
}

#[tokio::test]
async fn a_point_that_declares_to_report_has_to() {
    let story = story_with("reports_within = { proxy = \"5m\" }").await;
    let mara = story.gate.person("mara").await;
    let undeclared = story.gate.point("gateway", &["files"]).await;
    let call = write_file("report-writer", "/srv/files/drafts/b.md", "c2");
    let other = story.client.post_for("/access/v1/evaluation", &undeclared, &story.agent, &call).await;
    assert!(verdict(&other).0);
    let evaluation = allowed(&story, DRAFT, "c1").await;
    story.gate.clock.advance(304);
    assert_eq!(kinds_found(&story, &mara).await, NONE);
    story.gate.clock.advance(1);
    let findings = found(&story, &mara).await;
    assert_eq!(kinds(&findings), ["never_ran"]);
    // The agent's word comes late and ends no silence; the point's own word does.
    told(&story, &story.agent, &of(&evaluation, "c1", "executed")).await;
    assert_eq!(kinds_found(&story, &mara).await, ["never_ran"]);
    told(&story, &story.point, &of(&evaluation, "c1", "executed")).await;
    assert_eq!(kinds_found(&story, &mara).await, NONE);
    let detail = finding(&story, &mara, &id_of(&findings[0])).await;
    assert_eq!((&detail["finding"]["state"], &detail["finding"]["outcome"]), (&json!("resolved"), &json!("explained")));
}

#[tokio::test]
async fn a_grant_that_ends_unused_is_found_and_a_used_one_is_not() {
    let story = Story::begin().await;
    let (id, mara) = granted(&story).await;
    story.gate.clock.advance(5 * 3_600);
    let mara_again = story.gate.person("mara").await;
    let findings = found(&story, &mara_again).await;
    assert_eq!(kinds(&findings), ["grant_never_used"]);
    assert_eq!(findings[0]["exception"], id);
    let story = Story::begin().await;
    let (_, _) = granted(&story).await;
    allowed(&story, REPORT, "u1").await;
    story.gate.clock.advance(5 * 3_600);
    let mara_again = story.gate.person("mara").await;
    assert_eq!(kinds_found(&story, &mara_again).await, NONE);
    drop(mara);
}

#[tokio::test]
async fn a_call_that_began_and_was_never_heard_of_is_found_and_its_end_closes_that() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let evaluation = allowed(&story, DRAFT, "c1").await;
    told(&story, &story.point, &of(&evaluation, "c1", "sending")).await;
    story.gate.clock.advance(59);
    assert_eq!(kinds_found(&story, &mara).await, NONE);
    story.gate.clock.advance(1);
    assert_eq!(kinds_found(&story, &mara).await, ["outcome_unknown"]);
    // A weaker word closes nothing that a stronger one opened.
    told(&story, &story.agent, &of(&evaluation, "c1", "executed")).await;
    assert_eq!(kinds_found(&story, &mara).await, ["outcome_unknown"]);
    told(&story, &story.point, &of(&evaluation, "c1", "failed")).await;
    assert_eq!(kinds_found(&story, &mara).await, NONE);
}

#[tokio::test]
async fn one_identity_is_in_one_task_and_on_one_host_at_a_time() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let other_task = story.gate.agent("report-writer", "another-task", Some("ines")).await;
    let ran = async |agent: &str, name: &str, path: &str, host: &str, from: i64, to: i64| {
        let mut ran = write_ran(&story, name, path, from);
        ran.as_object_mut().unwrap().remove("subject");
        ran["ended_at"] = json!(later(&story, to));
        ran["host"] = json!(host);
        let answer = story.client.post_for("/api/v1/executions", &story.point, agent, &ran).await;
        assert_eq!(answer.status.as_u16(), 204, "{answer:?}");
    };
    let asked = async |agent: &str, path: &str, call: &str| {
        let call = write_file("report-writer", path, call);
        assert!(verdict(&story.client.post_for("/access/v1/evaluation", &story.point, agent, &call).await).0);
    };
    let path = |name: &str| format!("/srv/files/drafts/{name}.md");
    for (agent, name) in [(&story.agent, "a"), (&other_task, "b"), (&story.agent, "c"), (&other_task, "d")] {
        asked(agent, &path(name), name).await;
    }
    ran(&story.agent, "t1", &path("a"), "h1", 1, 3).await;
    ran(&other_task, "t2", &path("b"), "h1", 3, 4).await;
    assert_eq!(kinds_found(&story, &mara).await, NONE, "one after the other");
    ran(&story.agent, "t3", &path("c"), "h1", 5, 8).await;
    ran(&other_task, "t4", &path("d"), "h2", 6, 7).await;
    let findings = found(&story, &mara).await;
    assert_eq!(kinds(&findings), ["several_hosts", "several_tasks"]);
    let says: Vec<&str> = findings.iter().filter_map(|finding| finding["says"].as_str()).collect();
    assert!(says.iter().any(|says| says.contains("another-task") && says.contains("weekly-report")), "{says:?}");
    assert!(says.iter().any(|says| says.contains("h1, h2")), "{says:?}");
}

#[tokio::test]
async fn two_alike_in_one_second_are_covered_or_called_ambiguous() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let at_the_tool = story.gate.point("at-the-tool", &["files"]).await;
    allowed(&story, DRAFT, "c1").await;
    allowed(&story, DRAFT, "c2").await;
    told(&story, &at_the_tool, &write_ran(&story, "t1", DRAFT, 0)).await;
    told(&story, &at_the_tool, &write_ran(&story, "t2", DRAFT, 0)).await;
    assert_eq!(kinds_found(&story, &mara).await, NONE);
    told(&story, &at_the_tool, &write_ran(&story, "t3", DRAFT, 0)).await;
    let findings = found(&story, &mara).await;
    assert_eq!(kinds(&findings), ["more_often"]);
    assert_eq!(findings[0]["ambiguous"], true, "{findings:#?}");
    let detail = finding(&story, &mara, &id_of(&findings[0])).await;
    assert_eq!(detail["decisions"].as_array().unwrap().len(), 2, "both that it may be");
    assert!(report(&story, &at_the_tool, &write_ran(&story, "t3", DRAFT, 0)).await.status.is_success());
}
