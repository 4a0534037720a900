//! Which grants may be live for a subject and a task.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use policy_core::entity::EntityRef;
use policy_core::grant::Grant;
use policy_core::shared::Shared;

use crate::app::GrantIndex;

/// Live grants by subject and task, in memory. Says where to look, never what is allowed. It copies nothing: each grant in
/// it is the state's own.
#[derive(Debug, Default)]
pub struct LiveGrants(RwLock<BTreeSet<Place>>);

/// A place in the order: by subject, then task, then id.
#[derive(Debug)]
enum Place {
    /// A grant's.
    Of(Shared<Grant>),
    /// Before every grant of a subject and task.
    Before(Box<(EntityRef, String)>),
}

impl Place {
    fn key(&self) -> (&EntityRef, &str, &str) {
        match self {
            Self::Of(grant) => (&grant.subject, &grant.task, &grant.id),
            Self::Before(holder) => (&holder.0, &holder.1, ""),
        }
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Place {}

impl LiveGrants {
    fn read(&self) -> RwLockReadGuard<'_, BTreeSet<Place>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeSet<Place>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GrantIndex for LiveGrants {
    fn insert(&self, grant: &Shared<Grant>) {
        self.write().replace(Place::Of(grant.clone()));
    }

    fn remove(&self, grant: &Shared<Grant>) {
        self.write().remove(&Place::Of(grant.clone()));
    }

    fn clear(&self) {
        self.write().clear();
    }

    fn find(&self, subject: &EntityRef, task: &str) -> Vec<String> {
        let first = Place::Before(Box::new((subject.clone(), task.to_owned())));
        let grants = self.read();
        let keys = grants.range(first..).map(Place::key);
        keys.take_while(|(of, within, _)| *of == subject && *within == task).map(|(.., id)| id.to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use policy_core::digest::Digest;
    use policy_core::grant::{ArgumentScope, ResourceScope, Scope};
    use policy_core::time::Timestamp;

    use super::*;

    fn grant(id: &str, subject: &str, task: &str) -> Shared<Grant> {
        let grant = Grant {
            id: id.into(),
            exception: format!("exc_{id}").into(),
            version: 1,
            subject: EntityRef::new("Agent", subject),
            task: task.into(),
            chain: Vec::new(),
            enforcement_point: "proxy".into(),
            server: None,
            tool: None,
            action: "write".into(),
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
        };
        grant.into()
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

        // Each is removed as what it is, however often it came; of another subject's it is another.
        index.insert(&grant("g1", "a", "t"));
        for other in [grant("g1", "a", "t"), grant("g2", "b", "t"), grant("nobody", "a", "t")] {
            index.remove(&other);
        }
        assert_eq!(found("a", "t"), ["g2"]);
        assert_eq!(found("b", "t"), ["g4"]);

        index.clear();
        assert!(found("a", "u").is_empty());
    }

    #[test]
    fn a_grant_is_held_and_not_copied() {
        let (index, held) = (LiveGrants::default(), grant("g1", "a", "t"));
        index.insert(&held);
        assert!(index.read().iter().all(|place| matches!(place, Place::Of(grant) if grant.is(&held))));
        // What the state holds since is what the index holds.
        let since = grant("g1", "a", "t");
        index.insert(&since);
        assert!(index.read().iter().all(|place| matches!(place, Place::Of(grant) if grant.is(&since))));
    }
}
