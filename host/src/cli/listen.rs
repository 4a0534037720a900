//! Where the gate listens, and how: on loopback, inside TLS of its own, or behind a proxy that is said to be there.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tokio::net::TcpListener;

use super::output::Failure;
use crate::clock::{Clock as _, SystemClock};
use crate::tls::{Keeper, Pair, TlsError};

/// The options of it.
#[derive(Debug, Clone, Args)]
pub(super) struct Listen {
    /// Where to listen. Beyond loopback only inside TLS, or behind a proxy that speaks it.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8731")]
    pub(super) listen: SocketAddr,
    /// Where people and agents reach the gate, when that is not where it listens.
    #[arg(long, value_name = "URL")]
    pub(super) public_url: Option<String>,
    /// The gate's certificate in PEM, with those behind it that lead to its authority. Read again when it changes.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(super) tls_cert: Option<PathBuf>,
    /// Its private key in PEM, which nobody else may read.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(super) tls_key: Option<PathBuf>,
    /// A proxy that speaks TLS stands before this gate, and nobody reaches it but through that one.
    #[arg(long, conflicts_with = "tls_cert", requires = "public_url")]
    pub(super) behind_proxy: bool,
}

impl Listen {
    /// On loopback, without TLS.
    pub(super) fn plain(listen: SocketAddr) -> Self {
        Self { listen, public_url: None, tls_cert: None, tls_key: None, behind_proxy: false }
    }

    /// Holds what is said against itself. A gate never speaks plain HTTP to a network.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let url = self.public_url.as_deref();
        if let Some(url) = url {
            let authority = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
            let is_bare = |rest: &str| !rest.is_empty() && !rest.trim_end_matches('/').contains(['/', '?', '#', '@']);
            if !authority.is_some_and(is_bare) {
                let message = format!("`{url}` is not a URL of scheme, host and port alone");
                return Err(Failure::usage("bad_public_url", message));
            }
        }
        let (is_tls, is_loopback) = (self.tls_cert.is_some(), self.listen.ip().is_loopback());
        let is_https = url.is_some_and(|url| url.starts_with("https://"));
        if (is_tls || self.behind_proxy) && url.is_some() && !is_https {
            return Err(Failure::usage("public_url_without_tls", "the gate is inside TLS, and its public URL is not"));
        }
        if is_tls && !is_loopback && url.is_none() {
            let message = "beyond loopback nobody can tell from the address by which name the gate is reached";
            return Err(Failure::usage("public_url_needed", message));
        }
        let is_inside_tls = is_tls || (self.behind_proxy && is_https);
        if !is_loopback && !is_inside_tls {
            let message = format!("`{}` is beyond loopback, and nothing says that TLS is before it", self.listen);
            return Err(Failure::usage("listen_without_tls", message));
        }
        Ok(())
    }

    /// The certificate, where there is one. One that is not good is no beginning.
    pub(super) fn keeper(&self) -> Result<Option<Arc<Keeper>>, Failure> {
        let Some((certificate, key)) = self.tls_cert.clone().zip(self.tls_key.clone()) else { return Ok(None) };
        let keeper = Keeper::open(Pair { certificate, key }, SystemClock.now()).map_err(|error| unusable(&error))?;
        let name = self.public_url.as_deref().and_then(|url| reqwest::Url::parse(url).ok());
        if let Some(name) = name.as_ref().and_then(|url| url.host_str())
            && !keeper.covers(name.trim_start_matches('[').trim_end_matches(']'))
        {
            let message = format!("the certificate is not for `{name}`, by which the gate is reached");
            return Err(Failure::usage("tls_name_mismatch", message));
        }
        Ok(Some(keeper))
    }

    /// Where it is reached, listening there.
    pub(super) fn url(&self, listen: SocketAddr) -> String {
        match &self.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None if self.tls_cert.is_some() => format!("https://{listen}"),
            None => format!("http://{listen}"),
        }
    }

    /// Takes the address.
    pub(super) async fn bind(&self) -> Result<TcpListener, Failure> {
        let listen = self.listen;
        TcpListener::bind(listen).await.map_err(|error| {
            Failure::unavailable("cannot_listen", format!("`{listen}` cannot be listened on: {error}"))
        })
    }
}

fn unusable(error: &TlsError) -> Failure {
    Failure::bad_input(error.code(), error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(listen: &str, url: Option<&str>, tls: bool, behind_proxy: bool) -> Option<String> {
        let file = tls.then(|| PathBuf::from("/no/such/file"));
        let public_url = url.map(str::to_owned);
        let listen = listen.parse().unwrap();
        let said = Listen { listen, public_url, tls_cert: file.clone(), tls_key: file, behind_proxy };
        said.check().err().map(|failure| failure.code)
    }

    #[test]
    fn plain_http_is_spoken_on_loopback_or_behind_a_proxy_that_was_declared_and_nowhere_else() {
        const PLAIN: Option<&str> = Some("listen_without_tls");
        let (http, https) = (Some("http://gate.example"), Some("https://gate.example"));
        for (listen, url, tls, behind_proxy, refused) in [
            ("127.0.0.1:0", None, false, false, None),
            ("[::1]:0", https, false, false, None),
            ("127.0.0.1:0", https, false, true, None),
            ("127.0.0.1:0", None, true, false, None),
            ("0.0.0.0:0", None, false, false, PLAIN),
            ("0.0.0.0:0", http, false, false, PLAIN),
            ("0.0.0.0:0", https, false, false, PLAIN),
            ("10.1.2.3:443", https, false, false, PLAIN),
            ("[::]:0", https, false, false, PLAIN),
            ("0.0.0.0:0", https, false, true, None),
            ("0.0.0.0:0", http, false, true, Some("public_url_without_tls")),
            ("0.0.0.0:0", https, true, false, None),
            ("0.0.0.0:0", None, true, false, Some("public_url_needed")),
            ("0.0.0.0:0", http, true, false, Some("public_url_without_tls")),
            ("127.0.0.1:0", http, true, false, Some("public_url_without_tls")),
            ("127.0.0.1:0", Some("https://gate.example/x"), true, false, Some("bad_public_url")),
            ("127.0.0.1:0", Some("https://u@gate.example"), true, false, Some("bad_public_url")),
        ] {
            assert_eq!(
                code(listen, url, tls, behind_proxy).as_deref(),
                refused,
                "{listen} {url:?} {tls} {behind_proxy}"
            );
        }
    }
}
