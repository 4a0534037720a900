//! Who asks: a bearer token or a client's certificate for agents and enforcement points, a session's cookie and key for
//! people, and never one for the other.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};

use super::cookie;
use super::problem::Refused;
use super::site::Site;
use crate::identity::{Credential, PersonSession};
use crate::trust::{ClientCertificates, Shown};

/// The header in which an enforcement point adds its agent's token.
const SUBJECT_TOKEN: &str = "proviso-subject-token";

/// The header in which an enforcement point vouches for an agent that has no credential of its own.
const VOUCHED: &str = "proviso-vouched";

/// The headers of proofs that the keys are theirs to which the caller's and the agent's tokens are bound (RFC 9449).
const PROOF: &str = "dpop";
const SUBJECT_PROOF: &str = "proviso-subject-dpop";

/// The header in which a person's page shows that it is the one that signed in.
const SESSION_KEY: &str = "proviso-session-key";

/// The header by which a person's page says that nobody has touched it for a while.
const UNATTENDED: &str = "proviso-unattended";
/// The longest header that holds a token.
const LONGEST_TOKEN: usize = crate::trust::LONGEST + 16;

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
        let url = format!("{}{}", site.app().settings().public_url, parts.uri.path());
        let method = parts.method.as_str();
        // What headers say of certificates is anybody's word: only what this connection's handshake gave is one.
        let certificate = parts.extensions.get::<ClientCertificates>();
        let credential = match certificate.filter(|_| !parts.headers.contains_key(header::AUTHORIZATION)) {
            Some(alone) => site.app().identify_certificate(alone).await?,
            None => {
                let (token, as_bound) = bearer(&parts.headers)?;
                let proof = token_header(&parts.headers, PROOF)?;
                let shown = Shown {
                    token: &token,
                    as_bound,
                    proof: proof.as_deref(),
                    resource: None,
                    method,
                    url: &url,
                    certificate,
                };
                site.app().identify(&shown).await?
            }
        };
        let vouched = token_header(&parts.headers, VOUCHED)?;
        let Some(token) = token_header(&parts.headers, SUBJECT_TOKEN)? else {
            let subject = vouched.map(|said| site.app().vouched(&credential, &said)).transpose()?;
            return Ok(Self { credential, subject });
        };
        if vouched.is_some() {
            let detail = "an enforcement point vouches for an agent, or shows the agent's own token";
            return Err(Refused::new(StatusCode::BAD_REQUEST, "claim_conflict", detail));
        }
        let proof = token_header(&parts.headers, SUBJECT_PROOF)?;
        // Whom the agent's token must be for is the record's word on who shows it, and nothing that is sent.
        let resource = match &credential {
            Credential::EnforcementPoint(point) => point.resource.clone(),
            Credential::Agent(_) => None,
        };
        let (as_bound, proof, resource) = (proof.is_some(), proof.as_deref(), resource.as_deref());
        let shown = Shown { token: &token, as_bound, proof, resource, method, url: &url, certificate: None };
        Ok(Self { credential, subject: Some(site.app().identify(&shown).await?) })
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
        // INVARIANT (R4): whoever has a session is that person here, whatever certificate their browser has.
        let alone =
            parts.extensions.get::<ClientCertificates>().is_some() && cookie::read(site, &parts.headers).is_none();
        if alone || parts.headers.contains_key(header::AUTHORIZATION) {
            Caller::from_request_parts(parts, site).await.map(|caller| Self::Caller(Box::new(caller)))
        } else {
            Person::from_request_parts(parts, site).await.map(Self::Person)
        }
    }
}

/// The caller's token, and whether it came as one that is bound to a key.
fn bearer(headers: &HeaderMap) -> Result<(String, bool), Refused> {
    let nobody = || {
        Refused::new(StatusCode::UNAUTHORIZED, "no_credential", "the request carries no bearer token")
            .help("send `Authorization: Bearer TOKEN`; `proviso token` mints one")
    };
    let value = token_header(headers, header::AUTHORIZATION.as_str())?.ok_or_else(nobody)?;
    match value.split_once(' ') {
        Some((scheme, token)) if !token.trim().is_empty() => match scheme.to_ascii_lowercase().as_str() {
            "bearer" => Ok((token.trim().to_owned(), false)),
            "dpop" => Ok((token.trim().to_owned(), true)),
            _ => Err(nobody()),
        },
        _ => Err(nobody()),
    }
}

/// A header that may be there once.
pub(super) fn single(headers: &HeaderMap, name: &str) -> Result<Option<String>, Refused> {
    once(headers, name, 1024)
}

/// The same of one that holds a token: those of other issuers are longer.
fn token_header(headers: &HeaderMap, name: &str) -> Result<Option<String>, Refused> {
    once(headers, name, LONGEST_TOKEN)
}

fn once(headers: &HeaderMap, name: &str, longest: usize) -> Result<Option<String>, Refused> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| text.len() <= longest && values.next().is_none());
    text.map(|text| Some(text.to_owned())).ok_or_else(|| {
        Refused::new(StatusCode::BAD_REQUEST, "bad_header", format!("the header `{name}` cannot be read"))
    })
}
