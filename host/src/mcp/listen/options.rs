//! What `proviso mcp --listen` is started with.

use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use axum::http::{HeaderName, HeaderValue, header};
use policy_core::text::{is_identifier, visible};
use reqwest::Url;
use thiserror::Error;

use super::guard::Doors;
use super::metadata::Metadata;
use super::upstream::Upstream;
use crate::mcp::gate::Gate;
use crate::mcp::options::{Access, OptionsError, TOKEN_VARIABLE, authorities, gate_url, is_loopback, root_uri, token};
use crate::mcp::witness::Witness;

/// Where the upstream's credential stands when no file is named.
pub const CREDENTIAL_VARIABLE: &str = "PROVISO_UPSTREAM_CREDENTIAL";
/// Who else may read a file.
const OTHERS: u32 = 0o077;

/// The command line of `proviso mcp --listen`.
#[derive(Debug, Clone)]
pub struct ListenOptions {
    /// The gate's URL. Beyond loopback only `https`.
    pub gate: String,
    /// Authorities in PEM that the gate's certificate is held against, in place of the public ones.
    pub gate_ca: Option<PathBuf>,
    /// The upstream server's name, as credentials and grants hold it.
    pub server: String,
    /// A file with the enforcement point's token; absent: `PROVISO_TOKEN`.
    pub token_file: Option<PathBuf>,
    /// The folder in which the newest heads of the gate's record are kept.
    pub state: Option<PathBuf>,
    /// What `roots/list` is answered with; none: the client answers it.
    pub roots: Vec<String>,
    /// The upstream's endpoint.
    pub upstream: String,
    /// Authorities in PEM that the upstream's certificate is held against, in place of the public ones.
    pub upstream_ca: Option<PathBuf>,
    /// A file with the upstream's credential; absent: `PROVISO_UPSTREAM_CREDENTIAL`, else none.
    pub upstream_credential: Option<PathBuf>,
    /// What this proxy is to clients: the URI that tokens must be for, and the address of its endpoint.
    pub resource: String,
    /// Where clients get tokens: issuers, as metadata tells them.
    pub issuers: Vec<String>,
    /// Origins of pages that may call, besides the proxy's own.
    pub origins: Vec<String>,
}

/// What is wrong with them.
#[derive(Debug, Error)]
pub enum BehindError {
    /// What the stdio proxy is started with, too.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// Not an upstream's URL.
    #[error("`{0}` is not the URL of an MCP endpoint")]
    UpstreamUrl(String),
    /// The credential would travel in the clear.
    #[error("the upstream `{0}` is beyond this machine and speaks no TLS")]
    UpstreamWithoutTls(String),
    /// The credential's file, or the variable.
    #[error("the upstream's credential cannot be taken: {0}")]
    Credential(String),
    /// Not what a resource is called.
    #[error("`{0}` cannot be the resource that tokens are for")]
    Resource(String),
    /// Not an origin.
    #[error("`{0}` is not an origin")]
    Origin(String),
    /// Not an issuer.
    #[error("`{0}` is not an issuer's URL")]
    Issuer(String),
    /// No TLS, no random bytes.
    #[error("the system gives no TLS")]
    System,
}

impl BehindError {
    /// A stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Options(error) => error.code(),
            Self::UpstreamUrl(_) => "bad_upstream_url",
            Self::UpstreamWithoutTls(_) => "upstream_without_tls",
            Self::Credential(_) => "bad_upstream_credential",
            Self::Resource(_) => "bad_resource",
            Self::Origin(_) => "bad_origin",
            Self::Issuer(_) => "bad_issuer",
            Self::System => "system_unavailable",
        }
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Options(error) => error.help(),
            Self::UpstreamUrl(_) => "give --upstream an address such as http://127.0.0.1:3001/mcp".to_owned(),
            Self::UpstreamWithoutTls(_) => "give --upstream an https address: its credential travels to it".to_owned(),
            Self::Credential(_) => {
                "name a file that its owner alone may read, with a bearer token or a line `Header-Name: value` in it"
                    .to_owned()
            }
            Self::Resource(_) => {
                "give --resource the endpoint's public URL, such as https://mcp.example/mcp; beyond loopback only https"
                    .to_owned()
            }
            Self::Origin(_) => "give --allow-origin a scheme, a host and a port at most".to_owned(),
            Self::Issuer(_) => "give --issuer the issuer's https URL, as its metadata says it".to_owned(),
            Self::System => "look at the limits of open files and at the system's certificates".to_owned(),
        }
    }
}

/// Options that were checked.
pub struct Behind {
    pub(super) gate: Gate,
    pub(super) server: String,
    pub(super) roots: Option<Vec<String>>,
    pub(super) upstream: Upstream,
    pub(super) doors: Doors,
    pub(super) metadata: Metadata,
}

impl ListenOptions {
    /// Checks them. `variable` reads the environment.
    ///
    /// # Errors
    /// See [`BehindError`].
    pub fn check(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Behind, BehindError> {
        let gate = gate_url(&self.gate)?;
        let gate_authorities = self.gate_ca.as_deref().map_or(Ok(Vec::new()), |path| authorities(path, &gate))?;
        if !is_identifier(&self.server) {
            return Err(OptionsError::ServerName(shown(&self.server)).into());
        }
        let token = token(self.token_file.as_deref(), "enforcement point's", TOKEN_VARIABLE, &variable)?;
        let roots = self.roots.iter().map(|root| root_uri(root)).collect::<Result<Vec<_>, _>>()?;
        let witness = Witness::open(self.state.as_deref(), gate.as_str()).map_err(OptionsError::State)?;
        let upstream = self.upstream(&variable)?;
        let resource = resource_url(&self.resource)?;
        let doors = Doors::new(&resource, &self.origins).map_err(BehindError::Origin)?;
        let is_issuer = |text: &&String| text.parse::<Url>().is_ok_and(|url| is_safe(&url) && url.query().is_none());
        if let Some(bad) = self.issuers.iter().find(|text| !is_issuer(text)) {
            return Err(BehindError::Issuer(shown(bad)));
        }
        let metadata = Metadata::new(&self.resource, &resource, &self.issuers);
        let access = Access {
            gate,
            authorities: gate_authorities,
            token,
            token_file: self.token_file.clone(),
            subject_token: String::new(),
            subject_token_file: None,
        };
        let gate = Gate::new(access, witness).map_err(|_| BehindError::System)?;
        let roots = (!roots.is_empty()).then_some(roots);
        Ok(Behind { gate, server: self.server.clone(), roots, upstream, doors, metadata })
    }

    fn upstream(&self, variable: &impl Fn(&str) -> Option<String>) -> Result<Upstream, BehindError> {
        let refuse = || BehindError::UpstreamUrl(shown(&self.upstream));
        let url: Url = self.upstream.parse().map_err(|_| refuse())?;
        let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if !bare || url.host_str().is_none() || !matches!(url.scheme(), "http" | "https") {
            return Err(refuse());
        }
        if !is_safe(&url) {
            return Err(BehindError::UpstreamWithoutTls(shown(&self.upstream)));
        }
        let authorities = self.upstream_ca.as_deref().map_or(Ok(Vec::new()), |path| authorities(path, &url))?;
        let credential = match &self.upstream_credential {
            Some(path) => Some(read_closed(path)?),
            None => variable(CREDENTIAL_VARIABLE).filter(|text| !text.is_empty()),
        };
        let credential = credential.as_deref().map(credential_header).transpose()?;
        Upstream::new(url, &authorities, credential).map_err(|_| BehindError::System)
    }
}

/// The text of a file that nobody else may read: a secret that others have guards nothing.
fn read_closed(path: &Path) -> Result<String, BehindError> {
    let refuse = |what: String| BehindError::Credential(format!("`{}` {what}", path.display()));
    let unreadable = |error: std::io::Error| refuse(format!("cannot be read: {error}"));
    // Opened once: what was looked at is what is read.
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    let facts = file.metadata().map_err(unreadable)?;
    if facts.mode() & OTHERS != 0 {
        return Err(refuse("can be read or written by others".to_owned()));
    }
    if ![0, rustix::process::getuid().as_raw()].contains(&facts.uid()) {
        return Err(refuse("belongs to another user".to_owned()));
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(unreadable)?;
    Ok(text)
}

/// A bearer token, or a header of its own: `Name: value`.
fn credential_header(text: &str) -> Result<(HeaderName, HeaderValue), BehindError> {
    let refuse = || BehindError::Credential("it is neither a token nor a header".to_owned());
    let text = text.trim();
    let (name, value) = match text.split_once(": ") {
        Some((name, value)) => (name.parse().map_err(|_| refuse())?, value.trim().to_owned()),
        None if !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic()) => {
            (header::AUTHORIZATION, format!("Bearer {text}"))
        }
        None => return Err(refuse()),
    };
    let mut value = HeaderValue::from_str(&value).map_err(|_| refuse())?;
    value.set_sensitive(true);
    if value.is_empty() || !is_free(&name) {
        return Err(refuse());
    }
    Ok((name, value))
}

/// Whether a header is one that the transport leaves to credentials.
fn is_free(name: &HeaderName) -> bool {
    let taken = [header::HOST, header::CONTENT_LENGTH, header::CONTENT_TYPE, header::ACCEPT, header::TRANSFER_ENCODING];
    !taken.contains(name) && !name.as_str().starts_with("mcp-")
}

/// The proxy's own URI. Its path is where the endpoint is.
fn resource_url(text: &str) -> Result<Url, BehindError> {
    let refuse = || BehindError::Resource(shown(text));
    let url: Url = text.parse().map_err(|_| refuse())?;
    let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    let plain = url.path().chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.'));
    if !bare || !plain || url.fragment().is_some() || !is_identifier(text) || !is_safe(&url) {
        return Err(refuse());
    }
    Ok(url)
}

/// Inside TLS, or on this machine.
fn is_safe(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url.host_str().unwrap_or_default()))
}

fn shown(text: &str) -> String {
    visible(text, 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(upstream: &str, resource: &str) -> ListenOptions {
        ListenOptions {
            gate: "https://gate.example".into(),
            gate_ca: None,
            server: "files".into(),
            token_file: None,
            state: None,
            roots: Vec::new(),
            upstream: upstream.into(),
            upstream_ca: None,
            upstream_credential: None,
            resource: resource.into(),
            issuers: Vec::new(),
            origins: Vec::new(),
        }
    }

    fn code(options: &ListenOptions) -> Option<&'static str> {
        options.check(|name| (name == TOKEN_VARIABLE).then(|| "secret".to_owned())).err().map(|error| error.code())
    }

    #[test]
    fn what_would_be_no_boundary_does_not_start() {
        const HERE: &str = "http://127.0.0.1:8740/mcp";
        for (upstream, resource, refused) in [
            ("http://127.0.0.1:3001/mcp", HERE, None),
            ("https://tools.example/mcp?tenant=1", "https://mcp.example/mcp", None),
            ("http://tools.example/mcp", HERE, Some("upstream_without_tls")),
            ("http://10.0.0.1/mcp", HERE, Some("upstream_without_tls")),
            ("https://u:p@tools.example/mcp", HERE, Some("bad_upstream_url")),
            ("ftp://127.0.0.1/mcp", HERE, Some("bad_upstream_url")),
            ("tools", HERE, Some("bad_upstream_url")),
            ("http://127.0.0.1:3001/mcp", "http://mcp.example/mcp", Some("bad_resource")),
            ("http://127.0.0.1:3001/mcp", "https://mcp.example/mcp?a=1", Some("bad_resource")),
            ("http://127.0.0.1:3001/mcp", "https://mcp.example/{x}", Some("bad_resource")),
            ("http://127.0.0.1:3001/mcp", "mcp", Some("bad_resource")),
        ] {
            assert_eq!(code(&options(upstream, resource)), refused, "{upstream} {resource}");
        }
        let base = || options("http://127.0.0.1:3001/mcp", HERE);
        for (options, refused) in [
            (ListenOptions { origins: vec!["https://page.example".into()], ..base() }, None),
            (ListenOptions { origins: vec!["https://page.example/x".into()], ..base() }, Some("bad_origin")),
            (ListenOptions { origins: vec!["null".into()], ..base() }, Some("bad_origin")),
            (ListenOptions { issuers: vec!["http://login.example".into()], ..base() }, Some("bad_issuer")),
            (ListenOptions { server: "a b".into(), ..base() }, Some("bad_server_name")),
            (
                ListenOptions { upstream_credential: Some("/no/such/file".into()), ..base() },
                Some("bad_upstream_credential"),
            ),
        ] {
            assert_eq!(code(&options), refused);
        }
        assert_eq!(base().check(|_| None).err().map(|error| error.code()), Some("no_token"));
    }

    #[test]
    fn a_credential_is_a_token_or_a_header_and_nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        for (text, header) in [
            ("abc\n", Some(("authorization", "Bearer abc"))),
            ("X-Api-Key: abc", Some(("x-api-key", "abc"))),
            ("Authorization: Basic YTpi", Some(("authorization", "Basic YTpi"))),
            ("", None),
            ("a b", None),
            ("Host: evil.example", None),
            ("Mcp-Session-Id: 1", None),
            ("X-Api-Key: a\nX-Other: b", None),
        ] {
            let read = credential_header(text).ok();
            let told = read.as_ref().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()));
            assert_eq!(told, header, "{text}");
            assert!(read.is_none_or(|(_, value)| value.is_sensitive()));
        }
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("credential");
        std::fs::write(&file, "abc").expect("written");
        for (mode, fine) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o602, false)] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("set");
            assert_eq!(read_closed(&file).is_ok(), fine, "{mode:o}");
        }
    }
}
