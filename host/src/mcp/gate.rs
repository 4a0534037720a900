//! The gate, over HTTP.

use std::sync::Arc;
use std::time::Duration;

use audit_verify::witness::{Shown, Verdict};
use policy_core::json::{self, Limits};
use policy_core::sabotaged;
use proviso_api::access_request::{AccessRequest, TaskReply};
use proviso_api::authzen::{Entity, EvaluationReply};
use proviso_api::operations::{ConsistencyReply, ExecutionPhase, RecordReply};
use proviso_api::problem::Problem;
use proviso_api::session::WhoAmI;
use proviso_api::stops::StopList;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde_json::{Map, Value};
use tokio::sync::{Mutex, OnceCell};

use super::held_token::HeldToken;
use super::options::Access;
use super::question::Question;
use super::sentences::Failure;
use super::session::{Answer, Ask, Submission, Told};
use super::witness::Witness;

/// How long the gate may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait at a time for the news that something was stopped.
const STOPS: Duration = Duration::from_secs(25);

/// How much of the gate's answer is read.
const LIMITS: Limits = Limits { max_bytes: 4 * 1024 * 1024, max_depth: 32 };

/// The logs of a gate.
const LOGS: [&str; 2] = ["ledger", "decisions/main"];

/// How long a look at the record is good for.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// How often an outcome is told again, and after how long: it is evidence, and the gate may be away for a moment.
const AGAIN: [Duration; 3] = [Duration::from_millis(100), Duration::from_millis(500), Duration::from_millis(1500)];

/// A client of the gate.
pub struct Gate {
    client: reqwest::Client,
    gate: Url,
    /// The enforcement point's token.
    token: Arc<HeldToken>,
    /// The agent's token: who calls over HTTP brings a new one before the old one ends.
    subject_token: HeldToken,
    /// For whom the agent's token speaks, once the gate has said so.
    subject: OnceCell<Entity>,
    /// What was seen of the record, by whomever it was asked for.
    witness: Arc<Mutex<Watch>>,
}

/// The witness, and when the record was last held against it.
struct Watch {
    witness: Witness,
    looked: Option<tokio::time::Instant>,
    broken: bool,
}

impl Gate {
    /// A client. Nothing is sent yet.
    ///
    /// # Errors
    /// When the system has no TLS to offer.
    pub fn new(access: Access, witness: Witness) -> Result<Self, reqwest::Error> {
        // Tokens follow no redirect, and go through no proxy in the clear.
        let mut client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(3))
            .timeout(PATIENCE);
        if access.gate.scheme() == "http" {
            client = client.no_proxy();
        }
        // One house's authorities are believed, or everybody's, and never both.
        let named = !access.authorities.is_empty();
        for authority in &access.authorities {
            client = client.add_root_certificate(authority.clone());
        }
        client = client.tls_built_in_root_certs(!named);
        let witness = Arc::new(Mutex::new(Watch { witness, looked: None, broken: false }));
        let token = Arc::new(HeldToken::new(access.token, access.token_file));
        let subject_token = HeldToken::new(access.subject_token, access.subject_token_file);
        let (client, subject) = (client.build()?, OnceCell::new());
        Ok(Self { client, gate: access.gate, token, subject_token, subject, witness })
    }

    /// The same gate, asked for another agent: by the same credential of the enforcement point, under the same watch.
    pub fn for_agent(&self, token: &str, subject: Option<Entity>) -> Self {
        Self {
            client: self.client.clone(),
            gate: self.gate.clone(),
            token: Arc::clone(&self.token),
            subject_token: HeldToken::new(token.to_owned(), None),
            subject: OnceCell::new_with(subject),
            witness: Arc::clone(&self.witness),
        }
    }

    /// From now on asks by this token of the same agent.
    pub fn renew(&self, token: &str) {
        self.subject_token.renew(token);
    }

    /// The token of the agent that it asks by.
    pub fn subject_token(&self) -> String {
        self.subject_token.now()
    }

    /// What the gate makes of both tokens.
    ///
    /// # Errors
    /// When the gate is away, or does not know one of them.
    pub async fn who(&self) -> Result<WhoAmI, Failure> {
        typed(self.send(self.request(Method::GET, &["api", "v1", "whoami"])?).await?.value)
    }

    /// Asks.
    ///
    /// # Errors
    /// When the gate is away or refuses.
    pub async fn ask(&self, ask: Ask) -> Result<Answer, Failure> {
        match ask {
            Ask::Evaluate(question) => self.evaluate(&question, None).await,
            Ask::Reevaluate(question, approval) => self.evaluate(&question, Some(approval)).await,
            Ask::Report(report) => {
                let again: &[Duration] = if report.phase == ExecutionPhase::Sending { &[] } else { &AGAIN };
                let mut pauses = again.iter();
                loop {
                    let request = self.request(Method::POST, &["api", "v1", "executions"])?.json(&report);
                    match (self.send(request).await, pauses.next()) {
                        (Ok(_), _) => return Ok(Answer::Reported),
                        (Err(Failure::Unreachable), Some(pause)) => tokio::time::sleep(*pause).await,
                        (Err(failure), _) => return Err(failure),
                    }
                }
            }
            Ask::Submit(submission) => self.submit(*submission).await,
            Ask::Status { request: id, wait } => {
                if !is_plain(&id) {
                    return Err(refused("unknown_task", StatusCode::NOT_FOUND));
                }
                let request = self.request(Method::GET, &["access", "v1", "requests", &id])?;
                let patience = PATIENCE.saturating_add(Duration::from_secs(wait));
                task(self.send(request.query(&[("wait", wait)]).timeout(patience)).await?)
            }
            Ask::Answer { request: id, answer } => {
                if !is_plain(&id) {
                    return Err(refused("unknown_task", StatusCode::NOT_FOUND));
                }
                let request = self.request(Method::POST, &["api", "v1", "exceptions", &id, "answer"])?;
                self.send(request.json(&answer)).await.map(|_| Answer::Answered)
            }
        }
    }

    async fn evaluate(&self, question: &Question, approval: Option<Value>) -> Result<Answer, Failure> {
        let mut body = question.body(self.subject().await?);
        // ARAP 12: as it came.
        body.context.extend(approval.map(|approval| ("approval".to_owned(), approval)));
        let request = self.request(Method::POST, &["access", "v1", "evaluation"])?.json(&body);
        let value = self.send(request).await?.value;
        let context = value.get("context").cloned().unwrap_or_default();
        let reply: EvaluationReply = typed(value)?;
        self.watch(&reply).await?;
        Ok(Answer::Evaluation(Box::new(reply), context))
    }

    /// Holds the gate's record against what was seen of it: with the first answer of a session, and again where an
    /// exception is to be honoured and the last look was a while ago.
    ///
    /// INVARIANT (R9): no exception of a gate is honoured whose record does not continue what was seen.
    async fn watch(&self, reply: &EvaluationReply) -> Result<(), Failure> {
        let exception = reply.decision && reply.context.approval.is_some();
        let mut watch = self.witness.lock().await;
        let recent = watch.looked.is_some_and(|looked| !exception || looked.elapsed() < LOOK_AGAIN);
        if !watch.broken && !recent {
            match self.look(&mut watch.witness).await {
                Ok(Verdict::Continues) => watch.looked = Some(tokio::time::Instant::now()),
                Ok(Verdict::Broken) => {
                    watch.broken = true;
                    let kept = watch.witness.file().map(|file| file.display().to_string()).unwrap_or_default();
                    eprintln!(
                        "proviso mcp: the gate's record does not continue what was seen of it; no exception is honoured \
                         (log_forked). What was seen is kept in `{kept}`"
                    );
                }
                // What runs in scope needs no exception; what does needs a look.
                Err(failure) if exception => return Err(failure),
                Err(_) => {}
            }
        }
        if exception && watch.broken && !sabotaged!("r9_fork_honoured") {
            return Err(refused("log_forked", StatusCode::OK));
        }
        Ok(())
    }

    async fn look(&self, witness: &mut Witness) -> Result<Verdict, Failure> {
        let record: RecordReply = typed(self.send(self.request(Method::GET, &["api", "v1", "record"])?).await?.value)?;
        for log in LOGS {
            let name = log.replace('/', "-");
            let request = self.request(Method::GET, &["api", "v1", "logs", &name, "consistency"])?;
            let shown = match self.send(request.query(&[("from", witness.held(log))])).await {
                Ok(sent) => typed::<ConsistencyReply>(sent.value)?,
                Err(Failure::Refused(problem)) if problem.code == "log_shorter" => return Ok(Verdict::Broken),
                // Nobody has seen a head of it, and there is none: before the first call is decided.
                Err(Failure::Refused(problem)) if problem.code == "log_empty" => continue,
                Err(failure) => return Err(failure),
            };
            let shown = Shown { log, note: &shown.note, proof: &shown.proof, keys: &record.keys };
            if witness.look(shown) == Verdict::Broken {
                return Ok(Verdict::Broken);
            }
        }
        Ok(Verdict::Continues)
    }

    /// Waits for calls of this enforcement point to be stopped: their evaluations. Nothing when none was for a while.
    ///
    /// # Errors
    /// When the gate is away or refuses.
    pub async fn stopped(&self) -> Result<Vec<String>, Failure> {
        let request = self.request(Method::GET, &["api", "v1", "stops"])?;
        let wait = STOPS.as_secs().to_string();
        let request = request.query(&[("wait", wait.as_str())]).timeout(STOPS.saturating_add(PATIENCE));
        let list: StopList = typed(self.send(request).await?.value)?;
        Ok(list.calls.into_iter().map(|call| call.evaluation_id).collect())
    }

    async fn submit(&self, submission: Submission) -> Result<Answer, Failure> {
        let asked = submission.question.body(self.subject().await?);
        let mut context = asked.context;
        context.insert("business_justification".to_owned(), submission.justification.into());
        let body = AccessRequest {
            subject: asked.subject,
            resource: asked.resource,
            action: asked.action,
            context,
            denial: submission.denial,
            requested_access: submission.requested,
            client: None,
        };
        let request = self
            .request(Method::POST, &["access", "v1", "requests"])?
            .header("Idempotency-Key", &submission.question.call)
            .json(&body);
        task(self.send(request).await?)
    }

    async fn subject(&self) -> Result<Entity, Failure> {
        let fetch = || async {
            let subject = self.who().await?.subject.ok_or_else(|| refused("no_subject", StatusCode::FORBIDDEN))?;
            Ok(Entity { kind: subject.kind.into(), id: subject.id.into(), properties: Map::new() })
        };
        self.subject.get_or_try_init(fetch).await.cloned()
    }

    fn request(&self, method: Method, path: &[&str]) -> Result<RequestBuilder, Failure> {
        let mut url: Url = self.gate.clone();
        url.path_segments_mut().map_err(|()| Failure::Unreachable)?.pop_if_empty().extend(path);
        let request = self.client.request(method, url);
        let request = request.bearer_auth(self.token.now());
        let agent = self.subject_token.now();
        // Without an agent there is nobody to ask for; of itself the enforcement point may still be told.
        Ok(if agent.is_empty() { request } else { request.header("Proviso-Subject-Token", agent.as_str()) })
    }

    /// Sends, and reads the answer strictly.
    async fn send(&self, request: RequestBuilder) -> Result<Sent, Failure> {
        let mut response = request.send().await.map_err(|_| Failure::Unreachable)?;
        let status = response.status();
        let retry_after = seconds_of(response.headers());
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| Failure::Unreachable)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > LIMITS.max_bytes {
                return Err(Failure::Unreachable);
            }
        }
        if status == StatusCode::NO_CONTENT || (status.is_success() && bytes.is_empty()) {
            return Ok(Sent { value: Value::Null, retry_after });
        }
        let value = json::read(&bytes, LIMITS);
        if status.is_success() {
            let value = value.map_err(|_| refused("unreadable_answer", status))?;
            return Ok(Sent { value, retry_after });
        }
        let problem = value.ok().and_then(|value| serde_json::from_value::<Problem>(value).ok());
        let Some(problem) = problem.map(Box::new) else { return Err(refused("no_problem_told", status)) };
        Err(match retry_after.filter(|_| status == StatusCode::TOO_MANY_REQUESTS) {
            Some(seconds) => Failure::TooOften(problem, seconds),
            None => Failure::Refused(problem),
        })
    }
}

/// What the gate answered.
struct Sent {
    value: Value,
    /// For how many seconds it wants to be left alone.
    retry_after: Option<u64>,
}

/// `Retry-After` in seconds, as the gate writes it.
fn seconds_of(headers: &HeaderMap) -> Option<u64> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()
}

/// ARAP's task.
fn task(sent: Sent) -> Result<Answer, Failure> {
    let approval = sent.value.pointer("/result/approval").cloned();
    let reply: TaskReply = typed(sent.value)?;
    Ok(Answer::Task(Box::new(Told { reply, approval, retry_after: sent.retry_after })))
}

fn typed<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|_| refused("unreadable_answer", StatusCode::OK))
}

/// A refusal in the proxy's own words.
fn refused(code: &str, status: StatusCode) -> Failure {
    Failure::Refused(Box::new(Problem {
        kind: "about:blank".to_owned(),
        title: code.replace('_', " "),
        status: status.as_u16(),
        detail: "the gate's answer cannot be used".to_owned(),
        code: code.to_owned(),
        help: None,
    }))
}

/// Whether an id that a model gave is good for a path.
fn is_plain(id: &str) -> bool {
    id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':'))
}
