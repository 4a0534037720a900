//! Links that let somebody in for the first time, or anew: how they are made, and what must hold when one is used.

use policy_core::entity::EntityRef;
use policy_core::sabotaged;
use policy_core::time::{Span, Timestamp};

use super::event::{EnrolledBy, MembershipEvent};
use super::members::{HeldProposal, LinkFor};
use crate::app::App;
use crate::app::append::Proposal as Admission;
use crate::app::event::LedgerEvent;
use crate::app::identities::no_randomness;
use crate::app::refusal::{Refusal, RefusalKind};
use crate::app::settings::Operator;
use crate::app::state::State;
use crate::app::tasks::OPERATOR;
use crate::identity::{IdentityEvent, Secret, SecretKind, Token, TokenFacts};
use crate::random;
use crate::store::{EnrolmentLink, NewRecord, VersionKey};

/// How long the link of the first administrator, or of a recovery, works.
pub(super) const ENROL_WITHIN: Span = Span::from_seconds(15 * 60);

/// A link that is to be recorded.
pub(super) struct DrawnLink {
    secret: Secret,
    token: Token,
}

impl DrawnLink {
    /// Its public id.
    pub(super) fn id(&self) -> &str {
        &self.token.id
    }

    /// Until when it works.
    pub(super) const fn expires_at(&self) -> Timestamp {
        self.token.expires_at
    }
}

impl App {
    /// Draws a link for a person.
    pub(super) fn draw_link(
        &self,
        person: &EntityRef,
        (by, uid): (&str, u32),
        life: Span,
        same_user: bool,
    ) -> Result<DrawnLink, Refusal> {
        let (secret, now) = (self.draw(SecretKind::Link)?, self.now());
        let token = Token {
            id: secret.id().to_owned(),
            hash: secret.hash(self.keys()),
            facts: TokenFacts::Approver { person: person.clone(), session: None },
            minted_at: now,
            expires_at: now.plus(life),
            by: by.to_owned(),
            uid,
            same_user,
            signed: false,
        };
        Ok(DrawnLink { secret, token })
    }

    /// The record that makes it work.
    pub(super) fn link_record(&self, link: &DrawnLink) -> Result<NewRecord, Refusal> {
        let event = IdentityEvent::TokenMinted { token: Box::new(link.token.clone()) };
        self.ledger(self.now(), &LedgerEvent::Identity(event))
    }

    /// The record that ends a link that still works; none for one that does not.
    pub(super) fn end_link(
        &self,
        state: &State,
        link: Option<&str>,
        by: &EntityRef,
    ) -> Result<Option<NewRecord>, Refusal> {
        let now = self.now();
        let live = link.filter(|link| matches!(state.registry.find(link, now), Some((_, "live"))));
        let Some(link) = live else { return Ok(None) };
        let event = IdentityEvent::TokenRevoked { id: link.to_owned(), by: by.to_string(), at: now };
        self.ledger(now, &LedgerEvent::Identity(event)).map(Some)
    }

    /// The address that a browser opens.
    pub(super) fn link_address(&self, link: &DrawnLink) -> String {
        format!("{}/sign-in#{}", self.settings().public_url, link.secret.reveal())
    }

    /// Lays the address into the file that the gate's user alone reads, and tells where it is.
    pub(super) fn lay_link(&self, link: &DrawnLink) -> Result<String, Refusal> {
        EnrolmentLink::write(&self.settings().data, &self.link_address(link)).map_err(|error| {
            tracing::error!(%error, "the link could not be written");
            Refusal::new(RefusalKind::Unavailable, "link_unwritable", "the file of the link could not be written")
        })
    }

    /// A fresh id.
    pub(super) fn member_id(&self, prefix: &str) -> Result<String, Refusal> {
        random::id(self.random(), prefix).map_err(|_| no_randomness())
    }

    /// Whether an agent could be behind what this operator does.
    pub(super) fn is_own_user(&self, by: &Operator) -> bool {
        by.uid == self.settings().operator.uid
    }

    /// Refuses a link of membership that does not stand any more. `before` is who was signed in in the same browser.
    pub(in crate::app) fn hold_link(
        &self,
        state: &State,
        link: &str,
        before: Option<&EntityRef>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        match state.members.link_for(link) {
            None => Ok(()),
            Some(LinkFor::First) => {
                if state.members.first_link() != Some(link) {
                    return Err(void("another link was made since"));
                }
                self.hold_none_here(state)
            }
            Some(LinkFor::Recovery(_)) => {
                let current = state.members.recovery().and_then(|held| held.link.as_deref());
                if current != Some(link) {
                    return Err(void("the recovery was stopped, or another link was made since"));
                }
                self.hold_none_here(state)
            }
            Some(LinkFor::Invitation(id)) => match state.members.proposal(id) {
                Some(held) => self.hold_invitation(state, held, before, now),
                None => Err(void("the invitation is over")),
            },
        }
    }

    fn hold_invitation(
        &self,
        state: &State,
        held: &HeldProposal,
        before: Option<&EntityRef>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if held.state(now) != "agreed" {
            return Err(void("the invitation is over"));
        }
        // INVARIANT (R4): whoever said yes must still be somebody who may.
        let still = |by: &EntityRef| by.kind == OPERATOR || self.is_administrator_here(state, by);
        if !held.behind().all(still) && !sabotaged!("r4_invited_by_who_left") {
            return Err(void("whoever invited is no administrator any more"));
        }
        // INVARIANT (R4): nobody comes in as a second person out of the browser in which they invited.
        if before.is_some_and(|before| held.behind().any(|by| by == before)) {
            let what = "whoever invites somebody is not who comes in";
            return Err(Refusal::forbidden("own_invitation", what));
        }
        if state.members.enrolled(held.proposal.what.person()).is_some() {
            return Err(enrolled_already());
        }
        Ok(())
    }

    /// Refuses what is for a gate without administrators.
    pub(super) fn hold_none_here(&self, state: &State) -> Result<(), Refusal> {
        if self.administrators_here(state).is_empty() || sabotaged!("r4_recovered_beside_another") {
            return Ok(());
        }
        Err(Refusal::conflict("administrator_exists", "an administrator is here"))
    }

    /// What is written when somebody signs in who was not here before, or by a link that ends something.
    pub(in crate::app) fn enrolment(
        &self,
        state: &State,
        person: &EntityRef,
        link: Option<&str>,
        now: Timestamp,
    ) -> Result<Vec<NewRecord>, Refusal> {
        // Without `console/` nobody is let in by anybody but the host's operator.
        if !self.policy().has_console() {
            return Ok(Vec::new());
        }
        let by = match link.and_then(|link| state.members.link_for(link)) {
            Some(LinkFor::First) => EnrolledBy::First,
            Some(LinkFor::Invitation(id)) => EnrolledBy::Invitation(id.clone()),
            Some(LinkFor::Recovery(id)) => EnrolledBy::Recovery(id.clone()),
            None => EnrolledBy::Operator,
        };
        let known = state.members.enrolled(person).is_some_and(|enrolled| enrolled.recorded);
        if known && by == EnrolledBy::Operator {
            return Ok(Vec::new());
        }
        let event = MembershipEvent::PersonEnrolled { person: person.clone(), by, at: now };
        Ok(vec![self.member_record(event)?])
    }

    /// The file is of no use once its link was used.
    pub(in crate::app) fn link_was_used(&self, link: &str) {
        let of_file = matches!(self.state().members.link_for(link), Some(LinkFor::First | LinkFor::Recovery(_)));
        if of_file && let Err(error) = EnrolmentLink::remove(&self.settings().data) {
            tracing::warn!(%error, "the file of a used link could not be removed");
        }
    }

    /// Appends what a link's making comes to.
    pub(super) fn with_link(
        &self,
        state: &State,
        link: &DrawnLink,
        before: Option<&str>,
        (by, event): (&EntityRef, MembershipEvent),
    ) -> Result<Admission<()>, Refusal> {
        let mut records: Vec<NewRecord> = self.end_link(state, before, by)?.into_iter().collect();
        records.extend([self.link_record(link)?, self.member_record(event)?]);
        let mut admission = Self::member_proposal(state, None, records, ());
        admission.expected.extend(before.map(|before| state.version(VersionKey::Identity(before.to_owned()))));
        Ok(admission)
    }
}

/// The link is one of ours, and opens nothing any more.
fn void(why: &str) -> Refusal {
    Refusal::new(RefusalKind::Unauthenticated, "link_void", why)
}

pub(super) fn enrolled_already() -> Refusal {
    Refusal::conflict("enrolled_already", "that person has been here")
}
