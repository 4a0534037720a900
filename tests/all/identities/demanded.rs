//! A tier that only bound credentials may ask for, and use: `@binding("required")`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proviso::trust::Identities;
use proviso_tests::{Answer, Client, Parties, Setup, TestGate, inside, write_file};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Key, World, access_token, bundle, file, publish, with};

const OWN: Key = Key { name: "demanded", kid: "own", alg: "ES256" };

/// The sample bundle, in which writing a file takes a bound credential.
fn demanding() -> std::collections::BTreeMap<String, String> {
    let mut files = bundle();
    for (path, text) in &mut files {
        if path.starts_with("approval/request/") {
            *text = text.replacen(
                "@id(\"writing-a-file-needs-one\")\n",
                "@id(\"writing-a-file-needs-one\")\n@binding(\"required\")\n",
                1,
            );
        }
    }
    assert!(files.values().any(|text| text.contains("@binding(\"required\")")));
    files
}

async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path());
    let identities = Identities::parse(&file(folder.path(), "")).unwrap();
    let gate = TestGate::with(Setup { bundle: demanding(), identities, ..Setup::default() }).await;
    gate.clock.advance(1);
    World { gate, folder }
}

/// An agent behind the proxy, with a token that is bound to a key or to nothing.
struct Agent<'a> {
    world: &'a World,
    point: String,
    token: String,
    bound: bool,
    proofs: std::cell::Cell<u32>,
}

impl<'a> Agent<'a> {
    fn new(world: &'a World, point: &str, jti: &str, bound: bool) -> Self {
        let claims = world.access("report-writer", "weekly-report", "5f0c1e", jti);
        let claims = if bound { with(&claims, "cnf", json!({"jkt": OWN.thumbprint()})) } else { claims };
        let proofs = std::cell::Cell::new(0);
        Self { world, point: point.to_owned(), token: access_token(&claims), bound, proofs }
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        let client = &self.world.gate.client;
        let request = client.request(Method::POST, path).bearer_auth(&self.point);
        let mut request = request.header("proviso-subject-token", &self.token);
        if self.bound {
            self.proofs.set(self.proofs.get() + 1);
            let proof = json!({
                "htm": "POST", "htu": format!("{}{path}", client.url), "iat": self.world.now(),
                "jti": format!("{}-{}", Sha256::digest(&self.token)[0], self.proofs.get()),
                "ath": URL_SAFE_NO_PAD.encode(Sha256::digest(&self.token)),
            });
            request = request.header("proviso-subject-dpop", OWN.prove("dpop+jwt", &proof));
        }
        Client::send(request.json(body)).await
    }

    async fn evaluate(&self, call: &str) -> Value {
        let call = write_file("report-writer", "/srv/files/reports/a.md", call);
        self.post("/access/v1/evaluation", &call).await.json()
    }

    /// As the proxy sends it, without credentials: for what bodies hold.
    fn parties(&self) -> Parties {
        Parties { client: self.world.gate.client.clone(), point: self.point.clone(), agent: self.token.clone() }
    }
}

fn told(answer: &Value) -> (bool, &str, bool) {
    let context = &answer["context"];
    (answer["decision"] == true, context["reason"].as_str().unwrap_or_default(), context["access_request"].is_object())
}

#[tokio::test]
async fn only_a_bound_credential_asks_and_uses_where_the_terms_demand_it() {
    let world = world().await;
    let point = world.gate.point("proxy", &["files"]).await;
    let (bound, free) = (Agent::new(&world, &point, "j1", true), Agent::new(&world, &point, "j2", false));
    // Refused with a reason of its own, and nothing is offered.
    let answer = free.evaluate("c1").await;
    assert_eq!(told(&answer), (false, "binding_required", false), "{answer}");
    let denied = bound.evaluate("c2").await;
    assert_eq!(told(&denied), (false, "approval_required", true), "{denied}");
    // Nor does the same agent answer by a token that is bound to nothing what it was offered by one that is.
    let call = write_file("report-writer", "/srv/files/reports/a.md", "c2");
    let scope = inside(&denied["context"]["access_request"]["display"]["scope"], "/srv/files/reports", 3);
    let body = bound.parties().request_body(&call, &denied, Some(scope));
    let answer = free.post("/access/v1/requests", &body).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (403, "binding_required".to_owned()), "{answer:?}");
    let answer = bound.post("/access/v1/requests", &body).await.json();
    let id = answer["task"]["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    let mara = world.gate.person("mara").await;
    let detail = world.gate.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await.json();
    assert_eq!(detail["exception"]["terms"]["binding"], true, "it stands on the sheet: {detail}");
    assert_eq!(detail["exception"]["request"]["question"]["bound"], true);
    assert_eq!(bound.parties().vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    // At use, too.
    let answer = free.evaluate("c3").await;
    assert_eq!(told(&answer), (false, "binding_required", false), "{answer}");
    let answer = bound.evaluate("c4").await;
    assert_eq!((&answer["decision"], &answer["context"]["reason"]), (&json!(true), &json!("exception")), "{answer}");
    // The next token that is bound uses it as well: the grant is the agent's, and not that key's.
    let next = Agent::new(&world, &point, "j3", true);
    assert_eq!(next.evaluate("c5").await["decision"], true);
    // What scope permits takes no binding.
    let draft = write_file("report-writer", "/srv/files/drafts/a.md", "c6");
    assert_eq!(free.post("/access/v1/evaluation", &draft).await.json()["decision"], true);
    // A token of the gate's own is bound to nothing.
    let own = world.gate.agent("report-writer", "weekly-report", Some("ines")).await;
    let answer = world.gate.client.post_for("/access/v1/evaluation", &point, &own, &call).await.json();
    assert_eq!(told(&answer), (false, "binding_required", false), "{answer}");
}
