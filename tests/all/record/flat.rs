//! A replay of a long record needs no more memory than one of a short one.

use std::path::{Path, PathBuf};
use std::process::Command;

use proviso::store::{Log, NewRecord, Store as _};
use proviso_tests::{Binary, Story, write_file};
use serde_json::json;

use super::peak::peak;
use super::raw::{record, store};
use super::replayed::{compiled, copied, replay};

/// A folder whose log of decisions is one decision, so many times.
async fn of(records: usize, folder: &Path) -> PathBuf {
    let story = Story::begin().await;
    compiled(&story);
    let answer = story.evaluate(&write_file("report-writer", "/srv/files/drafts/a.md", "c0")).await.json();
    assert_eq!(answer["decision"], json!(true), "{answer}");
    let data = copied(&story, folder);
    let store = store(&data);
    let first = store.record(Log::Decisions, 0).unwrap().unwrap();
    let payload = |name: &'static str| (name, first.payload(name).unwrap().to_vec());
    let leaf = &first.leaf;
    let again = NewRecord {
        outcome: leaf.outcome.clone(),
        policies: leaf.policies.clone(),
        ..record(
            Log::Decisions,
            "evaluation",
            leaf.at,
            (leaf.module, leaf.bundle),
            vec![payload("decision"), payload("question")],
        )
    };
    let mut left = records - 1;
    while left > 0 {
        let some = left.min(500);
        store.append(Vec::new(), vec![again.clone(); some]).await.unwrap();
        left -= some;
    }
    data
}

/// The most memory that a replay had, in KiB, and that it agreed with all of them.
async fn peak_of(data: &Path, records: usize) -> u64 {
    let path = data.display().to_string();
    let mut command = Command::new(Binary::path());
    let (most, output) = peak(command.args(["replay", "--json", "--threads", "2", "--data", &path])).await;
    assert!(output.status.success(), "{}", output.status);
    let (_, said) = replay(&["--data", &path, "--since", "0", "--until", "1"]);
    assert_eq!(said["logs"][1]["records"], json!(records), "{said}");
    most
}

#[tokio::test]
async fn a_long_record_is_replayed_in_the_memory_of_a_short_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut peaks = Vec::new();
    for records in [400, 12_000] {
        let folder = folder.path().join(records.to_string());
        let data = of(records, &folder).await;
        peaks.push(peak_of(&data, records).await);
    }
    // Thirty times as many: kept in memory they alone would be more than the short one needs.
    assert!(peaks[1] * 10 < peaks[0] * 13, "{peaks:?} KiB");
}
