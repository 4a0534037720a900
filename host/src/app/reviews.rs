//! Reviews: a look afterwards by somebody who neither asked nor voted, with a date; and what an overdue one stops.

use policy_core::console::Act;
use policy_core::entity::EntityRef;
use policy_core::lifecycle::{Command, EmergencyBlocked, Exception, May, Rejection, Review};
use policy_core::text;
use policy_core::time::Timestamp;
use proviso_api::reviews::{CloseReview, ReviewLine, ReviewList};

use super::App;
use super::acts::By;
use super::console::{About, Rights, without_arguments};
use super::listing::PageWanted;
use super::refusal::Refusal;
use super::state::State;
use crate::identity::PersonSession;

impl State {
    /// The tiers of which a subject gets no exception: one of its own is to be reviewed, and the date has passed.
    pub fn overdue_tiers(&self, subject: &EntityRef, now: Timestamp) -> Vec<String> {
        let mut tiers: Vec<String> = self
            .exceptions_of(subject)
            .filter(|exception| exception.reviews.iter().any(|review| review.is_overdue(now)))
            .map(|exception| exception.terms.tier.clone())
            .collect();
        tiers.sort();
        tiers.dedup();
        tiers
    }

    /// Whose emergencies still wait for their review, with the date passed: they stop a further one of this subject.
    pub fn emergency_blocked(&self, subject: &EntityRef, now: Timestamp) -> EmergencyBlocked {
        EmergencyBlocked::of(subject, self.exceptions.values().map(|entry| &entry.exception), now)
    }

    fn exceptions_of<'a>(&'a self, subject: &'a EntityRef) -> impl Iterator<Item = &'a Exception> {
        let all = self.exceptions.values().map(|entry| &entry.exception);
        all.filter(|exception| exception.request.question.call.subject == *subject)
    }

    /// The exception that a review is of.
    fn reviewed(&self, review: &str) -> Option<&str> {
        let mut all = self.exceptions.iter();
        let found = all.find(|(_, entry)| entry.exception.reviews.iter().any(|known| known.id == review));
        found.map(|(id, _)| id.as_str())
    }
}

impl App {
    /// The reviews that this person may see, the one that is due first at the top. `state` is `open`, `overdue` or
    /// `closed`; absent: all.
    ///
    /// # Errors
    /// `bad_state` for another word; `bad_page_token`; `bad_request` for a limit of 0.
    pub async fn reviews(
        &self,
        person: &PersonSession,
        state: Option<&str>,
        page: &PageWanted,
    ) -> Result<ReviewList, Refusal> {
        const WORDS: [&str; 3] = ["open", "overdue", "closed"];
        if let Some(word) = state.filter(|word| !WORDS.contains(word)) {
            let shown = text::visible(word, 40);
            return Err(Refusal::bad("bad_state", format!("`{shown}` is no state of a review"))
                .help(format!("one of {}", WORDS.join(", "))));
        }
        // What time has ended is to be reviewed, noticed or not.
        self.refresh_all().await;
        let now = self.now();
        let wanted = |review: &Review| match state {
            None => true,
            Some("closed") => review.closed.is_some(),
            Some("overdue") => review.is_overdue(now),
            Some(_) => review.closed.is_none(),
        };
        let (position, found) = {
            let held = self.state();
            let all = held.exceptions.values().map(|entry| &entry.exception);
            let all = all.flat_map(|exception| exception.reviews.iter().map(move |review| (exception, review)));
            let found = all.filter(|(_, review)| wanted(review));
            let place = |review: &Review| (review.due.millis(), review.id.clone());
            let found = found.map(|(exception, review)| (place(review), (exception.clone(), review.clone())));
            (held.position, found.collect::<Vec<_>>())
        };
        let mut walk = self.walk(found, page, &person.person, &("reviews", state))?;
        let mut reviews = Vec::new();
        while let Some(some) = walk.some() {
            let of: Vec<Exception> = some.iter().map(|(exception, _)| exception.clone()).collect();
            let rights = self.rights(person, &of, Rights::OF_A_REVIEW, now).await?;
            let before = reviews.len();
            for ((exception, review), rights) in some.into_iter().zip(rights) {
                let Some(rights) = rights else { continue };
                reviews.push(self.review_seen(&exception, &review, &rights, person, now).await);
            }
            walk.saw(reviews.len().saturating_sub(before));
        }
        Ok(ReviewList { now, position, reviews, next: self.next_page(walk)? })
    }

    async fn review_seen(
        &self,
        exception: &Exception,
        review: &Review,
        rights: &Rights,
        person: &PersonSession,
        now: Timestamp,
    ) -> ReviewLine {
        // Without asking policy: whoever may not even then, may not.
        let maybe = review.closed.is_none() && rights.has(Act::Review);
        let maybe = maybe && self.allowed_if(exception, person, true, now).close_review.is_yes();
        // What policy cannot answer is no yes (R8).
        let eligible = maybe && self.is_approver(exception, person, now).await.unwrap_or(false);
        let mut line = self.review_line(exception, review, (person, eligible), now);
        if !rights.has(Act::Review) && line.may_close.is_yes() {
            line.may_close = May::No(Rejection::NotPermittedHere);
        }
        if !rights.has(Act::ViewArguments) {
            line.says = without_arguments(&exception.request.question);
            line.review.closed.iter_mut().for_each(|closing| closing.note.clear());
        }
        line
    }

    /// Whether policy would let this person approve the like of an exception: only they judge it afterwards.
    pub(super) async fn is_approver(
        &self,
        exception: &Exception,
        person: &PersonSession,
        now: Timestamp,
    ) -> Result<bool, Refusal> {
        let voter = person.voter();
        let eligible = self.eligible(exception, vec![voter], now).await?;
        Ok(eligible.iter().any(|answer| answer.person == person.person && answer.eligible))
    }

    fn review_line(
        &self,
        exception: &Exception,
        review: &Review,
        (person, eligible): (&PersonSession, bool),
        now: Timestamp,
    ) -> ReviewLine {
        let question = &exception.request.question;
        let may_close = match review.closed {
            Some(_) => May::No(Rejection::Closed),
            None => self.allowed_if(exception, person, eligible, now).close_review,
        };
        ReviewLine {
            exception: exception.request.id.clone(),
            overdue: review.is_overdue(now),
            review: review.clone(),
            tier: exception.terms.tier.clone(),
            subject: question.call.subject.clone(),
            task: question.task.to_string(),
            says: self.policy().says(question),
            may_close,
        }
    }

    /// Closes a review.
    ///
    /// # Errors
    /// `no_such_review`; what the lifecycle rejects for who asked, voted or owns the agent; `single_user_required`.
    pub async fn close_review(
        &self,
        person: &PersonSession,
        review: &str,
        closing: CloseReview,
    ) -> Result<ReviewLine, Refusal> {
        self.hold_session(person)?;
        let unknown = || Refusal::not_found("no_such_review", "there is no such review");
        let Some(id) = self.state().reviewed(review).map(ToOwned::to_owned) else {
            // Whoever may judge nothing is told no more than that.
            self.hold_act(person, Act::Review, &About::GATE).await?;
            return Err(unknown());
        };
        let command = Command::CloseReview {
            review: review.to_owned(),
            by: person.person.clone(),
            outcome: closing.outcome,
            note: closing.note,
        };
        self.act(By::Person(person), &id, &[], command).await?;
        let state = self.state();
        let exception = &state.exceptions.get(&id).ok_or_else(unknown)?.exception;
        let mut reviews = exception.reviews.iter();
        let closed = reviews.find(|known| known.id == review).ok_or_else(unknown)?;
        Ok(self.review_line(exception, closed, (person, true), self.now()))
    }
}
