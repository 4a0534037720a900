//! What became of the like: told to whoever decides, and no part of what is voted on.

mod differ;
mod like;

use policy_core::console::Act;
use policy_core::lifecycle::{Exception, Phase, ReviewOutcome, VoteDecision, effective_state};
use policy_core::time::{Span, Timestamp};
use proviso_api::past::{DispositionCount, PastCounts, PastRefusal, PastReply, YourDecision};

use super::App;
use super::console::{About, Rights, without_arguments};
use super::people::unknown_exception;
use super::refusal::Refusal;
use crate::identity::PersonSession;
use differ::differences;
pub(super) use like::{Like, needed};

/// How many refusals, and how many decisions of one's own, are told.
const MOST_TOLD: usize = 5;
/// Among how many of the like it is counted: the newest.
const MOST_LIKE: usize = 2_000;

impl App {
    /// What became of the like of an exception.
    ///
    /// # Errors
    /// `unknown_exception`; `not_permitted_here`; `limit`.
    pub async fn past(&self, person: &PersonSession, id: &str) -> Result<PastReply, Refusal> {
        let about = About::exception_of(&self.state(), id);
        self.hold_act(person, Act::View, &about).await?;
        let now = self.now();
        let (this, like, own) = {
            let state = self.state();
            let this = state.exceptions.get(id).ok_or_else(unknown_exception)?.exception.clone();
            let like = Like::of(&this);
            let others = state.exceptions.values().map(|entry| &entry.exception);
            let others = others.filter(|other| other.request.id != id);
            let alike: Vec<&Exception> = others.clone().filter(|other| like.fits(other)).collect();
            let alike = newest(alike, MOST_LIKE, |other| other.request.requested_at);
            let voted: Vec<&Exception> = others.filter(|other| decided_at(other, person).is_some()).collect();
            (this, alike, newest(voted, MOST_TOLD, |other| decided_at(other, person)))
        };
        let like = self.seen(person, like, now).await?;
        let own = self.seen(person, own, now).await?;
        let of_this = self.rights(person, std::slice::from_ref(&this), Rights::OF_A_LINE, now).await?;
        let sees = of_this.into_iter().flatten().next().is_some_and(|rights| rights.has(Act::ViewArguments));
        let mut approved =
            like.iter().filter(|(other, rights)| other.phase.grant().is_some() && rights.has(Act::ViewArguments));
        let last = approved.next().filter(|_| sees).map(|(other, _)| other);
        let differs = last.map(|last| differences(&self.policy(), last, &this)).unwrap_or_default();
        let findings = {
            let state = self.state();
            let of = state.findings.all().filter_map(|finding| finding.facts.exception.clone());
            let ids: std::collections::BTreeSet<&str> =
                like.iter().map(|(other, _)| other.request.id.as_str()).collect();
            u32::try_from(of.filter(|id| ids.contains(id.as_str())).count()).unwrap_or(u32::MAX)
        };
        let exceptions: Vec<&Exception> = like.iter().map(|(other, _)| other).collect();
        Ok(PastReply {
            now,
            counts: PastCounts { findings, ..counts(&exceptions, now) },
            dispositions: dispositions(exceptions.iter().copied()),
            refusals: refusals(&like),
            differs,
            last_approved: last.map(|last| last.request.id.clone()),
            needed: needed(exceptions.iter().copied()),
            yours: own.iter().filter_map(|(other, rights)| self.your_decision(other, rights, person, now)).collect(),
        })
    }

    /// Those of them that a person may see, with what they may see of each.
    async fn seen(
        &self,
        person: &PersonSession,
        exceptions: Vec<Exception>,
        now: Timestamp,
    ) -> Result<Vec<(Exception, Rights)>, Refusal> {
        let rights = self.rights(person, &exceptions, Rights::OF_A_LINE, now).await?;
        Ok(exceptions.into_iter().zip(rights).filter_map(|(exception, rights)| Some((exception, rights?))).collect())
    }

    fn your_decision(
        &self,
        exception: &Exception,
        rights: &Rights,
        person: &PersonSession,
        now: Timestamp,
    ) -> Option<YourDecision> {
        let vote = exception.votes.iter().rev().find(|vote| vote.person == person.person)?;
        let question = &exception.request.question;
        Some(YourDecision {
            exception: exception.request.id.clone(),
            says: if rights.has(Act::ViewArguments) {
                self.policy().says(question)
            } else {
                without_arguments(question)
            },
            decision: vote.decision,
            at: vote.at,
            state: effective_state(exception, now).word.to_owned(),
            uses: exception.phase.grant().map_or(0, |held| held.uses),
            disposition: exception.disposition.as_ref().map(|disposed| disposed.disposition),
        })
    }
}

fn decided_at(exception: &Exception, person: &PersonSession) -> Option<Timestamp> {
    exception.votes.iter().rev().find(|vote| vote.person == person.person).map(|vote| vote.at)
}

/// The newest of these, by `at`. Only these are copied: of what has piled up in years few are looked at.
pub(super) fn newest<T: Ord>(mut of: Vec<&Exception>, most: usize, at: impl Fn(&Exception) -> T) -> Vec<Exception> {
    of.sort_by_key(|exception| std::cmp::Reverse(at(exception)));
    of.into_iter().take(most).cloned().collect()
}

fn counts(like: &[&Exception], now: Timestamp) -> PastCounts {
    let mut counts = PastCounts::default();
    let more = |count: &mut u32, so: bool| *count = count.saturating_add(u32::from(so));
    for exception in like {
        more(&mut counts.asked, true);
        let refused = matches!(exception.phase, Phase::Denied { .. });
        more(&mut counts.refused, refused);
        let held = exception.phase.grant();
        more(&mut counts.granted, held.is_some());
        more(&mut counts.undecided, held.is_none() && !refused && exception.ended_at(now).is_some());
        let used = held.is_some_and(|held| held.uses > 0);
        more(&mut counts.used, used);
        more(&mut counts.unused, held.is_some() && !used && exception.ended_at(now).is_some());
        more(&mut counts.revoked, matches!(exception.phase, Phase::Revoked { .. }));
        let closings = exception.reviews.iter().filter_map(|review| review.closed.as_ref());
        for closing in closings {
            more(&mut counts.found_wanting, closing.outcome != ReviewOutcome::Appropriate);
        }
    }
    counts
}

/// How closed ones were judged, most often first.
pub(super) fn dispositions<'a>(of: impl Iterator<Item = &'a Exception>) -> Vec<DispositionCount> {
    let mut counts: Vec<DispositionCount> = Vec::new();
    for disposed in of.filter_map(|exception| exception.disposition.as_ref()) {
        match counts.iter_mut().find(|known| known.disposition == disposed.disposition) {
            Some(known) => known.count = known.count.saturating_add(1),
            None => counts.push(DispositionCount { disposition: disposed.disposition, count: 1 }),
        }
    }
    counts.sort_by_key(|known| std::cmp::Reverse(known.count));
    counts
}

fn refusals(like: &[(Exception, Rights)]) -> Vec<PastRefusal> {
    let told = like.iter().filter_map(|(exception, rights)| match &exception.phase {
        Phase::Denied { by, reason, at } => Some(PastRefusal {
            exception: exception.request.id.clone(),
            by: by.id.to_string(),
            at: *at,
            // Words quote arguments.
            reason: if rights.has(Act::ViewArguments) { reason.clone() } else { String::new() },
        }),
        _ => None,
    });
    told.take(MOST_TOLD).collect()
}

/// How long deciding took: from the request to the vote that ended it. Nothing where no person ended it.
pub(super) fn time_to_decide(exception: &Exception) -> Option<Span> {
    let last = exception.votes.iter().rev().find(|vote| vote.decision != VoteDecision::Ask)?;
    let decided = exception.phase.grant().is_some() || matches!(exception.phase, Phase::Denied { .. });
    decided.then(|| last.at.since(exception.request.requested_at))
}
