//! `proviso serve --identities FILE`: who is an issuer, by which keys, and which of their subjects are enforcement points.
//!
//! INVARIANT (R8): what this gate cannot check is not written here: an unknown member, algorithm or binding does not start.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use policy_core::text;
use policy_core::time::Span;
use serde::Deserialize;
use thiserror::Error;

use super::dpop::BoundTo;
use super::jwk::{KeySet, Use};
use super::keyring::Keyring;
use super::signature::Algorithm;
use super::source::{Source, read_file};
use super::spiffe;
use super::verify::{Identities, Party};
use crate::copies::Address;
use crate::identity::{EMBEDDED, SubjectPattern, VOUCHED};

/// The longest that certificates may be let live.
const LONGEST_CERTIFICATE: Span = Span::from_seconds(90 * 86_400);

/// Why the file cannot be used.
#[derive(Debug, Error)]
pub enum IdentitiesError {
    /// It cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    File {
        /// Which.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is no TOML of this shape.
    #[error("the file of issuers cannot be read: {0}")]
    Shape(String),
    /// A member says what cannot be.
    #[error("{0}")]
    Bad(String),
}

impl IdentitiesError {
    /// A stable snake_case code.
    pub const fn code(&self) -> &'static str {
        "bad_identities"
    }
}

/// Which kind of token an issuer's are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A JWT-SVID of a trust domain.
    JwtSvid,
    /// A JWT access token (RFC 9068).
    AccessToken,
}

/// Who acts under an access token without `act`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ActorRule {
    /// Its subject.
    #[default]
    Sub,
    /// The client that it was issued to, on behalf of its subject.
    ClientId,
}

/// An issuer.
#[derive(Debug)]
pub(super) struct Issuer {
    /// `spiffe://NAME` or `iss`: how bundles, records and chains name it.
    pub name: String,
    pub kind: Kind,
    pub trust_domain: Option<String>,
    pub algorithms: Vec<Algorithm>,
    /// Who the gate is in its tokens; empty: the gate's URL.
    pub audience: Vec<String>,
    /// The claim that says the task.
    pub task: String,
    /// The longest life of a token.
    pub longest: Span,
    pub actor: ActorRule,
    /// The claim that says what the agent is built of: its version, its model.
    pub build: Option<String>,
    /// What its tokens must be bound to.
    pub bound: Option<Bound>,
    /// The longest life of a certificate of this trust domain. Absent: none of its certificates is believed.
    pub certificates: Option<Span>,
    /// Other issuers whose subjects it may name in `act`.
    pub may_name: Vec<String>,
    pub keys: Arc<Keyring>,
}

/// A subject of an issuer that is an enforcement point.
#[derive(Debug, Clone)]
pub struct PointEntry {
    /// Who.
    pub party: Party,
    /// Its name, as grants hold it.
    pub name: String,
    /// For which subjects it may ask.
    pub subjects: SubjectPattern,
    /// For which upstream servers, sorted.
    pub servers: Vec<String>,
    /// Whether it may vouch for subject, task and chain.
    pub vouches: bool,
    /// The resource that it is: whom agents' tokens must be for that are shown to it.
    pub resource: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    issuer: Vec<IssuerTable>,
    #[serde(default)]
    enforcement_point: Vec<PointTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuerTable {
    trust_domain: Option<String>,
    issuer: Option<String>,
    keys: KeysTable,
    #[serde(default)]
    algorithms: Vec<String>,
    #[serde(default)]
    audience: Vec<String>,
    #[serde(default = "txn")]
    task: String,
    #[serde(default = "hour")]
    longest: Span,
    #[serde(default)]
    actor: ActorRule,
    build: Option<String>,
    bound: Option<Bound>,
    certificates: Option<CertificatesTable>,
    #[serde(default)]
    may_name: Vec<String>,
}

/// How tokens are bound to whoever shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Bound {
    /// To a key, by a proof with each request (RFC 9449).
    Dpop,
    /// To the client's certificate (RFC 8705).
    Mtls,
    /// To either.
    Any,
}

impl Bound {
    /// Whether a token that is bound to this is one that is bound so.
    pub fn is_met_by(self, bound: Option<&BoundTo>) -> bool {
        match (self, bound) {
            (Self::Dpop | Self::Any, Some(BoundTo::Key(_)))
            | (Self::Mtls | Self::Any, Some(BoundTo::Certificate(_))) => true,
            (_, Some(_) | None) => false,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CertificatesTable {
    #[serde(default = "day")]
    longest: Span,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeysTable {
    file: Option<PathBuf>,
    url: Option<String>,
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default = "minutes")]
    refresh: Span,
    #[serde(default = "hour")]
    keep: Span,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PointTable {
    name: String,
    issuer: String,
    subject: String,
    subjects: String,
    servers: Vec<String>,
    #[serde(default)]
    vouches: bool,
    resource: Option<String>,
}

fn txn() -> String {
    "txn".to_owned()
}

const fn minutes() -> Span {
    Span::from_seconds(300)
}

const fn hour() -> Span {
    Span::from_seconds(3_600)
}

const fn day() -> Span {
    Span::from_seconds(86_400)
}

impl Identities {
    /// Reads the file, and the keys that lie in files.
    ///
    /// # Errors
    /// See [`IdentitiesError`].
    pub fn read(path: &Path) -> Result<Self, IdentitiesError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| IdentitiesError::File { path: path.display().to_string(), source })?;
        Self::parse(&text)
    }

    /// The same, of the file's text.
    ///
    /// # Errors
    /// See [`IdentitiesError`].
    pub fn parse(text: &str) -> Result<Self, IdentitiesError> {
        let file: File = toml::from_str(text).map_err(|error| IdentitiesError::Shape(error.to_string()))?;
        let issuers = file.issuer.into_iter().map(issuer).collect::<Result<Vec<_>, _>>().map_err(bad)?;
        let mut names: Vec<&String> = issuers.iter().map(|issuer| &issuer.name).collect();
        names.sort();
        if let Some([twice, _]) = names.windows(2).find(|pair| pair.first() == pair.last()) {
            return Err(bad(format!("the issuer `{twice}` is there twice")));
        }
        for issuer in &issuers {
            if let Some(unknown) = issuer.may_name.iter().find(|named| !names.contains(named)) {
                return Err(bad(format!("`may_name` of `{}` names `{unknown}`, which is no issuer here", issuer.name)));
            }
        }
        let points = file.enforcement_point.into_iter().map(point).collect::<Result<Vec<_>, _>>().map_err(bad)?;
        for (index, point) in points.iter().enumerate() {
            if !names.contains(&&point.party.issuer) {
                return Err(bad(format!("the enforcement point `{}` is of no issuer here", point.name)));
            }
            if points.iter().take(index).any(|other| other.party == point.party || other.name == point.name) {
                return Err(bad(format!("the enforcement point `{}`, or its subject, is there twice", point.name)));
            }
        }
        drop(names);
        Ok(Self { issuers: issuers.into_iter().map(Arc::new).collect(), points })
    }
}

fn bad(what: String) -> IdentitiesError {
    IdentitiesError::Bad(what)
}

fn issuer(table: IssuerTable) -> Result<Issuer, String> {
    let (name, kind) = match (&table.trust_domain, &table.issuer) {
        (Some(domain), None) if spiffe::is_trust_domain(domain) => (format!("spiffe://{domain}"), Kind::JwtSvid),
        (Some(domain), None) => return Err(format!("`{domain}` is no name of a trust domain")),
        // INVARIANT (R3): nobody is named like a trust domain, like a point that vouches or like this gate's own issuer:
        // chains tell them apart by it.
        (None, Some(iss)) if text::is_identifier(iss) && !is_taken(iss) => (iss.clone(), Kind::AccessToken),
        (None, Some(iss)) => return Err(format!("`{iss}` cannot be the name of an issuer")),
        _ => return Err("an issuer has either `trust_domain` or `issuer`".to_owned()),
    };
    let fail = |what: &str| Err(format!("the issuer `{name}` {what}"));
    let Some(algorithms) = table.algorithms.iter().map(|name| Algorithm::named(name)).collect::<Option<Vec<_>>>()
    else {
        return fail("names an algorithm that this gate cannot check, or that is none for issuers");
    };
    if algorithms.is_empty() && table.certificates.is_none() {
        return fail("names no algorithm");
    }
    let certificates = table.certificates.as_ref().map(|table| table.longest);
    if certificates.is_some() && kind != Kind::JwtSvid {
        return fail("has certificates, and is no trust domain");
    }
    if certificates.is_some_and(|longest| longest.seconds() == 0 || longest > LONGEST_CERTIFICATE) {
        return fail("lets certificates live for nothing or for more than 90 days");
    }
    if kind == Kind::JwtSvid && (algorithms.contains(&Algorithm::EdDsa) || table.actor != ActorRule::Sub) {
        return fail("is a trust domain: no `EdDSA`, and no `actor`");
    }
    if !table.audience.iter().all(|audience| text::is_identifier(audience)) || !text::is_identifier(&table.task) {
        return fail("names an audience or a claim that cannot be one");
    }
    let taken =
        |name: &String| ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "act", "cnf"].contains(&name.as_str());
    if taken(&table.task) || table.build.iter().any(taken) || table.build.as_ref() == Some(&table.task) {
        return fail("takes the task or the build from a claim that says something else");
    }
    if table.longest.seconds() == 0 || table.longest > Span::from_seconds(86_400) {
        return fail("lets tokens live for nothing or for more than a day");
    }
    let keys = table.keys;
    if keys.refresh < Span::from_seconds(10) || keys.keep < keys.refresh || keys.keep > Span::from_seconds(7 * 86_400) {
        return fail(
            "looks at its keys more often than each 10s, or keeps them for less than `refresh` or more than 7d",
        );
    }
    let wanted = match kind {
        Kind::JwtSvid => Use::Svid { tokens: !algorithms.is_empty(), certificates: certificates.is_some() },
        Kind::AccessToken => Use::Signature,
    };
    let source = match (keys.file, keys.url) {
        (Some(file), None) => {
            let read = read_file(&file).and_then(|bytes| KeySet::read(&bytes, wanted).map_err(str::to_owned));
            read.map_err(|what| format!("the keys of `{name}` in `{}`: {what}", file.display()))?;
            Source::File(file)
        }
        (None, Some(url)) => {
            Source::Address(Address::read(&url, &keys.allow).map_err(|what| format!("the keys of `{name}`: {what}"))?)
        }
        _ => return fail("has its keys either in a `file` or at a `url`"),
    };
    let keys = Keyring::new(name.clone(), source, wanted, keys.refresh, keys.keep);
    Ok(Issuer {
        name,
        kind,
        trust_domain: table.trust_domain,
        algorithms,
        audience: table.audience,
        task: table.task,
        longest: table.longest,
        actor: table.actor,
        build: table.build,
        bound: table.bound,
        certificates,
        may_name: table.may_name,
        keys: Arc::new(keys),
    })
}

fn is_taken(iss: &str) -> bool {
    iss == EMBEDDED || ["spiffe:", VOUCHED].iter().any(|taken| iss.starts_with(taken))
}

fn point(table: PointTable) -> Result<PointEntry, String> {
    let name = table.name.clone();
    let fail = |what: &str| Err(format!("the enforcement point `{name}` {what}"));
    let Some(subjects) = SubjectPattern::parse(&table.subjects) else {
        return fail("has no `subjects` of the form `TYPE::PATTERN`");
    };
    if table.servers.is_empty() || !table.servers.iter().chain([&name]).all(|name| text::is_identifier(name)) {
        return fail("has no servers, or a name with spaces");
    }
    if table.resource.as_ref().is_some_and(|resource| !text::is_identifier(resource)) {
        return fail("has a `resource` that cannot be one");
    }
    let mut servers = table.servers;
    servers.sort();
    servers.dedup();
    let (party, vouches) = (Party { issuer: table.issuer, subject: table.subject }, table.vouches);
    Ok(PointEntry { party, name, subjects, servers, vouches, resource: table.resource })
}
