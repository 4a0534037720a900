//! What enforcement points report, and where the logs stand.

use policy_core::question::Purpose;
use policy_core::text;
use proviso_api::operations::{ExecutionReport, LogHead, RecordReply};

use super::App;
use super::append::{Proposal, canonical};
use super::event::{EXECUTION, ExecutionRecord, GateEvent, LedgerEvent, OBSERVED, REPORTED};
use super::limits::Turn;
use super::refusal::Refusal;
use super::settings::Operator;
use super::uses::Permitted;
use crate::identity::Credential;
use crate::store::{Log, NewRecord, VersionKey};

impl App {
    /// Records that a call is sent, or what came of it. What an enforcement point reports of its own evaluation is
    /// observed; an agent's own word of a call that was made for it is reported, and no more than told.
    ///
    /// # Errors
    /// `unknown_evaluation` for one that is not this caller's, permitted nothing, or was only a question;
    /// `too_many_evaluations`.
    pub async fn report_execution(&self, caller: &Credential, report: ExecutionReport) -> Result<(), Refusal> {
        let unknown = || {
            Refusal::not_found("unknown_evaluation", "there is no permitted call of this caller with that evaluation")
        };
        let named = |name: &Option<String>| name.clone().filter(|name| text::is_identifier(name));
        let (Some(evaluation), Some(call)) = (named(&report.evaluation_id), named(&report.call)) else {
            return Err(Refusal::bad(
                "bad_request",
                "`call` and `evaluation_id` have 1 to 256 characters without spaces",
            ));
        };
        if report.host.as_ref().is_some_and(|host| !text::is_identifier(host)) {
            return Err(Refusal::bad("bad_request", "`host` has 1 to 256 characters without spaces"));
        }
        let (credential, evidence) = match caller {
            Credential::EnforcementPoint(point) => (&point.token, OBSERVED),
            Credential::Agent(agent) => (&agent.token, REPORTED),
        };
        let _turn = self.turn_of_report(caller, &evaluation).await?;
        let now = self.now();
        self.admit(|state| {
            self.still_live(state, credential, now)?;
            let permitted = state.uses.permitted(&evaluation).filter(|permitted| is_of(permitted, caller));
            let permitted = permitted.ok_or_else(unknown)?;
            let execution = ExecutionRecord {
                evaluation: evaluation.clone(),
                call: call.clone(),
                phase: report.phase,
                digest: report.digest,
                evidence: evidence.to_owned(),
                credential: credential.clone(),
                exception: permitted.exception.clone(),
                host: report.host.clone(),
                started_at: report.started_at,
                ended_at: report.ended_at,
            };
            let exception = permitted.exception.clone().filter(|_| evidence == OBSERVED);
            let record = NewRecord {
                log: Log::Decisions,
                at: now,
                kind: "execution".to_owned(),
                stream: format!("evaluation/{evaluation}"),
                outcome: None,
                policies: Vec::new(),
                module: None,
                bundle: None,
                payloads: vec![(EXECUTION, canonical(&execution)?)],
                // A use is given back only where nobody has observed it.
                touches: exception.map(VersionKey::Reports).into_iter().collect(),
                urgent: false,
                outbox: Vec::new(),
            };
            let expected = vec![state.version(VersionKey::Identity(credential.clone()))];
            Ok(Proposal { expected, records: vec![record], answer: () })
        })
        .await
        .map(drop)
    }

    /// A turn of the subject whose call is reported; what is known to nobody is the caller's own matter.
    async fn turn_of_report(&self, caller: &Credential, evaluation: &str) -> Result<Turn, Refusal> {
        let known = {
            let state = self.state();
            let permitted = state.uses.permitted(evaluation).filter(|permitted| is_of(permitted, caller));
            permitted.map(|permitted| (permitted.kind.subject.clone(), permitted.kind.task.clone()))
        };
        match (known, caller) {
            (Some((subject, task)), _) => self.turn_to_report(&subject, &task).await,
            (None, Credential::EnforcementPoint(point)) => self.turn_of_point(point).await,
            (None, Credential::Agent(agent)) => self.turn_to_report(&agent.subject, &agent.task).await,
        }
    }

    /// Where the logs stand, and what judges.
    pub fn record(&self) -> RecordReply {
        let heads = self.store().heads().into_iter();
        let logs = heads.map(|head| LogHead { log: head.log.name().to_owned(), size: head.size, note: head.note });
        RecordReply {
            now: self.now(),
            logs: logs.collect(),
            keys: self.verifier_keys(),
            bundle: self.policy().digest(),
            module: self.engine().module(),
            epoch: self.epoch_line(),
            copies: self.copy_lines(),
        }
    }

    /// After the clock was doubted: an operator says that it is right, and exceptions are honoured again.
    ///
    /// # Errors
    /// `reason_needed`; `record_unavailable`.
    pub async fn trust_clock(&self, by: &Operator, reason: &str) -> Result<(), Refusal> {
        if reason.trim().is_empty() || reason.chars().count() > 2_000 {
            return Err(Refusal::bad("reason_needed", "trusting the clock needs a reason of 1 to 2000 characters"));
        }
        let at = self.wall();
        let event = GateEvent::ClockTrusted { by: by.name.clone(), reason: reason.to_owned(), at };
        self.admit(|state| {
            let expected = vec![state.version(VersionKey::Bundle)];
            Ok(Proposal { expected, records: vec![self.ledger(at, &LedgerEvent::Gate(event.clone()))?], answer: () })
        })
        .await?;
        self.believe_clock();
        Ok(())
    }
}

/// Whether somebody may report on an evaluation: the enforcement point that asked for the call, or the agent that the
/// call was made for, in its task.
fn is_of(permitted: &Permitted, caller: &Credential) -> bool {
    let theirs = match caller {
        Credential::EnforcementPoint(point) => permitted.kind.credential == point.token,
        Credential::Agent(agent) => permitted.kind.subject == agent.subject && permitted.kind.task == agent.task,
    };
    theirs && permitted.purpose == Purpose::Use
}
