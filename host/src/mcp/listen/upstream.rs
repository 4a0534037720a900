//! The one server behind: its address, its credential, and the headers that a message goes there with. Nothing of a
//! caller's request is among them.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use futures::StreamExt as _;
use reqwest::{Body, Certificate, RequestBuilder, Url};

use super::headers::{METHOD, NAME, SESSION, VERSION, encoded};
use crate::clock::Clock;

/// How long a connection may take to be there.
const CONNECT: Duration = Duration::from_secs(5);
/// How much of a message leaves at a time: before each piece it is looked at the clock.
const PIECE: usize = 64 * 1024;

/// The server behind.
pub struct Upstream {
    client: reqwest::Client,
    url: Url,
    credential: Option<(HeaderName, HeaderValue)>,
}

/// What the headers of a message say of it. All of it is computed here.
#[derive(Debug, Clone, Default)]
pub struct Passport {
    /// The protocol's version.
    pub version: Option<String>,
    /// The upstream's own session.
    pub session: Option<HeaderValue>,
    /// The method, in the later era.
    pub method: Option<String>,
    /// What it names.
    pub name: Option<String>,
    /// Arguments that the tool wants mirrored.
    pub parameters: Vec<(String, String)>,
}

impl Upstream {
    /// A client of it. Nothing is sent yet.
    ///
    /// # Errors
    /// When the system has no TLS to offer.
    pub fn new(
        url: Url,
        authorities: &[Certificate],
        credential: Option<(HeaderName, HeaderValue)>,
    ) -> Result<Self, reqwest::Error> {
        // A credential follows no redirect, and goes through no proxy in the clear.
        let mut client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT)
            .user_agent(concat!("proviso/", env!("CARGO_PKG_VERSION")));
        if url.scheme() == "http" {
            client = client.no_proxy();
        }
        for authority in authorities {
            client = client.add_root_certificate(authority.clone());
        }
        client = client.tls_built_in_root_certs(authorities.is_empty());
        Ok(Self { client: client.build()?, url, credential })
    }

    /// Whether it is told who speaks to it.
    pub const fn has_credential(&self) -> bool {
        self.credential.is_some()
    }

    /// A message, on its way before this instant of the boot clock or not at all.
    pub fn post(&self, passport: &Passport, line: Vec<u8>, until: u64, clock: Arc<dyn Clock>) -> RequestBuilder {
        let mut headers = self.headers(passport);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(line.len()));
        self.client.post(self.url.clone()).headers(headers).body(body(line, until, clock))
    }

    /// The upstream's own stream, from behind an event on.
    pub fn get(&self, passport: &Passport, after: Option<&str>) -> RequestBuilder {
        let mut headers = self.headers(passport);
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
        if let Some(after) = after.and_then(|after| HeaderValue::from_str(after).ok()) {
            headers.insert("last-event-id", after);
        }
        self.client.get(self.url.clone()).headers(headers)
    }

    /// The end of the upstream's session.
    pub fn delete(&self, passport: &Passport) -> RequestBuilder {
        self.client.delete(self.url.clone()).headers(self.headers(passport))
    }

    fn headers(&self, passport: &Passport) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = &self.credential {
            headers.insert(name.clone(), value.clone());
        }
        let mut say = |name: &str, text: &str| {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(text)) {
                headers.insert(name, value);
            }
        };
        if let Some(version) = &passport.version {
            say(VERSION, version);
        }
        if let Some(method) = &passport.method {
            say(METHOD, method);
        }
        if let Some(name) = &passport.name {
            say(NAME, &encoded(name));
        }
        for (name, value) in &passport.parameters {
            say(name, value);
        }
        if let Some(session) = &passport.session {
            headers.insert(SESSION, session.clone());
        }
        headers
    }
}

/// INVARIANT (R7): an allow is for its few seconds, and an upstream that does not read does not prolong it: the last piece
/// of a message leaves in time, or the message stays in pieces.
fn body(line: Vec<u8>, until: u64, clock: Arc<dyn Clock>) -> Body {
    let pieces: Vec<Vec<u8>> = line.chunks(PIECE).map(<[u8]>::to_vec).collect();
    let timely = move |piece| if clock.boot() < until { Ok(piece) } else { Err(std::io::Error::other("too late")) };
    Body::wrap_stream(futures::stream::iter(pieces).map(timely))
}
