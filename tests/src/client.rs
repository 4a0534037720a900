//! HTTP as anybody speaks it.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

use crate::contract;

/// A client of one gate.
#[derive(Clone)]
pub struct Client {
    /// The gate's URL.
    pub url: String,
    http: reqwest::Client,
}

/// A signed-in person, as one text: the session's cookie, `#`, and the key that its page holds.
pub fn signed_in(answer: &Answer) -> Option<String> {
    let (cookie, _) = answer.header("set-cookie").split_once(';')?;
    Some(format!("{cookie}#{}", answer.json()["key"].as_str()?))
}

/// The cookie of a signed-in person: all that a server on another port of the host gets to see.
pub fn cookie_of(person: &str) -> &str {
    person.split_once('#').map_or(person, |(cookie, _)| cookie)
}

/// A request as the page of a signed-in person sends it.
pub fn as_person(request: RequestBuilder, person: &str) -> RequestBuilder {
    let request = request.header("cookie", cookie_of(person));
    match person.split_once('#') {
        Some((_, key)) => request.header("proviso-session-key", key),
        None => request,
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body, as text.
    pub text: String,
}

impl Answer {
    /// The body as JSON; `null` where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The problem's code, or nothing.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Client {
    /// A client of the gate at this URL.
    #[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
    pub fn new(url: impl Into<String>) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client without settings");
        Self { url: url.into(), http }
    }

    /// The same over connections of its own making: with other authorities, or with a certificate.
    pub fn over(url: impl Into<String>, http: reqwest::Client) -> Self {
        Self { url: url.into(), http }
    }

    /// A request to this path.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// Sends it, and holds what comes back against the OpenAPI document.
    #[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
    pub async fn send(request: RequestBuilder) -> Answer {
        let (client, request) = request.build_split();
        let request = request.expect("a request that can be sent");
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = client.execute(request).await.expect("the gate answers");
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.expect("a body of text");
        let answer = Answer { status, headers, text };
        contract::hold(&method, &path, &answer);
        answer
    }

    /// `GET` as a signed-in person, or as nobody.
    pub async fn get(&self, path: &str, person: Option<&str>) -> Answer {
        let request = self.request(Method::GET, path);
        Self::send(match person {
            Some(person) => as_person(request, person),
            None => request,
        })
        .await
    }

    /// `POST` JSON as a signed-in person.
    pub async fn post(&self, path: &str, person: &str, body: &Value) -> Answer {
        Self::send(as_person(self.request(Method::POST, path), person).json(body)).await
    }

    /// `POST` JSON as an enforcement point for an agent.
    pub async fn post_for(&self, path: &str, point: &str, agent: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, path).bearer_auth(point).header("proviso-subject-token", agent);
        Self::send(request.json(body)).await
    }
}
