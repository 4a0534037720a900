//! What goes into a session and what comes out.

use proviso_api::access_request::{DenialRef, RequestedAccess, TaskReply};
use proviso_api::acts::AnswerRequest;
use proviso_api::authzen::EvaluationReply;
use proviso_api::operations::ExecutionReport;
use serde_json::Value;

use crate::mcp::message::Id;
use crate::mcp::question::Question;
use crate::mcp::sentences::Failure;

/// What a session is configured with.
#[derive(Debug, Clone)]
pub struct Config {
    /// The upstream's name, as grants and credentials hold it.
    pub server: String,
    /// What `roots/list` is answered with: `file:` URIs. Absent: the client answers it, like whatever else is asked.
    pub roots: Option<Vec<String>>,
    /// For how long the upstream's list of tools is believed where nothing is said of a change, in milliseconds. Absent:
    /// until something is said, by an upstream that can say so at any time.
    pub list_good_for: Option<u64>,
    /// An unguessable word of this session: call ids and the proxy's own requests begin with it.
    pub word: String,
}

/// Which of the session's questions or timers something belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub(super) u64);

/// What happens to a session.
#[derive(Debug)]
pub enum Input {
    /// A line from the client, without its end.
    Client(Vec<u8>),
    /// A line from the upstream, without its end.
    Upstream(Vec<u8>),
    /// A line too long to be read; its beginning.
    TooLong(Side, Vec<u8>),
    /// The gate answered, or did not.
    Gate(Ticket, Result<Answer, Failure>),
    /// A timer ran out.
    Elapsed(Ticket),
    /// The gate says that something stopped the calls of these evaluations. `None`: it did not answer.
    Stopped(Option<Vec<String>>),
    /// The upstream gave no answer to the request under this id, and will give none.
    Lost(Id, &'static str),
    /// The upstream is gone.
    UpstreamClosed,
    /// The client is gone.
    ClientClosed,
}

/// Who wrote a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The agent's client.
    Client,
    /// The server behind.
    Upstream,
}

/// What the gate answers.
#[derive(Debug, Clone)]
pub enum Answer {
    /// To [`Ask::Evaluate`] and [`Ask::Reevaluate`]: the reply, and its context as it came.
    Evaluation(Box<EvaluationReply>, Value),
    /// To [`Ask::Report`].
    Reported,
    /// To [`Ask::Submit`] and [`Ask::Status`].
    Task(Box<Told>),
    /// To [`Ask::Answer`].
    Answered,
}

/// How a request stands, as the gate tells it.
#[derive(Debug, Clone)]
pub struct Told {
    /// The request as a task.
    pub reply: TaskReply,
    /// The approval that came of it, as it came: it is brought back unchanged.
    pub approval: Option<Value>,
    /// For how many seconds nobody is to look again.
    pub retry_after: Option<u64>,
}

/// What the gate is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// Whether a call may run.
    Evaluate(Question),
    /// The same with an approval that the gate told of: ARAP's re-evaluation.
    Reevaluate(Question, Value),
    /// Nothing: it is told.
    Report(ExecutionReport),
    /// For an exception.
    Submit(Box<Submission>),
    /// How a request stands.
    Status {
        /// Its id.
        request: String,
        /// For how many seconds at most the gate waits for news.
        wait: u64,
    },
    /// Nothing: a question of a person about a request is answered.
    Answer {
        /// The request's id.
        request: String,
        /// The answer.
        answer: AnswerRequest,
    },
}

/// A request for an exception.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// The denied question.
    pub question: Question,
    /// Which denial.
    pub denial: DenialRef,
    /// Why.
    pub justification: String,
    /// How much; absent: the smallest.
    pub requested: Option<RequestedAccess>,
}

/// What the shell does.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "an action is made once and taken apart at once, never kept in numbers")]
pub enum Action {
    /// Writes a line to the client.
    ToClient(Vec<u8>),
    /// Writes a line to the upstream.
    ToUpstream(Vec<u8>),
    /// Writes a gated line to the upstream, before this instant of the boot clock or not at all.
    ToUpstreamBefore(Vec<u8>, u64),
    /// Asks the gate.
    Gate(Ticket, Ask),
    /// Answers with [`Input::Elapsed`] after so many milliseconds.
    After(Ticket, u64),
    /// Says something to the operator, on standard error.
    Note(String),
    /// Ends the session.
    End(End),
}

/// Why a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The client has gone.
    ClientClosed,
    /// The upstream has gone.
    UpstreamClosed,
    /// The upstream's list of tools is not acceptable.
    BadToolList,
}
