//! Who asks, for whom, and whether the body says the same: before any policy is looked at.

use policy_core::digest::Digest;
use policy_core::entity::{EntityRef, Hop};
use policy_core::question::Purpose;
use policy_core::text;
use proviso_api::authzen::{ApprovalRef, Entity, EvaluationRequest};
use serde_json::{Map, Value};

use super::append::canonical;
use super::refusal::Refusal;
use crate::identity::{AgentCredential, Credential, PointCredential, TokenSeen};

/// Our own members of `context`.
pub(super) const ASK: &str = "proviso.dev/ask";
const CALL: &str = "proviso.dev/call";
const SERVER: &str = "proviso.dev/server";
const TOOL: &str = "proviso.dev/tool";
const APPROVAL: &str = "approval";
/// The evaluation that a call began under, where this is a part of that call.
const CONTINUES: &str = "proviso.dev/continues";
/// The human's words of a request stand in the context, too, and are outside the binding.
const JUSTIFICATION: &str = "business_justification";

/// Who asks, told apart by credentials alone.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    /// The agent's credential.
    pub agent: AgentCredential,
    /// The enforcement point, where one asks.
    pub point: Option<PointCredential>,
}

impl Asker {
    /// Puts the credentials of a call together.
    pub fn of(caller: &Credential, subject: Option<&Credential>) -> Result<Self, Refusal> {
        let asker = match (caller, subject) {
            (Credential::Agent(agent), None) => Self { agent: agent.clone(), point: None },
            (Credential::EnforcementPoint(point), Some(Credential::Agent(agent))) => {
                Self { agent: agent.clone(), point: Some(point.clone()) }
            }
            (Credential::EnforcementPoint(_), None) => {
                return Err(Refusal::bad("no_subject_token", "an enforcement point says for which agent it asks")
                    .help("send the agent's token as `Proviso-Subject-Token`"));
            }
            (Credential::Agent(_), Some(_))
            | (Credential::EnforcementPoint(_), Some(Credential::EnforcementPoint(_))) => {
                return Err(Refusal::bad("claim_conflict", "only an enforcement point asks for an agent")
                    .help("`Authorization` is the enforcement point's token, `Proviso-Subject-Token` the agent's"));
            }
        };
        if let Some(point) = &asker.point
            && !point.subjects.matches(&asker.agent.subject)
        {
            return Err(Refusal::forbidden(
                "not_for_this_subject",
                format!("the enforcement point `{}` may not ask for this subject", point.name),
            )
            .help("the operator mints it a token whose `--subjects` name this agent"));
        }
        Ok(asker)
    }

    /// The credential that asks.
    pub fn credential(&self) -> &str {
        self.point.as_ref().map_or(&self.agent.token, |point| &point.token)
    }

    /// The agent's own credential behind an enforcement point, where one was shown.
    pub fn subject_credential(&self) -> Option<String> {
        self.point.as_ref().filter(|_| !self.agent.is_vouched()).map(|_| self.agent.token.clone())
    }

    /// Every credential that must still be live when the outcome is recorded.
    pub fn credentials(&self) -> impl Iterator<Item = &str> {
        let tokens = self.proofs().map(|seen| seen.token.as_str());
        self.point.iter().map(|point| point.token.as_str()).chain([self.agent.token.as_str()]).chain(tokens)
    }

    /// The tokens of other issuers that were shown, the enforcement point's first.
    pub fn proofs(&self) -> impl Iterator<Item = &TokenSeen> {
        self.point.iter().filter_map(|point| point.proof.as_ref()).chain(&self.agent.proof)
    }

    /// The chain: verified hops only.
    pub fn chain(&self) -> Vec<Hop> {
        self.agent.chain()
    }
}

/// An evaluation request, taken apart and held against the credentials.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub purpose: Purpose,
    pub call: Option<String>,
    pub server: Option<String>,
    pub tool: Option<Digest>,
    pub approval: Option<ApprovalRef>,
    /// The evaluation that the call began under, where this continues one.
    pub continues: Option<String>,
    pub action: String,
    pub resource: EntityRef,
    pub input: Option<Value>,
    pub subject_properties: Map<String, Value>,
    pub resource_properties: Map<String, Value>,
    pub action_properties: Map<String, Value>,
    /// The rest of the context: claims.
    pub context: Map<String, Value>,
    /// What a request must repeat: the digest of subject, action, resource and context without `ask`, `call`,
    /// `approval` and the justification.
    pub binding: Digest,
    /// The members of the context that the digest holds, sorted: ARAP's authorization-relevant context.
    pub members: Vec<String>,
}

impl Ask {
    /// Takes a body apart.
    ///
    /// # Errors
    /// `claim_conflict` where the body says something else than the credential; `not_for_this_server`.
    pub fn of(asker: &Asker, body: &EvaluationRequest) -> Result<Self, Refusal> {
        hold_claims(asker, &body.subject, &body.context)?;
        let mut context = body.context.clone();
        let binding = binding_of(&body.subject, &body.resource, &body.action, &context, None)?;
        let members = context.keys().filter(|name| !OUTSIDE.contains(&name.as_str())).cloned().collect();
        context.remove(JUSTIFICATION);
        let ask = match context.remove(ASK) {
            None => false,
            Some(Value::Bool(ask)) => ask,
            Some(_) => return Err(wrong_type(ASK, "a bool")),
        };
        let call = text_member(&mut context, CALL)?;
        if call.as_ref().is_some_and(|call| !text::is_identifier(call)) {
            return Err(wrong_type(CALL, "1 to 256 characters without spaces"));
        }
        let continues = text_member(&mut context, CONTINUES)?;
        let server = server(asker.point.as_ref(), text_member(&mut context, SERVER)?)?;
        let tool = text_member(&mut context, TOOL)?
            .map(|tool| tool.parse::<Digest>().map_err(|_| wrong_type(TOOL, "a SHA-256 in hexadecimal digits")))
            .transpose()?;
        let approval = match context.remove(APPROVAL) {
            None => None,
            Some(value) => Some(serde_json::from_value(value).map_err(|_| wrong_type(APPROVAL, "ARAP's approval"))?),
        };
        let input = context.remove("input").filter(|input| !input.is_null());
        // An agent that calls alone is asking, whatever it says: only an enforcement point can use a grant.
        let purpose = if ask || asker.point.is_none() { Purpose::Question } else { Purpose::Use };
        Ok(Self {
            purpose,
            call,
            server,
            tool,
            approval,
            continues,
            action: body.action.name.clone(),
            resource: EntityRef::new(&body.resource.kind, &body.resource.id),
            input,
            subject_properties: body.subject.properties.clone(),
            resource_properties: body.resource.properties.clone(),
            action_properties: body.action.properties.clone(),
            context,
            binding,
            members,
        })
    }
}

/// What is outside the binding of a denial.
const OUTSIDE: [&str; 5] = [ASK, CALL, CONTINUES, APPROVAL, JUSTIFICATION];

/// The digest of what was asked: what a request for an exception must repeat without a change. Of the context it holds
/// these members, or all but those that are outside the binding.
///
/// ARAP's `binding_hash`: SHA-256 over the canonical form (RFC 8785) of subject, resource, action and context.
pub(super) fn binding_of(
    subject: &Entity,
    resource: &Entity,
    action: &proviso_api::authzen::Action,
    context: &Map<String, Value>,
    members: Option<&[String]>,
) -> Result<Digest, Refusal> {
    let mut context = context.clone();
    context.retain(|name, _| match members {
        Some(members) => members.contains(name),
        None => !OUTSIDE.contains(&name.as_str()),
    });
    // ARAP: the chain as claimed is outside the binding; ours comes from the credential.
    let mut subject = subject.clone();
    subject.properties.remove("act");
    let bound = serde_json::json!({"subject": subject, "resource": resource, "action": action, "context": context});
    Ok(Digest::of(&canonical(&bound)?))
}

/// INVARIANT (section 4): an agent's credential fixes subject, task and chain; a body that says otherwise is refused.
fn hold_claims(asker: &Asker, subject: &Entity, context: &Map<String, Value>) -> Result<(), Refusal> {
    let agent = &asker.agent;
    if subject.kind != agent.subject.kind || subject.id != agent.subject.id {
        return Err(conflict("subject"));
    }
    if context.get("task").is_some_and(|task| task.as_str() != Some(&agent.task)) {
        return Err(conflict("task"));
    }
    let chain = asker.chain();
    if context.get("chain").is_some_and(|claimed| claimed.as_str() != Some(&policy_core::abi::chain_text(&chain))) {
        return Err(conflict("chain"));
    }
    match subject.properties.get("act") {
        Some(claimed) if *claimed != verified_act(&chain) => Err(conflict("chain")),
        _ => Ok(()),
    }
}

/// The chain as nested `act` claims (RFC 8693), from the current actor inward.
fn verified_act(chain: &[Hop]) -> Value {
    chain.iter().rev().fold(Value::Null, |inner, hop| {
        let mut act = Map::from_iter([
            ("sub".to_owned(), Value::from(hop.entity.id.as_str())),
            ("iss".to_owned(), Value::from(hop.issuer.as_str())),
        ]);
        if !inner.is_null() {
            act.insert("act".to_owned(), inner);
        }
        Value::Object(act)
    })
}

/// ARAP's `client.actor`: who acts and the whole chain behind it are what the credential says, or the request is
/// refused.
pub(super) fn hold_actor(asker: &Asker, actor: &Map<String, Value>) -> Result<(), Refusal> {
    if actor.get("id").and_then(Value::as_str) != Some(&asker.agent.subject.id) {
        return Err(conflict("actor"));
    }
    match actor.get("act") {
        Some(claimed) if *claimed != verified_act(&asker.chain()) => Err(conflict("chain")),
        _ => Ok(()),
    }
}

fn server(point: Option<&PointCredential>, named: Option<String>) -> Result<Option<String>, Refusal> {
    let Some(point) = point else { return Ok(named) };
    match (named, point.servers.as_slice()) {
        (Some(server), servers) if servers.contains(&server) => Ok(Some(server)),
        (Some(server), _) => Err(Refusal::forbidden(
            "not_for_this_server",
            format!("`{}` may not ask for the server `{}`", point.name, text::visible(&server, 80)),
        )
        .help("the operator mints it a token whose `--servers` name this server")),
        (None, [only]) => Ok(Some(only.clone())),
        (None, []) => Ok(None),
        (None, _) => Err(Refusal::bad("server_needed", "the credential names several servers")
            .help(format!("say which in `context[\"{SERVER}\"]`"))),
    }
}

fn text_member(context: &mut Map<String, Value>, name: &'static str) -> Result<Option<String>, Refusal> {
    match context.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong_type(name, "a string")),
    }
}

fn wrong_type(name: &str, wanted: &str) -> Refusal {
    Refusal::bad("bad_request", format!("`context[\"{name}\"]` is {wanted}"))
}

fn conflict(what: &str) -> Refusal {
    Refusal::bad("claim_conflict", format!("the body names another {what} than the agent's credential"))
        .help("leave it to the credential; it fixes subject, task and chain")
}
