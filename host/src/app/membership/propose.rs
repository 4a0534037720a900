//! What one administrator begins: an invitation, or the linking of an account.

use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::text;
use policy_core::time::{Span, Timestamp};
use proviso_api::people::{InviteRequest, LinkAccountRequest, ProposalReply};

use super::administrators::{hold_known, hold_other};
use super::event::{MembershipEvent, Proposal, Proposed};
use super::links::{DrawnLink, enrolled_already};
use super::members::INVITED_FOR;
use crate::app::App;
use crate::app::limits::Often;
use crate::app::ownership::hold_present;
use crate::app::refusal::{Refusal, RefusalKind};
use crate::app::state::State;
use crate::app::stops::check_reason;
use crate::identity::PersonSession;

/// How long a proposal waits for the second yes.
const WAITS_FOR: Span = Span::from_seconds(7 * 86_400);
/// How many may wait at once.
const MOST_WAITING: usize = 100;

impl App {
    /// Invites somebody who was never here. The link comes with the reply where nobody else has to agree.
    ///
    /// # Errors
    /// `not_permitted_here`; `own_person`; `unknown_person`, `departed_person`; `enrolled_already`; `proposed_already`;
    /// `too_many_proposals`; `reason_needed`; `bundle_changed`; `too_often`.
    pub async fn invite(&self, person: &PersonSession, request: &InviteRequest) -> Result<ProposalReply, Refusal> {
        let judged_by = self.policy().digest();
        let persons = self.hold_administrator(person).await?;
        check_reason(&request.reason, "an invitation")?;
        let invited = EntityRef::new(self.policy().person_type(), &request.user);
        hold_other(&person.person, &invited)?;
        self.known_person(&invited)?;
        // INVARIANT (R4): whom policy could ever let vote, or say who else does, no administrator lets in alone.
        let takes_two = persons > 1 || self.weighs(&invited).await;
        let takes_two = takes_two && !policy_core::sabotaged!("r4_invited_by_one");
        let link = match takes_two {
            true => None,
            // INVARIANT (R4): what an agent could have begun itself votes for nobody.
            false => {
                let by = (person.person.to_string(), self.settings().operator.uid);
                Some(self.draw_link(&invited, (&by.0, by.1), INVITED_FOR, person.same_user)?)
            }
        };
        let what = Proposed::Invitation { person: invited };
        self.propose(person, what, (&request.reason, takes_two), link.as_ref(), judged_by).await
    }

    async fn weighs(&self, person: &EntityRef) -> bool {
        // What groups a provider will bring nobody knows before.
        if self.ways().providers.iter().any(|way| way.groups.is_some()) {
            return true;
        }
        let (app, person) = (self.clone(), person.clone());
        // It may be thousands of questions, and nobody waits behind them.
        tokio::task::spawn_blocking(move || app.policy().weighs(&person)).await.unwrap_or(true)
    }

    /// Proposes that an account of a provider is a person's way in. Another administrator has to agree.
    ///
    /// # Errors
    /// `not_permitted_here`; `single_user_required`; `own_person`; `unknown_provider`; `unknown_person`, `not_enrolled`;
    /// `account_of_another`, `linked_already`; `proposed_already`; `too_many_proposals`; `reason_needed`;
    /// `bundle_changed`; `too_often`.
    pub async fn propose_account(
        &self,
        person: &PersonSession,
        user: &str,
        request: &LinkAccountRequest,
    ) -> Result<ProposalReply, Refusal> {
        let judged_by = self.policy().digest();
        self.hold_administrator(person).await?;
        // INVARIANT (R4): what an agent could have signed in itself makes nobody another way in.
        self.hold_session(person)?;
        check_reason(&request.reason, "linking an account")?;
        let of = EntityRef::new(self.policy().person_type(), user);
        hold_other(&person.person, &of)?;
        let way = self.ways().find(&request.provider).ok_or_else(|| {
            Refusal::bad("unknown_provider", "this gate knows no such provider").help("take it from the sign-in page")
        })?;
        let subject = request.subject.trim();
        if subject.is_empty() || subject.len() > 255 || !subject.is_ascii() {
            return Err(Refusal::bad("bad_account", "an account's `sub` has 1 to 255 characters of ASCII"));
        }
        let what = Proposed::Account {
            person: of,
            provider: way.name.clone(),
            issuer: way.issuer.clone(),
            subject: subject.to_owned(),
        };
        self.propose(person, what, (&request.reason, true), None, judged_by).await
    }

    async fn propose(
        &self,
        by: &PersonSession,
        what: Proposed,
        (reason, takes_two): (&str, bool),
        link: Option<&DrawnLink>,
        judged_by: Digest,
    ) -> Result<ProposalReply, Refusal> {
        let now = self.now();
        let id = self.member_id("prp")?;
        let proposal = Proposal {
            id: id.clone(),
            what,
            by: by.person.clone(),
            reason: text::visible(reason, 2_000),
            takes_two,
            until: now.plus(WAITS_FOR),
            same_user: by.same_user,
            link: link.map(|link| link.id().to_owned()),
        };
        let slot = self.slot(Often::Members, &by.person)?;
        self.admit(|state| {
            self.still_stands(state, by, now)?;
            hold_known(state, &by.person, now)?;
            // INVARIANT (R4): whether one may let them in alone was asked of the bundle that is still active.
            if self.policy().digest() != judged_by {
                return Err(bundle_changed());
            }
            self.hold_proposed(state, &proposal.what)?;
            hold_room(state, &proposal.what, now)?;
            let mut records = Vec::new();
            if let Some(link) = link {
                records.push(self.link_record(link)?);
            }
            let event = MembershipEvent::ProposalMade { proposal: Box::new(proposal.clone()), at: now };
            records.push(self.member_record(event)?);
            Ok(Self::member_proposal(state, Some(by), records, ()))
        })
        .await?;
        slot.spent();
        self.proposal_reply(by, &id, link)
    }

    /// The proposal as it stands, with the link that was made for it.
    pub(super) fn proposal_reply(
        &self,
        person: &PersonSession,
        id: &str,
        link: Option<&DrawnLink>,
    ) -> Result<ProposalReply, Refusal> {
        let now = self.now();
        let state = self.state();
        let held = state.members.proposal(id).ok_or_else(unknown_proposal)?;
        Ok(ProposalReply {
            proposal: self.member_proposal_line(&state, held, &person.person, now),
            link: link.map(|link| self.link_address(link)),
            link_expires_at: link.map(DrawnLink::expires_at),
        })
    }

    /// Whether this can still be done, whoever wants it.
    pub(super) fn hold_proposed(&self, state: &State, what: &Proposed) -> Result<(), Refusal> {
        hold_present(state, what.person())?;
        if !self.policy().people().contains(what.person()) {
            return Err(Refusal::bad("unknown_person", "that is no person of the active bundle"));
        }
        let enrolled = state.members.enrolled(what.person()).is_some();
        let Proposed::Account { person, provider, issuer, subject } = what else {
            return if enrolled { Err(enrolled_already()) } else { Ok(()) };
        };
        if !enrolled {
            return Err(Refusal::conflict("not_enrolled", "that person was never here"));
        }
        let mapped = self.ways().find(provider).and_then(|way| way.people.get(subject));
        let linked = state.members.linked(issuer, subject).map(|linked| &linked.person);
        let owner = state.registry.person_of(issuer, subject);
        // INVARIANT (R4): an account is one person's for good: nobody votes as two by one, and no two as one.
        let another = mapped.is_some_and(|user| *user != person.id) || owner.is_some_and(|owner| owner != person);
        if another {
            return Err(Refusal::conflict("account_of_another", "that account is another person's"));
        }
        if linked.is_some() || mapped.is_some() {
            return Err(Refusal::conflict("linked_already", "that account is this person's already"));
        }
        Ok(())
    }
}

/// One proposal for each person and account, and no flood of them.
fn hold_room(state: &State, what: &Proposed, now: Timestamp) -> Result<(), Refusal> {
    let open = || state.members.proposals().filter(|held| ["waits", "agreed"].contains(&held.state(now)));
    let same = |other: &Proposed| match (what, other) {
        (Proposed::Invitation { person }, Proposed::Invitation { person: other }) => person == other,
        (
            Proposed::Account { issuer, subject, .. },
            Proposed::Account { issuer: other_issuer, subject: other_subject, .. },
        ) => issuer == other_issuer && subject == other_subject,
        _ => false,
    };
    // One whose account was linked and unlinked since is over.
    let stands = |held: &&super::members::HeldProposal| match &held.proposal.what {
        Proposed::Account { .. } => held.state(now) == "waits",
        Proposed::Invitation { .. } => true,
    };
    if open().filter(stands).any(|held| same(&held.proposal.what)) {
        return Err(Refusal::conflict("proposed_already", "that was proposed already, and is under way"));
    }
    if open().filter(|held| held.state(now) == "waits").count() >= MOST_WAITING {
        let what = format!("{MOST_WAITING} proposals wait already");
        return Err(Refusal::new(RefusalKind::TooMany, "too_many_proposals", what));
    }
    Ok(())
}

/// What was asked of policy was asked of another bundle.
pub(super) fn bundle_changed() -> Refusal {
    Refusal::conflict("bundle_changed", "another bundle became active meanwhile")
}

pub(super) fn unknown_proposal() -> Refusal {
    Refusal::not_found("unknown_member_proposal", "there is no such proposal")
}
