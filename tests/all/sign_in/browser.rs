//! A browser with its cookies, and a gate that people sign in to by a provider.

use std::collections::BTreeMap;
use std::sync::Arc;

use proviso::sign_in::SignInFile;
use proviso_tests::{Answer, Client, Setup, TestClock, TestGate, signed_in};
use reqwest::Method;
use serde_json::{Value, json};

use super::provider::{Back, CLIENT, Provider};

/// The operator's file for a provider. Each `sub` is `sub-USER`; `more` stands before the people.
pub(crate) fn file(provider: &Provider, name: &str, people: &[&str], more: &str) -> String {
    let people: String = people.iter().map(|user| format!("\"sub-{user}\" = \"{user}\"\n")).collect();
    format!(
        "[[provider]]\nname = \"{name}\"\nlabel = \"Acme {name}\"\nissuer = \"{}\"\nclient_id = \"{CLIENT}\"\n\
         client_secret = {{ file = \"{}\" }}\nallow = [\"127.0.0.1/32\"]\n{more}\n[provider.people]\n{people}",
        provider.issuer,
        provider.secret().display()
    )
}

/// The setup of a gate with these providers.
pub(crate) fn setup(clock: &Arc<TestClock>, files: &[String]) -> Setup {
    let ways = SignInFile::parse(&files.concat()).unwrap();
    Setup { clock: Arc::clone(clock), ways, ..Setup::default() }
}

/// A gate with one provider, `acme`, where mara, jun and ola have accounts.
pub(super) async fn gate() -> (TestGate, Provider) {
    let clock = Arc::new(TestClock::new());
    let provider = Provider::start(&clock).await;
    let file = file(&provider, "acme", &["mara", "jun", "ola"], "step_up = { phr = \"oidc_step_up\" }");
    (TestGate::with(setup(&clock, &[file])).await, provider)
}

/// A browser's cookies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Browser {
    pub(crate) jar: BTreeMap<String, String>,
}

impl Browser {
    /// Posts as a page of the gate does, and keeps the cookies of the answer.
    pub(super) async fn post(&mut self, client: &Client, path: &str, body: &Value) -> Answer {
        let cookies: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = client.request(Method::POST, path).header("cookie", cookies.join("; "));
        let answer = Client::send(request.header("sec-fetch-site", "same-origin").json(body)).await;
        for line in answer.headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            if line.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Begins to sign in by a provider: where the browser is sent.
    pub(crate) async fn begin(&mut self, client: &Client, provider: &str) -> String {
        let answer = self.post(client, "/api/v1/sign-in/begin", &json!({"provider": provider})).await;
        assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
        answer.json()["location"].as_str().unwrap().to_owned()
    }

    /// Comes back from a provider.
    pub(crate) async fn end(&mut self, client: &Client, provider: &str, back: &Back) -> Answer {
        let mut body = json!({"provider": provider, "state": back.state});
        for (name, value) in [("code", &back.code), ("iss", &back.iss), ("error", &back.error)] {
            if let Some(value) = value {
                body[name] = json!(value);
            }
        }
        self.post(client, "/api/v1/sign-in/finish", &body).await
    }

    /// The names of the sign-ins under way.
    pub(super) fn under_way(&self) -> Vec<&str> {
        self.jar.keys().filter_map(|name| name.strip_prefix("proviso_sign_in_")).collect()
    }
}

/// Signs in by `acme`: cookie and key, as `as_person` takes them.
pub(crate) async fn enter(gate: &TestGate, provider: &Provider, subject: &str, claims: Value) -> Answer {
    let mut browser = Browser::default();
    let location = browser.begin(&gate.client, "acme").await;
    let back = provider.sign_in_with(&location, subject, claims);
    browser.end(&gate.client, "acme", &back).await
}

/// The person of an answer that signed somebody in, as `as_person` takes them.
pub(crate) fn person(answer: &Answer) -> String {
    let mut lines = answer.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
    let cookie = lines.rfind(|line| line.starts_with("proviso_session=")).unwrap();
    let (cookie, _) = cookie.split_once(';').unwrap();
    format!("{cookie}#{}", answer.json()["session"]["key"].as_str().unwrap())
}

/// The person of a link, to have somebody who was there before.
pub(super) async fn by_link(gate: &TestGate, user: &str) -> String {
    let link = gate.mint(proviso::identity::MintRequest::Approver { user: user.to_owned() }).await;
    let secret = link.rsplit('#').next().unwrap();
    signed_in(&gate.client.post("/api/v1/session", "", &json!({"link": secret})).await).unwrap()
}

/// Status and code of an answer.
pub(super) fn refused(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.code())
}
