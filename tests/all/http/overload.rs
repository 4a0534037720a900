//! More questions than a gate can take: the excess is told so at once, nothing is allowed by it, and the next is served.

use std::path::Path;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use proviso_tests::{Answer, Story};
use serde_json::{Value, json};

use super::{refusal, refused, sizes, verdict};

/// The places of a gate, and who comes besides.
const PLACES: usize = 128;
const EXCESS: usize = 60;

fn read(call: &str) -> Value {
    json!({
        "subject": {"type": "Agent", "id": format!("{}report-writer", proviso_tests::AGENTS)},
        "action": {"name": "read_file"},
        "resource": {"type": "Volume", "id": "files"},
        "context": {
            "input": {"path": "/srv/files/a.md"}, "proviso.dev/server": "files", "proviso.dev/call": call,
        },
    })
}

/// Nothing is written while this is held: as behind a slow disk.
fn hold_the_disk(data: &Path) -> rusqlite::Connection {
    let holder = rusqlite::Connection::open(data.join("record.sqlite")).unwrap();
    holder.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    holder
}

#[tokio::test]
async fn past_capacity_the_excess_is_told_at_once_and_the_next_is_served() {
    let story = Story::begin().await;
    // The first question of a subject fills what later ones find.
    assert!(verdict(&story.evaluate(&read("first")).await).0);
    let before = sizes(&story);
    let holder = hold_the_disk(story.gate.data());
    let story = &story;
    let mut asking: FuturesUnordered<_> = (0..PLACES + EXCESS)
        .map(|number| async move { story.evaluate(&read(&format!("call-{number}"))).await })
        .collect();
    // Whoever has a place waits for the disk: only those without one are answered.
    for _ in 0..EXCESS {
        let told: Answer = asking.next().await.expect("somebody is answered");
        assert_eq!(refusal(&told), refused(503, "overloaded"), "{told:?}");
        assert_eq!(told.header("retry-after"), "1");
        assert!(told.json()["decision"].is_null(), "{told:?}");
    }
    // People get past those who wait, and so does what the gate says of itself.
    let metrics = story.client.get("/metrics", None).await.text;
    assert!(metrics.contains(&format!("proviso_turned_away_total {EXCESS}")), "{metrics}");
    holder.execute_batch("COMMIT").unwrap();
    drop(holder);
    while let Some(answer) = asking.next().await {
        assert!(verdict(&answer).0, "whoever had a place is served: {answer:?}");
    }
    // There is room again at once, and of those who were turned away the record holds nothing.
    assert!(verdict(&story.evaluate(&read("after")).await).0);
    let after = sizes(story);
    let grown: u64 = after.iter().zip(&before).map(|(after, before)| after - before).sum();
    assert_eq!(grown, u64::try_from(PLACES + 1).unwrap());
}
