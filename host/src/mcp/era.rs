//! The two protocol eras, and the short list of each that passes without a question.

use serde_json::{Map, Value};

use super::message::Request;

/// The `_meta` member that every request of the later era carries.
pub const VERSION_MEMBER: &str = "io.modelcontextprotocol/protocolVersion";

/// What `_meta` members the proxy repeats in its own requests of the later era.
const CARRIED: [&str; 3] =
    [VERSION_MEMBER, "io.modelcontextprotocol/clientInfo", "io.modelcontextprotocol/clientCapabilities"];

/// The versions of the earlier era that a server may settle on in `initialize`.
pub const HANDSHAKE_VERSIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

/// The versions of the later era.
pub const STATELESS_VERSIONS: [&str; 1] = ["2026-07-28"];

/// Which era a request belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// Up to 2025-11-25: `initialize`, then requests both ways.
    Handshake,
    /// From 2026-07-28: every request says its version, and every result its `resultType`.
    Stateless,
}

/// A version that the proxy does not speak (R8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownVersion(pub String);

/// The era of a request.
///
/// # Errors
/// When it names a version that is not spoken.
pub fn of(request: &Request) -> Result<Era, UnknownVersion> {
    match request.params.get("_meta").and_then(|meta| meta.get(VERSION_MEMBER)) {
        None => Ok(Era::Handshake),
        Some(Value::String(version)) if STATELESS_VERSIONS.contains(&version.as_str()) => Ok(Era::Stateless),
        Some(other) => Err(UnknownVersion(other.as_str().unwrap_or_default().chars().take(40).collect())),
    }
}

/// Whether a client's request passes as it came. Every other is a question to the gate.
pub fn passes(era: Era, method: &str) -> bool {
    match era {
        Era::Handshake => matches!(method, "initialize" | "ping"),
        Era::Stateless => method == "server/discover",
    }
}

/// Whether the proxy speaks what `initialize` settled on.
pub fn speaks(initialize_result: &Value) -> bool {
    initialize_result.get("protocolVersion").and_then(Value::as_str).is_some_and(|v| HANDSHAKE_VERSIONS.contains(&v))
}

/// The `_meta` of the proxy's own requests: what the client said of itself and nothing else.
pub fn carried_meta(params: &Map<String, Value>) -> Option<Value> {
    let meta = params.get("_meta")?.as_object()?;
    meta.contains_key(VERSION_MEMBER).then(|| {
        meta.iter().filter(|(name, _)| CARRIED.contains(&name.as_str())).map(|(n, v)| (n.clone(), v.clone())).collect()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mcp::message::Id;

    #[test]
    fn each_era_has_its_short_list() {
        for (method, handshake, stateless) in [
            ("initialize", true, false),
            ("ping", true, false),
            ("server/discover", false, true),
            ("tools/list", false, false),
            ("tools/call", false, false),
            ("resources/read", false, false),
            ("prompts/get", false, false),
            ("logging/setLevel", false, false),
            ("subscriptions/listen", false, false),
            ("made/up", false, false),
        ] {
            assert_eq!(
                (passes(Era::Handshake, method), passes(Era::Stateless, method)),
                (handshake, stateless),
                "{method}"
            );
        }
    }

    #[test]
    fn a_request_says_its_era() {
        let request = |meta: Value| Request {
            id: Id::text("1".into()),
            method: "ping".into(),
            params: [("_meta".to_owned(), meta)].into_iter().collect(),
            has_params: true,
        };
        assert_eq!(of(&request(json!({"progressToken": 1}))), Ok(Era::Handshake));
        assert_eq!(of(&request(json!({VERSION_MEMBER: "2026-07-28"}))), Ok(Era::Stateless));
        assert_eq!(of(&request(json!({VERSION_MEMBER: "2099-01-01"}))), Err(UnknownVersion("2099-01-01".into())));
        assert_eq!(of(&request(json!({VERSION_MEMBER: 7}))), Err(UnknownVersion(String::new())));
        assert!(
            speaks(&json!({"protocolVersion": "2025-11-25"})) && !speaks(&json!({"protocolVersion": "2099-01-01"}))
        );
    }
}
