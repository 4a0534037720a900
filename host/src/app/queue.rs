//! The queue: what a signed-in person may see of all exceptions, a line each.

use std::collections::BTreeSet;

use policy_core::console::Act;
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::grant::Scope;
use policy_core::lifecycle::{Allowed, Exception, Phase, effective_state};
use policy_core::time::Timestamp;
use proviso_api::exceptions::{ExceptionLine, ExceptionList};
use serde::Serialize;

use super::App;
use super::console::{Rights, without_arguments};
use super::listing::PageWanted;
use super::refusal::Refusal;
use super::state::{Entry, State};
use crate::identity::PersonSession;

/// Which exceptions a list is to hold.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ExceptionsWanted {
    /// A state's word.
    pub state: Option<String>,
    /// `current`: open, or with a grant that can be used now or later; `over`: all others.
    pub stage: Option<String>,
    /// Only closed ones that nobody has judged yet.
    pub undisposed: bool,
    /// Only those to which something happened at this ledger position or after it.
    pub since: Option<u64>,
    /// Only those of this agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<EntityRef>,
}

impl App {
    /// The exceptions that this person may see, newest first.
    ///
    /// # Errors
    /// `bad_state` for a word that is none; `bad_page_token`; `bad_request` for a limit of 0.
    pub async fn exceptions(
        &self,
        person: &PersonSession,
        wanted: &ExceptionsWanted,
        page: &PageWanted,
    ) -> Result<ExceptionList, Refusal> {
        hold_words(wanted)?;
        self.refresh_all().await;
        let now = self.now();
        let (position, found) = {
            let held = self.state();
            let found = held.exceptions.iter().filter(|(id, entry)| is_wanted(&held, id, entry, wanted, now));
            let place = |entry: &Entry| {
                let request = &entry.exception.request;
                (request.requested_at.millis().saturating_neg(), request.id.clone())
            };
            (held.position, found.map(|(id, entry)| (place(entry), id.clone())).collect::<Vec<_>>())
        };
        let mut walk = self.walk(found, page, &person.person, wanted)?;
        let mut exceptions = Vec::new();
        while let Some(ids) = walk.some() {
            let some: Vec<(Exception, Option<Timestamp>)> = {
                let held = self.state();
                let entries = ids.iter().filter_map(|id| held.exceptions.get(id));
                entries.map(|entry| (entry.exception.clone(), last_use(entry))).collect()
            };
            let of: Vec<Exception> = some.iter().map(|(exception, _)| exception.clone()).collect();
            let rights = self.rights(person, &of, Rights::OF_A_LINE, now).await?;
            let before = exceptions.len();
            let rows = some.into_iter().zip(rights).filter_map(|(row, rights)| Some((row, rights?)));
            let rows: Vec<((Exception, Option<Timestamp>), Rights)> = rows.collect();
            // Without asking policy: whoever may not vote even then, may not vote.
            let maybe: Vec<&Exception> = rows
                .iter()
                .filter(|((exception, _), rights)| {
                    rights.decides() && is_wanted_of(&self.allowed_if(exception, person, true, now))
                })
                .map(|((exception, _), _)| exception)
                .collect();
            let may = self.eligible_for_each(person, &maybe, now).await;
            let eligible: BTreeSet<String> =
                maybe.iter().zip(may).filter(|(_, may)| *may).map(|(one, _)| one.request.id.clone()).collect();
            for ((exception, used), rights) in rows {
                let needed = match eligible.contains(&exception.request.id) {
                    true => self.needed(&exception, person, now).await,
                    false => Needed::No,
                };
                let line = self.line(&exception, &rights, person, now);
                exceptions.push(ExceptionLine {
                    needs_me: needed == Needed::Yes,
                    routed_on: needed == Needed::ByOthers,
                    last_use: used,
                    ..line
                });
            }
            walk.saw(exceptions.len().saturating_sub(before));
        }
        let (next, attention) = (self.next_page(walk)?, self.attention(&person.person, now));
        Ok(ExceptionList { now, position, exceptions, next, attention, tiers: self.policy().tiers() })
    }

    /// Whether an exception waits for this person, whom policy lets approve it.
    async fn needed(&self, exception: &Exception, person: &PersonSession, now: Timestamp) -> Needed {
        if !is_wanted_of(&self.allowed_when(exception, person, true, now)) {
            return Needed::No;
        }
        match self.goes_to_others(exception, &person.person, now).await {
            Ok(true) => Needed::ByOthers,
            // Whom it would go to is not known: then it stays.
            Ok(false) | Err(_) => Needed::Yes,
        }
    }

    fn line(&self, exception: &Exception, rights: &Rights, person: &PersonSession, now: Timestamp) -> ExceptionLine {
        let question = &exception.request.question;
        let held = exception.phase.grant();
        let scope = exception.current().map_or(&exception.request.scope, |version| &version.scope);
        ExceptionLine {
            id: exception.request.id.clone(),
            state: effective_state(exception, now).word.to_owned(),
            says: if rights.has(Act::ViewArguments) {
                self.policy().says(question)
            } else {
                without_arguments(question)
            },
            subject: question.call.subject.clone(),
            task: question.task.to_string(),
            action: question.call.action.to_string(),
            resources: question.call.resources.clone(),
            tier: exception.terms.tier.clone(),
            votes: self.votes(exception),
            approvals: exception.terms.approvals,
            requested_at: exception.request.requested_at,
            decide_by: exception.decide_by(),
            not_after: held.map(|held| held.grant.scope.not_after),
            uses: held.map_or(0, |held| held.uses),
            max_uses: held.map_or(scope.max_uses, |held| held.grant.scope.max_uses),
            needs_me: false,
            routed_on: false,
            grant: held.map(|held| held.grant.id.to_string()),
            last_use: None,
            may_revoke: rights.has(Act::Revoke) && self.allowed_if(exception, person, true, now).revoke.is_yes(),
            waiting: self.waits_for(&exception.request.id),
            undo_until: self.undo_until(exception, person, now),
            same: rights.has(Act::ViewArguments).then(|| same(exception)).flatten(),
            repeated: exception.repeated,
            emergency: exception.emergency.is_some(),
            says_emergency: exception.request.emergency,
            disposition: exception.disposition.as_ref().map(|disposed| disposed.disposition),
            hidden: rights.hidden(),
            presence: exception.terms.presence,
        }
    }
}

/// For whom an exception waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needed {
    /// For this person, too.
    Yes,
    /// Not for this person.
    No,
    /// This person may decide it, and has decided enough today.
    ByOthers,
}

/// Whether somebody who may do this is waited for.
const fn is_wanted_of(allowed: &Allowed) -> bool {
    allowed.approve.is_yes() || allowed.confirm.is_yes()
}

/// Refuses words that no exception is found by.
fn hold_words(wanted: &ExceptionsWanted) -> Result<(), Refusal> {
    const STATES: [&str; 11] = [
        "requested",
        "granted",
        "not_active",
        "unconfirmed",
        "denied",
        "cancelled",
        "lapsed",
        "expired",
        "suspended",
        "revoked",
        "exhausted",
    ];
    const STAGES: [&str; 2] = ["current", "over"];
    let bad = |word: &str, what: &str, words: &[&str]| {
        let shown = policy_core::text::visible(word, 40);
        Err(Refusal::bad("bad_state", format!("`{shown}` is no {what} of an exception"))
            .help(format!("one of {}", words.join(", "))))
    };
    match (wanted.state.as_deref(), wanted.stage.as_deref()) {
        (Some(word), _) if !STATES.contains(&word) => bad(word, "state", &STATES),
        (_, Some(word)) if !STAGES.contains(&word) => bad(word, "stage", &STAGES),
        _ => Ok(()),
    }
}

fn is_wanted(state: &State, id: &str, entry: &Entry, wanted: &ExceptionsWanted, now: Timestamp) -> bool {
    let exception = &entry.exception;
    let word = effective_state(exception, now).word;
    let current = matches!(word, "requested" | "unconfirmed" | "granted" | "not_active" | "suspended");
    wanted.state.as_deref().is_none_or(|state| state == word)
        && wanted.stage.as_deref().is_none_or(|stage| (stage == "current") == current)
        && (!wanted.undisposed || (exception.disposition.is_none() && exception.ended_at(now).is_some()))
        && wanted.since.is_none_or(|since| changed_at(state, id, entry) >= since)
        && wanted.subject.as_ref().is_none_or(|subject| *subject == exception.request.question.call.subject)
}

/// The ledger position of the newest thing that happened to an exception, or to who decides on it.
fn changed_at(state: &State, id: &str, entry: &Entry) -> u64 {
    let step = entry.steps.last().map(|(seq, _, _)| *seq);
    let handed = state.routing.handovers(id).last().map(|handover| handover.seq);
    step.max(handed).unwrap_or(0)
}

fn last_use(entry: &Entry) -> Option<Timestamp> {
    entry.exception.phase.grant().and_then(|held| held.taken.last()).map(|taken| taken.at)
}

/// What one and the same call has in common: who, what, on what, with which arguments, and what is asked for.
fn same(exception: &Exception) -> Option<Digest> {
    let call = &exception.request.question.call;
    let scope = &exception.current()?.scope;
    // When it ends is another instant each time: how long it lasts is compared.
    let lasts = scope.valid_for.unwrap_or_else(|| scope.not_after.since(exception.request.requested_at));
    let scope = Scope { not_after: Timestamp::from_millis(0), ..scope.clone() };
    let of = (call, scope, lasts, &exception.terms.tier, exception.versions.len());
    (exception.phase == Phase::Requested).then(|| Digest::of_json(&of).ok()).flatten()
}
