//! The token of a request: in one header, and nowhere else.

use axum::http::{HeaderMap, StatusCode, Uri, header};

use super::metadata::Metadata;
use super::refusal::Refused;

/// The longest token, with its scheme. The gate reads none that is longer.
const LONGEST: usize = 8 * 1024 + 16;

/// What a caller shows.
///
/// # Errors
/// 401 where there is none; 400 where there are two, or one in the address.
pub fn token(uri: &Uri, headers: &HeaderMap, metadata: &Metadata) -> Result<String, Refused> {
    let named = |pair: &str| pair.split('=').next().is_some_and(|name| name.eq_ignore_ascii_case("access_token"));
    if uri.query().is_some_and(|query| query.split('&').any(named)) {
        // RFC 6750 2.3: an address is in logs and histories.
        let detail = "a token stands in the address, where others read it";
        return Err(Refused::new(StatusCode::BAD_REQUEST, "token_in_address", detail));
    }
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(Refused::challenge(metadata, "no_credential", "the request carries no bearer token", false));
    };
    let text = value.to_str().ok().filter(|text| text.len() <= LONGEST && values.next().is_none());
    let Some(text) = text else {
        return Err(Refused::new(StatusCode::BAD_REQUEST, "bad_header", "the header `authorization` cannot be read"));
    };
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && is_token(token.trim()) => {
            Ok(token.trim().to_owned())
        }
        _ => Err(Refused::challenge(metadata, "no_credential", "the request carries no bearer token", true)),
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic())
}
