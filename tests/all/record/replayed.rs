//! `proviso replay`: what is recorded comes to the same again, by the command line alone, and what was altered does not
//! (R10).

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proviso::gate::{Cache, Limits};
use proviso::store::Keys;
use proviso_tests::{AGENTS, Answer, Binary, Client, Setup, Story, TestClock, TestGate, module, post_rows, write_file};
use reqwest::Method;
use rusqlite::Connection;
use serde_json::{Value, json};

/// What `replay` said, and how it exited.
pub(super) fn replay(arguments: &[&str]) -> (Option<i32>, Value) {
    let done = Binary::run(&[&["replay", "--json"], arguments].concat());
    let text = String::from_utf8_lossy(&done.stdout);
    (done.status.code(), serde_json::from_str(text.trim()).unwrap_or_else(|_| panic!("{done:?}")))
}

/// Keeps the compiled module in the gate's folder, as a gate does that is started by the command line: compiling takes
/// longer than these tests.
pub(super) fn compiled(story: &Story) {
    let keys = Keys::read(story.gate.data()).unwrap();
    module().keep(&Cache::new(story.gate.data(), &|bytes| keys.code(Cache::CODE, bytes)));
}

/// A copy of a gate's folder, which the gate does not hold.
pub(super) fn copied(story: &Story, to: &Path) -> PathBuf {
    let copy = to.join("copy");
    for folder in ["", "keys", "heads", "modules", "cache"] {
        fs::create_dir_all(copy.join(folder)).unwrap();
        fs::set_permissions(copy.join(folder), fs::Permissions::from_mode(0o700)).unwrap();
        for entry in fs::read_dir(story.gate.data().join(folder)).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), copy.join(folder).join(entry.file_name())).unwrap();
            }
        }
    }
    copy
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

async fn search(story: &Story, which: &str, body: &Value) -> Answer {
    let request = story.client.request(Method::POST, &format!("/access/v1/search/{which}")).bearer_auth(&story.point);
    Client::send(request.header("proviso-subject-token", &story.agent).json(body)).await
}

/// A bit of everything that is recorded among decisions: how many of which class.
async fn everything(story: &Story, clock: &TestClock) -> BTreeMap<&'static str, u64> {
    let mut expected = BTreeMap::from([("agreed", 0), ("repeated", 0), ("searches", 0), ("questions", 0)]);
    let mut count = |what: &'static str, by: u64| *expected.entry(what).or_default() += by;
    // Refused, asked for and granted.
    let ask = write_file("report-writer", "/srv/files/reports/a.md", "ask");
    let id = story.ask(&ask, Some("/srv/files/reports")).await;
    let mara = story.gate.person("mara").await;
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    count("agreed", 1);
    // By scope, by exception, the same call again, refused and requestable, refused by a guardrail.
    let mut last = Value::Null;
    for (path, call, permitted) in [
        ("/srv/files/drafts/a.md", "c1", true),
        ("/srv/files/reports/a.md", "c2", true),
        ("/srv/files/reports/a.md", "c2", true),
        ("/srv/files/elsewhere.md", "c3", false),
        ("/srv/files/.hidden", "c4", false),
    ] {
        let answer = story.evaluate(&write_file("report-writer", path, call)).await.json();
        assert_eq!(answer["decision"], json!(permitted), "{path}: {answer}");
        count("agreed", 1);
        if path.contains("reports") {
            last = answer;
        }
    }
    count("repeated", 1);
    let report = json!({"evaluation_id": last["context"]["evaluation_id"], "call": "c2", "phase": "sending"});
    let reported = story.client.request(Method::POST, "/api/v1/executions").bearer_auth(&story.point).json(&report);
    assert!(Client::send(reported).await.status.is_success());
    count("execution", 1);
    // What no schema knows has no question.
    for (action, call) in [("fly", "c5"), ("tools/call", "c6")] {
        let mut unknown = write_file("report-writer", "/srv/files/drafts/a.md", call);
        unknown["action"]["name"] = json!(action);
        assert_eq!(story.evaluate(&unknown).await.json()["decision"], json!(false));
        count("not_sealed", 1);
    }
    // A mapped tool, whose words are the bundle's.
    let mut mapped = write_file("report-writer", "/srv/files/drafts/a.md", "c7");
    mapped["action"]["name"] = json!("tools/call");
    mapped["resource"] = json!({"type": "tool", "id": "write_file"});
    assert_eq!(story.evaluate(&mapped).await.json()["decision"], json!(true));
    count("agreed", 1);
    // Searches: one of them over what does not all fit.
    let subject = json!({"type": "Agent", "id": format!("{AGENTS}report-writer")});
    let volume = json!({"type": "Volume", "id": "files"});
    let context = json!({"input": {"path": "/srv/files/drafts/a.md"}, "proviso.dev/server": "files"});
    for (which, body) in [
        (
            "resource",
            json!({"subject": subject, "action": {"name": "read_file"}, "resource": {"type": "Volume"}, "context": context}),
        ),
        ("action", json!({"subject": subject, "resource": volume, "context": context})),
        (
            "resource",
            json!({"subject": subject, "action": {"name": "fly"}, "resource": {"type": "Volume"}, "context": context}),
        ),
    ] {
        let answer = search(story, which, &body).await;
        assert!(answer.status.is_success(), "{answer:?}");
        count("agreed", 1);
        count("searches", 1);
    }
    // A clock that nobody believes: a grant would have covered it.
    clock.set_back(3_600);
    let doubted = story.evaluate(&write_file("report-writer", "/srv/files/reports/a.md", "c8")).await.json();
    assert_eq!(doubted["context"]["reason"], "clock_unsafe", "{doubted}");
    count("clock_unsafe", 1);
    // A lock is above it all.
    let ola = story.gate.person("ola").await;
    let body = json!({"target": {"subject": subject}, "reason": "looking into it"});
    let locked = story.client.post("/api/v1/locks", &ola, &body).await;
    assert!(locked.status.is_success(), "{locked:?}");
    let refused = story.evaluate(&write_file("report-writer", "/srv/files/drafts/a.md", "c9")).await.json();
    assert_eq!(refused["context"]["reason"], "locked", "{refused}");
    count("agreed", 1);
    expected
}

async fn played_on(clock: &Arc<TestClock>) -> (Story, BTreeMap<&'static str, u64>) {
    let story = Story::on(TestGate::with(Setup { clock: Arc::clone(clock), ..Setup::default() }).await).await;
    compiled(&story);
    let expected = everything(&story, clock).await;
    (story, expected)
}

#[tokio::test]
async fn r10_everything_that_is_recorded_comes_to_the_same_again_and_is_counted_once() {
    let (story, expected) = played_on(&Arc::new(TestClock::new())).await;
    // While the gate runs, and from an export, where there is none.
    let folder = tempfile::tempdir().unwrap();
    let (data, export) = (text(story.gate.data()), text(&folder.path().join("export")));
    let exported = Binary::run(&["audit", "export", "--data", &data, "--to", &export]);
    assert!(exported.status.success(), "{exported:?}");
    let kept = folder.path().join(format!("export/modules/{}.wasm", module().digest()));
    assert!(fs::read(kept).unwrap() == *module().bytes(), "the module lies beside the record");
    for (what, threads) in [(["--data", &data], "1"), (["--data", &data], "5"), (["--export", &export], "2")] {
        let (exit, said) = replay(&[&what[..], &["--threads", threads]].concat());
        assert_eq!((exit, &said["agrees"]), (Some(0), &json!(true)), "{said:#}");
        let counts = &said["counts"];
        for (name, count) in &expected {
            let places = [&counts[name], &counts["by_gate"][name], &counts["not_evaluated"][name]];
            let found: u64 = places.iter().filter_map(|place| place.as_u64()).sum();
            assert!(*name == "questions" || found == *count, "{name}: {counts:#}");
        }
        let named = ["by_limit", "by_gate", "not_evaluated"].iter().filter_map(|name| counts[name].as_object());
        let named: u64 = named.flat_map(|names| names.values()).filter_map(Value::as_u64).sum();
        let single = ["agreed", "disagreed", "erased"].iter().filter_map(|name| counts[name].as_u64()).sum::<u64>();
        let decisions = said["logs"].as_array().unwrap().iter().find(|log| log["log"] == "decisions/main").unwrap();
        assert_eq!((json!(named + single), &counts["records"]), (counts["records"].clone(), &decisions["records"]));
        // Of the searches, each of what it looked at is a question of its own.
        assert!(counts["questions"].as_u64() > counts["agreed"].as_u64(), "{counts:#}");
    }
}

#[tokio::test]
async fn a_replay_begins_and_ends_where_it_is_told() {
    let clock = Arc::new(TestClock::new());
    let story = Story::on(TestGate::with(Setup { clock: Arc::clone(&clock), ..Setup::default() }).await).await;
    compiled(&story);
    let mut times = Vec::new();
    for call in ["c0", "c1", "c2", "c3"] {
        let answer = story.evaluate(&write_file("report-writer", "/srv/files/drafts/a.md", call)).await.json();
        times.push(answer["context"]["evaluated_at"].as_str().unwrap_or_default().to_owned());
        clock.advance(60);
    }
    let data = text(story.gate.data());
    for (bounds, records) in [
        (vec![], 4),
        (vec!["--since", "1"], 3),
        (vec!["--until", "1"], 1),
        (vec!["--since", "1", "--until", "3"], 2),
        (vec!["--since", times[2].as_str()], 2),
        (vec!["--since", "1", "--until", times[2].as_str()], 1),
        (vec!["--since", "2999-01-01"], 0),
    ] {
        let (exit, said) = replay(&[&["--data", data.as_str()], &bounds[..]].concat());
        assert_eq!((exit, &said["counts"]["agreed"]), (Some(0), &json!(records)), "{bounds:?}: {said}");
    }
    let (exit, said) = replay(&["--data", &data, "--since", "yesterday"]);
    assert_eq!((exit, &said["error"]["code"]), (Some(64), &json!("usage")), "{said}");
}

/// What somebody does to a copy of the folder.
type Change = fn(&Path, &Connection);

fn altered(database: &Connection, change: &str) {
    for trigger in ["payload_no_update", "leaf_no_update"] {
        database.execute_batch(&format!("DROP TRIGGER IF EXISTS {trigger}")).unwrap();
    }
    assert!(database.execute(change, []).unwrap() > 0, "{change}");
}

#[tokio::test]
async fn a_flipped_bit_of_outcome_question_bundle_or_module_makes_it_disagree() {
    let (story, _) = played_on(&Arc::new(TestClock::new())).await;
    let table: [(&str, Change, &str, &str); 8] = [
        ("nothing", |_, _| {}, "", ""),
        (
            "the outcome",
            |_, database| {
                let decision = "SELECT max(seq) FROM payload WHERE name = 'decision' AND CAST(bytes AS TEXT) LIKE '%\"permitted_by_scope\"%'";
                altered(
                    database,
                    &format!(
                        "UPDATE payload SET bytes = CAST(replace(CAST(bytes AS TEXT), '\"permitted_by_scope\"', '\"permitted_by_scopf\"') AS BLOB) WHERE name = 'decision' AND log = 'decisions/main' AND seq = ({decision})"
                    ),
                );
            },
            "replay_disagrees",
            "payload_altered",
        ),
        (
            "the question",
            |_, database| {
                altered(
                    database,
                    "UPDATE payload SET bytes = CAST(replace(CAST(bytes AS TEXT), '/drafts/', '/drafts!') AS BLOB) WHERE name = 'question' AND log = 'decisions/main'",
                );
            },
            "replay_disagrees",
            "payload_altered",
        ),
        (
            "the bundle",
            |_, database| {
                altered(
                    database,
                    "UPDATE payload SET bytes = CAST(replace(CAST(bytes AS TEXT), 'forbid', 'permit') AS BLOB) WHERE name = 'bundle'",
                );
            },
            "replay_disagrees",
            "bundle_altered",
        ),
        (
            "the module",
            |data, _| {
                let path = data.join(format!("modules/{}.wasm", module().digest()));
                let mut bytes = fs::read(&path).unwrap();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                fs::write(path, bytes).unwrap();
            },
            "replay_disagrees",
            "module_altered",
        ),
        (
            "no module",
            |data, _| fs::remove_dir_all(data.join("modules")).unwrap(),
            "replay_disagrees",
            "module_missing",
        ),
        (
            "a payload gone",
            |_, database| {
                database.execute_batch("DROP TRIGGER IF EXISTS payload_no_delete").unwrap();
                altered(database, "DELETE FROM payload WHERE name = 'question' AND log = 'decisions/main' AND seq = 2");
            },
            "replay_disagrees",
            "payload_missing",
        ),
        (
            "a leaf",
            |_, database| {
                altered(
                    database,
                    "UPDATE leaf SET bytes = CAST(replace(CAST(bytes AS TEXT), 'permitted_by_scope', 'permitted_by_scopf') AS BLOB) WHERE log = 'decisions/main'",
                );
            },
            "log_tampered",
            "records_altered",
        ),
    ];
    for (what, change, code, kind) in table {
        let folder = tempfile::tempdir().unwrap();
        let data = copied(&story, folder.path());
        change(&data, &Connection::open(data.join("record.sqlite")).unwrap());
        let (exit, said) = replay(&["--data", &text(&data)]);
        if code.is_empty() {
            assert_eq!(exit, Some(0), "{what}: {said:#}");
            continue;
        }
        let error = &said["error"];
        assert_eq!((exit, &error["code"]), (Some(65), &json!(code)), "{what}: {said:#}");
        let told = [&error["disagreements"][0], &error["fault"]].into_iter().find(|told| told.is_object()).unwrap();
        assert_eq!((&told["code"], &told["log"]), (&json!(kind), &json!("decisions/main")), "{what}: {said:#}");
        assert!(told["seq"].is_u64(), "{what}: {said:#}");
        // What does not agree is never counted as agreeing.
        let agreed = error["counts"]["agreed"].as_u64().unwrap_or(0);
        assert!(!["the bundle", "the module", "no module"].contains(&what) || agreed == 0, "{what}: {said:#}");
    }
}

#[tokio::test]
async fn what_a_limit_made_is_counted_by_its_kind_and_never_as_agreeing() {
    let limits = Limits { question_fuel: 100_000, ..Limits::default() };
    let story = Story::on(TestGate::with(Setup { limits, ..Setup::default() }).await).await;
    compiled(&story);
    let answer = story.evaluate(&post_rows("report-writer", "finance/sandbox", 3, "c1")).await;
    let reason = answer.json()["context"]["reason"].clone();
    let (exit, said) = replay(&["--data", &text(story.gate.data())]);
    let counts = &said["counts"];
    assert_eq!((reason, exit), (json!("limit"), Some(0)), "{said:#}");
    assert_eq!((&counts["agreed"], &counts["by_limit"]), (&json!(0), &json!({"fuel": 1})), "{said:#}");
}
