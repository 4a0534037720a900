//! The headers that every answer has.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Whether an address is data (API, protocol, probes) and not a page or a file of the dashboard.
pub(super) fn is_data(path: &str) -> bool {
    ["/api/", "/access/", "/.well-known/", "/demo/", "/livez", "/readyz", "/metrics"]
        .iter()
        .any(|prefix| path.starts_with(prefix))
}

/// Sets them; what a handler has set stays. `policy` is the page's content security policy.
pub(super) fn apply(headers: &mut HeaderMap, is_page: bool, policy: &HeaderValue) {
    let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    let mut set = |name: HeaderName, value: HeaderValue| {
        headers.entry(name).or_insert(value);
    };
    set(header::CONTENT_SECURITY_POLICY, if is_page { policy.clone() } else { nothing });
    set(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    set(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    set(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    set(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    set(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    set(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=()"),
    );
    // Whatever says nothing about being kept is not kept.
    set(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
