//! The entities of questions by the text that they stand in: an agent asks again and again about the same ones.

use std::sync::Arc;

use cedar_policy::Entities;
use policy_core::json::read_as;
use policy_core::outcome::Reason;
use policy_core::question::EntityFact;

use super::LIMITS;
use super::by_text::{Bounds, ByText};
use crate::{Rules, cedar};

/// What is made of a text takes some twenty times as much.
const BOUNDS: Bounds = Bounds { most: 128, bytes: 128 * 1024, longest: 16 * 1024 };

/// A slice, read and as Cedar has it.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) facts: Vec<EntityFact>,
    /// The entities, held against the schema; or why they do not fit it.
    pub(crate) entities: Result<Arc<Entities>, Reason>,
}

/// Slices by their text.
#[derive(Debug)]
pub(crate) struct KeptFacts(ByText<Facts>);

impl Default for KeptFacts {
    fn default() -> Self {
        Self(ByText::new(BOUNDS))
    }
}

impl KeptFacts {
    /// The known slice whose text `rest` begins with, and how long that is.
    pub(crate) fn at(&self, rest: &str) -> Option<(usize, Arc<Facts>)> {
        self.0.at(rest)
    }

    /// The slice of this text; nothing where the text is none.
    pub(crate) fn of(&self, rules: &Rules, text: &str) -> Option<Arc<Facts>> {
        if let Some(known) = self.0.of(text) {
            return Some(known);
        }
        let facts: Vec<EntityFact> = read_as(text.as_bytes(), LIMITS).ok()?;
        let entities = cedar::entities(rules, &facts).map(Arc::new).map_err(|unfit| unfit.reason);
        let made = Arc::new(Facts { facts, entities });
        self.0.keep(text, &made);
        Some(made)
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

    fn known(kept: &KeptFacts, rest: &str) -> Option<usize> {
        kept.at(rest).map(|(length, _)| length)
    }

    #[test]
    fn a_known_text_is_found_at_the_beginning_of_another_and_nowhere_else() {
        let rules = rules();
        let kept = KeptFacts::default();
        let texts: Vec<String> = ["a", "b", "ba", "c"].into_iter().map(text).collect();
        for text in &texts {
            assert_eq!(known(&kept, text), None);
            assert!(kept.of(&rules, text).is_some());
            assert_eq!(known(&kept, text), Some(text.len()));
        }
        for text in &texts {
            assert_eq!(known(&kept, &format!("{text},\"locks\":[]}}")), Some(text.len()), "{text}");
            assert_eq!(known(&kept, text.strip_suffix(']').unwrap()), None);
            assert_eq!(known(&kept, &text.replacen('[', "[ ", 1)), None);
        }
        assert_eq!((known(&kept, ""), known(&kept, "zzz")), (None, None));
        assert!(kept.of(&rules, "[1]").is_none() && known(&kept, "[1]").is_none());
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
        }
        let long = text(&"x".repeat(BOUNDS.longest));
        assert!(kept.of(&rules, &long).is_some());
        assert_eq!(known(&kept, &long), None);
    }
}
