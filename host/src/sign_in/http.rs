//! The way to a provider: to the open network over TLS and to what the operator allowed, without redirects, within bounds.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use ipnet::IpNet;
use openidconnect::http::Response;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;
use reqwest::{Client, Request, Url};
use thiserror::Error;

use crate::notify::Guard;

/// How long a provider may take to answer one request.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most of an answer that is read: keys and metadata are some kilobytes.
const LONGEST: usize = 256 << 10;

/// Why there is no answer. No address stands in it: what is asked of a provider has secrets in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum NoAnswer {
    /// An address that the provider may not have.
    #[error("the provider names an address that it may not have")]
    Forbidden,
    /// It is too long.
    #[error("the provider's answer is too long")]
    TooLong,
    /// It did not come in time.
    #[error("the provider did not answer in time")]
    Late,
    /// There is no connection.
    #[error("there is no connection to the provider")]
    Unreachable,
}

/// A client that goes to one provider and nowhere else.
#[derive(Debug)]
pub(super) struct Http {
    client: Client,
    guard: Guard,
    plain: bool,
}

impl Http {
    /// A client for the provider with this issuer. `allow` are private networks that it may be in; without TLS it lies in
    /// one of them.
    ///
    /// # Errors
    /// What is wrong with the issuer, in words.
    pub(super) fn new(issuer: &Url, allow: &[IpNet]) -> Result<Self, &'static str> {
        let plain = issuer.scheme() == "http";
        if plain && allow.is_empty() {
            return Err("has no TLS: only in a network that `allow` names");
        }
        let guard = Guard::new(allow.to_vec(), plain);
        let client = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .dns_resolver(Arc::new(guard.clone()))
            .timeout(PATIENCE)
            .user_agent(concat!("proviso/", env!("CARGO_PKG_VERSION")))
            .build();
        let http = Self { client: client.map_err(|_| "cannot be reached by TLS")?, guard, plain };
        if http.permits(issuer) { Ok(http) } else { Err("has a private address that `allow` does not name") }
    }

    /// Whether this is an address that a provider may name. A name is looked at again where it is resolved; an address in a
    /// URL is resolved by nobody.
    pub(super) fn permits(&self, url: &Url) -> bool {
        let scheme = url.scheme() == "https" || (self.plain && url.scheme() == "http");
        let given: Option<IpAddr> = url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse().ok());
        scheme && url.host_str().is_some() && given.is_none_or(|address| self.guard.permits(address))
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let request = Request::try_from(request).map_err(|_| NoAnswer::Forbidden)?;
        if !self.permits(request.url()) {
            return Err(NoAnswer::Forbidden);
        }
        let failed = |error: reqwest::Error| if error.is_timeout() { NoAnswer::Late } else { NoAnswer::Unreachable };
        let mut answer = self.client.execute(request).await.map_err(failed)?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            body.extend_from_slice(&chunk);
            if body.len() > LONGEST {
                return Err(NoAnswer::TooLong);
            }
        }
        let mut response = Response::new(body);
        *response.status_mut() = answer.status();
        std::mem::swap(response.headers_mut(), answer.headers_mut());
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = NoAnswer;
    type Future = BoxFuture<'c, Result<HttpResponse, NoAnswer>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_leads_nowhere_else() {
        let open = |issuer: &str, allow: &[&str]| {
            let allow: Vec<IpNet> = allow.iter().map(|net| net.parse().unwrap()).collect();
            Http::new(&issuer.parse().unwrap(), &allow)
        };
        let public = open("https://login.example/tenant", &[]).unwrap();
        for (url, permitted) in [
            ("https://keys.example/jwks", true),
            ("http://login.example/token", false),
            ("https://127.0.0.1/token", false),
            ("https://169.254.169.254/latest/meta-data", false),
            ("https://[::1]/token", false),
            ("javascript:alert(1)", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(public.permits(&url.parse().unwrap()), permitted, "{url}");
        }
        let inside = open("http://127.0.0.1:9/", &["127.0.0.1/32"]).unwrap();
        assert!(inside.permits(&"http://127.0.0.1:9/token".parse().unwrap()));
        assert!(!inside.permits(&"http://127.0.0.2:9/token".parse().unwrap()));
        for (issuer, allow) in [("http://login.example/", &[][..]), ("https://10.0.0.1/", &["192.168.0.0/16"])] {
            assert!(open(issuer, allow).is_err(), "{issuer}");
        }
    }
}
