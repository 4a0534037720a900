//! Agents behind `proviso mcp`, which see nothing but tools and their results.

use std::env;
use std::ffi::OsString;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::pause;
use super::place::Place;

/// ledger-bot posts small batches, which is in its scope, and now and then a large one, for which it has to ask. The
/// ledger is the binary itself.
pub(super) async fn ledger_bot(place: &Place, url: &str) {
    loop {
        let ledger = env::current_exe().map(|program| vec![program.into_os_string(), "demo-ledger".into()]);
        if let Ok(ledger) = ledger
            && let Some(mut session) = Session::start(place, url, "ledger", "ledger-bot", &ledger).await
        {
            // A session that ends, for whatever reason, is begun again.
            while session.post().await.is_some() {}
        }
        pause(10).await;
    }
}

/// report-writer with the filesystem server of another author: reads, which is in its scope, and writes to `reports/`,
/// which is not.
pub(super) async fn report_writer(place: &Place, url: &str, server: &[OsString]) {
    let mut week = 46;
    loop {
        if let Some(mut session) = Session::start(place, url, "files", "report-writer", server).await {
            while session.report(place, week).await.is_some() {
                week += 1;
            }
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
    /// `proviso mcp … -- COMMAND`.
    async fn start(place: &Place, url: &str, server: &str, agent: &str, command: &[OsString]) -> Option<Self> {
        let mut child = Command::new(env::current_exe().ok()?)
            .args(["mcp", "--gate", url, "--server", server, "--token-file"])
            .arg(place.token("gateway"))
            .arg("--subject-token-file")
            .arg(place.token(agent))
            .arg("--state")
            .arg(place.state())
            .arg("--")
            .args(command)
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
            "clientInfo": {"name": agent, "version": env!("CARGO_PKG_VERSION")},
        });
        session.ask("initialize", hello).await?;
        session.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await?;
        session.ask("tools/list", json!({})).await?;
        Some(session)
    }

    /// A small batch, then a large one. `None`: the session is over.
    async fn post(&mut self) -> Option<()> {
        let batch = |rows: u32| json!({"dataset": "finance/sandbox", "rows": rows, "memo": "daily close"});
        self.tool("post_journal", batch(12)).await?;
        pause(9).await;
        let wish = json!({
            "tool": "post_journal",
            "arguments": batch(412),
            "justification": "The backlog of the weekend is posted in one batch.",
            "duration": "30m",
        });
        self.until_done(wish).await?;
        pause(30).await;
        Some(())
    }

    /// Reads last week's report, and writes one. `None`: the session is over.
    async fn report(&mut self, place: &Place, week: u32) -> Option<()> {
        let reports = place.files().join("reports");
        self.tool("read_text_file", json!({"path": place.files().join("week-46.md")})).await?;
        pause(4).await;
        let wish = json!({
            "tool": "write_file",
            "arguments": {
                "path": reports.join(format!("week-{week}.md")),
                "content": format!("# Report for week {week}\n\nOrders up 4 %, returns flat.\n"),
            },
            "justification": format!("The team expects the report of week {week} in reports/ before noon."),
            "duration": "30m",
            "uses": 3,
            "conditions": [{"at": ["path"], "op": "inside", "path": reports}],
        });
        self.until_done(wish).await?;
        pause(25).await;
        Some(())
    }

    /// Makes the call of a wish; where that is refused, asks for it, waits for people, and tries again.
    async fn until_done(&mut self, wish: Value) -> Option<()> {
        let tool = wish.get("tool").and_then(Value::as_str)?.to_owned();
        let arguments = wish.get("arguments")?.clone();
        if is_error(&self.tool(&tool, arguments.clone()).await?) {
            let asked = self.tool("proviso_request", wish).await?;
            if let Some(id) = asked.pointer("/structuredContent/request").and_then(Value::as_str).map(str::to_owned) {
                while self.is_pending(&id).await? {}
                self.tool(&tool, arguments).await?;
            }
        }
        Some(())
    }
    async fn is_pending(&mut self, id: &str) -> Option<bool> {
        let waited = self.tool("proviso_wait", json!({"request": id, "seconds": 30})).await?;
        let questions = waited.pointer("/structuredContent/questions").and_then(Value::as_array);
        let is_open = |question: &&Value| question.get("answered") == Some(&Value::Bool(false));
        for question in questions.into_iter().flatten().filter(is_open) {
            let answer = "A scripted agent knows no more than its request says; the team that owns it does.";
            let number = question.get("question");
            self.tool("proviso_answer", json!({"request": id, "question": number, "answer": answer})).await?;
        }
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
