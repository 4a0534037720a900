//! What the agent and its people say while a request is open: their words, the questions to them, their answers. All of it
//! is a claim, shown as data (R11).

use policy_core::lifecycle::{Exception, VoteDecision};

/// The agent's newest words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// What it says.
    pub words: String,
    /// Whether it said something else the time before.
    pub changed: bool,
    /// What it said first, where that is something else.
    pub first: Option<String>,
}

/// What the agent says: with the newest repeat of the request, where there is one.
pub fn newest_words(exception: &Exception) -> Words {
    let first = &exception.request.justification;
    let (words, changed) =
        exception.repeats.last().map_or((first, false), |repeat| (&repeat.justification, repeat.changed));
    Words { words: words.clone(), changed, first: (words != first).then(|| first.clone()) }
}

/// A question that a voter asked, with what was claimed as an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Which vote asked, by its place among the votes.
    pub vote: u32,
    /// Who asked.
    pub by: String,
    /// What.
    pub words: String,
    /// Who claims what, in the order of the answers.
    pub claims: Vec<(String, String)>,
}

/// The questions of votes, oldest first, each with its answers.
pub fn questions(exception: &Exception) -> Vec<Question> {
    let asked = (0..).zip(&exception.votes).filter(|(_, vote)| vote.decision == VoteDecision::Ask);
    let question = |(place, vote): (u32, &policy_core::lifecycle::Vote)| {
        let answers = exception.answers.iter().filter(|answer| answer.vote == place);
        Question {
            vote: place,
            by: vote.person.id.to_string(),
            words: vote.reason.clone(),
            claims: answers.map(|answer| (answer.by.id.to_string(), answer.words.clone())).collect(),
        }
    };
    asked.map(question).collect()
}

/// What was added to an open request since `before` was loaded, in one sentence.
pub fn news(before: &Exception, after: &Exception) -> Option<&'static str> {
    if after.votes.len() > before.votes.len() || after.versions.len() > before.versions.len() {
        return Some("Somebody voted since this page was loaded.");
    }
    let taken_back = |exception: &Exception| exception.votes.iter().filter(|vote| vote.withdrawn.is_some()).count();
    if taken_back(after) > taken_back(before) {
        return Some("Somebody took an approval back since this page was loaded.");
    }
    if after.answers.len() > before.answers.len() {
        return Some("Somebody answered a question since this page was loaded.");
    }
    (after.repeated > before.repeated).then_some("The agent asked again since this page was loaded.")
}

#[cfg(test)]
mod tests {
    use policy_core::entity::EntityRef;
    use policy_core::lifecycle::{Answer, Repeat, Vote};

    use super::*;
    use crate::view_model::samples;

    fn asked() -> Exception {
        samples::sheet().sheet.exception
    }

    fn repeat(words: &str, changed: bool) -> Repeat {
        Repeat { at: samples::at(60), evaluation: "e2".into(), justification: words.into(), changed }
    }

    #[test]
    fn the_newest_words_stand_with_whether_they_changed() {
        let mut exception = asked();
        let words = |exception: &Exception| {
            let Words { words, changed, first } = newest_words(exception);
            (words, changed, first)
        };
        assert_eq!(words(&exception), ("month end".to_owned(), false, None));
        exception.repeats.push(repeat("month end", false));
        assert_eq!(words(&exception), ("month end".to_owned(), false, None));
        exception.repeats.push(repeat("now!", true));
        assert_eq!(words(&exception), ("now!".to_owned(), true, Some("month end".to_owned())));
        exception.repeats.push(repeat("now!", false));
        assert_eq!(words(&exception), ("now!".to_owned(), false, Some("month end".to_owned())));
    }

    #[test]
    fn an_answer_stands_under_its_question_as_a_claim() {
        let mut exception = asked();
        let ask =
            |words: &str| Vote { decision: VoteDecision::Ask, reason: words.into(), ..samples::approval("Ola", 1) };
        exception.votes = vec![samples::approval("Mara", 1), ask("which month?"), ask("why now?")];
        let answer = |vote, words: &str| Answer {
            vote,
            by: EntityRef::new("User", "Ines"),
            words: words.into(),
            at: samples::at(120),
        };
        exception.answers = vec![answer(2, "it is late"), answer(2, "very late")];
        let told: Vec<(u32, String, usize)> =
            questions(&exception).into_iter().map(|asked| (asked.vote, asked.words, asked.claims.len())).collect();
        assert_eq!(told, [(1, "which month?".to_owned(), 0), (2, "why now?".to_owned(), 2)]);
        let claims = questions(&exception).pop().map(|asked| asked.claims).unwrap_or_default();
        assert_eq!(claims[0], ("Ines".to_owned(), "it is late".to_owned()));
    }

    #[test]
    fn what_was_added_is_news() {
        let before = asked();
        assert_eq!(news(&before, &before), None);
        let mut after = before.clone();
        after.repeated = 1;
        assert!(news(&before, &after).is_some_and(|told| told.contains("asked again")));
        after.answers.push(Answer {
            vote: 0,
            by: EntityRef::new("User", "Ines"),
            words: "yes".into(),
            at: samples::at(120),
        });
        assert!(news(&before, &after).is_some_and(|told| told.contains("answered")));
        after.votes.push(samples::approval("Ola", 1));
        assert!(news(&before, &after).is_some_and(|told| told.contains("voted")));
    }
}
