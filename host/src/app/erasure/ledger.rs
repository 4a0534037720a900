//! What of the ledger is erased: exceptions and credentials, each whole with all that was ever written of it.
//!
//! INVARIANT (R7, R9): never a part of one. A revocation without what it revokes, or a sign-in without the link that it
//! used up, would bring back at the next start what was over.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;
use proviso_api::ownership::Owned;
use serde_json::Value;

use super::kept::Kept;
use super::needed::{Needed, mentions};
use super::plan::{Part, value};
use super::report::ErasureReport;
use super::selection::{Class, Selection, Who};
use crate::app::event::{EVENT, LedgerEvent, ORIGIN};
use crate::app::ownership::OwnershipEvent;
use crate::app::people::STORED;
use crate::app::routing::RoutingEvent;
use crate::identity::{IdentityEvent, TokenFacts};
use crate::store::{Log, Record};

/// All that the ledger holds of one exception or one credential.
#[derive(Default)]
struct Bundle {
    /// Each payload, by name and record.
    payloads: BTreeSet<(&'static str, u64)>,
    /// Whether a hold covers somebody of whom it speaks.
    held: bool,
    /// Whether somebody who is looked for is spoken of.
    mentioned: bool,
    /// Whether a record stands in it that is none of what is known here.
    foreign: bool,
    /// When a credential, with the sessions that it made, ended; of what lives on, when it will.
    ends: Option<Timestamp>,
    /// Whose credential it is.
    of: Vec<EntityRef>,
    /// The task of an agent's credential.
    task: Option<String>,
    /// All ids of a credential and its sessions.
    ids: Vec<String>,
    /// Whether it says whose account it was that signed in.
    binds: bool,
}

/// Looks through the ledger.
pub(super) struct Ledger<'a> {
    selection: &'a Selection,
    needed: &'a Needed,
    exceptions: BTreeMap<String, Bundle>,
    credentials: BTreeMap<String, Bundle>,
    /// The credential that each session belongs to.
    sessions: BTreeMap<String, String>,
    /// The accounts that have signed in, by issuer and subject.
    accounts: BTreeSet<(String, String)>,
    part: Part,
}

impl<'a> Ledger<'a> {
    pub fn new(selection: &'a Selection, needed: &'a Needed) -> Self {
        let (exceptions, credentials, sessions, accounts) = Default::default();
        Self { selection, needed, exceptions, credentials, sessions, accounts, part: Part::default() }
    }

    /// Takes the next record.
    pub fn take(&mut self, record: &Record, report: &mut ErasureReport) {
        let Some(bytes) = record.payload(EVENT) else { return };
        let event = policy_core::json::read_as::<LedgerEvent>(bytes, STORED).ok();
        let Some((bundle, known)) = self.place(record, event.as_ref()) else {
            let speaks = self.selection.entity().is_some_and(|entity| mentions(&value(bytes), entity));
            if speaks {
                report.keep(Kept::NeverErased);
            }
            return;
        };
        bundle.foreign |= !known;
        let there = [EVENT, ORIGIN].into_iter().filter(|name| record.payload(name).is_some());
        bundle.payloads.extend(there.map(|name| (name, record.leaf.seq)));
        bundle.foreign |= record.payloads.iter().any(|(name, _)| name != EVENT && name != ORIGIN);
        if self.selection.entity().is_some() || !self.needed.holds.is_empty() {
            self.look(record, &value(bytes), event.as_ref());
        }
    }

    /// What a record is part of, and whether it is of a kind that is known there. Absent: of nothing that can be erased.
    fn place(&mut self, record: &Record, event: Option<&LedgerEvent>) -> Option<(&mut Bundle, bool)> {
        match event {
            Some(LedgerEvent::Identity(event)) => self.credential(record.leaf.at, event).map(|bundle| (bundle, true)),
            Some(
                LedgerEvent::Exception { id, .. }
                | LedgerEvent::Routing(
                    RoutingEvent::NotificationSent { exception: id, .. }
                    | RoutingEvent::RequestHandedOver { exception: id, .. },
                )
                | LedgerEvent::Ownership(OwnershipEvent::OwnerHandedOver { of: Owned::Exception(id), .. }),
            ) => Some((self.exceptions.entry(id.clone()).or_default(), true)),
            _ => {
                let id = record.leaf.stream.strip_prefix("exception/")?.to_owned();
                Some((self.exceptions.entry(id).or_default(), false))
            }
        }
    }

    fn credential(&mut self, at: Timestamp, event: &IdentityEvent) -> Option<&mut Bundle> {
        match event {
            IdentityEvent::TokenMinted { token } => {
                let bundle = self.credentials.entry(token.id.clone()).or_default();
                bundle.ends = Some(token.expires_at);
                bundle.ids.push(token.id.clone());
                bundle.of.extend(token.facts.person().cloned());
                if let TokenFacts::Agent { subject, task, via, .. } = &token.facts {
                    bundle.of.extend(std::iter::once(subject).chain(via).cloned());
                    bundle.task = Some(task.clone());
                }
                Some(bundle)
            }
            IdentityEvent::CredentialVerified { credential } => {
                let bundle = self.credentials.entry(credential.id.clone()).or_default();
                bundle.ends = bundle.ends.max(Some(credential.counts_until));
                if !bundle.ids.contains(&credential.id) {
                    bundle.ids.push(credential.id.clone());
                }
                bundle.of.extend(credential.facts.person().cloned());
                if let TokenFacts::Agent { subject, task, via, .. } = &credential.facts {
                    bundle.of.extend(std::iter::once(subject).chain(via).cloned());
                    bundle.task = Some(task.clone());
                }
                Some(bundle)
            }
            // What was ended stays ended; and votes are held against passkeys for as long as there are votes.
            IdentityEvent::CredentialEnded { .. }
            | IdentityEvent::PasskeyAdded { .. }
            | IdentityEvent::PasskeyUsed { .. }
            | IdentityEvent::PasskeySuspended { .. }
            | IdentityEvent::PasskeyEnded { .. } => None,
            IdentityEvent::TokenRevoked { id, .. } => {
                let bundle = self.credentials.get_mut(id)?;
                // Its sessions end with it.
                bundle.ends = Some(at);
                Some(bundle)
            }
            IdentityEvent::SignedIn { link, session, .. } => {
                let id = link.clone().unwrap_or_else(|| session.id.clone());
                self.sessions.insert(session.id.clone(), id.clone());
                let account = session.account.as_ref();
                let account = account.map(|account| (account.issuer.clone(), account.subject.clone()));
                let is_first = account.is_some_and(|account| self.accounts.insert(account));
                let bundle = self.credentials.entry(id).or_default();
                bundle.ends = bundle.ends.max(Some(session.expires_at));
                bundle.binds |= is_first;
                bundle.ids.push(session.id.clone());
                bundle.of.push(session.person.clone());
                Some(bundle)
            }
            IdentityEvent::SignedOut { session, .. } | IdentityEvent::SignInUsed { session, .. } => {
                let id = self.sessions.get(session)?;
                self.credentials.get_mut(id)
            }
        }
    }

    /// Whether a record speaks of somebody who is held or looked for.
    fn look(&mut self, record: &Record, text: &Value, event: Option<&LedgerEvent>) {
        let held = self.needed.holds_any(text);
        let mentioned = self.selection.entity().is_some_and(|entity| mentions(text, entity));
        if let Some((bundle, _)) = self.place_of(record, event) {
            bundle.held |= held;
            bundle.mentioned |= mentioned;
        }
    }

    /// The same place once more, without taking anything in again.
    fn place_of(&mut self, record: &Record, event: Option<&LedgerEvent>) -> Option<(&mut Bundle, bool)> {
        let id = match event {
            Some(LedgerEvent::Identity(event)) => match event {
                IdentityEvent::TokenMinted { token } => &token.id,
                IdentityEvent::TokenRevoked { id, .. } => id,
                IdentityEvent::CredentialVerified { credential } => &credential.id,
                IdentityEvent::CredentialEnded { .. }
                | IdentityEvent::PasskeyAdded { .. }
                | IdentityEvent::PasskeyUsed { .. }
                | IdentityEvent::PasskeySuspended { .. }
                | IdentityEvent::PasskeyEnded { .. } => return None,
                IdentityEvent::SignedIn { session, .. } => self.sessions.get(&session.id)?,
                IdentityEvent::SignedOut { session, .. } | IdentityEvent::SignInUsed { session, .. } => {
                    self.sessions.get(session)?
                }
            },
            _ => return self.place(record, event),
        };
        self.credentials.get_mut(id).map(|bundle| (bundle, true))
    }

    /// All parts, each exception and each credential whole in one of them. What stays is told in the report.
    pub fn end(mut self, report: &mut ErasureReport) -> Vec<Part> {
        let mut parts = Vec::new();
        for (id, bundle) in std::mem::take(&mut self.exceptions) {
            if self.is_record(&bundle) {
                report.of.extend(self.needed.of_exception(&id).cloned());
            }
            match self.exception(&id, &bundle) {
                Ok(true) => self.put(&id, &bundle, Class::Exceptions, &mut parts),
                Ok(false) => {}
                Err(why) => report.keep(why),
            }
        }
        for (id, bundle) in std::mem::take(&mut self.credentials) {
            if self.is_record(&bundle) {
                report.of.extend(bundle.of.iter().cloned());
            }
            match self.credential_over(&bundle) {
                Ok(true) => self.put(&id, &bundle, Class::Credentials, &mut parts),
                Ok(false) => {}
                Err(why) => report.keep(why),
            }
        }
        if !self.part.is_empty() {
            parts.push(self.part);
        }
        parts
    }

    fn is_record(&self, bundle: &Bundle) -> bool {
        bundle.payloads.iter().any(|(_, seq)| self.selection.is_record(Log::Ledger, *seq))
    }

    fn exception(&self, id: &str, bundle: &Bundle) -> Result<bool, Kept> {
        let Some(standing) = self.needed.exceptions.get(id) else { return Ok(false) };
        let selected = match &self.selection.who {
            Who::Person(entity) | Who::Agent(entity) => standing.of.contains(entity),
            Who::Record(..) => self.is_record(bundle),
            Who::Anybody => true,
        };
        if !self.selection.has(Class::Exceptions) {
            return Ok(false);
        }
        if !selected {
            return if bundle.mentioned { Err(Kept::ActedForOthers) } else { Ok(false) };
        }
        let over = standing.over;
        if !self.needed.is_old(over?, self.selection.older_than)? {
            return Ok(false);
        }
        if bundle.held || self.needed.holds_exception(id) {
            return Err(Kept::OnHold);
        }
        if bundle.foreign {
            return Err(Kept::OtherRecords);
        }
        // What was used in a task counts for what is asked there later.
        self.needed.task_over(&standing.task)?;
        Ok(true)
    }

    fn credential_over(&self, bundle: &Bundle) -> Result<bool, Kept> {
        let selected = match &self.selection.who {
            Who::Person(entity) | Who::Agent(entity) => bundle.of.contains(entity),
            Who::Record(..) => self.is_record(bundle),
            Who::Anybody => true,
        };
        // One whose beginning was erased is erased.
        let Some(ends) = bundle.ends.filter(|_| selected && self.selection.has(Class::Credentials)) else {
            return Ok(false);
        };
        if ends > self.needed.now {
            return Err(Kept::CredentialLive);
        }
        if !self.needed.is_old(ends, self.selection.older_than)? {
            return Ok(false);
        }
        if bundle.held {
            return Err(Kept::OnHold);
        }
        // INVARIANT (R4): without it the account would be whoever's it is mapped to next, and one human two voters.
        if bundle.binds {
            return Err(Kept::BindsAccount);
        }
        bundle.task.iter().try_for_each(|task| self.needed.task_over(task))?;
        Ok(true)
    }

    fn put(&mut self, id: &str, bundle: &Bundle, class: Class, parts: &mut Vec<Part>) {
        let part = &mut self.part;
        match class {
            Class::Exceptions => {
                part.exceptions.push(id.to_owned());
                part.lost.exceptions += 1;
                if let Some(standing) = self.needed.exceptions.get(id) {
                    part.expected.extend(standing.versions.iter().cloned());
                    if !self.needed.ended_tasks.contains(&standing.task) {
                        part.tasks.insert(standing.task.clone());
                    }
                }
            }
            _ => {
                part.credentials.extend(bundle.ids.iter().cloned());
                part.expected.extend(bundle.ids.iter().filter_map(|id| self.needed.credentials.get(id)).cloned());
            }
        }
        part.count(class, u64::try_from(bundle.payloads.len()).unwrap_or(u64::MAX));
        part.ledger.extend(bundle.payloads.iter().copied());
        if part.is_full() {
            parts.push(std::mem::take(part));
        }
    }
}
