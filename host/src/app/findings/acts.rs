//! What people do about a finding.

use policy_core::console::Act;
use proviso_api::findings::{
    AssignRequest, CommentRequest, FindingActRequest, FindingLine, FindingOutcome, FindingState, FindingStateRequest,
};

use super::book::Finding;
use super::event::FindingEvent;
use super::view::unknown_finding;
use crate::app::App;
use crate::app::append::Proposal;
use crate::app::console::About;
use crate::app::event::LedgerEvent;
use crate::app::limits::Often;
use crate::app::refusal::Refusal;
use crate::app::stops::check_reason;
use crate::identity::PersonSession;
use crate::store::VersionKey;

impl App {
    /// Says something of a finding.
    ///
    /// # Errors
    /// `unknown_finding`; `reason_needed`; `too_often`.
    pub async fn comment_finding(
        &self,
        person: &PersonSession,
        id: &str,
        body: CommentRequest,
    ) -> Result<FindingLine, Refusal> {
        check_reason(&body.words, "a comment")?;
        self.hold_finding(person, &[Act::Investigate, Act::ViewRecord], id).await?;
        let at = self.now();
        self.on_finding(person, id, |_| {
            let (by, words) = (person.person.clone(), body.words.clone());
            Ok(Some(FindingEvent::Commented { id: id.to_owned(), by, words, at }))
        })
        .await
    }

    /// Hands a finding to somebody.
    ///
    /// # Errors
    /// `unknown_finding`; `unknown_person`; `reason_needed`; `single_user_required`; `too_often`.
    pub async fn assign_finding(
        &self,
        person: &PersonSession,
        id: &str,
        body: AssignRequest,
    ) -> Result<FindingLine, Refusal> {
        self.hold_session(person)?;
        check_reason(&body.reason, "handing a finding over")?;
        self.hold_finding(person, &[Act::Investigate, Act::ViewRecord], id).await?;
        self.known_person(&body.to)?;
        let at = self.now();
        self.on_finding(person, id, |finding| {
            let from = finding.facts.owner.clone();
            let AssignRequest { to, reason } = body.clone();
            let event = FindingEvent::Assigned { id: id.to_owned(), to, by: person.person.clone(), reason, at, from };
            Ok((finding.facts.owner.as_ref() != Some(&body.to)).then_some(event))
        })
        .await
    }

    /// Says how a finding stands.
    ///
    /// # Errors
    /// `unknown_finding`; `outcome_needed`; `reason_needed` where it is resolved or opened again without a note;
    /// `single_user_required`; `too_often`.
    pub async fn set_finding_state(
        &self,
        person: &PersonSession,
        id: &str,
        body: FindingStateRequest,
    ) -> Result<FindingLine, Refusal> {
        // INVARIANT (R4): what an agent could have signed in itself closes nothing.
        self.hold_session(person)?;
        self.hold_finding(person, &[Act::Investigate, Act::ViewRecord], id).await?;
        let FindingStateRequest { state, outcome, note } = body;
        let is_outcome = match (state, outcome) {
            (FindingState::Resolved, Some(FindingOutcome::Explained) | None) => false,
            (FindingState::Resolved, Some(_)) => true,
            (FindingState::Open | FindingState::Acknowledged, outcome) => outcome.is_none(),
        };
        if !is_outcome {
            let detail = "a finding is resolved as `expected`, `fixed` or `misuse`, and by nothing else has an outcome";
            return Err(Refusal::bad("outcome_needed", detail));
        }
        let at = self.now();
        self.on_finding(person, id, |finding| {
            if finding.state == state && finding.outcome == outcome {
                return Ok(None);
            }
            let again = finding.state == FindingState::Resolved;
            if state == FindingState::Resolved || again || !note.is_empty() {
                check_reason(&note, "resolving a finding, or opening it again,")?;
            }
            let (id, by, note) = (id.to_owned(), Some(person.person.clone()), note.clone());
            Ok(Some(FindingEvent::StateChanged { id, state, outcome, by, note, at }))
        })
        .await
    }

    /// Takes away the grant that a finding is about.
    ///
    /// # Errors
    /// `unknown_finding`; `reason_needed`; `no_exception`; `closed`; `stop_unrecorded`.
    pub async fn revoke_for_finding(
        &self,
        person: &PersonSession,
        id: &str,
        body: FindingActRequest,
    ) -> Result<FindingLine, Refusal> {
        check_reason(&body.reason, "a revoke")?;
        self.hold_finding(person, &[Act::Revoke], id).await?;
        let exception = self.finding_line(id)?.exception.ok_or_else(|| {
            Refusal::conflict("no_exception", "no exception is known of what this finding is about")
                .help("lock the subject instead, or revoke by `POST /api/v1/revocations`")
        })?;
        let by = person.person.clone();
        self.revoke_for(id, &exception, by, &body.reason, Some(&person.person)).await?;
        self.finding_line(id)
    }

    /// Locks the subject of a finding.
    ///
    /// # Errors
    /// `unknown_finding`; `reason_needed`; `stop_unrecorded`.
    pub async fn lock_for_finding(
        &self,
        person: &PersonSession,
        id: &str,
        body: FindingActRequest,
    ) -> Result<FindingLine, Refusal> {
        check_reason(&body.reason, "a lock")?;
        self.hold_finding(person, &[Act::Lock], id).await?;
        let subject = self.finding_line(id)?.subject;
        let (by, groups) = (person.person.clone(), self.policy().groups_of(&person.person));
        self.lock_for(id, &subject, by, &body.reason, Some((&person.person, groups))).await?;
        self.finding_line(id)
    }

    /// Refuses what this person may not do to a finding. Whoever may do it to none is not told whether there is one.
    async fn hold_finding(&self, person: &PersonSession, acts: &[Act], id: &str) -> Result<(), Refusal> {
        match self.about_finding(id) {
            Ok(about) => self.hold_acts(person, acts, &about).await,
            Err(unknown) => {
                self.hold_acts(person, acts, &About::GATE).await?;
                Err(unknown)
            }
        }
    }

    /// Decides an event on a finding as it stands, while its person is still signed in.
    async fn on_finding(
        &self,
        person: &PersonSession,
        id: &str,
        make: impl Fn(&Finding) -> Result<Option<FindingEvent>, Refusal>,
    ) -> Result<FindingLine, Refusal> {
        let now = self.now();
        let slot = self.slot(Often::Findings, &person.person)?;
        let made = self.admit(|state| {
            self.still_stands(state, person, now)?;
            let event = make(state.findings.get(id).ok_or_else(unknown_finding)?)?;
            let keys = [VersionKey::Finding(id.to_owned()), VersionKey::Identity(person.id.clone())];
            let expected = keys.map(|key| state.version(key)).into_iter().chain(state.page_of(&person.id)).collect();
            let records = event.into_iter().map(|event| self.ledger(now, &LedgerEvent::Finding(event)));
            Ok(Proposal { expected, records: records.collect::<Result<_, _>>()?, answer: () })
        });
        // What was said already is no record.
        if let ((), Some(_)) = made.await? {
            slot.spent();
        }
        self.finding_line(id)
    }
}
