//! JWT access tokens (RFC 9068): each check with a token in which only that one is wrong, and two issuers apart.

use serde_json::{Value, json};

use super::{AGENTS, AUDIENCE, LOGIN, LOGIN_ISS, MESH, OTHER, OTHER_ISS, World, access_token, with};

#[tokio::test]
async fn each_check_of_an_access_token_refuses_it_alone() {
    let world = World::begin().await;
    let good = world.access("report-writer", "weekly-report", "5f0c1e", "j1");
    let changed = |name: &str, value: Value| access_token(&with(&good, name, value));
    let act = |act: Value| changed("act", act);
    assert_eq!(world.code(&access_token(&good)).await, (200, String::new()));
    let listed = super::Key { alg: "PS256", ..LOGIN }.sign(Some("application/at+jwt"), &good);
    assert_eq!(world.code(&listed).await.0, 200, "any algorithm of the issuer's entry that the key can do");
    for (what, token, code) in [
        ("another key", OTHER.sign(Some("at+jwt"), &good), "token_signature"),
        ("a hash with the key", super::Key { alg: "RS384", ..LOGIN }.sign(Some("at+jwt"), &good), "token_algorithm"),
        ("no issuer", changed("iss", Value::Null), "token_claim"),
        ("an unknown issuer", changed("iss", json!("https://evil.example")), "token_issuer"),
        ("a longer issuer", changed("iss", json!(format!("{LOGIN_ISS}/"))), "token_issuer"),
        ("no audience", changed("aud", Value::Null), "token_claim"),
        ("another audience", changed("aud", json!("https://elsewhere.example")), "token_audience"),
        ("an audience that is no text", changed("aud", json!([AUDIENCE, 7])), "token_audience"),
        ("no client", changed("client_id", Value::Null), "token_claim"),
        ("no id", changed("jti", Value::Null), "token_claim"),
        ("no issue time", changed("iat", Value::Null), "token_claim"),
        ("no end", changed("exp", Value::Null), "token_claim"),
        ("over", changed("exp", json!(world.now())), "token_expired"),
        ("not begun", changed("nbf", json!(world.now() + 61)), "token_not_yet"),
        ("too long a life", changed("iat", json!(world.now() - 3_301)), "token_too_long"),
        ("no subject", changed("sub", Value::Null), "token_claim"),
        ("an actor without a name", act(json!({"iss": "spiffe://acme.example"})), "token_chain"),
        ("an actor in words", act(json!("report-writer")), "token_chain"),
        (
            "an actor of an issuer it may not name",
            { act(json!({"iss": OTHER_ISS, "sub": "agent|report-writer"})) },
            "token_chain",
        ),
        (
            "an actor of another trust domain",
            { act(json!({"iss": "spiffe://acme.example", "sub": "spiffe://evil.example/agent/report-writer"})) },
            "token_chain",
        ),
        ("an actor who calls itself a client", act(json!({"sub": "client_id:app-1"})), "token_claim"),
    ] {
        assert_eq!(world.code(&token).await, (401, code.to_owned()), "{what}");
    }
    for (what, token, code) in [
        ("a person alone", changed("act", Value::Null), "not_a_workload"),
        ("a person who acts", act(json!({"sub": "77aa01"})), "not_a_workload"),
        ("a person whom the bundle does not know", changed("sub", json!("gone")), "unknown_person"),
        ("a subject that nobody maps", changed("sub", json!("5f0c1e0")), "subject_not_mapped"),
        ("an actor that nobody maps", act(json!({"sub": "robot"})), "subject_not_mapped"),
        ("no task", changed("txn", Value::Null), "task_missing"),
    ] {
        assert_eq!(world.code(&token).await, (403, code.to_owned()), "{what}");
    }
}

#[tokio::test]
async fn two_issuers_with_the_same_subject_key_id_and_jti_are_two() {
    let world = World::begin().await;
    let claims = |iss: &str| {
        json!({
            "iss": iss, "sub": "agent|report-writer", "aud": AUDIENCE, "exp": world.now() + 300, "iat": world.now(),
            "jti": "same", "client_id": "c", "txn": "weekly-report",
        })
    };
    let (ours, theirs) =
        (LOGIN.sign(Some("at+jwt"), &claims(LOGIN_ISS)), OTHER.sign(Some("at+jwt"), &claims(OTHER_ISS)));
    let id = async |token: &str| world.who(token).await.json()["subject"]["id"].clone();
    assert_eq!(id(&ours).await, format!("{AGENTS}report-writer"), "as the bundle says of this issuer");
    assert_eq!(id(&theirs).await, "other-report-writer", "as it says of the other");
    // The key of one signs nothing for the other, though both call it the same.
    for forged in [OTHER.sign(Some("at+jwt"), &claims(LOGIN_ISS)), LOGIN.sign(Some("at+jwt"), &claims(OTHER_ISS))] {
        assert_eq!(world.code(&forged).await, (401, "token_signature".to_owned()));
    }
    // Ending the one's token, or its subject, is nothing to the other.
    let operator = super::ended::operator();
    world.gate.app.end_foreign(LOGIN_ISS, None, Some("same"), &operator).await.unwrap();
    assert_eq!(world.code(&ours).await, (401, "credential_ended".to_owned()));
    world.gate.app.end_foreign(LOGIN_ISS, Some("agent|report-writer"), None, &operator).await.unwrap();
    assert_eq!(world.code(&theirs).await.0, 200);
}

#[tokio::test]
async fn a_client_acts_for_its_subject_where_the_entry_says_so() {
    let world = World::with("actor = \"client_id\"").await;
    let claims = with(&world.access("x", "weekly-report", "5f0c1e", "j1"), "act", Value::Null);
    let claims = with(&claims, "client_id", json!("app-report-writer"));
    let answer = world.who(&access_token(&claims)).await.json();
    assert_eq!(answer["subject"]["id"], format!("{AGENTS}report-writer"), "{answer}");
    // A subject that is called like a client is none.
    let posing = with(&claims, "sub", json!("client_id:app-report-writer"));
    assert_eq!(world.code(&access_token(&posing)).await, (401, "token_claim".to_owned()));
    // `act` says more than the client's id, and is what counts.
    let acted = with(&claims, "act", json!({"iss": "spiffe://acme.example", "sub": format!("{AGENTS}ledger-bot")}));
    assert_eq!(world.who(&access_token(&acted)).await.json()["subject"]["id"], format!("{AGENTS}ledger-bot"));
    // The mesh has its own way, and no entry of it says otherwise.
    assert_eq!(world.code(&MESH.sign(None, &world.svid("report-writer", "weekly-report"))).await.0, 200);
}
