//! What enforcement points report, and where the logs stand.

use policy_core::question::Purpose;
use policy_core::text;
use proviso_api::operations::{ExecutionReport, LogHead, RecordReply};

use super::App;
use super::append::{Proposal, canonical};
use super::event::{EXECUTION, ExecutionRecord, GateEvent, LedgerEvent};
use super::refusal::Refusal;
use super::settings::Operator;
use crate::identity::Credential;
use crate::store::{Log, NewRecord, VersionKey};

impl App {
    /// Records that a call is sent, or what came of it. What an enforcement point reports of its own evaluation is
    /// observed; an agent's own word is reported.
    ///
    /// # Errors
    /// `unknown_evaluation` for one that is not this caller's, permitted nothing, or was only a question.
    pub async fn report_execution(&self, caller: &Credential, report: ExecutionReport) -> Result<(), Refusal> {
        let unknown = || {
            Refusal::not_found("unknown_evaluation", "there is no permitted call of this caller with that evaluation")
        };
        if !text::is_identifier(&report.call) || !text::is_identifier(&report.evaluation_id) {
            return Err(Refusal::bad(
                "bad_request",
                "`call` and `evaluation_id` have 1 to 256 characters without spaces",
            ));
        }
        let (credential, evidence) = match caller {
            Credential::EnforcementPoint(point) => (&point.token, "observed"),
            Credential::Agent(agent) => (&agent.token, "reported"),
        };
        let now = self.now();
        self.admit(|state| {
            self.still_live(state, credential, now)?;
            let permitted = state
                .uses
                .permitted(&report.evaluation_id)
                .filter(|permitted| permitted.credential == *credential && permitted.purpose == Purpose::Use);
            let permitted = permitted.ok_or_else(unknown)?;
            let execution = ExecutionRecord {
                evaluation: report.evaluation_id.clone(),
                call: report.call.clone(),
                phase: report.phase,
                digest: report.digest,
                evidence: evidence.to_owned(),
                credential: credential.clone(),
                exception: permitted.exception.clone(),
            };
            let record = NewRecord {
                log: Log::Decisions,
                at: now,
                kind: "execution".to_owned(),
                stream: format!("evaluation/{}", report.evaluation_id),
                outcome: None,
                policies: Vec::new(),
                module: None,
                bundle: None,
                payloads: vec![(EXECUTION, canonical(&execution)?)],
                // A use is given back only where nobody has reported it.
                touches: permitted.exception.clone().map(VersionKey::Reports).into_iter().collect(),
                urgent: false,
                outbox: Vec::new(),
            };
            let expected = vec![state.version(VersionKey::Identity(credential.clone()))];
            Ok(Proposal { expected, records: vec![record], answer: () })
        })
        .await
        .map(drop)
    }

    /// Where the logs stand, and what judges.
    pub fn record(&self) -> RecordReply {
        let heads = self.store().heads().into_iter();
        let logs = heads.map(|head| LogHead { log: head.log.name().to_owned(), size: head.size, note: head.note });
        RecordReply {
            now: self.now(),
            logs: logs.collect(),
            bundle: self.policy().digest(),
            module: self.engine().module(),
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
