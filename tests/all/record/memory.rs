//! Memory of the offline check stays flat as the record grows.

use std::path::Path;
use std::process::Command;

use policy_core::time::{Span, Timestamp};
use proviso::store::{Log, NewRecord, Store as _};
use proviso_tests::Binary;
use serde_json::{Value, json};

use super::peak::peak;
use super::raw::{record, store};

fn of(log: Log, at: Timestamp, kind: &str, name: &'static str, payload: &Value) -> NewRecord {
    let outcome = payload["answer"]["outcome"].as_str().map(str::to_owned);
    let payloads = vec![(name, payload.to_string().into_bytes())];
    NewRecord { outcome, ..record(log, kind, at, (None, None), payloads) }
}

/// One exception from its request to its last use, in eight records: two hours of a gate's life.
fn exception(number: u64, begin: Timestamp) -> Vec<NewRecord> {
    let at = |seconds: u64| begin.plus(Span::from_seconds(seconds));
    let id = format!("exc_{number}");
    let person = |name: &str| json!({"type": "User", "id": name});
    let scope = json!({
        "resource": {"is": {"type": "Volume", "id": "files"}}, "arguments": "exact", "not_after": at(3_600),
        "max_uses": 1,
    });
    let call = json!({
        "subject": {"type": "Agent", "id": "a"}, "action": "write", "resources": [{"type": "Volume", "id": "files"}],
        "input_digest": "00", "typed": true, "server": "files",
    });
    let question = json!({"call": call, "task": "t", "chain": [], "enforcement_point": "proxy"});
    let request = json!({
        "id": id, "requester": person("ines"), "owners": [person("tom")], "scope": scope, "decide_by": at(900),
        "question": question, "justification": "the weekly report is due ".repeat(20),
    });
    let terms = json!({"approvals": 1, "groups": ["approvers"], "max_duration": "1h", "max_uses": 5});
    let vote = json!({
        "person": person("mara"), "decision": "approve", "version": 1, "groups": ["approvers"], "sheet": "00", "as_of": 1,
        "reason": "r", "assurance": "link", "at": at(60),
    });
    let grant = json!({
        "id": format!("grant_{number}"), "exception": id, "version": 1, "subject": {"type": "Agent", "id": "a"},
        "task": "t", "chain": [], "enforcement_point": "proxy", "server": "files", "action": "write", "scope": scope,
        "input_digest": "00", "input_names": [],
    });
    let evaluation = |number: u64, outcome: &str| {
        json!({
            "evaluation": format!("eval_{number}"), "credential": "tok", "purpose": "use", "call": "c",
            "subject": {"type": "Agent", "id": "a"}, "task": "t", "action": "write", "server": "files",
            "input_digest": "00", "exception": id, "answer": {"outcome": outcome, "grant": format!("grant_{number}")},
        })
    };
    let event = |seconds: u64, kind: &str, mut facts: Value| {
        facts["kind"] = json!(kind);
        let payload = json!({"exception": {"id": id, "event": facts}});
        of(Log::Ledger, at(seconds), kind, "event", &payload)
    };
    let decided = |seconds: u64, number: u64, outcome: &str| {
        of(Log::Decisions, at(seconds), "evaluation", "decision", &evaluation(number, outcome))
    };
    let counted = json!([{"person": person("mara"), "groups": ["approvers"]}]);
    vec![
        decided(0, number, "requestable_denial"),
        event(0, "exception_requested", json!({"request": request, "terms": terms, "bundle": "00"})),
        event(60, "vote_cast", json!({"vote": vote})),
        event(60, "exception_granted", json!({"grant": grant, "at": at(60), "counted": counted})),
        decided(120, number, "permitted_by_exception"),
        event(
            120,
            "grant_used",
            json!({"call": "c", "evaluation": format!("eval_{number}"), "amounts": [], "at": at(120)}),
        ),
        event(120, "grant_exhausted", json!({"at": at(120)})),
        decided(300, number, "permitted_by_scope"),
    ]
}

/// A folder with a record of so many exceptions, by the store's own writer.
async fn recorded(data: &Path, exceptions: u64) {
    let store = store(data);
    let begin: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
    // As a gate writes them: what one act makes is one job, and what waits together is one batch.
    for first in (0..exceptions).step_by(100) {
        let numbers = first..exceptions.min(first + 100);
        let records = numbers.map(|number| exception(number, begin.plus(Span::from_seconds(number * 7_200))));
        let jobs = records.flat_map(|mut records| {
            let later = records.split_off(4);
            [store.append(Vec::new(), records), store.append(Vec::new(), later)]
        });
        for written in futures::future::join_all(jobs).await {
            written.expect("written");
        }
    }
}

/// The most memory that `audit verify` took, in KiB, and how many records it read.
async fn peak_of(data: &Path) -> (u64, u64) {
    let mut command = Command::new(Binary::path());
    let (most, output) = peak(command.args(["audit", "verify", "--json", "--data"]).arg(data)).await;
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    let records = report["logs"].as_array().unwrap_or_else(|| panic!("{report}")).iter();
    (most, records.filter_map(|log| log["records"].as_u64()).sum())
}

#[tokio::test]
async fn memory_of_the_check_does_not_grow_with_the_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let (small, large) = (folder.path().join("small"), folder.path().join("large"));
    recorded(&small, 250).await;
    recorded(&large, 5_000).await;
    let (little, few) = peak_of(&small).await;
    let (much, many) = peak_of(&large).await;
    assert_eq!((few, many), (2_000, 40_000));
    assert!(much * 10 <= little * 13, "{little} KiB for {few} records, {much} KiB for {many}");
}
