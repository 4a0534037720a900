//! `proviso serve`: opens everything, says one line when it is ready, and serves until it is told to stop.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use policy_core::digest::Digest;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};

use super::bundle;
use super::given::{Files, Given};
use super::listen::Listen;
use super::output::{Done, Exit, Failure, say};
use super::signals::Signals;
use crate::app::{Activation, Allowance, App, OpenError, Operator, Parts, Settings, keep_reconciling};
use crate::clock::SystemClock;
use crate::copies;
use crate::gate::{Cache, Limits, LiveGrants, PolicyModule, WasmEngine};
use crate::http::{self, ModuleFile, Site};
use crate::notify;
use crate::random::{Random, SystemRandom};
use crate::store::{DataKind, Keys, SnapshotRule, StoreError};
use crate::{assets, socket};

/// How often it is looked whether a day has passed.
const RETAIN: std::time::Duration = std::time::Duration::from_secs(60);

/// Run the gate.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(super) struct Serve {
    /// The bundle's folder.
    #[arg(long, value_name = "DIR")]
    bundle: PathBuf,
    /// A file of settings: the options below by their names, in TOML. `PROVISO_*` and the command line stand above it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data folder: the record, its keys, the operators' socket.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    given: Given,
    /// Activate the bundle with this digest, which is another than the active one.
    #[arg(long, value_name = "SHA256", requires = "reason")]
    activate: Option<Digest>,
    /// Why it is activated.
    #[arg(long, value_name = "TEXT", requires = "activate")]
    reason: Option<String>,
}

/// Runs it.
pub(super) async fn run(serve: Serve, as_json: bool) -> Result<Done, Failure> {
    start_log();
    let given = serve.given;
    given.listen.check()?;
    let start = Start {
        data: serve.data,
        kind: DataKind::Gate,
        bundle: bundle::read(&serve.bundle)?,
        single_user: given.single_user,
        activate: serve.activate.zip(serve.reason).map(|(digest, reason)| Activation { digest, reason }),
        allowance: Allowance::each_second(given.evaluations),
        attention: given.attention,
        files: given.read()?,
        listen: given.listen,
    };
    let running = start.open().await?;
    let signals = Signals::listen()?;
    Signals::outlive_reloads()?;
    if as_json {
        say(&running.ready_line_json());
    } else {
        say(&format!("proviso is ready at {} with bundle {}", running.url, running.bundle));
    }
    signals.stop().await;
    running.stop().await
}

/// What a gate is started with.
pub(super) struct Start {
    pub(super) data: PathBuf,
    pub(super) kind: DataKind,
    pub(super) bundle: BTreeMap<String, String>,
    pub(super) listen: Listen,
    pub(super) single_user: bool,
    pub(super) activate: Option<Activation>,
    pub(super) allowance: Allowance,
    pub(super) attention: Option<u32>,
    pub(super) files: Files,
}

/// A gate that serves.
pub(super) struct Running {
    pub(super) url: String,
    pub(super) bundle: Digest,
    module: Digest,
    app: App,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    keeping: JoinHandle<()>,
    telling: JoinHandle<()>,
    reconciling: JoinHandle<()>,
    retaining: JoinHandle<()>,
    copying: JoinHandle<()>,
}

impl Running {
    fn ready_line_json(&self) -> String {
        json!({"ready": true, "url": self.url, "bundle": self.bundle, "module": self.module}).to_string()
    }

    /// Stops it and lets open requests end.
    pub(super) async fn stop(self) -> Result<Done, Failure> {
        // The receivers live as long as the server does.
        let _ = self.stop.send(true);
        let served = self.serving.await;
        // What was compiled is worth its second: the next start takes it. A keeper that failed has said so.
        let _ = self.keeping.await;
        // What was not sent yet is sent after the next start.
        let _ = self.telling.await;
        // What was not compared yet is compared after the next start.
        let _ = self.reconciling.await;
        let _ = self.retaining.await;
        let _ = self.copying.await;
        if let Err(refusal) = self.app.stopped().await {
            tracing::error!(code = refusal.code, "the end could not be recorded");
        }
        match served {
            Ok(()) => Ok(Done::fine("", json!({"stopped": true}))),
            Err(error) => Err(Failure::unavailable("internal_error", error.to_string())),
        }
    }
}

impl Start {
    /// Opens module, record and listener, and serves.
    pub(super) async fn open(self) -> Result<Running, Failure> {
        let tls = self.listen.keeper()?;
        let clients = self.files.identities.wants_certificates();
        // INVARIANT (R8): a binding that nobody could ever show is nowhere promised, nor one believed from a proxy's
        // word.
        if clients && tls.is_none() {
            let message =
                "the file of issuers wants client certificates, and the gate has no TLS of its own to ask for them";
            return Err(Failure::usage("certificates_without_tls", message));
        }
        let listener = self.listen.bind().await?;
        let listen = listener.local_addr().map_err(|error| Failure::unavailable("cannot_listen", error.to_string()))?;
        let public_url = self.listen.url(listen);
        let (module, engine) = load_module(self.data.clone()).await?;
        let uid = rustix::process::getuid().as_raw();
        let settings = Settings {
            data: self.data.clone(),
            kind: self.kind,
            public_url: public_url.clone(),
            single_user: self.single_user,
            bundle: self.bundle,
            activate: self.activate,
            allowance: self.allowance,
            attention: self.attention,
            operator: Operator { uid, name: socket::user_name(uid) },
            channels: self.files.notify.channels(),
            retention: self.files.retention,
            identities: self.files.identities,
            seen: copies::first_look(&self.files.record).await,
            snapshots: Some(SnapshotRule::default()),
        };
        let file = ModuleFile { digest: module.digest(), bytes: module.bytes(), calls: engine.calls() };
        let parts = Parts {
            engine: Arc::new(engine),
            index: Arc::new(LiveGrants::default()),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            ways: self.files.ways,
        };
        let app = App::open(settings, parts).await.map_err(|error| not_opened(&error))?;
        let keeping = keep_module(self.data.clone(), module);

        let (stop, stopping) = watch::channel(false);
        socket::listen(&self.data, app.clone(), stopping.clone()).map_err(|error| {
            Failure::unavailable("no_socket", format!("the operators' socket cannot be made: {error}"))
                .help("give a data folder with a shorter path: a socket's has at most 107 bytes")
        })?;
        match app.offer_first_enrolment().await {
            Ok(None) => {}
            Ok(Some(link)) => tracing::warn!(
                person = %link.person, file = link.file, until = %link.expires_at,
                "nobody was ever here; the first administrator comes in by the link in this file"
            ),
            // `proviso admin enrol` makes another.
            Err(refusal) => tracing::error!(code = refusal.code, "the first administrator's link could not be made"),
        }
        let telling = notify::start(app.clone(), &self.files.notify, Arc::new(SystemRandom), stopping.clone());
        let telling = telling.map_err(|error| Failure::unavailable("cannot_notify", error))?;
        let reconciling = keep_reconciling(app.clone(), stopping.clone());
        let retaining = retain(app.clone(), stopping.clone());
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let copying = copies::start(&app, &self.files.record, &random, &stopping);
        let record = app.record();
        let site = Site::new(app.clone(), file, listen, tls.clone(), stopping.clone());
        let router = http::router(site);
        let serving = match tls {
            Some(keeper) => {
                let acceptor =
                    keeper.acceptor(clients).map_err(|error| Failure::unavailable("no_tls", error.to_string()))?;
                // It ends when the gate is told to stop.
                drop(tokio::spawn(keeper.keep(Arc::new(SystemClock), stopping.clone())));
                tokio::spawn(http::serve_tls(listener, acceptor, router, stopping))
            }
            None => tokio::spawn(http::serve(listener, router, stopping)),
        };
        Ok(Running {
            url: public_url,
            bundle: record.bundle,
            module: record.module,
            app,
            stop,
            serving,
            keeping,
            telling,
            reconciling,
            retaining,
            copying,
        })
    }
}

/// Looks every minute whether it is time to erase what is older than it is kept, and to work out who looks after
/// people.
fn retain(app: App, mut stopping: watch::Receiver<bool>) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            app.know_administrators().await;
            match app.retain_due().await {
                Ok(None) => {}
                Ok(Some(done)) => {
                    tracing::info!(records = done.records.len(), "what is older than it is kept was erased")
                }
                Err(refusal) => {
                    tracing::warn!(code = refusal.code, "what is older than it is kept could not be erased")
                }
            }
            tokio::select! {
                () = tokio::time::sleep(RETAIN) => {}
                _ = stopping.wait_for(|stop| *stop) => return,
            }
        }
    })
}

/// Reads, checks and compiles the module. Takes what an earlier start compiled, where this gate wrote it.
async fn load_module(data: PathBuf) -> Result<(PolicyModule, WasmEngine), Failure> {
    let (bytes, expected) = assets::policy_wasm().zip(assets::policy_digest()).ok_or_else(|| {
        Failure::unavailable("no_module", "this binary was built without policy.wasm").help(assets::REMEDY)
    })?;
    let loading = spawn_blocking(move || {
        let keys = Keys::read(&data).ok();
        let code = |bytes: &[u8]| keys.as_ref().map_or_else(|| Digest::of(&[]), |keys| code_of(keys, bytes));
        let cache = Cache::new(&data, &code);
        let module = PolicyModule::load(&bytes, expected, keys.is_some().then_some(&cache))?;
        let engine = WasmEngine::new(&module, Limits::default())?;
        Ok::<_, crate::gate::ModuleError>((module, engine))
    });
    match loading.await {
        Ok(Ok(loaded)) => Ok(loaded),
        Ok(Err(error)) => Err(Failure::unavailable(error.code(), error.to_string()).help(assets::REMEDY)),
        Err(error) => Err(Failure::unavailable("internal_error", error.to_string())),
    }
}

/// Keeps what was compiled, once the folder and its keys are there.
fn keep_module(data: PathBuf, module: PolicyModule) -> JoinHandle<()> {
    spawn_blocking(move || {
        if let Ok(keys) = Keys::read(&data) {
            module.keep(&Cache::new(&data, &|bytes| code_of(&keys, bytes)));
        }
    })
}

fn code_of(keys: &Keys, bytes: &[u8]) -> Digest {
    keys.code(Cache::CODE, bytes)
}

/// Why the app did not open, as an exit code.
pub(super) const fn exit_of(error: &OpenError) -> Exit {
    match error {
        OpenError::Store(StoreError::Tampered { .. })
        | OpenError::Bundle { .. }
        | OpenError::OtherBundle { .. }
        | OpenError::Alone { .. }
        | OpenError::TooMuch
        | OpenError::History { .. } => Exit::BadInput,
        OpenError::NotActivated { .. }
        | OpenError::PeopleActivate
        | OpenError::OtherModule { .. }
        | OpenError::NoReason => Exit::Usage,
        OpenError::Store(_) | OpenError::CredentialKeys(_) | OpenError::Engine(_) => Exit::Unavailable,
    }
}

fn not_opened(error: &OpenError) -> Failure {
    Failure::new(exit_of(error), error.code(), error.to_string()).help(error.help())
}

/// Log lines go to standard error, as `RUST_LOG` says.
pub(super) fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,proviso=info"));
    // A line that cannot be written is lost: complaining about it on the same standard error would panic.
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A log that was started already stays.
    let _ = log.log_internal_errors(false).try_init();
}
