//! What is erased at the gate is erased in a copy: the files of payloads that hold it are written anew without it.
//!
//! A copy says itself how far that has come, in a file beside its logs, so that nothing is forgotten over a restart of the
//! gate, an outage of the copy, or an end in the middle: what is written twice is the same. What a copy does not let go is
//! tried again, and told until then.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;

use audit_verify::export::payload_path;
use audit_verify::tree::TILE;
use futures::FutureExt as _;
use tokio::time::{Sleep, sleep};

use super::gather::{Gathered, gather};
use super::mirror::{Mirror, entries_tile};
use super::patience::pause;
use super::sink::{SHORT, Sink, SinkError};
use crate::app::{App, CopyErased};
use crate::random::Random;
use crate::store::Log;

/// The file that says of how many records of the ledger the copy has erased what they say was erased.
const MARK: &str = "erased";

/// A tile whose payloads are to be written anew, by log and index.
type At = (Log, u64);

/// A copy, and how far it is.
pub(super) struct Held<'a> {
    pub(super) app: &'a App,
    pub(super) sink: &'a dyn Sink,
    pub(super) ledger: &'a mut Mirror,
    pub(super) decisions: &'a Mirror,
}

/// How far erasures have come to one copy.
#[derive(Default)]
pub(super) struct Erasing {
    /// How many records of the ledger were followed; absent: it was not looked what the copy says.
    followed: Option<u64>,
    /// What the copy says.
    marked: u64,
    /// What it did not let go, each with how many payloads may be there.
    kept: BTreeMap<At, u64>,
    /// How often in a row something failed, and until when it is waited.
    failures: u32,
    wait: Option<Pin<Box<Sleep>>>,
}

impl Erasing {
    /// Looks at the copy anew: it may be another by now.
    pub(super) fn doubt(&mut self) {
        self.followed = None;
        self.kept.clear();
    }

    /// Follows what the ledger says was erased, as far as the copy holds the ledger. Absent: nothing is new.
    pub(super) async fn step(&mut self, held: Held<'_>, random: &dyn Random) -> Option<CopyErased> {
        if let Some(wait) = &mut self.wait {
            wait.as_mut().now_or_never()?;
            self.wait = None;
        }
        let before = self.followed;
        let error = self.follow(held).await.err();
        if error.is_some() {
            self.failures = self.failures.saturating_add(1);
            self.wait = Some(Box::pin(sleep(pause(self.failures, random))));
        } else if self.failures == 0 && before == self.followed {
            return None;
        } else {
            self.failures = 0;
        }
        let kept = self.kept.values().sum();
        Some(CopyErased { followed: self.followed.unwrap_or(0), kept, error: error.map(|error| error.to_string()) })
    }

    async fn follow(&mut self, mut held: Held<'_>) -> Result<(), SinkError> {
        let followed = match self.followed {
            Some(followed) => followed,
            None => {
                self.marked = held.mark().await?;
                self.marked
            }
        };
        let (followed, mut tiles) = held.named(followed)?;
        self.followed = Some(followed);
        tiles.extend(self.kept.keys().copied());
        let mut failed = None;
        for at in tiles {
            // One file that is refused keeps no other from being written. Where there is no answer, none comes to the next.
            let left = match &failed {
                Some(SinkError::Unreached(_)) => Err((held.erased(at).await, None)),
                _ => held.write_anew(at).await.map_err(|(erased, error)| (erased, Some(error))),
            };
            match left {
                Ok(()) => drop(self.kept.remove(&at)),
                Err((erased, error)) => {
                    self.kept.insert(at, erased.max(1));
                    failed = error.or(failed);
                }
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        // Only now: whatever ends before is done again.
        if followed > self.marked {
            held.sink.put(MARK, format!("{followed}\n").into_bytes()).await?;
            self.marked = followed;
        }
        Ok(())
    }
}

impl Held<'_> {
    fn done(&self, log: Log) -> u64 {
        match log {
            Log::Ledger => self.ledger.done(),
            Log::Decisions => self.decisions.done(),
        }
    }

    /// Of how many records of the ledger the copy says that it has followed them. One that says more than it holds says
    /// nothing.
    async fn mark(&self) -> Result<u64, SinkError> {
        let text =
            self.sink.get(MARK, SHORT).await?.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
        let mark = text.trim().parse().ok();
        Ok(mark.filter(|mark| *mark <= self.ledger.done()).unwrap_or(0))
    }

    /// The tiles of which the copy's records of the ledger, from `followed` on, say that something was erased, and up to
    /// which one there are any.
    fn named(&self, followed: u64) -> Result<(u64, BTreeSet<At>), SinkError> {
        let (mut to, mut tiles) = (followed, BTreeSet::new());
        for seq in self.app.erasures_from(followed).into_iter().filter(|seq| *seq < self.ledger.done()) {
            for said in self.app.said_erased(seq).map_err(SinkError::of)? {
                let log = Log::ALL.into_iter().find(|log| log.name() == said.log);
                let log = log.ok_or_else(|| SinkError::of("something was erased from a log that nobody knows"))?;
                for (first, last) in said.ranges {
                    tiles.extend((first / TILE..=last / TILE).map(|index| (log, index)));
                }
            }
            to = seq.saturating_add(1);
        }
        Ok((to, tiles))
    }

    /// A tile as the gate holds it now, as far as the copy holds it. Absent: it holds nothing of it.
    async fn read(&self, (log, index): At) -> Result<Option<Gathered>, SinkError> {
        let done = self.done(log);
        // What comes to the copy later comes to it erased.
        if done <= index.saturating_mul(TILE) {
            return Ok(None);
        }
        gather(self.app, log, entries_tile(index, done)).await.map(Some)
    }

    /// How many payloads of a tile are erased at the gate.
    async fn erased(&self, at: At) -> u64 {
        self.read(at).await.ok().flatten().map_or(0, |gathered| gathered.erased())
    }

    /// Writes a file of payloads anew, and looks whether it lies there. Beside an error stands how many payloads may be
    /// there still.
    async fn write_anew(&mut self, at: At) -> Result<(), (u64, SinkError)> {
        let gathered = loop {
            let Some(gathered) = self.read(at).await.map_err(|error| (0, error))? else { return Ok(()) };
            if gathered.needs() <= self.ledger.done() {
                break gathered;
            }
            // INVARIANT (R9): nothing is shown as erased by a head that does not cover the record that says so.
            let covered = self.ledger.cover(self.app, self.sink, gathered.needs()).await;
            covered.map_err(|error| (gathered.erased(), error))?;
        };
        self.put(at, &gathered).await.map_err(|error| (gathered.erased(), error))
    }

    async fn put(&self, (log, index): At, gathered: &Gathered) -> Result<(), SinkError> {
        let path = format!("{log}/{}", payload_path(index));
        let file = gathered.payloads()?;
        self.sink.put(&path, file.clone()).await?;
        // What is longer than what was sent is not what was sent.
        match self.sink.get(&path, file.len().max(SHORT)).await? {
            Some(there) if there == file => Ok(()),
            _ => Err(SinkError::of("it took what was sent, and holds what it held before")),
        }
    }
}
