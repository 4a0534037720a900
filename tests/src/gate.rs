//! A gate in this process: the real module, store, use cases and HTTP; only the clock is the test's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use proviso::app::{
    Activation, Allowance, App, GrantIndex, OpenError, Operator, Parts, Retention, SessionLimits, Settings, Ways,
};
use proviso::clock::Clock as _;
use proviso::copies::{self, Record};
use proviso::gate::{Cache, Limits, LiveGrants, PolicyModule, WasmEngine};
use proviso::http::{self, ModuleFile, Site};
use proviso::identity::MintRequest;
use proviso::notify::{self, Notify};
use proviso::random::{Random, SystemRandom};
use proviso::store::{DataKind, SeenHead, SnapshotRule, Store, bundle_folder};
use proviso::tls::{Keeper, Pair};
use proviso::trust::Identities;
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::binary::{copy_folder, scratch};
use crate::client::{Client, signed_in};
use crate::clock::TestClock;
use crate::scenario::AGENTS;

/// The sample bundle, about the folder `/srv/files`.
#[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
pub fn sample_bundle() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundles/sample");
    bundle_folder::read(&folder).expect("the sample bundle can be read")
}

/// The module that `cargo xtask build` made, compiled once for all tests.
#[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
pub fn module() -> &'static PolicyModule {
    static MODULE: OnceLock<PolicyModule> = OnceLock::new();
    MODULE.get_or_init(|| {
        let bytes = proviso::assets::policy_wasm().expect("policy.wasm, which `cargo xtask build` makes");
        let folder = scratch();
        let cache = Cache::new(&folder, &Digest::of);
        let module = PolicyModule::load(&bytes, Digest::of(&bytes), Some(&cache)).expect("policy.wasm compiles");
        module.keep(&cache);
        module
    })
}

/// What a test changes of a gate.
#[derive(Clone)]
pub struct Setup {
    /// The bundle's files.
    pub bundle: BTreeMap<String, String>,
    /// A gate or a demo.
    pub kind: DataKind,
    /// Whether approvers' links may be minted under the gate's own user: tests have one user only.
    pub single_user: bool,
    /// Where the gate says that it is reached.
    pub public_url: Option<String>,
    /// The time.
    pub clock: Arc<TestClock>,
    /// Finds live grants.
    pub index: Arc<dyn GrantIndex>,
    /// What a call of the module may cost.
    pub limits: Limits,
    /// Whether the bundle is activated with a reason, as an operator does after a change.
    pub activate: bool,
    /// How often a subject may ask: tests ask fast.
    pub allowance: Allowance,
    /// How many requests a person is to decide in a day.
    pub attention: Option<u32>,
    /// Where people are told.
    pub notify: Notify,
    /// Heads of its record that others hold.
    pub seen: Vec<SeenHead>,
    /// When snapshots of its record are written.
    pub snapshots: Option<SnapshotRule>,
    /// How long what is kept.
    pub retention: Retention,
    /// Whose tokens are believed besides its own.
    pub identities: Identities,
    /// Where its record goes besides.
    pub record: Record,
    /// How people sign in besides links.
    pub ways: Ways,
    /// Another policy module than the built one.
    pub module: Option<PolicyModule>,
    /// TLS of its own, and a client that believes its authority.
    pub tls: Option<(Pair, reqwest::Client)>,
    /// What stands between the use cases and the store.
    pub wrap: fn(Arc<dyn Store>) -> Arc<dyn Store>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            bundle: sample_bundle(),
            kind: DataKind::Gate,
            single_user: true,
            public_url: None,
            clock: Arc::new(TestClock::new()),
            index: Arc::new(LiveGrants::default()),
            limits: Limits::default(),
            activate: false,
            allowance: Allowance::each_second(100_000),
            attention: None,
            notify: Notify::default(),
            seen: Vec::new(),
            snapshots: Some(SnapshotRule::default()),
            retention: Retention::default(),
            identities: Identities::default(),
            record: Record::default(),
            ways: Ways { sessions: patient(), ..Ways::default() },
            module: None,
            tls: None,
            wrap: |store| store,
        }
    }
}

/// A gate that serves on a free port until it is dropped.
pub struct TestGate {
    /// Its use cases, for what no interface offers.
    pub app: App,
    /// Its clock.
    pub clock: Arc<TestClock>,
    /// A client of it.
    pub client: Client,
    folder: Option<TempDir>,
    data: PathBuf,
    stop: watch::Sender<bool>,
}

impl TestGate {
    /// The sample bundle, a fresh data folder.
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// As the setup says, a fresh data folder.
    #[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
    pub async fn with(setup: Setup) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        let mut gate = Self::open(setup, &data).await.expect("the gate opens");
        gate.folder = Some(folder);
        gate
    }

    /// As the setup says, over a copy of this gate's data folder: as after a restart.
    #[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
    pub async fn again(self, setup: Setup) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        copy_folder(&self.data, &data).expect("a copy of the data folder");
        drop(self);
        let mut gate = Self::open(setup, &data).await.expect("the gate opens again");
        gate.folder = Some(folder);
        gate
    }

    /// As the setup says, over a data folder that may hold a record.
    ///
    /// # Errors
    /// When the app does not open.
    #[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
    pub async fn open(setup: Setup, data: &Path) -> Result<Self, OpenError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let listen = listener.local_addr().expect("an address");
        let url = format!("{}://{listen}", if setup.tls.is_some() { "https" } else { "http" });
        let clients = setup.identities.wants_certificates();
        let module = setup.module.as_ref().unwrap_or_else(|| module());
        let engine = WasmEngine::new(module, setup.limits).expect("the module's exports");
        let file = ModuleFile { digest: module.digest(), bytes: module.bytes(), calls: engine.calls() };
        let settings = Settings {
            data: data.to_owned(),
            kind: setup.kind,
            public_url: setup.public_url.unwrap_or_else(|| url.clone()),
            single_user: setup.single_user,
            activate: setup.activate.then(|| activation(&setup.bundle)),
            bundle: setup.bundle,
            allowance: setup.allowance,
            attention: setup.attention,
            operator: operator(),
            channels: setup.notify.channels(),
            retention: setup.retention,
            identities: setup.identities,
            seen: [setup.seen, copies::first_look(&setup.record).await].concat(),
            snapshots: setup.snapshots,
        };
        let parts = Parts {
            engine: Arc::new(engine),
            index: setup.index,
            clock: Arc::<TestClock>::clone(&setup.clock),
            random: Arc::new(SystemRandom),
            ways: setup.ways,
        };
        let app = App::open_with(settings, parts, setup.wrap).await?;
        let (stop, stopping) = watch::channel(false);
        drop(notify::start(app.clone(), &setup.notify, Arc::new(SystemRandom), stopping.clone()).expect("a courier"));
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        drop(copies::start(&app, &setup.record, &random, &stopping));
        let (pair, client) = setup.tls.map(|(pair, http)| (pair, Client::over(url.clone(), http))).unzip();
        let keeper = pair.map(|pair| Keeper::open(pair, setup.clock.now()).expect("a certificate that is good"));
        let site = Site::new(app.clone(), file, listen, keeper.clone(), stopping.clone());
        let router = http::router(site);
        drop(match keeper.map(|keeper| keeper.acceptor(clients).expect("TLS")) {
            Some(acceptor) => tokio::spawn(http::serve_tls(listener, acceptor, router, stopping)),
            None => tokio::spawn(http::serve(listener, router, stopping)),
        });
        let client = client.unwrap_or_else(|| Client::new(url));
        Ok(Self { app, clock: setup.clock, client, folder: None, data: data.to_owned(), stop })
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// An agent's token. `agent` is the last part of its id.
    pub async fn agent(&self, agent: &str, task: &str, on_behalf: Option<&str>) -> String {
        let subject = EntityRef::new("Agent", format!("{AGENTS}{agent}"));
        let on_behalf = on_behalf.map(str::to_owned);
        let (task, via, resource) = (task.to_owned(), Vec::new(), None);
        self.mint(MintRequest::Agent { subject, task, via, on_behalf, resource }).await
    }

    /// An agent's token that is for a resource alone: a proxy's URI.
    pub async fn agent_at(&self, resource: &str, agent: &str, task: &str, on_behalf: Option<&str>) -> String {
        let subject = EntityRef::new("Agent", format!("{AGENTS}{agent}"));
        let (on_behalf, resource) = (on_behalf.map(str::to_owned), Some(resource.to_owned()));
        self.mint(MintRequest::Agent { subject, task: task.to_owned(), via: Vec::new(), on_behalf, resource }).await
    }

    /// An enforcement point's token, for every agent of the sample bundle.
    pub async fn point(&self, name: &str, servers: &[&str]) -> String {
        let servers = servers.iter().map(|server| (*server).to_owned()).collect();
        let subjects = format!("Agent::{AGENTS}*");
        self.mint(MintRequest::EnforcementPoint {
            name: name.to_owned(),
            subjects,
            servers,
            vouches: false,
            resource: None,
        })
        .await
    }

    /// The same for a proxy that is a resource of its own.
    pub async fn point_at(&self, resource: &str, name: &str, servers: &[&str]) -> String {
        let servers = servers.iter().map(|server| (*server).to_owned()).collect();
        let (subjects, resource) = (format!("Agent::{AGENTS}*"), Some(resource.to_owned()));
        self.mint(MintRequest::EnforcementPoint { name: name.to_owned(), subjects, servers, vouches: false, resource })
            .await
    }

    /// Signs a person in by link, over HTTP: cookie and key, as `as_person` takes them.
    #[expect(clippy::panic, reason = "a harness fails its test by panicking")]
    pub async fn person(&self, user: &str) -> String {
        let link = self.mint(MintRequest::Approver { user: user.to_owned() }).await;
        let secret = link.rsplit('#').next().unwrap_or_default();
        let answer = self.client.post("/api/v1/session", "", &json!({"link": secret})).await;
        signed_in(&answer).unwrap_or_else(|| panic!("`{user}` was not signed in: {answer:?}"))
    }

    /// Mints a credential as the operator does: its secret, or a sign-in link.
    #[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
    pub async fn mint(&self, request: MintRequest) -> String {
        self.app.mint(request, &operator()).await.expect("the gate mints").secret
    }
}

impl Drop for TestGate {
    fn drop(&mut self) {
        // Nobody listens any more when the runtime has gone first.
        let _ = self.stop.send(true);
    }
}

#[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
fn activation(bundle: &BTreeMap<String, String>) -> Activation {
    let digest = policy_evaluator::bundle::digests(bundle).expect("a bundle").bundle;
    Activation { digest, reason: "the policies have changed".to_owned() }
}

/// Tests let hours pass between two requests.
fn patient() -> SessionLimits {
    SessionLimits { idle: SessionLimits::default().absolute, ..SessionLimits::default() }
}

fn operator() -> Operator {
    Operator { uid: 4242, name: "tester".to_owned() }
}
