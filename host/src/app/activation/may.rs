//! How many people a bundle takes to be activated, and whose votes count.

use policy_core::abi::Voter;
use policy_core::console::Act;
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::sabotaged;
use policy_core::time::Timestamp;

use super::fold::Standing;
use crate::app::App;
use crate::app::console::About;
use crate::app::refusal::Refusal;
use crate::app::state::State;

/// How many people a change takes that is not proved narrower.
pub(super) const TWO: u32 = 2;

impl App {
    /// Whether an operator of the gate's host may activate a bundle alone, at a start: where fewer than two people could
    /// do it, nobody would; and where everything may be done by one user anyway.
    pub(in crate::app) fn operator_alone(&self) -> bool {
        self.is_one_users(&self.state()) || !self.policy().is_activated_by_people()
    }

    /// Whether all of this gate is one user's: a demo, or one that was started so and at which people never activated
    /// anything. INVARIANT (R4): a flag of this start takes nothing away from people who decided before.
    pub(super) fn is_one_users(&self, state: &State) -> bool {
        let settings = self.settings();
        let by_people = state.activations.iter().any(|(_, one)| one.people.is_some());
        settings.is_demo() || (settings.single_user && !by_people && !state.proposals.module_by_people())
    }

    /// How many people a proposal takes.
    ///
    /// INVARIANT (R4): two for whatever is not proved narrower; and as many as `console/` demands, where that is more.
    pub(super) const fn needs(standing: &Standing, demanded: u32) -> u32 {
        let needs = if standing.fact.narrower { 1 } else { TWO };
        if demanded > needs { demanded } else { needs }
    }

    /// Whose vote would count on this proposal: who may activate by the active bundle, has not left, is not locked, and
    /// is not named by the change; and who proposed it only where without them it would take more people than there are.
    pub(super) fn who_counts(&self, state: &State, standing: &Standing, now: Timestamp) -> Vec<EntityRef> {
        let counts = |person: &EntityRef| self.why_not(state, standing, person, now).is_none();
        let mut all: Vec<EntityRef> = self.policy().activators().into_iter().filter(counts).collect();
        let others = all.iter().filter(|person| **person != standing.by).count();
        // INVARIANT (R4): who proposes a change is no second pair of eyes on it, where there is one.
        if !standing.fact.narrower && others >= 2 && !sabotaged!("r4_proposer_votes") {
            all.retain(|person| *person != standing.by);
        }
        all
    }

    /// Why this person has no say in a proposal, whatever `console/` says: a code.
    pub(super) fn why_not(
        &self,
        state: &State,
        standing: &Standing,
        person: &EntityRef,
        now: Timestamp,
    ) -> Option<&'static str> {
        // INVARIANT (R4): nobody activates a change of what they are themselves.
        if standing.fact.named.contains(person) && !sabotaged!("r4_own_role_activated") {
            return Some("own_change");
        }
        if state.ownership.departed(person).is_some() {
            return Some("departed");
        }
        // INVARIANT (R4): whoever is new for a day decides on no policy either.
        if state.members.new_until(person, now).is_some() {
            return Some("new_person");
        }
        let locked = state.locks_in_force(now).any(|lock| lock.target == lock_of(person));
        locked.then_some("locked")
    }

    /// How many people `console/` takes, by whom may still activate of these. Who may not is left out.
    pub(super) async fn still_activate(
        &self,
        voters: &[Voter],
        now: Timestamp,
    ) -> Result<(Vec<EntityRef>, u32), Refusal> {
        let (mut people, mut demanded) = (Vec::new(), 1);
        for voter in voters {
            let answers = self.may_voter(voter, &[(Act::Activate, About::GATE)], now).await?;
            if let Some(answer) = answers.first().filter(|answer| answer.permitted) {
                people.push(voter.person.clone());
                demanded = demanded.max(answer.persons);
            }
        }
        Ok((people, demanded))
    }

    /// Whether a proposal's list was made against what is active now, on the module that runs.
    pub(super) fn is_current(&self, state: &State, standing: &Standing) -> bool {
        let active: Option<Digest> = state.activation().map(|activation| activation.bundle);
        let runs = self.engine().module();
        // The one that runs is proposed to take back another that was agreed to.
        let other = |module| module != runs || state.proposals.next_module().is_some();
        let other = standing.fact.other_module.is_none_or(other);
        active == Some(standing.fact.base) && standing.fact.module == self.engine().module() && other
    }
}

fn lock_of(person: &EntityRef) -> policy_core::question::LockTarget {
    policy_core::question::LockTarget::Person(person.clone())
}
