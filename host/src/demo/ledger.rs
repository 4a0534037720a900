//! A small MCP server over stdio, so that the demo shows the proxy without Node: journals, held in memory.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, Write as _};

use serde_json::{Value, json};

/// Serves until standard input ends.
///
/// # Errors
/// When standard output is closed.
pub fn serve() -> io::Result<()> {
    let mut ledger = Ledger::default();
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let Ok(message) = serde_json::from_str::<Value>(&line?) else { continue };
        if let Some(answer) = ledger.answer(&message) {
            writeln!(output, "{answer}")?;
            output.flush()?;
        }
    }
    Ok(())
}

#[derive(Default)]
struct Ledger {
    rows: BTreeMap<String, i64>,
}

impl Ledger {
    /// The answer to a request; a notification has none.
    fn answer(&mut self, message: &Value) -> Option<Value> {
        let id = message.get("id")?;
        let none = Value::Null;
        let parameters = message.get("params").unwrap_or(&none);
        let result = match message.get("method").and_then(Value::as_str)? {
            "initialize" => json!({
                "protocolVersion": "2025-11-25",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "demo-ledger", "version": env!("CARGO_PKG_VERSION")},
            }),
            "ping" => json!({}),
            "tools/list" => json!({"tools": tools()}),
            "tools/call" => self.call(parameters),
            _ => {
                let error = json!({"code": -32601, "message": "there is no such method"});
                return Some(json!({"jsonrpc": "2.0", "id": id, "error": error}));
            }
        };
        Some(json!({"jsonrpc": "2.0", "id": id, "result": result}))
    }

    fn call(&mut self, parameters: &Value) -> Value {
        let arguments = parameters.get("arguments").unwrap_or(&Value::Null);
        let dataset = arguments.get("dataset").and_then(Value::as_str).unwrap_or("finance/sandbox").to_owned();
        let said = match parameters.get("name").and_then(Value::as_str) {
            Some("read_journal") => {
                format!("{dataset} has {} rows", self.rows.get(&dataset).copied().unwrap_or_default())
            }
            Some("post_journal") => {
                let rows = arguments.get("rows").and_then(Value::as_i64).unwrap_or_default();
                let total = self.rows.entry(dataset.clone()).or_default();
                *total = total.saturating_add(rows);
                format!("{rows} rows were posted to {dataset}")
            }
            _ => return json!({"isError": true, "content": [{"type": "text", "text": "there is no such tool"}]}),
        };
        json!({"content": [{"type": "text", "text": said}]})
    }
}

fn tools() -> Value {
    let dataset = json!({"type": "string", "description": "The journal's id."});
    json!([
        {
            "name": "read_journal",
            "description": "Says how many rows a journal has.",
            "inputSchema": {"type": "object", "properties": {"dataset": dataset}, "required": ["dataset"]},
        },
        {
            "name": "post_journal",
            "description": "Posts rows to a journal.",
            "inputSchema": {
                "type": "object",
                "properties": {
                    "dataset": dataset,
                    "rows": {"type": "integer", "description": "How many rows."},
                    "memo": {"type": "string", "description": "What for."},
                },
                "required": ["dataset", "rows"],
            },
        },
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posts_and_reads() {
        let mut ledger = Ledger::default();
        let mut call = |name: &str, arguments: Value| {
            let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}});
            ledger.answer(&message).unwrap()["result"]["content"][0]["text"].as_str().unwrap().to_owned()
        };
        assert_eq!(call("post_journal", json!({"dataset": "a", "rows": 3})), "3 rows were posted to a");
        assert_eq!(call("read_journal", json!({"dataset": "a"})), "a has 3 rows");
        assert_eq!(ledger.answer(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})), None);
    }
}
