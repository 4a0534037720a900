//! The session cookie: host-only, `SameSite=Strict`, out of scripts' reach.

use axum::http::{HeaderMap, header};

use super::site::Site;

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

/// The session's secret. Two cookies of the name are none: somebody has planted one.
pub(super) fn read(site: &Site, headers: &HeaderMap) -> Option<String> {
    let wanted = name(site);
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
