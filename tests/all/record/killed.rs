//! `kill -9` under load, again and again on the same folders, half of the times between the append and the reply: whatever
//! was acknowledged is there exactly once, the record verifies, and nothing that is not on record can be used.

mod load;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use futures::{StreamExt as _, stream};
use proviso_tests::{Client, Parties, inside, write_file};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::gate::audit;
use load::{Acknowledged, Ballot, Load, Told};

/// How many kills, where `PROVISO_KILLS` says nothing: what each change bears. The nightly task says 1,000.
const KILLS: usize = 50;
/// How many of them one folder goes through: where each comes before a single vote, what is asked for is still no more than
/// an agent may have open.
const OF_ONE_FOLDER: usize = 6;
/// How many folders are worked on at once.
const AT_ONCE: usize = 2;
/// How many requests are voted on under load, each time.
const REQUESTS: usize = 3;
/// How often each grant may be used.
const USES: u32 = 3;

/// How a gate comes to its end.
#[derive(Debug, Clone, Copy)]
enum End {
    /// It kills itself when so many records more are durable, before anybody hears of the last.
    BeforeReply(u32),
    /// It is killed when so many acts more were acknowledged.
    UnderLoad(usize),
}

/// A gate that will be killed.
struct Doomed {
    child: Child,
    parties: Parties,
    mara: String,
}

impl Doomed {
    fn start(data: &Path, end: End) -> Self {
        let (when, what) = match end {
            End::BeforeReply(count) => ("never", format!("any:{count}")),
            End::UnderLoad(_) => ("never", "nothing".to_owned()),
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_failing_gate"));
        command.arg(data).args([when, &what]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the gate starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let told: Value = serde_json::from_str(&line).expect("the gate is ready");
        let text = |name: &str| told[name].as_str().expect("a text").to_owned();
        let parties = Parties { client: Client::new(text("url")), point: text("point"), agent: text("agent") };
        Self { child, parties, mara: text("mara") }
    }

    /// From here on it counts towards its end.
    fn arm(&mut self) {
        self.child.stdin.as_mut().expect("a pipe").write_all(b"now\n").expect("it listens");
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        // It may be dead already: that is what it is for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What stands on record: each permit or denial by its evaluation, and what happened to each exception.
#[derive(Debug, Default)]
struct OnRecord {
    decisions: BTreeMap<String, Vec<bool>>,
    exceptions: BTreeMap<String, Fate>,
}

/// What happened to an exception, by its events.
#[derive(Debug, Default)]
struct Fate {
    sheets: Vec<String>,
    granted: usize,
    revoked: usize,
    uses: u32,
}

impl OnRecord {
    fn read_if_there(data: &Path) -> Self {
        if data.join("record.sqlite").exists() { Self::read(data) } else { Self::default() }
    }

    fn read(data: &Path) -> Self {
        let database = Connection::open(data.join("record.sqlite")).expect("the database");
        let mut select = database.prepare("SELECT bytes FROM payload WHERE name = ?1").expect("payloads");
        let mut payloads = |name: &str| -> Vec<Value> {
            let rows = select.query_map([name], |row| row.get::<_, Vec<u8>>(0)).expect("payloads");
            rows.map(|row| serde_json::from_slice(&row.expect("a row")).expect("JSON")).collect()
        };
        let mut found = Self::default();
        for decision in payloads("decision") {
            let permits = decision["answer"]["outcome"].as_str().is_some_and(|word| word.starts_with("permitted"));
            let evaluation = decision["evaluation"].as_str().expect("an id").to_owned();
            found.decisions.entry(evaluation).or_default().push(permits);
        }
        for event in payloads("event") {
            let Some(id) = event["exception"]["id"].as_str() else { continue };
            let fate = found.exceptions.entry(id.to_owned()).or_default();
            let event = &event["exception"]["event"];
            match event["kind"].as_str().unwrap_or_default() {
                "vote_cast" => fate.sheets.push(event["vote"]["sheet"].as_str().expect("a digest").to_owned()),
                "exception_granted" => fate.granted += 1,
                "grant_revoked" => fate.revoked += 1,
                "grant_used" => fate.uses += 1,
                _ => {}
            }
        }
        found
    }

    /// How many acts stand on record.
    fn acts(&self) -> usize {
        let of_exceptions = self.exceptions.values().map(|fate| fate.sheets.len() + fate.revoked);
        self.decisions.len() + of_exceptions.sum::<usize>()
    }

    /// That all that was acknowledged is here exactly once, and nothing that can be here only once is here twice.
    fn hold(&self, acknowledged: &Acknowledged, told: &str) {
        for (evaluation, heard) in &acknowledged.decisions {
            let permits = *heard != Told::Denied;
            let recorded = self.decisions.get(evaluation);
            assert_eq!(recorded, Some(&vec![permits]), "{told}: the decision {evaluation}, told as {heard:?}");
        }
        for (id, sheet) in &acknowledged.votes {
            let sheets = self.exceptions.get(id).map(|fate| fate.sheets.iter().filter(|cast| *cast == sheet).count());
            assert_eq!(sheets, Some(1), "{told}: the vote on {id}");
        }
        for id in &acknowledged.revokes {
            assert_eq!(self.exceptions.get(id).map(|fate| fate.revoked), Some(1), "{told}: the revoke of {id}");
        }
        for (id, fate) in &self.exceptions {
            let once: BTreeSet<&String> = fate.sheets.iter().collect();
            let fits = fate.granted <= 1 && fate.revoked <= 1 && fate.uses <= USES && once.len() == fate.sheets.len();
            assert!(fits && (fate.granted == 0 || !fate.sheets.is_empty()), "{told}: {id}: {fate:?}");
        }
    }
}

/// A data folder that goes through several kills.
struct Folder {
    data: PathBuf,
    acknowledged: Acknowledged,
    /// The folder of files that each exception is for, by its id.
    asked: BTreeMap<String, String>,
}

impl Folder {
    /// One life of a gate: what the last one left is looked at, some requests are made, and then it is killed under load.
    async fn live(&mut self, number: usize, end: End) {
        let told = format!("kill {number} ({end:?}) of {}", self.data.display());
        let before = OnRecord::read_if_there(&self.data);
        let mut gate = Doomed::start(&self.data, end);
        self.hold_usable(&gate, &before, &told).await;
        let mut ballots = Vec::new();
        for request in 0..REQUESTS {
            let files = format!("/srv/files/reports/k{number}-{request}");
            let call = write_file("report-writer", &format!("{files}/a.md"), "ask");
            let id = ask(&gate.parties, &call, &files).await;
            let ballot = gate.parties.ballot(&gate.mara, &id, "approve", None).await;
            self.asked.insert(id.clone(), files);
            ballots.push(Ballot { exception: id, ballot });
        }
        let quiet = OnRecord::read(&self.data).acts();
        let grants: Vec<(String, String)> = before
            .exceptions
            .iter()
            .filter(|(_, fate)| fate.granted == 1 && fate.revoked == 0)
            .filter_map(|(id, _)| Some((id.clone(), self.asked.get(id)?.clone())))
            .collect();
        gate.arm();
        let load = Load::new(&gate.parties, &gate.mara, number, ballots, grants);
        let enough = match end {
            End::BeforeReply(_) => usize::MAX,
            End::UnderLoad(enough) => enough,
        };
        let pid = gate.child.id();
        let acknowledged = load.until_dead(enough, move || kill(pid)).await;
        let status = gate.child.wait().expect("its end");
        assert_eq!(status.signal(), Some(9), "{told}: {status:?}");
        let after = OnRecord::read(&self.data);
        let told = format!("{told}, {} acts acknowledged", acknowledged.count());
        after.hold(&acknowledged, &told);
        if let End::BeforeReply(_) = end {
            // That is what the failpoint is for: something is on record that nobody was told of.
            assert!(after.acts() - quiet > acknowledged.count(), "{told}: {} acts on record", after.acts() - quiet);
        }
        self.acknowledged.add(acknowledged);
    }

    /// What is on record can be used, and nothing else: asked as a question, which changes nothing.
    async fn hold_usable(&self, gate: &Doomed, record: &OnRecord, told: &str) {
        for (id, files) in &self.asked {
            let Some(fate) = record.exceptions.get(id) else { continue };
            let mut question = write_file("report-writer", &format!("{files}/a.md"), "question");
            question["context"]["proviso.dev/ask"] = json!(true);
            let reply = gate.parties.evaluate(&question).await.json();
            let usable = fate.granted == 1 && fate.revoked == 0 && fate.uses < USES;
            assert_eq!(reply["decision"], json!(usable), "{told}: {id}: {fate:?} {reply}");
        }
    }
}

/// Requests what a call was denied for, for all files of a folder. The exception's id.
async fn ask(parties: &Parties, call: &Value, files: &str) -> String {
    let denied = parties.evaluate(call).await.json();
    let scope = inside(&denied["context"]["access_request"]["display"]["scope"], files, USES);
    let answer = parties.request(&parties.request_body(call, &denied, Some(scope))).await;
    answer.json()["task"]["id"].as_str().unwrap_or_else(|| panic!("no request: {denied} {answer:?}")).to_owned()
}

/// As the kernel kills: nothing is flushed, and nobody is told.
fn kill(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("a process of ours");
}

/// How the kill of this number comes: by turns, and never twice at the same place.
fn end_of(number: usize) -> End {
    let spread = (number * 7_919) % 61;
    if number.is_multiple_of(2) {
        End::BeforeReply(u32::try_from(3 + spread).expect("a small number"))
    } else {
        End::UnderLoad(2 + spread)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_acknowledged_outlives_kill_9_exactly_once() {
    proviso_tests::clauses!("c4-14-killed");
    let kills: usize = std::env::var("PROVISO_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let numbers: Vec<usize> = (0..kills).collect();
    let by_failpoint = numbers.iter().filter(|number| matches!(end_of(**number), End::BeforeReply(_))).count();
    assert!(by_failpoint * 2 >= kills, "half of them between the append and the reply");
    let lives = numbers.chunks(OF_ONE_FOLDER).map(|numbers| async move {
        let place = tempfile::tempdir().expect("a folder");
        let data = place.path().join("data");
        let mut folder = Folder { data, acknowledged: Acknowledged::default(), asked: BTreeMap::new() };
        for number in numbers {
            folder.live(*number, end_of(*number)).await;
        }
        let told = format!("after {} kills", numbers.len());
        OnRecord::read(&folder.data).hold(&folder.acknowledged, &told);
        let report = audit(&folder.data);
        assert!(report.status.success(), "{told}: {report:?}");
        (folder.acknowledged.count(), folder.acknowledged.unrecorded)
    });
    let acknowledged: Vec<(usize, usize)> = stream::iter(lives).buffer_unordered(AT_ONCE).collect().await;
    let all: usize = acknowledged.iter().map(|(count, _)| count).sum();
    let unrecorded: usize = acknowledged.iter().map(|(_, count)| count).sum();
    assert!(all > kills * 5, "too little was acknowledged to mean anything: {all}");
    assert!(unrecorded * 100 <= all, "a record that can seldom be written: {unrecorded} beside {all}");
}
