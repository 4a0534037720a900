//! What is added to a request while it is open: answers to votes that ask, and repeats. Neither stops a clock, and neither
//! touches terms, deadline or uses.

use super::command::{Context, VoteDecision};
use super::decide::check_text;
use super::event::Event;
use super::rejection::Rejection;
use super::request::{Answer, Repeat};
use super::state::{Exception, Phase};
use crate::entity::EntityRef;

/// How often one question may be answered.
pub(super) const MOST_ANSWERS: usize = 5;

impl Exception {
    /// Whether this is who asked, or for whom: they take a request back.
    pub(super) fn is_own(&self, who: &EntityRef) -> bool {
        let request = &self.request;
        *who == request.requester || *who == request.question.call.subject || request.asker.as_ref() == Some(who)
    }
}

pub(super) fn answer(
    exception: &Exception,
    by: EntityRef,
    vote: u32,
    words: String,
    context: &Context,
) -> Result<Vec<Event>, Rejection> {
    let asks = usize::try_from(vote).ok().and_then(|vote| exception.votes.get(vote));
    if asks.is_none_or(|asks| asks.decision != VoteDecision::Ask) {
        return Err(Rejection::NoQuestion);
    }
    if !exception.is_own(&by) && !exception.request.owners.contains(&by) {
        return Err(Rejection::NotYours);
    }
    if exception.answers.iter().any(|answer| answer.vote == vote && answer.by == by && answer.words == words) {
        return Ok(Vec::new());
    }
    wanted(exception, context)?;
    if words.trim().is_empty() {
        return Err(Rejection::ReasonNeeded);
    }
    check_text(&words)?;
    if exception.answers.iter().filter(|answer| answer.vote == vote).count() >= MOST_ANSWERS {
        return Err(Rejection::TooManyAnswers);
    }
    Ok(vec![Event::QuestionAnswered { answer: Box::new(Answer { vote, by, words, at: context.now }) }])
}

pub(super) fn fold(
    exception: &Exception,
    evaluation: String,
    justification: String,
    context: &Context,
) -> Result<Vec<Event>, Rejection> {
    let known = exception.request.evaluation == evaluation
        || exception.repeats.iter().any(|repeat| repeat.evaluation == evaluation);
    if known {
        return Ok(Vec::new());
    }
    wanted(exception, context)?;
    check_text(&justification)?;
    let repeat = Repeat { at: context.now, evaluation, justification, changed: false };
    Ok(vec![Event::RequestFolded { repeat: Box::new(repeat) }])
}

/// Whether votes are wanted, now or under the next bundle.
fn wanted(exception: &Exception, context: &Context) -> Result<(), Rejection> {
    match exception.phase {
        Phase::Requested | Phase::Suspended { grant: None, .. } if exception.is_over(context.now) => {
            Err(Rejection::TooLate)
        }
        Phase::Requested | Phase::Suspended { grant: None, .. } => Ok(()),
        _ => Err(Rejection::Closed),
    }
}
