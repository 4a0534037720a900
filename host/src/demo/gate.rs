//! The gate, as the demo's agents see it: credentials from the operators' socket, then HTTP.

use std::collections::BTreeMap;
use std::time::Duration;

use policy_core::entity::EntityRef;
use policy_core::grant::Scope;
use proviso_api::access_request::{AccessRequest, DenialRef, RequestedAccess, TaskReply};
use proviso_api::authzen::{Action, Entity, EvaluationReply, EvaluationRequest};
use proviso_api::operations::{ExecutionPhase, ExecutionReport};
use proviso_api::session::DemoSignIn;
use reqwest::Client;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::place::Place;
use super::roles::ADMINISTRATORS;
use crate::random::{self, SystemRandom};
use crate::socket::{Reply, Request, client};

const AGENTS: &str = "spiffe://acme.example/agent/";
/// Who is behind each agent, and in which task it acts.
const CAST: [(&str, &str, &str); 4] = [
    ("report-writer", "weekly-report-46", "ines"),
    ("ledger-bot", "daily-close", "ines"),
    ("close-planner", "quarter-close", "tom"),
    ("intern-bot", "onboarding", "ines"),
];

/// One gate, and the credentials that were minted for the demo.
pub(super) struct Gate {
    url: String,
    http: Client,
    point: String,
    agents: BTreeMap<&'static str, String>,
}

/// A call that an agent wants to make.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) agent: &'static str,
    pub(super) server: &'static str,
    pub(super) action: &'static str,
    pub(super) resource: EntityRef,
    pub(super) input: Value,
}

impl Gate {
    /// Mints what the demo needs, and keeps it for whoever wants to play along.
    pub(super) async fn enter(place: &Place, url: &str) -> Result<Self, String> {
        let servers = vec!["files".to_owned(), "ledger".to_owned()];
        let point = Request::MintEnforcementPoint {
            name: "demo-gateway".to_owned(),
            subjects: format!("Agent::{AGENTS}*"),
            servers,
            vouches: false,
            resource: None,
        };
        let point = mint(place, &point, "gateway").await?;
        let mut agents = BTreeMap::new();
        for (agent, task, person) in CAST {
            let request = Request::MintAgent {
                subject: EntityRef::new("Agent", format!("{AGENTS}{agent}")),
                task: task.to_owned(),
                via: Vec::new(),
                on_behalf: Some(person.to_owned()),
                resource: None,
            };
            agents.insert(agent, mint(place, &request, agent).await?);
        }
        let http = Client::builder().timeout(Duration::from_secs(20)).no_proxy().build();
        let http = http.map_err(|error| error.to_string())?;
        for user in ADMINISTRATORS {
            let somebody = DemoSignIn { person: EntityRef::new("User", user) };
            let sent = http.post(format!("{url}/demo/session")).json(&somebody).send().await;
            let came = sent.and_then(reqwest::Response::error_for_status);
            came.map_err(|error| format!("{user} could not sign in: {error}"))?;
        }
        Ok(Self { url: url.to_owned(), http, point, agents })
    }

    /// Asks for one call. A gate that does not answer means deny, so the caller just tries later.
    pub(super) async fn evaluate(&self, call: &Call, call_id: &str) -> Option<EvaluationReply> {
        self.post(call.agent, "/access/v1/evaluation", None, &question(call, Some(call_id))).await
    }

    /// Asks people to approve a call that was refused.
    pub(super) async fn request(
        &self,
        call: &Call,
        denied: &EvaluationReply,
        scope: Scope,
        why: &str,
    ) -> Option<TaskReply> {
        let offer = denied.context.access_request.as_ref()?;
        let EvaluationRequest { subject, action, resource, mut context } = question(call, None);
        context.insert("business_justification".to_owned(), json!(why));
        let body = AccessRequest {
            subject,
            resource,
            action,
            context,
            denial: DenialRef {
                evaluation_id: Some(denied.context.evaluation_id.clone()),
                binding_token: offer.binding_token.clone(),
                expires_at: offer.expires_at,
            },
            requested_access: Some(RequestedAccess { scope: Some(scope), ..RequestedAccess::default() }),
            client: None,
        };
        let key = fresh_id();
        self.post(call.agent, "/access/v1/requests", Some(&key), &body).await
    }

    /// How a request stands.
    pub(super) async fn status(&self, agent: &str, id: &str) -> Option<TaskReply> {
        let url = format!("{}/access/v1/requests/{id}", self.url);
        self.send(agent, self.http.get(url)).await
    }

    /// Reports what became of a call.
    pub(super) async fn report(
        &self,
        agent: &str,
        allowed: &EvaluationReply,
        call: &str,
        phase: ExecutionPhase,
    ) -> bool {
        let evaluation_id = allowed.context.evaluation_id.clone();
        let report = ExecutionReport::of_call(evaluation_id, call.to_owned(), phase, None);
        let request = self.http.post(format!("{}/api/v1/executions", self.url)).json(&report);
        let sent = self.with_tokens(agent, request).send().await;
        sent.is_ok_and(|response| response.status().is_success())
    }

    /// Tells of a call that a server saw, whether it was allowed or not.
    pub(super) async fn saw(&self, call: &Call) {
        let report = ExecutionReport {
            evaluation_id: None,
            call: None,
            evidence_id: Some(fresh_id()),
            action: Some(call.action.to_owned()),
            server: Some(call.server.to_owned()),
            ..ExecutionReport::of_call(String::new(), String::new(), ExecutionPhase::Executed, None)
        };
        let request = self.http.post(format!("{}/api/v1/executions", self.url)).json(&report);
        if let Err(error) = self.with_tokens(call.agent, request).send().await {
            tracing::debug!(%error, "what was seen could not be told");
        }
    }

    async fn post<T: DeserializeOwned>(
        &self,
        agent: &str,
        path: &str,
        key: Option<&str>,
        body: &impl Serialize,
    ) -> Option<T> {
        let mut request = self.http.post(format!("{}{path}", self.url)).json(body);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.send(agent, request).await
    }

    async fn send<T: DeserializeOwned>(&self, agent: &str, request: reqwest::RequestBuilder) -> Option<T> {
        let response = self.with_tokens(agent, request).send().await.ok()?;
        let status = response.status();
        let text = response.text().await.ok()?;
        if status.is_success() {
            return serde_json::from_str(&text).ok();
        }
        tracing::debug!(agent, %status, text, "the gate refused");
        None
    }

    fn with_tokens(&self, agent: &str, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        let token = self.agents.get(agent).map(String::as_str).unwrap_or_default();
        request.bearer_auth(&self.point).header("proviso-subject-token", token)
    }
}

fn question(call: &Call, call_id: Option<&str>) -> EvaluationRequest {
    let entity = |entity: &EntityRef| Entity {
        kind: entity.kind.to_string(),
        id: entity.id.to_string(),
        properties: Map::new(),
    };
    let mut context = Map::new();
    context.insert("input".to_owned(), call.input.clone());
    context.insert("proviso.dev/server".to_owned(), json!(call.server));
    if let Some(id) = call_id {
        context.insert("proviso.dev/call".to_owned(), json!(id));
    }
    EvaluationRequest {
        subject: entity(&EntityRef::new("Agent", format!("{AGENTS}{}", call.agent))),
        action: Action { name: call.action.to_owned(), properties: Map::new() },
        resource: entity(&call.resource),
        context,
    }
}

/// A call's id, or a request's key.
pub(super) fn fresh_id() -> String {
    random::id(&SystemRandom, "demo").unwrap_or_else(|_| "demo".to_owned())
}

async fn mint(place: &Place, request: &Request, name: &str) -> Result<String, String> {
    match client::ask(&place.data(), request).await {
        Ok(Reply::Minted { secret, .. }) => {
            place.keep_token(name, &secret).map_err(|error| format!("the token cannot be kept: {error}"))?;
            Ok(secret)
        }
        Ok(Reply::Refused { detail, .. }) => Err(detail),
        Ok(_) => Err("the gate minted nothing".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
