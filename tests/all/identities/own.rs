//! The gate's own tokens: a signature of its key and a row of its record, each of them and everything in them held alone.

use ed25519_dalek::SigningKey;
use proviso::app::Operator;
use proviso::identity::MintRequest;
use proviso_tests::{AGENTS, Client, Setup, Story, TestGate, copy_folder, write_file};
use reqwest::Method;
use serde_json::{Value, json};

use crate::own_tokens::{SECRET, part, public_id, secret_of, signed, stolen, twisted};

/// The keys that they are signed with.
const KEYS: &str = "credentials.json";

/// What the gate makes of a token that is shown alone: status and code.
async fn shown(client: &Client, token: &str) -> (u16, String) {
    let answer = Client::send(client.request(Method::GET, "/api/v1/whoami").bearer_auth(token)).await;
    let status = answer.status.as_u16();
    (status, if status == 200 { String::new() } else { answer.code() })
}

fn refused(code: &str) -> (u16, String) {
    (401, code.to_owned())
}

fn good() -> (u16, String) {
    (200, String::new())
}

/// An object with one member set, or taken out.
fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.clone();
    match value {
        Value::Null => drop(object.as_object_mut().unwrap().remove(name)),
        value => object[name] = value,
    }
    object
}

#[tokio::test]
async fn each_check_of_an_own_token_refuses_it_alone() {
    let story = Story::begin().await;
    let thief = stolen(story.gate.data(), KEYS);
    let (header, claims) = (part(&story.agent, 0), part(&story.agent, 1));
    assert_eq!((&header["typ"], &header["alg"]), (&json!("proviso-credential+jwt"), &json!("EdDSA")));
    let headed = |name: &str, value: Value| signed(&thief, &with(&header, name, value), &claims);
    let saying = |name: &str, value: Value| signed(&thief, &header, &with(&claims, name, value));
    let number = |name: &str| claims[name].as_i64().unwrap();
    let now = number("iat");
    let binding = stolen(story.gate.data(), "binding.json");
    let denied = story.evaluate(&write_file("report-writer", "/srv/files/reports/a.md", "c1")).await.json();
    let binding_token = denied["context"]["access_request"]["binding_token"].as_str().unwrap().to_owned();
    let position = story.gate.app.position();
    // The same words under the gate's own key are the same token: what is refused below is refused for what was changed.
    assert_eq!(shown(&story.client, &signed(&thief, &header, &claims)).await, good());
    let other_point = part(&story.point, 1);
    for (what, token, code) in [
        ("another signature", twisted(&story.agent), "token_signature"),
        ("another's signature", signed(&SigningKey::from_bytes(&[7; 32]), &header, &claims), "token_signature"),
        ("no signature", format!("{}.", story.agent.rsplit_once('.').unwrap().0), "token_signature"),
        ("the key of binding tokens", signed(&binding, &header, &claims), "token_signature"),
        (
            "that key, by its name",
            signed(&binding, &with(&header, "kid", part(&binding_token, 0)["kid"].clone()), &claims),
            "token_key",
        ),
        ("a key that nobody knows", headed("kid", json!("x".repeat(43))), "token_key"),
        ("no key", headed("kid", Value::Null), "token_key"),
        ("no algorithm", headed("alg", json!("none")), "token_algorithm"),
        ("a symmetric algorithm", headed("alg", json!("HS256")), "token_algorithm"),
        ("another algorithm", headed("alg", json!("ES256")), "token_algorithm"),
        ("a key that it brings", headed("jwk", json!({"kty": "OKP"})), "token_header"),
        ("an extension", headed("crit", json!(["exp"])), "token_header"),
        ("an SVID's type", headed("typ", json!("JWT")), "token_trust_domain"),
        ("an access token's type", headed("typ", json!("at+jwt")), "token_issuer"),
        ("a binding token's type", headed("typ", json!("arap-binding+jwt")), "token_type"),
        ("a binding token", binding_token, "token_type"),
        ("another issuer", saying("iss", json!("proviso.dev/gate/0000000000000000")), "token_issuer"),
        ("no issuer", saying("iss", Value::Null), "token_claim"),
        ("another subject", saying("sub", json!(format!("Agent::{AGENTS}close-planner"))), "unauthenticated"),
        ("no subject", saying("sub", Value::Null), "token_claim"),
        ("another audience", saying("aud", json!("https://other.example/mcp")), "token_audience"),
        ("the gate's address", saying("aud", json!(story.client.url)), "token_audience"),
        ("several audiences", saying("aud", json!([claims["aud"], "https://other.example"])), "token_claim"),
        ("a later end", saying("exp", json!(number("exp") + 1)), "unauthenticated"),
        ("an end that has been", saying("exp", json!(now - 1)), "token_expired"),
        ("no end", saying("exp", Value::Null), "token_claim"),
        ("an earlier beginning", saying("iat", json!(now - 1)), "unauthenticated"),
        ("a later beginning", saying("iat", json!(now + 120)), "token_not_yet"),
        ("not before then", saying("nbf", json!(now + 120)), "token_not_yet"),
        ("another's id", saying("jti", other_point["jti"].clone()), "unauthenticated"),
        ("no id", saying("jti", Value::Null), "token_claim"),
        ("a secret of one's own", saying(SECRET, json!("0".repeat(64))), "unauthenticated"),
        ("another's secret", saying(SECRET, other_point[SECRET].clone()), "unauthenticated"),
        ("no secret", saying(SECRET, Value::Null), "token_claim"),
        (
            "the form of an earlier release",
            format!("{}_{}", public_id(&story.agent), secret_of(&story.agent)),
            "token_not_signed",
        ),
    ] {
        assert_eq!(shown(&story.client, &token).await, refused(code), "{what}");
        // The same behind an enforcement point, and of the point's own.
        let call = write_file("report-writer", "/srv/files/drafts/a.md", "c1");
        let answer = story.client.post_for("/access/v1/evaluation", &story.point, &token, &call).await;
        assert_eq!((answer.status.as_u16(), answer.code()), refused(code), "{what}, behind a point");
        let answer = story.client.post_for("/access/v1/evaluation", &token, &story.agent, &call).await;
        assert_eq!((answer.status.as_u16(), answer.code()), refused(code), "{what}, as a point");
    }
    assert_eq!(story.gate.app.position(), position, "none of it is on record");
    assert_eq!(shown(&story.client, &story.agent).await, good());
    assert_eq!(shown(&story.client, &story.point).await, good());
}

#[tokio::test]
async fn neither_a_key_without_the_record_nor_a_record_without_the_key_opens_anything() {
    let folder = tempfile::tempdir().unwrap();
    let story = Story::begin().await;
    // The same gate's keys, and the record of before the next token: as whoever stole the keys of another time.
    let twin = folder.path().join("twin");
    copy_folder(story.gate.data(), &twin).unwrap();
    let later = story.gate.agent("report-writer", "later", Some("ines")).await;
    let setup = || Setup { clock: std::sync::Arc::clone(&story.gate.clock), ..Setup::default() };
    let twin = TestGate::open(setup(), &twin).await.unwrap();
    assert_eq!(shown(&twin.client, &story.agent).await, good(), "a token of before is on its record");
    assert_eq!(shown(&twin.client, &later).await, refused("unauthenticated"), "signed, and on no record of its");
    // The record, and another key: as whoever writes rows and has no key of that time.
    assert_eq!(shown(&story.client, &later).await, good());
    let by = Operator { uid: 4242, name: "tester".to_owned() };
    let revoke = async |token: &str| story.gate.app.revoke_token(&public_id(token), &by).await.unwrap();
    revoke(&later).await;
    assert_eq!(shown(&story.client, &later).await, refused("unauthenticated"), "signed as ever, and revoked");
    let resigned = signed(&stolen(story.gate.data(), KEYS), &part(&later, 0), &part(&later, 1));
    assert_eq!(shown(&story.client, &resigned).await, refused("unauthenticated"), "whoever signs it anew");
    // Another gate, with keys of its own.
    let other = TestGate::start().await;
    assert_eq!(shown(&other.client, &story.agent).await, refused("token_key"));
    let foreign =
        signed(&stolen(other.data(), KEYS), &part(&other.agent("a", "t", None).await, 0), &part(&story.agent, 1));
    assert_eq!(shown(&other.client, &foreign).await, refused("token_issuer"), "another gate's words under its key");
}

#[tokio::test]
async fn a_token_fits_wherever_tokens_go_and_says_what_it_is_for() {
    let gate = TestGate::start().await;
    let plain = gate.agent("report-writer", "weekly-report", Some("ines")).await;
    assert!(plain.len() < 1024 && plain.chars().all(|one| one.is_ascii_graphic()), "{}", plain.len());
    let claims = part(&plain, 1);
    assert_eq!(claims["sub"], json!(format!("Agent::{AGENTS}report-writer")));
    assert_eq!(claims["aud"], claims["iss"]);
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 86_400);
    let point = part(&gate.point("proxy", &["files"]).await, 1);
    assert_eq!((&point["sub"], &point["aud"]), (&json!("point:proxy"), &point["iss"]));
    let listed = gate.app.tokens();
    let end = |id: &Value| listed.iter().find(|line| json!(line.id) == *id).unwrap().expires_at.millis();
    for claims in [&claims, &point] {
        assert_eq!(end(&claims["jti"]), claims["exp"].as_i64().unwrap() * 1_000, "the list says the same end");
    }
    // The longest names that there are.
    let by = Operator { uid: 4242, name: "tester".to_owned() };
    let longest = MintRequest::Agent {
        subject: policy_core::entity::EntityRef::new("Agent", "\u{1f980}".repeat(256)),
        task: "t".repeat(256),
        via: Vec::new(),
        on_behalf: Some("ines".to_owned()),
        resource: None,
    };
    let longest = gate.app.mint(longest, &by).await.unwrap().secret;
    assert!(longest.len() < 8 * 1024, "{}", longest.len());
    assert_eq!(shown(&gate.client, &longest).await, good());
    // A token for a resource says so, and is none at the gate.
    let resource = "https://files.acme.example/mcp";
    let there = gate.agent_at(resource, "report-writer", "weekly-report", Some("ines")).await;
    assert_eq!(part(&there, 1)["aud"], resource);
    assert_eq!(shown(&gate.client, &there).await, refused("token_audience"));
    // No resource is called as the gate is: what is minted for it would be shown to the gate.
    let as_the_gate = MintRequest::Agent {
        subject: policy_core::entity::EntityRef::new("Agent", format!("{AGENTS}report-writer")),
        task: "weekly-report".to_owned(),
        via: Vec::new(),
        on_behalf: Some("ines".to_owned()),
        resource: claims["aud"].as_str().map(str::to_owned),
    };
    assert_eq!(gate.app.mint(as_the_gate, &by).await.unwrap_err().code, "bad_name");
}
