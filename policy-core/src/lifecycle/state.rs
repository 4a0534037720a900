//! What an exception is, folded from its events.

use crate::sabotaged;
use serde::{Deserialize, Serialize};

use super::command::VoteDecision;
use super::confirm::Unconfirmed;
use super::request::{Answer, Emergency, Repeat, RequestFacts};
use super::review::{Disposed, Review};
use super::uses::GrantState;
use crate::digest::Digest;
use crate::entity::EntityRef;
use crate::grant::Scope;
use crate::outcome::Terms;
use crate::presence::Proof;
use crate::shared::Shared;
use crate::time::Timestamp;

/// An exception.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// What was asked: the request's event has the same.
    pub request: Shared<RequestFacts>,
    /// The strictest terms since the request.
    pub terms: Terms,
    /// The bundle that it was last judged under (R4).
    pub bundle: Digest,
    /// The scopes that were voted on, each inside the one before (R5); the first is the request's. At most five.
    pub versions: Vec<Version>,
    /// Every vote in order, also those that no longer count.
    pub votes: Vec<Vote>,
    /// Where it stands.
    pub phase: Phase,
    /// What was answered to votes that ask.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
    /// Repeats of the very same request, in order; from the hundredth on only the newest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repeats: Vec<Repeat>,
    /// How often it was repeated in all.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub repeated: u32,
    /// The emergency that was declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency: Option<Emergency>,
    /// Its reviews, in the order in which they were opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviews: Vec<Review>,
    /// How it was judged once it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<Disposed>,
    /// That it was made before the epoch that the gate is in: nothing is permitted by it until people confirm it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unconfirmed: Option<Unconfirmed>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
pub(super) const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// One version of the scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// From 1.
    pub number: u32,
    /// The scope.
    pub scope: Scope,
    /// Who narrowed it; nobody for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<EntityRef>,
}

/// One person's vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// Who.
    pub person: EntityRef,
    /// What.
    pub decision: VoteDecision,
    /// On which version of the scope.
    pub version: u32,
    /// The digest that the vote is bound to: decision sheet, grant and preview.
    pub sheet: Digest,
    /// The ledger position that the sheet was rendered at.
    pub as_of: u64,
    /// Why, in the person's words.
    pub reason: String,
    /// How strongly the person had signed in.
    pub assurance: String,
    /// The groups that the person was in, as policy saw it.
    pub groups: Vec<String>,
    /// An approval of this version and of whatever lies inside it: it counts on later versions, too.
    #[serde(default, skip_serializing_if = "is_false")]
    pub inside: bool,
    /// What showed that the person was there. Votes of earlier releases, which do not say, were cast in a session.
    #[serde(default, skip_serializing_if = "Proof::is_session")]
    pub proof: Proof,
    /// When it landed.
    pub at: Timestamp,
    /// When it was taken back, while it waited for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Timestamp>,
}

/// Where an exception stands. Requested and granted are open; the others are final, but for suspended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Phase {
    /// Votes are wanted.
    Requested,
    /// A grant was made. Whether it is usable is a comparison at use (R6).
    Granted(Box<GrantState>),
    /// Refused by a person.
    Denied {
        /// Who.
        by: EntityRef,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// Taken back by who asked.
    Cancelled {
        /// Who.
        by: EntityRef,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// Nobody decided in time, or the window ended; noticed and written down. It was over before.
    Lapsed {
        /// The grant, where one had been made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<Box<GrantState>>,
        /// When it was noticed.
        at: Timestamp,
    },
    /// A newly active bundle would not grant it on the votes it has. Judged again under the next bundle.
    Suspended {
        /// The grant; absent where votes were still wanted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<Box<GrantState>>,
        /// What the bundle would not grant.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// Taken away by a person.
    Revoked {
        /// The grant.
        grant: Box<GrantState>,
        /// Who.
        by: EntityRef,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// Its uses are used up.
    Exhausted {
        /// The grant.
        grant: Box<GrantState>,
        /// When the last one was used.
        at: Timestamp,
    },
}

impl Phase {
    /// The state's word, as in the API.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Granted(_) => "granted",
            Self::Denied { .. } => "denied",
            Self::Cancelled { .. } => "cancelled",
            Self::Lapsed { .. } => "lapsed",
            Self::Suspended { .. } => "suspended",
            Self::Revoked { .. } => "revoked",
            Self::Exhausted { .. } => "exhausted",
        }
    }

    /// The grant, where one was made.
    pub fn grant(&self) -> Option<&GrantState> {
        match self {
            Self::Granted(grant) | Self::Revoked { grant, .. } | Self::Exhausted { grant, .. } => Some(grant),
            Self::Suspended { grant, .. } | Self::Lapsed { grant, .. } => grant.as_deref(),
            Self::Requested | Self::Denied { .. } | Self::Cancelled { .. } => None,
        }
    }
}

/// An exception's state as it is at an instant, whatever is written down (R6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EffectiveState {
    /// The state's word: the phase's, or `lapsed` where nobody decided in time, `expired` where a grant's window is over,
    /// `not_active` where it has not begun, or has and was not judged again yet, `unconfirmed` where it was made before a
    /// restore and waits for people.
    pub word: &'static str,
}

/// The state at `now`: what is past its time is over, though nobody has noticed yet.
pub fn effective_state(exception: &Exception, now: Timestamp) -> EffectiveState {
    let word = match &exception.phase {
        Phase::Lapsed { grant: Some(_), .. } => "expired",
        Phase::Granted(_) | Phase::Suspended { grant: Some(_), .. } if exception.is_over(now) => "expired",
        _ if exception.is_over(now) => "lapsed",
        Phase::Requested | Phase::Granted(_) | Phase::Suspended { .. } if exception.is_unconfirmed() => "unconfirmed",
        Phase::Granted(state) if now < state.begins() || state.awaits_activation() => "not_active",
        phase => phase.word(),
    };
    EffectiveState { word }
}

impl Exception {
    /// The scope that is voted on now.
    pub fn current(&self) -> Option<&Version> {
        self.versions.last()
    }

    /// Votes count before this instant: what the request said, or less where an emergency was declared.
    pub fn decide_by(&self) -> Timestamp {
        let asked = self.request.decide_by;
        self.emergency.as_ref().map_or(asked, |emergency| asked.min(emergency.decide_by))
    }

    /// Whether there is a grant that something could still come of: it stands, is suspended, or is used up and a use of it
    /// may be given back. Only that can be taken away (R7).
    pub fn may_be_used_again(&self, now: Timestamp) -> bool {
        match &self.phase {
            Phase::Granted(_) | Phase::Suspended { grant: Some(_), .. } => !self.is_over(now),
            Phase::Exhausted { grant, .. } => now < grant.grant.scope.not_after,
            _ => false,
        }
    }

    /// When time ends it, while nothing else has: votes count no more, or the grant's window is over.
    pub fn ends(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Requested | Phase::Suspended { grant: None, .. } => Some(self.decide_by()),
            Phase::Granted(state) | Phase::Suspended { grant: Some(state), .. } => Some(state.grant.scope.not_after),
            Phase::Denied { .. }
            | Phase::Cancelled { .. }
            | Phase::Lapsed { .. }
            | Phase::Revoked { .. }
            | Phase::Exhausted { .. } => None,
        }
    }

    /// Whether time has ended it, noticed or not: nobody decided in time, or the grant's window is over.
    pub fn is_over(&self, now: Timestamp) -> bool {
        let held = self.phase.grant().is_some();
        if held && sabotaged!("r6_grant_outlives") {
            return false;
        }
        if !held && sabotaged!("r6_late_vote") {
            return false;
        }
        self.ends().map_or_else(|| matches!(self.phase, Phase::Lapsed { .. }), |end| now >= end)
    }
}
