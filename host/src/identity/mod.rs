//! Who calls: credentials as the log knows them, and how they are told apart.
//!
//! Behind one interface for tokens of this gate and of others: a use case sees a [`Credential`] and never a header.
//! Secrets stand nowhere; what is kept is a keyed hash, or what was believed, in a record of the ledger.

mod account;
mod brought;
mod event;
mod facts;
mod passkey;
mod pattern;
mod registry;
mod secret;
mod token;
mod verified;

use policy_core::abi::Voter;
use policy_core::entity::{EntityRef, Hop};
use policy_core::time::Timestamp;

pub use account::{Account, Stronger};
pub use event::IdentityEvent;
pub use facts::TokenFacts;
pub use passkey::{HeldPasskey, Passkey, Passkeys, Standing};
pub use pattern::SubjectPattern;
pub use registry::{OpenSession, PersonSessionFacts, Registry};
pub use secret::{Secret, SecretKind};
pub use token::Token;
pub use verified::{COUNTS, EndedParty, Said, TokenSeen, VerifiedCredential};

/// How this gate's own issuer is named in chains.
pub const EMBEDDED: &str = "proviso";

/// What stands before the name of an enforcement point that vouches for a hop. No other issuer is named so.
pub const VOUCHED: &str = "point:";

/// How an enforcement point is named in the chains that it vouches for.
pub fn vouched_by(point: &str) -> String {
    format!("{VOUCHED}{point}")
}

/// A caller that was told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// An agent, alone.
    Agent(AgentCredential),
    /// An enforcement point.
    EnforcementPoint(PointCredential),
}

/// An agent's credential: bound to one subject and one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentCredential {
    /// The token's public id.
    pub token: String,
    /// The workload identity.
    pub subject: EntityRef,
    /// The one task.
    pub task: String,
    /// The agents between it and the human, from the one that called it inward.
    pub via: Vec<EntityRef>,
    /// The human behind it. Without one the agent acts in scope and cannot ask.
    pub on_behalf: Option<EntityRef>,
    /// What it is built of, where its issuer says so: its grants are for that alone.
    pub build: Option<String>,
    /// The one resource that its token may be shown to; absent: the gate itself.
    pub resource: Option<String>,
    /// Who vouches for all that: [`EMBEDDED`], or another issuer.
    pub issuer: String,
    /// The token that was shown, where it is another issuer's.
    pub proof: Option<TokenSeen>,
}

impl AgentCredential {
    /// Whether subject, task and chain are an enforcement point's word.
    pub fn is_vouched(&self) -> bool {
        self.issuer.starts_with(VOUCHED)
    }

    /// Whether it is bound to a key or a certificate, and whoever showed it had that.
    pub fn is_bound(&self) -> bool {
        self.proof.as_ref().is_some_and(|seen| seen.bound.is_some())
    }

    /// On whose behalf the subject acts: verified hops only, as the minting or the token said.
    pub fn chain(&self) -> Vec<Hop> {
        let hops = self.via.iter().chain(&self.on_behalf);
        hops.map(|entity| Hop { entity: entity.clone(), issuer: self.issuer.as_str().into() }).collect()
    }
}

/// An enforcement point's credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointCredential {
    /// The token's public id.
    pub token: String,
    /// Its name, as grants hold it.
    pub name: String,
    /// For which subjects it may ask.
    pub subjects: SubjectPattern,
    /// For which upstream servers it may ask.
    pub servers: Vec<String>,
    /// Whether it may vouch for subject, task and chain of agents that have no credential of their own.
    pub vouches: bool,
    /// The resource that it is, where agents' tokens that are shown to it must be for it alone.
    pub resource: Option<String>,
    /// The token that was shown, where it is another issuer's.
    pub proof: Option<TokenSeen>,
}

/// A signed-in person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonSession {
    /// The session's public id.
    pub id: String,
    /// Who.
    pub person: EntityRef,
    /// How strongly they signed in: `link`, or the word that the operator gives a provider.
    pub assurance: String,
    /// Until when.
    pub expires_at: Timestamp,
    /// Whether the sign-in link was minted under the gate's own operating-system user, where an agent could have done
    /// it. Such a session votes only under `--single-user` (R4).
    pub same_user: bool,
    /// The bundle's groups that the sign-in brought, besides those that the bundle says.
    pub groups: Vec<EntityRef>,
    /// Whether the strength is that of a fresh authentication, which counts once.
    pub is_fresh: bool,
    /// The session in whose page the link was made that it came by: it is for the command line, and ends with that one.
    pub made_in: Option<String>,
}

impl PersonSession {
    /// As policy is asked about them.
    pub fn voter(&self) -> Voter {
        Voter { groups: self.groups.clone(), ..Voter::new(self.person.clone(), self.assurance.clone()) }
    }
}

/// What to mint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MintRequest {
    /// A bearer token for an agent, living at most a day.
    Agent {
        /// The workload identity.
        subject: EntityRef,
        /// The task.
        task: String,
        /// The agents between it and the human, from the one that called it inward.
        via: Vec<EntityRef>,
        /// The human behind it: the id of an entity of the bundle's person type.
        on_behalf: Option<String>,
        /// The one resource that it may be shown to: a proxy's URI.
        resource: Option<String>,
    },
    /// A bearer token for an enforcement point.
    EnforcementPoint {
        /// Its name.
        name: String,
        /// `TYPE::PATTERN`, where `*` in the pattern stands for any characters.
        subjects: String,
        /// Upstream servers by their configured names.
        servers: Vec<String>,
        /// Whether it may vouch for subject, task and chain.
        vouches: bool,
        /// The resource that it is: a proxy's URI.
        resource: Option<String>,
    },
    /// A one-time sign-in link for an approver.
    Approver {
        /// The id of an entity of the bundle's person type.
        user: String,
    },
}

/// A credential that was minted. The only place where the secret ever stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MintedSecret {
    /// The public id.
    pub id: String,
    /// The bearer token, or for an approver the whole sign-in link.
    pub secret: String,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// One line of `token list`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TokenLine {
    /// The public id.
    pub id: String,
    /// `agent`, `enforcement_point` or `approver`.
    pub kind: String,
    /// For whom or what, in one line.
    pub what: String,
    /// When it was minted.
    pub minted_at: Timestamp,
    /// The operating-system user that asked for it.
    pub by: String,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// `live`, `expired`, `revoked`, `used`, or `earlier_epoch` where it was minted before a restore.
    pub state: String,
}
