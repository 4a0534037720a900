//! The cookies of a session and of a sign-in under way: host-only, `SameSite=Strict`, out of scripts' reach.

use axum::http::{HeaderMap, header};

use super::site::Site;
use crate::app::FLOW_LIFE;

/// `__Host-` makes a browser insist on `Secure`, no `Domain` and `Path=/`. Loopback without TLS has to do without.
fn name(site: &Site) -> &'static str {
    if site.is_https() { "__Host-proviso_session" } else { "proviso_session" }
}

/// The `Set-Cookie` of a new session.
pub(super) fn set(site: &Site, secret: &str) -> String {
    let secure = if site.is_https() { "; Secure" } else { "" };
    format!("{}={secret}; Path=/; HttpOnly; SameSite=Strict{secure}", name(site))
}

/// The `Set-Cookie` that takes it away.
pub(super) fn clear(site: &Site) -> String {
    let secure = if site.is_https() { "; Secure" } else { "" };
    format!("{}=; Path=/; HttpOnly; SameSite=Strict{secure}; Max-Age=0", name(site))
}

/// The session's secret.
pub(super) fn read(site: &Site, headers: &HeaderMap) -> Option<String> {
    only(headers, name(site))
}

/// How many characters of a state a sign-in under way is named by.
pub(super) const SIGN_IN_NAME: usize = 16;
/// How many sign-ins one browser may have under way.
const MOST_SIGN_INS: usize = 4;

fn sign_in_prefix(site: &Site) -> &'static str {
    if site.is_https() { "__Host-proviso_sign_in_" } else { "proviso_sign_in_" }
}

/// The `Set-Cookie` of a sign-in under way: one for each, so that two tabs do not disturb each other.
pub(super) fn hold_sign_in(site: &Site, id: &str, held: &str) -> String {
    let (prefix, life) = (sign_in_prefix(site), FLOW_LIFE.seconds());
    let secure = if site.is_https() { "; Secure" } else { "" };
    format!("{prefix}{id}={held}; Path=/; HttpOnly; SameSite=Strict{secure}; Max-Age={life}")
}

/// The `Set-Cookie` that takes it away.
pub(super) fn forget_sign_in(site: &Site, id: &str) -> String {
    let (prefix, secure) = (sign_in_prefix(site), if site.is_https() { "; Secure" } else { "" });
    format!("{prefix}{id}=; Path=/; HttpOnly; SameSite=Strict{secure}; Max-Age=0")
}

/// What the browser holds of the sign-in with this name.
pub(super) fn sign_in(site: &Site, headers: &HeaderMap, id: &str) -> Option<String> {
    let plain = id.len() == SIGN_IN_NAME && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if plain { only(headers, &format!("{}{id}", sign_in_prefix(site))) } else { None }
}

/// What takes all sign-ins under way from a browser that has too many of them.
pub(super) fn crowd(site: &Site, headers: &HeaderMap) -> Vec<String> {
    let prefix = sign_in_prefix(site);
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let names = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let plain = |id: &&str| id.len() == SIGN_IN_NAME && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let ids: Vec<&str> = names.filter_map(|(name, _)| name.strip_prefix(prefix)).filter(plain).collect();
    if ids.len() < MOST_SIGN_INS { Vec::new() } else { ids.iter().map(|id| forget_sign_in(site, id)).collect() }
}

/// A cookie's value. Two cookies of the name are none: somebody has planted one.
fn only(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let mut found = None;
    for line in headers.get_all(header::COOKIE) {
        for pair in line.to_str().ok()?.split(';') {
            let Some((key, value)) = pair.trim().split_once('=') else { continue };
            if key == wanted && found.replace(value.to_owned()).is_some() {
                return None;
            }
        }
    }
    found
}
