//! Carrying an erasure out: each part in the transaction of the record that says so, under the versions that it was read
//! at.

use policy_core::entity::EntityRef;
use policy_core::text;
use policy_core::time::Timestamp;

use super::event::Erasure;
use super::ledger::Ledger;
use super::needed::Needed;
use super::plan::{Decisions, Part};
use super::report::ErasureReport;
use super::selection::{Class, ErasureRequest, Selection, Who};
use crate::app::append::{ATTEMPTS, contended};
use crate::app::event::{GateEvent, LedgerEvent};
use crate::app::refusal::{Refusal, RefusalKind};
use crate::app::settings::Operator;
use crate::app::stops::check_reason;
use crate::app::{App, identities};
use crate::random;
use crate::store::{AppendError, Log, Verified, VersionKey};

/// After how many records others get their turn.
const BREATH: u64 = 256;

/// Who erases, and why.
#[derive(Clone, Copy)]
pub(super) struct Act<'a> {
    pub by: &'a str,
    pub reason: &'a str,
    pub dry_run: bool,
    /// The proposal that two people agreed on, and who they are.
    pub by_two: Option<(&'a str, &'a [EntityRef; 2])>,
}

impl App {
    /// Erases what is about somebody, or what is old; or only says what that would be. What the gate still needs, and
    /// what a hold covers, stays and is told.
    ///
    /// # Errors
    /// `nothing_selected`; `unknown_log`; `unknown_record`; `never_erased` of a record of the gate itself;
    /// `reason_needed`; `contended`; `record_unavailable`; `record_unverified`.
    pub async fn erase(&self, by: &Operator, request: &ErasureRequest) -> Result<ErasureReport, Refusal> {
        check_reason(&request.reason, "an erasure")?;
        let selection = Selection::of(request, &self.policy().person_type())?;
        if let Who::Record(log, seq) = selection.who {
            self.hold_record(log, seq)?;
        }
        let reason = text::visible(&request.reason, 2_000);
        let act = Act { by: &by.name, reason: &reason, dry_run: request.dry_run, by_two: None };
        self.carry_out(&selection, act).await
    }

    /// The same by whoever may.
    pub(super) async fn carry_out(&self, selection: &Selection, act: Act<'_>) -> Result<ErasureReport, Refusal> {
        // INVARIANT (R9): what is taken out of a record cannot be found to be another than was signed any more.
        if !act.dry_run && self.folded().verified() != Verified::Whole {
            let detail = "the whole record is not verified yet since the start, and nothing is taken out of it before";
            return Err(Refusal::new(RefusalKind::Unavailable, "record_unverified", detail).retry_after(60));
        }
        // One at a time: two would find the same.
        let _turn = self.erasing().lock().await;
        let run = random::id(self.random(), "era").map_err(|_| identities::no_randomness())?;
        let mut report = ErasureReport { dry_run: act.dry_run, ..ErasureReport::default() };
        for _ in 0..ATTEMPTS {
            let now = self.now();
            report.kept.clear();
            let parts = self.parts(selection, now, &mut report).await?;
            let mut changed = false;
            for part in parts {
                changed = !self.put(selection, act, &run, part, &mut report).await?;
                if changed {
                    break;
                }
            }
            if !changed {
                return Ok(report);
            }
        }
        Err(contended())
    }

    /// A record that is meant by itself must be one that can be erased.
    pub(super) fn hold_record(&self, log: Log, seq: u64) -> Result<(), Refusal> {
        let unknown = || Refusal::not_found("unknown_record", "the log has no such record");
        let record = self.store().record(log, seq).map_err(|error| self.unreadable(&error))?.ok_or_else(unknown)?;
        let whole = record.leaf.stream == "identity" || record.leaf.stream.starts_with("exception/");
        if log == Log::Ledger && !whole {
            let detail = format!("a record of the kind `{}` stays for as long as the ledger does", record.leaf.kind);
            return Err(Refusal::conflict("never_erased", detail));
        }
        Ok(())
    }

    /// Looks through both logs.
    async fn parts(
        &self,
        selection: &Selection,
        now: Timestamp,
        report: &mut ErasureReport,
    ) -> Result<Vec<Part>, Refusal> {
        let needed = Needed::of(&self.state(), now);
        let sizes = self.store().heads();
        let size = |log| sizes.iter().find(|head| head.log == log).map_or(0, |head| head.size);
        let mut parts = Vec::new();
        let mut decisions = Decisions::new(selection, &needed);
        for seq in 0..size(Log::Decisions) {
            parts.extend(decisions.take(&self.stored(Log::Decisions, seq)?, report));
            if seq % BREATH == 0 {
                tokio::task::yield_now().await;
            }
        }
        parts.extend(decisions.end());
        let ledgers = selection.has(Class::Exceptions) || selection.has(Class::Credentials);
        if ledgers {
            let mut ledger = Ledger::new(selection, &needed);
            for seq in 0..size(Log::Ledger) {
                ledger.take(&self.stored(Log::Ledger, seq)?, report);
                if seq % BREATH == 0 {
                    tokio::task::yield_now().await;
                }
            }
            parts.extend(ledger.end(report));
        }
        let (key, version) = needed.holds_version;
        for part in &mut parts {
            part.expected.insert(key.clone(), version);
        }
        Ok(parts)
    }

    /// Writes one part. `false`: what it was read at has changed.
    async fn put(
        &self,
        selection: &Selection,
        act: Act<'_>,
        run: &str,
        part: Part,
        report: &mut ErasureReport,
    ) -> Result<bool, Refusal> {
        let (counts, lost) = (part.counts.clone(), part.lost);
        if !act.dry_run {
            let now = self.now();
            let mut expected: Vec<(VersionKey, u64)> =
                part.expected.iter().map(|(key, version)| (key.clone(), *version)).collect();
            expected.extend(act.by_two.map(|(proposal, _)| self.still_agreed(proposal)).transpose()?);
            let mut erasure = Erasure {
                run: run.to_owned(),
                what: selection.word().to_owned(),
                of: selection.entity().map(|entity| self.keys().pseudonym(&entity.to_string())),
                older_than: selection.older_than,
                classes: selection.classes.clone(),
                by: act.by.to_owned(),
                reason: act.reason.to_owned(),
                at: now,
                proposal: act.by_two.map(|(proposal, _)| proposal.to_owned()),
                people: act.by_two.map(|(_, people)| people.to_vec()).unwrap_or_default(),
                erased: Vec::new(),
                counts: counts.clone(),
                lost,
                exceptions: part.exceptions.clone(),
                credentials: part.credentials.clone(),
                tasks: part.tasks.iter().map(|task| self.task_pseudonym(task)).collect(),
            };
            erasure.erased = part.erased();
            let erased = erasure.erased.clone();
            let record = self.ledger(now, &LedgerEvent::Gate(GateEvent::PayloadsErased(Box::new(erasure))))?;
            match self.store().erase(expected, vec![record], erased).await {
                Ok(positions) => report.records.extend(positions.records.iter().map(|(_, seq)| *seq)),
                Err(AppendError::Conflict(_)) => return Ok(false),
                Err(AppendError::Unavailable) => return Err(Refusal::record_unavailable()),
            }
            report.run = Some(run.to_owned());
        }
        for (class, payloads) in counts {
            report.count(class, payloads);
        }
        report.lost.add(lost);
        Ok(true)
    }
}
