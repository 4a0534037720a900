//! Filing a request: what it renews, what time it has, and the one record that it becomes.

use policy_core::entity::EntityRef;
use policy_core::lifecycle::{
    Command, Context, Exception, Phase, Rejection, Renewal, RequestFacts, decide, renewal_of,
};
use policy_core::outcome::{Reason, Terms};
use policy_core::sabotaged;
use policy_core::time::Timestamp;

use super::App;
use super::acts::By;
use super::append::{Proposal, canonical};
use super::denial::Again;
use super::event::{ORIGIN, RequestOrigin};
use super::held::Wanted;
use super::limits::{hold_silence, room_for, same_request};
use super::people::{rejected, unknown_exception};
use super::refusal::{Refusal, RefusalKind};
use super::state::{Entry, State};
use crate::store::VersionKey;

/// How many keys of repeats one request keeps. Each holds as long as the request is remembered.
const MOST_KEYS: usize = 1_000;

/// A request, ready to be recorded but for what policy and the record say of it now.
pub(super) struct Filing<'a> {
    /// What tells that the message came before.
    pub again: Option<Again<'a>>,
    pub facts: RequestFacts,
    pub origin: RequestOrigin,
    /// Whose credentials must still stand.
    pub by: Vec<By<'a>>,
    /// The exception that it is said to renew.
    pub renews: Option<String>,
    /// Whether the scope is the asker's own. Else it follows the terms as they are now.
    pub own_scope: bool,
    /// Whether who asks shows a credential that is bound. Where a person asks anew, it is the session that counts.
    pub bound: bool,
}

impl App {
    /// Records a request, or finds the open one that it repeats. Its exception's id.
    pub(super) async fn file(&self, filing: Filing<'_>) -> Result<String, Refusal> {
        let subject = filing.facts.question.call.subject.clone();
        // What time has ended is to be reviewed, noticed or not: an overdue review stops its tier.
        self.refresh_subject(&subject).await?;
        let now = self.now();
        let facts = &filing.facts;
        let judged_by = self.policy().digest();
        let wanted = Wanted {
            question: &facts.question,
            scope: &facts.scope,
            but: None,
            emergency: false,
            asker: facts.asker.as_ref(),
        };
        let terms = self.terms_of(&facts.question, self.requested(&wanted, now, now), now).await?;
        if facts.asker.is_some() && terms.as_ref().is_none_or(|terms| !terms.for_another) {
            return Err(rejected(Rejection::NotForAnother));
        }
        // INVARIANT (R8): who may ask by a bound credential alone shows one when asking, too.
        if !filing.bound && terms.as_ref().is_some_and(|terms| terms.binding) {
            return Err(binding_required());
        }
        let facts = in_time(filing.facts.clone(), terms.as_ref(), filing.own_scope, now);
        let bare = self.bare_context(now)?;
        let (id, _) = self
            .admit(|state| {
                for by in &filing.by {
                    self.still_acts(state, *by, now)?;
                }
                let keys = [VersionKey::Bundle, VersionKey::Locks, VersionKey::Requests(subject.to_string())];
                let ids = filing.by.iter().map(|by| VersionKey::Identity(by.credential().to_owned()));
                self.hold_task(state, &facts.question.task)?;
                // INVARIANT (R4): a request's terms are the active bundle's.
                if self.policy().digest() != judged_by {
                    return Err(super::append::contended());
                }
                let mut expected: Vec<_> = keys.into_iter().chain(ids).map(|key| state.version(key)).collect();
                // Somebody with the same key, or with the same denial, may have been quicker.
                let before = filing.again.as_ref().map(|again| again.find(state, Some(&facts.evaluation)));
                if let Some(id) = before.transpose()?.flatten() {
                    return Ok(Proposal { expected, records: Vec::new(), answer: id });
                }
                let renews = renewal(state, &facts, terms.as_ref(), filing.renews.as_deref(), now)?;
                let predecessor = renews.as_ref().and_then(|renews| state.exceptions.get(&renews.of));
                let predecessor = predecessor.map(|entry| Box::new(entry.exception.clone()));
                let mut facts = RequestFacts { renews, ..facts.clone() };
                if !filing.own_scope {
                    no_longer(&mut facts, predecessor.as_deref());
                }
                if let Some(open) = same_request(state, &facts, now) {
                    let (evaluation, justification) = (facts.evaluation.clone(), facts.justification.clone());
                    let command = Command::Fold { evaluation, justification };
                    let folded = state.exceptions.get(&open);
                    let key = filing.again.as_ref().and_then(Again::fold_origin);
                    if key.is_some() && folded.is_some_and(|entry| entry.folds.len() >= MOST_KEYS) {
                        return Err(too_many_keys());
                    }
                    let events = decide(folded.map(|entry| &entry.exception), command, &bare).map_err(rejected)?;
                    expected.push(state.version(VersionKey::Exception(open.clone())));
                    let mut records = self.exception_records(now, &open, events)?;
                    if let (Some(first), Some(key)) = (records.first_mut(), key) {
                        first.payloads.push((ORIGIN, canonical(&key)?));
                    }
                    return Ok(Proposal { expected, records, answer: open });
                }
                one_at_a_time(state, &facts, now)?;
                let undone = filing.origin.reopens.as_ref().map(|reopens| reopens.of.as_str());
                hold_silence(state, &facts, undone, now)?;
                room_for(state, &subject, &facts.question.task, now)?;
                let context = Context {
                    terms: terms.clone(),
                    predecessor,
                    overdue_tiers: state.overdue_tiers(&subject, now),
                    ..bare.clone()
                };
                let id = facts.id.clone();
                let events = decide(None, Command::Request(Box::new(facts)), &context).map_err(rejected)?;
                let mut records = self.exception_records(now, &id, events)?;
                if let Some(first) = records.first_mut() {
                    first.payloads.push((ORIGIN, canonical(&filing.origin)?));
                }
                Ok(Proposal { expected, records, answer: id })
            })
            .await?;
        Ok(id)
    }

    /// Notices what time has done to a subject's exceptions.
    pub(super) async fn refresh_subject(&self, subject: &EntityRef) -> Result<(), Refusal> {
        let now = self.now();
        let due: Vec<String> = {
            let state = self.state();
            let ours = state.exceptions.iter().filter(|(_, entry)| State::is_open(entry));
            let ours = ours.filter(|(_, entry)| entry.exception.request.question.call.subject == *subject);
            ours.filter(|(_, entry)| entry.exception.is_over(now)).map(|(id, _)| id.clone()).collect()
        };
        for id in due {
            self.refresh(&id).await?;
        }
        Ok(())
    }
}

/// Only a bound credential may ask for this.
pub(super) fn binding_required() -> Refusal {
    let reason = Reason::BindingRequired;
    Refusal::forbidden(reason.code(), reason.sentence())
}

fn too_many_keys() -> Refusal {
    let detail = "the same has been asked with too many keys while it waits";
    Refusal::new(RefusalKind::TooMany, "too_many_requests", detail)
        .retry_after(60)
        .help("repeat a request with the key that it had, or wait until it is decided")
}

/// The time that a request has: to decide, and apart from that to be used.
fn in_time(mut facts: RequestFacts, terms: Option<&Terms>, own: bool, now: Timestamp) -> RequestFacts {
    let within = terms.map_or(Terms::DECIDE_WITHIN, Terms::decide_within);
    facts.decide_by = now.plus(within);
    if let Some(terms) = terms.filter(|_| !own) {
        // Validity counts from its start, so that the time to decide does not eat it.
        let valid_for = facts.scope.valid_for.unwrap_or(terms.max_duration).min(terms.max_duration);
        facts.scope.valid_for = Some(valid_for);
        facts.scope.max_uses = facts.scope.max_uses.min(terms.max_uses);
        let latest = facts.decide_by.plus(valid_for);
        // An end that was asked for stands.
        facts.scope.not_after = if facts.scope.not_after > now { facts.scope.not_after.min(latest) } else { latest };
    }
    facts.decide_by = facts.decide_by.min(facts.scope.not_after);
    facts
}

/// A declared renewal without a scope of its own asks for no longer than it renews.
fn no_longer(facts: &mut RequestFacts, predecessor: Option<&Exception>) {
    let Some(held) = predecessor.and_then(|predecessor| predecessor.phase.grant()) else { return };
    if facts.renews.as_ref().is_some_and(|renews| renews.declared) {
        let length = held.length();
        facts.scope.valid_for = Some(facts.scope.valid_for.map_or(length, |valid_for| valid_for.min(length)));
    }
}

/// What a request renews: what it says it does, at the end of that chain; or what it overlaps, whatever it is called.
fn renewal(
    state: &State,
    facts: &RequestFacts,
    terms: Option<&Terms>,
    declared: Option<&str>,
    now: Timestamp,
) -> Result<Option<Renewal>, Refusal> {
    let subject = &facts.question.call.subject;
    let ours = || {
        let all = state.exceptions.values().map(|entry| &entry.exception);
        all.filter(|exception| exception.request.question.call.subject == *subject)
    };
    let implied = terms.and_then(|terms| renewal_of(facts, terms, ours(), now));
    let Some(declared) = declared else { return Ok(implied) };
    let first = root(state, declared);
    let entry = state.exceptions.get(declared).map(|entry| &entry.exception);
    entry.filter(|exception| exception.request.question.call.subject == *subject).ok_or_else(unknown_exception)?;
    // INVARIANT (R5): a chain is counted from its end. Who renews its first link again has not begun a new one.
    let chain =
        ours().filter(|exception| exception.phase.grant().is_some() && root(state, &exception.request.id) == first);
    let number = |exception: &Exception| exception.request.renews.as_ref().map_or(0, |renewal| renewal.number);
    let Some(last) = chain.max_by_key(|exception| (number(exception), exception.request.requested_at)) else {
        return Err(rejected(Rejection::NoGrant));
    };
    let own = Renewal { of: last.request.id.clone(), number: number(last).saturating_add(1), declared: true };
    let farther = implied.filter(|implied| implied.number > own.number);
    Ok(Some(farther.map_or(own, |implied| Renewal { declared: true, ..implied })))
}

/// The first exception of the chain that this one stands in.
fn root<'a>(state: &'a State, id: &'a str) -> &'a str {
    let before = |id: &&'a str| {
        let renews = state.exceptions.get(*id)?.exception.request.renews.as_ref()?;
        Some(renews.of.as_str())
    };
    // A chain follows the record backwards, so it ends.
    std::iter::successors(Some(id), before).last().unwrap_or(id)
}

/// INVARIANT (R5): one renewal of a chain is asked for at a time, whatever it is called: the next link is numbered by
/// what was granted, so that two that wait would have one number, and pass the cap together.
fn one_at_a_time(state: &State, facts: &RequestFacts, now: Timestamp) -> Result<(), Refusal> {
    let Some(renews) = &facts.renews else { return Ok(()) };
    let first = root(state, &renews.of);
    let waiting = |(id, entry): (&String, &Entry)| {
        matches!(entry.exception.phase, Phase::Requested | Phase::Suspended { grant: None, .. })
            && !entry.exception.is_over(now)
            && entry.exception.request.renews.is_some()
            && root(state, id) == first
    };
    if state.exceptions.iter().any(waiting) && !sabotaged!("r5_renewals_at_once") {
        let detail = "it renews what was granted a while ago, and another renewal of that waits for its votes";
        return Err(Refusal::conflict("renewal_pending", detail).help("wait until it is decided, or take it back"));
    }
    Ok(())
}
