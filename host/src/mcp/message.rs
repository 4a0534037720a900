//! One line, read strictly, as one JSON-RPC message.

use policy_core::json::{self, Limits};
use serde_json::{Map, Value};

/// What is read from a client: the gate's own limits, since every question travels there.
pub const FROM_CLIENT: Limits = Limits { max_bytes: 1024 * 1024, max_depth: 32 };

/// What is read from an upstream: results may hold pictures and files.
pub const FROM_UPSTREAM: Limits = Limits { max_bytes: 16 * 1024 * 1024, max_depth: 32 };

/// A request's id: a string or a whole number.
#[derive(Debug, Clone, PartialEq)]
pub struct Id(Value);

impl Id {
    /// The id that a text names.
    pub fn text(id: String) -> Self {
        Self(Value::String(id))
    }

    /// The id that a number is.
    pub fn number(id: u64) -> Self {
        Self(id.into())
    }

    /// The id as it goes into a message.
    pub const fn value(&self) -> &Value {
        &self.0
    }

    /// The id as a map's key: the string `1` and the number 1 differ.
    pub fn key(&self) -> String {
        self.0.to_string()
    }
}

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// Wants an answer.
    Request(Request),
    /// Wants none.
    Notification(Request),
    /// Answers.
    Response(Response),
}

/// A request, or a notification (whose id is not used).
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Its id.
    pub id: Id,
    /// What is wanted.
    pub method: String,
    /// With what; empty where the message has no `params`.
    pub params: Map<String, Value>,
    /// Whether the message has `params`.
    pub has_params: bool,
}

impl Request {
    /// The message as a JSON object.
    pub fn to_value(&self) -> Value {
        let mut message = Map::new();
        message.insert("jsonrpc".to_owned(), "2.0".into());
        message.insert("id".to_owned(), self.id.value().clone());
        message.insert("method".to_owned(), self.method.clone().into());
        if self.has_params {
            message.insert("params".to_owned(), Value::Object(self.params.clone()));
        }
        Value::Object(message)
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// Which request it answers.
    pub id: Id,
    /// The result, or the error.
    pub outcome: Result<Value, Value>,
}

impl Response {
    /// The message as a JSON object.
    pub fn to_value(&self) -> Value {
        let (name, value) = match &self.outcome {
            Ok(result) => ("result", result),
            Err(error) => ("error", error),
        };
        serde_json::json!({"jsonrpc": "2.0", "id": self.id.value(), name: value})
    }
}

/// Why a line goes nowhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// A stable code.
    pub code: &'static str,
    /// JSON-RPC's code: -32700 or -32600.
    pub rpc: i64,
    /// The id that the line seems to have: good for an answer, for nothing else.
    pub id: Option<Id>,
    /// Whether it seems to ask or tell something, so that nobody waits for it as an answer.
    pub asks: bool,
}

/// Reads one line.
///
/// # Errors
/// When it is anything but one JSON-RPC 2.0 message in I-JSON: duplicate members, a batch, text after the value, a
/// request without an id, and so on.
pub fn read(line: &[u8], limits: Limits) -> Result<Message, Refused> {
    let value = match json::read(line, limits) {
        Ok(value) => value,
        Err(error) => {
            let (id, asks) = apparent(line);
            return Err(Refused { code: error.code(), rpc: -32700, id, asks });
        }
    };
    let id = value.get("id").and_then(id_of);
    let asks = value.get("method").is_some();
    let refuse = |code| Refused { code, rpc: -32600, id: id.clone(), asks };
    let Value::Object(mut members) = value else {
        return Err(refuse("not_an_object"));
    };
    if members.remove("jsonrpc").as_ref().and_then(Value::as_str) != Some("2.0") {
        return Err(refuse("not_json_rpc"));
    }
    let has_id = members.remove("id").is_some();
    let message = if members.contains_key("method") {
        read_request(&mut members, has_id, id.clone()).map_err(refuse)?
    } else {
        let id = id.clone().ok_or_else(|| refuse("no_id"))?;
        let outcome = match (members.remove("result"), members.remove("error")) {
            (Some(result @ Value::Object(_)), None) => Ok(result),
            (None, Some(error @ Value::Object(_))) => Err(error),
            _ => return Err(refuse("bad_answer")),
        };
        Message::Response(Response { id, outcome })
    };
    // What JSON-RPC does not know would travel unjudged.
    if members.is_empty() { Ok(message) } else { Err(refuse("unknown_member")) }
}

fn read_request(members: &mut Map<String, Value>, has_id: bool, id: Option<Id>) -> Result<Message, &'static str> {
    let Some(Value::String(method)) = members.remove("method") else {
        return Err("bad_method");
    };
    let (params, has_params) = match members.remove("params") {
        None => (Map::new(), false),
        Some(Value::Object(params)) => (params, true),
        Some(_) => return Err("bad_params"),
    };
    if params.get("_meta").is_some_and(|meta| !meta.is_object()) {
        return Err("bad_params");
    }
    let notification = method.starts_with("notifications/");
    match (notification, has_id, id) {
        (true, false, _) => {
            Ok(Message::Notification(Request { id: Id::text(String::new()), method, params, has_params }))
        }
        (true, true, _) => Err("id_on_notification"),
        (false, _, Some(id)) => Ok(Message::Request(Request { id, method, params, has_params })),
        (false, _, None) => Err("no_id"),
    }
}

fn id_of(value: &Value) -> Option<Id> {
    match value {
        Value::String(_) => Some(Id(value.clone())),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(Id(value.clone())),
        _ => None,
    }
}

/// Whether a line was meant as a message, and is not something printed by mistake, such as `[info] ready`.
pub fn looks_like_one(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    match line.split_first() {
        Some((b'{', _)) => true,
        Some((b'[', rest)) => rest.trim_ascii_start().first() == Some(&b'{'),
        _ => false,
    }
}

/// What a careless reader would find: the id, and whether there is a method.
fn apparent(line: &[u8]) -> (Option<Id>, bool) {
    match serde_json::from_slice::<Value>(line) {
        Ok(value) => (value.get("id").and_then(id_of), value.get("method").is_some()),
        Err(_) => (None, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_one_message_is_refused() {
        for (line, code, has_id) in [
            (r#"{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}"#, "duplicate_member", true),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":{"a":1,"a":2}}}"#,
                "duplicate_member",
                true,
            ),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, "not_an_object", false),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping"} {}"#, "trailing_text", false),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping""#, "bad_json", false),
            (r#"{"jsonrpc":"2.0","method":"tools/call","params":{}}"#, "no_id", false),
            (r#"{"jsonrpc":"2.0","id":null,"method":"tools/call"}"#, "no_id", false),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, "no_id", false),
            (r#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#, "no_id", false),
            (r#"{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}"#, "bad_number", true),
            (r#"{"jsonrpc":"2.0","id":1,"method":"notifications/initialized"}"#, "id_on_notification", true),
            (r#"{"id":1,"method":"ping"}"#, "not_json_rpc", true),
            (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, "bad_method", true),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#, "bad_params", true),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":3}}"#, "bad_params", true),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","extra":1}"#, "unknown_member", true),
            (r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, "bad_answer", true),
            (r#"{"jsonrpc":"2.0","id":1,"result":7}"#, "bad_answer", true),
            (r#"{"jsonrpc":"2.0","result":{}}"#, "no_id", false),
            ("Server running on stdio", "bad_json", false),
        ] {
            let refused = read(line.as_bytes(), FROM_CLIENT).expect_err(line);
            assert_eq!((refused.code, refused.id.is_some()), (code, has_id), "{line}");
            assert!(crate::remedies::remedy(code).is_some(), "{code} has no remedy");
        }
        for (line, message) in
            [("Server running", false), ("[info] ready", false), (" {\"", true), ("[ {", true), ("", false)]
        {
            assert_eq!(looks_like_one(line.as_bytes()), message, "{line}");
        }
        assert_eq!(
            read(b"{\"jsonrpc\":\"2.0\",\"id\":\"\xff\",\"method\":\"ping\"}", FROM_CLIENT).expect_err("utf-8").code,
            "bad_string"
        );
        let deep =
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{{"a":{}{}}}}}"#, "[".repeat(40), "]".repeat(40));
        assert_eq!(read(deep.as_bytes(), FROM_CLIENT).expect_err("deep").code, "too_deep");
        let large = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{}"}}"#, "x".repeat(1024 * 1024));
        assert_eq!(read(large.as_bytes(), FROM_CLIENT).expect_err("large").code, "too_large");
    }

    #[test]
    fn a_message_is_told_by_its_members() {
        let request = read(br#"{"jsonrpc":"2.0","id":"1","method":"ping"}"#, FROM_CLIENT);
        assert!(matches!(request, Ok(Message::Request(Request { has_params: false, .. }))));
        let notification = read(br#"{"jsonrpc":"2.0","method":"notifications/x","params":{}}"#, FROM_CLIENT);
        assert!(matches!(notification, Ok(Message::Notification(_))));
        let response = read(br#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no"}}"#, FROM_CLIENT);
        assert!(matches!(response, Ok(Message::Response(Response { outcome: Err(_), .. }))));
        assert_ne!(Id(1.into()).key(), Id("1".into()).key());
    }
}
