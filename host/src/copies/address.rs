//! Where a receiver lies: the open network over TLS, and what the operator allowed besides. The rules are those of webhooks
//! (docs/notify.md).

use std::error::Error as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, StatusCode, Url};

use super::sink::SinkError;
use crate::notify::{Guard, PrivateAddress};

/// How long a receiver may take, from the name's look-up to the whole answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// The most of an answer that is read, but for what a copy holds.
const LONGEST: usize = 1 << 20;

/// A receiver with its client, which goes nowhere else: no redirects and no proxy of the environment.
#[derive(Clone)]
pub(crate) struct Address {
    url: Url,
    client: Client,
}

/// What a receiver answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(super) status: StatusCode,
    pub(crate) body: Vec<u8>,
}

impl Address {
    /// Reads one. `allow` are private networks that it may be in.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn read(url: &str, allow: &[String]) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|_| "has no URL".to_owned())?;
        let is_clean = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        let is_clean = is_clean && url.query().is_none();
        if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() || !is_clean {
            return Err("needs a URL `https://…` without user, query and fragment".to_owned());
        }
        let allow = allow.iter().map(|net| net.parse::<IpNet>()).collect::<Result<Vec<_>, _>>();
        let allow = allow.map_err(|_| "allows what is no network such as `10.1.0.0/16`".to_owned())?;
        let plain = url.scheme() == "http";
        if plain && allow.is_empty() {
            return Err("has no TLS: only in a network that `allow` names".to_owned());
        }
        let guard = Guard::new(allow, plain);
        let given: Option<IpAddr> = url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse().ok());
        // A name is looked at where it is resolved; an address in the URL is resolved by nobody.
        if given.is_some_and(|address| !guard.permits(address)) {
            return Err("has a private address that `allow` does not name".to_owned());
        }
        let client = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .dns_resolver(Arc::new(guard))
            .timeout(PATIENCE)
            .user_agent(concat!("proviso/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { url, client: client.map_err(|error| error.without_url().to_string())? })
    }

    /// The URL of something below it.
    pub(super) fn below(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        if !path.is_empty() {
            let base = url.path().trim_end_matches('/').to_owned();
            url.set_path(&format!("{base}/{path}"));
        }
        url
    }

    /// A request to something below it.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.below(path))
    }

    /// The same that posts.
    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    /// Sends it and reads the answer, within bounds.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Answer, SinkError> {
        self.send_for(request, LONGEST).await
    }

    /// The same, where the answer may have so many bytes.
    pub(super) async fn send_for(&self, request: RequestBuilder, most: usize) -> Result<Answer, SinkError> {
        let mut response = request.send().await.map_err(|error| reason(&error))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| reason(&error))? {
            body.extend_from_slice(&chunk);
            if body.len() > most {
                return Err(SinkError::of("the receiver's answer is too long"));
            }
        }
        Ok(Answer { status, body })
    }
}

impl Answer {
    /// The answer, where it is a good one.
    pub(crate) fn good(self) -> Result<Self, SinkError> {
        if self.status.is_success() {
            return Ok(self);
        }
        let more = if self.status.is_redirection() { ": redirects are not followed" } else { "" };
        Err(SinkError::Failed(format!("the receiver answered {}{more}", self.status.as_u16())))
    }
}

/// Why there was no answer, without the address: its path may be a secret of its own.
fn reason(error: &reqwest::Error) -> SinkError {
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.is::<PrivateAddress>() {
            return SinkError::of(PrivateAddress);
        }
        source = cause.source();
    }
    let what = if error.is_timeout() {
        "the receiver did not answer in time"
    } else if error.is_connect() {
        "there is no connection to the receiver"
    } else {
        "the receiver broke off"
    };
    SinkError::Unreached(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_tls_or_inside_only_where_the_operator_allows_it() {
        let read = |url: &str, allow: &[&str]| {
            let allow: Vec<String> = allow.iter().map(|net| (*net).to_owned()).collect();
            Address::read(url, &allow).map(|address| address.below("a/b").to_string())
        };
        assert_eq!(read("https://copies.example/x/", &[]).as_deref(), Ok("https://copies.example/x/a/b"));
        assert_eq!(read("http://127.0.0.1:9/", &["127.0.0.1/32"]).as_deref(), Ok("http://127.0.0.1:9/a/b"));
        for (url, allow) in [
            ("http://copies.example/", &[][..]),
            ("http://127.0.0.1/", &[]),
            ("https://127.0.0.1/", &[]),
            ("https://10.0.0.1/", &["192.168.0.0/16"]),
            ("https://[::1]/", &[]),
            ("https://user:secret@copies.example/", &[]),
            ("https://copies.example/?token=x", &[]),
            ("https://copies.example/#x", &[]),
            ("ftp://copies.example/", &[]),
            ("copies.example", &[]),
            ("https://copies.example/", &["everything"]),
        ] {
            assert!(read(url, allow).is_err(), "{url} {allow:?}");
        }
    }
}
