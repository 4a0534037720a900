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
    /// A file with an AuthZEN evaluation request; `-` or nothing: standard input.
    question: Option<PathBuf>,
}

/// Runs it.
pub(super) fn run(check: &Check) -> Result<Done, Failure> {
    let bundle = bundle::accept(&check.bundle)?;
    let mut request = read_question(check)?;
    let approval = match request.context.remove("approval") {
        None => None,
        Some(value) => Some(serde_json::from_value::<ApprovalRef>(value).map_err(|_| {
            Failure::bad_input("bad_shape", "`context.approval` is not ARAP's approval")
                .help("give it as the gate's reply had it, or leave it out")
        })?),
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
    json::read_as(&bytes, Limits::DEFAULT).map_err(|error| {
        Failure::bad_input(error.code(), error.to_string()).help("give an AuthZEN evaluation request, as API.md shows")
    })
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
        task: check.task.clone(),
        chain: hops.map(|entity| Hop { entity, issuer: "proviso".to_owned() }).collect(),
        enforcement_point: check.enforcement_point.clone(),
        server,
        tool,
        action: request.action.name,
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
    let mut json = json!(evaluation);
    let exit = match evaluation.outcome {
        Outcome::PermittedByScope | Outcome::PermittedByException => Exit::Fine,
        // What the gate tells, too: only where it is the approval that is missing.
        _ if expired && matches!(evaluation.reason, Reason::NotPermitted | Reason::ApprovalRequired) => {
            if let Some(reason) = json.get_mut("reason") {
                *reason = Value::from("approval_expired");
            }
            Exit::Expired
        }
        Outcome::RequestableDenial => Exit::Requestable,
        Outcome::Denial => Exit::Denied,
    };
    let word = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut text = format!("{} ({})", word("outcome"), word("reason"));
    for policy in &evaluation.policies {
        text.push_str(&format!("\n  by {policy}"));
    }
    for error in &evaluation.errors {
        text.push_str(&format!("\n  {} could not be evaluated: {}", error.policy, error.message));
    }
    if let Some(terms) = &evaluation.terms {
        text.push_str(&format!(
            "\n  may be requested: tier {}, approvals {}, groups {}",
            terms.tier,
            terms.approvals,
            terms.groups.join(", ")
        ));
    }
    Done { exit, text, json }
}

/// A question that does not fit the bundle never reaches a policy.
fn denied(reason: Reason, message: &str) -> Done {
    let json = json!({"outcome": Outcome::Denial, "reason": reason, "message": message});
    let word = json.get("reason").and_then(Value::as_str).unwrap_or_default();
    Done { exit: Exit::Denied, text: format!("denial ({word})\n  {message}"), json }
}
