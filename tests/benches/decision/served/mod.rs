//! What is served: decisions on the durable record over HTTP beside handlers that do next to nothing, and at a gate that
//! holds very many exceptions beside one that holds none; how soon a vote and a revoke are felt, how a gate starts, how fast
//! its record is asked again, and how a browser bears a large preview.
//!
//! Gates, peers and clients run in this process, on one runtime and one disk: what one takes from the processors, it
//! takes from all.

mod asked;
mod crowded;
mod drawn;
mod felt;
mod million;
mod peers;
mod replayed;
mod started;

use std::sync::Arc;
use std::time::Duration;

use proviso_tests::Story;
use tokio::runtime::Runtime;

use crate::figures::Measured;
use crate::measure::Way;
use crate::{Result, Run};
use asked::Asked;
use peers::{Disk, Peers};

/// How many keep asking at the same time, each over a connection of its own.
const CONNECTIONS: usize = 64;
/// How often each asks in a turn at least: how a burst begins and ends is not the rate that is kept up.
const IN_A_ROW: u32 = 8;

/// All of it.
pub fn measure(run: &mut Run) -> Result<()> {
    let runtime = Runtime::new()?;
    let folder = tempfile::tempdir()?;
    let disk = Disk::new(&folder.path().join("synced"))?;
    let (story, peers) =
        runtime.block_on(async { (Story::begin().await, Peers::start(&folder.path().join("kept")).await) });
    let peers = peers?;
    let gate = Arc::new(runtime.block_on(Asked::gate(&story))?);
    let nothing = Arc::new(Asked::peer(&peers.nothing)?);
    let syncing = Arc::new(Asked::peer(&peers.syncing)?);
    rate(run, &runtime, [&gate, &nothing, &syncing])?;
    lonely(run, &runtime, &disk, [&gate, &nothing, &syncing])?;
    let sync = disk.usual()?;
    felt::measure(run, &runtime, &story, sync)?;
    replayed::measure(run, &runtime, story.gate.data())?;
    drop(story);
    started::measure(run, &runtime)?;
    drawn::measure(run, &runtime)?;
    // The last: what a gate of that size leaves behind in memory would be felt by whoever is measured after it.
    crowded::measure(run, &runtime)
}

/// All connections at once: how long so many questions of each take, for one of each.
fn bursts<'a>(runtime: &'a Runtime, asked: &'a Arc<Asked>) -> impl FnMut(u32) -> Result<Duration> + 'a {
    move |calls| {
        let took = runtime.block_on(Asked::at_once(asked, CONNECTIONS, calls.saturating_mul(IN_A_ROW)));
        took.map(|took| took / IN_A_ROW)
    }
}

/// Decisions a second, of all connections together.
fn rate(run: &mut Run, runtime: &Runtime, of: [&Arc<Asked>; 3]) -> Result<()> {
    let [gate, nothing, syncing] = of.map(|asked| bursts(runtime, asked));
    let mut ways = [
        Way::elsewhere("a gate, the decision on the disk before it is told", gate),
        Way::elsewhere("a handler that does nothing", nothing),
        Way::elsewhere("a handler that syncs a file", syncing),
    ];
    let times = run.measure("64 connections, one question of each", &mut ways)?;
    if let [gate, nothing, _] = times.as_slice() {
        run.figure("http_against_nothing", Measured::ratio(nothing, gate));
    }
    Ok(())
}

/// One who asks alone waits for the disk, and for nobody else.
fn lonely(run: &mut Run, runtime: &Runtime, disk: &Disk, of: [&Arc<Asked>; 3]) -> Result<()> {
    let [gate, nothing, syncing] = of.map(|asked| move || runtime.block_on(asked.ask()).map(|()| true));
    let mut ways = [
        Way::here("a gate, the decision on the disk before it is told", gate),
        Way::here("a handler that does nothing", nothing),
        Way::here("a handler that syncs a file", syncing),
        Way::here("one sync of a file", || disk.sync().map(|()| true)),
    ];
    let times = run.measure("one connection", &mut ways)?;
    if let [gate, nothing, _, sync] = times.as_slice() {
        let over = gate.iter().zip(nothing).map(|(gate, nothing)| gate.saturating_sub(*nothing));
        let over: Vec<Duration> = over.collect();
        run.figure("lonely_durable_decision", Measured::ratio(&over, sync));
    }
    Ok(())
}
