//! `/api/v1/exceptions/{id}/past` and `/api/v1/pictures`: what was asked, decided and used before.

use policy_core::lifecycle::{Disposition, VoteDecision};
use policy_core::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

/// `GET /api/v1/exceptions/{id}/past`: what became of the like, which is the same action on the same resource, of what
/// this person may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastReply {
    /// The gate's time.
    pub now: Timestamp,
    /// What there was before.
    pub counts: PastCounts,
    /// How it was judged once it was closed.
    pub dispositions: Vec<DispositionCount>,
    /// The newest refusals, with why.
    pub refusals: Vec<PastRefusal>,
    /// In what this call differs from the last approved one, what differs most first; nothing where there is none, or
    /// where this person may not see what calls are made with.
    pub differs: Vec<Difference>,
    /// The exception of that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_approved: Option<String>,
    /// How long after they were made grants of the like were still used: nine of ten not longer than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed: Option<Span>,
    /// What became of this person's own last decisions, newest first.
    pub yours: Vec<YourDecision>,
}

/// How often, of the like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PastCounts {
    /// Asked for, this one not counted.
    pub asked: u32,
    /// Granted.
    pub granted: u32,
    /// Refused by a person.
    pub refused: u32,
    /// Nobody decided in time, or it was taken back.
    pub undecided: u32,
    /// Grants that were used at least once.
    pub used: u32,
    /// Grants that ended without a use.
    pub unused: u32,
    /// Grants that were taken away.
    pub revoked: u32,
    /// Reviews that found it excessive or abuse.
    pub found_wanting: u32,
    /// Findings about it: what ran otherwise than it was approved.
    pub findings: u32,
}

/// How often it was judged so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispositionCount {
    /// How.
    pub disposition: Disposition,
    /// How often.
    pub count: u32,
}

/// A refusal of the like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastRefusal {
    /// The exception.
    pub exception: String,
    /// By whom.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why; empty for who may not see what was said.
    pub reason: String,
}

/// One argument that is another than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Where: `path`, or `resource`.
    pub at: String,
    /// As it was approved; empty where there was none.
    pub before: String,
    /// As it is now; empty where there is none.
    pub now: String,
}

/// What became of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct YourDecision {
    /// The exception.
    pub exception: String,
    /// What it was, in the bundle author's words.
    pub says: String,
    /// What was decided.
    pub decision: VoteDecision,
    /// When.
    pub at: Timestamp,
    /// Its state's word now.
    pub state: String,
    /// How often its grant was used.
    pub uses: u32,
    /// How it was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<Disposition>,
}

/// `GET /api/v1/pictures?days=`: what people would rather look at, of what this person may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PicturesReply {
    /// The gate's time.
    pub now: Timestamp,
    /// The ledger position that it stands for.
    pub position: u64,
    /// The first day, at midnight UTC.
    pub from: Timestamp,
    /// How many days, today among them.
    pub days: u32,
    /// Requests by the day on which they were made, by tier and by what became of them.
    pub requests: Vec<DayCount>,
    /// How long people took to decide, by day.
    pub times: Vec<DayTimes>,
    /// This person's own times; nobody else is told them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yours: Option<Times>,
    /// The times of groups of which at least five people decided.
    pub teams: Vec<TeamTimes>,
    /// What was asked for most often.
    pub recurring: Vec<Recurring>,
    /// What was granted of what was asked.
    pub narrowed: Narrowed,
    /// Grants that ended without a use, of all that ended.
    pub unused: Part,
    /// How closed ones were judged.
    pub dispositions: Vec<DispositionCount>,
    /// How many closed ones nobody has judged.
    pub not_judged: u32,
}

/// So many of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Part {
    /// So many.
    pub count: u32,
    /// Of so many.
    pub of: u32,
}

/// Requests of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCount {
    /// The day, from 0.
    pub day: u32,
    /// The tier.
    pub tier: String,
    /// `granted`, `denied`, `open` or `undecided`.
    pub outcome: String,
    /// How many.
    pub count: u32,
}

/// How long deciding took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Times {
    /// How many were decided.
    pub decided: u32,
    /// Half of them not later than this after they were asked, in seconds.
    pub half: u64,
    /// Nineteen of twenty not later than this.
    pub most: u64,
}

/// The times of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayTimes {
    /// The day, from 0.
    pub day: u32,
    /// Its times.
    #[serde(flatten)]
    pub times: Times,
}

/// The times of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamTimes {
    /// The group.
    pub group: String,
    /// How many of its people decided: five or more.
    pub people: u32,
    /// Its times.
    #[serde(flatten)]
    pub times: Times,
}

/// What recurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recurring {
    /// The action.
    pub action: String,
    /// On what.
    pub resource: String,
    /// By whom: the agent's id, where it is one alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// How often.
    pub asked: u32,
    /// How often it was granted.
    pub granted: u32,
    /// How often refused.
    pub refused: u32,
}

/// What was granted of what was asked, of all grants together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Narrowed {
    /// How many grants.
    pub grants: u32,
    /// How many of them are narrower than what was asked.
    pub narrower: u32,
    /// Seconds that were asked for.
    pub asked_seconds: u64,
    /// Seconds that were granted.
    pub granted_seconds: u64,
    /// Uses that were asked for.
    pub asked_uses: u64,
    /// Uses that were granted.
    pub granted_uses: u64,
    /// Uses that were taken.
    pub taken_uses: u64,
}
