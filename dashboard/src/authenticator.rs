//! The browser's authenticator: making a passkey and signing with one. What is asked comes in, what it answered goes out;
//! nothing here knows what a vote is.

use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use policy_core::digest::Digest;
use proviso_api::passkeys::{PasskeyAssertion, PasskeyChallenge};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::view_model::passkeys::{decode, encode};
use crate::view_model::problem::ApiError;

/// How long the browser asks, in milliseconds: as long as a challenge is good.
const PATIENCE: u32 = 300_000;
/// ES256 and EdDSA.
const ALGORITHMS: [i32; 2] = [-7, -8];

/// A passkey that was made.
pub struct Made {
    /// What the authenticator says.
    pub attestation_object: String,
    /// What the browser says.
    pub client_data: String,
}

/// A signature.
pub struct Answered {
    /// Whom the authenticator means; nothing where it does not say.
    pub user: String,
    /// The assertion.
    pub assertion: PasskeyAssertion,
}

/// Makes a passkey.
///
/// # Errors
/// When the authenticator made none, by the browser's name for why.
pub async fn create(asked: &PasskeyChallenge) -> Result<Made, ApiError> {
    let rp = object(&[("id", text(&asked.rp_id)), ("name", text("Proviso"))]);
    let user = object(&[("id", bytes(&asked.user)), ("name", text(&asked.name)), ("displayName", text(&asked.name))]);
    let kinds = ALGORITHMS.map(|alg| object(&[("type", text("public-key")), ("alg", JsValue::from(alg))]));
    let selection = object(&[
        ("residentKey", text("required")),
        ("requireResidentKey", JsValue::TRUE),
        ("userVerification", text("required")),
    ]);
    let options = object(&[
        ("challenge", digest(&asked.challenge)),
        ("rp", rp),
        ("user", user),
        ("pubKeyCredParams", kinds.into_iter().collect::<Array>().into()),
        ("authenticatorSelection", selection),
        ("attestation", text("none")),
        ("excludeCredentials", credentials(&asked.exclude)),
        ("timeout", JsValue::from(PATIENCE)),
    ]);
    let response = ask("create", options).await?.1;
    Ok(Made {
        attestation_object: field(&response, "attestationObject")?,
        client_data: field(&response, "clientDataJSON")?,
    })
}

/// Signs a challenge. `allowed` empty: by any passkey that the authenticator holds for this name.
///
/// # Errors
/// When the authenticator signed nothing, by the browser's name for why.
pub async fn get(challenge: &Digest, rp_id: &str, allowed: &[String]) -> Result<Answered, ApiError> {
    let options = object(&[
        ("challenge", digest(challenge)),
        ("rpId", text(rp_id)),
        ("allowCredentials", credentials(allowed)),
        ("userVerification", text("required")),
        ("timeout", JsValue::from(PATIENCE)),
    ]);
    let (credential, response) = ask("get", options).await?;
    let assertion = PasskeyAssertion {
        credential: field(&credential, "rawId")?,
        authenticator_data: field(&response, "authenticatorData")?,
        client_data: field(&response, "clientDataJSON")?,
        signature: field(&response, "signature")?,
    };
    Ok(Answered { user: field(&response, "userHandle").unwrap_or_default(), assertion })
}

/// `navigator.credentials.METHOD({publicKey: options})`: the credential, and its response.
async fn ask(method: &str, options: JsValue) -> Result<(JsValue, JsValue), ApiError> {
    let missing = |_| ApiError::Authenticator("TypeError".to_owned());
    let member = |of: &JsValue, name: &str| Reflect::get(of, &text(name)).map_err(missing);
    let container = member(&member(&js_sys::global(), "navigator")?, "credentials")?;
    let function: Function = member(&container, method)?.dyn_into().map_err(missing)?;
    let wanted = object(&[("publicKey", options)]);
    let promise: Promise =
        function.call1(&container, &wanted).and_then(|promise| promise.dyn_into()).map_err(|error| refused(&error))?;
    let credential = JsFuture::from(promise).await.map_err(|error| refused(&error))?;
    let response = member(&credential, "response")?;
    Ok((credential, response))
}

/// The browser's own name for what went wrong.
fn refused(error: &JsValue) -> ApiError {
    let name = Reflect::get(error, &text("name")).ok().and_then(|name| name.as_string());
    ApiError::Authenticator(name.unwrap_or_default())
}

fn object(members: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in members {
        // A plain object takes every member.
        let _ = Reflect::set(&object, &text(name), value);
    }
    object.into()
}

fn text(text: &str) -> JsValue {
    JsValue::from_str(text)
}

fn bytes(text: &str) -> JsValue {
    Uint8Array::from(decode(text).unwrap_or_default().as_slice()).into()
}

fn digest(digest: &Digest) -> JsValue {
    Uint8Array::from(digest.as_bytes().as_slice()).into()
}

fn credentials(ids: &[String]) -> JsValue {
    let one = |id: &String| object(&[("type", text("public-key")), ("id", bytes(id))]);
    ids.iter().map(one).collect::<Array>().into()
}

/// A member that is a buffer, in base64url.
fn field(of: &JsValue, name: &str) -> Result<String, ApiError> {
    let value = Reflect::get(of, &text(name)).ok().filter(|value| value.is_object());
    let value = value.ok_or_else(|| ApiError::Authenticator("TypeError".to_owned()))?;
    Ok(encode(&Uint8Array::new(&value).to_vec()))
}
