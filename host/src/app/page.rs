//! Page tokens: where a search goes on, bound to everything it was asked with.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use policy_core::digest::Digest;
use policy_core::json;
use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use crate::store::Keys;

/// What a token's code is made for.
const DOMAIN: &[u8] = b"proviso-page-v1\0";
/// The longest token.
const LONGEST: usize = 4096;

/// What stands in a token.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    /// The digest of what was asked, by whom, under which bundle.
    query: Digest,
    /// The last one that was looked at.
    after: String,
}

/// A token for what comes behind `after`.
pub(super) fn token(keys: &Keys, query: Digest, after: &str) -> Result<String, Refusal> {
    let place = super::append::canonical(&Place { query, after: after.to_owned() })?;
    let code = keys.code(DOMAIN, &place);
    Ok(format!("{}.{}", URL_SAFE_NO_PAD.encode(&place), URL_SAFE_NO_PAD.encode(code.as_bytes())))
}

/// Behind which one a token goes on.
///
/// # Errors
/// `bad_page_token` for one that this gate did not give for this very query.
pub(super) fn after(keys: &Keys, query: Digest, token: &str) -> Result<String, Refusal> {
    let read = || {
        let (place, code) = token.split_once('.').filter(|_| token.len() <= LONGEST)?;
        let place = URL_SAFE_NO_PAD.decode(place).ok()?;
        let code = <[u8; 32]>::try_from(URL_SAFE_NO_PAD.decode(code).ok()?).ok()?;
        // Both are keyed digests: what the comparison's time tells of one says nothing of the next.
        if keys.code(DOMAIN, &place) != Digest::from_bytes(code) {
            return None;
        }
        let place: Place = json::read_as(&place, json::Limits::DEFAULT).ok()?;
        (place.query == query).then_some(place.after)
    };
    read().ok_or_else(|| {
        Refusal::bad("bad_page_token", "the page token does not belong to this search")
            .help("repeat the search exactly as for the first page, or begin again without a token")
    })
}
