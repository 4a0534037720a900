//! A gate that kills itself at one point, as `kill -9` does: `failing_gate DATA before|after WHAT [NOTIFY]`.
//!
//! NOTIFY is the file of `proviso serve --notify`.
//! WHAT is a record's kind or outcome, or `any:N` for the N-th of whatever kind; that one counts from the first line on its
//! standard input. `before`: the record is not written and nobody is answered. `after`: it is durable, and nobody is
//! answered. The failpoint is a store that stands between the use cases and the real one, so the
//! product's binary holds nothing of it.

use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use audit_verify::TreeHash;
use audit_verify::erasure::Erased;
use audit_verify::source::StoredRecord;
use audit_verify::tree::Tile;
use futures::future::BoxFuture;
use proviso::notify::Notify;
use proviso::store::{
    AppendError, Head, Log, NewRecord, Positions, Record, Sighted, Sought, Store, StoreError, VersionKey,
};
use proviso_tests::{Parties, Setup, Story, TestGate};
use serde_json::json;

static FAILPOINT: OnceLock<(String, String)> = OnceLock::new();
/// How many are still to come of `any:N`, once it counts.
static ANY: AtomicI64 = AtomicI64::new(i64::MAX);

struct Failing(Arc<dyn Store>);

impl Store for Failing {
    fn append(
        &self,
        expected: Vec<(VersionKey, u64)>,
        records: Vec<NewRecord>,
    ) -> BoxFuture<'_, Result<Positions, AppendError>> {
        let reached = |when: &str| {
            FAILPOINT.get().is_some_and(|(at, what)| {
                let is_it = |record: &NewRecord| record.kind == *what || record.outcome.as_ref() == Some(what);
                at == when && records.iter().any(is_it)
            })
        };
        let (before, after) = (reached("before"), reached("after"));
        Box::pin(async move {
            if before {
                die();
            }
            let done = self.0.append(expected, records).await;
            if done.is_ok() && (after || ANY.fetch_sub(1, Ordering::SeqCst) == 1) {
                die();
            }
            done
        })
    }

    fn erase(
        &self,
        expected: Vec<(VersionKey, u64)>,
        records: Vec<NewRecord>,
        erased: Vec<Erased>,
    ) -> BoxFuture<'_, Result<Positions, AppendError>> {
        self.0.erase(expected, records, erased)
    }

    fn record(&self, log: Log, seq: u64) -> Result<Option<Record>, StoreError> {
        self.0.record(log, seq)
    }

    fn heads(&self) -> Vec<Head> {
        self.0.heads()
    }

    fn stored(&self, log: Log, seq: u64) -> Result<Option<StoredRecord>, StoreError> {
        self.0.stored(log, seq)
    }

    fn erased_by(&self, log: Log, name: &str, seq: u64) -> Option<u64> {
        self.0.erased_by(log, name, seq)
    }

    fn inclusion(&self, log: Log, seq: u64) -> Option<(Head, Vec<TreeHash>)> {
        self.0.inclusion(log, seq)
    }

    fn before(&self, log: Log, end: u64, sought: &Sought, most: usize) -> Vec<Sighted> {
        self.0.before(log, end, sought, most)
    }

    fn head_over(&self, log: Log, size: u64) -> Result<Option<Head>, StoreError> {
        self.0.head_over(log, size)
    }

    fn inclusion_under(&self, log: Log, seq: u64, size: u64) -> Option<Vec<TreeHash>> {
        self.0.inclusion_under(log, seq, size)
    }

    fn consistency(&self, log: Log, older: u64) -> Option<(Head, Vec<TreeHash>)> {
        self.0.consistency(log, older)
    }

    fn last_heads_of_keys(&self, log: Log) -> Result<Vec<Head>, StoreError> {
        self.0.last_heads_of_keys(log)
    }

    fn tile(&self, log: Log, tile: Tile) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.tile(log, tile)
    }
}

/// SIGKILL to itself: nothing is flushed and no destructor runs.
fn die() {
    let own = rustix::process::getpid();
    // Whether or not the kernel takes the signal, this process goes no further.
    let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
    std::process::abort()
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data, when, what, notify @ ..] = arguments.as_slice() else { return ExitCode::from(64) };
    let notify = match notify.first().map(|path| Notify::read(Path::new(path))).transpose() {
        Ok(notify) => notify.unwrap_or_default(),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(64);
        }
    };
    let setup = Setup { wrap: |store| Arc::new(Failing(store)), notify, ..Setup::default() };
    let gate = match TestGate::open(setup, Path::new(data)).await {
        Ok(gate) => gate,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let mara = gate.person("mara").await;
    let story = Story::on(gate).await;
    let Parties { client, point, agent } = &*story;
    // Whatever was written until here is set-up.
    if let Some(count) = what.strip_prefix("any:").and_then(|count| count.parse().ok()) {
        std::thread::spawn(move || {
            // One that ends without a line never counts.
            if std::io::stdin().read_line(&mut String::new()).is_ok_and(|read| read > 0) {
                ANY.store(count, Ordering::SeqCst);
            }
        });
    }
    let _ = FAILPOINT.set((when.clone(), what.clone()));
    println!("{}", json!({"url": client.url, "point": point, "agent": agent, "mara": mara}));
    std::future::pending().await
}
