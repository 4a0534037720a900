//! ledger-bot: an agent behind `proviso mcp`, which sees nothing but tools and their results.

use std::env;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::pause;
use super::place::Place;

/// Posts small batches, which is in its scope, and now and then a large one, for which it has to ask.
pub(super) async fn ledger_bot(place: &Place, url: &str) {
    loop {
        if let Some(mut session) = Session::start(place, url).await {
            // A session that ends, for whatever reason, is begun again.
            while session.work().await.is_some() {}
        }
        pause(10).await;
    }
}

/// One MCP session, through the proxy.
struct Session {
    /// Held, never read: the proxy ends with it.
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    last: u64,
}

impl Session {
    /// `proviso mcp … -- proviso demo-ledger`.
    async fn start(place: &Place, url: &str) -> Option<Self> {
        let program = env::current_exe().ok()?;
        let mut child = Command::new(&program)
            .args(["mcp", "--gate", url, "--server", "ledger", "--token-file"])
            .arg(place.token("gateway"))
            .arg("--subject-token-file")
            .arg(place.token("ledger-bot"))
            .arg("--")
            .arg(&program)
            .arg("demo-ledger")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .ok()?;
        let (input, output) = (child.stdin.take()?, child.stdout.take()?);
        let mut session = Self { _child: child, input, output: BufReader::new(output).lines(), last: 0 };
        let hello = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "ledger-bot", "version": env!("CARGO_PKG_VERSION")},
        });
        session.ask("initialize", hello).await?;
        session.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await?;
        session.ask("tools/list", json!({})).await?;
        Some(session)
    }

    /// A small batch, then a large one. `None`: the session is over.
    async fn work(&mut self) -> Option<()> {
        let batch = |rows: u32| json!({"dataset": "finance/sandbox", "rows": rows, "memo": "daily close"});
        self.tool("post_journal", batch(12)).await?;
        pause(9).await;
        let large = self.tool("post_journal", batch(412)).await?;
        if is_error(&large) {
            let asked = json!({
                "tool": "post_journal",
                "arguments": batch(412),
                "justification": "The backlog of the weekend is posted in one batch.",
                "duration": "30m",
            });
            let asked = self.tool("proviso_request", asked).await?;
            if let Some(id) = asked.pointer("/structuredContent/request").and_then(Value::as_str).map(str::to_owned) {
                while self.is_pending(&id).await? {}
                self.tool("post_journal", batch(412)).await?;
            }
        }
        pause(30).await;
        Some(())
    }

    async fn is_pending(&mut self, id: &str) -> Option<bool> {
        let waited = self.tool("proviso_wait", json!({"request": id, "seconds": 30})).await?;
        let status = waited.pointer("/structuredContent/status").and_then(Value::as_str);
        Some(status == Some("pending"))
    }

    async fn tool(&mut self, name: &str, arguments: Value) -> Option<Value> {
        self.ask("tools/call", json!({"name": name, "arguments": arguments})).await
    }

    /// One request, and its result. What the server asks meanwhile is left unanswered: this one asks nothing.
    async fn ask(&mut self, method: &str, params: Value) -> Option<Value> {
        self.last += 1;
        let id = self.last;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await?;
        loop {
            let line = self.output.next_line().await.ok()??;
            let message: Value = serde_json::from_str(&line).ok()?;
            if message.get("id").and_then(Value::as_u64) == Some(id) {
                return message.get("result").cloned();
            }
        }
    }

    async fn send(&mut self, message: &Value) -> Option<()> {
        self.input.write_all(format!("{message}\n").as_bytes()).await.ok()?;
        self.input.flush().await.ok()
    }
}

fn is_error(result: &Value) -> bool {
    result.get("isError") == Some(&Value::Bool(true))
}
