//! The use cases below HTTP, on a real store, with a native engine.

mod abuse;
mod disk;
mod durable;
mod limits;
mod looks;
mod notify;
mod previews;
mod review;
mod rotation;
mod routing;
mod snapshots;
mod stops;
mod story;
mod terms;
mod told;

use std::sync::Arc;

use policy_core::entity::EntityRef;
use policy_core::grant::{ArgumentScope, Condition, Scalar, Scope, Test};
use policy_core::lifecycle::VoteDecision;
use policy_core::question::LockTarget;
use policy_core::sheet::{Ballot, binding};
use proviso_api::access_request::{AccessRequest, DenialRef, RequestedAccess};
use proviso_api::authzen::{Action, Entity, EvaluationReply, EvaluationRequest};
use proviso_api::passkeys::CastVote;
use proviso_api::stops::{LockRequest, Locked};
use serde_json::{Map, Value, json};

use super::testing::{Gate, ROOT};
use super::{App, ExceptionsWanted, PageWanted, Refusal, Whence};
use crate::identity::{Credential, MintRequest, PersonSession};

const WRITER: &str = "spiffe://acme.example/agent/report-writer";

/// The exceptions in a state.
fn in_state(word: &str) -> ExceptionsWanted {
    ExceptionsWanted { state: Some(word.to_owned()), ..ExceptionsWanted::default() }
}

/// An agent behind an enforcement point.
struct Caller {
    point: Credential,
    agent: Credential,
}

async fn agent(app: &App, task: &str, on_behalf: Option<&str>) -> Credential {
    let request = MintRequest::Agent {
        subject: EntityRef::new("Agent", WRITER),
        task: task.to_owned(),
        via: Vec::new(),
        on_behalf: on_behalf.map(str::to_owned),
        resource: None,
    };
    let minted = app.mint(request, &ROOT).await.unwrap();
    app.authenticate(&minted.secret).unwrap()
}

async fn point(app: &App, name: &str) -> Credential {
    let request = MintRequest::EnforcementPoint {
        name: name.to_owned(),
        subjects: "Agent::spiffe://acme.example/*".to_owned(),
        servers: vec!["files".to_owned()],
        vouches: false,
        resource: None,
    };
    let minted = app.mint(request, &ROOT).await.unwrap();
    app.authenticate(&minted.secret).unwrap()
}

async fn caller(app: &App) -> Caller {
    Caller { point: point(app, "proxy").await, agent: agent(app, "close-q3", Some("ines")).await }
}

async fn person(app: &App, user: &str) -> PersonSession {
    let minted = app.mint(MintRequest::Approver { user: user.to_owned() }, &ROOT).await.unwrap();
    let link = minted.secret.split_once('#').unwrap().1.to_owned();
    let (secret, session) = app.sign_in(&link, Whence::default()).await.unwrap();
    assert_eq!(session.person.id, user);
    app.session(&secret).unwrap()
}

fn tool(name: &str, path: &str, call: &str) -> EvaluationRequest {
    let mut input = json!({"path": path});
    if name == "write_file" {
        input["content"] = json!("hello");
    }
    let context = json!({"input": input, "proviso.dev/call": call});
    let Value::Object(context) = context else { unreachable!() };
    EvaluationRequest {
        subject: Entity { kind: "Agent".into(), id: WRITER.into(), properties: Map::new() },
        action: Action { name: "tools/call".into(), properties: Map::new() },
        resource: Entity { kind: "tool".into(), id: name.into(), properties: Map::new() },
        context,
    }
}

impl Caller {
    async fn evaluate(&self, app: &App, body: EvaluationRequest) -> EvaluationReply {
        app.evaluate(&self.point, Some(&self.agent), body).await.unwrap()
    }

    async fn write(&self, app: &App, path: &str, call: &str) -> EvaluationReply {
        self.evaluate(app, tool("write_file", path, call)).await
    }

    async fn ask(&self, app: &App, body: &EvaluationRequest, folder: Option<&str>) -> Result<String, Refusal> {
        let denied = self.evaluate(app, body.clone()).await;
        self.ask_for(app, body, &denied, folder).await
    }

    async fn ask_for(
        &self,
        app: &App,
        body: &EvaluationRequest,
        denied: &EvaluationReply,
        folder: Option<&str>,
    ) -> Result<String, Refusal> {
        let offer = denied.context.access_request.clone().expect("it can be requested");
        let scope = folder.map(|folder| Scope {
            not_after: denied.context.evaluated_at.plus(policy_core::time::Span::from_seconds(3600)),
            max_uses: 3,
            arguments: ArgumentScope::Conditions(vec![Condition {
                at: vec!["path".to_owned()],
                test: Test::Inside { path: folder.to_owned() },
            }]),
            ..offer.display.scope.clone()
        });
        let request = request(body, &denied.context.evaluation_id, offer.expires_at, scope);
        app.request(&self.point, Some(&self.agent), None, request).await.map(|reply| reply.task.id)
    }
}

fn request(
    body: &EvaluationRequest,
    evaluation: &str,
    expires_at: policy_core::time::Timestamp,
    scope: Option<Scope>,
) -> AccessRequest {
    let mut context = body.context.clone();
    context.insert("business_justification".to_owned(), json!("the board wants the report"));
    AccessRequest {
        subject: body.subject.clone(),
        resource: body.resource.clone(),
        action: body.action.clone(),
        context,
        denial: DenialRef { evaluation_id: Some(evaluation.to_owned()), binding_token: None, expires_at },
        requested_access: Some(RequestedAccess { scope, ..RequestedAccess::default() }),
        client: None,
    }
}

/// What a browser does: loads the sheet, tries the grant on the module, binds the two.
async fn ballot(app: &App, person: &PersonSession, id: &str, decision: VoteDecision, grant: Option<Scope>) -> Ballot {
    let reply = app.sheet(person, id, None).await.unwrap();
    let shown = app.shown(person, id, Some(reply.sheet.as_of)).await.unwrap();
    let grant = grant.unwrap_or(reply.smallest);
    let preview = app.preview(&shown, &grant).await.unwrap();
    let sheet = binding(&person.person, &reply.sheet, &grant, &preview).unwrap();
    let resources = &reply.sheet.exception.request.question.call.resources;
    let name = resources.iter().map(|resource| resource.id.as_str()).collect::<Vec<_>>().join(", ");
    let (reason, confirm) = ("fits the close".to_owned(), Some(name));
    Ballot { decision, as_of: reply.sheet.as_of, sheet, reason, grant, inside: false, confirm }
}

/// A ballot as it is cast where a session is enough.
fn unsigned(ballot: Ballot) -> CastVote {
    CastVote { ballot, signature: None }
}

async fn approve(app: &App, user: &str, id: &str, grant: Option<Scope>) -> Result<Option<String>, Refusal> {
    let person = person(app, user).await;
    let ballot = ballot(app, &person, id, VoteDecision::Approve, grant).await;
    app.vote(&person, id, unsigned(ballot)).await.map(|reply| reply.grant)
}

/// A gate with one live grant for one write.
async fn granted() -> (Gate, Caller, String, String) {
    let gate = Gate::start().await;
    let caller = caller(&gate.app).await;
    let id = caller.ask(&gate.app, &tool("write_file", "/srv/files/reports/q3.md", "c1"), None).await.unwrap();
    let grant = approve(&gate.app, "mara", &id, None).await.unwrap().expect("one approval is enough");
    (gate, caller, id, grant)
}

async fn lock(app: &App, person: &PersonSession, target: LockTarget) -> Result<Locked, Refusal> {
    app.lock(person, LockRequest { target, reason: "look first".to_owned(), reach: None }).await
}
