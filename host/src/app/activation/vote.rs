//! Voting on a proposal. The last vote that it takes and the activation are one transaction.

use std::sync::Arc;

use policy_core::abi::Voter;
use policy_core::console::Act;
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::lifecycle::VoteDecision;
use policy_core::presence::{Presence, Proof, SignedAct};
use policy_core::sabotaged;
use policy_core::time::Timestamp;
use proviso_api::activation::{ActivationReply, BundleVoteRequest};
use tokio::task::spawn_blocking;

use super::event::{ActivatedBy, PolicyEvent};
use super::fold::Standing;
use super::propose::{hold_reason, stale};
use crate::app::App;
use crate::app::append::{ATTEMPTS, contended};
use crate::app::console::About;
use crate::app::event::LedgerEvent;
use crate::app::passkeys::Decided;
use crate::app::policy::Policy;
use crate::app::refusal::Refusal;
use crate::app::state::State;
use crate::identity::PersonSession;
use crate::store::{AppendError, NewRecord, VersionKey};

impl App {
    /// Votes for a bundle, or against it. It is active when as many are for it as it takes.
    ///
    /// # Errors
    /// `unknown_proposal`; `stale_list` for another list than the one that stands, or when another bundle became
    /// active; `proposal_refused`; `presence_needed`, and what is wrong with a signature; `own_change`,
    /// `not_the_proposer`, `departed` and `locked` for whose vote does not count; `not_permitted_here`;
    /// `single_user_required`.
    pub async fn vote_on_bundle(
        &self,
        person: &PersonSession,
        bundle: &Digest,
        body: BundleVoteRequest,
        activates: bool,
    ) -> Result<ActivationReply, Refusal> {
        self.hold_session(person)?;
        self.hold_some(person, &[Act::Activate], &About::GATE).await?;
        hold_reason(&body.reason)?;
        let about = bundle.to_string();
        let decided = Decided { act: SignedAct::Activate, about: &about, shown: body.list, reason: &body.reason };
        // A vote against it changes nothing: for that a session will do.
        let signature = body.signature.as_ref().filter(|_| activates);
        let there = self.signed_act(person, decided, signature).await?;
        for _ in 0..ATTEMPTS {
            if let Some(used) = there.used() {
                self.hold_counter(used).await?;
            }
            let now = self.now();
            let (standing, counting, expected) = {
                let state = self.state();
                self.still_stands(&state, person, now)?;
                let standing = self.open_proposal(&state, person, bundle, &body.list, now)?;
                let counting = self.who_counts(&state, &standing, now);
                there.hold(self, &state, (VoteDecision::Approve, None), now)?;
                let passkey = there.used().map(|used| used.version(&state));
                let expected: Vec<_> = read_by_a_vote(&state, person).into_iter().chain(passkey).collect();
                (standing, counting, expected)
            };
            // INVARIANT (R4): as they are signed in now: what was a fresh authentication may have been spent since.
            let person = &there.voter(self, self.as_it_stands(person, now)?);
            let voter = Voter::new(person.person.clone(), person.assurance.clone());
            // INVARIANT (R4): a bundle decides on all tiers, so that the strongest of them says what it takes.
            let demanded = if activates { self.policy().acts_presence() } else { Presence::Session };
            let proof = there.demanded(self, &self.state(), (person, demanded), now)?;
            let vote = self.bundle_vote(&standing, &voter, (activates, &body.reason), (demanded, proof), now)?;
            if !activates {
                match self.store().append(expected, vec![vote]).await {
                    Ok(_) => return Ok(self.activation_reply(&standing, "refused", 0, Vec::new())),
                    Err(AppendError::Conflict(_)) => continue,
                    Err(AppendError::Unavailable) => return Err(Refusal::record_unavailable()),
                }
            }
            if !counting.contains(&voter.person) {
                let detail = "who proposes a change does not vote for it while two others may";
                return Err(Refusal::forbidden("not_the_proposer", detail));
            }
            // INVARIANT (R4): those who voted before still may, by the bundle that is active now.
            let earlier = standing.votes.iter().filter(|vote| vote.presence >= demanded);
            let earlier = earlier.map(|vote| vote.voter.clone());
            let earlier = earlier.filter(|other| other.person != voter.person && counting.contains(&other.person));
            let voters: Vec<Voter> = earlier.chain([voter.clone()]).collect();
            let (people, demanded) = self.still_activate(&voters, now).await?;
            let needs = Self::needs(&standing, demanded);
            let enough =
                u32::try_from(people.len()).is_ok_and(|count| count >= needs) || sabotaged!("r4_one_activates");
            let _one = self.0.activating.lock().await;
            let mut records = vec![vote];
            if enough && people.contains(&voter.person) {
                records.push(match standing.fact.other_module {
                    None => self.activated(&standing, &people, now).await?,
                    Some(module) => self.module_activated(&standing, module, &people, now)?,
                });
            }
            let becomes = records.len() > 1;
            records.extend(self.sign_in_used(&self.state(), person, (&about, true), now)?);
            if let Some(used) = there.used().and_then(|used| used.event(now)) {
                records.push(self.ledger(now, &LedgerEvent::Identity(used))?);
            }
            match self.store().append(expected, records).await {
                Ok(_) => {
                    let state = if becomes { "active" } else { "waiting" };
                    return Ok(self.activation_reply(&standing, state, needs, people));
                }
                Err(error) => {
                    if becomes {
                        self.load_active_again().await;
                    }
                    if error == AppendError::Unavailable {
                        return Err(Refusal::record_unavailable());
                    }
                }
            }
        }
        Err(contended())
    }

    /// The proposal that this person can vote on, by the list that they saw.
    fn open_proposal(
        &self,
        state: &State,
        person: &PersonSession,
        bundle: &Digest,
        list: &Digest,
        now: Timestamp,
    ) -> Result<Standing, Refusal> {
        let standing = state.proposals.get(bundle).ok_or_else(unknown_proposal)?;
        // INVARIANT (R4): a vote is for what was looked at, and what was looked at is what stands.
        if standing.fact.list != *list && !sabotaged!("r4_vote_for_another_list") {
            return Err(stale("that is not the list of what this bundle changes"));
        }
        if !self.is_current(state, standing) && !sabotaged!("r4_stale_list_activates") {
            return Err(stale("another bundle is active since that list was made"));
        }
        if standing.is_refused() {
            return Err(Refusal::conflict("proposal_refused", "somebody is against that proposal"));
        }
        match self.why_not(state, standing, &person.person, now) {
            None => Ok(standing.clone()),
            Some("own_change") => {
                let detail = "the change says something else of you: what you are, what you are in, or what is yours";
                Err(Refusal::forbidden("own_change", detail))
            }
            Some(code) => Err(Refusal::forbidden(code, "your vote on it does not count")),
        }
    }

    fn bundle_vote(
        &self,
        standing: &Standing,
        voter: &Voter,
        (activates, reason): (bool, &str),
        (presence, proof): (Presence, Proof),
        now: Timestamp,
    ) -> Result<NewRecord, Refusal> {
        let event = PolicyEvent::ActivationVoted {
            bundle: standing.fact.digest(),
            list: standing.fact.list,
            by: voter.person.clone(),
            assurance: voter.assurance.clone(),
            activates,
            reason: reason.to_owned(),
            presence,
            proof: Box::new(proof),
            at: now,
        };
        self.ledger(now, &LedgerEvent::Policy(event))
    }

    /// Makes everything ready for the bundle, and its record.
    async fn activated(&self, standing: &Standing, people: &[EntityRef], now: Timestamp) -> Result<NewRecord, Refusal> {
        let policy = self.proposed_policy(standing).await?;
        let loaded = self.engine().load(policy.load()).await;
        if !loaded.is_ok_and(|loaded| loaded.bundle == policy.digest()) {
            self.load_active_again().await;
            return Err(Refusal::conflict("module_unusable", "the policy module does not take the bundle"));
        }
        self.know_administrators_of(&policy).await;
        self.folded().prepare(Arc::clone(&policy));
        let before = self.state().activation().cloned();
        let by = people.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let people = activated_by(standing, standing.fact.base, people);
        self.activation_record(&policy, before.as_ref(), (by, standing.reason.clone(), Some(people)), now)
    }

    /// The record that the next start may run another module.
    fn module_activated(
        &self,
        standing: &Standing,
        module: Digest,
        people: &[EntityRef],
        now: Timestamp,
    ) -> Result<NewRecord, Refusal> {
        let people = Box::new(activated_by(standing, standing.fact.module, people));
        let event = PolicyEvent::ModuleActivated { module, people, reason: standing.reason.clone(), at: now };
        self.ledger(now, &LedgerEvent::Policy(event))
    }

    /// The bundle of a proposal, as the record holds it.
    async fn proposed_policy(&self, standing: &Standing) -> Result<Arc<Policy>, Refusal> {
        let lost = || Refusal::conflict("unknown_proposal", "the proposal's bundle cannot be read from the record");
        let files = self.files_on_record(standing.seq).map_err(|error| self.unreadable(&error))?.ok_or_else(lost)?;
        let policy = spawn_blocking(move || Policy::read(&files)).await.map_err(|_| lost())?.map_err(|_| lost())?;
        // INVARIANT (R4, R9): what becomes active is what was voted on, by its digest.
        if policy.digest() != standing.fact.bundle {
            return Err(lost());
        }
        Ok(Arc::new(policy))
    }

    /// Has the module hold the active bundle as the newest: what was not activated may go first.
    async fn load_active_again(&self) {
        if let Err(error) = self.engine().load(self.policy().load()).await {
            tracing::error!(%error, "the module does not take the active bundle again");
        }
    }

    fn activation_reply(
        &self,
        standing: &Standing,
        state: &str,
        needs: u32,
        people: Vec<EntityRef>,
    ) -> ActivationReply {
        let (state, bundle) = (state.to_owned(), standing.fact.digest());
        ActivationReply { state, bundle, needs, people, position: self.position() }
    }
}

fn activated_by(standing: &Standing, from: Digest, people: &[EntityRef]) -> ActivatedBy {
    ActivatedBy {
        from,
        list: standing.fact.list,
        proposed_by: standing.by.clone(),
        people: people.to_vec(),
        narrower: standing.fact.narrower,
    }
}

/// The versions of all that decides whether a vote counts.
fn read_by_a_vote(state: &State, person: &PersonSession) -> Vec<(VersionKey, u64)> {
    let keys = [
        VersionKey::Bundle,
        VersionKey::Proposals,
        VersionKey::Locks,
        VersionKey::Ownership,
        VersionKey::Members,
        VersionKey::Identity(person.id.clone()),
    ];
    keys.map(|key| state.version(key)).into_iter().chain(state.page_of(&person.id)).collect()
}

/// Nobody proposed that.
pub(super) fn unknown_proposal() -> Refusal {
    Refusal::not_found("unknown_proposal", "no bundle of that digest is proposed")
}
