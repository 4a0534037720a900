//! What a client without a token is told: for which resource to get one, and where (RFC 9728).

use reqwest::Url;
use serde_json::{Value, json};

/// Where metadata of protected resources lies.
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The metadata, and where it is.
#[derive(Debug, Clone)]
pub struct Metadata {
    /// The resource, as tokens name it.
    pub resource: String,
    /// The endpoint's path.
    pub path: String,
    /// The metadata's address.
    pub url: String,
    document: Value,
}

impl Metadata {
    /// Of a resource whose tokens these issuers give out.
    pub fn new(text: &str, resource: &Url, issuers: &[String]) -> Self {
        let path = resource.path().to_owned();
        let mut document = json!({"resource": text, "bearer_methods_supported": ["header"]});
        if let Some(members) = document.as_object_mut().filter(|_| !issuers.is_empty()) {
            members.insert("authorization_servers".to_owned(), json!(issuers));
        }
        let mut at = resource.clone();
        at.set_path(&well_known(&path));
        Self { resource: text.to_owned(), url: at.to_string(), path, document }
    }

    /// The paths under which it is found: RFC 9728 puts the well-known part before the resource's own path, and clients
    /// that know of no path look without it.
    pub fn paths(&self) -> [String; 2] {
        [well_known(&self.path), WELL_KNOWN.to_owned()]
    }

    /// The document.
    pub const fn document(&self) -> &Value {
        &self.document
    }

    /// The challenge of a 401. `error`: a token was there, and was not good.
    pub fn challenge(&self, error: Option<&str>) -> String {
        let error = error.map(|error| format!("error=\"{error}\", ")).unwrap_or_default();
        format!("Bearer {error}resource_metadata=\"{}\"", self.url)
    }
}

fn well_known(path: &str) -> String {
    format!("{WELL_KNOWN}{}", path.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_for_what_and_where() {
        let issuers = ["https://login.example".to_owned()];
        let text = "https://mcp.example/tools/mcp";
        let metadata = Metadata::new(text, &text.parse().expect("a URL"), &issuers);
        assert_eq!(metadata.url, "https://mcp.example/.well-known/oauth-protected-resource/tools/mcp");
        assert_eq!(
            metadata.document(),
            &json!({"resource": text, "bearer_methods_supported": ["header"], "authorization_servers": issuers})
        );
        assert_eq!(metadata.challenge(None), format!("Bearer resource_metadata=\"{}\"", metadata.url));
        assert!(metadata.challenge(Some("invalid_token")).starts_with("Bearer error=\"invalid_token\", "));
        let bare = Metadata::new("https://mcp.example", &"https://mcp.example".parse().expect("a URL"), &[]);
        assert_eq!(bare.path, "/");
        assert_eq!(bare.paths(), [WELL_KNOWN, WELL_KNOWN]);
        assert!(bare.document().get("authorization_servers").is_none());
    }
}
