//! The dashboard's files, and the content security policy of its page.

use std::borrow::Cow;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use policy_core::digest::Digest;

use super::headers::is_data;
use super::problem::Refused;
use super::site::Site;
use crate::assets;

/// By this the page of a demo knows what it is, before it has asked the gate for anything.
const DEMO_MARK: &str = r#"<meta name="proviso-demo" content="yes">"#;

/// The dashboard as it was when the gate started: the page and the policy that fits it.
pub(super) struct Dashboard {
    index: Option<Vec<u8>>,
    policy: HeaderValue,
}

impl Dashboard {
    /// Reads the page from the assets, and marks it in a demo.
    pub(super) fn read(demo: bool) -> Self {
        let index = assets::dashboard("index.html").map(Cow::into_owned);
        let index = if demo { index.map(|page| marked(&page)) } else { index };
        let text = index.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        let policy = content_security_policy(&inline_scripts(&text));
        let policy = HeaderValue::from_str(&policy)
            .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
        Self { index, policy }
    }

    /// The page's content security policy.
    pub(super) fn policy(&self) -> &HeaderValue {
        &self.policy
    }
}

/// The page with the mark of a demo in its head.
fn marked(page: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(page).replacen("</head>", &format!("{DEMO_MARK}</head>"), 1).into_bytes()
}

/// Any address that no endpoint has: a file of the dashboard, or its page for addresses that the page itself routes.
pub(super) async fn fallback(State(site): State<Site>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if is_data(uri.path()) || uri.path().starts_with("/policy/") {
        return Refused::nothing_here().into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        return Refused::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "only reading is possible here")
            .into_response();
    }
    let is_plain = path.split('/').all(|segment| !segment.starts_with('.')) && !path.contains('\\');
    if path != "index.html"
        && is_plain
        && let Some(bytes) = assets::dashboard(path)
    {
        return file(path, &bytes, &headers);
    }
    // Addresses with a dot in the last segment mean a file; the page's own never have one.
    if path.rsplit('/').next().is_some_and(|last| last.contains('.')) && path != "index.html" {
        return Refused::nothing_here().into_response();
    }
    match &site.dashboard().index {
        Some(index) => file("index.html", index, &headers),
        None => Refused::new(StatusCode::NOT_FOUND, "no_dashboard", "this gate was built without its dashboard")
            .help(assets::REMEDY)
            .into_response(),
    }
}

fn file(path: &str, bytes: &[u8], headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", Digest::of(bytes));
    let cache = if is_named_by_content(path) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let common = [
        (header::CACHE_CONTROL, cache.to_owned()),
        (header::ETAG, tag.clone()),
        (header::CONTENT_TYPE, content_type(path).to_owned()),
    ];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    (common, bytes.to_vec()).into_response()
}

/// The builder puts 16 hexadecimal digits of the content's hash behind a dash in a file's name.
fn is_named_by_content(path: &str) -> bool {
    path.split(['-', '_', '.', '/']).any(|part| part.len() == 16 && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "json" => "application/json",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

/// The page may run its own files and its one start script, compile the policy module, and speak to this gate only. Where
/// the browser has Trusted Types, text becomes neither markup nor code: the one policy that may hand out either is made by
/// the page's own files, which take the name with them.
fn content_security_policy(inline: &[&str]) -> String {
    let hashes: String = inline
        .iter()
        .map(|script| format!(" 'sha256-{}'", STANDARD.encode(Digest::of(script.as_bytes()).as_bytes())))
        .collect();
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{hashes}; worker-src 'self'; connect-src 'self'; \
         style-src 'self'; img-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types proviso"
    )
}

/// The text of each `<script>` without a `src`.
fn inline_scripts(html: &str) -> Vec<&str> {
    let mut scripts = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once("<script") {
        let Some((attributes, body)) = after.split_once('>') else { break };
        let Some((script, behind)) = body.split_once("</script>") else { break };
        if !attributes.split_ascii_whitespace().any(|attribute| attribute.starts_with("src=")) {
            scripts.push(script);
        }
        rest = behind;
    }
    scripts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_inline_script_is_named_by_its_hash() {
        let html = r#"<html><script type="module">import a from '/a.js';</script>
                      <script src="/b.js"></script><script>c()</script></html>"#;
        assert_eq!(inline_scripts(html), ["import a from '/a.js';", "c()"]);
        let policy = content_security_policy(&["c()"]);
        // printf 'c()' | openssl dgst -sha256 -binary | base64
        assert!(policy.contains("'sha256-uv6BXxguRKhBqgeOtcyTvppA2Vttceh37dUo7xwS8Ug='"), "{policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
        assert!(policy.ends_with("; require-trusted-types-for 'script'; trusted-types proviso"), "{policy}");
    }

    #[test]
    fn the_mark_of_a_demo_stands_in_the_head_once() {
        let page = marked(b"<html><head><title>x</title></head><body></head></body></html>");
        let expected = format!("<html><head><title>x</title>{DEMO_MARK}</head><body></head></body></html>");
        assert_eq!(page, expected.into_bytes());
    }

    #[test]
    fn only_files_named_by_their_content_are_kept() {
        for (path, expected) in [
            ("dashboard-0123456789abcdef.js", true),
            ("dashboard-0123456789abcdef_bg.wasm", true),
            ("preview_worker.js", false),
            ("preview_worker_bg.wasm", false),
            ("index.html", false),
        ] {
            assert_eq!(is_named_by_content(path), expected, "{path}");
        }
    }
}
