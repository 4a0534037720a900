//! What the proxy is started with.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use policy_core::text::is_identifier;
use reqwest::{Certificate, Url};
use thiserror::Error;

use super::witness::Witness;

/// Where the enforcement point's token stands when no file is named.
pub const TOKEN_VARIABLE: &str = "PROVISO_TOKEN";

/// Where the agent's token stands when no file is named.
pub const SUBJECT_TOKEN_VARIABLE: &str = "PROVISO_SUBJECT_TOKEN";

/// The command line of `proviso mcp`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The gate's URL. Beyond loopback only `https`.
    pub gate: String,
    /// A file of authorities in PEM that the gate's certificate is held against, in place of the public ones.
    pub gate_ca: Option<PathBuf>,
    /// The upstream server's name, as credentials and grants hold it. What the server calls itself does not count.
    pub server: String,
    /// A file with the enforcement point's token; absent: `PROVISO_TOKEN`.
    pub token_file: Option<PathBuf>,
    /// A file with the agent's token; absent: `PROVISO_SUBJECT_TOKEN`.
    pub subject_token_file: Option<PathBuf>,
    /// What `roots/list` is answered with: folders, or `file:` URIs.
    pub roots: Vec<String>,
    /// The folder in which the newest heads of the gate's record are kept; absent: they are kept for one session.
    pub state: Option<PathBuf>,
    /// The upstream's command and its arguments.
    pub command: Vec<OsString>,
}

/// What is wrong with the options.
#[derive(Debug, Error)]
pub enum OptionsError {
    /// Not a URL.
    #[error("`{0}` is not the URL of a gate")]
    GateUrl(String),
    /// Tokens would travel in the clear.
    #[error("the gate `{0}` is beyond this machine and speaks no TLS")]
    GateWithoutTls(String),
    /// Authorities that cannot be read, or for a gate without TLS.
    #[error("the authorities `{path}` cannot be taken: {reason}")]
    Authorities {
        /// Which file.
        path: String,
        /// Why.
        reason: String,
    },
    /// Not a name.
    #[error("`{0}` is not a server's name")]
    ServerName(String),
    /// A token that is not there.
    #[error("there is no {what} token")]
    NoToken {
        /// Whose.
        what: &'static str,
        /// Where it was looked for.
        variable: &'static str,
    },
    /// A file that cannot be read.
    #[error("the file `{path}` cannot be read: {source}")]
    TokenFile {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Not a folder's path or `file:` URI.
    #[error("`{0}` is not a folder")]
    Root(String),
    /// Kept heads that cannot be read.
    #[error("what was kept of the record's heads cannot be read: {0}")]
    State(std::io::Error),
    /// Nothing to stand before.
    #[error("there is no command to start")]
    NoCommand,
}

impl OptionsError {
    /// A stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::GateUrl(_) => "bad_gate_url",
            Self::GateWithoutTls(_) => "gate_without_tls",
            Self::Authorities { .. } => "bad_gate_ca",
            Self::ServerName(_) => "bad_server_name",
            Self::NoToken { .. } => "no_token",
            Self::TokenFile { .. } => "token_file_unreadable",
            Self::Root(_) => "bad_root",
            Self::State(_) => "state_unreadable",
            Self::NoCommand => "no_command",
        }
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::GateUrl(_) => "give --gate an address such as http://127.0.0.1:8731".to_owned(),
            Self::GateWithoutTls(_) => "give --gate an https address: both tokens travel to it".to_owned(),
            Self::Authorities { .. } => {
                "give --gate-ca a file of certificates in PEM, and --gate an https address".to_owned()
            }
            Self::ServerName(_) => {
                "use letters, digits, dots and dashes, as in `token enforcement-point --servers`".to_owned()
            }
            Self::NoToken { variable, .. } => format!("set {variable} or name a file that holds the token"),
            Self::TokenFile { .. } => "check the path and who may read it".to_owned(),
            Self::Root(_) => "give --root an absolute path or a file: URI".to_owned(),
            Self::State(_) => {
                "look at the folder that --state names; take away a file of heads only after you know why".to_owned()
            }
            Self::NoCommand => "put the server's command behind `--`".to_owned(),
        }
    }
}

/// Where the gate is and what opens it.
#[derive(Clone)]
pub struct Access {
    /// The gate.
    pub gate: Url,
    /// The authorities that its certificate is held against; none: the public ones.
    pub authorities: Vec<Certificate>,
    /// The enforcement point's token.
    pub token: String,
    /// The file that it came from, and that the next one comes from.
    pub token_file: Option<PathBuf>,
    /// The agent's token.
    pub subject_token: String,
    /// The same of the agent's.
    pub subject_token_file: Option<PathBuf>,
}

/// Options that were checked.
pub struct Checked {
    /// Where the gate is and what opens it.
    pub access: Access,
    /// The heads of the gate's record that were seen.
    pub witness: Witness,
    /// The upstream's name.
    pub server: String,
    /// `file:` URIs.
    pub roots: Vec<String>,
    /// The command.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

impl Options {
    /// Checks them. `variable` reads the environment.
    ///
    /// # Errors
    /// See [`OptionsError`].
    pub fn check(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Checked, OptionsError> {
        let gate = gate_url(&self.gate)?;
        let authorities = self.gate_ca.as_deref().map_or(Ok(Vec::new()), |path| authorities(path, &gate))?;
        if !is_identifier(&self.server) {
            return Err(OptionsError::ServerName(self.server.chars().take(80).collect()));
        }
        let token = token(self.token_file.as_deref(), "enforcement point's", TOKEN_VARIABLE, &variable)?;
        let subject_token = token_of_agent(self, &variable)?;
        let roots = self.roots.iter().map(|root| root_uri(root)).collect::<Result<_, _>>()?;
        let witness = Witness::open(self.state.as_deref(), gate.as_str()).map_err(OptionsError::State)?;
        let (program, arguments) = self.command.split_first().ok_or(OptionsError::NoCommand)?;
        Ok(Checked {
            access: Access {
                gate,
                authorities,
                token,
                token_file: self.token_file.clone(),
                subject_token,
                subject_token_file: self.subject_token_file.clone(),
            },
            witness,
            server: self.server.clone(),
            roots,
            program: program.clone(),
            arguments: arguments.to_vec(),
        })
    }
}

fn token_of_agent(options: &Options, variable: &impl Fn(&str) -> Option<String>) -> Result<String, OptionsError> {
    token(options.subject_token_file.as_deref(), "agent's", SUBJECT_TOKEN_VARIABLE, variable)
}

pub(super) fn token(
    file: Option<&Path>,
    what: &'static str,
    name: &'static str,
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<String, OptionsError> {
    let token = match file {
        Some(path) => {
            read_token(path).map_err(|source| OptionsError::TokenFile { path: path.display().to_string(), source })?
        }
        None => token_in(&variable(name).unwrap_or_default()),
    };
    token.ok_or(OptionsError::NoToken { what, variable: name })
}

/// The token in a file; none where what it holds is no token.
pub(super) fn read_token(path: &Path) -> std::io::Result<Option<String>> {
    Ok(token_in(&std::fs::read_to_string(path)?))
}

fn token_in(text: &str) -> Option<String> {
    let token = text.trim();
    (!token.is_empty() && token.chars().all(|c| c.is_ascii_graphic())).then(|| token.to_owned())
}

/// Reads the gate's URL: whatever is not plainly this machine needs TLS.
pub(super) fn gate_url(text: &str) -> Result<Url, OptionsError> {
    let refuse = || OptionsError::GateUrl(text.chars().take(200).collect());
    let url: Url = text.parse().map_err(|_| refuse())?;
    let host = url.host_str().ok_or_else(refuse)?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(refuse());
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(host) => Ok(url),
        "http" => Err(OptionsError::GateWithoutTls(text.chars().take(200).collect())),
        _ => Err(refuse()),
    }
}

/// Whether a URL's host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let address: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    host == "localhost" || address.is_some_and(|address| address.is_loopback())
}

/// Reads authorities: for a gate without TLS they would be believed to do something.
pub(super) fn authorities(path: &Path, gate: &Url) -> Result<Vec<Certificate>, OptionsError> {
    let refuse = |reason: String| OptionsError::Authorities { path: path.display().to_string(), reason };
    if gate.scheme() != "https" {
        return Err(refuse("the gate's address is not https".to_owned()));
    }
    let text = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;
    match Certificate::from_pem_bundle(&text) {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(refuse("it holds no certificate in PEM".to_owned())),
    }
}

pub(super) fn root_uri(text: &str) -> Result<String, OptionsError> {
    let refuse = || OptionsError::Root(text.chars().take(200).collect());
    if text.starts_with("file:") {
        let url: Url = text.parse().map_err(|_| refuse())?;
        return url.to_file_path().map(|_| url.to_string()).map_err(|()| refuse());
    }
    Url::from_file_path(text).map(|url| url.to_string()).map_err(|()| refuse())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(gate: &str) -> Options {
        Options {
            gate: gate.into(),
            gate_ca: None,
            server: "files".into(),
            token_file: None,
            subject_token_file: None,
            roots: vec!["/data/x y".into()],
            state: None,
            command: vec!["true".into()],
        }
    }

    fn checked(options: &Options) -> Result<Checked, &'static str> {
        options.check(|name| Some(format!("{name}-secret\n"))).map_err(|error| error.code())
    }

    #[test]
    fn a_gate_beyond_loopback_needs_tls() {
        for (gate, answer) in [
            ("http://127.0.0.1:8731", None),
            ("http://127.9.9.9", None),
            ("http://[::1]:8731", None),
            ("http://localhost:8731/", None),
            ("https://gate.example", None),
            ("http://gate.example", Some("gate_without_tls")),
            ("http://localhost.evil.example", Some("gate_without_tls")),
            ("http://127.0.0.1.evil.example", Some("gate_without_tls")),
            ("http://0.0.0.0:8731", Some("gate_without_tls")),
            ("http://10.0.0.1", Some("gate_without_tls")),
            ("http://127.0.0.1@evil.example", Some("bad_gate_url")),
            ("https://u:p@gate.example", Some("bad_gate_url")),
            ("ftp://127.0.0.1", Some("bad_gate_url")),
            ("gate", Some("bad_gate_url")),
        ] {
            assert_eq!(checked(&options(gate)).err(), answer, "{gate}");
        }
    }

    #[test]
    fn the_rest_is_checked_too() {
        let fine = checked(&options("https://g.example")).map(|c| (c.access.token, c.access.subject_token, c.roots));
        let secret = |name: &str| format!("{name}-secret");
        assert_eq!(
            fine,
            Ok((secret(TOKEN_VARIABLE), secret(SUBJECT_TOKEN_VARIABLE), vec!["file:///data/x%20y".into()]))
        );
        let base = || options("https://g.example");
        for (options, code) in [
            (Options { server: "a b".into(), ..base() }, "bad_server_name"),
            (Options { server: String::new(), ..base() }, "bad_server_name"),
            (Options { roots: vec!["relative".into()], ..base() }, "bad_root"),
            (Options { roots: vec!["file://host/x".into()], ..base() }, "bad_root"),
            (Options { command: vec![], ..base() }, "no_command"),
            (Options { token_file: Some("/no/such/file".into()), ..base() }, "token_file_unreadable"),
            (Options { gate_ca: Some("/no/such/file".into()), ..base() }, "bad_gate_ca"),
            (Options { gate_ca: Some("/dev/null".into()), ..base() }, "bad_gate_ca"),
            (Options { gate_ca: Some("/dev/null".into()), ..options("http://127.0.0.1:1") }, "bad_gate_ca"),
        ] {
            assert_eq!(checked(&options).err(), Some(code));
        }
        assert!(matches!(base().check(|_| None), Err(OptionsError::NoToken { .. })));
    }
}
