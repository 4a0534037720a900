//! The entities of questions by the text that they stand in: an agent asks again and again about the same ones.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cedar_policy::Entities;
use policy_core::json::{Limits, read_as};
use policy_core::outcome::Reason;
use policy_core::question::EntityFact;

use crate::abi::{DEEPEST_INPUT, LARGEST_INPUT};
use crate::{Rules, cedar};

/// How many slices are kept.
const MOST: usize = 128;
/// How long their texts are in all, in bytes. What is made of a text takes some twenty times as much.
const MOST_BYTES: usize = 128 * 1024;
/// The longest text of a slice that is kept at all.
const LONGEST: usize = 16 * 1024;

/// A slice, read and as Cedar has it.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) facts: Vec<EntityFact>,
    /// The entities, held against the schema; or why they do not fit it.
    pub(crate) entities: Result<Arc<Entities>, Reason>,
}

/// Slices by their text.
#[derive(Debug, Default)]
pub(crate) struct KeptFacts(Mutex<Texts>);

#[derive(Debug, Default)]
struct Texts {
    by_text: BTreeMap<Box<str>, Arc<Facts>>,
    bytes: usize,
}

impl KeptFacts {
    /// How long the known text is that `rest` begins with. Texts are whole arrays, and no array begins another one, so
    /// only the last one that is not behind `rest` can be it.
    pub(crate) fn known(&self, rest: &str) -> Option<usize> {
        let texts = self.texts();
        let upto = (Bound::Unbounded, Bound::Included(rest));
        let (text, _) = texts.by_text.range::<str, _>(upto).next_back()?;
        rest.starts_with(&**text).then_some(text.len())
    }

    /// The slice of this text; nothing where the text is none.
    pub(crate) fn of(&self, rules: &Rules, text: &str) -> Option<Arc<Facts>> {
        if let Some(known) = self.texts().by_text.get(text) {
            return Some(Arc::clone(known));
        }
        let limits = Limits { max_bytes: LARGEST_INPUT, max_depth: DEEPEST_INPUT };
        let facts: Vec<EntityFact> = read_as(text.as_bytes(), limits).ok()?;
        let entities = cedar::entities(rules, &facts).map(Arc::new).map_err(|unfit| unfit.reason);
        let made = Arc::new(Facts { facts, entities });
        if text.len() <= LONGEST {
            self.texts().keep(text, &made);
        }
        Some(made)
    }

    fn texts(&self) -> MutexGuard<'_, Texts> {
        // Nothing that holds the lock leaves the texts half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Texts {
    fn keep(&mut self, text: &str, made: &Arc<Facts>) {
        if self.by_text.len() >= MOST || self.bytes.saturating_add(text.len()) > MOST_BYTES {
            *self = Self::default();
        }
        if self.by_text.insert(text.into(), Arc::clone(made)).is_none() {
            self.bytes = self.bytes.saturating_add(text.len());
        }
    }
}

#[cfg(test)]
#[cfg(feature = "validate")]
mod tests {
    use super::*;
    use crate::Bundle;

    fn rules() -> Rules {
        let schema = "entity User, Agent, File;\naction read appliesTo { principal: [Agent], resource: [File] };\n";
        let config = "tiers = [\"low\"]\nstep_ups = [\"link\"]\n[types]\nperson = \"User\"\nsubjects = [\"Agent\"]\n";
        let files = [("bundle.toml", config), ("schema.cedarschema", schema)];
        Bundle::accept(&files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()).unwrap().rules
    }

    fn text(id: &str) -> String {
        format!(r#"[{{"attrs":{{}},"parents":[],"source":"unknown","uid":{{"id":"{id}","type":"File"}}}}]"#)
    }

    #[test]
    fn a_known_text_is_found_at_the_beginning_of_another_and_nowhere_else() {
        let rules = rules();
        let kept = KeptFacts::default();
        let texts: Vec<String> = ["a", "b", "ba", "c"].into_iter().map(text).collect();
        for text in &texts {
            assert_eq!(kept.known(text), None);
            assert!(kept.of(&rules, text).is_some());
            assert_eq!(kept.known(text), Some(text.len()));
        }
        for text in &texts {
            assert_eq!(kept.known(&format!("{text},\"locks\":[]}}")), Some(text.len()), "{text}");
            assert_eq!(kept.known(text.strip_suffix(']').unwrap()), None);
            assert_eq!(kept.known(&text.replacen('[', "[ ", 1)), None);
        }
        assert_eq!(kept.known(""), None);
        assert_eq!(kept.known("zzz"), None);
        assert!(kept.of(&rules, "[1]").is_none());
    }

    #[test]
    fn what_is_kept_is_bounded_and_the_same_as_what_is_made_anew() {
        let rules = rules();
        let kept = KeptFacts::default();
        for number in 0..1000 {
            let text = text(&number.to_string());
            let made = kept.of(&rules, &text).unwrap();
            let again = kept.of(&rules, &text).unwrap();
            assert!(Arc::ptr_eq(&made, &again), "{number}");
            let anew = cedar::entities(&rules, &made.facts).unwrap();
            assert!(made.entities.as_ref().is_ok_and(|entities| **entities == anew));
            let texts = kept.texts();
            assert!(texts.by_text.len() <= MOST && texts.bytes <= MOST_BYTES);
            let bytes: usize = texts.by_text.keys().map(|text| text.len()).sum();
            assert_eq!(bytes, texts.bytes);
        }
        let long = text(&"x".repeat(LONGEST));
        assert!(kept.of(&rules, &long).is_some());
        assert_eq!(kept.known(&long), None);
    }

    #[test]
    fn texts_are_kept_until_the_next_one_would_be_too_much() {
        let (rules, kept) = (rules(), KeptFacts::default());
        let overhead = text("").len();
        let of_size = |number: usize, size: usize| text(&format!("{number:0>width$}", width = size - overhead));
        let read = |number: usize, size: usize| drop(kept.of(&rules, &of_size(number, size)).unwrap());
        let fit = MOST_BYTES / LONGEST;
        (0..fit).for_each(|number| read(number, LONGEST));
        assert_eq!(fit, 8);
        for number in 0..fit {
            assert_eq!(kept.known(&of_size(number, LONGEST)), Some(LONGEST), "{number}");
        }
        read(fit, 1_000);
        assert_eq!(kept.texts().by_text.len(), 1);
        read(0, LONGEST + 1);
        assert_eq!(kept.texts().by_text.len(), 1);
        (1..MOST).for_each(|number| read(fit + number, 1_000));
        assert_eq!(kept.texts().by_text.len(), MOST);
        read(0, 1_000);
        assert_eq!(kept.texts().by_text.len(), 1);
    }
}
