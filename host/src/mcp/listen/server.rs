//! The proxy as it listens: its addresses, what it shares among all callers, and what it does besides.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::sync::{Mutex, watch};

use super::book::{Book, Making};
use super::bounds::{LIST, MOST_HEADERS};
use super::callers::Callers;
use super::guard::{Closed, Doors};
use super::metadata::Metadata;
use super::options::Behind;
use super::refusal::Refused;
use super::{entry, stops, streams};
use crate::clock::{Clock, SystemClock};
use crate::mcp::gate::Gate;
use crate::mcp::sentences::Failure;
use crate::random::SystemRandom;

/// How often it is looked for conversations that nobody uses.
const SWEEP: Duration = Duration::from_secs(30);
/// How long conversations have to report what they began, when the proxy ends.
const LAST_PATIENCE: Duration = Duration::from_secs(8);

/// A proxy before one upstream.
pub struct Proxy {
    pub(super) callers: Callers,
    pub(super) book: Book,
    pub(super) metadata: Arc<Metadata>,
    pub(super) clock: Arc<dyn Clock>,
    doors: Doors,
    begun: Arc<stops::Begun>,
    has_credential: bool,
    ended: Mutex<Receiver<()>>,
}

impl Proxy {
    /// A proxy that serves nobody yet.
    pub fn new(behind: Behind) -> Arc<Self> {
        let Behind { gate, server, roots, upstream, doors, metadata } = behind;
        let (clock, metadata): (Arc<dyn Clock>, _) = (Arc::new(SystemClock), Arc::new(metadata));
        let begun = Arc::new(stops::Begun::default());
        let has_credential = upstream.has_credential();
        let making = Making {
            server,
            roots,
            list_good_for: u64::try_from(LIST.as_millis()).unwrap_or(0),
            upstream: Arc::new(upstream),
            clock: Arc::clone(&clock),
            random: Arc::new(SystemRandom),
            begun: Arc::clone(&begun),
        };
        // Nothing is ever sent: it ends with the last sender.
        let (alive, ended) = channel(1);
        Arc::new(Self {
            callers: Callers::new(gate, Arc::clone(&metadata), Arc::clone(&clock)),
            book: Book::new(making, alive),
            metadata,
            clock,
            doors,
            begun,
            has_credential,
            ended: Mutex::new(ended),
        })
    }

    /// What clients are told that it is.
    pub fn resource(&self) -> &str {
        &self.metadata.resource
    }

    /// Whether the upstream is told who speaks to it. If not, whoever reaches it goes round this proxy.
    pub const fn has_credential(&self) -> bool {
        self.has_credential
    }

    /// Which resource the gate's record says that this proxy's credential is for: nothing where it says none.
    ///
    /// # Errors
    /// When the gate is away, or does not know the credential.
    pub async fn resource_on_record(&self) -> Result<Option<String>, Failure> {
        self.callers.gate().who().await.map(|who| who.resource)
    }

    /// Its addresses.
    pub fn router(self: &Arc<Self>) -> Router {
        let endpoint =
            axum::routing::post(entry::post).get(streams::get).delete(streams::delete).fallback(streams::none);
        let mut router = Router::new().route(&self.metadata.path, endpoint);
        let mut paths = self.metadata.paths().to_vec();
        paths.dedup();
        for path in paths.into_iter().filter(|path| *path != self.metadata.path) {
            router = router.route(&path, get(metadata));
        }
        router.fallback(nothing_here).with_state(Arc::clone(self))
    }

    /// Looks after its conversations until it is told to stop, and then until each has reported what it began.
    pub async fn keep(self: Arc<Self>, mut stopping: watch::Receiver<bool>) {
        let sweeping = async {
            loop {
                tokio::time::sleep(SWEEP).await;
                self.book.sweep().await;
            }
        };
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => {}
            () = stops::watch(self.callers.gate(), &self.begun, &self.book) => {}
            () = sweeping => {}
        }
        self.book.close().await;
        let mut ended = self.ended.lock().await;
        // What is not reported by then is of unknown outcome to the gate all the same.
        let _late = tokio::time::timeout(LAST_PATIENCE, ended.recv()).await;
    }

    /// The gate, asked for this caller.
    pub(super) fn gate_for(&self, token: &str, subject: &proviso_api::authzen::Entity) -> Gate {
        self.callers.gate().for_agent(token, Some(subject.clone()))
    }

    /// What every request passes first.
    ///
    /// # Errors
    /// 403 for another name or page, 431 for too many headers.
    pub(super) fn hold_door(&self, headers: &axum::http::HeaderMap) -> Result<(), Refused> {
        if headers.len() > MOST_HEADERS {
            let detail = "the request has too many headers";
            return Err(Refused::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "too_many_headers", detail));
        }
        self.doors.hold(headers).map_err(|closed| match closed {
            Closed::Host => {
                Refused::new(StatusCode::FORBIDDEN, "unknown_host", "this proxy is not reached under that name")
            }
            Closed::Origin => {
                Refused::new(StatusCode::FORBIDDEN, "unknown_origin", "another site's page made this request")
            }
        })
    }
}

async fn metadata(State(proxy): State<Arc<Proxy>>, request: Request<Body>) -> Response {
    if let Err(refused) = proxy.hold_door(request.headers()) {
        return refused.into_response();
    }
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (kind, proxy.metadata.document().to_string()).into_response()
}

async fn nothing_here(State(proxy): State<Arc<Proxy>>) -> Response {
    let detail = format!("there is nothing at this address; the endpoint is at `{}`", proxy.metadata.path);
    Refused::new(StatusCode::NOT_FOUND, "no_endpoint", detail).into_response()
}
