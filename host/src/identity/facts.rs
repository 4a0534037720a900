//! What credentials are for.

use policy_core::entity::EntityRef;
use serde::{Deserialize, Serialize};

use super::SubjectPattern;

/// What a credential is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenFacts {
    /// One subject in one task.
    Agent {
        /// The workload identity.
        subject: EntityRef,
        /// The task.
        task: String,
        /// The agents between it and the human, from the one that called it inward.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        via: Vec<EntityRef>,
        /// The human behind it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_behalf: Option<EntityRef>,
        /// What it is built of, where its issuer says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        build: Option<String>,
        /// The one resource that it may be shown to, a proxy's; absent: it is for the gate itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resource: Option<String>,
    },
    /// An enforcement point.
    EnforcementPoint {
        /// Its name.
        name: String,
        /// For which subjects.
        subjects: SubjectPattern,
        /// For which servers.
        servers: Vec<String>,
        /// Whether it may vouch for subject, task and chain.
        #[serde(default, skip_serializing_if = "is_false")]
        vouches: bool,
        /// The resource that it is: whom agents' tokens must be for that are shown to it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resource: Option<String>,
    },
    /// One sign-in of a person.
    Approver {
        /// Who.
        person: EntityRef,
        /// The session in whose page its person made it, for the command line; absent: somebody else made it for them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<String>,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl TokenFacts {
    /// The kind's word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Agent { .. } => "agent",
            Self::EnforcementPoint { .. } => "enforcement_point",
            Self::Approver { .. } => "approver",
        }
    }

    /// For whom or what, in one line.
    pub fn line(&self) -> String {
        match self {
            Self::Agent { subject, task, via, on_behalf, build, resource } => {
                let hops = via.iter().chain(on_behalf).map(|hop| format!(" for {hop}")).collect::<String>();
                let nobody = if on_behalf.is_none() { ", for nobody" } else { "" };
                let built = build.as_ref().map(|build| format!(", of build {build}")).unwrap_or_default();
                format!("{subject} in task {task}{hops}{nobody}{built}{}", only_at(resource.as_ref()))
            }
            Self::EnforcementPoint { name, subjects, servers, vouches, resource } => {
                let vouches = if *vouches { ", vouches for task and chain" } else { "" };
                let at = only_at(resource.as_ref());
                format!("{name}: subjects {subjects}, servers {}{vouches}{at}", servers.join(", "))
            }
            Self::Approver { person, session: None } => person.to_string(),
            Self::Approver { person, session: Some(_) } => format!("{person}, for the command line"),
        }
    }

    /// In whose name it is: what that person is shown at the next sign-in.
    pub const fn person(&self) -> Option<&EntityRef> {
        match self {
            Self::Agent { on_behalf, .. } => on_behalf.as_ref(),
            Self::Approver { person, .. } => Some(person),
            Self::EnforcementPoint { .. } => None,
        }
    }
}

/// Where a token is good, in a line about it.
fn only_at(resource: Option<&String>) -> String {
    resource.map(|resource| format!(", at {resource}")).unwrap_or_default()
}
