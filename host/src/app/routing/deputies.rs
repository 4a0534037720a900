//! Deputies for a period: who is told and looks while somebody is away.

use policy_core::console::Act;
use policy_core::time::Span;
use proviso_api::routing::{DeputyLine, DeputyList, DeputyRequest};

use super::event::{Deputyship, RoutingEvent};
use super::handover::check_reason;
use super::standing::Deputy;
use crate::app::App;
use crate::app::append::{Proposal, canonical};
use crate::app::console::About;
use crate::app::event::LedgerEvent;
use crate::app::refusal::{Refusal, RefusalKind};
use crate::identity::PersonSession;
use crate::random;
use crate::store::VersionKey;

/// The longest period, and how far ahead it may begin: whoever is away for longer changes a group instead.
const LONGEST: Span = Span::from_seconds(92 * 86_400);
/// How many a person appoints within a day.
const MOST_A_DAY: usize = 20;
const DAY: Span = Span::from_seconds(86_400);

impl App {
    /// Names who stands in for the person who is signed in. A deputy is told in their place, of what the deputy may
    /// decide by the own right, and votes as themself (R4). One at a time: a period overlaps no other of this person.
    ///
    /// # Errors
    /// `unknown_person`; `bad_period`; `deputy_overlaps`; `too_many_requests`; `reason_needed`; `single_user_required`.
    pub async fn appoint(&self, person: &PersonSession, request: DeputyRequest) -> Result<DeputyLine, Refusal> {
        // INVARIANT (R4): what an agent could have signed in itself names nobody.
        self.hold_session(person)?;
        self.hold_act(person, Act::Vote, &About::GATE).await?;
        check_reason(&request.reason)?;
        let now = self.now();
        let from = request.from.map_or(now, |from| from.max(now));
        if request.deputy == person.person || !self.policy().people().contains(&request.deputy) {
            return Err(Refusal::bad("unknown_person", "that is no other person of the active bundle"));
        }
        if request.until <= from || from > now.plus(LONGEST) || request.until > from.plus(LONGEST) {
            let detail = format!("a deputy stands in for at most {LONGEST}, and the period lies ahead");
            return Err(Refusal::bad("bad_period", detail).help("give `until` after `from`, and both not far away"));
        }
        let id = random::id(self.random(), "dep").map_err(|_| crate::app::identities::no_randomness())?;
        let deputyship = Deputyship {
            id,
            absent: person.person.clone(),
            deputy: request.deputy,
            from,
            until: request.until,
            reason: request.reason,
        };
        let made = self.admit(|state| {
            self.still_stands(state, person, now)?;
            let own = || state.routing.deputies().filter(|deputy| deputy.deputyship.absent == person.person);
            if own().any(|other| from < other.end() && other.deputyship.from < deputyship.until) {
                return Err(Refusal::conflict("deputy_overlaps", "somebody stands in for you in that period already")
                    .help("end that first: `DELETE /api/v1/deputies/{id}`"));
            }
            if own().filter(|other| now < other.deputyship.from.plus(DAY)).count() >= MOST_A_DAY {
                let detail = format!("at most {MOST_A_DAY} deputies are named within a day");
                return Err(Refusal::new(RefusalKind::TooMany, "too_many_requests", detail));
            }
            let event = RoutingEvent::DeputyAppointed { deputyship: Box::new(deputyship.clone()), at: now };
            let mut record = self.ledger(now, &LedgerEvent::Routing(event))?;
            let mut message = self.message("deputy.appointed", "", now);
            (message.exception, message.link) = (None, self.settings().public_url.clone());
            record.outbox = self.mails(&canonical(&message)?, std::slice::from_ref(&deputyship.deputy), &[]);
            let keys = [VersionKey::Deputies, VersionKey::Bundle, VersionKey::Identity(person.id.clone())];
            let expected = keys.map(|key| state.version(key)).into_iter().chain(state.page_of(&person.id)).collect();
            Ok(Proposal { expected, records: vec![record], answer: () })
        });
        made.await?;
        Ok(line(&Deputy { deputyship, ended: None }))
    }

    /// Ends a deputyship before its time: the absent person, or the deputy, who need not agree to be one.
    ///
    /// # Errors
    /// `unknown_deputy`, the same for a deputyship of others; `single_user_required`.
    pub async fn end_deputy(&self, person: &PersonSession, id: &str) -> Result<(), Refusal> {
        self.hold_session(person)?;
        let now = self.now();
        let ended = self.admit(|state| {
            self.still_stands(state, person, now)?;
            let deputy = state.routing.deputy(id).filter(|deputy| {
                deputy.deputyship.absent == person.person || deputy.deputyship.deputy == person.person
            });
            let unknown = || Refusal::not_found("unknown_deputy", "you have no such deputy, and are none");
            let over = deputy.ok_or_else(unknown)?.end() <= now;
            let event = RoutingEvent::DeputyEnded { id: id.to_owned(), by: person.person.clone(), at: now };
            let record = self.ledger(now, &LedgerEvent::Routing(event))?;
            let keys = [VersionKey::Deputies, VersionKey::Identity(person.id.clone())];
            let expected = keys.map(|key| state.version(key)).into_iter().chain(state.page_of(&person.id)).collect();
            Ok(Proposal { expected, records: if over { Vec::new() } else { vec![record] }, answer: () })
        });
        ended.await.map(drop)
    }

    /// Who stands in for whom, now or later, earliest first.
    pub fn deputies(&self) -> DeputyList {
        let now = self.now();
        let state = self.state();
        let mut deputies: Vec<DeputyLine> =
            state.routing.deputies().filter(|deputy| now < deputy.end()).map(line).collect();
        deputies.sort_by(|a, b| (a.from, &a.id).cmp(&(b.from, &b.id)));
        DeputyList { now, deputies }
    }
}

fn line(deputy: &Deputy) -> DeputyLine {
    let deputyship = deputy.deputyship.clone();
    DeputyLine {
        id: deputyship.id,
        absent: deputyship.absent,
        deputy: deputyship.deputy,
        from: deputyship.from,
        until: deputyship.until,
        reason: deputyship.reason,
    }
}
