//! What a token, and a credential, are known again by: keyed codes, so that a record tells nobody a `jti`'s or a chain's
//! value who does not have it.

use crate::identity::TokenSeen;
use crate::store::Keys;
use crate::trust::{BoundTo, VerifiedToken};

/// What stands in front of a credential of another issuer.
const CREDENTIAL: &str = "pvf";
/// What stands in front of one token of another issuer.
const TOKEN: &str = "pvj";
/// How many hexadecimal digits follow.
const DIGITS: usize = 32;

/// Whether this is the name of one token of another issuer.
pub(in crate::app) fn is_token(id: &str) -> bool {
    id.strip_prefix(TOKEN).is_some_and(|rest| rest.starts_with('_'))
}

/// Whether this is the id of a credential of another issuer.
pub(in crate::app) fn is_credential(id: &str) -> bool {
    id.strip_prefix(CREDENTIAL).is_some_and(|rest| rest.starts_with('_'))
}

/// A credential's id, of what it says.
pub(super) fn credential_id(keys: &Keys, says: &[u8]) -> String {
    named(CREDENTIAL, &keys.code(b"proviso-verified-v1\0", says).to_string())
}

/// A token's name, of its issuer and `jti`.
pub(super) fn token_name(keys: &Keys, issuer: &str, jti: &str) -> String {
    let text = format!("{}\0{issuer}{jti}", issuer.len());
    named(TOKEN, &keys.code(b"proviso-jti-v1\0", text.as_bytes()).to_string())
}

/// What is kept of a token.
pub(super) fn token_seen(keys: &Keys, token: &VerifiedToken) -> TokenSeen {
    let name = match &token.id {
        Some(jti) => token_name(keys, &token.issuer, jti),
        None => named(TOKEN, &keys.code(b"proviso-token-v1\0", token.digest.as_bytes()).to_string()),
    };
    TokenSeen {
        issuer: token.issuer.clone(),
        key: token.key.clone(),
        id: token.id.clone(),
        token: name,
        bound: token.bound.as_ref().map(BoundTo::told),
        expires_at: token.expires_at,
    }
}

fn named(prefix: &str, code: &str) -> String {
    format!("{prefix}_{}", code.chars().take(DIGITS).collect::<String>())
}
