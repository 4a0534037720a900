//! A provider of our own on loopback. It does all that the protocol asks of one, but for the one thing that a test wants
//! wrong. Its signatures are another library's than those that the gate checks them with.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as B64};
use futures::future::BoxFuture;
use hmac::{Hmac, Mac as _};
use proviso::clock::Clock as _;
use proviso_tests::TestClock;
use reqwest::Url;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) const CLIENT: &str = "proviso-gate";
pub(crate) const SECRET: &str = "a-secret-of-client-and-provider";

/// What the provider does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Twist {
    #[default]
    Nothing,
    /// One bit of the signature is another.
    Signature,
    /// Signed by a key that it does not publish.
    UnknownKey,
    /// Signed by another key under a published one's id.
    SwappedKey,
    /// Not signed.
    Unsigned,
    /// Signed by HMAC with the public key for a secret.
    PublicKeyAsSecret,
    /// Signed by HMAC with the client's secret.
    ClientSecret,
    Issuer,
    Audience,
    /// For us and for somebody else.
    SecondAudience,
    Party,
    Nonce,
    NoNonce,
    Expired,
    /// Issued before the sign-in began.
    Early,
    /// Issued in the future.
    Late,
    AccessToken,
    NoToken,
    NoSubject,
    LongSubject,
    /// Its metadata says that it is another.
    MetadataIssuer,
    /// Its token endpoint lies where the operator allows none.
    TokenElsewhere,
    /// Its browsers are sent to a script.
    ScriptAddress,
    /// The token endpoint sends on.
    Redirects,
    /// It answers whatever code verifier is shown.
    NoPkce,
}

/// A key with its id.
struct Key {
    kid: String,
    pair: EcdsaKeyPair,
}

/// Somebody who signed in there and was sent back.
struct Given {
    subject: String,
    nonce: String,
    challenge: String,
    redirect: String,
    more: Value,
}

/// What happens while a code is redeemed.
pub(crate) type Meanwhile = Box<dyn Fn() -> BoxFuture<'static, ()> + Send>;

#[derive(Default)]
struct Inside {
    twist: Twist,
    keys: Vec<Key>,
    codes: BTreeMap<String, Given>,
    asked_for_keys: usize,
    asked_for_metadata: usize,
    drawn: u64,
    names_issuer: bool,
    meanwhile: Option<Meanwhile>,
}

/// What a browser brings back.
#[derive(Debug, Clone)]
pub(crate) struct Back {
    pub(crate) state: String,
    pub(crate) code: Option<String>,
    pub(crate) iss: Option<String>,
    pub(crate) error: Option<String>,
}

/// The provider.
#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) issuer: String,
    clock: Arc<TestClock>,
    inside: Arc<Mutex<Inside>>,
    serving: Arc<JoinHandle<()>>,
    /// Where the operator keeps the client's secret.
    folder: Arc<TempDir>,
}

fn draw() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap()
}

fn hash(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

impl Provider {
    /// A provider on a free port that goes by the gate's clock.
    pub(crate) async fn start(clock: &Arc<TestClock>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let keys = vec![Key { kid: "one".to_owned(), pair: draw() }];
        let inside = Arc::new(Mutex::new(Inside { keys, names_issuer: true, ..Inside::default() }));
        let (clock, serving) = (Arc::clone(clock), Arc::new(tokio::spawn(async {})));
        let folder = Arc::new(tempfile::tempdir().unwrap());
        std::fs::write(folder.path().join("secret"), SECRET).unwrap();
        let mut provider = Self { issuer, clock, inside, serving, folder };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(jwks))
            .route("/token", post(token))
            .with_state(provider.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        provider.serving = Arc::new(serving);
        provider
    }

    /// The file with the client's secret.
    pub(crate) fn secret(&self) -> PathBuf {
        self.folder.path().join("secret")
    }

    /// It is gone.
    pub(crate) fn stop(&self) {
        self.serving.abort();
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From here on it does this wrong.
    pub(crate) fn twist(&self, twist: Twist) {
        self.inside().twist = twist;
    }

    /// Whether it says in each answer which issuer it is (RFC 9207).
    pub(crate) fn names_issuer(&self, names: bool) {
        self.inside().names_issuer = names;
    }

    /// It signs by a fresh key, and publishes that one alone.
    pub(crate) fn rotate(&self) {
        let mut inside = self.inside();
        inside.drawn += 1;
        let kid = format!("rotated-{}", inside.drawn);
        inside.keys = vec![Key { kid, pair: draw() }];
    }

    /// How often its keys were asked for.
    pub(crate) fn asked_for_keys(&self) -> usize {
        self.inside().asked_for_keys
    }

    /// How often it was asked for what it says of itself.
    pub(crate) fn asked_for_metadata(&self) -> usize {
        self.inside().asked_for_metadata
    }

    /// What happens while the next code is redeemed.
    pub(crate) fn meanwhile(&self, work: Meanwhile) {
        self.inside().meanwhile = Some(work);
    }

    /// A person signs in at the address where the gate sent their browser.
    pub(crate) fn sign_in(&self, location: &str, subject: &str) -> Back {
        self.sign_in_with(location, subject, json!({}))
    }

    /// The same, with more claims in the ID token.
    pub(crate) fn sign_in_with(&self, location: &str, subject: &str, more: Value) -> Back {
        let asked = query(location);
        let mut inside = self.inside();
        inside.drawn += 1;
        let code = format!("code-{}", inside.drawn);
        let given = Given {
            subject: subject.to_owned(),
            nonce: asked["nonce"].clone(),
            challenge: asked["code_challenge"].clone(),
            redirect: asked["redirect_uri"].clone(),
            more,
        };
        inside.codes.insert(code.clone(), given);
        let iss = inside.names_issuer.then(|| self.issuer.clone());
        Back { state: asked["state"].clone(), code: Some(code), iss, error: None }
    }

    /// The ID token of whoever signed in, with what is wrong in it.
    fn id_token(&self, inside: &Inside, given: &Given, access: &str) -> String {
        let twist = inside.twist;
        let now = self.clock.now().millis() / 1_000;
        let other = |wrong: Twist, right: &str, instead: &str| {
            if twist == wrong { instead.to_owned() } else { right.to_owned() }
        };
        let audience = match twist {
            Twist::SecondAudience => json!([CLIENT, "another-client"]),
            _ => json!(other(Twist::Audience, CLIENT, "another-client")),
        };
        let access = other(Twist::AccessToken, access, "another-access-token");
        let issued = match twist {
            Twist::Early => now - 3_600,
            Twist::Late => now + 3_600,
            _ => now,
        };
        let subject = match twist {
            Twist::NoSubject => String::new(),
            Twist::LongSubject => "x".repeat(256),
            _ => given.subject.clone(),
        };
        let mut claims = json!({
            "iss": other(Twist::Issuer, &self.issuer, "https://another.example"),
            "aud": audience,
            "sub": subject,
            "iat": issued,
            "exp": if twist == Twist::Expired { now - 120 } else { now + 7_200 },
            "nonce": other(Twist::Nonce, &given.nonce, "another-nonce"),
            "at_hash": B64.encode(&hash(access.as_bytes())[..16]),
        });
        let members = claims.as_object_mut().unwrap();
        if twist == Twist::NoNonce {
            members.remove("nonce");
        }
        if twist == Twist::Party {
            members.insert("azp".to_owned(), json!("another-client"));
        }
        members.extend(given.more.as_object().unwrap().clone());
        let key = inside.keys.last().unwrap();
        let (algorithm, kid) = match twist {
            Twist::Unsigned => ("none", key.kid.as_str()),
            Twist::PublicKeyAsSecret | Twist::ClientSecret => ("HS256", key.kid.as_str()),
            Twist::UnknownKey => ("ES256", "unknown"),
            _ => ("ES256", key.kid.as_str()),
        };
        let header = json!({"alg": algorithm, "typ": "JWT", "kid": kid});
        let body = format!("{}.{}", B64.encode(header.to_string()), B64.encode(claims.to_string()));
        let by = |pair: &EcdsaKeyPair| pair.sign(&SystemRandom::new(), body.as_bytes()).unwrap().as_ref().to_vec();
        let by_secret = |secret: &[u8]| {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
            mac.update(body.as_bytes());
            mac.finalize().into_bytes().to_vec()
        };
        let signature = match twist {
            Twist::Unsigned => Vec::new(),
            Twist::PublicKeyAsSecret => by_secret(key.pair.public_key().as_ref()),
            Twist::ClientSecret => by_secret(SECRET.as_bytes()),
            Twist::UnknownKey | Twist::SwappedKey => by(&draw()),
            Twist::Signature => {
                let mut signature = by(&key.pair);
                signature[40] ^= 1;
                signature
            }
            _ => by(&key.pair),
        };
        format!("{body}.{}", B64.encode(signature))
    }
}

impl Provider {
    /// A logout token with these claims instead of the right ones; `null` takes one away.
    pub(crate) fn logout_token(&self, subject: &str, instead: &Value) -> String {
        let inside = self.inside();
        let now = self.clock.now().millis() / 1_000;
        let mut claims = json!({
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": subject,
            "iat": now,
            "exp": now + 120,
            "jti": "once",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        });
        let members = claims.as_object_mut().unwrap();
        members.extend(instead.as_object().unwrap().clone());
        members.retain(|_, value| !value.is_null());
        let key = inside.keys.last().unwrap();
        let header = json!({"alg": "ES256", "typ": "logout+jwt", "kid": key.kid});
        let body = format!("{}.{}", B64.encode(header.to_string()), B64.encode(claims.to_string()));
        let foreign = draw();
        let pair = if inside.twist == Twist::SwappedKey { &foreign } else { &key.pair };
        let signature = pair.sign(&SystemRandom::new(), body.as_bytes()).unwrap();
        format!("{body}.{}", B64.encode(signature.as_ref()))
    }
}

/// The members of an address's query.
pub(crate) fn query(location: &str) -> BTreeMap<String, String> {
    Url::parse(location).unwrap().query_pairs().into_owned().collect()
}

async fn metadata(State(provider): State<Provider>) -> Json<Value> {
    let mut inside = provider.inside();
    inside.asked_for_metadata += 1;
    let issuer = &provider.issuer;
    let elsewhere = |wrong: Twist, path: &str, instead: &str| {
        if inside.twist == wrong { instead.to_owned() } else { format!("{issuer}{path}") }
    };
    Json(json!({
        "issuer": elsewhere(Twist::MetadataIssuer, "", "https://another.example"),
        "authorization_endpoint": elsewhere(Twist::ScriptAddress, "/authorize", "javascript:alert(1)"),
        "token_endpoint": elsewhere(Twist::TokenElsewhere, "/token", "http://10.0.0.1/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "end_session_endpoint": format!("{issuer}/end"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
        "authorization_response_iss_parameter_supported": inside.names_issuer,
    }))
}

async fn jwks(State(provider): State<Provider>) -> Json<Value> {
    let mut inside = provider.inside();
    inside.asked_for_keys += 1;
    let key = |key: &Key| {
        let public = key.pair.public_key().as_ref();
        let (x, y) = public[1..].split_at(32);
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": key.kid, "x": B64.encode(x), "y": B64.encode(y)})
    };
    Json(json!({"keys": inside.keys.iter().map(key).collect::<Vec<_>>()}))
}

async fn token(State(provider): State<Provider>, headers: HeaderMap, body: String) -> axum::response::Response {
    let form: BTreeMap<String, String> = query(&format!("http://form/?{body}"));
    let refused = |code: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": code}))).into_response();
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{SECRET}")));
    if headers.get("authorization").is_none_or(|given| given != basic.as_str()) {
        return refused("invalid_client");
    }
    let meanwhile = provider.inside().meanwhile.take();
    if let Some(meanwhile) = meanwhile {
        meanwhile().await;
    }
    let mut inside = provider.inside();
    // A code is good once.
    let Some(given) = form.get("code").and_then(|code| inside.codes.remove(code)) else {
        return refused("invalid_grant");
    };
    let shown = B64.encode(hash(form.get("code_verifier").map(String::as_bytes).unwrap_or_default()));
    let bound = shown == given.challenge && form.get("redirect_uri") == Some(&given.redirect);
    if !bound && inside.twist != Twist::NoPkce {
        return refused("invalid_grant");
    }
    if inside.twist == Twist::Redirects {
        return (StatusCode::FOUND, [("location", format!("{}/token", provider.issuer))]).into_response();
    }
    let access = "an-access-token";
    let mut tokens = json!({"access_token": access, "token_type": "Bearer", "expires_in": 60});
    if inside.twist != Twist::NoToken {
        tokens["id_token"] = json!(provider.id_token(&inside, &given, access));
    }
    Json(tokens).into_response()
}
