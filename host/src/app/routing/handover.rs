//! Handing a request to somebody else who may decide it.

use policy_core::entity::EntityRef;
use policy_core::lifecycle::{Exception, Phase, Rejection};
use policy_core::sabotaged;
use policy_core::time::Timestamp;
use proviso_api::routing::{HandoverReply, HandoverRequest};

use super::event::RoutingEvent;
use super::message::to_webhook;
use crate::app::App;
use crate::app::append::{ATTEMPTS, canonical, contended};
use crate::app::event::LedgerEvent;
use crate::app::people::{rejected, unknown_exception};
use crate::app::refusal::Refusal;
use crate::app::votes::read_by_a_vote;
use crate::identity::PersonSession;
use crate::store::{AppendError, NewRecord};

/// How often one request may change hands.
const MOST_HANDS: usize = 10;
/// The longest reason, in characters.
const LONGEST_REASON: usize = 2_000;

impl App {
    /// Hands a request over. Both must be people who may approve it, and who neither ask nor own nor stand in the chain
    /// (R4). Handing over gives nothing away: both vote as themselves, and of the two one approval counts.
    ///
    /// # Errors
    /// `unknown_exception`; `closed` or `too_late`; `unknown_person`; `not_eligible` of who hands over,
    /// `deputy_not_eligible` of whom it is handed to; `voted_already`; `deputy_of_party`; `too_many_hands`;
    /// `reason_needed`; `single_user_required`.
    pub async fn hand_over(
        &self,
        person: &PersonSession,
        id: &str,
        request: HandoverRequest,
    ) -> Result<HandoverReply, Refusal> {
        // INVARIANT (R4): what an agent could have signed in itself moves no request to another approver.
        self.hold_session(person)?;
        self.hold_deciding(person, id).await?;
        check_reason(&request.reason)?;
        self.refresh(id).await?;
        for _ in 0..ATTEMPTS {
            let now = self.now();
            let (exception, expected, done, hands) = {
                let state = self.state();
                self.still_stands(&state, person, now)?;
                let entry = state.exceptions.get(id).ok_or_else(unknown_exception)?;
                let handovers = state.routing.handovers(id);
                let last = handovers.last();
                let done = last.is_some_and(|last| last.from == person.person && last.to == request.to);
                (entry.exception.clone(), read_by_a_vote(&state, person, id), done, handovers.len())
            };
            if exception.phase != Phase::Requested {
                return Err(rejected(Rejection::Closed));
            }
            if exception.is_over(now) {
                return Err(rejected(Rejection::TooLate));
            }
            if done {
                return Ok(HandoverReply { to: request.to });
            }
            if hands >= MOST_HANDS {
                let detail = format!("a request changes hands at most {MOST_HANDS} times");
                return Err(Refusal::conflict("too_many_hands", detail).help("decide it, or let the next group decide"));
            }
            self.check_hands(&exception, &person.person, &request.to, now).await?;
            let record = self.handover_record(&exception, &person.person, &request, now)?;
            match self.store().append(expected, vec![record]).await {
                Ok(_) => return Ok(HandoverReply { to: request.to }),
                Err(AppendError::Conflict(_)) => {}
                Err(AppendError::Unavailable) => return Err(Refusal::record_unavailable()),
            }
        }
        Err(contended())
    }

    /// INVARIANT (R4): both people must be such as may decide it, each by themself.
    async fn check_hands(
        &self,
        exception: &Exception,
        from: &EntityRef,
        to: &EntityRef,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if from == to || !self.policy().people().contains(to) {
            return Err(Refusal::bad("unknown_person", "that is no other person of the active bundle"));
        }
        let parties = self.parties(exception, now);
        let may = self.may_approve(exception, vec![from.clone(), to.clone()], now).await?;
        if (parties.contain(from) || !may.contains(from)) && !sabotaged!("r4_stranger_hands_over") {
            return Err(rejected(Rejection::NotEligible));
        }
        if (parties.contain(to) || !may.contains(to)) && !sabotaged!("r4_handed_to_anybody") {
            return Err(Refusal::forbidden("deputy_not_eligible", "whom you name may not decide this one either")
                .help("name somebody whom policy lets approve it, and who neither asks nor owns the agent"));
        }
        // A seat that is filled is nobody's to pass on.
        if exception.votes.iter().any(|vote| vote.person == *from && vote.stands_for_it()) {
            return Err(rejected(Rejection::VotedAlready));
        }
        for person in [from, to] {
            match self.hold_seat(exception, person, now) {
                Err(refusal) if refusal.code == "deputy_of_party" => return Err(refusal),
                _ => {}
            }
        }
        Ok(())
    }

    /// The record, and what tells of it.
    fn handover_record(
        &self,
        exception: &Exception,
        from: &EntityRef,
        request: &HandoverRequest,
        now: Timestamp,
    ) -> Result<NewRecord, Refusal> {
        let id = &exception.request.id;
        let event = RoutingEvent::RequestHandedOver {
            exception: id.clone(),
            from: from.clone(),
            to: request.to.clone(),
            reason: request.reason.clone(),
            at: now,
        };
        let mut record = self.ledger(now, &LedgerEvent::Routing(event))?;
        let mut message = self.message("exception.handed_over", id, now);
        message.tier = Some(exception.terms.tier.clone());
        message.decide_by = Some(exception.decide_by());
        message.groups = self.groups_of_all(std::slice::from_ref(&request.to));
        let body = canonical(&message)?;
        record.outbox = self.mails(&body, std::slice::from_ref(&request.to), &[]);
        let heard = self.settings().channels.webhooks.iter().filter(|webhook| webhook.hears(&message.groups));
        record.outbox.extend(heard.map(|webhook| to_webhook(&webhook.name, &body)));
        Ok(record)
    }
}

/// A reason of 1 to 2000 characters.
pub(super) fn check_reason(reason: &str) -> Result<(), Refusal> {
    if reason.trim().is_empty() {
        return Err(rejected(Rejection::ReasonNeeded));
    }
    if reason.chars().count() > LONGEST_REASON { Err(rejected(Rejection::TextTooLong)) } else { Ok(()) }
}
