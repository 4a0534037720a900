//! The history of a scenario, cut after every single record, restarted and continued: each time a legal state.

use std::path::Path;

use audit_verify::tree::{CompactRange, leaf_hash};
use policy_core::leaf::Leaf;
use proviso::store::{Keys, Log};
use proviso_tests::{Setup, Story, TestGate, copy_folder, write_file};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::gate::audit;

const GRANTED: &str = "/srv/files/reports/a.md";

/// A record of the scenario: its log, its kind and outcome.
#[derive(Debug, Clone)]
struct Step {
    log: Log,
    leaf: Leaf,
}

/// From the first start to grants that are used, used up, revoked and refused, a lock that was lifted, and an open request.
async fn scenario(data: &Path) {
    let story = Story::on(TestGate::open(Setup::default(), data).await.expect("the gate opens")).await;
    let (mara, ola) = (story.gate.person("mara").await, story.gate.person("ola").await);
    let ask =
        async |path: &str, folder: Option<&str>| story.ask(&write_file("report-writer", path, "ask"), folder).await;
    let granted = ask(GRANTED, Some("/srv/files/reports")).await;
    assert_eq!(story.vote(&mara, &granted, "approve", None).await.json()["state"], "granted");
    for call in ["c1", "c1", "c2"] {
        let reply = story.evaluate(&write_file("report-writer", GRANTED, call)).await.json();
        assert_eq!(reply["decision"], json!(true), "{reply}");
    }
    let once = ask("/srv/files/summaries/once.md", None).await;
    assert_eq!(story.vote(&ola, &once, "approve", None).await.json()["state"], "granted");
    story.evaluate(&write_file("report-writer", "/srv/files/summaries/once.md", "c3")).await;
    let refused = ask("/srv/files/summaries/no.md", None).await;
    assert_eq!(story.vote(&mara, &refused, "refuse", None).await.json()["state"], "denied");
    let revoked = ask("/srv/files/summaries/gone.md", None).await;
    let grant = story.vote(&mara, &revoked, "approve", None).await.json()["grant"].clone();
    let path = format!("/api/v1/grants/{}/revoke", grant.as_str().expect("a grant"));
    assert!(story.client.post(&path, &mara, &json!({"reason": "no more"})).await.status.is_success());
    let body = json!({"target": {"task": "another-task"}, "reason": "look first"});
    let lock = story.client.post("/api/v1/locks", &ola, &body).await.json();
    let lifted = proviso_tests::as_person(
        story
            .client
            .request(reqwest::Method::DELETE, &format!("/api/v1/locks/{}", lock["id"].as_str().expect("a lock"))),
        &ola,
    );
    assert!(proviso_tests::Client::send(lifted).await.status.is_success());
    ask("/srv/files/summaries/open.md", None).await;
    story.evaluate(&write_file("report-writer", "/srv/files/drafts/a.md", "c4")).await;
}

/// The records in the order in which they were written.
fn steps(data: &Path) -> Vec<Step> {
    let database = Connection::open(data.join("record.sqlite")).expect("the database");
    let of = |log: Log| -> Vec<Step> {
        let mut select = database.prepare("SELECT bytes FROM leaf WHERE log = ?1 ORDER BY seq").expect("leaves");
        let rows = select.query_map([log.name()], |row| row.get::<_, Vec<u8>>(0)).expect("leaves");
        rows.map(|row| Step { log, leaf: serde_json::from_slice(&row.expect("a row")).expect("a leaf") }).collect()
    };
    let (ledger, decisions) = (of(Log::Ledger), of(Log::Decisions));
    let mut ordered = Vec::new();
    let mut ledger = ledger.into_iter().peekable();
    for decision in decisions {
        let after = decision.leaf.after.expect("where the ledger stood");
        while let Some(step) = ledger.next_if(|step| step.leaf.seq < after) {
            ordered.push(step);
        }
        ordered.push(decision);
    }
    ordered.extend(ledger);
    ordered
}

/// Cuts both logs to so many records, as whoever has the gate's keys can, and signs what is left.
fn cut(data: &Path, sizes: [(Log, u64); 2]) {
    let keys = Keys::read(data).expect("the gate's keys");
    let database = Connection::open(data.join("record.sqlite")).expect("the database");
    for table in ["leaf", "head", "payload"] {
        database
            .execute_batch(&format!("DROP TRIGGER {table}_no_delete; DROP TRIGGER {table}_no_update"))
            .expect("gone");
    }
    database.execute_batch("DELETE FROM head; DELETE FROM outbox").expect("no heads");
    for (log, size) in sizes {
        let stored = i64::try_from(size).expect("a size");
        for table in ["payload", "leaf"] {
            let delete = format!("DELETE FROM {table} WHERE log = ?1 AND seq >= ?2");
            database.execute(&delete, params![log.name(), stored]).expect("cut");
        }
        let kept = data.join("heads").join(log.name().replace('/', "-"));
        if size == 0 {
            // It may never have been there.
            let _ = std::fs::remove_file(kept);
            continue;
        }
        let mut range = CompactRange::default();
        let mut select = database.prepare("SELECT bytes FROM leaf WHERE log = ?1 ORDER BY seq").expect("leaves");
        let rows = select.query_map([log.name()], |row| row.get::<_, Vec<u8>>(0)).expect("leaves");
        rows.for_each(|row| range.append(leaf_hash(&row.expect("a row"))));
        let note = keys.sign_head(log, range.size(), range.root());
        database.execute("INSERT INTO head VALUES (?1, ?2, ?3)", params![log.name(), stored, note]).expect("a head");
        std::fs::write(kept, note).expect("the head beside the database");
    }
}

/// That what the gate tells of each exception can be: its grant has the votes, and no more was used than granted.
async fn hold_legal(story: &Story, person: &str, told: &str) -> Vec<Value> {
    let list = story.client.get("/api/v1/exceptions", Some(person)).await.json();
    let mut exceptions = Vec::new();
    for line in list["exceptions"].as_array().unwrap_or_else(|| panic!("{told}: {list}")) {
        let id = line["id"].as_str().expect("an id");
        let detail = story.client.get(&format!("/api/v1/exceptions/{id}"), Some(person)).await.json();
        let state = detail["state"].as_str().expect("a state");
        let phase = &detail["exception"]["phase"];
        let votes = detail["exception"]["votes"].as_array().map_or(0, Vec::len);
        let (uses, most) = (proviso_tests::uses(&detail), most_uses(&detail));
        match state {
            "requested" => assert!(phase["grant"].is_null(), "{told}: {detail}"),
            // The last use may stand without its end: then it is used up all the same.
            "granted" => assert!(votes > 0 && uses.expect("uses") <= most.expect("most uses"), "{told}: {detail}"),
            "exhausted" => assert!(votes > 0 && uses.expect("uses") == most.expect("most uses"), "{told}: {detail}"),
            "revoked" | "denied" => assert!(votes > 0, "{told}: {detail}"),
            other => panic!("{told}: nothing leads to `{other}`: {detail}"),
        }
        exceptions.push(detail);
    }
    exceptions
}

/// How often the grant may be used, whatever became of it.
fn most_uses(detail: &Value) -> Option<u64> {
    let held = &detail["exception"]["phase"]["grant"];
    held["scope"]["max_uses"].as_u64().or(held["grant"]["scope"]["max_uses"].as_u64())
}

/// Goes on from there: what is granted can be used, what is open decided, what is over stays over, and a new request can be
/// made. What the gate says of it then.
async fn go_on(story: &Story, exceptions: &[Value], told: &str) {
    let (mara, ola) = (story.gate.person("mara").await, story.gate.person("ola").await);
    for detail in exceptions {
        let question = &detail["exception"]["request"]["question"];
        let path = question["call"]["input"]["record"]["path"]["string"].as_str();
        let path = path.unwrap_or_else(|| panic!("no path in {question}"));
        let used = story.evaluate(&write_file("report-writer", path, &format!("after-{path}"))).await.json();
        let allowed = used["decision"] == json!(true) && used["context"]["reason"] == json!("exception");
        let usable = detail["state"] == json!("granted") && proviso_tests::uses(detail) < most_uses(detail);
        assert_eq!(allowed, usable, "{told}: {path}: {used} {detail}");
        if detail["state"] == json!("requested") {
            let id = detail["exception"]["request"]["id"].as_str().expect("an id");
            // Whoever has voted already has said what they had to say.
            let by_mara = detail["exception"]["votes"][0]["person"]["id"] == json!("mara");
            let answer = story.vote(if by_mara { &ola } else { &mara }, id, "approve", None).await;
            assert_eq!(answer.json()["state"], "granted", "{told}: {answer:?}");
            let used = story.evaluate(&write_file("report-writer", path, &format!("then-{path}"))).await.json();
            assert_eq!(used["decision"], json!(true), "{told}: {used}");
        }
    }
    let fresh = write_file("report-writer", "/srv/files/summaries/fresh.md", "ask");
    let id = story.ask(&fresh, None).await;
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "granted", "{told}");
    let used = story.evaluate(&write_file("report-writer", "/srv/files/summaries/fresh.md", "use")).await.json();
    assert_eq!(used["decision"], json!(true), "{told}: {used}");
}

#[tokio::test]
async fn every_cut_restarts_in_a_legal_state_and_goes_on() {
    proviso_tests::clauses!("c4-13-history-cut");
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    scenario(&data).await;
    let steps = steps(&data);
    assert!(steps.len() > 30, "a scenario of {} records", steps.len());
    for length in 0..=steps.len() {
        let kept = &steps[..length];
        let size = |log: Log| u64::try_from(kept.iter().filter(|step| step.log == log).count()).expect("a size");
        let copy = folder.path().join(format!("cut-{length}"));
        copy_folder(&data, &copy).expect("a copy");
        cut(&copy, Log::ALL.map(|log| (log, size(log))));
        let last = kept.last();
        let told =
            format!("cut after {length}: {:?}", last.map(|step| (step.log, &step.leaf.kind, &step.leaf.outcome)));
        let gate = TestGate::open(Setup::default(), &copy).await.unwrap_or_else(|error| panic!("{told}: {error}"));
        let story = Story::on(gate).await;
        let ola = story.gate.person("ola").await;
        let exceptions = hold_legal(&story, &ola, &told).await;
        go_on(&story, &exceptions, &told).await;
        hold_legal(&story, &ola, &told).await;
        drop(story);
        // A permit and the use that it took are one transaction: who cuts between them is found, though the gate goes on.
        let report: Value = serde_json::from_slice(&audit(&copy).stdout).expect("a report");
        let took = steps.get(length).is_some_and(|next| next.leaf.kind == "grant_used");
        let found = took.then_some("use_missing");
        assert_eq!(report["error"]["fault"]["code"].as_str(), found, "{told}: {report}");
        std::fs::remove_dir_all(&copy).expect("gone");
    }
}
