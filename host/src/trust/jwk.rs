//! JSON Web Keys (RFC 7517): an issuer's document, and the one key of a proof.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use policy_core::digest::Digest;
use policy_core::json;
use policy_core::time::Span;
use serde_json::{Map, Value};

use super::certificate::Authority;
use super::signature::{Algorithm, PublicKey};

/// The longest document that is read, in bytes.
pub(super) const LONGEST: usize = 256 * 1024;
/// The most keys of one document.
const MOST: usize = 200;
/// A document may be nested so deep.
const LIMITS: json::Limits = json::Limits { max_bytes: LONGEST, max_depth: 8 };
/// An RSA modulus shorter than this, in bytes, is none.
const SHORTEST_MODULUS: usize = 256;

/// What a document's keys are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Those of a SPIFFE trust bundle, and of them what is believed: `jwt-svid`, `x509-svid`, or both.
    Svid {
        /// `jwt-svid`.
        tokens: bool,
        /// `x509-svid`.
        certificates: bool,
    },
    /// `sig`, or not said.
    Signature,
}

/// A key of an issuer.
#[derive(Debug, Clone)]
pub(super) struct IssuerKey {
    pub id: String,
    pub algorithm: Option<Algorithm>,
    pub key: PublicKey,
}

/// An issuer's keys.
#[derive(Debug, Clone)]
pub(super) struct KeySet {
    keys: Vec<IssuerKey>,
    authorities: Arc<[Authority]>,
    /// After how long a SPIFFE trust bundle asks to be looked at again.
    pub refresh_hint: Option<Span>,
}

impl KeySet {
    /// Reads a document. What it holds of other uses and kinds is passed over; a document with nothing for us is none.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(bytes: &[u8], wanted: Use) -> Result<Self, &'static str> {
        let document = json::read(bytes, LIMITS).map_err(|_| "is no JSON Web Key Set within bounds")?;
        let keys = document.get("keys").and_then(Value::as_array).ok_or("has no `keys`")?;
        if keys.len() > MOST {
            return Err("has too many keys");
        }
        let jwks = || keys.iter().filter_map(Value::as_object);
        let usable = jwks().filter(|jwk| match (wanted, text(jwk, "use")) {
            (Use::Svid { tokens, .. }, of) => tokens && of == Some("jwt-svid"),
            (Use::Signature, of) => of.is_none_or(|of| of == "sig"),
        });
        let signing = matches!(wanted, Use::Svid { certificates: true, .. });
        let signing = jwks().filter(|jwk| signing && text(jwk, "use") == Some("x509-svid"));
        let authorities: Arc<[Authority]> = signing.filter_map(authority).collect();
        let keys: Vec<IssuerKey> = usable.filter_map(issuer_key).collect();
        if keys.is_empty() && authorities.is_empty() {
            return Err("has no key that could sign a token or a certificate for this gate");
        }
        let hint = document.get("spiffe_refresh_hint").and_then(Value::as_u64).filter(|hint| *hint > 0);
        Ok(Self { keys, authorities, refresh_hint: hint.map(Span::from_seconds) })
    }

    /// The authorities that sign certificates.
    pub fn authorities(&self) -> Arc<[Authority]> {
        Arc::clone(&self.authorities)
    }

    /// The key of this id that this algorithm may use.
    pub fn find(&self, id: &str, algorithm: Algorithm) -> Option<&PublicKey> {
        let fits = |key: &&IssuerKey| {
            key.id == id && algorithm.fits(&key.key) && key.algorithm.is_none_or(|named| named == algorithm)
        };
        self.keys.iter().find(fits).map(|key| &key.key)
    }
}

fn text<'a>(jwk: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    jwk.get(name)?.as_str()
}

fn bytes(jwk: &Map<String, Value>, name: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text(jwk, name)?).ok()
}

/// The authority that a key of a trust bundle is: its one certificate (SPIFFE Trust Domain and Bundle, section 4.2.2).
fn authority(jwk: &Map<String, Value>) -> Option<Authority> {
    match jwk.get("x5c")?.as_array()?.as_slice() {
        [Value::String(one)] => Authority::read(STANDARD.decode(one).ok()?),
        _ => None,
    }
}

/// A key with an id. One that names an algorithm which is none of ours is passed over.
fn issuer_key(jwk: &Map<String, Value>) -> Option<IssuerKey> {
    let algorithm = match text(jwk, "alg") {
        Some(name) => Some(Algorithm::named(name)?),
        None => None,
    };
    Some(IssuerKey { id: text(jwk, "kid")?.to_owned(), algorithm, key: public_key(jwk)? })
}

/// The public key that this is, where it is of a kind and strength that counts.
pub(super) fn public_key(jwk: &Map<String, Value>) -> Option<PublicKey> {
    let point = |length: usize| {
        let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
        (x.len() == length && y.len() == length).then(|| [vec![4], x, y].concat())
    };
    match (text(jwk, "kty")?, text(jwk, "crv")) {
        ("RSA", _) => {
            let plain = |name: &str| Some(bytes(jwk, name)?.into_iter().skip_while(|byte| *byte == 0).collect());
            let (n, e): (Vec<u8>, Vec<u8>) = (plain("n")?, plain("e")?);
            (n.len() >= SHORTEST_MODULUS).then_some(PublicKey::Rsa(n, e))
        }
        ("EC", Some("P-256")) => point(32).map(PublicKey::P256),
        ("EC", Some("P-384")) => point(48).map(PublicKey::P384),
        ("OKP", Some("Ed25519")) => bytes(jwk, "x").filter(|x| x.len() == 32).map(PublicKey::Ed25519),
        _ => None,
    }
}

/// The thumbprint of a key (RFC 7638): SHA-256 over its required members alone, in order.
pub(super) fn thumbprint(jwk: &Map<String, Value>) -> Option<String> {
    let members: &[&str] = match text(jwk, "kty")? {
        "RSA" => &["e", "kty", "n"],
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        _ => return None,
    };
    let kept: Option<Map<String, Value>> =
        members.iter().map(|name| Some(((*name).to_owned(), Value::from(text(jwk, name)?)))).collect();
    let canonical = json::to_canonical_bytes(&kept?).ok()?;
    Some(URL_SAFE_NO_PAD.encode(Digest::of(&canonical).as_bytes()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SVID: Use = Use::Svid { tokens: true, certificates: false };

    fn ec(kid: &str, usage: &str) -> Value {
        let half = URL_SAFE_NO_PAD.encode([7; 32]);
        json!({"kty": "EC", "crv": "P-256", "x": half, "y": half, "kid": kid, "use": usage})
    }

    fn read(document: &Value, wanted: Use) -> Result<KeySet, &'static str> {
        KeySet::read(document.to_string().as_bytes(), wanted)
    }

    #[test]
    fn a_document_gives_the_keys_of_the_wanted_use_and_no_other() {
        let document = json!({"spiffe_sequence": 1, "spiffe_refresh_hint": 60, "keys": [
            ec("svid", "jwt-svid"), ec("x509", "x509-svid"), ec("sig", "sig"), ec("enc", "enc"),
            {"kty": "oct", "k": "AAAA", "kid": "oct"}, {"kty": "EC", "kid": "broken"}, 7,
        ]});
        let svid = read(&document, SVID).unwrap();
        assert_eq!(svid.refresh_hint, Some(Span::from_seconds(60)));
        let plain = read(&document, Use::Signature).unwrap();
        for (id, in_svid, in_plain) in [
            ("svid", true, false),
            ("sig", false, true),
            ("x509", false, false),
            ("enc", false, false),
            ("oct", false, false),
        ] {
            assert_eq!(svid.find(id, Algorithm::Es256).is_some(), in_svid, "{id}");
            assert_eq!(plain.find(id, Algorithm::Es256).is_some(), in_plain, "{id}");
        }
        // A key is good for its own family, and for the one algorithm that it names.
        assert!(svid.find("svid", Algorithm::Rs256).is_none());
        let mut named = ec("k", "sig");
        named["alg"] = json!("ES384");
        assert!(read(&json!({"keys": [named]}), Use::Signature).unwrap().find("k", Algorithm::Es256).is_none());
    }

    #[test]
    fn a_document_out_of_bounds_is_none() {
        for document in [
            json!({}),
            json!({"keys": {}}),
            json!({"keys": []}),
            json!({"keys": [ec("x509", "x509-svid")]}),
            json!({"keys": vec![ec("k", "jwt-svid"); 201]}),
            // A modulus of 1024 bits.
            json!({"keys": [{"kty": "RSA", "n": URL_SAFE_NO_PAD.encode([255; 128]), "e": "AQAB", "kid": "k", "use": "jwt-svid"}]}),
        ] {
            assert!(read(&document, SVID).is_err());
        }
        assert!(KeySet::read(br#"{"keys":[],"keys":[]}"#, SVID).is_err());
    }

    #[test]
    fn a_thumbprint_is_that_of_the_rfc() {
        // RFC 7638, section 3.1.
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let jwk = json!({"kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"});
        let print = thumbprint(jwk.as_object().unwrap());
        assert_eq!(print.as_deref(), Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
    }
}
