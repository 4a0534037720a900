//! `proviso mcp --listen`: the proxy over Streamable HTTP, before a server that only it can speak to.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use tokio::sync::watch;

use super::listen::Listen;
use super::output::{Done, Exit, Failure, say};
use super::serve::start_log;
use super::signals::Signals;
use crate::clock::SystemClock;
use crate::http;
use crate::mcp::sentences::Failure as GateFailure;
use crate::mcp::{BehindError, ListenOptions, Proxy};

/// The options of it.
#[derive(Debug, Args)]
pub(super) struct Listening {
    /// Listen there for clients over Streamable HTTP, in place of one client on standard input. Beyond loopback only
    /// inside TLS, or behind a proxy that speaks it.
    #[arg(long, value_name = "ADDR", requires = "upstream")]
    pub(super) listen: Option<SocketAddr>,
    /// The endpoint of the MCP server behind. Beyond loopback only https.
    #[arg(long, value_name = "URL", requires = "listen")]
    upstream: Option<String>,
    /// A file with the upstream's credential, which nobody else may read: a bearer token, or a line `Header-Name: value`;
    /// without it PROVISO_UPSTREAM_CREDENTIAL.
    #[arg(long, value_name = "FILE", requires = "listen")]
    upstream_credential: Option<PathBuf>,
    /// Authorities in PEM that the upstream's certificate is held against, in place of the public ones.
    #[arg(long, value_name = "FILE", requires = "listen")]
    upstream_ca: Option<PathBuf>,
    /// The endpoint's public URL, for which agents' tokens must be; without it the address that is listened on, and `/mcp`.
    #[arg(long, value_name = "URL", requires = "listen")]
    resource: Option<String>,
    /// An issuer that clients are told to get tokens from. May be repeated.
    #[arg(long = "issuer", value_name = "URL", requires = "listen")]
    issuers: Vec<String>,
    /// An origin whose pages may call, besides the proxy's own. May be repeated.
    #[arg(long = "allow-origin", value_name = "ORIGIN", requires = "listen")]
    origins: Vec<String>,
    /// The proxy's certificate in PEM, with those behind it that lead to its authority. Read again when it changes.
    #[arg(long, value_name = "FILE", requires_all = ["tls_key", "listen"])]
    tls_cert: Option<PathBuf>,
    /// Its private key in PEM, which nobody else may read.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Another proxy speaks TLS before this one, and nobody reaches it but through that one.
    #[arg(long, conflicts_with = "tls_cert", requires_all = ["resource", "listen"])]
    behind_proxy: bool,
}

/// What both kinds of proxy are started with.
pub(super) struct Common {
    pub(super) gate: String,
    pub(super) gate_ca: Option<PathBuf>,
    pub(super) server: String,
    pub(super) token_file: Option<PathBuf>,
    pub(super) state: Option<PathBuf>,
    pub(super) roots: Vec<String>,
}

/// Serves until it is told to stop.
pub(super) async fn run(
    address: SocketAddr,
    listening: Listening,
    common: Common,
    as_json: bool,
) -> Result<Done, Failure> {
    start_log();
    let public_url = listening.resource.as_deref().map(origin).transpose()?;
    let (tls_cert, tls_key, behind_proxy) = (listening.tls_cert, listening.tls_key, listening.behind_proxy);
    let listen = Listen { public_url, tls_cert, tls_key, behind_proxy, ..Listen::plain(address) };
    listen.check()?;
    let tls = listen.keeper()?;
    let listener = listen.bind().await?;
    let address = listener.local_addr().map_err(|error| Failure::unavailable("cannot_listen", error.to_string()))?;
    let Common { gate, gate_ca, server, token_file, state, roots } = common;
    let options = ListenOptions {
        gate,
        gate_ca,
        server,
        token_file,
        state,
        roots,
        upstream: listening.upstream.unwrap_or_default(),
        upstream_ca: listening.upstream_ca,
        upstream_credential: listening.upstream_credential,
        resource: listening.resource.unwrap_or_else(|| format!("{}/mcp", listen.url(address))),
        issuers: listening.issuers,
        origins: listening.origins,
    };
    let proxy = Proxy::new(options.check(|name| std::env::var(name).ok()).map_err(|error| unusable(&error))?);
    hold_resource(&proxy).await?;
    if !proxy.has_credential() {
        tracing::warn!("the upstream is told no credential: whoever reaches it goes round this proxy");
    }
    let signals = Signals::listen()?;
    Signals::outlive_reloads()?;
    let (stop, stopping) = watch::channel(false);
    let keeping = tokio::spawn(Arc::clone(&proxy).keep(stopping.clone()));
    let router = proxy.router();
    let serving = match tls {
        Some(keeper) => {
            // Callers come with tokens that the gate knows; certificates of clients would say nothing to it.
            let acceptor = keeper.acceptor(false).map_err(|error| Failure::unavailable("no_tls", error.to_string()))?;
            // It ends when the proxy is told to stop.
            drop(tokio::spawn(keeper.keep(Arc::new(SystemClock), stopping.clone())));
            tokio::spawn(http::serve_tls(listener, acceptor, router, stopping))
        }
        None => tokio::spawn(http::serve(listener, router, stopping)),
    };
    if as_json {
        say(&json!({"ready": true, "resource": proxy.resource(), "listen": address}).to_string());
    } else {
        say(&format!("proviso mcp is ready at {address} as {}", proxy.resource()));
    }
    signals.stop().await;
    // The receivers live as long as the server does.
    let _ = stop.send(true);
    let _ = keeping.await;
    let _ = serving.await;
    Ok(Done::fine("", json!({"stopped": true})))
}

/// What clients are told that this is must be what the gate's record says that its credential is for: the gate holds their
/// tokens against that. A gate that is away is asked again with each caller.
async fn hold_resource(proxy: &Proxy) -> Result<(), Failure> {
    match proxy.resource_on_record().await {
        Ok(Some(resource)) if resource == proxy.resource() => Ok(()),
        Ok(recorded) => {
            let recorded = recorded.unwrap_or_else(|| "no resource".to_owned());
            let resource = proxy.resource();
            let message = format!("the proxy's credential is for {recorded}, and the proxy says it is {resource}");
            Err(Failure::usage("resource_differs", message))
        }
        Err(GateFailure::Refused(problem)) if matches!(problem.status, 401 | 403) => {
            Err(Failure::bad_input(problem.code.clone(), problem.detail.clone()))
        }
        Err(failure) => {
            tracing::warn!(code = failure.code(), "the gate cannot be reached yet: until it is, nobody is let in");
            Ok(())
        }
    }
}

fn origin(resource: &str) -> Result<String, Failure> {
    let url: Option<reqwest::Url> = resource.parse().ok();
    url.filter(|url| url.origin().is_tuple()).map(|url| url.origin().ascii_serialization()).ok_or_else(|| {
        let error = BehindError::Resource(policy_core::text::visible(resource, 200));
        unusable(&error)
    })
}

fn unusable(error: &BehindError) -> Failure {
    Failure::new(Exit::Usage, error.code(), error.to_string()).help(error.help())
}
