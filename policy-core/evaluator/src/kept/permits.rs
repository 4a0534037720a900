//! Grants as Cedar's permits, by the whole grant: one that is used again is not compiled again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use policy_core::grant::Grant;

use crate::Rules;
use crate::compile::{CompileError, permit};
use crate::sliced::Judged;

/// How many are kept. One takes 5 to 8 KB.
const MOST: usize = 64;

/// Permits by the id of their grant.
#[derive(Debug, Default)]
pub(crate) struct KeptPermits(Mutex<BTreeMap<String, (Grant, Arc<Judged>)>>);

impl KeptPermits {
    /// The permit of this grant.
    pub(crate) fn of(&self, rules: &Rules, grant: &Grant) -> Result<Arc<Judged>, CompileError> {
        // INVARIANT (R3): the permit of this very grant, whatever else has its id.
        let known = |(kept, permit): &(Grant, Arc<Judged>)| (kept == grant).then(|| Arc::clone(permit));
        let mut permits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(permit) = permits.get(&grant.id).and_then(known) {
            return Ok(permit);
        }
        let judged = Arc::new(Judged::of(&permit(rules, grant)?));
        if permits.len() >= MOST {
            permits.clear();
        }
        permits.insert(grant.id.clone(), (grant.clone(), Arc::clone(&judged)));
        Ok(judged)
    }
}

#[cfg(test)]
#[cfg(feature = "validate")]
mod tests {
    use policy_core::digest::Digest;
    use policy_core::entity::EntityRef;
    use policy_core::grant::{ArgumentScope, ResourceScope, Scope};
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

    fn grant(number: usize, until: i64) -> Grant {
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
            id: format!("grant-{number}"),
            exception: "exception-1".to_owned(),
            version: 1,
            subject: EntityRef::new("Agent", "a"),
            task: "t".to_owned(),
            chain: Vec::new(),
            enforcement_point: "proxy".to_owned(),
            server: None,
            tool: None,
            action: "read".to_owned(),
            input_digest: Digest::of(b"{}"),
            input_names: Vec::new(),
            members: Vec::new(),
            scope,
        }
    }

    #[test]
    fn a_permit_is_that_of_the_whole_grant_and_few_are_kept() {
        let (rules, kept) = (rules(), KeptPermits::default());
        for number in 0..200 {
            let made = kept.of(&rules, &grant(number, 1)).unwrap();
            assert!(Arc::ptr_eq(&made, &kept.of(&rules, &grant(number, 1)).unwrap()), "{number}");
            // Another grant of the same id has a permit of its own.
            assert!(!Arc::ptr_eq(&made, &kept.of(&rules, &grant(number, 2)).unwrap()), "{number}");
            assert!(kept.0.lock().unwrap().len() <= MOST);
        }
        assert!(kept.of(&rules, &Grant { action: "nothing".to_owned(), ..grant(0, 1) }).is_err());
    }
}
