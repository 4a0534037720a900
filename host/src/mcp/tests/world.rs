//! A session with a gate and two sides that are scripts.

use std::collections::VecDeque;

use policy_core::digest::Digest;
use proviso_api::operations::ExecutionPhase;
use serde_json::{Value, json};

use crate::mcp::question::Question;
use crate::mcp::sentences::Failure;
use crate::mcp::session::{Action, Answer, Ask, Config, End, Input, Session, Ticket, Told};

/// What the gate of a test says to a question.
pub type Policy = fn(&Question) -> Result<Answer, Failure>;

/// A session, and what came out of it.
pub struct World {
    session: Session,
    pub now: u64,
    pub policy: Policy,
    /// What requests and their status get, in this order.
    pub tasks: VecDeque<Value>,
    /// Whether `sending` and outcomes can be recorded.
    pub record: bool,
    /// Whether the gate answers at once; otherwise `release` does it.
    pub prompt: bool,
    held: Vec<(Ticket, Ask)>,
    pub timers: Vec<(Ticket, u64)>,
    pub client: Vec<Vec<u8>>,
    pub upstream: Vec<Vec<u8>>,
    pub asks: Vec<Ask>,
    pub notes: Vec<String>,
    pub end: Option<End>,
    /// Everything in order, one word each.
    pub story: Vec<String>,
}

impl World {
    pub fn new(policy: Policy) -> Self {
        let config = Config {
            server: "files".into(),
            roots: Some(vec!["file:///data".into()]),
            list_good_for: None,
            word: "w".into(),
        };
        Self {
            session: Session::new(config),
            now: 1_000,
            policy,
            tasks: VecDeque::new(),
            record: true,
            prompt: true,
            held: Vec::new(),
            timers: Vec::new(),
            client: Vec::new(),
            upstream: Vec::new(),
            asks: Vec::new(),
            notes: Vec::new(),
            end: None,
            story: Vec::new(),
        }
    }

    /// A session whose client has listed the tools `write` and `ask` already.
    pub fn listed(policy: Policy) -> Self {
        let mut world = Self::new(scope);
        world.client_says(&json!({"jsonrpc": "2.0", "id": "list", "method": "tools/list"}));
        let tools = json!([tool("write"), tool("ask")]);
        world.upstream_says(&json!({"jsonrpc": "2.0", "id": "list", "result": {"tools": tools}}));
        world.clear();
        world.policy = policy;
        world
    }

    /// Forgets what came out so far.
    pub fn clear(&mut self) {
        self.client.clear();
        self.upstream.clear();
        self.asks.clear();
        self.story.clear();
        self.notes.clear();
    }

    pub fn client_says(&mut self, message: &Value) {
        self.client_line(message.to_string().as_bytes());
    }

    pub fn client_line(&mut self, line: &[u8]) {
        self.input(Input::Client(line.to_vec()));
    }

    pub fn upstream_says(&mut self, message: &Value) {
        self.upstream_line(message.to_string().as_bytes());
    }

    pub fn upstream_line(&mut self, line: &[u8]) {
        self.input(Input::Upstream(line.to_vec()));
    }

    /// Lets the gate answer what it was asked.
    pub fn release(&mut self) {
        for (ticket, ask) in std::mem::take(&mut self.held) {
            let answer = self.answer(&ask);
            self.input(Input::Gate(ticket, answer));
        }
    }

    /// Lets the gate answer the newest of what it was asked.
    pub fn release_last(&mut self) {
        if let Some((ticket, ask)) = self.held.pop() {
            let answer = self.answer(&ask);
            self.input(Input::Gate(ticket, answer));
        }
    }

    /// Lets the timers run out.
    pub fn elapse(&mut self) {
        for (ticket, millis) in std::mem::take(&mut self.timers) {
            self.now += millis;
            self.input(Input::Elapsed(ticket));
        }
    }

    pub fn input(&mut self, input: Input) {
        let mut actions: VecDeque<Action> = self.session.handle(input, self.now).into();
        while let Some(action) = actions.pop_front() {
            match action {
                Action::ToClient(line) => {
                    self.story.push("client".into());
                    self.client.push(line);
                }
                Action::ToUpstream(line) | Action::ToUpstreamBefore(line, _) => {
                    self.story.push("upstream".into());
                    self.upstream.push(line);
                }
                Action::Gate(ticket, ask) => {
                    self.story.push(word(&ask));
                    self.asks.push(ask.clone());
                    if self.prompt {
                        let answer = self.answer(&ask);
                        actions.extend(self.session.handle(Input::Gate(ticket, answer), self.now));
                    } else {
                        self.held.push((ticket, ask));
                    }
                }
                Action::After(ticket, millis) => self.timers.push((ticket, millis)),
                Action::Note(text) => self.notes.push(text),
                Action::End(end) => self.end = Some(end),
            }
        }
    }

    fn answer(&mut self, ask: &Ask) -> Result<Answer, Failure> {
        match ask {
            Ask::Evaluate(question) | Ask::Reevaluate(question, _) => (self.policy)(question),
            Ask::Answer { .. } => Ok(Answer::Answered),
            Ask::Report(_) if self.record => Ok(Answer::Reported),
            Ask::Report(_) => Err(Failure::Unreachable),
            Ask::Submit(_) | Ask::Status { .. } => {
                let task = self.tasks.pop_front().ok_or(Failure::Unreachable)?;
                let approval = task.pointer("/result/approval").cloned();
                let retry_after = task["retry-after"].as_u64();
                let reply = serde_json::from_value(task).expect("a task");
                Ok(Answer::Task(Box::new(Told { reply, approval, retry_after })))
            }
        }
    }

    /// The last message to the client.
    pub fn told(&self) -> Value {
        value(self.client.last().expect("something for the client"))
    }

    /// The last message to the upstream.
    pub fn sent(&self) -> Value {
        value(self.upstream.last().expect("something for the upstream"))
    }

    /// The questions so far.
    pub fn questions(&self) -> Vec<&Question> {
        self.asks
            .iter()
            .filter_map(|ask| match ask {
                Ask::Evaluate(question) | Ask::Reevaluate(question, _) => Some(question),
                _ => None,
            })
            .collect()
    }

    /// The phases that were reported.
    pub fn phases(&self) -> Vec<ExecutionPhase> {
        self.asks
            .iter()
            .filter_map(|ask| if let Ask::Report(report) = ask { Some(report.phase) } else { None })
            .collect()
    }
}

fn word(ask: &Ask) -> String {
    match ask {
        Ask::Evaluate(question) => format!("evaluate {}", question.action),
        Ask::Reevaluate(question, _) => format!("reevaluate {}", question.action),
        Ask::Answer { .. } => "answer".into(),
        Ask::Report(report) => format!("report {:?}", report.phase).to_lowercase(),
        Ask::Submit(_) => "submit".into(),
        Ask::Status { .. } => "status".into(),
    }
}

pub fn value(line: &[u8]) -> Value {
    serde_json::from_slice(line).expect("JSON")
}

/// A tool's definition.
pub fn tool(name: &str) -> Value {
    json!({"name": name, "description": "A tool.", "inputSchema": {"type": "object"}})
}

/// A call of `write`.
pub fn call(id: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "write", "arguments": {"b": 1.0, "a": "x"}}})
}

/// The `_meta` of the later era.
pub fn stateless() -> Value {
    json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}})
}

/// A call of `write` in the later era, with more in its parameters.
pub fn stateless_call(id: &str, more: &Value) -> Value {
    let mut message = call(id);
    let params = message["params"].as_object_mut().expect("params");
    params.insert("_meta".into(), stateless());
    params.extend(more.as_object().cloned().expect("an object"));
    message
}

fn evaluation(decision: bool, mut context: Value) -> Result<Answer, Failure> {
    context["evaluation_id"] = "eval_1".into();
    context["evaluated_at"] = "2026-11-22T16:00:00Z".into();
    context["message"] = "In the gate's words.".into();
    let reply = serde_json::from_value(json!({"decision": decision, "context": context})).expect("a reply");
    Ok(Answer::Evaluation(Box::new(reply), context))
}

/// Permitted by scope, as an answer to this question.
pub fn scope(question: &Question) -> Result<Answer, Failure> {
    permitted(question.input_digest().expect("a digest"), json!({"reason": "scope"}))
}

/// Permitted by an exception.
pub fn exception(question: &Question) -> Result<Answer, Failure> {
    let approval = json!({"id": "g1", "approved_until": "2026-11-22T17:00:00Z"});
    permitted(question.input_digest().expect("a digest"), json!({"reason": "exception", "approval": approval}))
}

pub fn permitted(digest: Digest, mut context: Value) -> Result<Answer, Failure> {
    context["proviso.dev/valid_for"] = 5.into();
    context["proviso.dev/input_digest"] = digest.to_string().into();
    evaluation(true, context)
}

/// Permitted, in a context that says too little.
pub fn bare(_: &Question) -> Result<Answer, Failure> {
    evaluation(true, json!({"reason": "scope"}))
}

/// Forbidden by a guardrail.
pub fn guardrail(_: &Question) -> Result<Answer, Failure> {
    evaluation(false, json!({"reason": "guardrail"}))
}

/// Refused, and may be asked for.
pub fn requestable(_: &Question) -> Result<Answer, Failure> {
    evaluation(false, offered())
}

fn offered() -> Value {
    json!({"reason": "approval_required", "access_request": {
        "endpoint": "http://gate/access/v1/requests", "expires_at": "2026-11-22T16:15:00Z",
        "display": {"title": "write", "approvals": 1, "max_duration": "1h", "max_uses": 5, "scope": {
            "resource": {"is": {"type": "Volume", "id": "files"}}, "arguments": "exact",
            "not_after": "2026-11-22T20:15:00Z", "valid_for": "15m", "max_uses": 1
        }}
    }})
}

/// Refused though an exception covers it, in the state that the argument `a` names: with `b`, it may be asked for.
pub fn held(question: &Question) -> Result<Answer, Failure> {
    let input = question.input.clone().expect("arguments");
    let mut context = if input.get("b").is_some() { offered() } else { json!({"reason": "not_permitted"}) };
    context["proviso.dev/grant"] = json!({"id": "grant_1", "state": input["a"]});
    evaluation(false, context)
}

/// The gate is away.
pub fn away(_: &Question) -> Result<Answer, Failure> {
    Err(Failure::Unreachable)
}

/// The gate was asked too often.
pub fn busy(_: &Question) -> Result<Answer, Failure> {
    let problem = json!({
        "type": "about:blank", "title": "too many evaluations", "status": 429, "detail": "too fast",
        "code": "too_many_evaluations"
    });
    Err(Failure::TooOften(Box::new(serde_json::from_value(problem).expect("a problem")), 7))
}
