//! Opening: the folder, the verified record, the bundle and its activation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use policy_core::digest::Digest;

use super::event::{GateEvent, LedgerEvent};
use super::folded::Folded;
use super::policy::Policy;
use super::settings::{OpenError, Parts, Settings};
use super::time::TimeKeeper;
use super::{App, Inner};
use crate::signing::{BindingKeys, CredentialKeys};
use crate::store::sqlite::{SqliteOutbox, SqliteStore};
use crate::store::{DataFolder, Keys, Modules, Outbox, RestoreMark, Store, StoreError};

impl App {
    /// Opens the data folder, verifies its logs, folds them, and activates the bundle where that is due.
    ///
    /// # Errors
    /// See [`OpenError`]: each with a stable code and a remedy.
    pub async fn open(settings: Settings, parts: Parts) -> Result<Self, OpenError> {
        Self::open_with(settings, parts, |store| store).await
    }

    /// As [`Self::open`], with something between the app and its store.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_with(
        settings: Settings,
        parts: Parts,
        wrap: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>,
    ) -> Result<Self, OpenError> {
        #[cfg(saboteur)]
        crate::saboteur::plant();
        let policy = Policy::accept(&settings.bundle)?;
        let folder = DataFolder::open(&settings.data, settings.kind)?;
        let keys = Arc::new(Keys::open(&folder, &*parts.random)?);
        Modules::of(&settings.data).keep(&parts.engine.module(), &parts.engine.module_bytes())?;
        let binding = BindingKeys::open(&settings.data, &*parts.random, parts.clock.now()).map_err(|source| {
            OpenError::Store(StoreError::File { path: settings.data.join("keys").display().to_string(), source })
        })?;
        let credential_keys = CredentialKeys::open(&settings.data, &*parts.random, parts.clock.now())?;
        let folded = Arc::new(Folded::new(Arc::clone(&parts.index), policy));
        let time = TimeKeeper::new(Arc::clone(&parts.clock));
        let random = Arc::clone(&parts.random);
        let store = SqliteStore::open_by(folder, Arc::clone(&keys), random, folded.clone(), settings.snapshots)?;
        let outbox = SqliteOutbox::open(&settings.data, Arc::clone(&keys))?;
        let store = (wrap(Arc::new(store)), Arc::new(outbox) as Arc<dyn Outbox>);
        let keys = (keys, binding, credential_keys);
        let app = Self(Arc::new(Inner::new(settings, parts, store, folded, keys, time)));
        app.start().await?;
        Ok(app)
    }

    async fn start(&self) -> Result<(), OpenError> {
        if let Some(key) = self.state().log_key.clone() {
            self.promote_log_key(&key).map_err(|refusal| unwritable(&refusal.detail))?;
        }
        let mark = RestoreMark::read(&self.settings().data)?;
        let begun = self.begin_epoch_where_due(mark.as_ref(), &self.settings().seen, Vec::new()).await;
        begun.map_err(|refusal| unwritable(&refusal.detail))?;
        self.keep_credential_keys()?;
        self.withhold_deliveries().await?;
        if mark.is_some() {
            RestoreMark::remove(&self.settings().data)?;
        }
        let settings = self.settings();
        self.hold_module()?;
        let reason = self.first_bundle()?;
        // The module must take the bundle before it becomes the active one.
        let (policy, active) = (self.policy(), self.state().activation().cloned());
        let loaded = self.engine().load(policy.load()).await.map_err(|error| OpenError::Engine(error.to_string()))?;
        if loaded.bundle != policy.digest() {
            return Err(OpenError::Engine(format!("it says that it holds {}", loaded.bundle)));
        }
        self.know_administrators().await;
        let now = self.time().await.now;
        let mut records = Vec::new();
        if let Some(reason) = reason {
            let by = settings.operator.name.clone();
            let record = self.activation_record(&policy, active.as_ref(), (by, reason, None), now);
            records.push(record.map_err(|refusal| unwritable(&refusal.detail))?);
        }
        let by = settings.operator.name.clone();
        let module = Some(self.engine().module());
        let started =
            GateEvent::GateStarted { by, single_user: settings.single_user, module, acts_shown: true, at: now };
        records.push(self.ledger(now, &LedgerEvent::Gate(started)).map_err(|refusal| unwritable(&refusal.detail))?);
        self.store().append(Vec::new(), records).await.map_err(|error| unwritable(&error.to_string()))?;
        Ok(())
    }
}

pub(super) fn unwritable(message: &str) -> OpenError {
    OpenError::Store(StoreError::Database(message.to_owned()))
}

/// How many files changed, by folder: what was added, taken away or is other bytes now.
pub(super) fn changed(before: Option<&BTreeMap<String, Digest>>, now: &BTreeMap<String, Digest>) -> Vec<(String, u32)> {
    let nothing = BTreeMap::new();
    let before = before.unwrap_or(&nothing);
    let paths: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let mut folders: BTreeMap<String, u32> = BTreeMap::new();
    for path in paths.into_iter().filter(|path| before.get(*path) != now.get(*path)) {
        let folder = match path.as_str() {
            "entities.json" => "entities",
            "schema.cedarschema" => "schema",
            other => other.rsplit_once('/').map_or(other, |(folder, _)| folder),
        };
        let count = folders.entry(folder.to_owned()).or_default();
        *count = count.saturating_add(1);
    }
    folders.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_counted_by_folder() {
        let files = |list: &[(&str, &str)]| -> BTreeMap<String, Digest> {
            list.iter().map(|(path, text)| ((*path).to_owned(), Digest::of(text.as_bytes()))).collect()
        };
        let before =
            files(&[("scope/a.cedar", "1"), ("scope/b.cedar", "1"), ("bundle.toml", "1"), ("entities.json", "1")]);
        let now = files(&[
            ("scope/a.cedar", "2"),
            ("approval/request/c.cedar", "1"),
            ("bundle.toml", "1"),
            ("entities.json", "2"),
        ]);
        let expected = [("approval/request", 1), ("entities", 1), ("scope", 2)].map(|(f, n)| (f.to_owned(), n));
        assert_eq!(changed(Some(&before), &now), expected);
        assert_eq!(changed(Some(&now), &now), []);
    }
}
