//! How often one person does within an hour what is a record each time and has no end of its own: made and ended, proposed
//! and taken back, said one way and then the other.
//!
//! Stops are not counted: no refusal, lock, renewal or revoke is refused because there were many (R7).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use policy_core::entity::EntityRef;

use super::credentials::Brought;
use crate::app::App;
use crate::app::refusal::{Refusal, RefusalKind};

/// What is counted, each by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::app) enum Often {
    /// Bundles and modules that are proposed.
    Bundles,
    /// Links for the command line.
    Links,
    /// Passkeys that are added.
    Passkeys,
    /// Sign-ins by a passkey or a provider, and fresh authentications: the ways in that are nobody's to hand out.
    SignIns,
    /// Invitations and accounts that are proposed.
    Members,
    /// Erasures that are proposed.
    Erasures,
    /// Further votes on what somebody has voted on before: questions, and approvals taken back and given again. A first
    /// vote is counted with the requests, and a refusal never.
    VotesAgain,
    /// What is said of findings.
    Findings,
    /// Judgements of closed exceptions, of which the last one stands.
    Judgements,
}

impl Often {
    /// So many an hour: more than anybody does by hand, less than what would fill a disk.
    pub const fn most(self) -> u32 {
        match self {
            Self::Bundles => 20,
            Self::Links | Self::Passkeys | Self::Erasures => 60,
            Self::VotesAgain => 120,
            Self::Members | Self::SignIns => 240,
            Self::Findings | Self::Judgements => 300,
        }
    }

    /// What somebody has done so often.
    const fn says(self) -> &'static str {
        match self {
            Self::Bundles => "proposed bundles and modules",
            Self::Links => "made links for the command line",
            Self::Passkeys => "added passkeys",
            Self::SignIns => "signed in",
            Self::Members => "proposed invitations and accounts",
            Self::Erasures => "proposed erasures",
            Self::VotesAgain => "voted again on what you had voted on",
            Self::Findings => "said something of findings",
            Self::Judgements => "judged exceptions",
        }
    }
}

/// Who did what within the hour. In memory alone, as all limits are.
#[derive(Debug, Default)]
pub(super) struct Hours(Mutex<BTreeMap<Often, Brought>>);

impl Hours {
    fn take(&self, often: Often, person: &EntityRef, now: u64) -> Result<Slot<'_>, u32> {
        let mut hours = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hours.entry(often).or_default().take(person, often.most(), now)?;
        Ok(Slot { hours: self, often, person: person.clone(), at: now, is_spent: false })
    }
}

/// One more of somebody's hour. It is theirs again where it is dropped before it was spent: what is refused is no record.
#[derive(Debug)]
#[must_use]
pub(in crate::app) struct Slot<'a> {
    hours: &'a Hours,
    often: Often,
    person: EntityRef,
    at: u64,
    is_spent: bool,
}

impl Slot<'_> {
    /// It is recorded, or cost as much as if it were.
    pub fn spent(mut self) {
        self.is_spent = true;
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        if self.is_spent {
            return;
        }
        let mut hours = self.hours.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(brought) = hours.get_mut(&self.often) {
            brought.give_back(&self.person, self.at);
        }
    }
}

impl App {
    /// One more of what this person does so often within an hour, held while it is done: as many at once are as many.
    ///
    /// # Errors
    /// In how many seconds there is one again.
    pub(in crate::app) fn slot_of_hour(&self, often: Often, person: &EntityRef) -> Result<Slot<'_>, u32> {
        self.limits().hours.take(often, person, self.boot())
    }

    /// The same, where it is refused by the code that all of these have.
    ///
    /// # Errors
    /// `too_often`.
    pub(in crate::app) fn slot(&self, often: Often, person: &EntityRef) -> Result<Slot<'_>, Refusal> {
        self.slot_of_hour(often, person).map_err(|wait| {
            let detail = format!("you have {} {} times within the hour", often.says(), often.most());
            Refusal::new(RefusalKind::TooMany, "too_often", detail).retry_after(wait)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(id: &str) -> EntityRef {
        EntityRef::new("User", id)
    }

    #[test]
    fn each_person_has_an_hour_of_each_kind() {
        let hours = Hours::default();
        for number in 0..Often::Links.most() {
            hours.take(Often::Links, &person("mara"), 1_000).unwrap_or_else(|wait| panic!("{number}: {wait}")).spent();
        }
        assert_eq!(hours.take(Often::Links, &person("mara"), 2_000).err(), Some(3_599));
        hours.take(Often::Links, &person("jun"), 2_000).unwrap().spent();
        hours.take(Often::Passkeys, &person("mara"), 2_000).unwrap().spent();
        hours.take(Often::Links, &person("mara"), 3_601_000).unwrap().spent();
    }

    #[test]
    fn what_comes_to_nothing_takes_nothing_and_what_is_under_way_counts() {
        let hours = Hours::default();
        let mut under_way: Vec<Slot<'_>> =
            (0..Often::Bundles.most()).map(|_| hours.take(Often::Bundles, &person("kit"), 7).unwrap()).collect();
        assert!(hours.take(Often::Bundles, &person("kit"), 7).is_err(), "so many at once are so many");
        under_way.pop().unwrap().spent();
        assert!(hours.take(Often::Bundles, &person("kit"), 8).is_err());
        drop(under_way.pop());
        hours.take(Often::Bundles, &person("kit"), 8).unwrap().spent();
        assert!(hours.take(Often::Bundles, &person("kit"), 9).is_err());
        drop(under_way);
        for _ in 0..Often::Bundles.most() - 2 {
            hours.take(Often::Bundles, &person("kit"), 9).unwrap().spent();
        }
        assert!(hours.take(Often::Bundles, &person("kit"), 9).is_err());
    }
}
