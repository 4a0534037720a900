//! What records name by digest: the bundles that the ledger holds, and the modules that are kept beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use audit_verify::source::StoredRecord;
use policy_core::abi::{ABI_VERSION, Load};
use policy_core::digest::Digest;
use policy_core::json;
use policy_core::leaf::Leaf;
use policy_evaluator::Bundle;
use policy_evaluator::bundle::{ENTITIES, digests};

use super::again::STORED;
use super::classes::Class;
use crate::app::event::BUNDLE;
use crate::gate::{Cache, Limits, PolicyModule, Runner};
use crate::store::{Keys, Modules};

/// A bundle's files by path.
type Files = BTreeMap<String, String>;

/// Why something that a record names cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    code: &'static str,
    message: String,
}

impl Trouble {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The code, and what is wrong.
    pub(super) fn told(self) -> (&'static str, String) {
        (self.code, self.message)
    }
}

impl From<Trouble> for Class {
    fn from(trouble: Trouble) -> Self {
        Self::disagreed(trouble.code, trouble.message)
    }
}

/// Where the modules lie: beside an export, or in a gate's data folder, which holds them compiled as well.
pub struct ModuleFiles {
    modules: Modules,
    compiled: Option<(PathBuf, Keys)>,
}

impl ModuleFiles {
    /// Those of an export.
    pub fn of_export(folder: &Path) -> Self {
        Self { modules: Modules::of(folder), compiled: None }
    }

    /// Those of a gate.
    pub fn of_gate(data: &Path, keys: Keys) -> Self {
        Self { modules: Modules::of(data), compiled: Some((data.to_owned(), keys)) }
    }

    fn load(&self, digest: &Digest) -> Result<Runner, Trouble> {
        let bytes = self.modules.read(digest).map_err(|error| Trouble::new(error.code(), error.to_string()))?;
        let bytes = bytes.ok_or_else(|| Trouble::new("module_missing", format!("the module {digest} is not kept")))?;
        self.runner(&bytes, *digest)
    }

    /// A runner of these bytes: compiled now, or by the gate before.
    pub(super) fn runner(&self, bytes: &[u8], digest: Digest) -> Result<Runner, Trouble> {
        let compiled = self.compiled.as_ref();
        let code = |bytes: &[u8]| compiled.map_or_else(|| Digest::of(&[]), |(_, keys)| keys.code(Cache::CODE, bytes));
        let cache = compiled.map(|(data, _)| Cache::new(data, &code));
        let module = PolicyModule::load(bytes, digest, cache.as_ref());
        let runner = module.and_then(|module| Runner::new(&module, unhurried()));
        runner.map_err(|error| Trouble::new(error.code(), error.to_string()))
    }
}

/// Whatever was answered in time then is answered now, however busy this machine is.
fn unhurried() -> Limits {
    let Limits { question_fuel, long_fuel, .. } = Limits::default();
    Limits {
        question_fuel: question_fuel.saturating_mul(4),
        long_fuel: long_fuel.saturating_mul(4),
        question_time: Duration::from_secs(60),
        long_time: Duration::from_secs(120),
        ..Limits::default()
    }
}

/// What the records name, once for all threads.
pub(super) struct Kept<'a> {
    files: &'a ModuleFiles,
    bundles: BTreeMap<Digest, Result<Arc<Files>, Trouble>>,
    runners: Mutex<BTreeMap<Digest, Result<Arc<Runner>, Trouble>>>,
    accepted: Mutex<BTreeMap<Digest, Option<Arc<Bundle>>>>,
}

impl<'a> Kept<'a> {
    pub(super) fn new(files: &'a ModuleFiles) -> Self {
        Self { files, bundles: BTreeMap::new(), runners: Mutex::default(), accepted: Mutex::default() }
    }

    /// Takes the bundle of an activation. One that is not what the record committed to spoils all that names it.
    pub(super) fn take(&mut self, record: &StoredRecord) {
        let Ok(leaf) = json::read_as::<Leaf>(&record.bytes, STORED) else { return };
        let Some(digest) = leaf.bundle else { return };
        let files = read(record, digest);
        match self.bundles.get(&digest) {
            Some(Err(_)) => {}
            _ => drop(self.bundles.insert(digest, files)),
        }
    }

    fn files(&self, bundle: &Digest) -> Result<Arc<Files>, Trouble> {
        let missing =
            || Trouble::new("bundle_missing", format!("no activation of the bundle {bundle} is in the ledger"));
        self.bundles.get(bundle).cloned().unwrap_or_else(|| Err(missing()))
    }

    /// What the module loads of a bundle.
    pub(super) fn load(&self, bundle: &Digest) -> Result<Load, Trouble> {
        let files = self.files(bundle)?;
        let files = files.iter().filter(|(path, _)| path.as_str() != ENTITIES);
        let files = files.map(|(path, text)| (path.clone(), text.clone())).collect();
        Ok(Load { v: ABI_VERSION, files, bundle: *bundle })
    }

    /// A bundle as a gate accepts it, for what is known of its words and facts. Absent: no gate of today takes it.
    pub(super) fn accepted(&self, bundle: &Digest) -> Option<Arc<Bundle>> {
        let mut accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        let files = || self.files(bundle).ok();
        let accept = || Bundle::accept(&*files()?).ok().map(Arc::new);
        accepted.entry(*bundle).or_insert_with(accept).clone()
    }

    /// A module, compiled once.
    pub(super) fn runner(&self, module: &Digest) -> Result<Arc<Runner>, Trouble> {
        let mut runners = self.runners.lock().unwrap_or_else(PoisonError::into_inner);
        runners.entry(*module).or_insert_with(|| self.files.load(module).map(Arc::new)).clone()
    }
}

fn read(record: &StoredRecord, digest: Digest) -> Result<Arc<Files>, Trouble> {
    let altered = |what: &str| {
        Trouble::new("bundle_altered", format!("the bundle {digest} of ledger record {}: {what}", record.seq))
    };
    let payload = record.payloads.iter().find(|payload| payload.name == BUNDLE);
    let payload = payload.and_then(|payload| payload.content.as_ref());
    let payload =
        payload.ok_or_else(|| Trouble::new("bundle_missing", format!("ledger record {} lost it", record.seq)))?;
    // INVARIANT (R10): a bundle is the one that was recorded, and the one that its digest names, or nothing agrees with it.
    let committed = audit_verify::leaf::Leaf::read(&record.bytes)
        .is_some_and(|leaf| leaf.holds(BUNDLE, &payload.salt, &payload.bytes));
    if !committed {
        return Err(altered("it is not what was committed to"));
    }
    let files: Files = json::read_as(&payload.bytes, STORED).map_err(|_| altered("it cannot be read"))?;
    match digests(&files) {
        Ok(found) if found.bundle == digest => Ok(Arc::new(files)),
        _ => Err(altered("its files have another digest")),
    }
}
