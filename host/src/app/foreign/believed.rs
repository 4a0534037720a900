//! From an issuer's words to the bundle's: who acts, in which task, for whom. What is not mapped is nobody.

use policy_core::entity::EntityRef;
use policy_core::sabotaged;
use policy_core::text;
use policy_core::time::{Span, Timestamp};

use super::seen::{credential_id, token_seen};
use crate::app::App;
use crate::app::append::{Proposal, canonical};
use crate::app::event::LedgerEvent;
use crate::app::identities::{hold_chain, of_earlier_epoch};
use crate::app::refusal::{Refusal, RefusalKind};
use crate::app::state::State;
use crate::identity::{
    AgentCredential, COUNTS, Credential, IdentityEvent, PointCredential, Said, TokenFacts, TokenSeen,
    VerifiedCredential,
};
use crate::store::VersionKey;
use crate::trust::{Party, VerifiedToken};

/// So long before its end a record of a credential is made anew: longer than any call waits.
const EARLY: Span = Span::from_seconds(600);
const NO_WORKLOAD: &str = "the token's subject is a person, and no agent acts for them in it";

impl App {
    /// Believes what a verified token says, as far as the bundle and the record let it: once that is recorded.
    pub(super) async fn believe(&self, token: VerifiedToken, now: Timestamp) -> Result<Credential, Refusal> {
        let facts = self.facts_of(&token)?;
        let seen = token_seen(self.keys(), &token);
        let epoch = {
            let state = self.state();
            let epoch = state.epochs.last().map(|(position, epoch)| (*position, epoch.at));
            // INVARIANT (R7): what was ended after the backup was made is not known any more, so a token of before the
            // restore opens nothing.
            if epoch.is_some_and(|(_, at)| token.issued_at < at) {
                return Err(of_earlier_epoch());
            }
            epoch.map(|(position, _)| position)
        };
        let parties: Vec<Party> = std::iter::once(&token.actor).chain(&token.behind).cloned().collect();
        let says = canonical(&serde_json::json!({
            "issuer": token.issuer, "parties": parties, "facts": facts, "epoch": epoch,
        }))?;
        let id = credential_id(self.keys(), &says);
        let said = Said::of(&token.issuer, &parties, &facts);
        self.hold_not_ended(&self.state(), &said, &seen)?;
        let credential = VerifiedCredential {
            id: id.clone(),
            issuer: token.issuer.clone(),
            parties,
            facts: facts.clone(),
            unread: token.unread.iter().map(|name| text::visible(name, 80)).collect(),
            token: seen.clone(),
            seen_at: now,
            counts_until: now.plus(COUNTS),
        };
        self.note_verified(credential, now).await?;
        credential_of(id, facts, token.issuer, seen).ok_or_else(|| forbidden("not_a_workload", NO_WORKLOAD))
    }

    /// Records a credential that is new, or whose record will soon not count any more.
    async fn note_verified(&self, credential: VerifiedCredential, now: Timestamp) -> Result<(), Refusal> {
        let known = |state: &State| match state.registry.find(&credential.id, now) {
            Some((held, "live")) => Ok(now.plus(EARLY) < held.expires_at),
            Some((_, "revoked")) => Err(credential_ended()),
            _ => Ok(false),
        };
        if known(&self.state())? {
            return Ok(());
        }
        // Whoever shows many of them pays for it as for evaluations.
        let _turn = match &credential.facts {
            TokenFacts::Agent { subject, task, build, .. } => {
                let turn = self.turn_of(subject, task).await?;
                self.room_for_credential(subject, task).await?;
                // INVARIANT (R3): before the credential is known, so that whoever goes away in between leaves it to be done
                // for the next who comes.
                self.suspend_of(subject, build.as_deref()).await?;
                Some(turn)
            }
            TokenFacts::EnforcementPoint { .. } | TokenFacts::Approver { .. } => None,
        };
        let event =
            LedgerEvent::Identity(IdentityEvent::CredentialVerified { credential: Box::new(credential.clone()) });
        self.admit(|state| {
            self.hold_not_ended(state, &credential.said(), &credential.token)?;
            let records = if known(state)? { Vec::new() } else { vec![self.ledger(now, &event)?] };
            let expected = vec![state.version(VersionKey::Identity(credential.id.clone()))];
            Ok(Proposal { expected, records, answer: () })
        })
        .await
        .map(drop)
    }

    /// What a token says, in the bundle's words.
    fn facts_of(&self, token: &VerifiedToken) -> Result<TokenFacts, Refusal> {
        let alone = token.behind.is_empty();
        if let Some(point) = self.settings().identities.point(&token.actor).filter(|_| alone) {
            let (name, subjects) = (point.name.clone(), point.subjects.clone());
            let (servers, vouches, resource) = (point.servers.clone(), point.vouches, point.resource.clone());
            return Ok(TokenFacts::EnforcementPoint { name, subjects, servers, vouches, resource });
        }
        let subject = self.workload(&token.actor)?;
        let (mut via, mut on_behalf) = (Vec::new(), None);
        for (index, party) in token.behind.iter().enumerate() {
            let entity = self.mapped(party)?;
            let is_last = index + 1 == token.behind.len();
            if self.policy().is_subject(&entity.kind) {
                via.push(entity);
            } else if is_last {
                on_behalf = Some(entity);
            } else {
                return Err(forbidden("chain_unclear", "a person stands between the agents of the token's chain"));
            }
        }
        hold_chain(&subject, &via, on_behalf.is_some()).map_err(|refusal| forbidden(refusal.code, &refusal.detail))?;
        // INVARIANT (R4): the human behind it is one that the bundle knows, so that nobody approves for themselves under
        // a second name.
        if let Some(person) = &on_behalf {
            self.known_person(person).map_err(|refusal| forbidden(refusal.code, &refusal.detail))?;
        }
        // INVARIANT (R3): the task is the issuer's word, or there is none: never the agent's.
        let task = token.task.clone().or_else(|| sabotaged!("r3_any_task").then(|| "any".to_owned()));
        let missing = "the token says no task, and outside of one an agent asks for nothing";
        let task = task.ok_or_else(|| forbidden("task_missing", missing))?;
        // INVARIANT (R11): whatever the issuer calls an agent, wherever it stands in the chain, shows as what it is.
        let agents = std::iter::once(&subject).chain(&via).map(|agent| agent.id.as_str());
        if !agents.chain([task.as_str()]).all(text::is_identifier) {
            return Err(forbidden("bad_name", "the token's task, or an agent of its chain, cannot be a name here"));
        }
        let build = token.build.clone();
        if build.as_ref().is_some_and(|build| !text::is_identifier(build)) {
            return Err(forbidden("bad_name", "the token's build cannot be a name here"));
        }
        Ok(TokenFacts::Agent { subject, task, via, on_behalf, build, resource: None })
    }

    fn workload(&self, party: &Party) -> Result<EntityRef, Refusal> {
        let entity = self.mapped(party)?;
        if self.policy().is_subject(&entity.kind) {
            return Ok(entity);
        }
        Err(forbidden("not_a_workload", NO_WORKLOAD))
    }

    fn mapped(&self, party: &Party) -> Result<EntityRef, Refusal> {
        self.policy().config().entity_of(&party.issuer, &party.subject).ok_or_else(|| {
            let (subject, issuer) = (text::visible(&party.subject, 80), text::visible(&party.issuer, 80));
            forbidden("subject_not_mapped", &format!("the bundle does not say who `{subject}` of `{issuer}` is"))
        })
    }

    fn hold_not_ended(&self, state: &State, said: &Said, token: &TokenSeen) -> Result<(), Refusal> {
        let ended = state.registry.is_ended(said) || state.registry.is_token_ended(&token.token);
        if ended && !sabotaged!("r7_ended_token_believed") { Err(credential_ended()) } else { Ok(()) }
    }
}

/// As use cases see a caller. Nobody approves by a token.
fn credential_of(token: String, facts: TokenFacts, issuer: String, seen: TokenSeen) -> Option<Credential> {
    let proof = Some(seen);
    match facts {
        TokenFacts::Agent { subject, task, via, on_behalf, build, resource } => {
            let agent = AgentCredential { token, subject, task, via, on_behalf, build, resource, issuer, proof };
            Some(Credential::Agent(agent))
        }
        TokenFacts::EnforcementPoint { name, subjects, servers, vouches, resource } => {
            Some(Credential::EnforcementPoint(PointCredential {
                token,
                name,
                subjects,
                servers,
                vouches,
                resource,
                proof,
            }))
        }
        TokenFacts::Approver { .. } => None,
    }
}

/// An operator ended it here.
pub(super) fn credential_ended() -> Refusal {
    let what = "the operator has ended this credential here";
    Refusal::new(RefusalKind::Unauthenticated, "credential_ended", what)
}

fn forbidden(code: &'static str, detail: &str) -> Refusal {
    Refusal::forbidden(code, detail)
}
