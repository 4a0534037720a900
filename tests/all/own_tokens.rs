//! The gate's own tokens for agents and enforcement points, taken apart, and as a thief of its disk would write them.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::Value;

/// The claim of what is secret.
pub const SECRET: &str = "proviso.dev/secret";

/// Header (0) or claims (1).
pub fn part(token: &str, index: usize) -> Value {
    let text = token.split('.').nth(index).unwrap_or_else(|| panic!("no part {index}"));
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

/// The public id, as `proviso token list` shows it.
pub fn public_id(token: &str) -> String {
    part(token, 1)["jti"].as_str().unwrap().to_owned()
}

/// What is secret of it.
pub fn secret_of(token: &str) -> String {
    part(token, 1)[SECRET].as_str().unwrap().to_owned()
}

/// The same words under another signature.
pub fn twisted(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    bytes[0] ^= 1;
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// Header and claims under a signature of this key.
pub fn signed(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(text.as_bytes()).to_bytes());
    format!("{text}.{signature}")
}

/// The key that signs in this file of a data folder, as a thief of the disk would hold it.
pub fn stolen(data: &Path, file: &str) -> SigningKey {
    let kept: Value = serde_json::from_slice(&std::fs::read(data.join("keys").join(file)).unwrap()).unwrap();
    let secret = kept["keys"].as_array().unwrap().last().unwrap()["d"].as_str().unwrap().to_owned();
    SigningKey::from_bytes(&URL_SAFE_NO_PAD.decode(secret).unwrap().try_into().unwrap())
}
