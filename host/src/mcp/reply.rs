//! What the proxy itself says to a client or an upstream.

use serde_json::{Map, Value, json};

use super::era::Era;
use super::message::Id;
use super::meta;
use crate::remedies::remedy;

/// JSON-RPC's code for a refusal: COAZ-MCP's in the earlier era; in the later one, which reserves that range, the same
/// digits outside of it.
pub const fn refusal_code(era: Era) -> i64 {
    match era {
        Era::Handshake => -32001,
        Era::Stateless => 32001,
    }
}

/// JSON-RPC's code when the gate is away.
pub const UNAVAILABLE: i64 = -32603;

/// JSON-RPC's code for parameters that cannot be judged.
pub const BAD_PARAMS: i64 = -32602;

/// A message as a line, without its end.
pub fn line(message: &Value) -> Vec<u8> {
    message.to_string().into_bytes()
}

/// A JSON-RPC error.
pub fn error(id: &Id, code: i64, sentence: &str, data: Option<Value>) -> Vec<u8> {
    let mut error = json!({"code": code, "message": sentence});
    if let (Some(data), Some(error)) = (data, error.as_object_mut()) {
        error.insert("data".to_owned(), data);
    }
    line(&json!({"jsonrpc": "2.0", "id": id.value(), "error": error}))
}

/// Why a message went nowhere, by the proxy's own judgement.
pub struct Refusal<'a> {
    /// JSON-RPC's code.
    pub rpc: i64,
    /// A stable code, `reason` in the error's data.
    pub code: &'a str,
    /// One sentence.
    pub sentence: &'a str,
    /// What to do about it, where this place knows better than the code alone says.
    pub help: Option<&'a str>,
}

/// A refusal as a JSON-RPC error, with its remedy. Without an id where nobody could read one.
pub fn refusal(id: Option<&Id>, refusal: &Refusal<'_>) -> Vec<u8> {
    let mut data = Map::from_iter([("reason".to_owned(), Value::from(refusal.code))]);
    if let Some(help) = refusal.help.or_else(|| remedy(refusal.code)) {
        data.insert("help".to_owned(), help.into());
    }
    let error = json!({"code": refusal.rpc, "message": refusal.sentence, "data": data});
    line(&json!({"jsonrpc": "2.0", "id": id.map(Id::value), "error": error}))
}

/// A refusal of parameters that cannot be judged.
pub fn bad_params(id: &Id, code: &str, sentence: &str) -> Vec<u8> {
    refusal(Some(id), &Refusal { rpc: BAD_PARAMS, code, sentence, help: None })
}

/// A result.
pub fn result(id: &Id, result: Value) -> Vec<u8> {
    line(&json!({"jsonrpc": "2.0", "id": id.value(), "result": result}))
}

/// A tool's result that says why nothing ran. The gate's context stands in `_meta`, for a host that understands it.
pub fn refused_tool(id: &Id, era: Era, sentence: &str, context: &Value) -> Vec<u8> {
    let mut body = text_result(era, sentence, true);
    body.insert("_meta".to_owned(), json!({meta::CONTEXT: context}));
    result(id, Value::Object(body))
}

/// The result of one of our own tools: the sentence, then the data, as text too for models that see nothing else.
pub fn own_tool(id: &Id, era: Era, sentence: &str, data: &Value, is_error: bool) -> Vec<u8> {
    let mut body = text_result(era, sentence, is_error);
    if let Some(Value::Array(content)) = body.get_mut("content") {
        content.push(json!({"type": "text", "text": data.to_string()}));
    }
    body.insert("structuredContent".to_owned(), data.clone());
    result(id, Value::Object(body))
}

fn text_result(era: Era, sentence: &str, is_error: bool) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("content".to_owned(), json!([{"type": "text", "text": sentence}]));
    body.insert("isError".to_owned(), is_error.into());
    if era == Era::Stateless {
        body.insert("resultType".to_owned(), "complete".into());
    }
    body
}
