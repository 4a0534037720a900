//! Grants as Cedar's permits, by the whole grant: one that is used again is not compiled again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use policy_core::entity::EntityRef;
use policy_core::grant::{ArgumentScope, Condition, Grant, Scalar, Test};
use policy_core::shared::Shared;
use smol_str::SmolStr;

use crate::Rules;
use crate::compile::{CompileError, permit};
use crate::sliced::Judged;

/// How many are kept. One of a plain grant takes 5 to 8 KB.
const MOST: usize = 64;
/// How many bytes their grants name in all. What is made of a byte takes some twenty times as much.
const MOST_BYTES: usize = 64 * 1_024;
/// The most that a grant names whose permit is kept at all.
const LONGEST: usize = 16 * 1_024;
/// What a grant names that names nothing but a call.
const PLAIN: usize = 256;
/// What each thing that a grant names takes besides its text.
const EACH: usize = 16;

/// Permits by the id of their grant.
#[derive(Debug, Default)]
pub(crate) struct KeptPermits(Mutex<Permits>);

#[derive(Debug, Default)]
struct Permits {
    by_id: BTreeMap<SmolStr, (Shared<Grant>, Arc<Judged>)>,
    bytes: usize,
}

impl KeptPermits {
    /// The permit of this grant.
    pub(crate) fn of(&self, rules: &Rules, grant: &Shared<Grant>) -> Result<Arc<Judged>, CompileError> {
        // INVARIANT (R3): the permit of this very grant, whatever else has its id.
        let known = |(kept, permit): &(Shared<Grant>, Arc<Judged>)| (kept == grant).then(|| Arc::clone(permit));
        let mut permits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(permit) = permits.by_id.get(&grant.id).and_then(known) {
            return Ok(permit);
        }
        let judged = Arc::new(Judged::of(&permit(rules, grant)?));
        permits.keep(grant, &judged);
        Ok(judged)
    }
}

impl Permits {
    fn keep(&mut self, grant: &Shared<Grant>, judged: &Arc<Judged>) {
        let bytes = named(grant);
        if bytes > LONGEST {
            return;
        }
        if self.by_id.len() >= MOST || self.bytes.saturating_add(bytes) > MOST_BYTES {
            *self = Self::default();
        }
        self.bytes = self.bytes.saturating_add(bytes);
        // Another grant of the same id takes its place, and the bytes of both count until all is dropped.
        self.by_id.insert(grant.id.clone(), (grant.clone(), Arc::clone(judged)));
    }
}

/// About how many bytes a grant names, in which its permit grows.
fn named(grant: &Grant) -> usize {
    let conditions = match &grant.scope.arguments {
        ArgumentScope::Exact => &[][..],
        ArgumentScope::Conditions(conditions) => conditions,
    };
    let members = grant.members.iter().map(entity);
    let chain = grant.chain.iter().map(|hop| entity(&hop.entity));
    let texts = conditions.iter().map(condition).chain(grant.input_names.iter().map(SmolStr::len));
    members.chain(chain).chain(texts).fold(PLAIN, usize::saturating_add)
}

fn condition(condition: &Condition) -> usize {
    let test = match &condition.test {
        Test::Equals { value } => scalar(value),
        Test::OneOf { values } => values.iter().map(scalar).fold(0, usize::saturating_add),
        Test::Between { .. } => EACH,
        Test::Inside { path } => path.len(),
    };
    condition.at.iter().map(String::len).fold(test, usize::saturating_add).saturating_add(EACH)
}

fn scalar(scalar: &Scalar) -> usize {
    match scalar {
        Scalar::Bool(_) | Scalar::Long(_) => EACH,
        Scalar::String(text) => text.len().saturating_add(EACH),
        Scalar::Entity(uid) => entity(uid),
    }
}

fn entity(uid: &EntityRef) -> usize {
    uid.kind.len().saturating_add(uid.id.len()).saturating_add(EACH)
}

#[cfg(test)]
#[cfg(feature = "validate")]
mod tests {
    use policy_core::digest::Digest;
    use policy_core::grant::{ResourceScope, Scope};
    use policy_core::time::Timestamp;

    use super::*;
    use crate::Bundle;

    fn rules() -> Rules {
        let schema = "entity User, Agent, File;
            action read appliesTo { principal: [Agent], resource: [File],
                context: { now: datetime, task: String, input_digest: String } };";
        let config = "tiers = [\"low\"]\nstep_ups = [\"link\"]\n[types]\nperson = \"User\"\nsubjects = [\"Agent\"]\n";
        let files = [("bundle.toml", config), ("schema.cedarschema", schema)];
        Bundle::accept(&files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()).unwrap().rules
    }

    fn plain(number: usize, until: i64) -> Grant {
        let scope = Scope {
            resource: ResourceScope::Is(EntityRef::new("File", "f")),
            arguments: ArgumentScope::Exact,
            not_before: None,
            not_after: Timestamp::from_millis(until),
            max_uses: 1,
            valid_for: None,
            rate: None,
            budgets: Vec::new(),
        };
        Grant {
            id: format!("grant-{number}").into(),
            exception: "exception-1".into(),
            version: 1,
            subject: EntityRef::new("Agent", "a"),
            task: "t".into(),
            chain: Vec::new(),
            enforcement_point: "proxy".into(),
            server: None,
            tool: None,
            action: "read".into(),
            input_digest: Digest::of(b"{}"),
            input_names: Vec::new(),
            members: Vec::new(),
            scope,
        }
    }

    fn grant(number: usize, until: i64) -> Shared<Grant> {
        plain(number, until).into()
    }

    #[test]
    fn a_permit_is_that_of_the_whole_grant_and_few_are_kept() {
        let (rules, kept) = (rules(), KeptPermits::default());
        for number in 0..200 {
            let made = kept.of(&rules, &grant(number, 1)).unwrap();
            assert!(Arc::ptr_eq(&made, &kept.of(&rules, &grant(number, 1)).unwrap()), "{number}");
            // Another grant of the same id has a permit of its own.
            assert!(!Arc::ptr_eq(&made, &kept.of(&rules, &grant(number, 2)).unwrap()), "{number}");
            assert!(kept.0.lock().unwrap().by_id.len() <= MOST);
        }
        // Grants that name much are few, and one that names most of all is not kept.
        let naming = |number: usize, members: usize| {
            let member = |number: usize| EntityRef::new("File", format!("{number:0>240}"));
            Shared::from(Grant { members: (0..members).map(member).collect(), ..plain(number, 1) })
        };
        for number in 0..100 {
            let large = naming(number, 50);
            let made = kept.of(&rules, &large).unwrap();
            assert!(Arc::ptr_eq(&made, &kept.of(&rules, &large).unwrap()), "{number}");
            let permits = kept.0.lock().unwrap();
            let bytes: usize = permits.by_id.values().map(|(grant, _)| named(grant)).sum();
            assert!(bytes <= permits.bytes && permits.bytes <= MOST_BYTES, "{bytes} of {}", permits.bytes);
        }
        let largest = naming(0, 256);
        assert!(!Arc::ptr_eq(&kept.of(&rules, &largest).unwrap(), &kept.of(&rules, &largest).unwrap()));
        assert!(kept.of(&rules, &Grant { action: "nothing".into(), ..plain(0, 1) }.into()).is_err());
    }

    #[test]
    fn permits_are_kept_until_the_next_one_would_be_too_much() {
        let rules = rules();
        // Members of 260 bytes, and one of what is left.
        let of_size = |number: usize, size: usize| {
            let mut left = size - PLAIN;
            let mut members = Vec::new();
            while left > 0 {
                let take = if left > 300 { 260 } else { left };
                let at = members.len();
                members.push(EntityRef::new(
                    "File",
                    format!("{at}-{number:0>width$}", width = take - 21 - at.to_string().len()),
                ));
                left -= take;
            }
            let made = Shared::from(Grant { members, ..plain(number, 1) });
            assert_eq!(named(&made), size);
            made
        };
        let kept = KeptPermits::default();
        let is_kept = |grant: &Shared<Grant>| {
            let permit = kept.of(&rules, grant).unwrap();
            Arc::ptr_eq(&permit, &kept.of(&rules, grant).unwrap())
        };
        assert!(!is_kept(&of_size(0, LONGEST + 1)));
        let fit = MOST_BYTES / LONGEST;
        assert!((0..fit).all(|number| is_kept(&of_size(number, LONGEST))));
        assert_eq!((kept.0.lock().unwrap().by_id.len(), fit), (4, 4));
        assert!(is_kept(&grant(fit, 1)));
        assert_eq!(kept.0.lock().unwrap().by_id.len(), 1);
        assert!((1..MOST).all(|number| is_kept(&grant(fit + number, 1))));
        assert_eq!(kept.0.lock().unwrap().by_id.len(), MOST);
        assert!(is_kept(&grant(0, 1)));
        assert_eq!(kept.0.lock().unwrap().by_id.len(), 1);
    }

    #[test]
    fn a_grant_names_what_its_conditions_name() {
        let text = |length: usize| Scalar::String("x".repeat(length));
        let of = |test: Test| {
            let mut grant = grant(0, 1);
            grant.scope.arguments =
                ArgumentScope::Conditions(vec![Condition { at: vec!["mail".to_owned(), "to".to_owned()], test }]);
            named(&grant) - PLAIN - "mailto".len() - EACH
        };
        assert_eq!(of(Test::Equals { value: Scalar::Long(7) }), EACH);
        assert_eq!(of(Test::Equals { value: text(40) }), 40 + EACH);
        assert_eq!(
            of(Test::OneOf { values: vec![text(3), Scalar::Entity(EntityRef::new("File", "f"))] }),
            3 + 5 + 2 * EACH
        );
        assert_eq!(of(Test::Between { min: 0, max: 9 }), EACH);
        assert_eq!(of(Test::Inside { path: "/reports".to_owned() }), "/reports".len());
    }
}
