//! `proviso serve --notify FILE`: where people are told. Who is told is policy's.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use lettre::message::Mailbox;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use policy_core::text;
use reqwest::Url;
use serde::Deserialize;
use thiserror::Error;

use super::address::Guard;
use super::signature::Secret;
use crate::app::{Channels, WebhookChannel};

/// Why the file cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    File {
        /// Which.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is no TOML of this shape.
    #[error("the notification file cannot be read: {0}")]
    Shape(String),
    /// A member says what cannot be.
    #[error("{0}")]
    Bad(String),
}

impl ConfigError {
    /// A stable snake_case code.
    pub const fn code(&self) -> &'static str {
        "bad_notify_file"
    }
}

fn bad(message: impl Into<String>) -> ConfigError {
    ConfigError::Bad(message.into())
}

/// Where people are told.
#[derive(Debug, Clone, Default)]
pub struct Notify {
    /// Receivers of signed requests.
    pub webhooks: Vec<Webhook>,
    /// How mails are sent, and to whom.
    pub email: Option<Email>,
}

/// A receiver of signed requests.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Its name, in the list of deliveries.
    pub name: String,
    /// Where it is. Its path may be a secret: it is never shown.
    pub url: Url,
    /// One or two secrets; each signs.
    pub secrets: Vec<Secret>,
    /// Whose receiver it is; empty: it hears of all that happens.
    pub groups: Vec<String>,
    /// Private networks that it may be in.
    pub allow: Vec<IpNet>,
}

impl Webhook {
    /// Where it may lie.
    pub fn guard(&self) -> Guard {
        Guard::new(self.allow.clone(), self.url.scheme() != "https")
    }

    /// The address in its URL, where there stands no name.
    pub fn address(&self) -> Option<IpAddr> {
        self.url.host_str()?.trim_matches(['[', ']']).parse().ok()
    }
}

/// How mails are sent.
#[derive(Clone)]
pub struct Email {
    /// The mail server's name.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the way there is protected.
    pub tls: Tls,
    /// The authorities that its certificate may be of; absent: the public ones.
    pub authorities: Option<Certificate>,
    /// Who sends.
    pub from: Mailbox,
    /// User and password.
    pub login: Option<(String, String)>,
    /// Where people read, by their ids.
    pub people: BTreeMap<String, Mailbox>,
    /// Where groups read, by their ids.
    pub groups: BTreeMap<String, Mailbox>,
}

/// INVARIANT: the password is never shown.
impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Email").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Email {
    /// What TLS to the mail server demands: a certificate for its name, by an authority that is trusted.
    pub(super) fn tls_parameters(&self) -> Result<TlsParameters, lettre::transport::smtp::Error> {
        let builder = TlsParameters::builder(self.server.clone());
        let builder = match &self.authorities {
            // Those in the file and no others: a public authority cannot speak for a server inside the house.
            Some(authorities) => {
                builder.certificate_store(CertificateStore::None).add_root_certificate(authorities.clone())
            }
            None => builder,
        };
        builder.build()
    }

    /// Where a delivery's target reads.
    pub fn mailbox(&self, target: &str) -> Option<&Mailbox> {
        match target.split_once('/')? {
            ("person", id) => self.people.get(id),
            ("group", id) => self.groups.get(id),
            _ => None,
        }
    }
}

/// How the way to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// TLS from the first byte.
    Implicit,
    /// TLS before the first word of ours.
    Starttls,
    /// None: on loopback only.
    None,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    webhook: Vec<WebhookTable>,
    email: Option<EmailTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookTable {
    name: String,
    url: String,
    secrets: Vec<Place>,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    allow: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmailTable {
    server: String,
    port: u16,
    tls: Tls,
    ca: Option<PathBuf>,
    from: String,
    user: Option<String>,
    password: Option<Place>,
    #[serde(default)]
    people: BTreeMap<String, String>,
    #[serde(default)]
    groups: BTreeMap<String, String>,
}

/// Where a secret stands: never in the file itself, which people share and keep in version control.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) enum Place {
    /// In a file of its own.
    File(PathBuf),
    /// In the environment.
    Env(String),
}

impl Place {
    /// Reads it.
    pub(crate) fn read(&self) -> Result<String, ConfigError> {
        let text = match self {
            Self::File(path) => std::fs::read_to_string(path)
                .map_err(|source| ConfigError::File { path: path.display().to_string(), source })?,
            Self::Env(name) => std::env::var(name).map_err(|_| bad(format!("the environment has no text `{name}`")))?,
        };
        Ok(text.trim().to_owned())
    }
}

impl Notify {
    /// Reads the file and the secrets that it names.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::File { path: path.display().to_string(), source })?;
        Self::parse(&text)
    }

    /// The same, of the file's text.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        // What TOML's reader says may quote a line; no secret stands in any.
        let file: File = toml::from_str(text).map_err(|error| ConfigError::Shape(error.to_string()))?;
        let webhooks = file.webhook.into_iter().map(webhook).collect::<Result<Vec<_>, _>>()?;
        for (place, webhook) in webhooks.iter().enumerate() {
            if webhooks.iter().take(place).any(|before| before.name == webhook.name) {
                return Err(bad(format!("two webhooks have the name `{}`", webhook.name)));
            }
        }
        Ok(Self { webhooks, email: file.email.map(email).transpose()? })
    }

    /// What the app needs to know of it.
    pub fn channels(&self) -> Channels {
        let webhook = |webhook: &Webhook| WebhookChannel { name: webhook.name.clone(), groups: webhook.groups.clone() };
        let names = |mailboxes: fn(&Email) -> &BTreeMap<String, Mailbox>| {
            self.email.iter().flat_map(|email| mailboxes(email).keys().cloned()).collect()
        };
        Channels {
            webhooks: self.webhooks.iter().map(webhook).collect(),
            people: names(|email| &email.people),
            groups: names(|email| &email.groups),
        }
    }
}

fn webhook(table: WebhookTable) -> Result<Webhook, ConfigError> {
    let name = table.name;
    if !text::is_identifier(&name) {
        return Err(bad(format!("`{}` is no name of a webhook", text::visible(&name, 60))));
    }
    let about = |what: &str| bad(format!("the webhook `{name}` {what}"));
    let url = Url::parse(&table.url).map_err(|_| about("has no URL"))?;
    let is_clean = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() || !is_clean {
        return Err(about("needs a URL `https://…` without user and fragment"));
    }
    let allow = table.allow.iter().map(|net| net.parse::<IpNet>()).collect::<Result<Vec<_>, _>>();
    let allow = allow.map_err(|_| about("allows what is no network such as `10.1.0.0/16`"))?;
    if url.scheme() == "http" && allow.is_empty() {
        return Err(about("has no TLS: only in a network that `allow` names"));
    }
    if table.secrets.is_empty() || table.secrets.len() > 2 {
        return Err(about("needs one secret, or two while one takes over from the other"));
    }
    let mut secrets = Vec::new();
    for place in &table.secrets {
        secrets.push(Secret::read(&place.read()?).ok_or_else(|| about("has a secret that is not `whsec_…`"))?);
    }
    let webhook = Webhook { url, secrets, groups: table.groups, allow, name: name.clone() };
    if webhook.address().is_some_and(|address| !webhook.guard().permits(address)) {
        return Err(about("has a private address that `allow` does not name"));
    }
    Ok(webhook)
}

fn email(table: EmailTable) -> Result<Email, ConfigError> {
    let is_loopback = table.server == "localhost" || table.server.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    if table.tls == Tls::None && !is_loopback {
        return Err(bad("mails go without TLS to a server on loopback only"));
    }
    let login = match (table.user, table.password) {
        (None, None) => None,
        (Some(user), Some(password)) => Some((user, password.read()?)),
        _ => return Err(bad("`user` and `password` come together")),
    };
    if table.tls == Tls::None && table.ca.is_some() {
        return Err(bad("`ca` says whom TLS trusts, and there is none here"));
    }
    let email = Email {
        server: table.server,
        port: table.port,
        tls: table.tls,
        authorities: table.ca.as_deref().map(authorities).transpose()?,
        from: mailbox(&table.from)?,
        login,
        people: mailboxes(table.people)?,
        groups: mailboxes(table.groups)?,
    };
    // Now, and not when the first mail is due.
    if email.tls != Tls::None && email.tls_parameters().is_err() {
        return Err(bad("`ca` holds what is no certificate of an authority"));
    }
    Ok(email)
}

fn authorities(path: &Path) -> Result<Certificate, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::File { path: path.display().to_string(), source })?;
    let none = || bad(format!("`{}` holds no certificate in PEM", path.display()));
    if !text.contains("-----BEGIN CERTIFICATE-----") {
        return Err(none());
    }
    Certificate::from_pem(text.as_bytes()).map_err(|_| none())
}

fn mailboxes(table: BTreeMap<String, String>) -> Result<BTreeMap<String, Mailbox>, ConfigError> {
    table.into_iter().map(|(id, address)| Ok((id, mailbox(&address)?))).collect()
}

fn mailbox(text: &str) -> Result<Mailbox, ConfigError> {
    text.parse().map_err(|_| bad(format!("`{}` is no mail address", text::visible(text, 100))))
}
