//! Who asks: a bearer token for agents and enforcement points, a session's cookie and key for people, and never one for the other.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};

use super::cookie;
use super::problem::Refused;
use super::site::Site;
use crate::identity::{Credential, PersonSession};

/// The header in which an enforcement point adds its agent's token.
const SUBJECT_TOKEN: &str = "proviso-subject-token";

/// The header in which a person's page shows that it is the one that signed in.
const SESSION_KEY: &str = "proviso-session-key";

/// The header by which a person's page says that nobody has touched it for a while.
const UNATTENDED: &str = "proviso-unattended";

/// An agent or an enforcement point.
pub(super) struct Caller {
    /// Who asks.
    pub(super) credential: Credential,
    /// For whom, where an enforcement point says so.
    pub(super) subject: Option<Credential>,
}

impl FromRequestParts<Site> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Refused> {
        let bearer = bearer(&parts.headers)?;
        let credential = site.app().authenticate(&bearer)?;
        let subject = match single(&parts.headers, SUBJECT_TOKEN)? {
            Some(token) => Some(site.app().authenticate(&token)?),
            None => None,
        };
        Ok(Self { credential, subject })
    }
}

/// A signed-in person.
pub(super) struct Person {
    /// Who, and how strongly signed in.
    pub(super) session: PersonSession,
    /// The cookie's secret: what goes on ends with the session.
    pub(super) secret: String,
}

impl FromRequestParts<Site> for Person {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Refused> {
        let secret = session_secret(parts, site)?;
        let key = single(&parts.headers, SESSION_KEY)?;
        let session = site.app().session_with_key(&secret, key.as_deref())?;
        // A page that asks by itself is nobody's presence.
        if !parts.headers.contains_key(UNATTENDED) {
            site.app().is_there(&session);
        }
        Ok(Self { session, secret })
    }
}

/// A signed-in person's stream of what is new. An `EventSource` cannot send headers, so the cookie has to do.
pub(super) struct Follower {
    /// The cookie's secret: the stream ends with the session.
    pub(super) secret: String,
}

impl FromRequestParts<Site> for Follower {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Refused> {
        let secret = session_secret(parts, site)?;
        site.app().session(&secret)?;
        Ok(Self { secret })
    }
}

fn session_secret(parts: &Parts, site: &Site) -> Result<String, Refused> {
    // INVARIANT (R4): a person is told by a session alone. Whoever comes with a token is no person here.
    if parts.headers.contains_key(header::AUTHORIZATION) {
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            "not_a_person",
            "a bearer token is an agent's or an enforcement point's, and this is for people",
        )
        .help("sign in with a link from `proviso token approver`"));
    }
    cookie::read(site, &parts.headers).ok_or_else(|| {
        Refused::new(StatusCode::UNAUTHORIZED, "no_session", "nobody is signed in")
            .help("sign in with a link from `proviso token approver`")
    })
}

/// Anybody whom the gate knows.
pub(super) enum Known {
    /// By a token.
    Caller(Box<Caller>),
    /// By a session.
    Person(Person),
}

impl FromRequestParts<Site> for Known {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Refused> {
        if parts.headers.contains_key(header::AUTHORIZATION) {
            Caller::from_request_parts(parts, site).await.map(|caller| Self::Caller(Box::new(caller)))
        } else {
            Person::from_request_parts(parts, site).await.map(Self::Person)
        }
    }
}

fn bearer(headers: &HeaderMap) -> Result<String, Refused> {
    let nobody = || {
        Refused::new(StatusCode::UNAUTHORIZED, "no_credential", "the request carries no bearer token")
            .help("send `Authorization: Bearer TOKEN`; `proviso token` mints one")
    };
    let value = single(headers, header::AUTHORIZATION.as_str())?.ok_or_else(nobody)?;
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() => {
            Ok(token.trim().to_owned())
        }
        _ => Err(nobody()),
    }
}

/// A header that may be there once.
pub(super) fn single(headers: &HeaderMap, name: &str) -> Result<Option<String>, Refused> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| text.len() <= 1024 && values.next().is_none());
    text.map(|text| Some(text.to_owned())).ok_or_else(|| {
        Refused::new(StatusCode::BAD_REQUEST, "bad_header", format!("the header `{name}` cannot be read"))
    })
}
