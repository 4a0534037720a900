//! The Unix socket in the data folder, by which operators speak to the running gate: minting, listing and revoking
//! credentials. The kernel says which operating-system user asks; nothing that is sent can.
//!
//! One line of JSON in, one line out, and the connection ends.

pub mod client;
mod server;
mod user;

use std::path::{Path, PathBuf};

use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;
use proviso_api::findings::FindingLine;
use proviso_api::ownership::{Departure, HandOwnerRequest, Owned, OwnerReply};
use proviso_api::people::RecoveryLine;
use proviso_api::sessions::SessionLine;
use serde::{Deserialize, Serialize};

use crate::app::{Ending, ErasureReport, ErasureRequest, HoldLine, HoldTarget, Report};
use crate::identity::TokenLine;
use crate::reconcile::Said;

pub use server::listen;
pub use user::user_name;

/// The longest line.
pub const LONGEST_LINE: usize = 64 * 1024;

/// Where the socket of this data folder is.
pub fn path(data: &Path) -> PathBuf {
    data.join("proviso.sock")
}

/// What an operator may ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// A bearer token for an agent.
    MintAgent {
        /// The workload identity.
        subject: EntityRef,
        /// The one task.
        task: String,
        /// The agents between it and the human, from the one that called it inward.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        via: Vec<EntityRef>,
        /// The human behind it, by id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_behalf: Option<String>,
        /// The one resource that it may be shown to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resource: Option<String>,
    },
    /// A bearer token for a proxy or gateway.
    MintEnforcementPoint {
        /// Its name.
        name: String,
        /// `TYPE::PATTERN`.
        subjects: String,
        /// Upstream servers.
        servers: Vec<String>,
        /// Whether it may vouch for subject, task and chain.
        #[serde(default)]
        vouches: bool,
        /// The resource that it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resource: Option<String>,
    },
    /// A one-time sign-in link.
    MintApprover {
        /// The person, by id.
        user: String,
    },
    /// Credentials without their secrets, oldest first, as many as one answer holds.
    ListTokens {
        /// The last one that was told already, by its public id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// Ends a credential.
    RevokeToken {
        /// Its public id.
        id: String,
    },
    /// Where people are signed in, the newest first.
    ListSessions {
        /// One person's alone, by id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<String>,
    },
    /// Ends sessions.
    EndSessions {
        /// Which.
        ending: Ending,
    },
    /// Ends what another issuer vouches for: one token by its `jti`, or whatever names a subject.
    EndForeign {
        /// The issuer, as the gate's file names it.
        issuer: String,
        /// The subject.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<String>,
        /// The token's `jti`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        jti: Option<String>,
    },
    /// Ends a task, and what hangs on it.
    EndTask {
        /// The task.
        task: String,
        /// Why.
        reason: String,
    },
    /// Lets a fresh key sign binding tokens and approvals.
    RotateKeys {
        /// Why.
        reason: String,
    },
    /// Lets a fresh key sign the tokens of agents and enforcement points.
    RotateCredentialKeys {
        /// Why.
        reason: String,
    },
    /// Lets a fresh key sign the heads of the record.
    RotateLogKey {
        /// Why.
        reason: String,
    },
    /// The published keys of binding tokens and approvals, oldest first.
    ListKeys {},
    /// The keys that tokens of agents and enforcement points are believed by, oldest first.
    ListCredentialKeys {},
    /// Evidence from the log of a system that agents act on: all of these, or none.
    BringEvidence {
        /// The system's name.
        source: String,
        /// What is in it.
        pieces: Vec<Piece>,
    },
    /// Holds what ran against what was approved, and tells what is found.
    Reconcile {
        /// From when on to tell; absent: of all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Timestamp>,
    },
    /// Takes texts out of the record for good, or says what that would be.
    Erase(Box<ErasureRequest>),
    /// Places a legal hold.
    PlaceHold {
        /// On what.
        target: HoldTarget,
        /// Why.
        reason: String,
    },
    /// Lifts a legal hold.
    LiftHold {
        /// Its id.
        id: String,
        /// Why.
        reason: String,
    },
    /// The legal holds.
    ListHolds {},
    /// Who owns something.
    ShowOwner {
        /// What.
        of: Owned,
    },
    /// Hands something over in an owner's place.
    HandOwner(Box<HandOwnerRequest>),
    /// What somebody leaves behind.
    ShowDeparture {
        /// Who, by id.
        user: String,
    },
    /// Says that somebody left, or is back.
    SayOf {
        /// Who, by id.
        user: String,
        /// Whether they left.
        departed: bool,
        /// Why.
        reason: String,
    },
    /// The first administrator's link, made anew.
    EnrolAdministrator {
        /// Who, by id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<String>,
    },
    /// Agrees to an invitation while there is no second administrator.
    ConfirmInvitation {
        /// The proposal's id.
        id: String,
    },
    /// Begins a recovery, or goes on with the one under way.
    Recover {
        /// Who is to come in, by id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<String>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Stops the recovery under way.
    StopRecovery {
        /// Why.
        reason: String,
    },
    /// Says that the clock can be trusted again, after the gate found that it could not (R6).
    TrustClock {
        /// Why.
        reason: String,
    },
}

/// One line of `key list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLine {
    /// The key's id, as tokens name it.
    pub kid: String,
    /// `signing` or `retired`.
    pub state: String,
    /// Since when it signs.
    pub made_at: Timestamp,
    /// When it was retired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<Timestamp>,
}

/// A piece of evidence, with the source's own name of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// The name.
    pub id: String,
    /// What it says.
    #[serde(flatten)]
    pub said: Said,
}

/// What the gate answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// A credential. Its secret stands nowhere else.
    Minted {
        /// The public id.
        id: String,
        /// The token, or the whole sign-in link.
        secret: String,
        /// Until when it works.
        expires_at: Timestamp,
    },
    /// Credentials.
    Tokens {
        /// One line each.
        tokens: Vec<TokenLine>,
        /// Whether there are more behind the last of them.
        more: bool,
    },
    /// Sessions, as many as one answer holds.
    Sessions {
        /// One line each.
        sessions: Vec<SessionLine>,
    },
    /// Sessions were ended.
    SessionsEnded {
        /// How many.
        ended: usize,
    },
    /// Keys.
    Keys {
        /// One line each.
        keys: Vec<KeyLine>,
    },
    /// What became of evidence.
    Brought {
        /// How many pieces are new.
        recorded: usize,
        /// How many were known.
        known: usize,
    },
    /// What was found.
    Reconciled {
        /// In numbers.
        report: Report,
        /// The findings that are not resolved, the newest 500 of them.
        findings: Vec<FindingLine>,
    },
    /// What was erased, or would be.
    Erased(Box<ErasureReport>),
    /// Legal holds, oldest first.
    Holds {
        /// One line each.
        holds: Vec<HoldLine>,
    },
    /// Who owns something.
    Owner(Box<OwnerReply>),
    /// What somebody leaves behind.
    Departure(Box<Departure>),
    /// A link lies in a file that the gate's user alone reads.
    LinkLaid {
        /// Who comes in by it.
        person: EntityRef,
        /// The file.
        file: String,
        /// Until when it works.
        expires_at: Timestamp,
    },
    /// The wait of a recovery is not over.
    RecoveryWaits(Box<RecoveryLine>),
    /// It was done.
    Done {},
    /// It was not.
    Refused {
        /// A stable code.
        code: String,
        /// Whether the gate could not, rather than would not.
        unavailable: bool,
        /// What is wrong.
        detail: String,
        /// What to do about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        help: Option<String>,
    },
}
