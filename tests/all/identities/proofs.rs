//! Tokens that are bound to a key (DPoP, RFC 9449): each check with a proof in which only that one is wrong.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proviso_tests::{Answer, Client, write_file};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Key, World, access_token, with};

/// The agent's own key, and somebody else's.
const OWN: Key = Key { name: "own", kid: "own", alg: "ES256" };
const THIEF: Key = Key { name: "thief", kid: "own", alg: "ES256" };

const PATH: &str = "/api/v1/whoami";

/// The claims of a proof for one request with this token.
fn proof(world: &World, token: &str, method: &str, path: &str, jti: &str) -> Value {
    json!({
        "htm": method, "htu": format!("{}{path}", world.gate.client.url), "iat": world.now(), "jti": jti,
        "ath": URL_SAFE_NO_PAD.encode(Sha256::digest(token)),
    })
}

fn bound(world: &World) -> String {
    let claims = world.access("report-writer", "weekly-report", "5f0c1e", "j1");
    access_token(&with(&claims, "cnf", json!({"jkt": OWN.thumbprint()})))
}

async fn shown(world: &World, scheme: &str, token: &str, proofs: &[&str]) -> Answer {
    let mut request = world.gate.client.request(Method::GET, PATH).header("authorization", format!("{scheme} {token}"));
    for proof in proofs {
        request = request.header("dpop", *proof);
    }
    Client::send(request).await
}

#[tokio::test]
async fn each_check_of_a_proof_refuses_it_alone() {
    let world = World::begin().await;
    let token = bound(&world);
    let good = |jti: &str| proof(&world, &token, "GET", PATH, jti);
    let own = |claims: &Value| OWN.prove("dpop+jwt", claims);
    let code = async |scheme: &str, proofs: &[&str]| {
        let answer = shown(&world, scheme, &token, proofs).await;
        (answer.status.as_u16(), answer.code())
    };
    let refused = (401, "token_binding".to_owned());
    let first = own(&good("p1"));
    assert_eq!(code("DPoP", &[&first]).await, (200, String::new()));
    assert_eq!(code("DPoP", &[&first]).await, refused, "the same proof again");
    assert_eq!(code("DPoP", &[&own(&with(&good("p1"), "iat", json!(world.now() - 1)))]).await, refused, "its id again");
    assert_eq!(code("Bearer", &[]).await, refused, "as if it were bound to nothing");
    assert_eq!(code("Bearer", &[&own(&good("p2"))]).await, refused, "in the other scheme");
    assert_eq!(code("DPoP", &[]).await, refused, "without a proof");
    let now = world.now();
    let changed = |name: &str, value: Value| own(&with(&good(&format!("p-{name}-{value}")), name, value));
    for (what, proof) in [
        ("another method", changed("htm", json!("POST"))),
        ("another address", changed("htu", json!(format!("{}/access/v1/evaluation", world.gate.client.url)))),
        ("another gate", changed("htu", json!(format!("https://elsewhere.example{PATH}")))),
        ("another token", changed("ath", json!(URL_SAFE_NO_PAD.encode(Sha256::digest("another"))))),
        ("no token", changed("ath", Value::Null)),
        ("no id", changed("jti", Value::Null)),
        ("too long an id", changed("jti", json!("x".repeat(257)))),
        ("no time", changed("iat", Value::Null)),
        ("too old", changed("iat", json!(now - 61))),
        ("too far ahead", changed("iat", json!(now + 61))),
        ("another key", THIEF.prove("dpop+jwt", &good("p3"))),
        ("another kind", OWN.prove("JWT", &good("p4"))),
        ("no key in it", OWN.sign(Some("dpop+jwt"), &good("p5"))),
        ("another key's signature", {
            THIEF.sign_with(&json!({"typ": "dpop+jwt", "jwk": OWN.public("sig")}), &good("p6"))
        }),
        ("a demanded extension", {
            OWN.sign_with(&json!({"typ": "dpop+jwt", "jwk": OWN.public("sig"), "crit": ["exp"]}), &good("p7"))
        }),
        ("no proof at all", "not-a-proof".to_owned()),
    ] {
        assert_eq!(code("DPoP", &[&proof]).await, refused, "{what}");
    }
    assert_eq!(code("DPoP", &[&own(&good("p8")), &own(&good("p9"))]).await, (400, "bad_header".to_owned()), "two");
    // The demand is told in the words of the standard.
    let answer = shown(&world, "DPoP", &token, &[]).await;
    let demands: Vec<_> = answer.headers.get_all("www-authenticate").iter().map(|one| one.to_str().unwrap()).collect();
    assert!(demands.iter().any(|demand| demand.starts_with("DPoP ") && demand.contains("algs=")), "{demands:?}");
    // A proof that was made before the gate began to remember may have been used: after a restart it is none.
    let world = world.again().await;
    let late = OWN.prove("dpop+jwt", &proof(&world, &token, "GET", PATH, "p10"));
    world.gate.clock.advance(1);
    assert_eq!(shown(&world, "DPoP", &token, &[&late]).await.code(), "token_binding");
    let fresh = OWN.prove("dpop+jwt", &proof(&world, &token, "GET", PATH, "p11"));
    assert_eq!(shown(&world, "DPoP", &token, &[&fresh]).await.status.as_u16(), 200);
}

#[tokio::test]
async fn an_entry_that_demands_binding_refuses_what_is_not_bound() {
    let world = World::with("bound = \"dpop\"").await;
    let claims = world.access("report-writer", "weekly-report", "5f0c1e", "j1");
    let refused = (401, "token_binding".to_owned());
    assert_eq!(world.code(&access_token(&claims)).await, refused);
    // What this gate cannot check is refused, also where nobody demands it.
    let free = World::begin().await;
    for cnf in [
        json!({"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}),
        json!({"jkt": OWN.thumbprint(), "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}),
        json!({"jwk": OWN.public("sig")}),
        json!("own"),
        json!({}),
    ] {
        let claims = free.access("report-writer", "weekly-report", "5f0c1e", "j1");
        assert_eq!(free.code(&access_token(&with(&claims, "cnf", cnf.clone()))).await, refused, "{cnf}");
    }
    let token = bound(&world);
    let shown =
        shown(&world, "DPoP", &token, &[&OWN.prove("dpop+jwt", &proof(&world, &token, "GET", PATH, "p1"))]).await;
    assert_eq!(shown.status.as_u16(), 200, "{shown:?}");
}

#[tokio::test]
async fn behind_an_enforcement_point_the_agents_proof_comes_with_its_token() {
    let world = World::begin().await;
    let point = world.gate.point("proxy", &["files"]).await;
    let token = bound(&world);
    let call = write_file("report-writer", "/srv/files/drafts/a.md", "c1");
    let path = "/access/v1/evaluation";
    let asked = async |proof: Option<String>| {
        let request = world.gate.client.request(Method::POST, path).bearer_auth(&point);
        let mut request = request.header("proviso-subject-token", &token).json(&call);
        if let Some(proof) = proof {
            request = request.header("proviso-subject-dpop", proof);
        }
        Client::send(request).await
    };
    assert_eq!(asked(None).await.code(), "token_binding");
    let for_another = OWN.prove("dpop+jwt", &proof(&world, &token, "POST", "/access/v1/evaluations", "p1"));
    assert_eq!(asked(Some(for_another)).await.code(), "token_binding");
    let good = OWN.prove("dpop+jwt", &proof(&world, &token, "POST", path, "p2"));
    assert_eq!(asked(Some(good.clone())).await.json()["decision"], true);
    assert_eq!(asked(Some(good)).await.code(), "token_binding", "once");
}
