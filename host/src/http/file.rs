//! A file that the gate carries, in the form that the client takes: plain, or in brotli as it was compressed when it was
//! built.
//!
//! Only such files are ever compressed. They are the same for everybody and hold no secret. An answer that held both a
//! secret and something that a stranger chose would tell the secret by its length, whatever TLS hides (BREACH): so the
//! gate compresses nothing while it runs, and nothing of the API.

use std::borrow::Cow;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use policy_core::digest::Digest;

use super::encoding;
use crate::assets::Embedded;

/// How long a file is kept whose name says what it holds.
pub(super) const FOREVER: &str = "public, max-age=31536000, immutable";

/// The bytes that go out, and what names them. Cheap to clone.
#[derive(Clone)]
pub(super) struct Form {
    bytes: Bytes,
    digest: Digest,
}

impl Form {
    /// Bytes whose digest is known.
    pub(super) const fn new(bytes: Bytes, digest: Digest) -> Self {
        Self { bytes, digest }
    }

    /// Bytes that were made while the gate runs.
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        Self { digest: Digest::of(&bytes), bytes: bytes.into() }
    }

    /// The bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl From<Embedded> for Form {
    fn from(file: Embedded) -> Self {
        // What the binary carries goes out from where it lies: files have megabytes, and anybody may fetch them.
        let bytes = match file.bytes {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::from(bytes),
        };
        Self::new(bytes, file.digest)
    }
}

/// A file with its forms. Cheap to clone.
#[derive(Clone)]
pub(super) struct File {
    /// As it was built.
    pub(super) plain: Form,
    /// Compressed, where that was made.
    pub(super) brotli: Option<Form>,
    /// What the plain bytes are; compressed they are that still.
    pub(super) content_type: &'static str,
    /// How long it may be kept.
    pub(super) cache: &'static str,
}

impl File {
    /// The form that the request takes, or that it has that one already.
    pub(super) fn answer(self, headers: &HeaderMap) -> Response {
        // Whoever keeps an answer for others keeps it for those who asked alike.
        let vary = self.brotli.is_some().then_some([(header::VARY, "accept-encoding")]);
        let brotli = self.brotli.filter(|_| encoding::admits_brotli(headers));
        let encoding = brotli.is_some().then_some([(header::CONTENT_ENCODING, "br")]);
        let form = brotli.unwrap_or(self.plain);
        // Of the form, so that none is taken for the other.
        let tag = format!("\"{}\"", form.digest);
        let is_known = knows(headers, &tag);
        let common = [
            (header::CACHE_CONTROL, self.cache.to_owned()),
            (header::ETAG, tag),
            (header::CONTENT_TYPE, self.content_type.to_owned()),
        ];
        if is_known {
            return (StatusCode::NOT_MODIFIED, common, vary, ()).into_response();
        }
        (common, vary, encoding, form.bytes).into_response()
    }
}

/// Whether `If-None-Match` names this form (RFC 9110, section 13.1.2): by whichever of several tags, and also where
/// somebody on the way made a weak one of it.
fn knows(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    const PLAIN: &[u8] = b"plain and long";
    const BROTLI: &[u8] = b"short";

    fn file(brotli: Option<&'static [u8]>) -> File {
        let form = |bytes: &'static [u8]| Form::from(Embedded { bytes: bytes.into(), digest: Digest::of(bytes) });
        File { plain: form(PLAIN), brotli: brotli.map(form), content_type: "text/css", cache: FOREVER }
    }

    fn asked(lines: &[(HeaderName, String)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    async fn body(response: Response) -> Vec<u8> {
        to_bytes(response.into_body(), 1000).await.unwrap().to_vec()
    }

    #[tokio::test]
    async fn each_form_has_a_tag_of_its_own_and_both_say_on_what_they_depend() {
        let takes = asked(&[(header::ACCEPT_ENCODING, "br".to_owned())]);
        for (headers, bytes, encoding) in [(&HeaderMap::new(), PLAIN, None), (&takes, BROTLI, Some("br"))] {
            let answer = file(Some(BROTLI)).answer(headers);
            assert_eq!(answer.status(), StatusCode::OK);
            let head = answer.headers().clone();
            assert_eq!(head.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap()), encoding);
            assert_eq!(head[header::ETAG], format!("\"{}\"", Digest::of(bytes)).as_str());
            assert_eq!(head[header::VARY], "accept-encoding");
            assert_eq!(head[header::CONTENT_TYPE], "text/css");
            assert_eq!(head[header::CACHE_CONTROL], FOREVER);
            assert_eq!(body(answer).await, bytes);
        }
    }

    #[tokio::test]
    async fn what_was_built_without_a_compressed_form_goes_out_plain() {
        let answer = file(None).answer(&asked(&[(header::ACCEPT_ENCODING, "br".to_owned())]));
        for name in [header::CONTENT_ENCODING, header::VARY] {
            assert!(!answer.headers().contains_key(&name), "{name}");
        }
        assert_eq!(body(answer).await, PLAIN);
    }

    #[tokio::test]
    async fn a_form_that_the_client_has_is_not_sent_again_and_the_other_one_is() {
        let tag = |bytes: &[u8]| format!("\"{}\"", Digest::of(bytes));
        for (accept, known, status) in [
            ("br", tag(BROTLI), 304),
            ("br", format!("W/{}", tag(BROTLI)), 304),
            ("br", format!("\"other\", {}", tag(BROTLI)), 304),
            ("br", "*".to_owned(), 304),
            ("gzip", tag(PLAIN), 304),
            ("br", tag(PLAIN), 200),
            ("gzip", tag(BROTLI), 200),
            ("br", Digest::of(BROTLI).to_string(), 200),
            ("br", String::new(), 200),
        ] {
            let headers = [(header::ACCEPT_ENCODING, accept.to_owned()), (header::IF_NONE_MATCH, known.clone())];
            let answer = file(Some(BROTLI)).answer(&asked(&headers));
            assert_eq!(answer.status(), status, "{accept} {known}");
            assert!(answer.headers().contains_key(header::ETAG) && answer.headers().contains_key(header::VARY));
            if status == 304 {
                assert!(!answer.headers().contains_key(header::CONTENT_ENCODING), "{accept} {known}");
                assert!(body(answer).await.is_empty(), "{accept} {known}");
            }
        }
    }

    #[test]
    fn what_the_binary_carries_is_not_copied() {
        let form = Form::from(Embedded { bytes: PLAIN.into(), digest: Digest::of(PLAIN) });
        assert_eq!((form.bytes().as_ptr(), form.clone().bytes().as_ptr()), (PLAIN.as_ptr(), PLAIN.as_ptr()));
    }
}
