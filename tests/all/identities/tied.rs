//! Tokens that are bound to a client's certificate (RFC 8705): good over connections of whoever has that one, and nowhere
//! else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proviso_tests::{AGENTS, Client, write_file};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Key;
use super::authority::{Authority, GATEWAY, Leaf, Mesh};

const OWN: Key = Key { name: "tied", kid: "own", alg: "ES256" };

fn cnf(leaf: &Leaf) -> Value {
    json!({"x5t#S256": leaf.thumbprint()})
}

/// What the gate makes of a token over a connection with this certificate, or with none.
async fn code(mesh: &Mesh, leaf: Option<&Leaf>, scheme: &str, token: &str) -> (u16, String) {
    let request = mesh.client(leaf).request(Method::GET, "/api/v1/whoami");
    let answer = Client::send(request.header("authorization", format!("{scheme} {token}"))).await;
    (answer.status.as_u16(), answer.code())
}

fn refused() -> (u16, String) {
    (401, "token_binding".to_owned())
}

#[tokio::test]
async fn a_token_is_good_over_the_connection_of_its_certificate_and_over_no_other() {
    let mesh = Mesh::begin().await;
    let id = format!("{AGENTS}report-writer");
    let (own, other) =
        (mesh.authority.leaf(mesh.now(), &[&id], |_| {}), mesh.authority.leaf(mesh.now(), &[&id], |_| {}));
    let token = mesh.token("report-writer", "j1", Some(cnf(&own)));
    assert_eq!(code(&mesh, Some(&own), "Bearer", &token).await, (200, String::new()));
    for (what, leaf, scheme) in [
        ("another certificate of the same workload", Some(&other), "Bearer"),
        ("none", None, "Bearer"),
        ("the other scheme", Some(&own), "DPoP"),
    ] {
        assert_eq!(code(&mesh, leaf, scheme, &token).await, refused(), "{what}");
    }
    // Whose authority it is, is the token's issuer's to know: it says which certificate, and so it is.
    let strange = Authority::new().leaf(mesh.now(), &["spiffe://elsewhere.example/x"], |_| {});
    let token = mesh.token("report-writer", "j2", Some(cnf(&strange)));
    assert_eq!(code(&mesh, Some(&strange), "Bearer", &token).await, (200, String::new()));
    // A certificate beside a token that is bound to nothing changes nothing.
    let free = mesh.token("report-writer", "j3", None);
    assert_eq!(code(&mesh, Some(&other), "Bearer", &free).await, (200, String::new()));
    for cnf in [json!({"x5t#S256": ""}), json!({"x5t#S256": 7}), json!({"x5t#S256": own.thumbprint(), "jkt": "x"})] {
        let token = mesh.token("report-writer", "j4", Some(cnf.clone()));
        assert_eq!(code(&mesh, Some(&own), "Bearer", &token).await, refused(), "{cnf}");
    }
}

#[tokio::test]
async fn an_agent_s_certificate_is_not_that_of_the_point_before_it() {
    let mesh = Mesh::begin().await;
    let point = mesh.authority.leaf(mesh.now(), &[GATEWAY], |_| {});
    let token = mesh.token("report-writer", "j1", Some(cnf(&point)));
    let call = write_file("report-writer", "/srv/files/drafts/a.md", "c1");
    let request = mesh.client(Some(&point)).request(Method::POST, "/access/v1/evaluation");
    let answer = Client::send(request.header("proviso-subject-token", &token).json(&call)).await;
    assert_eq!(answer.code(), "token_binding", "the connection is the point's: nobody has shown the agent's key");
}

#[tokio::test]
async fn an_entry_that_demands_a_binding_takes_that_one_alone() {
    for (demanded, bearer, by_key, by_certificate) in
        [("mtls", 401, 401, 200), ("dpop", 401, 200, 401), ("any", 401, 200, 200)]
    {
        let mesh = Mesh::with(&format!("bound = \"{demanded}\"")).await;
        // A proof of the second in which the gate began is none.
        mesh.gate.clock.advance(1);
        let own = mesh.authority.leaf(mesh.now(), &[&format!("{AGENTS}report-writer")], |_| {});
        let token = mesh.token("report-writer", "j1", None);
        assert_eq!(code(&mesh, Some(&own), "Bearer", &token).await.0, bearer, "{demanded}: bound to nothing");
        let token = mesh.token("report-writer", "j2", Some(cnf(&own)));
        assert_eq!(code(&mesh, Some(&own), "Bearer", &token).await.0, by_certificate, "{demanded}: a certificate");
        let token = mesh.token("report-writer", "j3", Some(json!({"jkt": OWN.thumbprint()})));
        let client = mesh.client(None);
        let proof = OWN.prove(
            "dpop+jwt",
            &json!({
                "htm": "GET", "htu": format!("{}/api/v1/whoami", client.url), "iat": mesh.now(), "jti": "p1",
                "ath": URL_SAFE_NO_PAD.encode(Sha256::digest(&token)),
            }),
        );
        let request = client.request(Method::GET, "/api/v1/whoami").header("authorization", format!("DPoP {token}"));
        let answer = Client::send(request.header("dpop", proof)).await;
        assert_eq!(answer.status.as_u16(), by_key, "{demanded}: a key {answer:?}");
    }
}
