//! What people say of an exception afterwards: reviews, and the disposition of a closed one.

use serde::{Deserialize, Serialize};

use crate::entity::EntityRef;
use crate::time::Timestamp;

/// A look afterwards by somebody who neither asked nor voted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The review's id, unique within the gate.
    pub id: String,
    /// Why there is one.
    pub kind: ReviewKind,
    /// When it is overdue.
    pub due: Timestamp,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// How it was closed; absent while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<ReviewClosing>,
}

/// Why there is a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewKind {
    /// The terms demand one after use.
    AfterUse,
    /// It was granted in a declared emergency.
    Emergency,
}

/// How a review was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewClosing {
    /// Who.
    pub by: EntityRef,
    /// What was found.
    pub outcome: ReviewOutcome,
    /// In the person's words.
    pub note: String,
    /// When.
    pub at: Timestamp,
}

/// What a review found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewOutcome {
    /// It was right to grant it and it was used as meant.
    Appropriate,
    /// More was granted or used than was needed.
    Excessive,
    /// It was misused.
    Abuse,
}

/// How a closed exception is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// It will not come again.
    OneOff,
    /// Policy should have permitted it.
    PolicyTooNarrow,
    /// Policy should not let it be asked.
    PolicyTooWide,
    /// It was not what the agent needed.
    AskedByMistake,
    /// It was an attempt to misuse.
    Abuse,
}

/// A disposition with who set it. The last one stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposed {
    /// Which.
    pub disposition: Disposition,
    /// Who.
    pub by: EntityRef,
    /// In the person's words; may be empty.
    pub note: String,
    /// When.
    pub at: Timestamp,
}

impl Review {
    /// Whether it is open and past its date.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.closed.is_none() && now >= self.due
    }
}
