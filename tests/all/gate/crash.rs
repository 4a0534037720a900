//! `kill -9` between the record and the reply, and between a vote and its reply. What is durable counts, what is not
//! never happened, and whoever got no answer may simply ask again.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use proviso_tests::{Client, Parties, Setup, TestGate, write_file};
use serde_json::{Value, json};

use super::audit;

const CALL: &str = "/srv/files/reports/a.md";

/// A gate that kills itself at a failpoint.
pub(super) struct Doomed {
    pub(super) child: Child,
    pub(super) parties: Parties,
    mara: String,
}

impl Doomed {
    fn start(data: &Path, when: &str, what: &str) -> Self {
        Self::telling(data, when, what, None)
    }

    /// The same, and it tells whom this file names.
    pub(super) fn telling(data: &Path, when: &str, what: &str, notify: Option<&Path>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_failing_gate"));
        command.arg(data).args([when, what]).args(notify).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the failing gate starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let told: Value = serde_json::from_str(&line).expect("the gate is ready");
        let text = |name: &str| told[name].as_str().expect("a text").to_owned();
        let parties = Parties { client: Client::new(text("url")), point: text("point"), agent: text("agent") };
        Self { child, parties, mara: text("mara") }
    }

    /// Sends what reaches the failpoint: nobody may be answered, and the process must have been killed.
    pub(super) async fn die_of(mut self, path: &str, headers: &[(&str, &str)], body: &Value) -> (Parties, String) {
        let mut request = self.parties.client.request(reqwest::Method::POST, path).json(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await;
        assert!(answer.is_err(), "an answer before the end: {answer:?}");
        let status = self.child.wait().expect("its end");
        assert_eq!(status.signal(), Some(9), "{status:?}");
        (self.parties, self.mara)
    }
}

/// The gate after its restart, with the credentials from before: they are in the record.
async fn restart(data: &Path, mut parties: Parties) -> (TestGate, Parties) {
    let report = audit(data);
    assert!(report.status.success(), "what a crash leaves verifies: {report:?}");
    let gate = TestGate::open(Setup::default(), data).await.expect("the gate opens after a crash");
    parties.client = gate.client.clone();
    (gate, parties)
}

async fn exception(parties: &Parties, cookie: &str, id: &str) -> Value {
    parties.client.get(&format!("/api/v1/exceptions/{id}"), Some(cookie)).await.json()
}

#[tokio::test]
async fn a_vote_that_was_recorded_counts_though_nobody_was_told() {
    for (when, state) in [("after", "granted"), ("before", "requested")] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let doomed = Doomed::start(&data, when, "vote_cast");
        let id = doomed.parties.ask(&write_file("report-writer", CALL, "ask"), None).await;
        let ballot = doomed.parties.ballot(&doomed.mara, &id, "approve", None).await;
        let path = format!("/api/v1/exceptions/{id}/votes");
        let (cookie, key) = doomed.mara.split_once('#').unwrap();
        let (cookie, key) = (cookie.to_owned(), key.to_owned());
        let headers = [("cookie", cookie.as_str()), ("proviso-session-key", key.as_str())];
        let (parties, mara) = doomed.die_of(&path, &headers, &ballot).await;

        let (_gate, parties) = restart(&data, parties).await;
        let found = exception(&parties, &mara, &id).await;
        assert_eq!(found["state"], state, "killed {when} the record: {found}");
        let call = write_file("report-writer", CALL, "use");
        assert_eq!(
            parties.evaluate(&call).await.json()["decision"],
            json!(when == "after"),
            "killed {when} the record"
        );

        // The same ballot again: one vote in the end, whether or not the first was recorded.
        let again = parties.client.post(&path, &mara, &ballot).await;
        let found = exception(&parties, &mara, &id).await;
        let votes = found["exception"]["votes"].as_array().map(Vec::len);
        assert_eq!(votes, Some(1), "killed {when} the record: {again:?}");
    }
}

#[tokio::test]
async fn a_use_that_was_recorded_is_used_though_nobody_was_told() {
    for (when, uses) in [("after", 1), ("before", 0)] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let doomed = Doomed::start(&data, when, "grant_used");
        let id = doomed.parties.ask(&write_file("report-writer", CALL, "ask"), Some("/srv/files/reports")).await;
        let answer = doomed.parties.vote(&doomed.mara, &id, "approve", None).await;
        assert_eq!(answer.json()["state"], "granted", "{answer:?}");
        let (point, agent) = (format!("Bearer {}", doomed.parties.point), doomed.parties.agent.clone());
        let headers = [("authorization", point.as_str()), ("proviso-subject-token", agent.as_str())];
        let call = write_file("report-writer", CALL, "c1");
        let (parties, mara) = doomed.die_of("/access/v1/evaluation", &headers, &call).await;

        let (gate, parties) = restart(&data, parties).await;
        let used = async || proviso_tests::uses(&exception(&parties, &mara, &id).await);
        assert_eq!(used().await, Some(uses), "killed {when} the record");
        // The enforcement point that got no answer asks again with its call id: one use in all.
        let reply = parties.evaluate(&call).await.json();
        assert_eq!(reply["decision"], true, "{reply}");
        assert_eq!(used().await, Some(1), "killed {when} the record: {reply}");
        // And the grant's three uses are three, crash or not.
        gate.clock.advance(11);
        for (number, decision) in [(2, true), (3, true), (4, false)] {
            let call = write_file("report-writer", CALL, &format!("c{number}"));
            assert_eq!(parties.evaluate(&call).await.json()["decision"], json!(decision), "use {number}");
        }
    }
}

#[tokio::test]
async fn a_decision_is_on_record_before_anybody_hears_it() {
    let records = async |when: &str| {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let doomed = Doomed::start(&data, when, "permitted_by_scope");
        let (point, agent) = (format!("Bearer {}", doomed.parties.point), doomed.parties.agent.clone());
        let headers = [("authorization", point.as_str()), ("proviso-subject-token", agent.as_str())];
        let call = write_file("report-writer", "/srv/files/drafts/a.md", "c1");
        let (parties, _) = doomed.die_of("/access/v1/evaluation", &headers, &call).await;
        let (gate, _) = restart(&data, parties).await;
        gate.app.record().logs.iter().find(|log| log.log == "decisions/main").map_or(0, |log| log.size)
    };
    assert_eq!((records("after").await, records("before").await), (1, 0));
}
