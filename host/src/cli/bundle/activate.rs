//! `proviso bundle propose | revert | show | activate | refuse`: what people do to make another bundle the active one.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use policy_core::digest::Digest;
use policy_core::text::visible;
use proviso_api::activation::{ActivationReply, BundleList, ChangeLine, ProposalReply};
use reqwest::Method;
use serde_json::{Value, json};

use super::super::output::{Done, Exit, Failure};
use super::person::{By, Person};

/// How many changes are printed for people.
const MOST_PRINTED: usize = 50;

/// What people do with bundles, at the running gate.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ActivationCommand {
    /// Propose a bundle, and tell what it changes of what was asked of late. Exits with 0 when nothing comes out
    /// differently, with 2 when something is newly allowed, else with 3.
    Propose {
        /// The bundle's folder.
        folder: PathBuf,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        by: By,
    },
    /// Propose another policy module, which a later program carries: two people let the next start run it. Exits as
    /// `propose`.
    ProposeModule {
        /// Its file, `policy.wasm`.
        file: PathBuf,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        by: By,
    },
    /// Propose a bundle that was active before. Exits as `propose`.
    Revert {
        /// Its digest.
        digest: Digest,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        by: By,
    },
    /// Show what is active, was, and is proposed; or one proposal with what it changes. Exits as `propose`, without a
    /// digest with 0.
    Show {
        /// The digest of a proposed bundle.
        digest: Option<Digest>,
        #[command(flatten)]
        by: By,
    },
    /// Vote for a proposed bundle. Exits with 0 when it is active, with 3 when it waits for another person.
    Activate {
        /// Its digest.
        digest: Digest,
        /// The digest of the list that you looked at, as `show` prints it.
        #[arg(long, value_name = "SHA256")]
        list: Digest,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        by: By,
    },
    /// Vote against a proposed bundle, which ends the proposal.
    Refuse {
        /// Its digest.
        digest: Digest,
        /// The digest of the list that you looked at, as `show` prints it.
        #[arg(long, value_name = "SHA256")]
        list: Digest,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        by: By,
    },
}

/// Runs it.
pub(in crate::cli) async fn run(command: &ActivationCommand) -> Result<Done, Failure> {
    match command {
        ActivationCommand::Propose { folder, reason, by } => {
            let files = super::read(folder)?;
            propose(by, "/api/v1/bundles", json!({"files": files, "reason": reason})).await
        }
        ActivationCommand::ProposeModule { file, reason, by } => {
            let bytes = std::fs::read(file).map_err(|error| {
                Failure::bad_input("module_unusable", format!("`{}` cannot be read: {error}", file.display()))
            })?;
            propose(by, "/api/v1/modules", json!({"module": STANDARD.encode(bytes), "reason": reason})).await
        }
        ActivationCommand::Revert { digest, reason, by } => {
            propose(by, "/api/v1/bundles", json!({"revert_to": digest, "reason": reason})).await
        }
        ActivationCommand::Show { digest: None, by } => {
            let person = by.sign_in().await?;
            let list = person.ask::<BundleList>(Method::GET, "/api/v1/bundles", None).await;
            person.sign_out().await;
            let list = list?;
            Ok(Done::fine(overview(&list), json!(list)))
        }
        ActivationCommand::Show { digest: Some(digest), by } => {
            let person = by.sign_in().await?;
            let found = person.ask(Method::GET, &format!("/api/v1/bundles/{digest}/proposal"), None).await;
            person.sign_out().await;
            Ok(proposal(&found?))
        }
        ActivationCommand::Activate { digest, list, reason, by } => {
            let reply = vote(by.sign_in().await?, digest, "activate", json!({"list": list, "reason": reason})).await?;
            let (exit, text) = match reply.state.as_str() {
                "active" => (Exit::Fine, format!("{digest} is active")),
                _ => (Exit::Requestable, format!("{} of {} people are for it", reply.people.len(), reply.needs)),
            };
            Ok(Done { exit, text, json: json!(reply) })
        }
        ActivationCommand::Refuse { digest, list, reason, by } => {
            let reply = vote(by.sign_in().await?, digest, "refuse", json!({"list": list, "reason": reason})).await?;
            Ok(Done::fine(format!("the proposal of {digest} is refused"), json!(reply)))
        }
    }
}

async fn propose(by: &By, path: &str, body: Value) -> Result<Done, Failure> {
    let person = by.sign_in().await?;
    let made = person.ask(Method::POST, path, Some(body)).await;
    person.sign_out().await;
    Ok(proposal(&made?))
}

async fn vote(person: Person, digest: &Digest, act: &str, body: Value) -> Result<ActivationReply, Failure> {
    let reply = person.ask(Method::POST, &format!("/api/v1/bundles/{digest}/{act}"), Some(body)).await;
    let page = person.page("policies");
    person.sign_out().await;
    reply.map_err(|failure: Failure| match failure.code.as_str() {
        // A command line has no authenticator.
        "presence_needed" | "step_up_needed" => {
            failure.help(format!("sign it by your passkey on the page {page}, which shows the same list"))
        }
        _ => failure,
    })
}

fn overview(list: &BundleList) -> String {
    let mut lines = vec![format!("active: {}", list.active)];
    if list.operator_alone {
        lines.push("an operator of the gate's host alone can activate another, at a start".to_owned());
    }
    if let Some(module) = &list.next_module {
        lines.push(format!("the next start may run the module {module}"));
    }
    for one in &list.proposals {
        let narrower = if one.narrower { ", proved narrower" } else { "" };
        let what = if one.is_module { "module" } else { "bundle" };
        lines.push(format!(
            "proposed {what}: {}  {}  by {}  {} of {} people  {} newly allowed of {} that change{narrower}  {}",
            one.bundle,
            one.state,
            visible(&one.by.to_string(), 100),
            one.votes.iter().filter(|vote| vote.activates).count(),
            one.needs,
            one.new_allows,
            one.changed,
            visible(&one.reason, 100)
        ));
    }
    for one in &list.history {
        lines.push(format!("{}  {}  by {}  {}", one.at, one.bundle, visible(&one.by, 100), visible(&one.reason, 100)));
    }
    lines.join("\n")
}

fn proposal(reply: &ProposalReply) -> Done {
    let ProposalReply { proposal, list, files, .. } = reply;
    let mut lines: Vec<String> = list.changes.iter().take(MOST_PRINTED).map(change).collect();
    if list.changes.len() > MOST_PRINTED {
        lines.push(format!("and {} more, in --json", list.changes.len() - MOST_PRINTED));
    }
    lines.extend(files.iter().map(|file| {
        let word = match (&file.before, &file.after) {
            (None, _) => "new",
            (_, None) => "gone",
            _ => "changed",
        };
        format!("{word}: {}", visible(&file.path, 200))
    }));
    lines.extend(
        list.steps
            .iter()
            .filter(|step| !step.narrows)
            .map(|step| format!("not proved narrower: {} of {}", step.kind.replace('_', " "), visible(&step.of, 200))),
    );
    let named = list.named.iter().map(|person| visible(&person.to_string(), 100));
    lines.extend(named.map(|person| format!("{person} has no say in it: it is about them")));
    let asked = &list.asked;
    let older = if asked.older { ", the newest" } else { "" };
    lines.push(format!(
        "{} of {} questions{older} come out differently, {} newly allowed, {} for other reasons or on other terms",
        proposal.changed, asked.questions, proposal.new_allows, list.otherwise
    ));
    lines.push(format!("it takes {}", if proposal.needs == 1 { "one person" } else { "two people" }));
    lines.push(format!("{}: {}", if proposal.is_module { "module" } else { "bundle" }, proposal.bundle));
    lines.push(format!("list: {}", proposal.list));
    let exit = match (proposal.new_allows, proposal.changed) {
        (0, 0) => Exit::Fine,
        (0, _) => Exit::Requestable,
        _ => Exit::Denied,
    };
    Done { exit, text: lines.join("\n"), json: json!(reply) }
}

fn change(change: &ChangeLine) -> String {
    let call = change.call.as_ref().map_or_else(
        || "what was asked was erased".to_owned(),
        |call| {
            let on =
                call.resources.iter().take(5).map(|of| visible(&of.to_string(), 100)).collect::<Vec<_>>().join(", ");
            let (subject, action) = (visible(&call.subject.to_string(), 100), visible(&call.action, 100));
            format!("{}: {subject} in task {}: {action} on {on}", call.at, visible(&call.task, 100))
        },
    );
    format!(
        "{}: record {}, {call}\n  {} by {} -> {} by {}",
        change.kind.replace('_', " "),
        change.seq,
        change.before.outcome,
        change.before.policies.join(", "),
        change.after.outcome,
        change.after.policies.join(", ")
    )
}
