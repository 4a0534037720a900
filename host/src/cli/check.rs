//! `proviso check`: one question, offline: what would this call get from this bundle, with no grants and no locks?
//! Nothing is recorded, nothing is consumed.

use std::io::Read as _;
use std::path::PathBuf;

use clap::Args;
use policy_core::entity::{EntityRef, Hop};
use policy_core::json::{self, Limits};
use policy_core::outcome::{Evaluation, Outcome, Reason};
use policy_core::question::Purpose;
use policy_evaluator::Bundle;
use policy_evaluator::evaluate::evaluate;
use policy_evaluator::seal::{Ask, Claimed};
use proviso_api::authzen::{ApprovalRef, Entity, EvaluationRequest};
use serde_json::{Value, json};

use super::bundle;
use super::output::{Done, Exit, Failure};
use crate::clock::{Clock as _, SystemClock};
use crate::remedies::remedy;

/// Ask one question offline. Exits with 4 where the approval in its context has expired and nothing else permits it.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The bundle's folder.
    #[arg(long, value_name = "DIR")]
    bundle: PathBuf,
    /// The task that the agent acts in.
    #[arg(long, default_value = "check")]
    task: String,
    /// An agent between it and the human, `TYPE::ID`; several from the one that called it inward.
    #[arg(long, value_name = "SUBJECT", value_parser = super::token::entity)]
    via: Vec<EntityRef>,
    /// The human behind the agent, by id.
    #[arg(long = "for", value_name = "USER")]
    on_behalf: Option<String>,
    /// The enforcement point that would ask.
    #[arg(long, value_name = "NAME")]
    enforcement_point: Option<String>,
    /// Whether the agent's credential would be bound to a key.
    #[arg(long)]
    bound: bool,
    /// A file with an AuthZEN evaluation request; `-` or nothing: standard input.
    question: Option<PathBuf>,
}

/// Runs it.
pub(super) fn run(check: &Check) -> Result<Done, Failure> {
    let bundle = bundle::accept(&check.bundle)?;
    let mut request = read_question(check)?;
    let approval = match request.context.remove("approval") {
        None => None,
        Some(value) => Some(
            serde_json::from_value::<ApprovalRef>(value)
                .map_err(|_| Failure::bad_input("bad_shape", "`context.approval` is not ARAP's approval"))?,
        ),
    };
    let ask = ask(check, &bundle, request)?;
    let evaluation = match bundle.seal(&ask) {
        Ok(question) => evaluate(&bundle.rules, &question),
        Err(error) => return Ok(denied(error.reason, &error.message)),
    };
    let expired = approval.is_some_and(|approval| approval.approved_until <= ask.now);
    Ok(tell(&evaluation, expired))
}

fn read_question(check: &Check) -> Result<EvaluationRequest, Failure> {
    let unreadable = |error: std::io::Error| Failure::bad_input("question_unreadable", error.to_string());
    let bytes = match &check.question {
        Some(path) if path.as_os_str() != "-" => std::fs::read(path).map_err(unreadable)?,
        _ => {
            let mut bytes = Vec::new();
            // One byte more than is read strictly: too much is told as that.
            let most = u64::try_from(Limits::DEFAULT.max_bytes).unwrap_or(u64::MAX).saturating_add(1);
            std::io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(unreadable)?;
            bytes
        }
    };
    json::read_object_as(&bytes, Limits::DEFAULT, &EvaluationRequest::OBJECTS)
        .map_err(|error| Failure::bad_input(error.code(), error.to_string()))
}

fn ask(check: &Check, bundle: &Bundle, request: EvaluationRequest) -> Result<Ask, Failure> {
    let entity = |entity: &Entity| EntityRef::new(entity.kind.clone(), entity.id.clone());
    let person = &bundle.rules.config.types.person;
    let human = check.on_behalf.iter().map(|id| EntityRef::new(person.clone(), id.clone()));
    let hops = check.via.iter().cloned().chain(human);
    let mut context = request.context;
    let input = context.remove("input").filter(|input| !input.is_null());
    let server = text(context.remove("proviso.dev/server"))?;
    let tool = text(context.remove("proviso.dev/tool"))?.map(|digest| digest.parse()).transpose();
    let tool = tool.map_err(|_| Failure::bad_input("bad_shape", "`proviso.dev/tool` is not a digest"))?;
    context.retain(|name, _| !name.starts_with("proviso.dev/"));
    Ok(Ask {
        purpose: Purpose::Question,
        subject: entity(&request.subject),
        task: check.task.as_str().into(),
        chain: hops.map(|entity| Hop { entity, issuer: "proviso".into() }).collect(),
        enforcement_point: check.enforcement_point.as_deref().map(Into::into),
        bound: check.bound,
        vouched: false,
        server: server.map(Into::into),
        tool,
        action: request.action.name.into(),
        resource: entity(&request.resource),
        input,
        claims: Claimed {
            subject: request.subject.properties,
            resource: request.resource.properties,
            action: request.action.properties,
            context,
        },
        now: SystemClock.now(),
        done: std::collections::BTreeSet::new(),
    })
}

fn text(value: Option<Value>) -> Result<Option<String>, Failure> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Failure::bad_input("bad_shape", "our own members of `context` are texts")),
    }
}

/// `expired`: the question came with an approval whose time is over, as a call does that is repeated after its window.
fn tell(evaluation: &Evaluation, expired: bool) -> Done {
    let reason = evaluation.reason;
    // What the gate tells, too: only where it is the approval that is missing.
    let expired = expired && matches!(reason, Reason::NotPermitted | Reason::ApprovalRequired);
    let exit = match evaluation.outcome {
        Outcome::PermittedByScope | Outcome::PermittedByException => Exit::Fine,
        _ if expired => Exit::Expired,
        Outcome::RequestableDenial => Exit::Requestable,
        Outcome::Denial => Exit::Denied,
    };
    let code = if expired { "approval_expired" } else { reason.code() };
    let mut done = said(exit, json!(evaluation), code, reason.sentence());
    for policy in &evaluation.policies {
        done.text.push_str(&format!("\n  by {policy}"));
    }
    for error in &evaluation.errors {
        done.text.push_str(&format!("\n  {} could not be evaluated: {}", error.policy, error.message));
    }
    if let Some(terms) = &evaluation.terms {
        done.text.push_str(&format!(
            "\n  may be requested: tier {}, approvals {}, groups {}",
            terms.tier,
            terms.approvals,
            terms.groups.join(", ")
        ));
    }
    done
}

/// A question that does not fit the bundle never reaches a policy.
fn denied(reason: Reason, detail: &str) -> Done {
    let message = format!("{}: {detail}", reason.sentence());
    said(Exit::Denied, json!({"outcome": Outcome::Denial}), reason.code(), &message)
}

/// An outcome with reason, message and remedy, the same that the gate's reply has.
fn said(exit: Exit, mut json: Value, code: &str, message: &str) -> Done {
    let outcome = json.get("outcome").and_then(Value::as_str).unwrap_or_default();
    let mut text = format!("{outcome} ({code})\n  {message}");
    let help = remedy(code);
    if let Some(help) = help {
        text.push_str(&format!("\n  help: {help}"));
    }
    if let Some(members) = json.as_object_mut() {
        members.insert("reason".to_owned(), code.into());
        members.insert("message".to_owned(), message.into());
        members.extend(help.map(|help| ("help".to_owned(), help.into())));
    }
    Done { exit, text, json }
}
