//! Where policy demands a copy, no allow leaves before one holds its record.

use std::fs;

use proviso_tests::{AGENTS, sample_bundle};

use super::stores::{Shop, collector};
use super::*;

const FILE: &str = "/srv/files/reports/a.md";

fn setup(record: Record) -> Setup {
    let mut bundle = sample_bundle();
    if let Some(config) = bundle.get_mut("bundle.toml") {
        config.push_str("\n[record]\nwait_for_copy = [\"medium\"]\n");
    }
    Setup { bundle, record, ..Setup::default() }
}

/// Asks for writes in a folder and has them granted.
async fn granted(story: &Story) -> (String, String) {
    let id = story.ask(&write_file("report-writer", FILE, "ask"), Some("/srv/files/reports")).await;
    let mara = story.gate.person("mara").await;
    let answer = story.vote(&mara, &id, "approve", None).await;
    assert_eq!(answer.json()["state"], "granted", "{answer:?}");
    (id, mara)
}

async fn write(story: &Story, call: &str) -> Value {
    story.evaluate(&write_file("report-writer", FILE, call)).await.json()
}

#[tokio::test]
async fn an_allow_leaves_when_a_copy_holds_its_record_and_not_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("copy");
    let story = Story::on(TestGate::with(setup(folder_copy(&copy))).await).await;
    let (id, mara) = granted(&story).await;
    for call in ["u1", "u2"] {
        let answer = write(&story, call).await;
        assert_eq!(answer["decision"], json!(true), "{answer}");
        // At this moment the copy alone says what was allowed.
        let evaluation = answer["context"]["evaluation_id"].as_str().expect("an id").to_owned();
        assert_eq!(checked(&copy).0, Some(0));
        let payloads = fs::read_to_string(copy.join("decisions/main/payloads/000.jsonl")).expect("payloads");
        assert!(payloads.contains(&evaluation), "{evaluation}");
    }
    // The copy goes away.
    let away = folder.path().join("away");
    fs::rename(&copy, &away).expect("away");
    fs::write(&copy, "not there").expect("a file");
    let late = write(&story, "u3").await;
    assert_eq!((&late["decision"], &late["context"]["reason"]), (&json!(false), &json!("copy_late")), "{late}");
    assert!(late["context"]["help"].as_str().is_some_and(|help| help.contains("give the use back")), "{late}");
    // What scope permits waits for nothing.
    decide(&story, 1, "scope").await;
    let detail = story.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await.json();
    let used = detail["uses"].as_array().and_then(|uses| uses.last()).cloned().unwrap_or_default();
    assert_eq!((proviso_tests::uses(&detail), &used["reported"]), (Some(3), &Value::Null), "consumed, never reported");
    // It is on record that it was withheld, and the use comes back.
    fs::remove_file(&copy).expect("out of the way");
    fs::rename(&away, &copy).expect("back");
    holds_all(&story, "nas").await;
    let ledger = fs::read_to_string(copy.join("ledger/payloads/000.jsonl")).expect("payloads");
    assert!(ledger.contains("allow_withheld") && ledger.contains("copy_late"));
    story.gate.clock.advance(20);
    let path = format!("/api/v1/exceptions/{id}/uses/{}/give_back", used["evaluation"].as_str().expect("an id"));
    let back = story.client.post(&path, &mara, &json!({"reason": "it was never allowed"})).await;
    assert!(back.status.is_success(), "{back:?}");
    assert_eq!(write(&story, "u4").await["decision"], json!(true));
    assert_eq!(checked(&copy).0, Some(0));
}

#[tokio::test]
async fn r7_a_stop_while_an_allow_waits_overtakes_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::default();
    let url = shop.clone().open().await;
    let story = Story::on(TestGate::with(setup(collector(&url, folder.path()))).await).await;
    let (_, mara) = granted(&story).await;
    let agent = json!({"subject": {"type": "Agent", "id": format!("{AGENTS}report-writer")}});
    for (call, stops) in [("u1", false), ("u2", true)] {
        holds_all(&story, "collector").await;
        let held = shop.held.write().await;
        let before = sizes(&story)[1].clone();
        let stopped = async {
            until("the use is on record", async || (sizes(&story)[1] != before).then_some(())).await;
            if stops {
                let lock = json!({"target": agent, "reason": "look first"});
                let answer = story.client.post("/api/v1/locks", &mara, &lock).await;
                assert!(answer.status.is_success(), "{answer:?}");
            }
            drop(held);
        };
        let (answer, ()) = tokio::join!(write(&story, call), stopped);
        assert_eq!(answer["decision"], json!(!stops), "{answer}");
        if stops {
            assert_eq!(answer["context"]["reason"], json!("locked"), "{answer}");
        }
    }
}

#[tokio::test]
async fn r8_where_there_is_no_copy_nothing_of_that_tier_is_requested_or_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("copy");
    let story = Story::on(TestGate::with(setup(folder_copy(&copy))).await).await;
    granted(&story).await;
    assert_eq!(write(&story, "u1").await["decision"], json!(true));
    // The same record under an operator who sends it nowhere.
    let data = folder.path().join("data");
    proviso_tests::copy_folder(story.gate.data(), &data).expect("a copy of the data");
    let without = Setup { clock: Arc::clone(&story.gate.clock), ..setup(Record::default()) };
    let gate = TestGate::open(without, &data).await.expect("the gate opens");
    let parties =
        proviso_tests::Parties { client: gate.client.clone(), point: story.point.clone(), agent: story.agent.clone() };
    let without = Story::of(gate, parties);
    let refused = write(&without, "u2").await;
    assert_eq!((&refused["decision"], &refused["context"]["reason"]), (&json!(false), &json!("terms_unavailable")));
    let elsewhere = without.evaluate(&write_file("report-writer", "/srv/files/other/a.md", "u3")).await.json();
    assert_eq!(elsewhere["context"]["reason"], json!("terms_unavailable"), "it is not offered either");
    assert!(elsewhere["context"]["access_request"].is_null(), "{elsewhere}");
}

#[test]
fn a_bundle_that_names_no_tier_of_its_own_does_not_load() {
    let folder = tempfile::tempdir().expect("a folder");
    let bundle = folder.path().join("bundle");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundles/sample");
    proviso_tests::copy_folder(&sample, &bundle).expect("a copy");
    let file = bundle.join("bundle.toml");
    let good = fs::read_to_string(&file).expect("a file");
    for (more, exit) in [("wait_for_copy = [\"high\"]", 0), ("wait_for_copy = [\"highest\"]", 65), ("wait_for = 1", 65)]
    {
        fs::write(&file, format!("{good}\n[record]\n{more}\n")).expect("a file");
        let done = Binary::run(&["bundle", "check", "--json", &text(&bundle)]);
        assert_eq!(done.status.code(), Some(exit), "{more}: {done:?}");
    }
}
