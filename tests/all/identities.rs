//! Callers with tokens of other issuers, over HTTP and on the running binary. Tokens are minted by PyJWT.

mod access_tokens;
mod authority;
mod builds;
mod certificates;
mod chains;
mod demanded;
mod ended;
mod files;
mod keys;
mod minter;
mod own;
mod own_keys;
mod points;
mod proofs;
mod recorded;
mod resource;
mod svids;
mod tied;
mod vouched;

use std::path::Path;

use minter::Key;
use proviso::trust::Identities;
use proviso_tests::{AGENTS, Answer, Client, Setup, TestGate, sample_bundle};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The trust domain's key, and one that is none of its.
const MESH: Key = Key { name: "mesh", kid: "mesh-1", alg: "ES256" };
/// The login's key.
const LOGIN: Key = Key { name: "login", kid: "login-1", alg: "RS256" };
/// Another login's, with the same key id.
const OTHER: Key = Key { name: "other", kid: "login-1", alg: "RS256" };
/// Nobody's: of the same ids as those above.
const FORGER: Key = Key { name: "forger", kid: "mesh-1", alg: "ES256" };

const AUDIENCE: &str = "https://gate.acme.example";
const MESH_ISS: &str = "spiffe://acme.example";
const LOGIN_ISS: &str = "https://login.acme.example";
const OTHER_ISS: &str = "https://other.example";

/// What the tests' bundle says of who is whose.
const ISSUERS: &str = r#"
[issuers."spiffe://acme.example"]
"spiffe://acme.example/agent/*" = "Agent::spiffe://acme.example/agent/*"

[issuers."https://login.acme.example"]
"agent|*" = "Agent::spiffe://acme.example/agent/*"
"client_id:app-*" = "Agent::spiffe://acme.example/agent/*"
"5f0c1e" = "User::ines"
"77aa01" = "User::mara"
"gone" = "User::nobody-of-the-bundle"

[issuers."https://other.example"]
"agent|*" = "Agent::other-*"
"#;

/// The sample bundle with these issuers.
fn bundle() -> std::collections::BTreeMap<String, String> {
    let mut files = sample_bundle();
    files.get_mut("bundle.toml").unwrap().push_str(ISSUERS);
    files
}

/// The keys' documents in a folder.
fn publish(folder: &Path) {
    authority::publish(folder, &[]);
    std::fs::write(folder.join("other.json"), json!({"keys": [OTHER.public("sig")]}).to_string()).unwrap();
}

/// The file of `--identities`, with these members more for the login.
fn file(folder: &Path, login: &str) -> String {
    let folder = folder.display();
    format!(
        r#"
[[issuer]]
trust_domain = "acme.example"
keys = {{ file = "{folder}/mesh.json" }}
algorithms = ["ES256"]
audience = ["{AUDIENCE}"]

[[issuer]]
issuer = "{LOGIN_ISS}"
keys = {{ file = "{folder}/login.json" }}
algorithms = ["RS256", "PS256"]
audience = ["{AUDIENCE}"]
may_name = ["spiffe://acme.example"]
{login}

[[issuer]]
issuer = "{OTHER_ISS}"
keys = {{ file = "{folder}/other.json" }}
algorithms = ["RS256"]
audience = ["{AUDIENCE}"]
"#
    )
}

/// A gate that believes the three issuers.
struct World {
    gate: TestGate,
    folder: TempDir,
}

impl World {
    async fn begin() -> Self {
        Self::with("").await
    }

    /// With these members more in the login's entry, or tables behind it.
    async fn with(login: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        publish(folder.path());
        let identities = Identities::parse(&file(folder.path(), login)).unwrap();
        let gate = TestGate::with(Setup { bundle: bundle(), identities, ..Setup::default() }).await;
        // A proof of the second in which the gate began is none.
        gate.clock.advance(1);
        Self { gate, folder }
    }

    /// The same after a restart.
    async fn again(self) -> Self {
        let identities = Identities::parse(&file(self.folder.path(), "")).unwrap();
        let clock = std::sync::Arc::clone(&self.gate.clock);
        let gate = self.gate.again(Setup { bundle: bundle(), identities, clock, ..Setup::default() }).await;
        Self { gate, folder: self.folder }
    }

    /// The gate's time, in seconds.
    fn now(&self) -> i64 {
        use proviso::clock::Clock as _;
        self.gate.clock.now().millis() / 1000
    }

    /// The claims of an agent's JWT-SVID, good for five minutes.
    fn svid(&self, agent: &str, task: &str) -> Value {
        json!({
            "sub": format!("{AGENTS}{agent}"), "aud": [AUDIENCE], "exp": self.now() + 300, "iat": self.now(),
            "txn": task,
        })
    }

    /// The claims of an access token: an agent of the mesh for a user of the login.
    fn access(&self, agent: &str, task: &str, user: &str, jti: &str) -> Value {
        json!({
            "iss": LOGIN_ISS, "sub": user, "aud": AUDIENCE, "exp": self.now() + 300, "iat": self.now(), "jti": jti,
            "client_id": "app-1", "txn": task,
            "act": {"iss": MESH_ISS, "sub": format!("{AGENTS}{agent}")},
        })
    }

    /// What the gate makes of a bearer token.
    async fn who(&self, token: &str) -> Answer {
        Client::send(self.gate.client.request(Method::GET, "/api/v1/whoami").bearer_auth(token)).await
    }

    /// The code that a token is refused with, or nothing.
    async fn code(&self, token: &str) -> (u16, String) {
        let answer = self.who(token).await;
        (answer.status.as_u16(), answer.code())
    }

    /// Asks for a call, as an agent alone.
    async fn ask(&self, token: &str, body: &Value) -> Answer {
        Client::send(self.gate.client.request(Method::POST, "/access/v1/evaluation").bearer_auth(token).json(body))
            .await
    }

    fn records(&self) -> Vec<u64> {
        self.gate.app.record().logs.iter().map(|log| log.size).collect()
    }
}

/// An access token of the login.
fn access_token(claims: &Value) -> String {
    LOGIN.sign(Some("at+jwt"), claims)
}

/// These claims with one more, in place of another; `null` takes it away.
fn with(claims: &Value, name: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}
