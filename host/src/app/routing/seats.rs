//! One seat is one vote: what hand-overs and deputies mean for a quorum (R4).
//!
//! A deputy, and whoever was handed a request, votes as themself: with the own name, sign-in and eligibility, and with
//! nothing of whom they stand in for. So nobody's eligibility is lent, and nobody can vote twice. Two things are left:
//! - who asks, owns the agent or stands in the chain could have somebody vote in their place: a deputy of such a person
//!   does not approve;
//! - two people who stand in for one another could make one look count as two: of them one approval counts, the first.
//!
//! Neither keeps anybody from refusing or asking: that only narrows.

use policy_core::abi::Eligibility;
use policy_core::entity::EntityRef;
use policy_core::lifecycle::{Exception, Vote};
use policy_core::sabotaged;
use policy_core::time::Timestamp;

use super::standing::Routing;
use super::told::Parties;
use crate::app::App;
use crate::app::refusal::Refusal;

impl App {
    /// Whether a person may approve, as far as hand-overs and deputies are concerned.
    ///
    /// # Errors
    /// `deputy_of_party`; `seat_taken`.
    pub(in crate::app) fn hold_seat(
        &self,
        exception: &Exception,
        person: &EntityRef,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let parties = self.parties(exception, now);
        let state = self.state();
        // INVARIANT (R4): separation of duty holds for the absent person as it does for the deputy.
        if deputy_of_party(&state.routing, &parties, exception, person, now) {
            return Err(Refusal::forbidden(
                "deputy_of_party",
                "you stand in for somebody who asks, owns the agent or stands in the chain",
            )
            .help("somebody else decides this one; you may refuse it, or ask"));
        }
        let request = &exception.request;
        let mates = state.routing.seat_mates(&request.id, person, request.requested_at, now);
        // INVARIANT (R4): two people on one seat are one vote.
        if approvals(exception).any(|approver| mates.contains(approver)) {
            return Err(Refusal::conflict(
                "seat_taken",
                "whom you stand in for, or who handed this to you, has approved it: the two of you count once",
            )
            .help("somebody else decides this one; you may refuse it, or ask"));
        }
        Ok(())
    }

    /// The same for the votes that are counted: what became of the seats since they were cast. Who votes now is held
    /// against [`Self::hold_seat`], and may refuse whatever became of the own approval.
    pub(in crate::app) fn count_seats(
        &self,
        exception: &Exception,
        voter: Option<&EntityRef>,
        eligible: &mut [Eligibility],
        now: Timestamp,
    ) {
        let parties = self.parties(exception, now);
        let state = self.state();
        let (request, routing) = (&exception.request, &state.routing);
        let mut seated: Vec<&EntityRef> = Vec::new();
        for person in approvals(exception) {
            let mates = routing.seat_mates(&request.id, person, request.requested_at, now);
            let taken = seated.iter().any(|before| mates.contains(*before));
            if taken || deputy_of_party(routing, &parties, exception, person, now) {
                let theirs = |answer: &&mut Eligibility| answer.person == *person && Some(person) != voter;
                for answer in eligible.iter_mut().filter(theirs) {
                    answer.eligible = false;
                }
            } else {
                seated.push(person);
            }
        }
    }

    /// The same for those who confirm an exception after a restore: of two on one seat the first counts, and no deputy of
    /// somebody whose own it is. `by` confirms now.
    pub(in crate::app) fn count_confirming_seats(
        &self,
        exception: &Exception,
        by: &EntityRef,
        eligible: &mut [Eligibility],
        now: Timestamp,
    ) {
        let parties = self.parties(exception, now);
        let state = self.state();
        let (request, routing) = (&exception.request, &state.routing);
        let given = exception.unconfirmed.iter().flat_map(|unconfirmed| &unconfirmed.confirmations);
        let mut seated: Vec<&EntityRef> = Vec::new();
        for person in given.map(|given| &given.by).chain(std::iter::once(by)) {
            let mates = routing.seat_mates(&request.id, person, request.requested_at, now);
            // INVARIANT (R4): two people on one seat confirm once.
            let taken = seated.iter().any(|before| mates.contains(*before));
            if taken || deputy_of_party(routing, &parties, exception, person, now) {
                for answer in eligible.iter_mut().filter(|answer| answer.person == *person) {
                    answer.eligible = false;
                }
            } else {
                seated.push(person);
            }
        }
    }
}

fn deputy_of_party(
    routing: &Routing,
    parties: &Parties,
    exception: &Exception,
    person: &EntityRef,
    now: Timestamp,
) -> bool {
    let since = exception.request.requested_at;
    !sabotaged!("r4_deputy_of_party") && routing.absent_for(person, since, now).any(|absent| parties.contain(absent))
}

/// Who has approved what stands now, in the order of the votes: the current version, or one that it lies inside.
fn approvals(exception: &Exception) -> impl Iterator<Item = &EntityRef> {
    let current = exception.current().map_or(0, |version| version.number);
    let counts = move |vote: &&Vote| vote.stands_for_it() && (vote.version == current || vote.inside);
    exception.votes.iter().filter(counts).map(|vote| &vote.person)
}
