//! The board: one line for each receiver.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use policy_core::time::Timestamp;
use proviso_api::operations::CopyLine;
use tokio::sync::watch;

use super::cosigned::Cosigned;
use crate::app::App;
use crate::store::Log;

/// What a receiver takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyKind {
    /// Heads alone.
    Heads,
    /// Every record with its payloads.
    Whole,
}

/// How a receiver fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyState {
    /// It was not reached yet.
    Begun,
    /// It takes what it is sent.
    Fine,
    /// It does not: why, in words.
    Failing(String),
    /// It holds another record, and is left as it is.
    OtherRecord,
}

/// One receiver.
#[derive(Debug)]
struct Line {
    kind: CopyKind,
    /// `folder`, `s3`, `https`, `file`, `webhook` or `witness`.
    word: &'static str,
    state: CopyState,
    /// How many records it holds, by log.
    holds: BTreeMap<Log, u64>,
    /// Since when it does not hold all.
    behind_since: Option<Timestamp>,
    /// What was erased at the gate, and how much of it there.
    erased: Erased,
}

/// How far the gate's erasures have come to a copy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erased {
    /// How many records of the ledger were followed. At first none: nobody has looked yet what the copy holds.
    pub followed: u64,
    /// How many payloads they name that it did not let go.
    pub kept: u64,
    /// Why not.
    pub error: Option<String>,
}

/// All receivers by their names.
#[derive(Debug)]
pub(in crate::app) struct Board {
    lines: Mutex<BTreeMap<String, Line>>,
    /// Told at each step that a copy goes on.
    news: watch::Sender<u64>,
    /// The newest heads that witnesses vouch for.
    pub(super) cosigned: Mutex<BTreeMap<Log, Cosigned>>,
}

impl Default for Board {
    fn default() -> Self {
        Self { lines: Mutex::default(), news: watch::Sender::new(0), cosigned: Mutex::default() }
    }
}

impl Board {
    fn lines(&self) -> MutexGuard<'_, BTreeMap<String, Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether all of the record goes anywhere besides.
    pub(super) fn has_copies(&self) -> bool {
        self.lines().values().any(|line| line.kind == CopyKind::Whole)
    }

    /// Waits until one copy holds all of these records.
    pub(super) async fn covered(&self, records: &[(Log, u64)]) {
        let mut news = self.news.subscribe();
        loop {
            news.mark_unchanged();
            let holds = |line: &Line| {
                let held = |(log, seq): &(Log, u64)| line.holds.get(log).is_some_and(|size| size > seq);
                line.kind == CopyKind::Whole && records.iter().all(held)
            };
            if self.lines().values().any(holds) {
                return;
            }
            // The sender lives as long as the board does.
            if news.changed().await.is_err() {
                return;
            }
        }
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Line)) {
        if let Some(line) = self.lines().get_mut(name) {
            change(line);
        }
        self.news.send_modify(|news| *news = news.wrapping_add(1));
    }
}

impl App {
    /// There is a receiver of this name.
    pub fn expect_copy(&self, name: &str, kind: CopyKind, word: &'static str) {
        let line = Line {
            kind,
            word,
            state: CopyState::Begun,
            holds: BTreeMap::new(),
            behind_since: Some(self.now()),
            erased: Erased::default(),
        };
        self.board().lines().insert(name.to_owned(), line);
    }

    /// A copy holds so many records of a log, under a head, durably.
    pub fn copied_to(&self, name: &str, log: Log, size: u64) {
        self.board().change(name, |line| {
            line.holds.insert(log, size);
        });
    }

    /// A receiver was brought to where the record stood; so many records it is behind by now.
    pub fn copied(&self, name: &str, behind: u64, state: CopyState) {
        let now = self.now();
        self.board().change(name, |line| {
            line.state = state;
            line.behind_since = if behind == 0 { None } else { line.behind_since.or(Some(now)) };
        });
    }

    /// How far erasures have come to a copy.
    pub fn copy_erased(&self, name: &str, erased: Erased) {
        self.board().change(name, |line| line.erased = erased);
    }

    /// A receiver was not reached. Whether that is news.
    pub fn copy_failed(&self, name: &str, state: CopyState) -> bool {
        let now = self.now();
        let mut news = false;
        self.board().change(name, |line| {
            news = line.state != state;
            line.state = state;
            line.behind_since = line.behind_since.or(Some(now));
        });
        news
    }

    /// One line for each receiver, by name.
    pub fn copy_lines(&self) -> Vec<CopyLine> {
        let (now, heads) = (self.now(), self.heads());
        let erasures = self.state().erasures.clone();
        let lines = self.board().lines();
        let told = lines.iter().map(|(name, line)| {
            let held = |log: Log| line.holds.get(&log).copied().unwrap_or(0);
            let behind: u64 = heads.iter().map(|head| head.size.saturating_sub(held(head.log))).sum();
            // Who takes heads alone is behind by heads: what those cover says nothing.
            let records = (line.kind == CopyKind::Whole).then_some(behind);
            let (state, error) = match &line.state {
                CopyState::Begun => ("begun", None),
                CopyState::Fine => ("fine", None),
                CopyState::Failing(what) => ("failing", Some(what.clone())),
                CopyState::OtherRecord => ("other_record", None),
            };
            let pending = |erased: &Erased| -> u64 {
                let ahead: u64 = erasures.range(erased.followed..).map(|(_, payloads)| payloads).sum();
                ahead.saturating_add(erased.kept)
            };
            // Of another record it is not this gate's to say what is in it.
            let ours = line.kind == CopyKind::Whole && line.state != CopyState::OtherRecord;
            CopyLine {
                name: name.clone(),
                kind: line.word.to_owned(),
                state: state.to_owned(),
                records,
                seconds: line.behind_since.map_or(0, |since| now.since(since).seconds()),
                error,
                erasures_pending: ours.then(|| pending(&line.erased)),
                erasure_error: line.erased.error.clone().filter(|_| ours),
            }
        });
        told.collect()
    }
}
