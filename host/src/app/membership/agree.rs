//! The second yes, and taking a proposal back.

use policy_core::entity::EntityRef;
use policy_core::sabotaged;
use policy_core::time::{Span, Timestamp};
use proviso_api::people::ProposalReply;

use super::administrators::{hold_known, hold_other};
use super::event::{MembershipEvent, Proposed};
use super::links::DrawnLink;
use super::members::{HeldProposal, INVITED_FOR};
use super::propose::{bundle_changed, unknown_proposal};
use crate::app::App;
use crate::app::refusal::Refusal;
use crate::app::settings::Operator;
use crate::app::state::State;
use crate::app::tasks::OPERATOR;
use crate::identity::PersonSession;

/// How long an administrator who left stands in the operator's way.
const LATELY: Span = Span::from_seconds(7 * 86_400);

/// Who agrees.
#[derive(Clone, Copy)]
enum Second<'a> {
    Administrator(&'a PersonSession),
    Operator(&'a Operator),
}

impl App {
    /// Agrees to what another administrator proposed. An invitation's link comes with the reply, and stands nowhere else.
    ///
    /// # Errors
    /// `not_permitted_here`; `unknown_proposal`; `proposal_over`; `same_person` for who proposed it; `own_person`;
    /// `proposer_gone` where that one is no administrator any more; what proposing it is refused with.
    pub async fn agree(&self, person: &PersonSession, id: &str) -> Result<ProposalReply, Refusal> {
        self.hold_administrator(person).await?;
        let link = self.agree_as_second(Second::Administrator(person), id).await?;
        self.proposal_reply(person, id, link.as_ref())
    }

    /// The host's operator agrees in the place of a second administrator, while there is none.
    ///
    /// # Errors
    /// `second_administrator_exists`; `not_an_invitation`; those of [`Self::agree`].
    pub async fn agree_as(&self, by: &Operator, id: &str) -> Result<(String, Timestamp), Refusal> {
        let link = self.agree_as_second(Second::Operator(by), id).await?;
        let link = link.ok_or_else(not_an_invitation)?;
        Ok((self.link_address(&link), link.expires_at()))
    }

    async fn agree_as_second(&self, second: Second<'_>, id: &str) -> Result<Option<DrawnLink>, Refusal> {
        let now = self.now();
        let (by, same_user) = match second {
            Second::Administrator(person) => (person.person.clone(), person.same_user),
            Second::Operator(by) => (EntityRef::new(OPERATOR, &by.name), self.is_own_user(by)),
        };
        let link = self.link_of(id, &by, same_user)?;
        self.admit(|state| {
            let held = state.members.proposal(id).ok_or_else(unknown_proposal)?;
            match second {
                Second::Administrator(person) => {
                    self.still_stands(state, person, now)?;
                    hold_known(state, &person.person, now)?;
                    self.hold_second(held, person)?;
                    // INVARIANT (R4): the second still may, in the turn in which the yes is admitted.
                    if !self.is_administrator_here(state, &person.person) {
                        return Err(bundle_changed());
                    }
                }
                Second::Operator(_) => self.hold_operator_instead(state, held)?,
            }
            if held.state(now) != "waits" {
                return Err(proposal_over());
            }
            // INVARIANT (R4): both still are who may, when the second says yes.
            if !self.is_administrator_here(state, &held.proposal.by) {
                return Err(Refusal::conflict("proposer_gone", "whoever proposed it is no administrator any more"));
            }
            self.hold_proposed(state, &held.proposal.what)?;
            let mut records = Vec::new();
            if let Some(link) = &link {
                records.push(self.link_record(link)?);
            }
            records.push(self.member_record(MembershipEvent::ProposalAgreed {
                id: id.to_owned(),
                by: by.clone(),
                link: link.as_ref().map(|link| link.id().to_owned()),
                same_user,
                at: now,
            })?);
            let session = match second {
                Second::Administrator(person) => Some(person),
                Second::Operator(_) => None,
            };
            Ok(Self::member_proposal(state, session, records, ()))
        })
        .await?;
        Ok(link)
    }

    /// The link that this comes to; none for an account.
    fn link_of(&self, id: &str, by: &EntityRef, same_user: bool) -> Result<Option<DrawnLink>, Refusal> {
        let held = self.state().members.proposal(id).cloned().ok_or_else(unknown_proposal)?;
        let Proposed::Invitation { person } = &held.proposal.what else { return Ok(None) };
        // INVARIANT (R4): what an agent could have taken part in itself, as the gate's own user, votes for nobody.
        let same_user = same_user || held.same_user;
        let by = (by.to_string(), self.settings().operator.uid);
        self.draw_link(person, (&by.0, by.1), INVITED_FOR, same_user).map(Some)
    }

    fn hold_second(&self, held: &HeldProposal, person: &PersonSession) -> Result<(), Refusal> {
        // INVARIANT (R4): two people, whatever accounts and sessions they come by.
        if held.proposal.by == person.person && !sabotaged!("r4_second_yes_by_the_first") {
            return Err(Refusal::forbidden("same_person", "the second yes is another administrator's"));
        }
        hold_other(&person.person, held.proposal.what.person())?;
        match held.proposal.what {
            Proposed::Account { .. } => self.hold_session(person),
            Proposed::Invitation { .. } => Ok(()),
        }
    }

    /// INVARIANT (R4): the operator is a second one only where there can be no other.
    fn hold_operator_instead(&self, state: &State, held: &HeldProposal) -> Result<(), Refusal> {
        if matches!(held.proposal.what, Proposed::Account { .. }) {
            return Err(not_an_invitation());
        }
        // INVARIANT (R4): that somebody has just left makes no second yes the operator's: one alone can say so.
        let now = self.now();
        let lately = |person: &&EntityRef| {
            let left = state.ownership.departed(person);
            state.members.enrolled(person).is_some() && left.is_none_or(|left| now < left.plus(LATELY))
        };
        let here = self.policy().administrators(now).iter().filter(lately).count();
        if here > 1 && !sabotaged!("r4_operator_agrees") {
            let what = "a second administrator is here, and the yes is theirs";
            return Err(Refusal::conflict("second_administrator_exists", what));
        }
        Ok(())
    }

    /// Takes a proposal back, or refuses it, also one whose link was made and not used. It only narrows: any administrator
    /// does it alone.
    ///
    /// # Errors
    /// `not_permitted_here`; `unknown_proposal`; `proposal_over`; `own_person`.
    pub async fn withdraw(&self, person: &PersonSession, id: &str) -> Result<(), Refusal> {
        self.hold_administrator(person).await?;
        let now = self.now();
        self.admit(|state| {
            self.still_stands(state, person, now)?;
            let held = state.members.proposal(id).ok_or_else(unknown_proposal)?;
            hold_other(&person.person, held.proposal.what.person())?;
            let linked = matches!(held.proposal.what, Proposed::Account { .. }) && held.agreed.is_some();
            if linked || !["waits", "agreed"].contains(&held.state(now)) {
                return Err(proposal_over());
            }
            let link = self.end_link(state, held.proposal.link.as_deref(), &person.person)?;
            let event = MembershipEvent::ProposalWithdrawn { id: id.to_owned(), by: person.person.clone(), at: now };
            let records = link.into_iter().chain([self.member_record(event)?]).collect();
            Ok(Self::member_proposal(state, Some(person), records, ()))
        })
        .await
        .map(drop)
    }
}

fn proposal_over() -> Refusal {
    Refusal::conflict("proposal_over", "it was agreed to, taken back, or has lapsed")
}

fn not_an_invitation() -> Refusal {
    Refusal::bad("not_an_invitation", "the operator agrees to invitations alone")
}
