//! Passkeys of people, as the record knows them: whose each is, its public key, and what became of it.
//!
//! What an authenticator answers is verified by `audit_verify::webauthn`, and what that is worth is decided by use
//! cases.

use std::collections::BTreeMap;

use policy_core::entity::EntityRef;
use policy_core::sabotaged;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A passkey as it was added. Persisted and hashed: every member is for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// The public id.
    pub id: String,
    /// Whose.
    pub person: EntityRef,
    /// The credential's id, in base64url.
    pub credential: String,
    /// The public key: COSE in CBOR, in base64url.
    pub key: String,
    /// What it signs with: `ES256` or `EdDSA`.
    pub algorithm: String,
    /// For which name it is.
    pub rp_id: String,
    /// At which address it was added.
    pub origin: String,
    /// What its person calls it.
    pub label: String,
    /// How often it had been used before. Zero: it does not count.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub counter: u32,
    /// Whether it may be in several places.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub backup_eligible: bool,
    /// Whether it is the first that this person ever had.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first: bool,
    /// Whether the session that added it was made under the gate's own operating-system user (R4).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same_user: bool,
    /// The session that added it.
    pub session: String,
    /// When.
    pub added_at: Timestamp,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// What became of a passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// It signs.
    Live,
    /// Its counter showed that there is a copy of it.
    Suspended,
    /// It was ended, or its person left.
    Ended,
    /// It is of before the gate was restored.
    EarlierEpoch,
}

impl Standing {
    /// The word, as in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Suspended => "suspended",
            Self::Ended => "ended",
            Self::EarlierEpoch => "earlier_epoch",
        }
    }
}

/// A passkey as it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HeldPasskey {
    /// As it was added.
    pub passkey: Passkey,
    /// The counter that it last showed.
    pub counter: u32,
    /// What became of it.
    pub standing: Standing,
    /// When it was last used, as far as that was written down.
    pub used_at: Option<Timestamp>,
    /// When it was ended, where it was.
    pub ended_at: Option<Timestamp>,
}

impl HeldPasskey {
    /// Whether it signs.
    pub fn is_live(&self) -> bool {
        self.standing == Standing::Live || sabotaged!("r7_ended_passkey_signs")
    }

    /// Whether its person comes in by it, or did until `lately`. What a copy suspended is theirs still; of what a
    /// restore made void nobody knows whether it had ended.
    pub fn is_way_in(&self, lately: impl Fn(Timestamp) -> bool) -> bool {
        match self.standing {
            Standing::Live | Standing::Suspended => true,
            Standing::Ended => self.ended_at.is_some_and(lately),
            Standing::EarlierEpoch => false,
        }
    }

    /// Whether a counter is one that this passkey, and no copy of it, shows next.
    pub const fn has_grown(&self, counter: u32) -> bool {
        counter > self.counter || (counter == 0 && self.counter == 0)
    }
}

/// All passkeys.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Passkeys {
    by_id: BTreeMap<String, HeldPasskey>,
    by_credential: BTreeMap<String, String>,
}

impl Passkeys {
    /// One was added.
    pub(super) fn add(&mut self, passkey: &Passkey) {
        self.by_credential.insert(passkey.credential.clone(), passkey.id.clone());
        let (counter, standing) = (passkey.counter, Standing::Live);
        let held = HeldPasskey { passkey: passkey.clone(), counter, standing, used_at: None, ended_at: None };
        self.by_id.insert(passkey.id.clone(), held);
    }

    /// One was used.
    pub(super) fn used(&mut self, id: &str, counter: u32, at: Timestamp) {
        if let Some(held) = self.by_id.get_mut(id) {
            held.counter = held.counter.max(counter);
            held.used_at = Some(at);
        }
    }

    /// One is over.
    pub(super) fn over(&mut self, id: &str, standing: Standing, at: Timestamp) {
        if let Some(held) = self.by_id.get_mut(id).filter(|held| held.standing != Standing::Ended) {
            // What a restore had made void before was no way in any more.
            held.ended_at = (held.standing != Standing::EarlierEpoch).then_some(at);
            held.standing = standing;
        }
    }

    /// The gate was restored: one may have been ended after the backup was made, so none of before signs (R7).
    pub(super) fn begin_epoch(&mut self) {
        let live = self.by_id.values_mut().filter(|held| held.standing == Standing::Live);
        live.for_each(|held| held.standing = Standing::EarlierEpoch);
    }

    /// Somebody left.
    pub(super) fn depart(&mut self, person: &EntityRef, at: Timestamp) {
        let theirs = self.by_id.values().filter(|held| held.passkey.person == *person);
        let theirs: Vec<String> = theirs.map(|held| held.passkey.id.clone()).collect();
        theirs.iter().for_each(|id| self.over(id, Standing::Ended, at));
    }

    /// By its public id.
    pub fn get(&self, id: &str) -> Option<&HeldPasskey> {
        self.by_id.get(id)
    }

    /// By its credential.
    pub fn by_credential(&self, credential: &str) -> Option<&HeldPasskey> {
        self.by_id.get(self.by_credential.get(credential)?)
    }

    /// Those of a person, oldest first.
    pub fn of(&self, person: &EntityRef) -> Vec<&HeldPasskey> {
        let mut held: Vec<_> = self.by_id.values().filter(|held| held.passkey.person == *person).collect();
        held.sort_by(|a, b| (a.passkey.added_at, &a.passkey.id).cmp(&(b.passkey.added_at, &b.passkey.id)));
        held
    }

    /// The ids of those that sign.
    pub fn live(&self) -> impl Iterator<Item = &String> {
        self.by_id.iter().filter(|(_, held)| held.standing == Standing::Live).map(|(id, _)| id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passkey(id: &str, counter: u32) -> Passkey {
        Passkey {
            id: id.to_owned(),
            person: EntityRef::new("User", "mara"),
            credential: format!("credential of {id}"),
            key: String::new(),
            algorithm: "ES256".to_owned(),
            rp_id: "gate.example".to_owned(),
            origin: "https://gate.example".to_owned(),
            label: "laptop".to_owned(),
            counter,
            backup_eligible: false,
            first: true,
            same_user: false,
            session: "pvs_1".to_owned(),
            added_at: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn a_counter_grows_or_there_is_none() {
        let mut all = Passkeys::default();
        all.add(&passkey("a", 0));
        all.add(&passkey("b", 3));
        let grown = |all: &Passkeys, id: &str, counter| all.get(id).unwrap().has_grown(counter);
        assert!(grown(&all, "a", 0) && grown(&all, "a", 1));
        assert!(grown(&all, "b", 4) && !grown(&all, "b", 3) && !grown(&all, "b", 2) && !grown(&all, "b", 0));
        all.used("a", 7, Timestamp::from_millis(1));
        assert!(!grown(&all, "a", 0) && !grown(&all, "a", 7) && grown(&all, "a", 8));
    }

    #[test]
    fn what_has_ended_stays_ended() {
        let mut all = Passkeys::default();
        all.add(&passkey("a", 0));
        all.over("a", Standing::Ended, Timestamp::from_millis(5));
        all.over("a", Standing::Suspended, Timestamp::from_millis(6));
        all.begin_epoch();
        assert_eq!(all.get("a").unwrap().standing, Standing::Ended);
        all.add(&passkey("b", 0));
        all.begin_epoch();
        assert_eq!(all.get("b").unwrap().standing, Standing::EarlierEpoch);
        assert_eq!(all.live().count(), 0);
        assert_eq!(all.by_credential("credential of b").unwrap().passkey.id, "b");
    }
}
