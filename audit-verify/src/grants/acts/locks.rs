//! Locks, as far as somebody lifts them: what was locked, by whom, until when, and who wants it lifted.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::time::Instant;
use super::super::wire::{Entity, Gate, Presence};
use super::super::{GrantFault, REMEMBERED, name};
use super::bundle::Bundle;
use crate::hash::{TreeHash, sha256};

/// The locks that may be lifted.
#[derive(Debug, Default)]
pub(super) struct Locks {
    held: BTreeMap<String, Lock>,
    /// Whether the clock is in doubt: then nothing ends by time.
    doubted: bool,
}

#[derive(Debug)]
struct Lock {
    /// The digest of it, as its person was shown it.
    digest: String,
    target: Value,
    by: String,
    groups: Vec<String>,
    until: Option<Instant>,
    /// Who wants it lifted, and what that was shown with.
    lifting: BTreeMap<String, Presence>,
}

impl Locks {
    /// Takes a lock that is set.
    pub fn set(&mut self, gate: &Gate) {
        let Some((lock, id)) = gate.lock.as_ref().and_then(|lock| Some((lock, lock.get("id")?.as_str()?))) else {
            return;
        };
        let by = gate.by.as_ref().and_then(|by| serde_json::from_value::<Entity>(by.clone()).ok());
        let held = Lock {
            digest: digest(lock),
            target: lock.get("target").cloned().unwrap_or_default(),
            by: by.as_ref().map(name).unwrap_or_default(),
            groups: gate.groups.clone(),
            until: gate.until,
            lifting: BTreeMap::new(),
        };
        self.held.insert(id.to_owned(), held);
    }

    /// Takes that one goes on.
    pub fn renew(&mut self, gate: &Gate) {
        if let Some(held) = gate.id.as_ref().and_then(|id| self.held.get_mut(id)) {
            held.until = gate.until;
        }
    }

    /// Takes that the clock is in doubt, or no more.
    pub const fn doubt(&mut self, doubted: bool) {
        self.doubted = doubted;
    }

    /// Forgets what ended by itself long before this, whatever the gate's clock was set back by since.
    pub fn forget(&mut self, now: Instant) {
        if !self.doubted {
            self.held.retain(|_, lock| lock.until.is_none_or(|until| now < until.plus_millis(REMEMBERED)));
        }
    }

    /// The digest of a lock that is in force, of which somebody who is not concerned wants that it is lifted.
    ///
    /// # Errors
    /// `lift_not_allowed` for one that is none, has ended, or is on whoever wants it lifted.
    pub fn shown(&self, id: &str, person: &Entity, now: Option<Instant>) -> Result<&str, GrantFault> {
        let ended = |lock: &&Lock| !self.doubted && lock.until.is_some_and(|until| now.is_some_and(|now| now >= until));
        let held = self.held.get(id).filter(|lock| !ended(lock));
        let held = held.ok_or_else(|| GrantFault::NoLock(id.to_owned()))?;
        let on = held.target.get("person").and_then(|on| serde_json::from_value::<Entity>(on.clone()).ok());
        if on.as_ref() == Some(person) {
            return Err(GrantFault::OwnLock { id: id.to_owned(), person: name(person) });
        }
        Ok(&held.digest)
    }

    /// Takes that somebody wants it lifted.
    pub fn wanted(&mut self, id: &str, person: &Entity, shown: Presence) {
        if let Some(held) = self.held.get_mut(id) {
            held.lifting.insert(name(person), shown);
        }
    }

    /// Takes that somebody lifts it: alone where they set it, or are in a group of who did; else as the second of two.
    /// `first`: at least this was demanded of the other.
    ///
    /// # Errors
    /// `lift_not_allowed` for one who was neither.
    pub fn lift(
        &mut self,
        id: &str,
        person: &Entity,
        (bundle, first): (Option<&Bundle>, Presence),
    ) -> Result<(), GrantFault> {
        let Some(held) = self.held.remove(id) else { return Ok(()) };
        let by = name(person);
        let second = held.lifting.iter().any(|(other, shown)| *other != by && *shown >= first);
        // Where the record does not hold who is in which group, nobody can tell.
        let ours = bundle.is_none_or(|bundle| bundle.is_in(person, &held.groups).unwrap_or(true));
        if held.by == by || second || ours {
            return Ok(());
        }
        Err(GrantFault::LiftedByOne { id: id.to_owned(), person: by })
    }

    /// How many are remembered.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.held.len()
    }
}

/// The digest of what somebody was shown. The record is canonical JSON, and so is what is read from it.
pub(super) fn digest(shown: &Value) -> String {
    TreeHash::from_bytes(sha256(shown.to_string().as_bytes())).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn locked(id: &str, until: Option<&str>) -> Gate {
        let mut event = json!({"kind": "locked", "lock": {"id": id, "target": {"task": "t"}}, "by": {"type": "User", "id": "mara"}});
        if let Some(until) = until {
            event["until"] = json!(until);
        }
        serde_json::from_value(event).unwrap()
    }

    fn at(text: &str) -> Instant {
        Instant::read(text).unwrap()
    }

    #[test]
    fn what_ended_by_time_is_forgotten_a_day_later_and_nothing_else() {
        let mut locks = Locks::default();
        for (id, until) in
            [("a", Some("2026-11-22T12:00:00.000Z")), ("b", Some("2026-11-23T12:00:00.000Z")), ("c", None)]
        {
            locks.set(&locked(id, until));
        }
        locks.forget(at("2026-11-23T11:59:59.999Z"));
        assert_eq!(locks.count(), 3);
        locks.doubt(true);
        locks.forget(at("2026-11-23T12:00:00.000Z"));
        assert_eq!(locks.count(), 3, "while the clock is in doubt nothing has ended");
        locks.doubt(false);
        locks.forget(at("2026-11-23T12:00:00.000Z"));
        assert_eq!(locks.count(), 2);
        let renewed = json!({"kind": "lock_renewed", "id": "b", "until": "2026-11-30T12:00:00.000Z"});
        locks.renew(&serde_json::from_value(renewed).unwrap());
        locks.forget(at("2026-11-30T12:00:00.000Z"));
        assert_eq!(locks.count(), 2, "what was renewed goes on");
        locks.forget(at("2027-11-30T12:00:00.000Z"));
        assert_eq!(locks.count(), 1, "what has no end stays until it is lifted");
    }
}
