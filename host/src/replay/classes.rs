//! What can come of a record that is asked again. Every record that is read is counted once.

use std::collections::BTreeMap;

use serde::Serialize;

/// How many names a list of counts tells apart. A record may name anything.
const MOST_NAMES: usize = 64;

/// What came of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Class {
    /// The module says what is recorded, to this many questions.
    Agreed {
        /// Of a search there are several, or none.
        questions: u64,
        /// Whether it is a search.
        search: bool,
        /// Whether it was the same call again, which consumed nothing.
        repeated: bool,
    },
    /// Under another bundle it comes to the same outcome; otherwise for other reasons, or on other terms.
    Unchanged {
        /// Whether anything but the outcome is different.
        otherwise: bool,
    },
    /// Under another bundle it comes to another outcome.
    Changed,
    /// A limit made it: its kind is all that is replayed.
    Limit(String),
    /// The gate itself made it, and the module's answer is one that the gate may make this of.
    Gate(&'static str),
    /// Something that it needs was erased.
    Erased,
    /// It is a record of something else, or no question for this replay.
    NotEvaluated(String),
    /// It is not what was recorded.
    Disagreed {
        /// A stable code.
        code: &'static str,
        /// What is different.
        message: String,
    },
}

impl Class {
    pub(super) fn disagreed(code: &'static str, message: impl Into<String>) -> Self {
        Self::Disagreed { code, message: message.into() }
    }
}

/// A record that is not what its question comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disagreement {
    /// Which log.
    pub log: String,
    /// Which record.
    pub seq: u64,
    /// A stable code.
    pub code: &'static str,
    /// What is different.
    pub message: String,
}

/// How many records came to what. They add up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// How many records were read in the span.
    pub records: u64,
    /// How many of them came to the same.
    pub agreed: u64,
    /// How many did not.
    pub disagreed: u64,
    /// Under another bundle: how many came to another outcome.
    pub changed: u64,
    /// Of those that came to the same: for other reasons, or on other terms.
    pub otherwise: u64,
    /// How many cannot be asked again, since something of them was erased.
    pub erased: u64,
    /// Made by a limit, by its kind.
    pub by_limit: BTreeMap<String, u64>,
    /// Made by the gate itself, by what it made.
    pub by_gate: BTreeMap<String, u64>,
    /// Records of something else, by their kind or why they are no question.
    pub not_evaluated: BTreeMap<String, u64>,
    /// How many questions were asked again.
    pub questions: u64,
    /// Of those that agreed: pages of searches.
    pub searches: u64,
    /// Of those that agreed: calls that came a second time and consumed nothing.
    pub repeated: u64,
}

impl Counts {
    pub(super) fn add(&mut self, class: &Class) {
        let one = |names: &mut BTreeMap<String, u64>, name: &str| {
            let name = if names.contains_key(name) || names.len() < MOST_NAMES { name } else { "other" };
            grow(names.entry(name.to_owned()).or_default(), 1);
        };
        grow(&mut self.records, 1);
        match class {
            Class::Agreed { questions, search, repeated } => {
                grow(&mut self.agreed, 1);
                grow(&mut self.questions, *questions);
                grow(&mut self.searches, (*search).into());
                grow(&mut self.repeated, (*repeated).into());
            }
            Class::Unchanged { otherwise } => {
                grow(&mut self.agreed, 1);
                grow(&mut self.questions, 1);
                grow(&mut self.otherwise, (*otherwise).into());
            }
            Class::Changed => {
                grow(&mut self.changed, 1);
                grow(&mut self.questions, 1);
            }
            Class::Limit(kind) => one(&mut self.by_limit, kind),
            Class::Gate(what) => one(&mut self.by_gate, what),
            Class::Erased => grow(&mut self.erased, 1),
            Class::NotEvaluated(why) => one(&mut self.not_evaluated, why),
            Class::Disagreed { .. } => grow(&mut self.disagreed, 1),
        }
    }

    /// How many records the counts tell of.
    pub(super) fn sum(&self) -> u64 {
        let named = [&self.by_limit, &self.by_gate, &self.not_evaluated].into_iter().flat_map(BTreeMap::values);
        self.agreed + self.disagreed + self.changed + self.erased + named.sum::<u64>()
    }
}

fn grow(count: &mut u64, by: u64) {
    *count = count.saturating_add(by);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_counted_once_and_names_do_not_grow_without_end() {
        let mut counts = Counts::default();
        let agreed = |search| Class::Agreed { questions: 3, search, repeated: !search };
        let classes = [
            agreed(true),
            agreed(false),
            Class::Limit("fuel".to_owned()),
            Class::Gate("clock_unsafe"),
            Class::Unchanged { otherwise: true },
            Class::Changed,
            Class::Erased,
            Class::disagreed("outcome_differs", "other"),
        ];
        classes.iter().for_each(|class| counts.add(class));
        (0..200).for_each(|kind| counts.add(&Class::NotEvaluated(format!("kind{kind}"))));
        assert_eq!((counts.records, counts.sum()), (208, 208));
        assert_eq!((counts.agreed, counts.questions, counts.searches, counts.repeated), (3, 8, 1, 1));
        assert_eq!((counts.not_evaluated.len(), counts.not_evaluated["other"]), (65, 136));
    }
}
