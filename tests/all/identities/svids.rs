//! JWT-SVIDs: each check with a token in which only that one is wrong.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::minter::weak;
use super::{AGENTS, AUDIENCE, FORGER, LOGIN, LOGIN_ISS, MESH, World, with};

#[tokio::test]
async fn an_svid_is_who_it_names_in_the_task_that_it_names() {
    let world = World::begin().await;
    for typ in [None, Some("JWT"), Some("JOSE")] {
        let answer = world.who(&MESH.sign(typ, &world.svid("report-writer", "weekly-report"))).await.json();
        assert_eq!(answer["subject"]["id"], format!("{AGENTS}report-writer"), "{answer}");
        assert_eq!((&answer["caller"], &answer["task"]), (&json!("agent"), &json!("weekly-report")), "{answer}");
    }
}

#[tokio::test]
async fn each_check_of_an_svid_refuses_it_alone() {
    let world = World::begin().await;
    let now = world.now();
    let good = world.svid("report-writer", "weekly-report");
    let changed = |name: &str, value: Value| MESH.sign(None, &with(&good, name, value));
    let header = |more: Value| MESH.sign_with(&more, &good);
    let signed = MESH.sign(None, &good);
    let (body, signature) = signed.rsplit_once('.').unwrap();
    let other_payload = {
        let (head, _) = body.split_once('.').unwrap();
        let claims = with(&good, "txn", json!("another-task"));
        format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode(claims.to_string()))
    };
    let public = URL_SAFE.encode(MESH.public("jwt-svid")["x"].as_str().unwrap());
    assert_eq!(world.code(&signed).await, (200, String::new()));
    for (what, token, code) in [
        ("signature of another key", FORGER.sign(None, &good), "token_signature"),
        ("signature of another payload", other_payload, "token_signature"),
        ("no signature", format!("{body}."), "token_signature"),
        ("a key that nobody has", header(json!({"kid": "mesh-2"})), "token_key"),
        ("no key id", header(json!({"kid": ""})), "token_key"),
        ("another issuer's key", header(json!({"kid": LOGIN.kid})), "token_key"),
        ("no algorithm", weak("none", MESH.kid, None, &good), "token_algorithm"),
        ("a shared secret", weak("HS256", MESH.kid, Some(&public), &good), "token_algorithm"),
        ("an algorithm not listed", LOGIN.sign_with(&json!({"kid": MESH.kid, "typ": null}), &good), "token_algorithm"),
        ("an unknown kind", header(json!({"typ": "wit+jwt"})), "token_type"),
        ("an access token's kind", header(json!({"typ": "at+jwt"})), "token_claim"),
        ("a demanded extension", header(json!({"crit": ["exp"]})), "token_header"),
        ("a key's address", header(json!({"jku": "https://evil.example/keys"})), "token_header"),
        ("a key of its own", header(json!({"jwk": FORGER.public("jwt-svid")})), "token_header"),
        ("a certificate's address", header(json!({"x5u": "https://evil.example/x"})), "token_header"),
        ("another audience", changed("aud", json!(["https://elsewhere.example"])), "token_audience"),
        ("a longer audience", changed("aud", json!(format!("{AUDIENCE}/"))), "token_audience"),
        ("no audience", changed("aud", Value::Null), "token_claim"),
        ("no end", changed("exp", Value::Null), "token_claim"),
        ("an end in words", changed("exp", json!("tomorrow")), "token_claim"),
        ("an end that is now", changed("exp", json!(now)), "token_expired"),
        ("a beginning too far ahead", changed("nbf", json!(now + 62)), "token_not_yet"),
        ("issued too far ahead", changed("iat", json!(now + 62)), "token_not_yet"),
        ("too long a life", changed("exp", json!(now + 3_601)), "token_too_long"),
        (
            "too long a life, issued unsaid",
            { MESH.sign(None, &with(&with(&good, "iat", Value::Null), "exp", json!(now + 3_662))) },
            "token_too_long",
        ),
        ("another trust domain", changed("sub", json!("spiffe://evil.example/agent/report-writer")), "token_issuer"),
        (
            "a longer trust domain",
            { changed("sub", json!("spiffe://acme.example.evil.example/agent/report-writer")) },
            "token_issuer",
        ),
        ("no SPIFFE ID", changed("sub", json!("report-writer")), "token_trust_domain"),
        ("a path that climbs", changed("sub", json!(format!("{AGENTS}../report-writer"))), "token_trust_domain"),
        ("capitals in the trust domain", changed("sub", json!("spiffe://ACME.example/agent/x")), "token_trust_domain"),
        ("no subject", changed("sub", Value::Null), "token_claim"),
        ("a task that is no text", changed("txn", json!(["weekly-report"])), "token_claim"),
        ("bytes behind it", format!("{signed}x"), "token_malformed"),
        ("too long", changed("padding", json!("x".repeat(8_200))), "token_malformed"),
    ] {
        let expected = if what == "bytes behind it" { vec!["token_malformed", "token_signature"] } else { vec![code] };
        let (status, code) = world.code(&token).await;
        let status_fits = status == 401 || (what == "too long" && status == 400 && code == "bad_header");
        assert!(status_fits && (expected.contains(&code.as_str()) || code == "bad_header"), "{what}: {status} {code}");
    }
    // What the bundle or the record does not admit is refused as who is known, and may not.
    for (what, token, code) in [
        ("a workload that nobody maps", changed("sub", json!("spiffe://acme.example/job/x")), "subject_not_mapped"),
        ("no task", changed("txn", Value::Null), "task_missing"),
        ("a task with spaces", changed("txn", json!("weekly report")), "bad_name"),
    ] {
        assert_eq!(world.code(&token).await, (403, code.to_owned()), "{what}");
    }
    // At the edge of what is allowed it is good.
    for (name, value) in [("nbf", now + 60), ("iat", now + 60), ("exp", now + 3_600), ("exp", now + 1)] {
        assert_eq!(world.code(&changed(name, json!(value))).await.0, 200, "{name} {value}");
    }
}

#[tokio::test]
async fn a_token_of_the_login_is_no_svid_and_an_svid_no_access_token() {
    let world = World::begin().await;
    let access = world.access("report-writer", "weekly-report", "5f0c1e", "j1");
    for (typ, code) in [(None, "token_type"), (Some("JWT"), "token_type"), (Some("dpop+jwt"), "token_type")] {
        assert_eq!(world.code(&LOGIN.sign(typ, &access)).await, (401, code.to_owned()), "{typ:?}");
    }
    // The mesh's key signs for the mesh alone, whatever the token says of its issuer.
    let forged = MESH.sign(Some("at+jwt"), &access);
    assert_eq!(world.code(&forged).await, (401, "token_algorithm".to_owned()));
    let svid = with(&world.svid("report-writer", "weekly-report"), "iss", json!(LOGIN_ISS));
    assert_eq!(world.code(&MESH.sign(None, &svid)).await.0, 200, "a trust domain's `iss` is not what it goes by");
}
