//! What the tests of the use cases stand on: clocks that can be set, a native engine, an index that lies, a store that
//! fails.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use audit_verify::TreeHash;
use audit_verify::erasure::Erased;
use audit_verify::source::StoredRecord;
use audit_verify::tree::Tile;
use futures::future::BoxFuture;
use policy_core::abi::{Load, Loaded, Op, Preview};
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::grant::Grant;
use policy_core::json;
use policy_core::shared::Shared;
use policy_core::time::Timestamp;
use policy_evaluator::abi::Instance;
use tempfile::TempDir;

use super::App;
use super::engine::{Apart, Engine, EngineError, GrantIndex, OtherModule};
use super::erasure::Retention;
use super::limits::Allowance;
use super::settings::{Channels, OpenError, Operator, Parts, Settings};
use super::sign_in::Ways;
use crate::clock::Clock;
use crate::random::SystemRandom;
use crate::store::{
    AppendError, DataKind, Head, Log, NewRecord, Positions, Record, Sighted, Sought, Store, StoreError, VersionKey,
    bundle_folder,
};

/// Two clocks that a test sets.
pub struct FakeClock {
    wall: AtomicI64,
    boot: AtomicI64,
}

impl FakeClock {
    pub fn new(now: &str) -> Arc<Self> {
        let now: Timestamp = now.parse().unwrap();
        Arc::new(Self { wall: AtomicI64::new(now.millis()), boot: AtomicI64::new(1_000_000) })
    }

    /// Moves the clocks by milliseconds.
    pub fn shift(&self, wall: i64, boot: i64) {
        self.wall.fetch_add(wall, Ordering::SeqCst);
        self.boot.fetch_add(boot, Ordering::SeqCst);
    }

    pub fn advance(&self, seconds: i64) {
        self.shift(seconds * 1000, seconds * 1000);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.wall.load(Ordering::SeqCst))
    }

    fn boot(&self) -> u64 {
        u64::try_from(self.boot.load(Ordering::SeqCst)).unwrap()
    }
}

/// The evaluator, natively.
pub struct NativeEngine {
    instance: Mutex<Instance>,
    pub broken: AtomicBool,
    /// Of more recorded denials than these its fuel lasts for no preview.
    pub most_tried: AtomicUsize,
    /// Of how many it was asked in each preview.
    pub previewed: Mutex<Vec<usize>>,
    /// How often it was asked who may approve.
    pub asked_who: AtomicUsize,
}

impl Engine for NativeEngine {
    fn module(&self) -> Digest {
        Digest::of(b"native")
    }

    fn module_bytes(&self) -> Arc<[u8]> {
        Arc::from(b"native".as_slice())
    }

    fn load(&self, load: Load) -> BoxFuture<'_, Result<Loaded, EngineError>> {
        let bytes = json::to_canonical_bytes(&load).unwrap();
        let answer = self.instance.lock().unwrap().call(Op::Load as i32, &bytes);
        let answer: policy_core::abi::Answer<Loaded> = serde_json::from_slice(&answer).unwrap();
        Box::pin(async move {
            match answer {
                policy_core::abi::Answer::Ok(loaded) => Ok(loaded),
                policy_core::abi::Answer::Error(error) => Err(EngineError::Unusable(error.message)),
            }
        })
    }

    fn call(&self, _: Digest, op: Op, input: Vec<u8>) -> BoxFuture<'_, Result<Vec<u8>, EngineError>> {
        if self.broken.load(Ordering::SeqCst) {
            return Box::pin(async { Err(EngineError::Fuel) });
        }
        if op == Op::Preview {
            let tried = serde_json::from_slice::<Preview>(&input).unwrap().others.len();
            self.previewed.lock().unwrap().push(tried);
            if tried > self.most_tried.load(Ordering::SeqCst) {
                return Box::pin(async { Err(EngineError::Fuel) });
            }
        }
        if op == Op::Eligible {
            self.asked_who.fetch_add(1, Ordering::SeqCst);
        }
        let answer = self.instance.lock().unwrap().call(op as i32, &input);
        Box::pin(async move { Ok(answer) })
    }

    fn apart(&self, load: &Load) -> Result<Box<dyn Apart>, EngineError> {
        let mut instance = Instance::new();
        instance.call(Op::Load as i32, &json::to_canonical_bytes(load).unwrap());
        Ok(Box::new(NativeApart(instance)))
    }

    fn other(&self, _: &[u8]) -> Result<OtherModule, EngineError> {
        Err(EngineError::Unusable("there is one native engine".to_owned()))
    }
}

struct NativeApart(Instance);

impl Apart for NativeApart {
    fn call(&mut self, op: Op, input: &[u8]) -> Result<Vec<u8>, EngineError> {
        Ok(self.0.call(op as i32, input))
    }
}

/// What an index says when it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// It does not.
    None,
    /// Every grant that ever was.
    Everything,
    /// Nothing.
    Nothing,
}

/// An index that says what a test wants.
pub struct LyingIndex {
    grants: Mutex<Vec<Shared<Grant>>>,
    pub lie: Mutex<Lie>,
}

impl GrantIndex for LyingIndex {
    fn insert(&self, grant: &Shared<Grant>) {
        let mut grants = self.grants.lock().unwrap();
        grants.retain(|held| held.id != grant.id);
        grants.push(grant.clone());
    }

    fn remove(&self, _: &Shared<Grant>) {}

    fn clear(&self) {
        self.grants.lock().unwrap().clear();
    }

    fn find(&self, subject: &EntityRef, task: &str) -> Vec<String> {
        let lie = *self.lie.lock().unwrap();
        let grants = self.grants.lock().unwrap();
        let fits = |grant: &&Shared<Grant>| match lie {
            Lie::None => grant.subject == *subject && grant.task == task,
            Lie::Everything => true,
            Lie::Nothing => false,
        };
        grants.iter().filter(fits).map(|grant| grant.id.to_string()).collect()
    }
}

/// A store that fails while it is told to.
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    faults: Arc<Faults>,
}

#[derive(Default)]
pub struct Faults {
    /// Nothing is written.
    pub fail: AtomicBool,
    /// It is written, and the answer is lost.
    pub lose_answer: AtomicBool,
    /// How many appends from here on find what they read changed.
    pub conflicts: AtomicUsize,
    pub appends: AtomicUsize,
    /// What happens while the next append waits for the disk.
    pub meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Store for FaultyStore {
    fn append(
        &self,
        expected: Vec<(VersionKey, u64)>,
        records: Vec<NewRecord>,
    ) -> BoxFuture<'_, Result<Positions, AppendError>> {
        self.faults.appends.fetch_add(1, Ordering::SeqCst);
        if self.faults.fail.load(Ordering::SeqCst) {
            return Box::pin(async { Err(AppendError::Unavailable) });
        }
        let less = |left: usize| left.checked_sub(1);
        if self.faults.conflicts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            return Box::pin(async { Err(AppendError::Conflict(Vec::new())) });
        }
        Box::pin(async move {
            let answer = self.inner.append(expected, records).await;
            if let Some(meanwhile) = self.faults.meanwhile.lock().unwrap().take() {
                meanwhile();
            }
            if self.faults.lose_answer.load(Ordering::SeqCst) { Err(AppendError::Unavailable) } else { answer }
        })
    }

    fn erase(
        &self,
        expected: Vec<(VersionKey, u64)>,
        records: Vec<NewRecord>,
        erased: Vec<Erased>,
    ) -> BoxFuture<'_, Result<Positions, AppendError>> {
        self.inner.erase(expected, records, erased)
    }

    fn record(&self, log: Log, seq: u64) -> Result<Option<Record>, StoreError> {
        self.inner.record(log, seq)
    }

    fn heads(&self) -> Vec<Head> {
        self.inner.heads()
    }

    fn stored(&self, log: Log, seq: u64) -> Result<Option<StoredRecord>, StoreError> {
        self.inner.stored(log, seq)
    }

    fn erased_by(&self, log: Log, name: &str, seq: u64) -> Option<u64> {
        self.inner.erased_by(log, name, seq)
    }

    fn inclusion(&self, log: Log, seq: u64) -> Option<(Head, Vec<TreeHash>)> {
        self.inner.inclusion(log, seq)
    }

    fn before(&self, log: Log, end: u64, sought: &Sought, most: usize) -> Vec<Sighted> {
        self.inner.before(log, end, sought, most)
    }

    fn head_over(&self, log: Log, size: u64) -> Result<Option<Head>, StoreError> {
        self.inner.head_over(log, size)
    }

    fn inclusion_under(&self, log: Log, seq: u64, size: u64) -> Option<Vec<TreeHash>> {
        self.inner.inclusion_under(log, seq, size)
    }

    fn consistency(&self, log: Log, older: u64) -> Option<(Head, Vec<TreeHash>)> {
        self.inner.consistency(log, older)
    }

    fn last_heads_of_keys(&self, log: Log) -> Result<Vec<Head>, StoreError> {
        self.inner.last_heads_of_keys(log)
    }

    fn tile(&self, log: Log, tile: Tile) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.tile(log, tile)
    }
}

/// A gate on a folder of its own.
pub struct Gate {
    pub app: App,
    pub clock: Arc<FakeClock>,
    pub engine: Arc<NativeEngine>,
    pub index: Arc<LyingIndex>,
    pub faults: Arc<Faults>,
    pub folder: Arc<TempDir>,
}

pub const ROOT: Operator = Operator { uid: 0, name: String::new() };

impl Gate {
    pub async fn start() -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Self::open(folder, FakeClock::new("2026-11-22T12:00:00Z"), |_| {}).await.unwrap()
    }

    /// Ends this gate and starts it again on the same folder.
    pub async fn again(self) -> Result<Self, OpenError> {
        let Self { app, clock, folder, .. } = self;
        drop(app);
        Self::open(folder, clock, |_| {}).await
    }

    pub async fn open(
        folder: Arc<TempDir>,
        clock: Arc<FakeClock>,
        change: impl FnOnce(&mut Settings),
    ) -> Result<Self, OpenError> {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundles/sample");
        let mut settings = Settings {
            data: folder.path().join("data"),
            kind: DataKind::Gate,
            public_url: "http://127.0.0.1:8731".to_owned(),
            single_user: false,
            bundle: bundle_folder::read(&sample).unwrap(),
            activate: None,
            allowance: Allowance::each_second(100_000),
            attention: None,
            operator: Operator { uid: 1000, name: "proviso".to_owned() },
            channels: Channels::default(),
            seen: Vec::new(),
            retention: Retention::default(),
            identities: crate::trust::Identities::default(),
            snapshots: None,
        };
        change(&mut settings);
        let engine = Arc::new(NativeEngine {
            instance: Mutex::new(Instance::new()),
            broken: AtomicBool::new(false),
            most_tried: AtomicUsize::new(usize::MAX),
            previewed: Mutex::default(),
            asked_who: AtomicUsize::new(0),
        });
        let index = Arc::new(LyingIndex { grants: Mutex::default(), lie: Mutex::new(Lie::None) });
        let faults = Arc::new(Faults::default());
        let parts = Parts {
            engine: engine.clone(),
            index: index.clone(),
            clock: clock.clone(),
            random: Arc::new(SystemRandom),
            ways: Ways::default(),
        };
        let held = Arc::clone(&faults);
        let app = App::open_with(settings, parts, |inner| Arc::new(FaultyStore { inner, faults: held })).await?;
        Ok(Self { app, clock, engine, index, faults, folder })
    }
}
