//! The people of the gate as a page shows them.

use policy_core::abi::Voter;
use policy_core::console::Act;
use policy_core::entity::EntityRef;
use policy_core::text;
use policy_core::time::Timestamp;
use proviso_api::people::{AccountLine, Member, MemberDetail, PeopleReply, ProposalKind, ProposalLine};

use super::event::Proposed;
use super::members::HeldProposal;
use crate::app::App;
use crate::app::console::About;
use crate::app::refusal::Refusal;
use crate::app::state::State;
use crate::identity::PersonSession;

/// How many people and proposals one page holds.
const MOST_PEOPLE: usize = 500;
const MOST_PROPOSALS: usize = 100;

impl App {
    /// Everybody, what administrators have begun, and a recovery under way: for who looks after people or reads the record.
    ///
    /// # Errors
    /// `not_permitted_here`.
    pub async fn people_seen_by(&self, person: &PersonSession) -> Result<PeopleReply, Refusal> {
        self.hold_looks_at_people(person).await?;
        let now = self.now();
        let state = self.state();
        let mut people = self.policy().people();
        // Whoever left and whom the bundle forgot is still somebody of the record.
        people.extend(state.ownership.all_departed().map(|(person, _)| person.clone()));
        people.sort();
        people.dedup();
        let more = people.len().saturating_sub(MOST_PEOPLE);
        people.truncate(MOST_PEOPLE);
        let mut proposals: Vec<&HeldProposal> = state.members.proposals().collect();
        proposals.sort_by(|a, b| (b.at, &b.proposal.id).cmp(&(a.at, &a.proposal.id)));
        let lines = proposals.into_iter().take(MOST_PROPOSALS);
        Ok(PeopleReply {
            now,
            position: state.position,
            administrators: self.administrators_here(&state),
            has_console: self.policy().has_console(),
            people: people.iter().map(|person| self.member(&state, person, now)).collect(),
            more: u64::try_from(more).unwrap_or(u64::MAX),
            proposals: lines.map(|held| self.member_proposal_line(&state, held, &person.person, now)).collect(),
            recovery: self.recovery_line(&state, now),
        })
    }

    /// One person: what the bundle lets them do, where they are signed in, and by what accounts they come.
    ///
    /// # Errors
    /// `not_permitted_here` for anybody but the own; `unknown_person`.
    pub async fn member_seen_by(&self, person: &PersonSession, user: &str) -> Result<MemberDetail, Refusal> {
        let of = EntityRef::new(self.policy().person_type(), user);
        if person.person != of {
            self.hold_looks_at_people(person).await?;
        }
        let known = self.policy().people().contains(&of) || self.state().ownership.departed(&of).is_some();
        if !known {
            let shown = text::visible(user, 80);
            return Err(Refusal::not_found("unknown_person", format!("nobody here is called `{shown}`")));
        }
        let sessions = self.sessions_as_operator(Some(user)).map(|list| list.sessions).unwrap_or_default();
        let assurance = self.policy().step_ups().last().cloned().unwrap_or_default();
        let may = self.may_anywhere_as(&Voter::new(of.clone(), assurance)).await;
        let now = self.now();
        let state = self.state();
        let mut accounts: Vec<AccountLine> = self
            .ways()
            .providers
            .iter()
            .flat_map(|way| way.people.iter().map(move |(subject, user)| (way, subject, user)))
            .filter(|(_, _, mapped)| **mapped == of.id)
            .map(|(way, subject, _)| AccountLine {
                provider: way.name.clone(),
                subject: subject.clone(),
                linked_at: None,
                linked_by: Vec::new(),
            })
            .collect();
        accounts.extend(state.members.accounts_of(&of).map(|(_, subject, linked)| AccountLine {
            provider: linked.provider.clone(),
            subject: subject.to_owned(),
            linked_at: Some(linked.at),
            linked_by: linked.by.clone(),
        }));
        Ok(MemberDetail { now, member: self.member(&state, &of, now), may, accounts, sessions })
    }

    async fn hold_looks_at_people(&self, person: &PersonSession) -> Result<(), Refusal> {
        let asked = [(Act::Administer, About::GATE), (Act::ViewRecord, About::GATE)];
        let answers = self.may_each(person, &asked, self.now()).await?;
        if answers.iter().any(|answer| answer.permitted) {
            return Ok(());
        }
        self.hold_act(person, Act::ViewRecord, &About::GATE).await
    }

    fn member(&self, state: &State, person: &EntityRef, now: Timestamp) -> Member {
        let enrolled = state.members.enrolled(person);
        let open = state.registry.open_sessions(now).filter(|open| open.facts.person == *person);
        let open = open.filter(|open| !self.is_idle(&open.facts.session(now), open.at, now));
        Member {
            person: person.clone(),
            groups: self.policy().groups_of(person),
            administrator: self.policy().administrators(now).contains(person),
            enrolled_at: enrolled.map(|enrolled| enrolled.at),
            new_until: state.members.new_until(person, now),
            departed_at: state.ownership.departed(person),
            sessions: u64::try_from(open.count()).unwrap_or(u64::MAX),
        }
    }

    pub(super) fn member_proposal_line(
        &self,
        state: &State,
        held: &HeldProposal,
        reader: &EntityRef,
        now: Timestamp,
    ) -> ProposalLine {
        let proposal = &held.proposal;
        let (kind, account) = match &proposal.what {
            Proposed::Invitation { .. } => (ProposalKind::Invitation, None),
            Proposed::Account { provider, subject, .. } => (ProposalKind::Account, Some((provider, subject))),
        };
        let word = held.state(now);
        let other = proposal.by != *reader && proposal.what.person() != reader;
        ProposalLine {
            id: proposal.id.clone(),
            kind,
            person: proposal.what.person().clone(),
            provider: account.map(|(provider, _)| provider.clone()),
            subject: account.map(|(_, subject)| subject.clone()),
            by: proposal.by.clone(),
            reason: proposal.reason.clone(),
            at: held.at,
            until: proposal.until,
            state: word.to_owned(),
            agreed_by: held.agreed.as_ref().map(|(by, _)| by.clone()),
            you_may_agree: word == "waits" && other && self.is_administrator_here(state, reader),
        }
    }
}
