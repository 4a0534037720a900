//! What the record says of owners, and of people who left. Persisted and hashed: every variant and member is for ever.

use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;
use proviso_api::ownership::Owned;
use serde::{Deserialize, Serialize};

use crate::store::VersionKey;

/// An event of ownership.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OwnershipEvent {
    /// Somebody else owns it from here on.
    OwnerHandedOver {
        /// What.
        of: Owned,
        /// Who gave it up.
        from: EntityRef,
        /// Who has it now.
        to: EntityRef,
        /// All who own it from here on, sorted.
        owners: Vec<EntityRef>,
        /// Who said so: an owner, or `operator::NAME` of the operating system.
        by: EntityRef,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// A person has left: their sessions and links are over, and they decide nothing any more.
    PersonDeparted {
        /// Who.
        person: EntityRef,
        /// The operating-system user.
        by: EntityRef,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// A person is back, or had never left.
    PersonReturned {
        /// Who.
        person: EntityRef,
        /// The operating-system user.
        by: EntityRef,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
}

impl OwnershipEvent {
    /// The record's kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::OwnerHandedOver { .. } => "owner_handed_over",
            Self::PersonDeparted { .. } => "person_departed",
            Self::PersonReturned { .. } => "person_returned",
        }
    }

    /// The record's stream, and what it changes the version of.
    pub fn place(&self) -> (String, Vec<VersionKey>) {
        match self {
            Self::OwnerHandedOver { of: Owned::Exception(id), .. } => {
                (format!("exception/{id}"), vec![VersionKey::Ownership, VersionKey::Exception(id.clone())])
            }
            _ => ("ownership".to_owned(), vec![VersionKey::Ownership]),
        }
    }
}
