//! Walking back along both logs at once, by time, until a page is full or enough was read.

use audit_verify::source::StoredRecord;
use policy_core::console::Act;
use policy_core::digest::Digest;
use policy_core::time::Timestamp;
use proviso_api::record::{RecordLine, RecordLines};
use tokio::task::spawn_blocking;

use super::wanted::{LinesWanted, Narrowed};
use crate::app::App;
use crate::app::console::About;
use crate::app::listing::PageWanted;
use crate::app::page;
use crate::app::proofs::unreadable;
use crate::app::refusal::Refusal;
use crate::export;
use crate::identity::PersonSession;
use crate::store::{Log, Sighted};

/// How many lines a page has at most, and when nobody says.
const MOST_LINES: u32 = 200;
const LINES: u32 = 50;
/// How many records are read for one page at most: the next page goes on behind them.
const MOST_READ: u64 = 2_000;
/// How many are read at once.
const AT_ONCE: usize = 64;

/// Where the walk stands: of each log, what lies before this position is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ends {
    ledger: u64,
    decisions: u64,
}

/// A record that was read, with its line and whom it is about.
struct Read {
    at: (Log, u64),
    line: RecordLine,
    about: Option<About>,
}

impl Ends {
    const fn of(&mut self, log: Log) -> &mut u64 {
        match log {
            Log::Ledger => &mut self.ledger,
            Log::Decisions => &mut self.decisions,
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (ledger, decisions) = text.split_once('/')?;
        Some(Self { ledger: ledger.parse().ok()?, decisions: decisions.parse().ok()? })
    }
}

impl App {
    /// The lines of the log that this person may see, newest first.
    ///
    /// # Errors
    /// `not_permitted_here` for who may read the record of nobody; `unknown_log`, `bad_request`, `bad_page_token`;
    /// `too_many_looks`; `record_unreadable`; `limit` where the module gives no answer.
    pub async fn record_lines(
        &self,
        person: &PersonSession,
        wanted: LinesWanted,
        page: &PageWanted,
    ) -> Result<RecordLines, Refusal> {
        self.hold_reading(person).await?;
        let _turn = self.turn_to_look(&person.person).await?;
        let limit = match page.limit {
            Some(0) => return Err(Refusal::bad("bad_request", "`limit` is a whole number from 1")),
            limit => limit.unwrap_or(LINES).min(MOST_LINES),
        };
        let query = Digest::of(&crate::app::append::canonical(&(&person.person, "lines", &wanted))?);
        let mut ends = match &page.token {
            Some(token) => Ends::read(&page::after(self.keys(), query, token)?),
            None => {
                let size = |log| self.store().heads().iter().find(|head| head.log == log).map_or(0, |head| head.size);
                Some(Ends { ledger: size(Log::Ledger), decisions: size(Log::Decisions) })
            }
        }
        .unwrap_or(Ends { ledger: 0, decisions: 0 });
        let (now, position) = (self.now(), self.position());
        let mut told = RecordLines { now, position, lines: Vec::new(), looked: 0, back_to: None, next: None };
        let Some(narrowed) = self.narrowed(wanted)? else { return Ok(told) };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        loop {
            let some = self.sighted(&narrowed, &mut ends);
            if some.is_empty() {
                return Ok(told);
            }
            if told.lines.len() >= limit || told.looked >= MOST_READ {
                told.next = Some(page::token(self.keys(), query, &format!("{}/{}", ends.ledger, ends.decisions))?);
                return Ok(told);
            }
            let read = self.read_some(some.clone()).await?;
            let read: Vec<Read> =
                read.into_iter().filter(|read| narrowed.fits(&read.line, read.about.as_ref())).collect();
            let mut seen = self.seen_of(person, read, now).await?.into_iter().peekable();
            for (log, Sighted { seq, at }) in some {
                if told.lines.len() >= limit {
                    break;
                }
                told.looked = told.looked.saturating_add(1);
                told.back_to = Some(told.back_to.map_or(at, |back_to: Timestamp| back_to.min(at)));
                *ends.of(log) = seq;
                if let Some((_, line)) = seen.next_if(|(place, _)| *place == (log, seq)) {
                    told.lines.extend(line);
                }
            }
        }
    }

    /// The next places that may fit, newest first, of both logs. A log in which nothing fits any more is not looked
    /// through again: memory holds a line of each record there ever was.
    fn sighted(&self, narrowed: &Narrowed, ends: &mut Ends) -> Vec<(Log, Sighted)> {
        let mut some: Vec<(Log, Sighted)> = Vec::new();
        for log in &narrowed.logs {
            let mut end = *ends.of(*log);
            let mut most = AT_ONCE;
            if let Some(seq) = narrowed.wanted.seq {
                // One record alone, where it was not told yet.
                (end, most) = (end.min(seq.saturating_add(1)), 1);
            }
            let found = self.store().before(*log, end, &narrowed.sought, most);
            if found.is_empty() {
                *ends.of(*log) = 0;
            }
            let found = found.into_iter().filter(|sighted| narrowed.wanted.seq.is_none_or(|seq| sighted.seq == seq));
            some.extend(found.map(|sighted| (*log, sighted)));
        }
        // Within a log the order is the log's, whatever the clock said: a log's newest is never told behind an older one.
        let mut latest = [(Log::Ledger, i64::MAX), (Log::Decisions, i64::MAX)];
        let mut placed: Vec<(i64, Log, Sighted)> = Vec::new();
        for (log, sighted) in some {
            for (of, before) in &mut latest {
                if *of == log {
                    *before = (*before).min(sighted.at.millis());
                    placed.push((*before, log, sighted));
                }
            }
        }
        placed.sort_by(|(a, log_a, one), (b, log_b, other)| {
            b.cmp(a).then_with(|| log_a.cmp(log_b)).then_with(|| other.seq.cmp(&one.seq))
        });
        placed.into_iter().take(AT_ONCE).map(|(_, log, sighted)| (log, sighted)).collect()
    }

    /// Reads them from the disk, off the executor.
    async fn read_some(&self, some: Vec<(Log, Sighted)>) -> Result<Vec<Read>, Refusal> {
        let app = self.clone();
        let reading = move || -> Result<Vec<Read>, Refusal> {
            let mut read = Vec::new();
            for (log, Sighted { seq, at }) in some {
                let stored = app.store().stored(log, seq).map_err(|error| unreadable(&error))?;
                read.extend(stored.map(|stored| app.told_line(log, &stored, at)));
            }
            Ok(read)
        };
        let done = spawn_blocking(reading).await;
        done.map_err(|error| unreadable(&error))?
    }

    fn told_line(&self, log: Log, stored: &StoredRecord, at: Timestamp) -> Read {
        let place = (log, stored.seq);
        match export::line(stored) {
            Some((matter, line)) => Read { at: place, line, about: self.about_matter(matter) },
            // A later release wrote it: that it is there is all that is told, to who may read anything.
            None => Read { at: place, line: unknown(log, stored.seq, at), about: Some(About::GATE) },
        }
    }

    /// The lines, each as this person may see it; absent where they may not. In the order given.
    async fn seen_of(
        &self,
        person: &PersonSession,
        read: Vec<Read>,
        now: Timestamp,
    ) -> Result<Vec<((Log, u64), Option<RecordLine>)>, Refusal> {
        let about = |read: &Read| read.about.clone().unwrap_or(About::GATE);
        let asked: Vec<(Act, About)> =
            read.iter().flat_map(|read| [(Act::ViewRecord, about(read)), (Act::ViewArguments, about(read))]).collect();
        let answers = self.may_each(person, &asked, now).await?;
        let may: Vec<bool> = answers.iter().map(|answer| answer.permitted && answer.persons < 2).collect();
        let each = read.into_iter().zip(may.chunks_exact(2)).map(|(read, may)| {
            let [reads, sees] = may else { return (read.at, None) };
            let mut line = read.line;
            // What is about nobody's call holds no arguments.
            if !sees && read.about.is_some() {
                export::withhold(&mut line);
            }
            (read.at, reads.then_some(line))
        });
        Ok(each.collect())
    }
}

/// The line of a record that this release cannot read.
fn unknown(log: Log, seq: u64, at: Timestamp) -> RecordLine {
    RecordLine {
        log: log.name().to_owned(),
        seq,
        at,
        kind: "unreadable".to_owned(),
        outcome: None,
        reason: None,
        policies: Vec::new(),
        by: None,
        subject: None,
        task: None,
        action: None,
        resources: Vec::new(),
        exception: None,
        finding: None,
        bundle: None,
        evaluation: None,
        said: None,
        hidden: true,
        erased: Vec::new(),
    }
}
