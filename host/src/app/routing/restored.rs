//! Who is told after a restore: those who may confirm what waits, once for each epoch, and each person once however much
//! waits for them.

use std::collections::BTreeMap;

use policy_core::lifecycle::{Exception, effective_state};
use policy_core::time::Timestamp;

use super::event::{Notice, RoutingEvent};
use super::message::{Message, first_groups, to_webhook};
use crate::app::App;
use crate::app::append::canonical;
use crate::app::event::LedgerEvent;
use crate::app::refusal::Refusal;
use crate::store::{AppendError, Outgoing, StoreError, VersionKey};

/// Why a delivery of before an epoch waits for a person.
const WITHHELD: &str =
    "it tells of what was before the record was restored, and the gate that was lost may have sent it";

/// What is told to whom, by how many exceptions wait there.
#[derive(Default)]
struct Waiting {
    people: BTreeMap<policy_core::entity::EntityRef, u64>,
    groups: BTreeMap<String, u64>,
    webhooks: BTreeMap<String, u64>,
}

impl App {
    /// Tells those who may confirm what an epoch has made wait, where nobody was told yet.
    pub(super) async fn tell_of_epoch(&self, now: Timestamp) -> Result<(), Refusal> {
        let (number, exceptions, expected) = {
            let state = self.state();
            let number = state.epoch();
            if number <= 1 || state.routing.epoch_told() >= number {
                return Ok(());
            }
            let waits = |exception: &&Exception| effective_state(exception, now).word == "unconfirmed";
            let exceptions = state.exceptions.values().map(|entry| &entry.exception).filter(waits);
            let keys = [VersionKey::Deputies, VersionKey::Bundle];
            (number, exceptions.cloned().collect::<Vec<_>>(), keys.map(|key| state.version(key)).to_vec())
        };
        if exceptions.is_empty() {
            return Ok(());
        }
        let mut waiting = Waiting::default();
        for exception in &exceptions {
            self.add(&mut waiting, exception, now).await?;
        }
        let mut outbox = Vec::new();
        for (person, count) in &waiting.people {
            outbox.extend(self.mails(&self.told_of(number, *count, now)?, std::slice::from_ref(person), &[]));
        }
        for (group, count) in &waiting.groups {
            outbox.extend(self.mails(&self.told_of(number, *count, now)?, &[], std::slice::from_ref(group)));
        }
        for (webhook, count) in &waiting.webhooks {
            outbox.push(to_webhook(webhook, &self.told_of(number, *count, now)?));
        }
        self.write_told(number, exceptions.len(), waiting.people.len(), (now, expected, outbox)).await
    }

    /// Adds those who may confirm an exception, as if it were asked anew.
    async fn add(&self, waiting: &mut Waiting, exception: &Exception, now: Timestamp) -> Result<(), Refusal> {
        let groups = first_groups(&exception.terms);
        let people = self.who_is_told(exception, &Notice::Requested, groups, now).await?;
        let reached = if groups.is_empty() { self.groups_of_all(&people) } else { groups.to_vec() };
        let heard = self.settings().channels.webhooks.iter().filter(|webhook| webhook.hears(&reached));
        heard.for_each(|webhook| more(&mut waiting.webhooks, &webhook.name));
        people.iter().for_each(|person| more(&mut waiting.people, person));
        groups.iter().for_each(|group| more(&mut waiting.groups, group));
        Ok(())
    }

    fn told_of(&self, epoch: u64, unconfirmed: u64, at: Timestamp) -> Result<Vec<u8>, Refusal> {
        let link = format!("{}/record", self.settings().public_url);
        let (epoch, unconfirmed) = (Some(epoch), Some(unconfirmed));
        canonical(&Message { link, epoch, unconfirmed, ..Message::of("epoch.unconfirmed", at) })
    }

    async fn write_told(
        &self,
        epoch: u64,
        exceptions: usize,
        people: usize,
        (at, expected, outbox): (Timestamp, Vec<(VersionKey, u64)>, Vec<Outgoing>),
    ) -> Result<(), Refusal> {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let event = RoutingEvent::EpochTold { epoch, exceptions: count(exceptions), people: count(people), at };
        let mut record = self.ledger(at, &LedgerEvent::Routing(event))?;
        record.outbox = outbox;
        match self.store().append(expected, vec![record]).await {
            Ok(_) => Ok(()),
            // Another look finds who it is by now.
            Err(AppendError::Conflict(_)) => Err(crate::app::append::contended()),
            Err(AppendError::Unavailable) => Err(Refusal::record_unavailable()),
        }
    }

    /// Gives up whatever waits in the outbox and tells of something before the epoch that the gate is in: it was sent, as
    /// far as anyone knows, and whom it concerns is told of the epoch. A person may have it sent all the same.
    ///
    /// # Errors
    /// When the outbox cannot be written.
    pub(in crate::app) async fn withhold_deliveries(&self) -> Result<(), StoreError> {
        let Some(begun) = self.state().epochs.last().map(|(seq, _)| *seq) else { return Ok(()) };
        let withheld = self.with_outbox(move |outbox| outbox.give_up_before(begun, WITHHELD)).await?;
        if withheld > 0 {
            tracing::warn!(
                withheld,
                "deliveries of before the restore are not sent; `GET /api/v1/deliveries` lists them"
            );
        }
        Ok(())
    }
}

fn more<K: Ord + Clone>(of: &mut BTreeMap<K, u64>, key: &K) {
    let count = of.entry(key.clone()).or_default();
    *count = count.saturating_add(1);
}
