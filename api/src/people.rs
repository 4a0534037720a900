//! Who is here, how people come in, and what administrators do about it.

use policy_core::console::Act;
use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::sessions::SessionLine;

/// `POST /api/v1/people/invitations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InviteRequest {
    /// The person, by id: one of the active bundle's who was never here.
    pub user: String,
    /// Why.
    pub reason: String,
}

/// `POST /api/v1/people/{user}/accounts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkAccountRequest {
    /// The provider, by its name in the operator's file.
    pub provider: String,
    /// The account's `sub` there.
    pub subject: String,
    /// Why.
    pub reason: String,
}

/// `POST /api/v1/people/{user}/accounts/unlink`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnlinkAccountRequest {
    /// The provider, by its name in the operator's file.
    pub provider: String,
    /// The account's `sub` there.
    pub subject: String,
    /// Why.
    pub reason: String,
}

/// What is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProposalKind {
    /// That somebody comes in for the first time.
    Invitation,
    /// That an account of a provider is a person's way in.
    Account,
}

/// What an administrator began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalLine {
    /// Its id.
    pub id: String,
    /// What.
    pub kind: ProposalKind,
    /// Whom it is about.
    pub person: EntityRef,
    /// The provider of an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The account's `sub` there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Who began it.
    pub by: EntityRef,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Until when somebody can agree.
    pub until: Timestamp,
    /// `waits`, `agreed`, `used`, `withdrawn`, `lapsed`, or `earlier_epoch` where the gate was restored since.
    pub state: String,
    /// Who agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed_by: Option<EntityRef>,
    /// Whether who reads this may agree.
    pub you_may_agree: bool,
}

/// What was begun, or agreed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalReply {
    /// As it stands.
    pub proposal: ProposalLine,
    /// The invitation's link, for the person who is invited. It stands nowhere else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Until when it works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_expires_at: Option<Timestamp>,
}

/// A recovery under way: the last administrator is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryLine {
    /// Who is to come in.
    pub person: EntityRef,
    /// Who of the host's operators began it.
    pub by: EntityRef,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Until when everybody can stop it before anybody comes in.
    pub ready_at: Timestamp,
}

/// `GET /api/v1/people`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeopleReply {
    /// The gate's time.
    pub now: Timestamp,
    /// The ledger position.
    pub position: u64,
    /// The administrators who are here.
    pub administrators: Vec<EntityRef>,
    /// Whether the bundle says who may do what in Proviso.
    pub has_console: bool,
    /// Everybody, sorted.
    pub people: Vec<Member>,
    /// How many more there are.
    pub more: u64,
    /// What administrators began, the newest first.
    pub proposals: Vec<ProposalLine>,
    /// A recovery under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<RecoveryLine>,
}

/// Somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub person: EntityRef,
    /// Their groups, by the bundle.
    pub groups: Vec<String>,
    /// Whether the bundle lets them look after people.
    pub administrator: bool,
    /// When they were first here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrolled_at: Option<Timestamp>,
    /// Until when they are new, and decide on nothing above the lowest tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_until: Option<Timestamp>,
    /// When they left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub departed_at: Option<Timestamp>,
    /// In how many places they are signed in.
    pub sessions: u64,
}

/// `GET /api/v1/people/{user}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberDetail {
    /// The gate's time.
    pub now: Timestamp,
    /// Who.
    pub member: Member,
    /// What the bundle lets them do, about the gate or any agent, as strongly signed in as there is.
    pub may: Vec<Act>,
    /// The accounts that they come in by.
    pub accounts: Vec<AccountLine>,
    /// Where they are signed in.
    pub sessions: Vec<SessionLine>,
}

/// An account of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountLine {
    /// The provider.
    pub provider: String,
    /// The `sub` there.
    pub subject: String,
    /// When two administrators linked it. Absent: it stands in the operator's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linked_at: Option<Timestamp>,
    /// Who linked it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub linked_by: Vec<EntityRef>,
}
