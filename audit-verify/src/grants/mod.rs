//! The ledger as what it says: each grant is made anew from its votes, and each use is held against its grant.
//!
//! Written from the design and not from the gate's code, which is what is checked. What is over is forgotten, so that
//! memory follows the exceptions that are open, and not the log.

mod acts;
mod exception;
mod held;
mod passkeys;
mod scope;
mod time;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::erasure::{Erased, PAYLOADS_ERASED};
use crate::leaf::Leaf;
use crate::source::StoredRecord;
use acts::Acts;
use exception::Exception;
pub(crate) use held::Held;
use passkeys::{Act, Passkeys};
pub use passkeys::{SignatureFault, SignedVote, signed_vote};
pub(crate) use time::Instant;
pub(crate) use wire::{Entity, Grant};
use wire::{Event, Of, Ownership};

/// The payload that holds a ledger record's event.
pub(crate) const EVENT: &str = "event";
/// The kind of record that names the key that signs heads from then on.
pub const KEY_ROTATED: &str = "log_key_rotated";
/// The kind of record that begins an epoch: the record is one that was restored.
const EPOCH_BEGUN: &str = "epoch_begun";
/// How long after the end of its window a grant that is used up is remembered, in milliseconds. Nothing more can come of
/// it then, whatever the gate's clock was set back by.
const REMEMBERED: i64 = 86_400_000;

/// What a record tells of a grant that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GrantFault {
    /// It has no event that this release knows.
    #[error("its event cannot be read: {0}")]
    Event(String),
    /// It is of an exception that is not there, or is over.
    #[error("`{event}` is of the exception `{id}`, which is not open")]
    NotOpen {
        /// The event's kind.
        event: String,
        /// The exception.
        id: String,
    },
    /// It begins an exception that is there already.
    #[error("the exception `{0}` was asked for before")]
    AskedBefore(String),
    /// An event that the exception's state does not admit.
    #[error("`{event}` cannot follow what the exception `{id}` has come to")]
    OutOfOrder {
        /// The event's kind.
        event: String,
        /// The exception.
        id: String,
    },
    /// A version that is wider than the one before.
    #[error("version {0} of the scope is wider than the one before")]
    Widened(u32),
    /// A vote after the time to decide.
    #[error("`{0}` voted after the time to decide")]
    LateVote(String),
    /// Fewer approvals that count than the terms demand.
    #[error("the grant `{id}` has {have} approvals that count, and its terms demand {need}")]
    TooFewVotes {
        /// The exception.
        id: String,
        /// How many persons.
        have: usize,
        /// How many are demanded.
        need: usize,
    },
    /// An approval that the terms demand more of.
    #[error("`{0}` is counted for the grant, and the vote does not show what its terms demand")]
    NotShown(String),
    /// A signature of a vote that does not hold.
    #[error("the signature of the vote of `{person}` does not hold: {what}")]
    Signature {
        /// Whose vote.
        person: String,
        /// What is wrong with it.
        what: SignatureFault,
    },
    /// Something that decides beside votes, shown with less than was demanded.
    #[error("what `{person}` did (`{act}`) does not show what was demanded of it")]
    ActNotShown {
        /// Who.
        person: String,
        /// What.
        act: &'static str,
    },
    /// A signature of such an act that does not hold.
    #[error("the signature of what `{person}` did (`{act}`) does not hold: {what}")]
    ActSignature {
        /// Who.
        person: String,
        /// What.
        act: &'static str,
        /// What is wrong with it.
        what: SignatureFault,
    },
    /// A bundle or module that fewer people voted for than are named, or than it takes.
    #[error("`{0}` became active without the votes that it takes")]
    NotVotedActive(String),
    /// Files beside the digest of another bundle.
    #[error("the files beside it are not those of the bundle `{0}`")]
    OtherBundle(String),
    /// A lock that is none, or has ended.
    #[error("somebody lifts the lock `{0}`, and none of that id is in force")]
    NoLock(String),
    /// A lock that is on whoever lifts it.
    #[error("`{person}` lifts the lock `{id}`, which is on them")]
    OwnLock {
        /// The lock.
        id: String,
        /// Who.
        person: String,
    },
    /// A lock that takes two people to lift.
    #[error("`{person}` lifts the lock `{id}` alone, and is in no group of who set it")]
    LiftedByOne {
        /// The lock.
        id: String,
        /// Who.
        person: String,
    },
    /// Something erased in the name of two people who did not both say so, in time.
    #[error("what is erased by the proposal `{0}` is not what two people agreed on in time")]
    ErasureNotAgreed(String),
    /// A use, or an approval, of what was made before a restore and was not confirmed since.
    #[error("the exception `{0}` is of before a restore, and nobody has confirmed it")]
    Unconfirmed(String),
    /// A group that nobody voted for.
    #[error("nobody of `{0}` approved, and the terms demand it")]
    GroupMissing(String),
    /// Somebody is counted who did not approve.
    #[error("`{0}` is counted for the grant, and no vote of theirs counts")]
    NotAnApproval(String),
    /// Somebody is counted for a group that the vote was not cast in.
    #[error("`{person}` is counted for `{group}`, and the vote was not cast in that group")]
    GroupNotVoted {
        /// Who.
        person: String,
        /// For which group.
        group: String,
    },
    /// A grant that is for something else than what was asked and voted.
    #[error("the grant's `{0}` is not what was voted on")]
    OtherGrant(&'static str),
    /// A use outside the grant's window.
    #[error("the grant was used outside its window")]
    OutsideWindow,
    /// More uses than were granted.
    #[error("the grant was used more often than it allows")]
    TooManyUses,
    /// More of a budget than was granted.
    #[error("the uses of the grant come to more than its budget")]
    OverBudget,
}

impl GrantFault {
    /// A stable snake_case code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Event(_) => "event_unreadable",
            Self::NotOpen { .. } | Self::AskedBefore(_) | Self::OutOfOrder { .. } => "event_out_of_order",
            Self::Widened(_) => "scope_widened",
            Self::LateVote(_) => "vote_too_late",
            Self::NotShown(_) => "vote_not_signed",
            Self::ActNotShown { .. } => "act_not_signed",
            Self::ActSignature { .. } => "act_signature_bad",
            Self::NotVotedActive(_) => "activation_not_voted",
            Self::OtherBundle(_) => "bundle_unfit",
            Self::NoLock(_) | Self::OwnLock { .. } | Self::LiftedByOne { .. } => "lift_not_allowed",
            Self::ErasureNotAgreed(_) => "erasure_not_agreed",
            Self::Signature { .. } => "vote_signature_bad",
            Self::TooFewVotes { .. }
            | Self::GroupMissing(_)
            | Self::NotAnApproval(_)
            | Self::GroupNotVoted { .. }
            | Self::OtherGrant(_) => "grant_not_voted",
            Self::Unconfirmed(_) | Self::OutsideWindow | Self::TooManyUses | Self::OverBudget => "use_not_granted",
        }
    }
}

/// What was checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Grants that were made anew.
    pub grants: u64,
    /// Votes that were read.
    pub votes: u64,
    /// Signatures of votes and of what else decides that were verified.
    pub signatures: u64,
    /// Uses that were held against their grants.
    pub uses: u64,
    /// Grants of earlier releases, which do not name the groups that each approval counted for.
    pub groups_not_recorded: u64,
}

/// What a record says that others need.
#[derive(Debug, Default)]
pub struct Said {
    /// The public key that signs heads from here on.
    pub key: Option<[u8; 32]>,
    /// A use of a grant.
    pub used: Option<Used>,
    /// What was erased.
    pub erased: Vec<Erased>,
}

/// A use of a grant, as the ledger holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// The exception.
    pub exception: String,
    /// The evaluation that it was taken by.
    pub evaluation: String,
    /// When.
    pub(crate) at: Instant,
}

/// The open exceptions of a ledger.
#[derive(Debug, Default)]
pub struct Ledger {
    open: BTreeMap<String, Exception>,
    /// Grants that are used up, by when they are forgotten.
    used_up: BTreeMap<Instant, Vec<String>>,
    counts: Counts,
    lost: Counts,
    /// The passkeys that votes are signed by.
    passkeys: Passkeys,
    /// Exceptions of which something was erased.
    erased: BTreeSet<String>,
    /// What decides beside votes on requests.
    acts: Acts,
}

impl Counts {
    /// One more of what this kind of record is about.
    fn count(&mut self, kind: &str) {
        match kind {
            "vote_cast" => self.votes += 1,
            "exception_granted" => self.grants += 1,
            "grant_used" => self.uses += 1,
            _ => {}
        }
    }
}

impl Ledger {
    /// What was checked so far.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// What can be checked no more, since it was erased.
    pub const fn lost(&self) -> Counts {
        self.lost
    }

    /// The grant of an exception, where calls can be permitted by it.
    pub(crate) fn grant(&self, exception: &str) -> Option<&Held> {
        self.open.get(exception)?.held()
    }

    /// Whether something of an exception was erased, so that nothing can be said of its grant.
    pub(crate) fn is_erased(&self, exception: &str) -> bool {
        self.erased.contains(exception)
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// What the records before it do not allow.
    pub fn take(&mut self, leaf: &Leaf, record: &StoredRecord) -> Result<Said, GrantFault> {
        let now = Instant::read(&leaf.at);
        if let Some(now) = now {
            self.forget(now);
        }
        if record.has_erased(EVENT) {
            self.lost.count(&leaf.kind);
            self.erased.extend(leaf.stream.strip_prefix("exception/").map(str::to_owned));
        }
        // Records of requests hold more payloads than the event; one without an event says nothing of a grant.
        let Some(bytes) = record.payload(EVENT) else { return Ok(Said::default()) };
        let event: Event = serde_json::from_slice(bytes).map_err(|error| GrantFault::Event(error.to_string()))?;
        match event {
            Event::Exception { id, event } => {
                let used = match &*event {
                    Of::GrantUsed { evaluation, at, .. } => {
                        Some(Used { exception: id.clone(), evaluation: evaluation.clone(), at: *at })
                    }
                    _ => None,
                };
                self.exception(&id, &leaf.kind, *event)?;
                Ok(Said { used, ..Said::default() })
            }
            Event::Gate(gate) if gate.kind == KEY_ROTATED => {
                Ok(Said { key: gate.key.as_deref().and_then(public_key), ..Said::default() })
            }
            Event::Gate(gate) if gate.kind == PAYLOADS_ERASED => {
                self.acts.erased(&gate)?;
                Ok(Said { erased: gate.erased, ..Said::default() })
            }
            Event::Gate(gate) if gate.kind == EPOCH_BEGUN => {
                self.open.values_mut().for_each(Exception::doubt);
                self.passkeys.end_all();
                self.acts.begin_epoch();
                Ok(Said::default())
            }
            Event::Identity(event) => {
                self.passkeys.take(event);
                Ok(Said::default())
            }
            Event::Ownership(Ownership::PersonDeparted { person }) => {
                self.passkeys.end_of(&person);
                Ok(Said::default())
            }
            Event::Gate(gate) => {
                self.counts.signatures +=
                    self.acts.gate(&gate, (record.payload(acts::BUNDLE), now), &mut self.passkeys)?;
                Ok(Said::default())
            }
            Event::Policy(event) => {
                self.counts.signatures += self.acts.policy(*event, &mut self.passkeys)?;
                Ok(Said::default())
            }
            Event::Routing(_)
            | Event::Finding(_)
            | Event::Ownership(Ownership::Other)
            | Event::Console(_)
            | Event::Membership(_) => Ok(Said::default()),
        }
    }

    fn exception(&mut self, id: &str, kind: &str, event: Of) -> Result<(), GrantFault> {
        match &event {
            Of::VoteCast { .. } => self.counts.votes += 1,
            Of::ExceptionGranted { counted, .. } => {
                self.counts.grants += 1;
                self.counts.groups_not_recorded += u64::from(counted.is_empty());
            }
            Of::GrantUsed { .. } => self.counts.uses += 1,
            // Looks afterwards say nothing of what was allowed, and come when an exception is over.
            Of::ReviewOpened {} | Of::ReviewClosed {} | Of::DispositionSet {} => return Ok(()),
            _ => {}
        }
        if let Of::ExceptionRequested { request, terms } = event {
            let fresh = Exception::new(*request, terms);
            return match self.open.insert(id.to_owned(), fresh) {
                None => Ok(()),
                Some(_) => Err(GrantFault::AskedBefore(id.to_owned())),
            };
        }
        let not_open = || GrantFault::NotOpen { event: kind.to_owned(), id: id.to_owned() };
        let exception = self.open.get_mut(id).ok_or_else(not_open)?;
        if let Of::VoteCast { vote } = &event {
            let signed = self.passkeys.hold(id, vote, exception.version(vote.version));
            let fault = |what| GrantFault::Signature { person: name(&vote.person), what };
            self.counts.signatures += u64::from(signed.map_err(fault)?);
        }
        let act = match &event {
            Of::ConfirmationGiven { confirmation } => {
                Some(("confirm", &confirmation.by, &confirmation.reason, &confirmation.proof))
            }
            Of::EmergencyDeclared { emergency, .. } => {
                Some(("declare_emergency", &emergency.by, &emergency.reason, &emergency.proof))
            }
            _ => None,
        };
        if let Some((act, person, reason, proof)) = act {
            let demanded = if self.acts.are_shown() { exception.presence(&event) } else { wire::Presence::Session };
            let act = Act { act, person, about: id, shown: None, reason };
            self.counts.signatures += acts::hold(&act, (demanded, proof), &mut self.passkeys)?;
        }
        exception.take(event, kind)?;
        if let Some(end) = exception.used_up_until() {
            self.used_up.entry(end.plus_millis(REMEMBERED)).or_default().push(id.to_owned());
        }
        if exception.is_over() {
            self.open.remove(id);
        }
        Ok(())
    }

    /// Forgets what is used up, or ended by itself, and is long past its end.
    fn forget(&mut self, now: Instant) {
        self.acts.forget(now);
        while let Some(first) = self.used_up.first_entry() {
            if *first.key() > now {
                return;
            }
            for id in first.remove() {
                if self.open.get(&id).is_some_and(|exception| exception.used_up_until().is_some()) {
                    self.open.remove(&id);
                }
            }
        }
    }
}

/// A person's or subject's name in a sentence.
fn name(entity: &Entity) -> String {
    format!("{}::{}", entity.kind, entity.id)
}

fn public_key(text: &str) -> Option<[u8; 32]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}
