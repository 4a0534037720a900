//! ARAP's binding token: what it proves, and that nothing else does.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, Mac as _};
use policy_core::digest::Digest;
use proviso::app::Operator;
use proviso_tests::{Story, write_file};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{refusal, refused, sizes};

const PATH: &str = "/srv/files/reports/a.md";

/// A request that names its denial by the token alone.
async fn by_token(story: &Story) -> Value {
    let call = write_file("report-writer", PATH, "c1");
    let denied = story.evaluate(&call).await.json();
    let mut body = story.request_body(&call, &denied, None);
    body["denial"] = json!({
        "expires_at": denied["context"]["access_request"]["expires_at"],
        "binding_token": denied["context"]["access_request"]["binding_token"],
    });
    assert!(body["denial"]["binding_token"].is_string(), "{denied:#}");
    body
}

pub(super) fn part(token: &str, index: usize) -> Value {
    let text = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

pub(super) fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).unwrap())
}

/// The gate's own signing key, as a thief of its disk would hold it.
pub(super) fn stolen(story: &Story) -> SigningKey {
    let file = std::fs::read_to_string(story.gate.data().join("keys/binding.json")).unwrap();
    let kept: Value = serde_json::from_str(&file).unwrap();
    let secret = kept["keys"].as_array().unwrap().last().unwrap()["d"].as_str().unwrap().to_owned();
    SigningKey::from_bytes(&URL_SAFE_NO_PAD.decode(secret).unwrap().try_into().unwrap())
}

pub(super) fn signed(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let text = format!("{}.{}", encoded(header), encoded(claims));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(text.as_bytes()).to_bytes());
    format!("{text}.{signature}")
}

pub(super) async fn rotate(story: &Story) -> String {
    let by = Operator { uid: 4242, name: "tester".to_owned() };
    story.gate.app.rotate_keys(&by, "a laptop was lost").await.unwrap()
}

#[tokio::test]
async fn a_token_says_what_was_refused_and_is_enough_to_ask() {
    proviso_tests::clauses!(
        "arap-4-a",
        "arap-4-b",
        "arap-7-e",
        "arap-7-h",
        "arap-7-i",
        "arap-7-j",
        "arap-10.1-n",
        "arap-10.1-q",
        "arap-10.2-a",
        "arap-10.2-d",
        "arap-10.2-f",
        "arap-10.2-g",
        "arap-17-a",
        "arap-17-b",
        "arap-17-d",
        "arap-17-e",
        "arap-18-e",
        "arap-18-j",
        "arap-21.1.4-a",
        "arap-21.1.4-b",
        "arap-21.1.4-d",
        "arap-21.1.4-l"
    );
    let story = Story::begin().await;
    let body = by_token(&story).await;
    let token = body["denial"]["binding_token"].as_str().unwrap();
    let (header, claims) = (part(token, 0), part(token, 1));
    let url = &story.gate.client.url;
    assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("arap-binding+jwt")));
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(url), &json!([format!("{url}/access/v1/requests")])));
    assert_eq!(claims["denial_expires_at"], body["denial"]["expires_at"]);
    assert_eq!(claims["jti"], claims["evaluation_id"]);
    let (issued, expires) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
    assert!(issued < expires && expires <= issued + 15 * 60, "{claims}");
    // ARAP's construction, by hand.
    let members = claims["binding_context_members"].as_array().unwrap();
    assert_eq!(*members, [json!("input"), json!("proviso.dev/server")]);
    let mut context = body["context"].clone();
    context.as_object_mut().unwrap().retain(|name, _| members.contains(&json!(name)));
    let bound =
        json!({"subject": body["subject"], "resource": body["resource"], "action": body["action"], "context": context});
    let hash = Digest::of(&policy_core::json::to_canonical_bytes(&bound).unwrap());
    assert_eq!(claims["binding_hash"], URL_SAFE_NO_PAD.encode(hash.as_bytes()));
    // The key is published under the header's id.
    let keys = story.gate.client.get("/access/v1/jwks", None).await.json();
    let published = &keys["keys"][0];
    assert_eq!(
        (&published["kid"], &published["kty"], &published["crv"]),
        (&header["kid"], &json!("OKP"), &json!("Ed25519"))
    );
    assert_eq!(published["x"], URL_SAFE_NO_PAD.encode(stolen(&story).verifying_key().as_bytes()));
    assert_eq!(published["d"], Value::Null);
    let answer = story.request(&body).await;
    assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
    let task = &answer.json()["task"];
    assert_eq!(answer.header("location"), task["status_endpoint"]);
}

#[tokio::test]
async fn only_the_gates_own_unaltered_token_counts() {
    proviso_tests::clauses!(
        "arap-4-c",
        "arap-10.1-g",
        "arap-10.1-r",
        "arap-14-a",
        "arap-14-b",
        "arap-18-c",
        "arap-18-d",
        "arap-18-e",
        "arap-18-h",
        "arap-18-i",
        "arap-21.1.4-c",
        "arap-21.1.4-g",
        "arap-21.1.4-i",
        "arap-21.1.4-l",
        "arap-21.1.4-h",
        "arap-21.1.4-k"
    );
    let story = Story::begin().await;
    let body = by_token(&story).await;
    let token = body["denial"]["binding_token"].as_str().unwrap();
    let (header, claims) = (part(token, 0), part(token, 1));
    let key = stolen(&story);
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims
    };
    let headed = |name: &str, value: Value| {
        let mut header = header.clone();
        header[name] = value;
        header
    };
    let [head, _, tail] = token.split('.').collect::<Vec<_>>()[..] else { panic!() };
    let unsigned = |header: &Value| format!("{}.{}.", encoded(header), encoded(&claims));
    let hmac = {
        let header = headed("alg", json!("HS256"));
        let text = format!("{}.{}", encoded(&header), encoded(&claims));
        let mut mac = Hmac::<Sha256>::new_from_slice(key.verifying_key().as_bytes()).unwrap();
        mac.update(text.as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    };
    let stranger = SigningKey::from_bytes(&[7; 32]);
    let other = Story::begin().await;
    let elsewhere = by_token(&other).await["denial"]["binding_token"].as_str().unwrap().to_owned();
    let until = claims["exp"].as_i64().unwrap();
    let forged = [
        ("an altered member", format!("{head}.{}.{tail}", encoded(&with("binding_hash", json!("AAAA"))))),
        ("cut", token.split_at(token.len() - 1).0.to_owned()),
        ("no algorithm", unsigned(&headed("alg", json!("none")))),
        ("no signature", unsigned(&header)),
        ("the public key as a shared secret", hmac),
        ("another key", signed(&stranger, &header, &claims)),
        ("a key that nobody knows", signed(&key, &headed("kid", json!("other")), &claims)),
        ("another kind of token", signed(&key, &headed("typ", json!("JWT")), &claims)),
        ("for another service", signed(&key, &header, &with("aud", json!(["https://elsewhere.example"])))),
        ("for nobody", signed(&key, &header, &with("aud", json!([])))),
        ("of another issuer", signed(&key, &header, &with("iss", json!("https://elsewhere.example")))),
        ("another gate's", elsewhere),
        ("another hash", signed(&key, &header, &with("binding_hash", json!(URL_SAFE_NO_PAD.encode([1; 32]))))),
        ("fewer members", signed(&key, &header, &with("binding_context_members", json!(["input"])))),
        ("a longer life", signed(&key, &header, &with("exp", json!(until + 3_600)))),
        (
            "another denial",
            signed(&key, &header, &with("evaluation_id", json!("eval_00000000000000000000000000000000"))),
        ),
        ("nothing", String::new()),
        ("much", "x".repeat(20_000)),
    ];
    let before = sizes(&story);
    for (what, token) in forged {
        let mut body = body.clone();
        body["denial"]["binding_token"] = json!(token);
        let answer = story.request(&body).await;
        assert_eq!(refusal(&answer), refused(400, "invalid_denial_binding"), "{what}");
        let kind = "urn:openid:authzen:access-request:error:invalid_denial_binding";
        assert_eq!(answer.json()["type"], kind);
    }
    let mut nothing = body.clone();
    nothing["denial"].as_object_mut().unwrap().remove("binding_token");
    assert_eq!(refusal(&story.request(&nothing).await), refused(400, "invalid_denial_binding"));
    // The token of one denial with the id of another.
    let second = story.evaluate(&write_file("report-writer", PATH, "c2")).await.json();
    let mut mixed = body.clone();
    mixed["denial"]["evaluation_id"] = second["context"]["evaluation_id"].clone();
    assert_eq!(refusal(&story.request(&mixed).await), refused(400, "invalid_denial_binding"));
    // What the token binds, altered in the request; and the token in other hands.
    for (pointer, value) in
        [("/context/input/path", json!("/srv/files/reports/b.md")), ("/resource/id", json!("other"))]
    {
        let mut body = body.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        assert_eq!(refusal(&story.request(&body).await), refused(400, "invalid_denial_binding"), "{pointer}");
    }
    let planner = story.gate.agent("close-planner", "weekly-report", Some("jun")).await;
    let other_task = story.gate.agent("report-writer", "another-task", Some("ines")).await;
    let other_point = story.gate.point("other-proxy", &["files", "ledger"]).await;
    for (point, agent, expected) in [
        (&story.point, &planner, refused(403, "not_for_another")),
        (&story.point, &other_task, refused(400, "invalid_denial_binding")),
        (&other_point, &story.agent, refused(400, "invalid_denial_binding")),
    ] {
        let answer = story.gate.client.post_for("/access/v1/requests", point, agent, &body).await;
        assert_eq!(refusal(&answer), expected);
    }
    // Two agents and an enforcement point were minted meanwhile, and nothing else was written.
    assert_eq!(sizes(&story)[0], before[0] + 3);
    assert_eq!(story.request(&body).await.status.as_u16(), 201, "the true one is taken");
}

#[tokio::test]
async fn a_token_expires_and_is_spent_by_one_request() {
    proviso_tests::clauses!(
        "arap-7-f",
        "arap-10.1-m",
        "arap-18-g",
        "arap-21.1.4-f",
        "arap-21.1.4-j",
        "c4-2-replayed-request"
    );
    let story = Story::begin().await;
    let body = by_token(&story).await;
    let first = story.request(&body).await;
    assert_eq!(first.status.as_u16(), 201, "{first:?}");
    // A lost reply: the same message is told the same task. Another message is another request, and the token is spent.
    assert_eq!(story.request(&body).await.json()["task"]["id"], first.json()["task"]["id"]);
    let mut again = body.clone();
    again["context"]["business_justification"] = json!("once more");
    assert_eq!(refusal(&story.request(&again).await), refused(400, "invalid_denial_binding"));
    let mut by_id = again.clone();
    let token = body["denial"]["binding_token"].as_str().unwrap();
    by_id["denial"] = json!({"evaluation_id": part(token, 1)["jti"], "expires_at": body["denial"]["expires_at"]});
    assert_eq!(refusal(&story.request(&by_id).await), refused(400, "invalid_denial_binding"));

    let late = by_token(&story).await;
    story.gate.clock.advance(15 * 60);
    let answer = story.request(&late).await;
    assert_eq!(refusal(&answer), refused(410, "expired_denial"), "{answer:?}");
}

#[tokio::test]
async fn a_rotated_key_verifies_until_nothing_it_signed_is_valid() {
    let story = Story::begin().await;
    let thief = stolen(&story);
    let early = by_token(&story).await;
    let token = early["denial"]["binding_token"].as_str().unwrap().to_owned();
    let (header, claims) = (part(&token, 0), part(&token, 1));
    story.gate.clock.advance(60);
    let kid = rotate(&story).await;
    let kids = async || -> Vec<String> {
        let keys = story.gate.client.get("/access/v1/jwks", None).await.json();
        keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kids().await, [header["kid"].as_str().unwrap(), kid.as_str()]);
    assert_eq!(story.request(&early).await.status.as_u16(), 201, "signed before the rotation");

    // A new denial is signed by the new key; the old one, stolen, signs nothing for it any more.
    let late = by_token(&story).await;
    let fresh = part(late["denial"]["binding_token"].as_str().unwrap(), 0);
    assert_eq!(fresh["kid"], kid);
    let mut forged = part(late["denial"]["binding_token"].as_str().unwrap(), 1);
    forged["iat"] = json!(forged["iat"].as_i64().unwrap() + 1);
    let mut body = late.clone();
    body["denial"]["binding_token"] = json!(signed(&thief, &header, &forged));
    assert_eq!(refusal(&story.request(&body).await), refused(400, "invalid_denial_binding"));

    story.gate.clock.advance(15 * 60 + 61);
    assert_eq!(kids().await, [kid.as_str()]);
    let late = by_token(&story).await;
    let mut claims = claims;
    let own = part(late["denial"]["binding_token"].as_str().unwrap(), 1);
    for name in ["jti", "evaluation_id", "denial_expires_at", "exp", "iat"] {
        claims[name] = own[name].clone();
    }
    let mut body = late.clone();
    body["denial"]["binding_token"] = json!(signed(&thief, &header, &claims));
    assert_eq!(refusal(&story.request(&body).await), refused(400, "invalid_denial_binding"));
    assert_eq!(story.request(&late).await.status.as_u16(), 201);
    // The old secret is gone from the disk.
    let file = std::fs::read_to_string(story.gate.data().join("keys/binding.json")).unwrap();
    assert!(!file.contains(&URL_SAFE_NO_PAD.encode(thief.to_bytes())));
}
