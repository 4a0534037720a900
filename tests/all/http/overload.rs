//! More questions than a gate can take: the excess is told so at once, nothing is allowed by it, and the next is served.

use std::path::Path;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use proviso_tests::{Answer, Parties, Story};
use serde_json::{Value, json};

use super::{refusal, refused, sizes, verdict};

/// The places of a gate, those of one agent, and who comes besides.
const PLACES: usize = 128;
const OF_ONE: usize = 96;
const EXCESS: usize = 30;

fn read(agent: &str, call: &str) -> Value {
    json!({
        "subject": {"type": "Agent", "id": format!("{}{agent}", proviso_tests::AGENTS)},
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

/// An agent of the house behind the story's enforcement point.
async fn party(story: &Story, agent: &str) -> Parties {
    let agent = story.gate.agent(agent, &format!("load-{agent}"), None).await;
    Parties { client: story.client.clone(), point: story.point.clone(), agent }
}

#[tokio::test]
async fn past_capacity_the_excess_is_told_at_once_and_the_next_is_served() {
    let story = Story::begin().await;
    let names = ["report-writer", "ledger-bot", "close-planner"];
    let mut parties = Vec::new();
    for name in names {
        let party = party(&story, name).await;
        // The first question of a subject fills what later ones find.
        assert!(verdict(&party.evaluate(&read(name, "first")).await).0);
        parties.push((name, party));
    }
    let before = sizes(&story);
    let holder = hold_the_disk(story.gate.data());
    let mut asking = FuturesUnordered::new();
    // One agent takes all that it can have, another what is left, and a third finds the room full.
    for ((name, party), (places, excess)) in parties.iter().zip([(OF_ONE, EXCESS), (PLACES - OF_ONE, EXCESS), (0, 1)]) {
        for number in 0..places + excess {
            let call = read(name, &format!("call-{number}"));
            asking.push(async move { party.evaluate(&call).await });
        }
        // Whoever has a place waits for the disk: only those without one are answered.
        for _ in 0..excess {
            let told: Answer = asking.next().await.expect("somebody is answered");
            assert_eq!(refusal(&told), refused(503, "overloaded"), "{name}: {told:?}");
            assert_eq!(told.header("retry-after"), "1");
            assert!(told.json()["decision"].is_null(), "{told:?}");
        }
    }
    // People get past those who wait, and so does what the gate says of itself.
    let metrics = story.client.get("/metrics", None).await.text;
    assert!(metrics.contains(&format!("proviso_turned_away_total {}", 2 * EXCESS + 1)), "{metrics}");
    holder.execute_batch("COMMIT").unwrap();
    drop(holder);
    while let Some(answer) = asking.next().await {
        assert!(verdict(&answer).0, "whoever had a place is served: {answer:?}");
    }
    // There is room again at once, and of those who were turned away the record holds nothing.
    for (name, party) in &parties {
        assert!(verdict(&party.evaluate(&read(name, "after")).await).0, "{name}");
    }
    let after = sizes(&story);
    let grown: u64 = after.iter().zip(&before).map(|(after, before)| after - before).sum();
    assert_eq!(grown, u64::try_from(PLACES + names.len()).unwrap());
}
