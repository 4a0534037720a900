//! What happened to who is told and who stands in. Persisted and hashed: every variant and member is for ever.

use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::VersionKey;

/// An event of routing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RoutingEvent {
    /// People were told of an open request. Whether it reaches them is the outbox's matter.
    NotificationSent {
        /// The exception.
        exception: String,
        /// Of what.
        notice: Notice,
        /// The groups that policy names for it, sorted; empty: those who may approve.
        groups: Vec<String>,
        /// The people, sorted.
        people: Vec<EntityRef>,
        /// When.
        at: Timestamp,
    },
    /// A person who may decide on a request handed it to another who may.
    RequestHandedOver {
        /// The exception.
        exception: String,
        /// Who hands over.
        from: EntityRef,
        /// To whom.
        to: EntityRef,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// A person named who stands in for a period.
    DeputyAppointed {
        /// Who stands in for whom.
        deputyship: Box<Deputyship>,
        /// When.
        at: Timestamp,
    },
    /// Those who may confirm what an epoch has made wait were told of it. No name stands here: this record is never erased.
    EpochTold {
        /// Which epoch.
        epoch: u64,
        /// How many exceptions wait.
        exceptions: u64,
        /// How many people were told.
        people: u64,
        /// When.
        at: Timestamp,
    },
    /// A deputy stands in no longer.
    DeputyEnded {
        /// The deputyship's id.
        id: String,
        /// Who ended it: the person or the deputy.
        by: EntityRef,
        /// When.
        at: Timestamp,
    },
}

/// Of what people are told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// A decision is wanted.
    Requested,
    /// Half of the time to decide has passed.
    ReminderHalf,
    /// Nine tenths of it have.
    ReminderLast,
    /// A person declared an emergency: less time is left.
    Emergency,
    /// Nobody has decided, and the next group is told.
    Escalated {
        /// Which.
        group: String,
    },
    /// Somebody who may vote asks something before deciding: told to who asked and to the agent's owners.
    Question {
        /// Which vote asks, by its place among the votes.
        vote: u32,
    },
}

/// Who stands in for whom, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deputyship {
    /// Its id.
    pub id: String,
    /// Who is away.
    pub absent: EntityRef,
    /// Who is told and looks instead, with nobody's eligibility but the own.
    pub deputy: EntityRef,
    /// From when on.
    pub from: Timestamp,
    /// Until when, this instant not included.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

impl RoutingEvent {
    /// The record's kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NotificationSent { .. } => "notification_sent",
            Self::RequestHandedOver { .. } => "request_handed_over",
            Self::DeputyAppointed { .. } => "deputy_appointed",
            Self::DeputyEnded { .. } => "deputy_ended",
            Self::EpochTold { .. } => "epoch_told",
        }
    }

    /// The record's stream, and what it changes the version of.
    pub fn place(&self) -> (String, Vec<VersionKey>) {
        match self {
            // A notice changes nothing that a vote reads: it must not make one start again.
            Self::NotificationSent { exception, .. } => {
                (format!("exception/{exception}"), vec![VersionKey::Routing(exception.clone())])
            }
            Self::RequestHandedOver { exception, .. } => {
                let keys = [VersionKey::Exception(exception.clone()), VersionKey::Routing(exception.clone())];
                (format!("exception/{exception}"), keys.to_vec())
            }
            Self::DeputyAppointed { .. } | Self::DeputyEnded { .. } => {
                ("deputies".to_owned(), vec![VersionKey::Deputies])
            }
            Self::EpochTold { .. } => ("gate".to_owned(), Vec::new()),
        }
    }
}
