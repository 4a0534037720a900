//! The gate's own tokens for agents and enforcement points, as somebody shows one: form, kind, algorithm, key, signature
//! and claims, each strictly. What holds here is believed of nobody yet: the record is asked then.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use policy_core::digest::Digest;
use policy_core::sabotaged;
use policy_core::time::{Span, Timestamp};

use super::chain::text;
use super::fault::TokenFault;
use super::jws::Compact;
use super::signature::{Algorithm, PublicKey};

/// How far a token may seem to come from what is ahead: the gate's own clock may have been set back since.
const SKEW: Span = Span::from_seconds(60);

/// Whose tokens they are, and where one was shown.
pub struct OwnIssuer<'a> {
    /// The claim of the secret.
    pub secret: &'a str,
    /// What this gate is called in them.
    pub name: &'a str,
    /// Where it was shown: the gate by the same name, or a resource.
    pub audience: &'a str,
    /// A key that they are believed by, by its id.
    pub key: &'a dyn Fn(&str) -> Option<OwnKey>,
}

/// A key of the gate's own tokens.
pub struct OwnKey {
    /// Ed25519.
    pub public: [u8; 32],
    /// When it signed no more, in seconds; the newest signs.
    pub retired_at: Option<i64>,
}

/// What one says. It has no `Debug`, for it holds the secret.
pub struct OwnToken {
    /// Its public id.
    pub id: String,
    /// The secret whose code is on record.
    pub secret: String,
    /// Whom it is for.
    pub subject: String,
    /// Where it is good.
    pub audience: String,
    /// When it was minted, in seconds.
    pub issued_at: i64,
    /// Until when it counts, in seconds.
    pub expires_at: i64,
}

/// A text of the form and kind of one. Nothing of it is believed yet.
pub struct ShownOwn<'a> {
    shown: &'a str,
    token: Compact<'a>,
}

/// The texts of late whose signature was found good: a caller shows the same one with each call. Whether their key still
/// counts, when they end and what the record says is asked each time.
#[derive(Default)]
pub struct Signatures(Mutex<BTreeSet<Digest>>);

/// How many of them are remembered.
const MOST: usize = 4_096;

/// Reads a text of this kind. Whatever is of another kind is another issuer's, or nobody's.
pub fn read<'a>(shown: &'a str, kind: &str) -> Option<ShownOwn<'a>> {
    let token = Compact::read(shown, false).ok().filter(|token| token.kind.as_deref() == Some(kind))?;
    Some(ShownOwn { shown, token })
}

impl ShownOwn<'_> {
    /// Public id and secret as they stand in it, whoever wrote that.
    pub fn said(&self, secret: &str) -> Option<(&str, &str)> {
        Some((text(&self.token.claims, "jti")?, text(&self.token.claims, secret)?))
    }

    /// Verifies it.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify(
        &self,
        issuer: &OwnIssuer<'_>,
        signatures: &Signatures,
        now: Timestamp,
    ) -> Result<OwnToken, TokenFault> {
        verify(self, issuer, signatures, now)
    }
}

impl Signatures {
    /// INVARIANT (R8): what is remembered is the digest of the whole text, header and signature among it.
    fn hold(&self, shown: &str, verify: impl FnOnce() -> Result<(), TokenFault>) -> Result<(), TokenFault> {
        let digest = Digest::of(shown.as_bytes());
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&digest) {
            return Ok(());
        }
        verify()?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(digest);
        Ok(())
    }
}

fn verify(
    ShownOwn { shown, token }: &ShownOwn<'_>,
    issuer: &OwnIssuer<'_>,
    signatures: &Signatures,
    now: Timestamp,
) -> Result<OwnToken, TokenFault> {
    // INVARIANT (R8): one algorithm, whatever the token says.
    let algorithm = Algorithm::named(&token.algorithm).filter(|named| *named == Algorithm::EdDsa);
    let algorithm = algorithm.ok_or(TokenFault::Algorithm)?;
    let key = token.key.as_deref().and_then(issuer.key).ok_or(TokenFault::Key)?;
    // INVARIANT (R8): a row of the record alone opens nothing.
    if !sabotaged!("r8_own_signature_believed") {
        let public = PublicKey::Ed25519(key.public.to_vec());
        signatures.hold(shown, || algorithm.verify(&public, token.signed.as_bytes(), &token.signature))?;
    }
    let claim =
        |name: &'static str, named: &str| text(&token.claims, named).map(str::to_owned).ok_or(TokenFault::Claim(name));
    let second = |name: &'static str| match token.claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_i64().map(Some).ok_or(TokenFault::Claim(name)),
    };
    if claim("iss", "iss")? != issuer.name {
        return Err(TokenFault::Issuer);
    }
    let audience = claim("aud", "aud")?;
    // INVARIANT (R3): a token for one resource opens nothing elsewhere, and a resource takes none that is for another.
    if audience != issuer.audience && !sabotaged!("r3_any_resource") {
        return Err(TokenFault::Audience);
    }
    let expires_at = second("exp")?.ok_or(TokenFault::Claim("exp"))?;
    let issued_at = second("iat")?.ok_or(TokenFault::Claim("iat"))?;
    // INVARIANT (R6): an end is an end.
    if now.millis() >= expires_at.saturating_mul(1_000) {
        return Err(TokenFault::Expired);
    }
    let begins = second("nbf")?.map_or(issued_at, |begins| begins.max(issued_at));
    if begins.saturating_mul(1_000) > now.plus(SKEW).millis() {
        return Err(TokenFault::NotYet);
    }
    // What says that it was signed later is forged by whoever has the old key.
    if key.retired_at.is_some_and(|retired| issued_at > retired) {
        return Err(TokenFault::Key);
    }
    Ok(OwnToken {
        id: claim("jti", "jti")?,
        secret: claim("the secret", issuer.secret)?,
        subject: claim("sub", "sub")?,
        audience,
        issued_at,
        expires_at,
    })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use ed25519_dalek::{Signer as _, SigningKey};
    use serde_json::{Value, json};

    use super::*;

    const KIND: &str = "own+jwt";
    const NOW: i64 = 1_800_000_000;

    fn key(number: u8) -> SigningKey {
        SigningKey::from_bytes(&[number; 32])
    }

    fn claims() -> Value {
        json!({"iss": "gate", "aud": "gate", "sub": "Agent::a", "jti": "pva_1", "secret": "s", "iat": NOW - 10, "exp": NOW + 10})
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value,
        }
        claims
    }

    fn token(header: &Value, claims: &Value, by: &SigningKey) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(by.sign(signed.as_bytes()).to_bytes()))
    }

    /// The keys `new`, and `old`, which was retired five seconds ago.
    fn fault(shown: &str) -> Option<TokenFault> {
        let Some(read) = read(shown, KIND) else { return Some(TokenFault::Type) };
        let signatures = Signatures::default();
        let find = |kid: &str| match kid {
            "new" => Some(OwnKey { public: key(1).verifying_key().to_bytes(), retired_at: None }),
            "old" => Some(OwnKey { public: key(2).verifying_key().to_bytes(), retired_at: Some(NOW - 5) }),
            _ => None,
        };
        let issuer = OwnIssuer { secret: "secret", name: "gate", audience: "gate", key: &find };
        let at = |now: i64| read.verify(&issuer, &signatures, Timestamp::from_millis(now * 1_000)).err();
        let first = at(NOW);
        // Shown again it is no better, and one that was good ends all the same.
        assert_eq!(at(NOW), first, "{shown}");
        assert!(first.is_some() || at(NOW + 10) == Some(TokenFault::Expired), "{shown}");
        first
    }

    #[test]
    fn each_check_refuses_alone() {
        let header = json!({"typ": KIND, "alg": "EdDSA", "kid": "new"});
        let headed = |name: &str, value: Value| {
            let mut header = header.clone();
            header[name] = value;
            header
        };
        assert_eq!(fault(&token(&header, &claims(), &key(1))), None);
        assert_eq!(fault(&token(&headed("kid", json!("old")), &claims(), &key(2))), None, "the key before");
        for (what, shown, expected) in [
            ("another kind", token(&headed("typ", json!("at+jwt")), &claims(), &key(1)), TokenFault::Type),
            ("none", token(&headed("alg", json!("none")), &claims(), &key(1)), TokenFault::Algorithm),
            ("HS256", token(&headed("alg", json!("HS256")), &claims(), &key(1)), TokenFault::Algorithm),
            ("ES256", token(&headed("alg", json!("ES256")), &claims(), &key(1)), TokenFault::Algorithm),
            ("eddsa", token(&headed("alg", json!("eddsa")), &claims(), &key(1)), TokenFault::Algorithm),
            ("a key that is not there", token(&headed("kid", json!("x")), &claims(), &key(1)), TokenFault::Key),
            ("no key named", token(&json!({"typ": KIND, "alg": "EdDSA"}), &claims(), &key(1)), TokenFault::Key),
            ("a key that comes along", token(&headed("jwk", json!({})), &claims(), &key(1)), TokenFault::Type),
            ("another key's signature", token(&header, &claims(), &key(2)), TokenFault::Signature),
            ("another issuer", token(&header, &with("iss", json!("other")), &key(1)), TokenFault::Issuer),
            ("no issuer", token(&header, &with("iss", Value::Null), &key(1)), TokenFault::Claim("iss")),
            ("another audience", token(&header, &with("aud", json!("other")), &key(1)), TokenFault::Audience),
            ("several", token(&header, &with("aud", json!(["gate", "other"])), &key(1)), TokenFault::Claim("aud")),
            ("over", token(&header, &with("exp", json!(NOW)), &key(1)), TokenFault::Expired),
            ("no end", token(&header, &with("exp", Value::Null), &key(1)), TokenFault::Claim("exp")),
            ("an end in words", token(&header, &with("exp", json!("never")), &key(1)), TokenFault::Claim("exp")),
            ("no beginning", token(&header, &with("iat", Value::Null), &key(1)), TokenFault::Claim("iat")),
            ("minted later", token(&header, &with("iat", json!(NOW + 61)), &key(1)), TokenFault::NotYet),
            ("not yet", token(&header, &with("nbf", json!(NOW + 61)), &key(1)), TokenFault::NotYet),
            ("no subject", token(&header, &with("sub", Value::Null), &key(1)), TokenFault::Claim("sub")),
            ("no id", token(&header, &with("jti", Value::Null), &key(1)), TokenFault::Claim("jti")),
            ("no secret", token(&header, &with("secret", Value::Null), &key(1)), TokenFault::Claim("the secret")),
            (
                "signed by the old key after it was retired",
                token(&headed("kid", json!("old")), &with("iat", json!(NOW - 4)), &key(2)),
                TokenFault::Key,
            ),
        ] {
            assert_eq!(fault(&shown), Some(expected), "{what}");
        }
        let good = token(&header, &claims(), &key(1));
        assert!(read(&good, "other+jwt").is_none() && read("pva_0_1", KIND).is_none());
        assert_eq!(read(&good, KIND).unwrap().said("secret"), Some(("pva_1", "s")));
    }

    #[test]
    fn so_many_signatures_are_remembered_and_no_fault_is() {
        let signatures = Signatures::default();
        for number in 0..=MOST {
            signatures.hold(&number.to_string(), || Ok(())).unwrap();
        }
        assert_eq!(signatures.0.lock().unwrap().len(), 1, "it does not grow for ever");
        for _ in 0..2 {
            assert_eq!(signatures.hold("bad", || Err(TokenFault::Signature)), Err(TokenFault::Signature));
        }
    }
}
