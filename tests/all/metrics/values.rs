//! That each number says what it is said to say, also after a restart, and names nobody.

use std::collections::BTreeMap;

use proviso_tests::{Client, Setup, Story, TestGate, post_rows, sample_bundle, write_file};
use serde_json::json;

use super::told;

const REPORT: &str = "/srv/files/reports/a.md";

/// These samples, by their names with their labels.
fn of<const N: usize>(told: &BTreeMap<String, f64>, names: [&str; N]) -> [f64; N] {
    names.map(|name| *told.get(name).unwrap_or_else(|| panic!("no `{name}` among {:#?}", told.keys())))
}

#[tokio::test]
async fn what_waits_grows_old_until_somebody_decides() {
    let story = Story::begin().await;
    let pending = |tier: &str| {
        [format!("proviso_pending{{tier=\"{tier}\"}}"), format!("proviso_pending_age_seconds{{tier=\"{tier}\"}}")]
    };
    let waits = async |client: &Client, tier: &str| {
        let [number, age] = pending(tier);
        of(&told(client).await, [number.as_str(), age.as_str()])
    };
    for tier in ["low", "medium", "high", "sealed"] {
        assert_eq!(waits(&story.client, tier).await, [0.0, 0.0], "{tier}: a tier that nobody waits in is there");
    }
    let first = story.ask(&write_file("report-writer", REPORT, "ask"), None).await;
    let tier = tier_of(&story, &first).await;
    story.gate.clock.advance(40);
    let second = story.ask(&write_file("report-writer", "/srv/files/summaries/b.md", "ask-2"), None).await;
    assert_eq!(tier_of(&story, &second).await, tier);
    story.gate.clock.advance(60);
    assert_eq!(waits(&story.client, &tier).await, [2.0, 100.0], "the oldest counts");

    let mara = story.gate.person("mara").await;
    assert_eq!(story.vote(&mara, &first, "approve", None).await.json()["state"], "granted");
    assert_eq!(waits(&story.client, &tier).await, [1.0, 60.0]);
    story.gate.clock.advance(300);
    assert_eq!(story.vote(&mara, &second, "refuse", None).await.json()["state"], "denied");
    assert_eq!(waits(&story.client, &tier).await, [0.0, 0.0]);

    let took = |decision: &str, le: &str| {
        format!("proviso_time_to_decide_seconds_bucket{{decision=\"{decision}\",le=\"{le}\"}}")
    };
    let counted = |told: &BTreeMap<String, f64>| {
        let names =
            [("granted", "60.0"), ("granted", "300.0"), ("denied", "300.0"), ("denied", "900.0"), ("denied", "+Inf")];
        names.map(|(decision, le)| told[&took(decision, le)])
    };
    let before = told(&story.client).await;
    assert_eq!(counted(&before), [0.0, 1.0, 0.0, 1.0, 1.0]);
    let sums = ["granted", "denied"]
        .map(|decision| before[&format!("proviso_time_to_decide_seconds_sum{{decision=\"{decision}\"}}")]);
    assert_eq!(sums, [100.0, 360.0]);
    // The record holds it, so a restart loses nothing of it.
    let setup = Setup { clock: story.gate.clock.clone(), ..Setup::default() };
    let story = Story::on(story.gate.again(setup).await).await;
    assert_eq!(counted(&told(&story.client).await), [0.0, 1.0, 0.0, 1.0, 1.0]);
}

async fn tier_of(story: &Story, id: &str) -> String {
    let mara = story.gate.person("mara").await;
    let detail = story.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await.json();
    detail["exception"]["terms"]["tier"].as_str().expect("a tier").to_owned()
}

#[tokio::test]
async fn a_request_whose_time_is_over_waits_for_nobody() {
    let story = Story::begin().await;
    story.ask(&write_file("report-writer", REPORT, "ask"), None).await;
    let waiting = async || {
        let told = told(&story.client).await;
        told.iter().filter(|(name, _)| name.starts_with("proviso_pending{")).map(|(_, number)| number).sum::<f64>()
    };
    assert_eq!(waiting().await, 1.0);
    // Nothing is recorded of it yet: that it is over is a comparison.
    story.gate.clock.advance(7 * 86_400);
    assert_eq!(waiting().await, 0.0);
}

#[tokio::test]
async fn decisions_are_counted_by_outcome_and_heads_grow_old() {
    let story = Story::begin().await;
    for (path, times) in [("/srv/files/drafts/a.md", 2), (REPORT, 1), ("/srv/files/.hidden", 1)] {
        for _ in 0..times {
            story.evaluate(&write_file("report-writer", path, "c")).await;
        }
    }
    let outcome = |word: &str| format!("proviso_decisions_total{{outcome=\"{word}\"}}");
    let first = told(&story.client).await;
    let counts = ["permitted_by_scope", "requestable_denial", "denial"].map(|word| first[&outcome(word)]);
    assert_eq!(counts, [2.0, 1.0, 1.0]);
    assert_eq!(of(&first, ["proviso_log_records{log=\"decisions/main\"}"]), [4.0]);
    story.gate.clock.advance(90);
    let ages = ["proviso_head_age_seconds{log=\"ledger\"}", "proviso_head_age_seconds{log=\"decisions/main\"}"];
    assert_eq!(of(&told(&story.client).await, ages), [90.0, 90.0]);
    story.evaluate(&write_file("report-writer", REPORT, "c")).await;
    assert_eq!(of(&told(&story.client).await, ages), [90.0, 0.0], "a head is signed with each record");
}

#[tokio::test]
async fn what_is_stopped_is_told_by_what_stops_it() {
    let story = Story::begin().await;
    let call = write_file("report-writer", REPORT, "ask");
    let id = story.ask(&call, Some("/srv/files/reports")).await;
    let ola = story.gate.person("ola").await;
    let mara = story.gate.person("mara").await;
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    let names = [
        "proviso_suspended",
        "proviso_locks{target=\"task\"}",
        "proviso_locks{target=\"server\"}",
        "proviso_clock_doubted",
    ];
    assert_eq!(of(&told(&story.client).await, names), [0.0; 4]);

    let body = json!({"target": {"task": "weekly-report"}, "reason": "look first"});
    let locked = story.client.post("/api/v1/locks", &ola, &body).await;
    assert_eq!(locked.status.as_u16(), 201, "{locked:?}");
    assert_eq!(of(&told(&story.client).await, names), [0.0, 1.0, 0.0, 0.0]);

    // Another bundle would not grant it on one vote.
    let mut bundle = sample_bundle();
    let requests = bundle.get_mut("approval/request/files.cedar").expect("the terms of the files");
    *requests = requests.replace(r#"@approvals("1")"#, r#"@approvals("2")"#);
    let setup = Setup { bundle, clock: story.gate.clock.clone(), activate: true, ..Setup::default() };
    let story = Story::on(story.gate.again(setup).await).await;
    let mara = story.gate.person("mara").await;
    let detail = story.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await.json();
    assert_eq!(detail["state"], "suspended", "{detail}");
    assert_eq!(of(&told(&story.client).await, names), [1.0, 1.0, 0.0, 0.0], "locks outlive a restart");

    story.gate.clock.set_back(31);
    assert_eq!(of(&told(&story.client).await, names), [1.0, 1.0, 0.0, 1.0]);
}

#[tokio::test]
async fn nobody_is_named_whoever_asks() {
    let story = Story::begin().await;
    let id = story.ask(&write_file("report-writer", REPORT, "ask"), None).await;
    story.evaluate(&post_rows("report-writer", "finance/ledger-eu", 5, "c")).await;
    let ola = story.gate.person("ola").await;
    let body = json!({"target": {"task": "weekly-report"}, "reason": "look first"});
    story.client.post("/api/v1/locks", &ola, &body).await;
    let text = story.client.get("/metrics", None).await.text;
    for word in ["spiffe", "report-writer", "weekly-report", "ola", "ines", "mara", "ledger-eu", "look first", &id] {
        assert!(!text.contains(word), "`{word}` in {text}");
    }
}

#[tokio::test]
async fn a_gate_that_cannot_write_says_why_it_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let gate = proviso_tests::Binary::serve(&folder.path().join("data"));
    let parties = crate::gate::parties(&gate);
    let names = [
        "proviso_ready{of=\"record\"}",
        "proviso_not_ready{reason=\"record_unavailable\"}",
        "proviso_not_ready{reason=\"stop_unrecorded\"}",
    ];
    assert_eq!(of(&told(&gate.client).await, names), [1.0, 0.0, 0.0]);
    gate.fill_disk();
    parties.evaluate(&write_file("report-writer", "/srv/files/drafts/a.md", "c")).await;
    let told = told(&gate.client).await;
    assert_eq!(of(&told, names), [0.0, 1.0, 0.0]);
    assert_eq!(of(&told, ["proviso_decisions_total{outcome=\"unrecorded\"}"]), [1.0]);
}

#[tokio::test]
async fn an_empty_log_has_no_age() {
    let gate = TestGate::start().await;
    let told = told(&gate.client).await;
    assert!(!told.contains_key("proviso_head_age_seconds{log=\"decisions/main\"}"), "{told:?}");
    assert!(told.contains_key("proviso_head_age_seconds{log=\"ledger\"}"), "{told:?}");
}
