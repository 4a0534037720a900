//! The record as a person may read it: what is about agents whose arguments they may not see goes without its payloads.

use audit_verify::source::StoredRecord;
use policy_core::console::Act;
use tokio::runtime::Handle;

use super::{About, Seen};
use crate::app::App;
use crate::app::exports::Exporting;
use crate::app::refusal::Refusal;
use crate::export::{self, Format, Matter, Wanted};
use crate::identity::PersonSession;

/// What somebody who reads the record sees of it.
pub(in crate::app) struct Reading {
    app: App,
    person: PersonSession,
    runtime: Handle,
    known: Seen<About>,
}

impl Reading {
    /// Whether this person may still take it away. Waits for the module, as [`Self::sees`].
    pub fn hold(&self) -> Result<(), Refusal> {
        self.runtime.block_on(self.app.hold_act(&self.person, Act::Export, &About::GATE))
    }

    /// Whether the payloads of this record are this person's to read. Waits for the module: not on an async executor.
    pub fn sees(&mut self, record: &StoredRecord) -> bool {
        let Some(about) = self.app.about_record(record) else { return true };
        let now = self.app.now();
        if let Some(known) = self.known.get(&about, now) {
            return known;
        }
        let asked = self.app.may_see(&self.person, Act::ViewArguments, [about.clone()].into_iter(), now);
        // INVARIANT (R8): what policy gives no answer for is not shown.
        let sees = self.runtime.block_on(asked).is_ok_and(|sees| sees == [true]);
        self.known.keep(about, sees);
        sees
    }
}

impl App {
    /// Begins an export of what is recorded until now, as this person may read it.
    ///
    /// # Errors
    /// `not_permitted_here`.
    pub async fn export_for(
        &self,
        person: &PersonSession,
        format: Format,
        wanted: Wanted,
    ) -> Result<Exporting, Refusal> {
        self.hold_act(person, Act::Export, &About::GATE).await?;
        let reading =
            Reading { app: self.clone(), person: person.clone(), runtime: Handle::current(), known: Seen::default() };
        Ok(self.export(format, wanted, reading))
    }

    /// A tile of a log, for who may read the record.
    ///
    /// # Errors
    /// `not_permitted_here`; as [`Self::tile`].
    pub async fn tile_for(&self, person: &PersonSession, log: &str, path: &str) -> Result<Vec<u8>, Refusal> {
        self.hold_act(person, Act::ViewRecord, &About::GATE).await?;
        self.tile(log, path)
    }

    /// The receipt of one record, for who may read the record of whom it is about. Where they may not see arguments it
    /// proves the leaf alone.
    ///
    /// # Errors
    /// `not_permitted_here`; as [`Self::receipt`].
    pub async fn receipt_for(
        &self,
        person: &PersonSession,
        log: &str,
        seq: &str,
        size: Option<u64>,
    ) -> Result<String, Refusal> {
        let stored = self.record_of(log, seq)?;
        let about = self.about_record(&stored);
        self.hold_act(person, Act::ViewRecord, about.as_ref().unwrap_or(&About::GATE)).await?;
        let sees = match about {
            Some(about) => self.may_see(person, Act::ViewArguments, [about].into_iter(), self.now()).await? == [true],
            None => true,
        };
        self.receipt(log, stored, sees, size)
    }

    /// Refuses whoever may read the record of nobody at all.
    ///
    /// # Errors
    /// `not_permitted_here`; `limit` where the module gives no answer.
    pub(in crate::app) async fn hold_reading(&self, person: &PersonSession) -> Result<(), Refusal> {
        let whole = self.may_see(person, Act::ViewRecord, [About::GATE].into_iter(), self.now()).await?;
        if whole == [true] || self.may_anywhere(person).await.contains(&Act::ViewRecord) {
            return Ok(());
        }
        self.hold_act(person, Act::ViewRecord, &About::GATE).await
    }

    /// Whom a record is about; absent where it is about no agent and holds no call: of the gate, of people.
    fn about_record(&self, record: &StoredRecord) -> Option<About> {
        self.about_matter(export::matter(record))
    }

    /// The same of a record that was opened.
    pub(in crate::app) fn about_matter(&self, matter: Matter) -> Option<About> {
        let Matter { subject, action, exception, finding, calls } = matter;
        if let Some(id) = exception {
            // INVARIANT (R8): what is of an exception that nobody knows is about the gate.
            return Some(About::exception_of(&self.state(), &id));
        }
        match (subject, action) {
            (Some(subject), Some(action)) => Some(About::action_of(&subject, &action)),
            (Some(subject), None) => Some(About::agent(&subject)),
            // What was said of a finding is about whom the finding is about.
            (None, _) => match finding {
                Some(id) => Some(self.about_finding(&id).unwrap_or(About::GATE)),
                None => calls.then_some(About::GATE),
            },
        }
    }
}
