//! What the record says of how people came in and went. Persisted and hashed: every variant and member is for ever.

use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// An event of membership.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MembershipEvent {
    /// A link was made by which the first administrator comes in. The one before, if any, is over.
    EnrolmentOffered {
        /// Who.
        person: EntityRef,
        /// The link's public id.
        link: String,
        /// The operating-system user.
        by: EntityRef,
        /// When.
        at: Timestamp,
    },
    /// Somebody came in for the first time.
    PersonEnrolled {
        /// Who.
        person: EntityRef,
        /// How.
        by: EnrolledBy,
        /// When.
        at: Timestamp,
    },
    /// An administrator wants something that another has to agree to, or began what one may do alone.
    ProposalMade {
        /// What.
        proposal: Box<Proposal>,
        /// When.
        at: Timestamp,
    },
    /// A second one agreed.
    ProposalAgreed {
        /// The proposal's id.
        id: String,
        /// Who: another administrator, or `operator::NAME` while there is no other.
        by: EntityRef,
        /// The public id of an invitation's link.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<String>,
        /// Whether an agent could have agreed itself, as the gate's own operating-system user.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        same_user: bool,
        /// When.
        at: Timestamp,
    },
    /// It was taken back, or refused.
    ProposalWithdrawn {
        /// The proposal's id.
        id: String,
        /// Who.
        by: EntityRef,
        /// When.
        at: Timestamp,
    },
    /// An account that two administrators linked is nobody's way in any more.
    AccountUnlinked {
        /// Whose it was.
        person: EntityRef,
        /// Its issuer.
        issuer: String,
        /// Its subject there.
        subject: String,
        /// Who.
        by: EntityRef,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// The last administrator is lost, and the host's operator wants to let another one in.
    RecoveryBegun {
        /// What.
        recovery: Box<Recovery>,
    },
    /// Somebody stopped it.
    RecoveryStopped {
        /// The recovery's id.
        id: String,
        /// Who: a person, or `operator::NAME`.
        by: EntityRef,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// Its wait is over, and its link was made. The one before, if any, is over.
    RecoveryOffered {
        /// The recovery's id.
        id: String,
        /// The link's public id.
        link: String,
        /// The operating-system user.
        by: EntityRef,
        /// When.
        at: Timestamp,
    },
}

/// How somebody came in for the first time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnrolledBy {
    /// By the link of the first administrator.
    First,
    /// By an invitation: its id.
    Invitation(String),
    /// By the link of a recovery: its id.
    Recovery(String),
    /// By what the host's operator made: a link, or the file of providers.
    Operator,
}

/// What an administrator began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Its id.
    pub id: String,
    /// What.
    pub what: Proposed,
    /// Who.
    pub by: EntityRef,
    /// Why.
    pub reason: String,
    /// Whether another administrator has to agree.
    pub takes_two: bool,
    /// Until when somebody can agree.
    pub until: Timestamp,
    /// Whether an agent could have begun it itself, as the gate's own operating-system user.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same_user: bool,
    /// The public id of the link, where nobody has to agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// What is proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proposed {
    /// That somebody who was never here comes in.
    Invitation {
        /// Who.
        person: EntityRef,
    },
    /// That an account of a provider is a person's way in.
    Account {
        /// Whose.
        person: EntityRef,
        /// The provider's name in the operator's file.
        provider: String,
        /// Its issuer.
        issuer: String,
        /// The subject there.
        subject: String,
    },
}

impl Proposed {
    /// Whom it is about.
    pub const fn person(&self) -> &EntityRef {
        match self {
            Self::Invitation { person } | Self::Account { person, .. } => person,
        }
    }
}

/// Letting an administrator in when the last one is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// Its id.
    pub id: String,
    /// Who is to come in.
    pub person: EntityRef,
    /// The operating-system user.
    pub by: EntityRef,
    /// Why.
    pub reason: String,
    /// When it began.
    pub at: Timestamp,
    /// When its wait is over.
    pub ready_at: Timestamp,
}

impl MembershipEvent {
    /// The record's kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::EnrolmentOffered { .. } => "enrolment_offered",
            Self::PersonEnrolled { .. } => "person_enrolled",
            Self::ProposalMade { .. } => "proposal_made",
            Self::ProposalAgreed { .. } => "proposal_agreed",
            Self::ProposalWithdrawn { .. } => "proposal_withdrawn",
            Self::AccountUnlinked { .. } => "account_unlinked",
            Self::RecoveryBegun { .. } => "recovery_begun",
            Self::RecoveryStopped { .. } => "recovery_stopped",
            Self::RecoveryOffered { .. } => "recovery_offered",
        }
    }
}
