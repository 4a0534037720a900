//! When an epoch begins: after a restore that the operator said, or where somebody holds a head that is not of this
//! record.

use audit_verify::checkpoint::Checkpoint;
use audit_verify::log::Trust;
use audit_verify::tree::verify_consistency;
use policy_core::{sabotaged, text};

use super::{EpochCause, EpochFact, HeadFact};
use crate::app::App;
use crate::app::append::Proposal;
use crate::app::event::{GateEvent, LedgerEvent};
use crate::app::refusal::{Refusal, RefusalKind};
use crate::app::state::State;
use crate::signing::FreshKey;
use crate::store::{Log, RestoreMark, SeenHead, VersionKey};

/// The reason of an epoch that nobody has given one for.
const NOTICED: &str = "somebody holds a head that this record does not lead to: it was restored or replaced";
/// How much of a reason is kept.
const LONGEST_REASON: usize = 2_000;

impl App {
    /// Begins an epoch where the folder was restored, one of these heads is none of this record's, or somebody holds one
    /// over so many records and shows no more of it. Whether it did.
    ///
    /// # Errors
    /// `record_unavailable`; `keys_unwritable`.
    pub(in crate::app) async fn begin_epoch_where_due(
        &self,
        mark: Option<&RestoreMark>,
        seen: &[SeenHead],
        sizes: Vec<HeadFact>,
    ) -> Result<bool, Refusal> {
        let due = {
            let state = self.state();
            let begun = |mark: &&RestoreMark| state.epochs.iter().any(|(_, e)| e.restore.as_ref() == Some(&mark.id));
            let mark = mark.filter(|mark| !begun(mark));
            let heads = mark.iter().flat_map(|mark| &mark.seen).chain(seen);
            let known = heads.flat_map(|head| self.not_ours(&state, head));
            let known: Vec<HeadFact> = known.chain(sizes.into_iter().filter(|fact| !knows(&state, fact))).collect();
            if mark.is_none() && known.is_empty() { None } else { Some((mark.cloned(), known)) }
        };
        let Some((mark, known)) = due else { return Ok(false) };
        // INVARIANT (R9): first the keys go that signed what may have been taken back since. Cut off behind that, it is
        // noticed again.
        let now = self.now();
        let draw = || FreshKey::draw(self.random(), now).map_err(|_| crate::app::identities::no_randomness());
        let (fresh, of_credentials) = (draw()?, draw()?);
        let begun = self.binding_keys().begin_anew(fresh);
        begun.and_then(|()| self.credential_keys().begin_anew(of_credentials)).map_err(|error| {
            tracing::error!(%error, "the keys of before the restore could not be replaced");
            Refusal::new(RefusalKind::Unavailable, "keys_unwritable", "the keys of before could not be replaced")
                .help("look at the disk of the data folder, and start again")
        })?;
        let from: Vec<HeadFact> = Log::ALL.into_iter().filter_map(|log| self.own_head(log)).collect();
        let (cause, by, reason, restore) = match mark {
            Some(mark) => (EpochCause::Restored, mark.by, mark.reason, Some(mark.id)),
            None => (EpochCause::NewerHeadSeen, self.settings().operator.name.clone(), NOTICED.to_owned(), None),
        };
        self.admit(|state| {
            let epoch = EpochFact {
                number: state.epoch().saturating_add(1),
                cause,
                by: by.clone(),
                reason: text::visible(&reason, LONGEST_REASON),
                restore: restore.clone(),
                from: from.clone(),
                known: known.clone(),
                at: now,
            };
            let event = LedgerEvent::Gate(GateEvent::EpochBegun { epoch: Box::new(epoch) });
            let mut record = self.ledger(now, &event)?;
            // INVARIANT (R7): whoever is just signing in with a link of before, or voting in a session of before,
            // conflicts.
            record.touches.extend(state.registry.standing().map(VersionKey::Identity));
            Ok(Proposal { expected: vec![state.version(VersionKey::Bundle)], records: vec![record], answer: () })
        })
        .await?;
        // What fails now is done at the next start.
        if let Err(error) = self.withhold_deliveries().await {
            tracing::warn!(%error, "deliveries of before the restore may be sent once more");
        }
        tracing::error!(
            cause = cause.word(),
            "an epoch begins: exceptions of before wait to be confirmed, and credentials are minted anew"
        );
        Ok(true)
    }

    /// What a head says that is neither of this record nor told of in an epoch that has begun. Empty: it is.
    fn not_ours(&self, state: &State, seen: &SeenHead) -> Vec<HeadFact> {
        if sabotaged!("r9_newer_head_ignored") {
            return Vec::new();
        }
        let opened = Log::ALL.into_iter().filter_map(|log| Some((log, self.opened(log, &seen.note)?)));
        let strange = opened.filter(|(log, head)| !self.leads_to(*log, head) && !is_told(state, *log, head));
        strange.map(|(log, head)| fact(log, &head, Some(text::visible(&seen.place, 200)))).collect()
    }

    /// How many records a head covers that this record begins with. Absent: it is of another, or of more.
    pub(in crate::app) fn covers(&self, log: Log, note: &str) -> Option<u64> {
        let head = self.opened(log, note)?;
        self.leads_to(log, &head).then_some(head.size)
    }

    /// Whether a head is one of this gate's, and an epoch has told of it: it is of a record that was lost.
    pub(in crate::app) fn is_lost(&self, log: Log, note: &str) -> bool {
        self.opened(log, note).is_some_and(|head| is_told(&self.state(), log, &head))
    }

    /// What a note says of a log, where it is one of this gate's. A key that signed it may have come to sign after the
    /// backup was made, so that this folder does not know it: what it says is taken all the same, since at worst it makes
    /// people confirm once more.
    fn opened(&self, log: Log, note: &str) -> Option<Checkpoint> {
        let own = self.keys().trust();
        let trust = Trust { complete: false, ..own };
        let head = trust.open_held(log.name(), note).ok()?;
        trust.keys.iter().any(|key| key.name() == head.origin).then_some(head)
    }

    /// Whether this record begins with what a head covers.
    fn leads_to(&self, log: Log, head: &Checkpoint) -> bool {
        if head.size == 0 {
            return true;
        }
        let Some((newest, proof)) = self.store().consistency(log, head.size) else { return false };
        let own = self.keys().trust().open(log.name(), &newest.note);
        own.is_ok_and(|own| verify_consistency((head.size, &head.root), (own.size, &own.root), &proof).is_ok())
    }

    fn own_head(&self, log: Log) -> Option<HeadFact> {
        let head = self.store().heads().into_iter().find(|head| head.log == log)?;
        let own = self.keys().trust().open(log.name(), &head.note).ok()?;
        Some(fact(log, &own, None))
    }
}

/// Whether an epoch has told of a head: it began because of it, or knew of it.
fn is_told(state: &State, log: Log, head: &Checkpoint) -> bool {
    knows(state, &fact(log, head, None))
}

fn knows(state: &State, fact: &HeadFact) -> bool {
    let mut known = state.epochs.iter().flat_map(|(_, epoch)| &epoch.known);
    known.any(|known| known.log == fact.log && known.size == fact.size && known.root == fact.root)
}

fn fact(log: Log, head: &Checkpoint, place: Option<String>) -> HeadFact {
    HeadFact { log: log.name().to_owned(), size: head.size, root: head.root.to_base64(), place }
}
