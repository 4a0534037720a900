//! A compact JWS (RFC 7515), taken apart by the strict reader: what is signed is read once, and no member twice.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use policy_core::json;
use serde_json::{Map, Value};

use super::fault::TokenFault;

/// The longest token that is looked at, in bytes.
pub const LONGEST: usize = 8 * 1024;
/// What a header or a payload may hold.
const LIMITS: json::Limits = json::Limits { max_bytes: LONGEST, max_depth: 16 };

/// Header members by which a token would say which key is right for it, or how it is to be read. None is followed, and a
/// token that has one was not made for this gate.
const REFUSED: [&str; 8] = ["crit", "jku", "x5u", "jwk", "x5c", "b64", "zip", "enc"];

/// A token, taken apart. Nothing of it is believed yet.
#[derive(Debug)]
pub(super) struct Compact<'a> {
    /// The algorithm.
    pub algorithm: String,
    /// The kind.
    pub kind: Option<String>,
    /// The key's id.
    pub key: Option<String>,
    /// The header as it was read.
    pub header: Map<String, Value>,
    /// The payload's members.
    pub claims: Map<String, Value>,
    /// What is signed.
    pub signed: &'a str,
    /// The signature.
    pub signature: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// Takes a token apart. `own_key`: the header's `jwk` is what it is about (a proof of possession).
    pub fn read(text: &'a str, own_key: bool) -> Result<Self, TokenFault> {
        // INVARIANT (R8): the size is bounded before anything is read.
        if text.len() > LONGEST {
            return Err(TokenFault::Malformed);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(TokenFault::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenFault::Malformed)?;
        let header = object(header)?;
        if REFUSED.iter().any(|name| header.contains_key(*name) && !(own_key && *name == "jwk")) {
            return Err(TokenFault::Header);
        }
        let text_of = |name: &str| match header.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(TokenFault::Malformed),
        };
        Ok(Self {
            algorithm: text_of("alg")?.ok_or(TokenFault::Malformed)?,
            kind: text_of("typ")?,
            key: text_of("kid")?,
            claims: object(payload)?,
            header,
            signed,
            signature: bytes(signature)?,
        })
    }
}

/// Whether a text has the form of a compact JWS: three parts of its alphabet.
pub(super) fn looks_like_one(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.bytes().all(allowed) && text.bytes().filter(|byte| *byte == b'.').count() == 2
}

fn bytes(part: &str) -> Result<Vec<u8>, TokenFault> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenFault::Malformed)
}

fn object(part: &str) -> Result<Map<String, Value>, TokenFault> {
    match json::read(&bytes(part)?, LIMITS) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(TokenFault::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, payload: &str) -> String {
        [header, payload, "sig"].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
    }

    #[test]
    fn only_the_plain_compact_form_is_read() {
        let good = token(r#"{"alg":"ES256","kid":"k","other":1}"#, r#"{"sub":"x"}"#);
        let read = Compact::read(&good, false).unwrap();
        assert_eq!((read.algorithm.as_str(), read.key.as_deref(), read.kind), ("ES256", Some("k"), None));
        for (token, fault) in [
            (format!("{good}="), TokenFault::Malformed),
            (format!("{good}.x"), TokenFault::Malformed),
            (good.replace('.', ""), TokenFault::Malformed),
            (token(r#"{"alg":"ES256","alg":"none"}"#, "{}"), TokenFault::Malformed),
            (token(r#"{"alg":"ES256"}"#, r#"{"sub":"x","sub":"y"}"#), TokenFault::Malformed),
            (token(r#"{"alg":"ES256"}"#, r#"["sub"]"#), TokenFault::Malformed),
            (token(r#"{"kid":"k"}"#, "{}"), TokenFault::Malformed),
            (token(r#"{"alg":7}"#, "{}"), TokenFault::Malformed),
            (token(r#"{"alg":"ES256","crit":["exp"]}"#, "{}"), TokenFault::Header),
            (token(r#"{"alg":"ES256","jku":"https://evil.example"}"#, "{}"), TokenFault::Header),
            (token(r#"{"alg":"ES256","x5u":"https://evil.example"}"#, "{}"), TokenFault::Header),
            (token(r#"{"alg":"ES256","jwk":{}}"#, "{}"), TokenFault::Header),
            (token(r#"{"alg":"ES256","x5c":[]}"#, "{}"), TokenFault::Header),
            (token(r#"{"alg":"ES256","b64":false}"#, "{}"), TokenFault::Header),
            (token(r#"{"alg":"ES256"}"#, &format!(r#"{{"sub":"{}"}}"#, "x".repeat(9000))), TokenFault::Malformed),
        ] {
            assert_eq!(Compact::read(&token, false).err(), Some(fault), "{token}");
        }
        assert!(Compact::read(&token(r#"{"alg":"ES256","jwk":{}}"#, "{}"), true).is_ok());
        assert!(looks_like_one(&good) && !looks_like_one("pva_0_1") && !looks_like_one("a.b"));
    }
}
