//! The dashboard's files, and the content security policy of its page.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use policy_core::digest::Digest;

use super::file::{FOREVER, File, Form};
use super::headers::is_data;
use super::problem::Refused;
use super::site::Site;
use crate::assets;

/// By this the page of a demo knows what it is, before it has asked the gate for anything.
const DEMO_MARK: &str = r#"<meta name="proviso-demo" content="yes">"#;

/// The dashboard as it was when the gate started: the page and the policy that fits it.
pub(super) struct Dashboard {
    index: Option<File>,
    policy: HeaderValue,
}

impl Dashboard {
    /// Reads the page from the assets, and marks it in a demo.
    pub(super) fn read(demo: bool) -> Self {
        let index = file("index.html");
        let index = if demo { index.map(|page| marked(&page)) } else { index };
        let text = index.as_ref().map(|page| String::from_utf8_lossy(page.plain.bytes())).unwrap_or_default();
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

/// The page with the mark of a demo in its head. What was compressed is the page without it, so this one goes out plain.
fn marked(page: &File) -> File {
    let text = String::from_utf8_lossy(page.plain.bytes()).replacen("</head>", &format!("{DEMO_MARK}</head>"), 1);
    File { plain: Form::of(text.into_bytes()), brotli: None, ..page.clone() }
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
        && let Some(file) = file(path)
    {
        return file.answer(&headers);
    }
    // Addresses with a dot in the last segment mean a file; the page's own never have one.
    if path.rsplit('/').next().is_some_and(|last| last.contains('.')) && path != "index.html" {
        return Refused::nothing_here().into_response();
    }
    match &site.dashboard().index {
        Some(index) => index.clone().answer(&headers),
        None => Refused::new(StatusCode::NOT_FOUND, "no_dashboard", "this gate was built without its dashboard")
            .help(assets::REMEDY)
            .into_response(),
    }
}

/// A file of the dashboard as it was built.
fn file(path: &str) -> Option<File> {
    Some(File {
        plain: Form::from(assets::dashboard(path)?),
        brotli: assets::dashboard_brotli(path).map(Form::from),
        content_type: content_type(path),
        cache: if is_named_by_content(path) { FOREVER } else { "no-cache" },
    })
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
        let plain = b"<html><head><title>x</title></head><body></head></body></html>".to_vec();
        let brotli = Some(Form::of(b"the page without the mark, compressed".to_vec()));
        let page = File { plain: Form::of(plain), brotli, content_type: "text/html", cache: "no-cache" };
        let page = marked(&page);
        let expected = format!("<html><head><title>x</title>{DEMO_MARK}</head><body></head></body></html>");
        assert_eq!(page.plain.bytes(), expected.as_bytes());
        // Nobody gets the one without it.
        assert!(page.brotli.is_none());
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
