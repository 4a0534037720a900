//! What every endpoint stands on.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use policy_core::digest::Digest;
use tokio::sync::watch;

use super::dashboard::Dashboard;
use super::room::Room;
use crate::app::App;
use crate::gate::Calls;
use crate::tls::Keeper;

/// The module as it is served: the very bytes that the gate runs.
#[derive(Clone)]
pub struct ModuleFile {
    /// Its digest.
    pub digest: Digest,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// What its calls came to.
    pub calls: Arc<Calls>,
}

/// One gate's site. Cheap to clone.
#[derive(Clone)]
pub struct Site(Arc<Inner>);

struct Inner {
    app: App,
    module: ModuleFile,
    dashboard: Dashboard,
    hosts: BTreeSet<String>,
    origins: BTreeSet<String>,
    tls: Option<Arc<Keeper>>,
    stopping: watch::Receiver<bool>,
    room: Room,
}

impl Site {
    /// A site for this app, reached at its public URL and at the address that it listens on, inside TLS where there is a
    /// certificate. `stopping` turns true when the gate shuts down, so that streams end.
    pub fn new(
        app: App,
        module: ModuleFile,
        listen: SocketAddr,
        tls: Option<Arc<Keeper>>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let mut hosts = BTreeSet::new();
        let mut origins = BTreeSet::new();
        let public = app.settings().public_url.clone();
        if let Some((_, authority)) = public.split_once("://") {
            hosts.insert(authority.to_ascii_lowercase());
        }
        origins.insert(public.to_ascii_lowercase());
        if listen.ip().is_loopback() {
            let (port, scheme) = (listen.port(), if tls.is_some() { "https" } else { "http" });
            for name in ["localhost", "127.0.0.1", "[::1]"] {
                hosts.insert(format!("{name}:{port}"));
                origins.insert(format!("{scheme}://{name}:{port}"));
            }
        }
        let dashboard = Dashboard::read(app.settings().is_demo());
        Self(Arc::new(Inner { app, module, dashboard, hosts, origins, tls, stopping, room: Room::new() }))
    }

    pub(super) fn app(&self) -> &App {
        &self.0.app
    }

    pub(super) fn module(&self) -> &ModuleFile {
        &self.0.module
    }

    pub(super) fn dashboard(&self) -> &Dashboard {
        &self.0.dashboard
    }

    pub(super) fn knows_host(&self, host: &str) -> bool {
        self.0.hosts.contains(&host.to_ascii_lowercase())
    }

    pub(super) fn knows_origin(&self, origin: &str) -> bool {
        self.0.origins.contains(&origin.to_ascii_lowercase())
    }

    pub(super) fn tls(&self) -> Option<&Keeper> {
        self.0.tls.as_deref()
    }

    /// Where questions of agents are worked on.
    pub(super) fn room(&self) -> &Room {
        &self.0.room
    }

    pub(super) fn stopping(&self) -> watch::Receiver<bool> {
        self.0.stopping.clone()
    }

    pub(super) fn public_url(&self) -> &str {
        &self.0.app.settings().public_url
    }

    /// Whether people reach it over TLS: their cookies are `Secure` then.
    pub(super) fn is_https(&self) -> bool {
        self.public_url().starts_with("https://")
    }
}
