//! The pair that is served: read again when its files change or the operator says so. One that is not good is told of,
//! and the one before goes on.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use policy_core::time::Timestamp;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::certificate::{Loaded, Pair, Stamp, TlsError};
use super::clients::KeyHolders;
use crate::clock::Clock;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// The pair that is served, and how its files stand.
pub struct Keeper {
    pair: Pair,
    held: RwLock<Held>,
}

struct Held {
    loaded: Arc<Loaded>,
    /// The files as they were last looked at, and whether they were taken or told of as they are.
    stamp: Stamp,
    settled: bool,
    /// Why the newest files are not served.
    fault: Option<&'static str>,
}

/// How it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Until when what is served is good.
    pub not_after: Timestamp,
    /// The code of why newer files are not served.
    pub fault: Option<&'static str>,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("pair", &self.pair).finish_non_exhaustive()
    }
}

impl Keeper {
    /// Reads the pair for the first time.
    ///
    /// # Errors
    /// What is wrong with it: a gate does not start with one that is not good.
    pub fn open(pair: Pair, now: Timestamp) -> Result<Arc<Self>, TlsError> {
        let stamp = pair.stamp();
        let loaded = Arc::new(pair.read(now)?);
        let held = RwLock::new(Held { loaded, stamp, settled: true, fault: None });
        Ok(Arc::new(Self { pair, held }))
    }

    /// What takes handshakes: TLS 1.2 and 1.3, HTTP/1.1 inside. `clients`: the other end is asked for a certificate.
    ///
    /// # Errors
    /// When the library offers neither version.
    pub fn acceptor(self: &Arc<Self>, clients: bool) -> Result<TlsAcceptor, rustls::Error> {
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?;
        let config = if clients {
            config.with_client_cert_verifier(Arc::new(KeyHolders::new(provider)))
        } else {
            config.with_no_client_auth()
        };
        let mut config = config.with_cert_resolver(Arc::new(Served(Arc::clone(self))));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Whether what is served is for this name.
    pub fn covers(&self, name: &str) -> bool {
        self.current().covers(name)
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        Standing { not_after: held.loaded.not_after, fault: held.fault }
    }

    /// Looks at the files, and takes what changed where it is good. `asked`: the operator said so, so they are read
    /// whether they changed or not, and whatever is wrong is told at once; otherwise files that are being written have
    /// until the next look.
    pub fn look(&self, now: Timestamp, asked: bool) {
        let stamp = self.pair.stamp();
        let (before, settled, digest) = {
            let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
            (held.stamp, held.settled, held.loaded.digest)
        };
        if !asked && stamp == before && settled {
            return;
        }
        let read = self.pair.read(now);
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.stamp = stamp;
        match read {
            Ok(loaded) => {
                if loaded.digest != digest {
                    tracing::info!(not_after = %loaded.not_after, "a new certificate is served");
                    held.loaded = Arc::new(loaded);
                }
                (held.fault, held.settled) = (None, true);
            }
            // What is not good takes the place of nothing that was.
            Err(error) if asked || stamp == before => {
                tracing::error!(code = error.code(), %error, "the new certificate is not served; the one before goes on");
                (held.fault, held.settled) = (Some(error.code()), true);
            }
            Err(_) => held.settled = false,
        }
    }

    /// Looks every two seconds, and at each SIGHUP, until the gate stops.
    pub async fn keep(self: Arc<Self>, clock: Arc<dyn Clock>, mut stopping: watch::Receiver<bool>) {
        let mut asked = signal(SignalKind::hangup()).ok();
        loop {
            let is_asked = tokio::select! {
                () = tokio::time::sleep(LOOK) => false,
                () = hung_up(&mut asked) => true,
                _ = stopping.wait_for(|stop| *stop) => return,
            };
            // A few reads of small files: short enough for the executor.
            self.look(clock.now(), is_asked);
        }
    }

    fn current(&self) -> Arc<Loaded> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner).loaded)
    }
}

async fn hung_up(asked: &mut Option<Signal>) {
    match asked {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// What a handshake is given: the pair of now, and nothing for a name that is not the certificate's.
#[derive(Debug)]
struct Served(Arc<Keeper>);

impl ResolvesServerCert for Served {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let loaded = self.0.current();
        let wanted = hello.server_name().is_none_or(|name| loaded.covers(name));
        wanted.then(|| loaded.key())
    }
}
