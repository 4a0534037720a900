//! A gate that starts from a snapshot of its record, over HTTP: it believes what the record says, and where that is not
//! what was signed it honours no exception.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use proviso::store::SnapshotRule;
use proviso_tests::{Client, Parties, Setup, Story, TestGate, copy_folder, until, uses, write_file};
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use super::erasure::{FILE, Open, WRITER, somewhere};
use crate::restore::back_up;

/// However short the record is: a start that reads all of it leaves a snapshot, and nobody writes another one.
const RULE: SnapshotRule = SnapshotRule { least: 1, every: u64::MAX, look: Duration::from_secs(3_600) };

fn setup() -> Setup {
    Setup { snapshots: Some(RULE), ..Setup::default() }
}

/// What a gate left that read its whole record and was stopped: one use of three is used.
struct Left {
    story: Story,
    folder: TempDir,
    mara: String,
    id: String,
}

impl Left {
    async fn begin() -> Self {
        let story = Story::on(TestGate::with(setup()).await).await;
        let (mara, id) = super::played(&story).await;
        let clock = Arc::clone(&story.gate.clock);
        let Story { gate, .. } = &story;
        let first = tempfile::tempdir().unwrap();
        copy_folder(gate.data(), &first.path().join("data")).unwrap();
        // It reads everything, and leaves a snapshot.
        let read = TestGate::open(Setup { clock, ..setup() }, &first.path().join("data")).await.unwrap();
        assert_eq!(verified(&read.client).await, "whole");
        let folder = tempfile::tempdir().unwrap();
        copy_folder(&first.path().join("data"), &folder.path().join("data")).unwrap();
        assert!(folder.path().join("data/record.snapshot").exists());
        Self { story, folder, mara, id }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The next start over this folder.
    async fn started(&self) -> Story {
        let clock = Arc::clone(&self.story.gate.clock);
        let gate = TestGate::open(Setup { clock, ..setup() }, &self.data()).await.unwrap();
        let (point, agent) = (self.story.point.clone(), self.story.agent.clone());
        let parties = Parties { client: gate.client.clone(), point, agent };
        Story::of(gate, parties)
    }

    /// How a start over a copy of it fails.
    async fn refused(&self) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(&self.data(), &folder.path().join("data")).unwrap();
        let opened = TestGate::open(setup(), &folder.path().join("data")).await;
        opened.err().map(|error| error.code().to_owned())
    }
}

/// How much of the record a gate says that it has verified.
async fn verified(client: &Client) -> &'static str {
    let told = client.get("/metrics", None).await.text;
    let says = |how: &str| told.contains(&format!("proviso_record_verified{{how=\"{how}\"}} 1\n"));
    match (says("tail"), says("whole")) {
        (true, false) => "tail",
        (false, true) => "whole",
        other => panic!("{other:?}: {told}"),
    }
}

async fn doubted(client: &Client) -> bool {
    client.get("/metrics", None).await.text.contains("proviso_record_doubted 1\n")
}

/// Until all of the record is verified, or found not to be what was believed.
async fn looked_at(client: &Client) {
    let done = async || (doubted(client).await || verified(client).await == "whole").then_some(());
    until("all of the record is read", done).await;
}

/// How often the grant still permits, at most five times.
async fn permits(story: &Story) -> usize {
    let mut permitted = 0;
    for call in 0..5 {
        let answer = story.evaluate(&write_file("report-writer", FILE, &format!("next-{call}"))).await;
        permitted += usize::from(answer.json()["decision"] == json!(true));
    }
    permitted
}

#[tokio::test]
async fn a_start_from_a_snapshot_believes_what_the_record_says() {
    let left = Left::begin().await;
    let story = left.started().await;
    // Ready, with all that was there: sessions, requests, what was used, and the record as it is told.
    let told = story.client.get(&format!("/api/v1/exceptions/{}", left.id), Some(&left.mara)).await;
    assert_eq!((uses(&told.json()), told.json()["state"].clone()), (Some(1), json!("granted")), "{told:?}");
    let before = super::get(&left.story, &left.mara, "ledger/5").await;
    let after = super::get(&story, &left.mara, "ledger/5").await;
    assert_eq!(before.text, after.text);
    looked_at(&story.client).await;
    assert!(!doubted(&story.client).await);
    assert_eq!(permits(&story).await, 2, "of three uses one is used");
    assert_eq!(left.refused().await, None);
}

#[tokio::test]
async fn r9_a_row_altered_below_the_snapshot_suspends_every_exception_while_scope_passes() {
    let left = Left::begin().await;
    let change = "DROP TRIGGER payload_no_update; UPDATE payload SET bytes = CAST(bytes || x'20' AS BLOB) WHERE log = 'ledger' AND seq = 1";
    Connection::open(left.data().join("record.sqlite")).unwrap().execute_batch(change).unwrap();
    let story = left.started().await;
    looked_at(&story.client).await;
    assert!(doubted(&story.client).await);
    assert_eq!(verified(&story.client).await, "tail");
    let denied = story.evaluate(&write_file("report-writer", FILE, "c1")).await.json();
    assert_eq!(
        (&denied["decision"], &denied["context"]["reason"]),
        (&json!(false), &json!("clock_unsafe")),
        "{denied}"
    );
    assert!(denied["context"]["message"].as_str().unwrap().contains("the record is not what was believed"), "{denied}");
    assert!(denied["context"]["help"].as_str().unwrap().contains("proviso audit verify"), "{denied}");
    let scope = story.evaluate(&write_file("report-writer", "/srv/files/drafts/a.md", "c2")).await.json();
    assert_eq!(scope["decision"], json!(true), "{scope}");
    // It does not end by itself, and the next start believes nothing of it.
    assert_eq!(permits(&story).await, 0);
    assert!(!left.data().join("record.snapshot").exists());
    assert_eq!(left.refused().await.as_deref(), Some("log_tampered"));
}

#[tokio::test]
async fn r9_a_snapshot_that_somebody_wrote_into_is_believed_by_nobody() {
    let left = Left::begin().await;
    let path = left.data().join("record.snapshot");
    let bytes = std::fs::read(&path).unwrap();
    let used = b"\"uses\":1";
    let at: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(used)).collect();
    assert!(!at.is_empty(), "the grant's uses stand in it");
    let mut other = bytes;
    at.iter().for_each(|at| other[at + used.len() - 1] = b'0');
    std::fs::write(&path, other).unwrap();
    let story = left.started().await;
    looked_at(&story.client).await;
    assert!(!doubted(&story.client).await, "the record was read, and is what was signed");
    assert_eq!(permits(&story).await, 2, "of three uses one is used");
}

#[tokio::test]
async fn r9_a_record_that_is_older_than_the_snapshot_beside_it_is_refused() {
    let left = Left::begin().await;
    let (folder, data) = (tempfile::tempdir().unwrap(), left.data());
    let [older, kept, backup, restored] = ["older", "kept", "backup", "restored"].map(|name| folder.path().join(name));
    copy_folder(&data, &older).unwrap();
    // What the copy does not know: the grant is used once more. The next snapshot covers that.
    std::fs::remove_file(data.join("record.snapshot")).unwrap();
    let story = left.started().await;
    let used = story.evaluate(&write_file("report-writer", FILE, "since")).await.json();
    assert_eq!(used["decision"], json!(true), "{used}");
    copy_folder(&data, &kept).unwrap();
    std::fs::remove_file(kept.join("record.snapshot")).unwrap();
    let clock = Arc::clone(&left.story.gate.clock);
    drop(TestGate::open(Setup { clock, ..setup() }, &kept).await.unwrap());
    // Somebody puts the old database back, and the heads that lay beside it.
    std::fs::copy(kept.join("record.snapshot"), older.join("record.snapshot")).unwrap();
    let refused = TestGate::open(setup(), &older).await.err().map(|error| error.code().to_owned());
    assert_eq!(refused.as_deref(), Some("log_tampered"));
    // An operator who restores it begins an epoch.
    back_up(&older, &backup);
    crate::restore::restored(&backup, &restored, &[]);
    let clock = Arc::clone(&left.story.gate.clock);
    let gate = TestGate::open(Setup { clock, ..setup() }, &restored).await.unwrap();
    let mara = gate.person("mara").await;
    let record = gate.client.get("/api/v1/record", Some(&mara)).await.json();
    assert_eq!(record["epoch"]["cause"], json!("restored"), "{record}");
}

#[tokio::test]
async fn what_is_erased_is_in_no_snapshot_when_the_operator_is_told_so() {
    let gate = Open::begin(setup()).await;
    gate.played().await;
    // As after a restart: a snapshot holds all of it.
    let (point, agent) = (gate.point.clone(), gate.agent.clone());
    let gate = gate.again_of(setup()).await;
    let parties = Parties { client: gate.client.clone(), point, agent };
    let gate = Open::on(Story::of(gate, parties));
    let data = gate.gate.data().to_owned();
    let path = data.join("record.snapshot");
    assert!(holds(&path, "the weekly report is due"));
    let (exit, told) = gate.run(&["erase", "--reason", "they asked us to", "--agent", WRITER]).await;
    assert_eq!(exit, Some(0), "{told}");
    assert!(!path.exists());
    for words in [FILE, "the weekly report is due"] {
        assert!(!somewhere(&data, words), "`{words}`");
    }
}

fn holds(path: &Path, words: &str) -> bool {
    let bytes = std::fs::read(path).unwrap();
    bytes.windows(words.len()).any(|window| window == words.as_bytes())
}
