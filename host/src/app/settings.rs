//! What an [`App`](super::App) is opened with, and why it does not open.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use policy_core::digest::Digest;
use thiserror::Error;

use super::engine::{Engine, GrantIndex};
use super::erasure::Retention;
use super::limits::Allowance;
use super::sign_in::Ways;
use crate::clock::Clock;
use crate::random::Random;
use crate::signing::CredentialKeyError;
use crate::store::{DataKind, SeenHead, SnapshotRule, StoreError};
use crate::trust::Identities;

/// What the operator decided at start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data folder.
    pub data: PathBuf,
    /// What the data folder is for: a demo's is not opened as a gate's, nor the other way round.
    pub kind: DataKind,
    /// Where the gate is reached, without a slash at the end.
    pub public_url: String,
    /// Whether agents and gate may share an operating-system user. Every page and record shows it.
    pub single_user: bool,
    /// The bundle's files by path with `/`, as [`crate::store::bundle_folder::read`] reads them: once.
    pub bundle: BTreeMap<String, String>,
    /// The act of activating a digest other than the last activated one.
    pub activate: Option<Activation>,
    /// How often a subject may ask in one task.
    pub allowance: Allowance,
    /// How many requests a person is to decide in a day; further ones go to others. Absent: nobody counts.
    pub attention: Option<u32>,
    /// The operating-system user that the gate runs under.
    pub operator: Operator,
    /// Where people are told of what happens.
    pub channels: Channels,
    /// Heads of this gate's record that others hold: it goes on from there, or begins an epoch.
    pub seen: Vec<SeenHead>,
    /// How long what is kept.
    pub retention: Retention,
    /// Whose tokens are believed besides the gate's own.
    pub identities: Identities,
    /// When snapshots of the record are written, which a start goes on from; absent: each start reads all of it.
    pub snapshots: Option<SnapshotRule>,
}

impl Settings {
    /// Whether this is a demo, in which anybody can sign in as anybody.
    pub fn is_demo(&self) -> bool {
        self.kind == DataKind::Demo
    }
}

/// Where people are told, by the names of the configuration: no address and no secret. Who is told comes from policy.
#[derive(Debug, Clone, Default)]
pub struct Channels {
    /// Receivers of signed requests.
    pub webhooks: Vec<WebhookChannel>,
    /// The ids of the people who have a mail address.
    pub people: BTreeSet<String>,
    /// The ids of the groups that have one.
    pub groups: BTreeSet<String>,
}

/// A receiver of signed requests.
#[derive(Debug, Clone)]
pub struct WebhookChannel {
    /// Its name.
    pub name: String,
    /// Whose receiver it is: it hears of requests that these groups are told of. Empty: of all that happens.
    pub groups: Vec<String>,
}

impl Channels {
    /// Whether nobody can be told.
    pub fn is_empty(&self) -> bool {
        self.webhooks.is_empty() && self.people.is_empty() && self.groups.is_empty()
    }
}

impl WebhookChannel {
    /// Whether it hears of what these groups are told of.
    pub fn hears(&self, groups: &[String]) -> bool {
        self.groups.is_empty() || self.groups.iter().any(|group| groups.contains(group))
    }
}

/// Activating a bundle is an act with a reason.
#[derive(Debug, Clone)]
pub struct Activation {
    /// The digest that the operator means.
    pub digest: Digest,
    /// Why.
    pub reason: String,
}

/// An operating-system user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// The user's number, from the kernel.
    pub uid: u32,
    /// The user's name, or the number where there is none.
    pub name: String,
}

/// What the app stands on besides its store.
#[derive(Clone)]
pub struct Parts {
    /// The policy module.
    pub engine: Arc<dyn Engine>,
    /// The index of live grants.
    pub index: Arc<dyn GrantIndex>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// How people sign in besides links.
    pub ways: Ways,
}

/// Why the gate does not start.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The data folder or the log in it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys of the gate's own tokens.
    #[error(transparent)]
    CredentialKeys(#[from] CredentialKeyError),
    /// The bundle does not load.
    #[error("the bundle does not load: {message}")]
    Bundle {
        /// The evaluator's code.
        code: String,
        /// File, line and what is wrong.
        message: String,
        /// What to do about it.
        help: String,
    },
    /// The bundle is another than the active one, and nobody said to activate it.
    #[error("the bundle `{given}` is not the active one, `{active}`")]
    NotActivated {
        /// What was given.
        given: Digest,
        /// What is active.
        active: Digest,
    },
    /// The digest to activate is not that of the bundle that was given.
    #[error("the bundle that was given has the digest `{given}`, not `{meant}`")]
    OtherBundle {
        /// What was given.
        given: Digest,
        /// What was meant.
        meant: Digest,
    },
    /// Whether one person does alone under it what takes two under the active one cannot be told.
    #[error("whether one person could do alone under that bundle what takes two today is more than can be told")]
    TooMuch,
    /// One person does alone under it what takes two under the active one.
    #[error("under that bundle {person} could {act} alone, by `{policies}`, and under the active one it takes two")]
    Alone {
        /// What.
        act: &'static str,
        /// Who could.
        person: String,
        /// By which policies.
        policies: String,
    },
    /// People activate bundles here.
    #[error("two people activate bundles here, and one operator is not two")]
    PeopleActivate,
    /// This program carries another policy module, and people decide about that here.
    #[error("this program carries the policy module `{module}`, and two people have not activated that")]
    OtherModule {
        /// The module.
        module: Digest,
    },
    /// Activating needs a reason.
    #[error("activating a bundle needs a reason of 1 to 2000 characters")]
    NoReason,
    /// The policy module does not work with this bundle.
    #[error("the policy module does not load the bundle: {0}")]
    Engine(String),
    /// The log holds a history that the rules cannot have written.
    #[error("the log's record {seq} cannot be read: {message}")]
    History {
        /// Which ledger record.
        seq: u64,
        /// What is wrong with it.
        message: String,
    },
}

impl OpenError {
    /// A stable snake_case code.
    pub fn code(&self) -> &str {
        match self {
            Self::Store(error) => error.code(),
            Self::CredentialKeys(error) => error.code(),
            Self::Bundle { code, .. } => code,
            Self::NotActivated { .. } => "bundle_not_activated",
            Self::OtherBundle { .. } => "other_bundle",
            Self::TooMuch => "too_much_to_compare",
            Self::Alone { .. } => "one_does_alone",
            Self::PeopleActivate => "people_activate",
            Self::OtherModule { .. } => "other_module",
            Self::NoReason => "reason_needed",
            Self::Engine(_) => "module_unusable",
            Self::History { .. } => "log_tampered",
        }
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Store(error) => error.help().to_owned(),
            Self::CredentialKeys(error) => error.help().to_owned(),
            Self::Bundle { help, .. } => help.clone(),
            Self::NotActivated { given, .. } => format!(
                "propose it to people by `proviso bundle propose`; where fewer than two may activate, or the gate is \
                 started with `--single-user`, start with `--activate {given} --reason TEXT`"
            ),
            Self::OtherModule { .. } => {
                "start the program of before, and propose this one's module there by `proviso bundle propose-module`"
                    .to_owned()
            }
            Self::PeopleActivate => "start without `--activate`, and propose it by `proviso bundle propose`".to_owned(),
            Self::OtherBundle { .. } => "look at what changed before you activate it".to_owned(),
            Self::TooMuch => {
                "keep the permits in `console/` as they are, or say `@persons(\"2\")` on all of them that one is on \
                 today, and let these look at no task, and at owners and requester only for whether they are the principal"
                    .to_owned()
            }
            Self::Alone { .. } => "say `@persons(\"2\")` on the permits in `console/` that allow it".to_owned(),
            Self::NoReason => "give `--reason TEXT`".to_owned(),
            Self::Engine(_) => "build the policy module again with `cargo xtask build`".to_owned(),
            Self::History { .. } => "keep the data folder as it is and run `proviso audit verify`".to_owned(),
        }
    }
}
