//! AWS Signature Version 4 for requests whose bodies are known: what S3-compatible stores ask for.
//!
//! By hand, since three requests without a query are all that a copy makes, and the hashes are there already: some 30 lines,
//! held against the examples of the specification (Amazon S3 API reference, "Signature Calculations for the Authorization
//! Header") and worked out once more by the test's own bucket. Libraries were weighed in November 2026, by what they would
//! add to the tree:
//! `rusty-s3` 0.11 (6 crates, 20,000 lines) signs URLs alone, over `UNSIGNED-PAYLOAD`: neither would the signature cover
//! what is written, nor a refusal by a proxy that logs URLs be harmless; `aws-sigv4` 1.6 (13 crates, 55,000 lines) does
//! what this does; `reqsign-aws-v4` 3.3 (14 crates, 93,000 lines) reads credentials where no file of ours names them; and
//! `object_store` 0.14 (13 crates, 620,000 lines with `aws-lc`) brings a second TLS and a client of its own, which does not
//! hold to our rules of addresses.

use std::fmt;

use hmac::{Hmac, Mac as _};
use policy_core::digest::Digest;
use policy_core::time::Timestamp;
use sha2::Sha256;

/// A key id with its secret.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) id: String,
    secret: String,
}

/// INVARIANT: the secret is never shown.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Credentials {
    /// Reads a file as AWS's tools keep it: `aws_access_key_id = …` and `aws_secret_access_key = …`. Absent: it is none.
    pub(super) fn read(text: &str) -> Option<Self> {
        let value = |wanted: &str| {
            let lines = text.lines().filter_map(|line| line.split_once('='));
            let mut found = lines.filter(|(name, _)| name.trim() == wanted).map(|(_, value)| value.trim().to_owned());
            found.next().filter(|value| !value.is_empty() && !value.contains(char::is_whitespace))
        };
        Some(Self { id: value("aws_access_key_id")?, secret: value("aws_secret_access_key")? })
    }
}

/// What is signed of a request.
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    pub(super) host: &'a str,
    /// With every character but unreserved ones and `/` percent-encoded.
    pub(super) path: &'a str,
    /// As it stands in the canonical request: sorted, encoded, and with `=` behind each name.
    pub(super) query: &'a str,
    pub(super) region: &'a str,
    pub(super) body: &'a [u8],
    pub(super) at: Timestamp,
}

/// The headers that go with it.
pub(super) struct Headers {
    /// `x-amz-date`.
    pub(super) date: String,
    /// `x-amz-content-sha256`.
    pub(super) content: String,
    /// `authorization`.
    pub(super) authorization: String,
}

impl Signed<'_> {
    /// Signs it.
    pub(super) fn headers(&self, credentials: &Credentials) -> Headers {
        let date: String = self.at.to_string().chars().filter(|letter| !matches!(letter, '-' | ':')).take(15).collect();
        let date = format!("{date}Z");
        let day: String = date.chars().take(8).collect();
        let content = Digest::of(self.body).to_string();
        let Self { method, host, path, query, region, .. } = self;
        let names = "host;x-amz-content-sha256;x-amz-date";
        let canonical = format!(
            "{method}\n{path}\n{query}\nhost:{host}\nx-amz-content-sha256:{content}\nx-amz-date:{date}\n\n{names}\n{content}"
        );
        let scope = format!("{day}/{region}/s3/aws4_request");
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", Digest::of(canonical.as_bytes()));
        let first = format!("AWS4{}", credentials.secret);
        let key = [day.as_str(), region, "s3", "aws4_request"]
            .iter()
            .fold(first.into_bytes(), |key, part| code(&key, part.as_bytes()).to_vec());
        let signature = Digest::from_bytes(code(&key, text.as_bytes()));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders={names},Signature={signature}",
            credentials.id
        );
        Headers { date, content, authorization }
    }
}

fn code(key: &[u8], text: &[u8]) -> [u8; 32] {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(text);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_signs_as_the_specifications_examples() {
        let text = "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n";
        let credentials = Credentials::read(text).unwrap();
        for (query, signature) in [
            ("lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            ("max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
        ] {
            let signed = Signed {
                method: "GET",
                host: "examplebucket.s3.amazonaws.com",
                path: "/",
                query,
                region: "us-east-1",
                body: b"",
                at: "2013-05-24T00:00:00Z".parse().unwrap(),
            };
            let headers = signed.headers(&credentials);
            assert_eq!(headers.date, "20130524T000000Z");
            assert_eq!(headers.content, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
            assert!(headers.authorization.ends_with(&format!("Signature={signature}")), "{}", headers.authorization);
        }
        assert!(!format!("{credentials:?}").contains("wJalr"));
        for bad in ["", "aws_access_key_id = a\n", "aws_access_key_id = a b\naws_secret_access_key = c\n"] {
            assert!(Credentials::read(bad).is_none(), "{bad}");
        }
    }
}
