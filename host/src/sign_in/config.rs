//! `proviso serve --sign-in FILE`: which providers people sign in by, and which person of the bundle an account is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use ipnet::IpNet;
use openidconnect::core::CoreJwsSigningAlgorithm;
use openidconnect::{ClientId, ClientSecret, IssuerUrl, Scope};
use policy_core::entity::EntityRef;
use policy_core::text;
use policy_core::time::Span;
use reqwest::Url;
use serde::Deserialize;
use thiserror::Error;

use super::http::Http;
use super::keeper::Keeper;
use super::provider::Provider;
use crate::app::{GroupClaim, SessionLimits, Way, Ways};
use crate::notify::Place;

/// Why the file cannot be used.
#[derive(Debug, Error)]
pub enum SignInFileError {
    /// It cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    File {
        /// Which.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is no TOML of this shape.
    #[error("the file of sign-in providers cannot be read: {0}")]
    Shape(String),
    /// A member says what cannot be.
    #[error("{0}")]
    Bad(String),
}

impl SignInFileError {
    /// A stable snake_case code.
    pub const fn code(&self) -> &'static str {
        "bad_sign_in_file"
    }
}

/// The most providers: each is a button of the page.
const MOST_PROVIDERS: usize = 8;
/// How long an authentication by a stronger `acr` counts, where the file says nothing.
const FRESH_FOR: Span = Span::from_seconds(5 * 60);
/// And the longest that it may say.
const LONGEST_FRESH: u64 = 3_600;
/// The shortest time without anybody there that ends a session.
const SHORTEST_IDLE: Span = Span::from_seconds(60);
/// The longest session.
const LONGEST_SESSION: Span = Span::from_seconds(86_400);
/// How strongly a provider signs in, where the file says nothing.
const ASSURANCE: &str = "oidc";

/// The file of `serve --sign-in`.
#[derive(Debug)]
pub struct SignInFile;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    sessions: SessionsTable,
    #[serde(default)]
    provider: Vec<ProviderTable>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionsTable {
    idle: Option<Span>,
    absolute: Option<Span>,
}

impl SessionsTable {
    fn limits(&self) -> Result<SessionLimits, SignInFileError> {
        let usual = SessionLimits::default();
        let absolute = self.absolute.unwrap_or(usual.absolute);
        let idle = self.idle.unwrap_or_else(|| usual.idle.min(absolute));
        if idle < SHORTEST_IDLE || idle > absolute || absolute > LONGEST_SESSION {
            return Err(bad(
                "`[sessions]` needs an `idle` of at least a minute, inside an `absolute` of at most a day",
            ));
        }
        Ok(SessionLimits { idle, absolute })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderTable {
    name: String,
    label: String,
    issuer: String,
    client_id: String,
    client_secret: Option<Place>,
    #[serde(default)]
    scopes: Vec<String>,
    algorithms: Option<Vec<String>>,
    #[serde(default)]
    allow: Vec<String>,
    assurance: Option<String>,
    /// What an `acr` is worth, for a while.
    #[serde(default)]
    step_up: BTreeMap<String, String>,
    step_up_for: Option<Span>,
    /// Whose account each `sub` is: the id of an entity of the bundle's person type.
    #[serde(default)]
    people: BTreeMap<String, String>,
    /// The claim that lists the provider's groups of somebody.
    group_claim: Option<String>,
    /// Which group of the bundle each of them is, `TYPE::ID`.
    #[serde(default)]
    groups: BTreeMap<String, String>,
}

impl SignInFile {
    /// Reads the file and the secrets that it names.
    ///
    /// # Errors
    /// See [`SignInFileError`].
    pub fn read(path: &Path) -> Result<Ways, SignInFileError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SignInFileError::File { path: path.display().to_string(), source })?;
        Self::parse(&text)
    }

    /// The same, of the file's text.
    ///
    /// # Errors
    /// See [`SignInFileError`].
    pub fn parse(text: &str) -> Result<Ways, SignInFileError> {
        // What TOML's reader says may quote a line; no secret stands in any.
        let file: File = toml::from_str(text).map_err(|error| SignInFileError::Shape(error.to_string()))?;
        if file.provider.len() > MOST_PROVIDERS {
            return Err(bad(format!("the file of sign-in providers names at most {MOST_PROVIDERS} of them")));
        }
        let sessions = file.sessions.limits()?;
        let providers = file.provider.into_iter().map(way).collect::<Result<Vec<_>, _>>()?;
        let (mut names, mut issuers, mut people) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for way in &providers {
            if !names.insert(&way.name) || !issuers.insert(&way.issuer) {
                return Err(about(&way.name, "has the name or the issuer of another"));
            }
            for user in way.people.values() {
                // INVARIANT (R4): one person, one account. A second one is a second way in that nobody but the writer of
                // this file agreed to.
                if !people.insert(user) {
                    return Err(about(&way.name, format!("gives `{user}` a second account")));
                }
            }
        }
        Ok(Ways { providers, sessions })
    }
}

fn bad(message: impl Into<String>) -> SignInFileError {
    SignInFileError::Bad(message.into())
}

fn about(name: &str, what: impl std::fmt::Display) -> SignInFileError {
    SignInFileError::Bad(format!("the provider `{}` {what}", text::visible(name, 60)))
}

fn way(table: ProviderTable) -> Result<Way, SignInFileError> {
    let name = table.name;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 32 || !name.chars().all(plain) {
        return Err(about(&name, "needs a name of 1 to 32 small letters, digits and `-`: it stands in addresses"));
    }
    let label_length = table.label.trim().chars().count();
    if label_length == 0 || label_length > 60 || table.label.chars().any(text::is_odd) {
        return Err(about(&name, "needs a label of 1 to 60 characters: it stands on the sign-in page"));
    }
    let url = Url::parse(&table.issuer).ok().filter(is_clean).ok_or_else(|| {
        about(&name, "needs an issuer `https://…` without user, query and fragment, exactly as the provider writes it")
    })?;
    let allow = table.allow.iter().map(|net| net.parse::<IpNet>()).collect::<Result<Vec<_>, _>>();
    let allow = allow.map_err(|_| about(&name, "allows what is no network such as `10.1.0.0/16`"))?;
    let http = Http::new(&url, &allow).map_err(|what| about(&name, what))?;
    let issuer = IssuerUrl::new(table.issuer.clone()).map_err(|_| about(&name, "has no issuer"))?;
    if table.client_id.trim().is_empty() {
        return Err(about(&name, "needs the `client_id` that the provider gave"));
    }
    let groups = group_claim(&name, table.group_claim, &table.groups)?;
    let secret = table.client_secret.as_ref().map(|place| place.read().map_err(|error| bad(error.to_string())));
    let provider = Provider {
        keeper: Keeper::new(issuer.clone()),
        issuer,
        client_id: ClientId::new(table.client_id),
        client_secret: secret.transpose()?.map(ClientSecret::new),
        scopes: table.scopes.into_iter().filter(|scope| scope != "openid").map(Scope::new).collect(),
        algorithms: algorithms(&name, table.algorithms)?,
        group_claim: groups.as_ref().map(|groups| groups.claim.clone()),
        http,
    };
    let step_up_for = table.step_up_for.unwrap_or(FRESH_FOR);
    if step_up_for.seconds() == 0 || step_up_for.seconds() > LONGEST_FRESH {
        return Err(about(&name, "needs a `step_up_for` of at most an hour"));
    }
    let assurance = table.assurance.unwrap_or_else(|| ASSURANCE.to_owned());
    for word in std::iter::once(&assurance).chain(table.step_up.values()) {
        // INVARIANT (R4): a provider's word is never told as a signature by a key of the person's own.
        if word == "webauthn" || !text::is_identifier(word) {
            return Err(about(&name, "cannot sign in as `webauthn`, nor by a word that no bundle can name"));
        }
    }
    for (sub, user) in &table.people {
        if sub.is_empty() || sub.len() > 255 || !text::is_identifier(user) {
            return Err(about(&name, format!("maps `{}`, which no person can be", text::visible(sub, 60))));
        }
    }
    Ok(Way {
        name,
        label: table.label.trim().to_owned(),
        issuer: table.issuer,
        people: table.people,
        groups,
        assurance,
        step_up: table.step_up,
        step_up_for,
        provider: Arc::new(provider),
    })
}

/// Claims that say something else, or that people write themselves.
const NO_GROUPS: [&str; 20] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "nonce",
    "azp",
    "acr",
    "amr",
    "auth_time",
    "at_hash",
    "c_hash",
    "sid",
    "name",
    "nickname",
    "preferred_username",
    "email",
    "profile",
];
/// How many of a provider's groups may be mapped.
const MOST_GROUPS: usize = 200;

/// Which of the provider's groups is which of the bundle's. A claim without a mapping brings nothing, and is a slip.
fn group_claim(
    name: &str,
    claim: Option<String>,
    groups: &BTreeMap<String, String>,
) -> Result<Option<GroupClaim>, SignInFileError> {
    let claim = match (claim, groups.is_empty()) {
        (None, true) => return Ok(None),
        (Some(claim), false) => claim,
        (Some(_), true) | (None, false) => {
            return Err(about(name, "needs `group_claim` and `[provider.groups]` together"));
        }
    };
    if claim.is_empty() || claim.len() > 100 || NO_GROUPS.contains(&claim.as_str()) || groups.len() > MOST_GROUPS {
        return Err(about(name, "takes groups from a claim that lists none, or maps too many"));
    }
    let mut mapped = BTreeMap::new();
    for (value, group) in groups {
        let known = group.split_once("::").filter(|(kind, id)| text::is_identifier(kind) && text::is_identifier(id));
        let Some((kind, id)) = known.filter(|_| !value.is_empty() && value.len() <= 255) else {
            return Err(about(name, format!("maps the group `{}` to what is no `TYPE::ID`", text::visible(value, 60))));
        };
        mapped.insert(value.clone(), EntityRef::new(kind, id));
    }
    Ok(Some(GroupClaim { claim, groups: mapped }))
}

fn is_clean(url: &Url) -> bool {
    let bare = url.username().is_empty() && url.password().is_none();
    bare && url.query().is_none() && url.fragment().is_none() && matches!(url.scheme(), "https" | "http")
}

/// Which signatures count. By a secret that both sides know, or by nothing, is none of them.
fn algorithms(name: &str, named: Option<Vec<String>>) -> Result<Vec<CoreJwsSigningAlgorithm>, SignInFileError> {
    let named = named.unwrap_or_else(|| vec!["RS256".to_owned(), "ES256".to_owned()]);
    let read = |word: &String| {
        Ok(match word.as_str() {
            "RS256" => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
            "RS384" => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
            "RS512" => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
            "PS256" => CoreJwsSigningAlgorithm::RsaSsaPssSha256,
            "PS384" => CoreJwsSigningAlgorithm::RsaSsaPssSha384,
            "PS512" => CoreJwsSigningAlgorithm::RsaSsaPssSha512,
            "ES256" => CoreJwsSigningAlgorithm::EcdsaP256Sha256,
            "ES384" => CoreJwsSigningAlgorithm::EcdsaP384Sha384,
            "EdDSA" => CoreJwsSigningAlgorithm::EdDsa,
            _ => return Err(about(name, "names an algorithm other than RS, PS, ES256, ES384 and EdDSA")),
        })
    };
    if named.is_empty() {
        return Err(about(name, "names no algorithm"));
    }
    named.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(folder: &Path) -> String {
        let secret = folder.join("secret");
        std::fs::write(&secret, "s3cret\n").unwrap();
        format!(
            "[[provider]]\nname = \"acme\"\nlabel = \"Acme\"\nissuer = \"https://login.example/tenant\"\n\
             client_id = \"proviso\"\nclient_secret = {{ file = \"{}\" }}\nalgorithms = [\"RS256\"]\n\
             assurance = \"oidc\"\nstep_up = {{ phr = \"oidc_step_up\" }}\nstep_up_for = \"5m\"\n\
             [provider.people]\n\"248289761001\" = \"mara\"\n\"248289761002\" = \"jun\"\n",
            secret.display()
        )
    }

    #[test]
    fn the_file_says_who_an_account_is() {
        let folder = tempfile::tempdir().unwrap();
        let ways = SignInFile::parse(&good(folder.path())).unwrap();
        let way = &ways.providers[0];
        assert_eq!((way.name.as_str(), way.issuer.as_str()), ("acme", "https://login.example/tenant"));
        assert_eq!(way.people.get("248289761001").map(String::as_str), Some("mara"));
    }

    #[test]
    fn whatever_weakens_a_sign_in_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let good = good(folder.path());
        let second = good.replace("acme", "other").replace("/tenant", "/other").replace("jun", "ola");
        for (from, to) in [
            ("\"jun\"", "\"mara\""),
            ("https:", "http:"),
            ("https://login.example/tenant", "https://127.0.0.1/"),
            ("/tenant", "/tenant?x=1"),
            ("RS256", "HS256"),
            ("RS256", "none"),
            ("[\"RS256\"]", "[]"),
            ("\"oidc\"", "\"webauthn\""),
            ("oidc_step_up", "webauthn"),
            ("\"5m\"", "\"2h\""),
            ("\"5m\"", "\"0s\""),
            ("\"acme\"", "\"Acme Corp\""),
            ("\"Acme\"", "\"\\u202eAcme\""),
            ("\"proviso\"", "\"\""),
            ("assurance", "asurance"),
            ("{ file", "{ env = \"NO_SUCH_VARIABLE\" }\nx = { file"),
            ("secret\"", "nowhere\""),
            ("\"248289761001\"", "\"\""),
            ("assurance", "group_claim = \"groups\"\nassurance"),
            ("[provider.people]", "[provider.groups]\nx = \"Group::finance\"\n[provider.people]"),
            ("[provider.people]", "group_claim = \"email\"\n[provider.groups]\nx = \"Group::a\"\n[provider.people]"),
            ("[provider.people]", "group_claim = \"groups\"\n[provider.groups]\nx = \"finance\"\n[provider.people]"),
            (
                "[provider.people]",
                "group_claim = \"groups\"\n[provider.groups]\n\"\" = \"Group::a\"\n[provider.people]",
            ),
            ("\"248289761002\"", "\"248289761001\""),
        ] {
            assert!(good.contains(from), "{from}");
            let error = SignInFile::parse(&good.replacen(from, to, 1)).err();
            assert_eq!(error.map(|error| error.code()), Some("bad_sign_in_file"), "{from} to {to}");
        }
        for (sessions, expected) in [
            ("", Some((3_600, 28_800))),
            ("[sessions]\nidle = \"10m\"\n", Some((600, 28_800))),
            ("[sessions]\nabsolute = \"30m\"\n", Some((1_800, 1_800))),
            ("[sessions]\nidle = \"30s\"\n", None),
            ("[sessions]\nidle = \"9h\"\n", None),
            ("[sessions]\nabsolute = \"2d\"\n", None),
            ("[sessions]\nforever = true\n", None),
        ] {
            let limits = SignInFile::parse(sessions).ok().map(|ways| ways.sessions);
            assert_eq!(limits.map(|limits| (limits.idle.seconds(), limits.absolute.seconds())), expected, "{sessions}");
        }
        assert!(SignInFile::parse(&format!("{good}{second}")).is_err(), "a second account of mara's");
        let second = second.replace("mara", "ola").replace("\"ola\"\n\"", "\"pia\"\n\"");
        assert_eq!(SignInFile::parse(&format!("{good}{second}")).unwrap().providers.len(), 2);
        assert!(SignInFile::parse(&format!("{good}{}", second.replace("/other", "/tenant"))).is_err(), "one issuer");
    }
}
