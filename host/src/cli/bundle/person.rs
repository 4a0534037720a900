//! A person at a gate from the command line: signed in by a one-time link, for one command.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use proviso_api::problem::Problem;
use proviso_api::session::Session;
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Client, Method, Url};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::output::{Exit, Failure};

/// How long an answer may take: a proposal is put to thousands of questions.
const PATIENCE: Duration = Duration::from_secs(120);
/// Where a link stands that is given in no file.
const LINK: &str = "PROVISO_LINK";

/// Who acts.
#[derive(Debug, Args)]
pub(in crate::cli) struct By {
    /// The file that holds a one-time sign-in link, as your page "You" or `proviso token approver` makes it. Without it the link is taken
    /// from the environment, `PROVISO_LINK`: never from the command line, which others can read.
    #[arg(long, value_name = "FILE")]
    link: Option<PathBuf>,
}

/// A signed-in person. The session ends with the command.
pub(super) struct Person {
    client: Client,
    gate: Url,
    cookie: String,
    key: String,
}

impl By {
    /// Signs in.
    pub(super) async fn sign_in(&self) -> Result<Person, Failure> {
        let text = match &self.link {
            Some(path) => std::fs::read_to_string(path)
                .map_err(|error| Failure::usage("no_link", format!("`{}` cannot be read: {error}", path.display())))?,
            None => std::env::var(LINK).map_err(|_| Failure::usage("no_link", "no sign-in link is given"))?,
        };
        let bad = || Failure::usage("no_link", "what is given is no sign-in link");
        let link = Url::parse(text.trim()).map_err(|_| bad())?;
        let secret = link.fragment().filter(|secret| !secret.is_empty()).ok_or_else(bad)?.to_owned();
        // INVARIANT (R4): the secret in a link signs in whoever reads it on the way.
        if link.scheme() == "http" && !is_here(&link) {
            return Err(Failure::usage("link_not_encrypted", "the link leads to another machine without TLS")
                .help("take a link of the gate's address by `https`, or run the command on the gate's host"));
        }
        let mut client = Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE);
        if link.scheme() == "http" {
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| Failure::unavailable("no_tls", error.to_string()))?;
        let mut gate = link;
        gate.set_fragment(None);
        gate.set_query(None);
        let address = join(&gate, "/api/v1/session")?;
        let answer = client.post(address).json(&json!({"link": secret})).send().await.map_err(|error| away(&error))?;
        let cookie = answer.headers().get(SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).unwrap_or_default().to_owned();
        let session: Session = read(answer).await?;
        Ok(Person { client, gate, cookie, key: session.key.unwrap_or_default() })
    }
}

impl Person {
    /// Asks the gate as this person.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<T, Failure> {
        let request = self.request(method, path)?;
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        read(request.send().await.map_err(|error| away(&error))?).await
    }

    /// The address of a page of the gate's, for people.
    pub(super) fn page(&self, path: &str) -> String {
        join(&self.gate, &format!("/{path}")).map(|page| page.to_string()).unwrap_or_default()
    }

    /// Ends the session. One that cannot be ended now ends by itself.
    pub(super) async fn sign_out(self) {
        if let Ok(request) = self.request(Method::DELETE, "/api/v1/session") {
            drop(request.send().await);
        }
    }

    fn request(&self, method: Method, path: &str) -> Result<reqwest::RequestBuilder, Failure> {
        let request = self.client.request(method, join(&self.gate, path)?);
        Ok(request.header(COOKIE, &self.cookie).header("proviso-session-key", &self.key))
    }
}

/// Whether a link leads to this very machine.
fn is_here(link: &Url) -> bool {
    let Some(name) = link.host_str() else { return false };
    let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
    name == "localhost" || name.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}

fn join(gate: &Url, path: &str) -> Result<Url, Failure> {
    gate.join(path).map_err(|_| Failure::usage("no_link", "the link names no gate"))
}

fn away(error: &reqwest::Error) -> Failure {
    Failure::unavailable("gate_unreachable", format!("the gate does not answer: {error}"))
        .help("look whether the gate runs, and whether the link names it")
}

/// A refusal is the gate's own, with its code and its help.
async fn read<T: DeserializeOwned>(answer: reqwest::Response) -> Result<T, Failure> {
    let status = answer.status();
    if status.is_success() {
        return answer.json().await.map_err(|error| away(&error));
    }
    let problem: Problem = answer.json().await.map_err(|error| away(&error))?;
    let exit = match status.as_u16() {
        400 | 404 | 413 => Exit::BadInput,
        401 | 403 | 409 => Exit::Denied,
        _ => Exit::Unavailable,
    };
    let failure = Failure::new(exit, problem.code, problem.detail);
    Err(match problem.help {
        Some(help) => failure.help(help),
        None => failure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_link_to_another_machine_is_followed_over_tls_alone() {
        for (link, code) in [
            ("http://gate.example/sign-in#prl_x", "link_not_encrypted"),
            ("http://192.0.2.7:7777/sign-in#prl_x", "link_not_encrypted"),
            ("http://127.0.0.1.example/sign-in#prl_x", "link_not_encrypted"),
            ("http://localhost.example/sign-in#prl_x", "link_not_encrypted"),
            // Nobody answers there: that is looked for once the link may be followed.
            ("http://127.0.0.1:1/sign-in#prl_x", "gate_unreachable"),
            ("http://[::1]:1/sign-in#prl_x", "gate_unreachable"),
            ("http://localhost:1/sign-in#prl_x", "gate_unreachable"),
            ("https://127.0.0.1:1/sign-in#prl_x", "gate_unreachable"),
            ("http://127.0.0.1:1/sign-in", "no_link"),
        ] {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), link).unwrap();
            let refused = By { link: Some(file.path().to_path_buf()) }.sign_in().await.err().unwrap();
            assert_eq!(refused.code, code, "{link}");
        }
    }
}
