//! Which grants may be live for a subject and a task.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use policy_core::entity::EntityRef;
use policy_core::grant::Grant;

use crate::app::GrantIndex;

/// Live grants by subject and task, in memory. Says where to look, never what is allowed.
#[derive(Debug, Default)]
pub struct LiveGrants(RwLock<Shelves>);

#[derive(Debug, Default)]
struct Shelves {
    by_holder: BTreeMap<EntityRef, BTreeMap<String, BTreeSet<String>>>,
    holder_of: BTreeMap<String, (EntityRef, String)>,
}

impl Shelves {
    fn remove(&mut self, id: &str) {
        let Some((subject, task)) = self.holder_of.remove(id) else { return };
        let Some(tasks) = self.by_holder.get_mut(&subject) else { return };
        if let Some(grants) = tasks.get_mut(&task) {
            grants.remove(id);
            if grants.is_empty() {
                tasks.remove(&task);
            }
        }
        if tasks.is_empty() {
            self.by_holder.remove(&subject);
        }
    }
}

impl LiveGrants {
    fn read(&self) -> RwLockReadGuard<'_, Shelves> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Shelves> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GrantIndex for LiveGrants {
    fn insert(&self, grant: &Grant) {
        let mut shelves = self.write();
        shelves.remove(&grant.id);
        shelves.holder_of.insert(grant.id.clone(), (grant.subject.clone(), grant.task.clone()));
        let tasks = shelves.by_holder.entry(grant.subject.clone()).or_default();
        tasks.entry(grant.task.clone()).or_default().insert(grant.id.clone());
    }

    fn remove(&self, id: &str) {
        self.write().remove(id);
    }

    fn clear(&self) {
        *self.write() = Shelves::default();
    }

    fn find(&self, subject: &EntityRef, task: &str) -> Vec<String> {
        let shelves = self.read();
        let grants = shelves.by_holder.get(subject).and_then(|tasks| tasks.get(task));
        grants.map(|grants| grants.iter().cloned().collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use policy_core::digest::Digest;
    use policy_core::grant::{ArgumentScope, ResourceScope, Scope};
    use policy_core::time::Timestamp;

    use super::*;

    fn grant(id: &str, subject: &str, task: &str) -> Grant {
        Grant {
            id: id.to_owned(),
            exception: format!("exc_{id}"),
            version: 1,
            subject: EntityRef::new("Agent", subject),
            task: task.to_owned(),
            chain: Vec::new(),
            enforcement_point: "proxy".to_owned(),
            server: None,
            tool: None,
            action: "write".to_owned(),
            scope: Scope {
                resource: ResourceScope::Is(EntityRef::new("File", "a")),
                arguments: ArgumentScope::Exact,
                not_before: None,
                not_after: Timestamp::from_millis(1),
                max_uses: 1,
                valid_for: None,
                rate: None,
                budgets: Vec::new(),
            },
            members: Vec::new(),
            input_digest: Digest::of(b"null"),
            input_names: Vec::new(),
        }
    }

    #[test]
    fn finds_by_subject_and_task_and_forgets_what_is_over() {
        let index = LiveGrants::default();
        for (id, subject, task) in [("g1", "a", "t"), ("g2", "a", "t"), ("g3", "a", "u"), ("g4", "b", "t")] {
            index.insert(&grant(id, subject, task));
        }
        let found = |subject: &str, task: &str| index.find(&EntityRef::new("Agent", subject), task);
        assert_eq!(found("a", "t"), ["g1", "g2"]);
        assert_eq!(found("a", "u"), ["g3"]);
        assert_eq!(found("b", "t"), ["g4"]);
        assert!(found("b", "u").is_empty());

        index.remove("g1");
        index.remove("nobody");
        assert_eq!(found("a", "t"), ["g2"]);
        // An id that comes again for somebody else is found there only.
        index.insert(&grant("g2", "b", "u"));
        assert!(found("a", "t").is_empty());
        assert_eq!(found("b", "u"), ["g2"]);

        index.clear();
        assert!(found("a", "u").is_empty());
    }
}
