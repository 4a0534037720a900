//! `/api/v1/exceptions`: what the dashboard shows of exceptions, and votes.

use policy_core::abi::Load;
use policy_core::console::Act;
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::grant::Scope;
use policy_core::lifecycle::{Allowed, Disposition, Exception};
use policy_core::presence::Presence;
use policy_core::question::SealedQuestion;
use policy_core::sheet::DecisionSheet;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::operations::ExecutionPhase;
use crate::ownership::OwnerReply;
use crate::stops::CallInFlight;

/// `GET /api/v1/exceptions?state=…`, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExceptionList {
    /// The gate's time: what countdowns are held against.
    pub now: Timestamp,
    /// The ledger position that the list stands for.
    pub position: u64,
    /// One line each.
    pub exceptions: Vec<ExceptionLine>,
    /// What to ask the next page with, as `page`; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How much of this person's day is used, where the operator set a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<AttentionLine>,
    /// The bundle's tiers, from weakest to strongest.
    #[serde(default)]
    pub tiers: Vec<String>,
}

/// How many requests a person is to decide in a day. Further ones go to others, as long as there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttentionLine {
    /// How many.
    pub limit: u32,
    /// On how many the person has voted today.
    pub decided: u32,
    /// When the day is over: midnight UTC.
    pub until: Timestamp,
}

/// One line of the queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExceptionLine {
    /// The exception's id.
    pub id: String,
    /// Its state's word at `now`: a request past its time is `lapsed`, whatever is written down.
    pub state: String,
    /// What would run, in the bundle author's words.
    pub says: String,
    /// Who acts.
    pub subject: EntityRef,
    /// In which task.
    pub task: String,
    /// The action.
    pub action: String,
    /// On what.
    pub resources: Vec<EntityRef>,
    /// The terms' tier.
    pub tier: String,
    /// Votes that count.
    pub votes: u32,
    /// Votes needed.
    pub approvals: u32,
    /// When it was asked.
    pub requested_at: Timestamp,
    /// Until when it can be decided.
    pub decide_by: Timestamp,
    /// When the grant ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// Uses consumed.
    pub uses: u32,
    /// Uses granted.
    pub max_uses: u32,
    /// Whether this person may vote now.
    pub needs_me: bool,
    /// How often the very same was asked again while it was open.
    #[serde(default)]
    pub repeated: u32,
    /// Whether a person has declared an emergency.
    #[serde(default)]
    pub emergency: bool,
    /// Whether the agent says that it is one: asks for attention, and no more.
    #[serde(default)]
    pub says_emergency: bool,
    /// How it was judged once it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<Disposition>,
    /// What this person may not see of it: `view_arguments`, `view_record`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<Act>,
    /// This person may decide it and has decided enough today, so that it is asked of others.
    #[serde(default, skip_serializing_if = "is_false")]
    pub routed_on: bool,
    /// Its grant, where one was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// When its grant was last used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_use: Option<Timestamp>,
    /// Whether this person may take its grant away now.
    #[serde(default, skip_serializing_if = "is_false")]
    pub may_revoke: bool,
    /// Whether somebody waits for the decision at this moment: an agent that has stopped until then.
    #[serde(default, skip_serializing_if = "is_false")]
    pub waiting: bool,
    /// Until when this person can undo what they decided here; absent where there is nothing to undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_until: Option<Timestamp>,
    /// Of an open request whose arguments this person may see: the same for one and the same call by the same agent, asked
    /// for with the same scope, whatever the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same: Option<Digest>,
    /// What an approval of it, or a confirmation, is shown with; absent: a session.
    #[serde(default, skip_serializing_if = "Presence::is_session")]
    pub presence: Presence,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// `GET /api/v1/exceptions/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExceptionDetail {
    /// The gate's time.
    pub now: Timestamp,
    /// The ledger position that this stands for: what to ask the sheet `as_of`.
    pub position: u64,
    /// Its state's word at `now`.
    pub state: String,
    /// What would run, in the bundle author's words.
    pub says: String,
    /// The exception.
    pub exception: Exception,
    /// What this person may do now, and why not the rest.
    pub allowed: Allowed,
    /// Each step, oldest first.
    pub history: Vec<HistoryLine>,
    /// The newest uses of its grant, oldest first.
    #[serde(default)]
    pub uses: Vec<UseLine>,
    /// Who owns it now, and from where that is known; absent where nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerReply>,
    /// What of this is not shown, by the act that it takes: without `view_arguments` arguments, scopes and words are
    /// blank, without `view_record` the history is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<Act>,
    /// This person may decide it and has decided enough today, so that it is asked of others.
    #[serde(default, skip_serializing_if = "is_false")]
    pub routed_on: bool,
    /// How much of this person's day is used, where the operator set a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<AttentionLine>,
    /// Until when this person can undo what they decided here; absent where there is nothing to undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_until: Option<Timestamp>,
    /// The refused exception that this opens again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopens: Option<String>,
    /// As what this refused exception was opened again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopened_as: Option<String>,
    /// Whether somebody waits for the decision at this moment.
    #[serde(default, skip_serializing_if = "is_false")]
    pub waiting: bool,
    /// What an approval takes besides the vote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub friction: Option<Friction>,
}

/// What an approval takes besides the vote: the stronger the tier, the more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Friction {
    /// Which kind.
    pub kind: FrictionKind,
    /// What is to be typed, as the vote's `confirm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The kinds, from the weakest tier to the strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrictionKind {
    /// Nothing.
    OneStep,
    /// A reason.
    Reason,
    /// A reason, and the name of what it is on.
    Name,
}

/// One use of a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UseLine {
    /// The evaluation that consumed it.
    pub evaluation: String,
    /// The call's id, as the enforcement point gave it.
    pub call: String,
    /// When.
    pub at: Timestamp,
    /// The newest report of it. Absent: consumed, never reported, and an approver can give it back. A `sending` that
    /// nothing has followed for a minute is told as `outcome_unknown`: who would report its end may be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<ExecutionPhase>,
    /// Whether somebody gave it back.
    pub given_back: bool,
}

/// One step of an exception.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryLine {
    /// Which log.
    pub log: String,
    /// The position in it.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// The record's kind.
    pub kind: String,
    /// Who did it: a person, or the subject, or nobody (time).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<EntityRef>,
    /// One sentence in the gate's words.
    pub sentence: String,
    /// What a person or agent said, as data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

/// `GET /api/v1/exceptions/{id}/sheet?as_of=`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SheetReply {
    /// The canonical document. The page shows nothing of the request that is not in here.
    pub sheet: DecisionSheet,
    /// The grant that the page opens with: the smallest that lets this call through.
    pub smallest: Scope,
}

/// `GET /api/v1/exceptions/{id}/questions?as_of=`: what the preview evaluates. The gate hands on what it recorded as the
/// text that it is; whoever asked reads questions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuestionsReply<Recorded = SealedQuestion> {
    /// The refused question, with `now` at the sheet's instant.
    pub question: SealedQuestion,
    /// The grant's parts that no vote changes; its scope is the smallest. See `abi::Preview`.
    pub grant: policy_core::grant::Grant,
    /// Recorded denials, in the order of the sheet's `tried`.
    pub others: Vec<Recorded>,
    /// The groups that a vote's `resource` may name (`{"in": …}`), with their members at the sheet's position: what the
    /// grant's `members` become. A group with more members than a grant may cover is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<ResourceGroup>,
}

/// A group of resources that a grant may be for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceGroup {
    /// The group.
    pub group: EntityRef,
    /// Its members, sorted.
    pub members: Vec<EntityRef>,
}

/// `GET /api/v1/bundles/{digest}`: what the module loads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BundleReply {
    /// The module's input.
    pub load: Load,
    /// The digest of `policy.wasm`, served at `/policy/{sha256}.wasm`.
    pub module: Digest,
}

/// What a vote answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VoteReply {
    /// The exception's state's word.
    pub state: String,
    /// The ledger position after the vote.
    pub position: u64,
    /// The grant, where one was made: also one that has ended before this answer left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
}

/// What `POST /api/v1/exceptions/{id}/undo` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoReply {
    /// Where it goes on: the same exception, with its grant revoked; or the one as which a refused request was opened
    /// again.
    pub exception: String,
    /// Its state's word.
    pub state: String,
    /// The ledger position after it.
    pub position: u64,
    /// The calls that had begun by then and that nobody has reported the end of.
    pub calls_in_flight: Vec<CallInFlight>,
}
