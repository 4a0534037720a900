//! What the record says of acts that were refused. Persisted and hashed: every variant and member is for ever.

use policy_core::console::Act;
use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// An event of who may do what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ConsoleEvent {
    /// Somebody tried what the bundle does not let them do: one line an hour for each person and act.
    ActRefused {
        /// Who.
        by: EntityRef,
        /// What.
        act: Act,
        /// The agent that it was about; absent: the gate as a whole.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<EntityRef>,
        /// Why: the code that was answered.
        reason: String,
        /// When.
        at: Timestamp,
    },
}

impl ConsoleEvent {
    /// The record's kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::ActRefused { .. } => "act_refused",
        }
    }
}
