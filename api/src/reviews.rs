//! `/api/v1/reviews`: what is looked at afterwards.

use policy_core::entity::EntityRef;
use policy_core::lifecycle::{May, Review, ReviewOutcome};
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// `GET /api/v1/reviews?state=…`, the one that is due first at the top.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewList {
    /// The gate's time.
    pub now: Timestamp,
    /// The ledger position that the list stands for.
    pub position: u64,
    /// One line each.
    pub reviews: Vec<ReviewLine>,
    /// What to ask the next page with, as `page`; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One review.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewLine {
    /// The review.
    #[serde(flatten)]
    pub review: Review,
    /// The exception that it is of.
    pub exception: String,
    /// Whether it is open and past its date.
    pub overdue: bool,
    /// The exception's tier: while the review is overdue its subject gets no other of it.
    pub tier: String,
    /// Who acted.
    pub subject: EntityRef,
    /// In which task.
    pub task: String,
    /// What ran, in the bundle author's words.
    pub says: String,
    /// Whether this person may close it, and why not.
    pub may_close: May,
}

/// `POST /api/v1/reviews/{id}/close`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseReview {
    /// What was found.
    pub outcome: ReviewOutcome,
    /// Why, at most 2,000 characters; may be empty where it was appropriate.
    #[serde(default)]
    pub note: String,
}
