//! Serving until told to stop: so many connections and no more, and none that only begins to ask.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::handshake::hands_shaken;
use crate::trust::ClientCertificates;

/// How long open requests have after the gate was told to stop.
const GRACE: Duration = Duration::from_secs(5);
/// How many bytes a request's head may have.
const LONGEST_HEAD: usize = 64 * 1024;
/// How long a listener that does not accept is left alone.
const PAUSE: Duration = Duration::from_millis(100);

/// What a listener bears.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// Connections at once. Others wait outside.
    connections: usize,
    /// How long a connection may take to send a request's head, from its beginning or from the answer before.
    patience: Duration,
}

impl Bounds {
    const SERVED: Self = Self { connections: 512, patience: Duration::from_secs(15) };
}

/// Serves until `stopping` turns true, then lets open requests end.
pub async fn serve(listener: TcpListener, router: Router, stopping: watch::Receiver<bool>) {
    serve_within(Bounds::SERVED, listener, None, router, stopping).await;
}

/// The same inside TLS.
pub async fn serve_tls(listener: TcpListener, tls: TlsAcceptor, router: Router, stopping: watch::Receiver<bool>) {
    serve_within(Bounds::SERVED, listener, Some(tls), router, stopping).await;
}

async fn serve_within(
    bounds: Bounds,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(bounds.connections));
    let mut connections = JoinSet::new();
    loop {
        // A semaphore that nobody closes gives.
        let place = tokio::select! {
            () = told(&mut stopping) => break,
            Ok(place) = Arc::clone(&places).acquire_owned() => place,
        };
        let accepted = tokio::select! {
            () = told(&mut stopping) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let (tls, router, stopping) = (tls.clone(), router.clone(), stopping.clone());
                connections.spawn(meet(stream, tls, router, bounds.patience, stopping, place));
            }
            Err(error) => {
                tracing::warn!(%error, "the listener did not accept");
                tokio::time::sleep(PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let ending = async { while connections.join_next().await.is_some() {} };
    // What does not end by then ends with the gate.
    let _ = tokio::time::timeout(GRACE, ending).await;
}

/// Returns when the gate is told to stop.
async fn told(stopping: &mut watch::Receiver<bool>) {
    // A sender that is gone stops the gate as well.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// One connection, in a task of its own: a handshake that hangs holds up nobody but whoever holds every place, and for
/// no longer than a head may.
async fn meet(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    router: Router,
    patience: Duration,
    mut stopping: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
) {
    // Answers are small and wanted at once. A socket that does not take the option is served all the same.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return converse(stream, router, None, patience, stopping).await };
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(patience, hands_shaken(&tls, stream)) => shaken.ok().flatten(),
        () = told(&mut stopping) => None,
    };
    if let Some(stream) = shaken {
        let certificates = ClientCertificates::of(stream.get_ref().1.peer_certificates());
        converse(stream, router, certificates, patience, stopping).await;
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    certificates: Option<ClientCertificates>,
    patience: Duration,
    mut stopping: watch::Receiver<bool>,
) {
    let inner = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        // Each request knows what its connection's other end showed, and nothing else can say so.
        if let Some(certificates) = &certificates {
            request.extensions_mut().insert(certificates.clone());
        }
        inner.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const ASK: &[u8] = b"GET / HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n";

    async fn started(bounds: Bounds) -> (std::net::SocketAddr, watch::Sender<bool>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = watch::channel(false);
        let router = Router::new().route("/", get(async || "here"));
        drop(tokio::spawn(serve_within(bounds, listener, None, router, stopping)));
        (address, stop)
    }

    async fn said(mut stream: TcpStream) -> String {
        let mut said = Vec::new();
        // One that was reset said nothing more.
        let _ = stream.read_to_end(&mut said).await;
        String::from_utf8_lossy(&said).into_owned()
    }

    #[tokio::test]
    async fn a_head_that_does_not_come_ends_its_connection() {
        let (address, _stop) = started(Bounds { connections: 8, patience: Duration::from_millis(100) }).await;
        for begun in [&b""[..], b"GET / HTTP/1.1\r\nHost:"] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(begun).await.unwrap();
            assert!(!said(stream).await.contains("here"));
        }
    }

    #[tokio::test]
    async fn who_holds_every_place_and_says_nothing_keeps_nobody_out_for_ever() {
        let (address, _stop) = started(Bounds { connections: 2, patience: Duration::from_millis(100) }).await;
        let mut idle = Vec::new();
        for _ in 0..6 {
            idle.push(TcpStream::connect(address).await.unwrap());
        }
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(ASK).await.unwrap();
        assert!(said(stream).await.ends_with("here"));
    }

    #[tokio::test]
    async fn a_head_without_end_is_refused() {
        let (address, _stop) = started(Bounds { connections: 8, patience: Duration::from_secs(60) }).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let long = [b"GET / HTTP/1.1\r\nHost: gate\r\nX-Long: ".as_slice(), &vec![b'x'; 2 * LONGEST_HEAD]].concat();
        // The gate may hang up in the middle of it.
        let _ = stream.write_all(&long).await;
        assert!(!said(stream).await.contains("here"));
    }

    #[tokio::test]
    async fn told_to_stop_it_ends_what_is_idle_at_once() {
        let (address, stop) = started(Bounds { connections: 8, patience: Duration::from_secs(60) }).await;
        let idle = TcpStream::connect(address).await.unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(ASK).await.unwrap();
        assert!(said(stream).await.ends_with("here"));
        stop.send(true).unwrap();
        assert_eq!(said(idle).await, "");
        assert!(TcpStream::connect(address).await.is_err());
    }
}
