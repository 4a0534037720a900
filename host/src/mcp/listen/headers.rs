//! What the headers of a request say, held against its body. The body is the truth; where both speak, they agree.

use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::refusal::{HEADER_MISMATCH, INVALID, NO_METHOD, Refused, UNSUPPORTED_VERSION};
use crate::mcp::era::{Era, HANDSHAKE_VERSIONS, STATELESS_VERSIONS, VERSION_MEMBER};
use crate::mcp::message::Request;
use crate::mcp::reply::BAD_PARAMS;

/// The headers of the transport.
pub const VERSION: &str = "mcp-protocol-version";
pub const METHOD: &str = "mcp-method";
pub const NAME: &str = "mcp-name";
pub const SESSION: &str = "mcp-session-id";
pub const AFTER: &str = "last-event-id";

/// What a client of the later era says that it can.
const CAPABILITIES_MEMBER: &str = "io.modelcontextprotocol/clientCapabilities";

/// The methods of the later era, and of its extension for tasks. Whatever else is asked for there does not exist: what
/// nobody here has heard of may be a call.
const STATELESS_METHODS: [&str; 13] = [
    "server/discover",
    "tools/list",
    "tools/call",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "prompts/list",
    "prompts/get",
    "completion/complete",
    "subscriptions/listen",
    "tasks/get",
    "tasks/update",
    "tasks/cancel",
];

/// Whether a client takes both kinds of answers, as the transport demands.
///
/// # Errors
/// 406.
pub fn hold_accept(headers: &HeaderMap, kinds: &[&str]) -> Result<(), Refused> {
    let texts: Vec<&str> = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let accepted: Vec<&str> = texts
        .iter()
        .flat_map(|text| text.split(','))
        .map(|one| one.split(';').next().unwrap_or_default().trim())
        .collect();
    let takes = |kind: &&str| accepted.iter().any(|one| one.eq_ignore_ascii_case(kind));
    if kinds.iter().all(takes) {
        return Ok(());
    }
    let detail = format!("the request does not accept {}", kinds.join(" and "));
    Err(Refused::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail))
}

/// Whether a body is said to be JSON.
///
/// # Errors
/// 415.
pub fn hold_content_type(headers: &HeaderMap) -> Result<(), Refused> {
    let essence = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = essence.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let detail = "the body is not said to be `application/json`";
    Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail))
}

/// A header that may be there once, as text.
///
/// # Errors
/// 400 with JSON-RPC's -32020 where it is there twice or is no text.
pub fn once<'a>(headers: &'a HeaderMap, name: &str, id: &Value) -> Result<Option<&'a str>, Refused> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match value.to_str().ok().filter(|_| values.next().is_none()) {
        Some(text) => Ok(Some(text)),
        None => Err(mismatch(id, format!("the header `{name}` is there twice, or is no text"))),
    }
}

/// The era of a request, by header and body together.
///
/// # Errors
/// Where they differ, or name what is not spoken.
pub fn era_of(headers: &HeaderMap, request: &Request) -> Result<Era, Refused> {
    let id = request.id.value();
    let said = once(headers, VERSION, id)?;
    let meta = request.params.get("_meta");
    let body = match meta.and_then(|meta| meta.get(VERSION_MEMBER)) {
        None => None,
        Some(Value::String(version)) => Some(version.as_str()),
        Some(_) => return Err(Refused::message(BAD_PARAMS, id, "bad_params", "the version in `_meta` is no text")),
    };
    match (said, body) {
        (Some(said), Some(body)) if said != body => {
            Err(mismatch(id, "`MCP-Protocol-Version` is not the version in `_meta`".to_owned()))
        }
        (None, Some(_)) => Err(mismatch(id, "`MCP-Protocol-Version` is missing".to_owned())),
        (Some(version), _) if !is_spoken(version) => Err(unsupported(id, version)),
        (Some(version), body) if STATELESS_VERSIONS.contains(&version) => {
            let capable = meta.and_then(|meta| meta.get(CAPABILITIES_MEMBER)).is_some_and(Value::is_object);
            if body.is_none() || !capable {
                let detail = "`_meta` lacks the protocol's version or the client's capabilities";
                return Err(Refused::message(BAD_PARAMS, id, "bad_params", detail));
            }
            Ok(Era::Stateless)
        }
        (Some(_), Some(_)) => Err(mismatch(id, "this version has no `_meta` of its own".to_owned())),
        (Some(_) | None, None) => Ok(Era::Handshake),
    }
}

/// Holds the headers of the later era against the body, and the method against what there is.
///
/// # Errors
/// 400 with -32020, 404 with -32601.
pub fn hold_stateless(headers: &HeaderMap, request: &Request) -> Result<(), Refused> {
    let id = request.id.value();
    match once(headers, METHOD, id)? {
        Some(method) if method == request.method => {}
        Some(_) => return Err(mismatch(id, "`Mcp-Method` is not the body's method".to_owned())),
        None => return Err(mismatch(id, "`Mcp-Method` is missing".to_owned())),
    }
    if let Some(name) = name_of(request) {
        match once(headers, NAME, id)?.map(decoded) {
            Some(Some(said)) if said == name => {}
            Some(_) => return Err(mismatch(id, "`Mcp-Name` is not what the body names".to_owned())),
            None => return Err(mismatch(id, "`Mcp-Name` is missing".to_owned())),
        }
    }
    if !STATELESS_METHODS.contains(&request.method.as_str()) {
        let detail = "there is no such method in this version of the protocol";
        return Err(Refused::message(NO_METHOD, id, "unknown_method", detail));
    }
    Ok(())
}

/// Holds what the headers of the earlier era say, where they say anything, against the body and what was agreed upon.
///
/// # Errors
/// 400.
pub fn hold_handshake(headers: &HeaderMap, request: &Request, agreed: Option<&str>) -> Result<(), Refused> {
    let id = request.id.value();
    let said = once(headers, VERSION, id)?;
    let wanted = if request.method == "initialize" {
        request.params.get("protocolVersion").and_then(Value::as_str)
    } else {
        agreed
    };
    if said.is_some() && wanted.is_some() && said != wanted {
        let detail = "`MCP-Protocol-Version` is not the version of this session";
        return Err(Refused::message(INVALID, id, "version_differs", detail));
    }
    match once(headers, METHOD, id)? {
        Some(method) if method != request.method => {
            Err(mismatch(id, "`Mcp-Method` is not the body's method".to_owned()))
        }
        _ => Ok(()),
    }
}

/// What `Mcp-Name` mirrors, for the methods that have one.
pub fn name_of(request: &Request) -> Option<&str> {
    let member = match request.method.as_str() {
        "tools/call" | "prompts/get" => "name",
        "resources/read" => "uri",
        "tasks/get" | "tasks/update" | "tasks/cancel" => "taskId",
        _ => return None,
    };
    request.params.get(member)?.as_str()
}

/// A value as a header carries it: plain where that is possible, else in the transport's own wrapping.
pub fn encoded(text: &str) -> String {
    let plain = text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) && text.trim() == text;
    if plain && !(text.starts_with("=?base64?") && text.ends_with("?=")) {
        text.to_owned()
    } else {
        format!("=?base64?{}?=", STANDARD.encode(text))
    }
}

/// A header's value, out of that wrapping. Nothing where it cannot be read.
pub fn decoded(value: &str) -> Option<String> {
    match value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) {
        Some(inner) => String::from_utf8(STANDARD.decode(inner).ok()?).ok(),
        None => Some(value.to_owned()),
    }
}

/// Whether a version is spoken here.
pub fn is_spoken(version: &str) -> bool {
    STATELESS_VERSIONS.contains(&version) || HANDSHAKE_VERSIONS.contains(&version)
}

/// Header and body differ.
pub fn mismatch(id: &Value, detail: String) -> Refused {
    Refused::message(HEADER_MISMATCH, id, "header_mismatch", detail)
}

fn unsupported(id: &Value, version: &str) -> Refused {
    let supported: Vec<&str> = STATELESS_VERSIONS.iter().chain(HANDSHAKE_VERSIONS.iter().rev()).copied().collect();
    let requested: String = version.chars().take(40).collect();
    Refused::message(UNSUPPORTED_VERSION, id, "unsupported_version", "this version of the protocol is not spoken here")
        .data("supported", supported.into())
        .data("requested", requested.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mcp::message::{self, Message};

    fn request(method: &str, params: &Value) -> Request {
        let line = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        match message::read(line.as_bytes(), message::FROM_CLIENT) {
            Ok(Message::Request(request)) => request,
            other => unreachable!("{other:?}"),
        }
    }

    fn headers(said: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in said {
            headers.append(*name, value.parse().expect("a value"));
        }
        headers
    }

    fn meta(version: &str) -> Value {
        json!({VERSION_MEMBER: version, CAPABILITIES_MEMBER: {}})
    }

    fn rpc<T: std::fmt::Debug>(held: Result<T, Refused>) -> Option<i64> {
        held.err()
            .and_then(|refused| format!("{refused:?}").split("rpc: Some((").nth(1)?.split(',').next()?.parse().ok())
    }

    #[test]
    fn header_and_body_name_one_version() {
        const NOW: &str = "2026-07-28";
        for (said, body, answer) in [
            (&[(VERSION, NOW)][..], Some(meta(NOW)), Ok(Era::Stateless)),
            (&[], None, Ok(Era::Handshake)),
            (&[(VERSION, "2025-11-25")], None, Ok(Era::Handshake)),
            (&[], Some(meta(NOW)), Err(HEADER_MISMATCH)),
            (&[(VERSION, "2025-11-25")], Some(meta(NOW)), Err(HEADER_MISMATCH)),
            (&[(VERSION, NOW), (VERSION, NOW)], Some(meta(NOW)), Err(HEADER_MISMATCH)),
            (&[(VERSION, "2099-01-01")], Some(meta("2099-01-01")), Err(UNSUPPORTED_VERSION)),
            (&[(VERSION, "2099-01-01")], None, Err(UNSUPPORTED_VERSION)),
            (&[(VERSION, NOW)], None, Err(BAD_PARAMS)),
            (&[(VERSION, NOW)], Some(json!({VERSION_MEMBER: NOW})), Err(BAD_PARAMS)),
            (&[(VERSION, NOW)], Some(json!({VERSION_MEMBER: 7, CAPABILITIES_MEMBER: {}})), Err(BAD_PARAMS)),
        ] {
            let params = body.map_or_else(|| json!({}), |meta| json!({"_meta": meta}));
            let era = era_of(&headers(said), &request("tools/list", &params));
            match answer {
                Ok(expected) => assert_eq!(era.ok(), Some(expected), "{said:?}"),
                Err(code) => assert_eq!(rpc(era), Some(code), "{said:?} {params}"),
            }
        }
    }

    #[test]
    fn what_the_headers_mirror_is_what_the_body_says() {
        let call = json!({"name": "löschen", "arguments": {}});
        let named = encoded("löschen");
        for (method, params, said, answer) in [
            ("tools/call", &call, vec![(METHOD, "tools/call"), (NAME, named.as_str())], None),
            ("tools/call", &call, vec![(METHOD, "tools/call"), (NAME, "other")], Some(HEADER_MISMATCH)),
            ("tools/call", &call, vec![(METHOD, "tools/call"), (NAME, "=?base64?%%?=")], Some(HEADER_MISMATCH)),
            ("tools/call", &call, vec![(METHOD, "tools/list"), (NAME, named.as_str())], Some(HEADER_MISMATCH)),
            ("tools/call", &call, vec![(METHOD, "tools/call")], Some(HEADER_MISMATCH)),
            ("tools/call", &call, vec![(NAME, named.as_str())], Some(HEADER_MISMATCH)),
            ("tools/list", &json!({}), vec![(METHOD, "tools/list")], None),
            ("initialize", &json!({}), vec![(METHOD, "initialize")], Some(NO_METHOD)),
            ("ping", &json!({}), vec![(METHOD, "ping")], Some(NO_METHOD)),
            ("made/up", &json!({}), vec![(METHOD, "made/up")], Some(NO_METHOD)),
        ] {
            assert_eq!(rpc(hold_stateless(&headers(&said), &request(method, params))), answer, "{method} {said:?}");
        }
        for text in ["plain", "löschen", " a", "=?base64?YQ==?=", "a\nb"] {
            assert_eq!(decoded(&encoded(text)).as_deref(), Some(text));
            assert!(encoded(text).bytes().all(|byte| (0x20..=0x7e).contains(&byte)));
        }
    }

    #[test]
    fn a_session_keeps_its_version() {
        let list = request("tools/list", &json!({}));
        let agreed = Some("2025-06-18");
        assert_eq!(rpc(hold_handshake(&headers(&[(VERSION, "2025-06-18")]), &list, agreed)), None);
        assert_eq!(rpc(hold_handshake(&headers(&[]), &list, agreed)), None);
        assert_eq!(rpc(hold_handshake(&headers(&[(VERSION, "2025-11-25")]), &list, agreed)), Some(INVALID));
        assert_eq!(rpc(hold_handshake(&headers(&[(METHOD, "ping")]), &list, agreed)), Some(HEADER_MISMATCH));
    }
}
