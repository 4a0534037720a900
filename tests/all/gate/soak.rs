//! Mixed load without an end: what a gate holds of memory and files after it is what it held before.

use std::fs;
use std::path::Path;

use futures::future::join_all;
use proviso_tests::{AGENTS, Binary, Parties, sample_bundle, write_file};
use serde_json::{Value, json};

use super::{parties, sign_in};

/// How many rounds, where `PROVISO_SOAK` says nothing: what each change bears. The nightly task says as many as take ten
/// minutes.
const ROUNDS: usize = 60;
/// So many agents ask in turn: one may make 200 requests within an hour.
const WORKERS: usize = 20;
/// After so many of a hundred rounds everything that is kept is there.
const WARM: usize = 30;
/// What may come besides: exceptions that are over stand in memory for the queue's history, some kilobytes each.
const OF_A_ROUND: u64 = 32 * 1024;
/// What an allocator keeps for itself, more or less.
const SLACK: u64 = 24 * 1024 * 1024;

fn call(agent: &str, tool: &str, path: &str, id: &str) -> Value {
    let mut call = write_file(agent, path, id);
    call["action"]["name"] = json!(tool);
    if tool != "write_file" {
        call["context"]["input"] = json!({"path": path});
    }
    call
}

fn name(worker: usize) -> String {
    format!("worker-{worker}")
}

/// The sample bundle, with these agents in it.
fn bundle_of_workers(folder: &Path) {
    let mut files = sample_bundle();
    let entities = files.get_mut("entities.json").unwrap();
    let mut all: Vec<Value> = serde_json::from_str(entities).unwrap();
    all.extend((0..WORKERS).map(|worker| {
        let owner = json!({"__entity": {"type": "User", "id": "tom"}});
        let uid = json!({"type": "Agent", "id": format!("{AGENTS}{}", name(worker))});
        json!({"uid": uid, "attrs": {"owner": owner, "autonomy": 2}, "parents": []})
    }));
    *entities = serde_json::to_string_pretty(&all).unwrap();
    for (path, text) in files {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
}

/// A gate, the agents that load it, and the person who decides.
struct Loaded {
    gate: Binary,
    workers: Vec<Parties>,
    mara: String,
}

impl Loaded {
    async fn start(folder: &Path) -> Self {
        bundle_of_workers(&folder.join("bundle"));
        let gate = Binary::serve_bundle(&folder.join("data"), &folder.join("bundle"), &[]);
        let Parties { client, point, .. } = parties(&gate);
        let workers = (0..WORKERS).map(|worker| {
            let subject = format!("Agent::{AGENTS}{}", name(worker));
            let agent = gate.token(&["agent", "--subject", &subject, "--task", "weekly-report", "--for", "ines"]);
            Parties { client: client.clone(), point: point.clone(), agent }
        });
        let (workers, mara) = (workers.collect(), sign_in(&gate, "mara").await);
        Self { gate, workers, mara }
    }

    /// Reads that scope permits, a write that it does not, one that a guardrail forbids; and an exception's whole life.
    async fn round(&self, number: usize) {
        let worker = number % WORKERS;
        let (parties, agent) = (&self.workers[worker], &name(worker));
        let asked = (0..8).map(|of| async move {
            let id = format!("soak-{number}-{of}");
            let (call, permitted) = match of {
                6 => (call(agent, "write_file", "/srv/files/reports/never.md", &id), false),
                7 => (call(agent, "write_file", "/srv/files/.hidden", &id), false),
                _ => (call(agent, "read_file", &format!("/srv/files/{of}.md"), &id), true),
            };
            let answer = parties.evaluate(&call).await.json();
            assert_eq!(answer["decision"], permitted, "{answer:#}");
        });
        join_all(asked).await;
        let path = format!("/srv/files/reports/{number}.md");
        let wanted = |of: &str| call(agent, "write_file", &path, &format!("soak-{number}-{of}"));
        let id = parties.ask(&wanted("ask"), None).await;
        let voted = parties.vote(&self.mara, &id, "approve", None).await.json();
        assert_eq!(voted["state"], "granted", "{voted:#}");
        assert_eq!(parties.evaluate(&wanted("use")).await.json()["decision"], true);
        assert_eq!(parties.evaluate(&wanted("again")).await.json()["decision"], false, "one use was granted");
        for page in ["/api/v1/exceptions?stage=current", "/api/v1/record", "/api/v1/agents", "/metrics"] {
            let answer = parties.client.get(page, Some(&self.mara)).await;
            assert!(answer.status.is_success(), "{page}: {answer:?}");
        }
    }

    /// Bytes of memory, and how many files are open.
    fn holds(&self) -> (u64, usize) {
        let of = format!("/proc/{}", self.gate.pid());
        let status = fs::read_to_string(format!("{of}/status")).unwrap();
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
        let memory: u64 = memory.expect("what it holds of memory").parse().unwrap();
        (memory * 1024, fs::read_dir(format!("{of}/fd")).unwrap().count())
    }
}

#[tokio::test]
async fn mixed_load_without_an_end_takes_no_more_memory_and_no_more_files() {
    let rounds = std::env::var("PROVISO_SOAK").map_or(ROUNDS, |rounds| rounds.parse().expect("how many rounds"));
    let folder = tempfile::tempdir().unwrap();
    let loaded = Loaded::start(folder.path()).await;
    let warm = rounds * WARM / 100;
    let (mut memory, mut files) = (0, 0);
    for number in 0..rounds {
        loaded.round(number).await;
        if number == warm {
            (memory, files) = loaded.holds();
        }
    }
    let (memory_after, files_after) = loaded.holds();
    let grown = u64::try_from(rounds - warm).unwrap() * OF_A_ROUND + SLACK;
    println!("{rounds} rounds: {memory} to {memory_after} bytes of memory, {files} to {files_after} files");
    assert!(memory_after <= memory + grown, "{memory} bytes of memory became {memory_after} in {rounds} rounds");
    // A connection more or less is open at any moment.
    assert!(files_after <= files + 8, "{files} files became {files_after} in {rounds} rounds");
}
