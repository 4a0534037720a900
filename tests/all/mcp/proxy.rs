//! `proviso mcp` as a child process, spoken to in raw lines.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn from_environment(name: &str, default: PathBuf) -> PathBuf {
    let path = std::env::var_os(name).map_or(default, PathBuf::from);
    assert!(path.exists(), "{} is missing: `cargo xtask build` makes it, or set {name}", path.display());
    path
}

/// The real binary.
pub fn binary() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    from_environment("PROVISO_BINARY", target.join("debug/proviso"))
}

/// Where the npm packages are.
pub fn node_modules() -> PathBuf {
    from_environment("PROVISO_NODE_MODULES", root().join("tests/e2e/node_modules"))
}

/// A Python with the packages of `tests/e2e/requirements.txt`.
pub fn python() -> PathBuf {
    std::env::var_os("PROVISO_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from)
}

/// A file of `tests/mcp`.
pub fn script(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("mcp").join(name);
    path.to_str().expect("a path in Unicode").to_owned()
}

/// An npm server's start.
pub fn npm_server(package: &str) -> Vec<String> {
    let path = node_modules().join("@modelcontextprotocol").join(package).join("dist/index.js");
    vec!["node".to_owned(), path.to_str().expect("a path in Unicode").to_owned()]
}

/// The credentials and the place of a proxy.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub gate: &'a str,
    pub server: &'a str,
    pub point: &'a str,
    pub agent: &'a str,
}

/// The command that stands before a server.
pub fn command(place: Place<'_>, server: &[String]) -> Command {
    command_with(place, &[], server)
}

/// The same with more options.
pub fn command_with(place: Place<'_>, options: &[&str], server: &[String]) -> Command {
    let mut command = Command::new(binary());
    command.args(["mcp", "--gate", place.gate, "--server", place.server]).args(options).arg("--").args(server);
    command.env("PROVISO_TOKEN", place.point).env("PROVISO_SUBJECT_TOKEN", place.agent).kill_on_drop(true);
    // Gates of tests come and go under one address: what a proxy saw of one says nothing of the next.
    command.env_remove("XDG_STATE_HOME").env_remove("HOME");
    command
}

/// A proxy that runs.
pub struct Proxy {
    child: Child,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    last: u64,
    /// The methods that the client was asked for.
    pub asked: Vec<String>,
}

impl Proxy {
    /// Starts one; nothing is said yet.
    pub fn start(place: Place<'_>, server: &[String]) -> Self {
        Self::spawn(command(place, server))
    }

    /// The same for a command of [`command_with`].
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the proxy starts");
        let input = child.stdin.take();
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self { child, input, lines, last: 0, asked: Vec::new() }
    }

    /// Starts one and shakes hands (2025-11-25).
    pub async fn greeted(place: Place<'_>, server: &[String]) -> Self {
        let mut proxy = Self::start(place, server);
        proxy.greet(&json!({})).await;
        proxy
    }

    /// Shakes hands (2025-11-25).
    pub async fn greet(&mut self, capabilities: &Value) {
        let params = json!({
            "protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": {"name": "test", "version": "1"}
        });
        let answer = self.request("initialize", &params).await;
        assert_eq!(answer["result"]["protocolVersion"], json!("2025-11-25"), "{answer}");
        self.line(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await;
    }

    /// Writes a line.
    pub async fn line(&mut self, line: &str) {
        self.bytes(line.as_bytes()).await;
    }

    /// Writes a line of whatever bytes.
    pub async fn bytes(&mut self, line: &[u8]) {
        let input = self.input.as_mut().expect("its input is open");
        input.write_all(&[line, b"\n"].concat()).await.expect("written");
    }

    /// The next message, whatever it is.
    pub async fn next(&mut self) -> Value {
        let line = self.lines.next_line().await.expect("read").expect("one more line");
        serde_json::from_str(&line).expect("nothing but JSON on standard output")
    }

    /// The next answer.
    pub async fn hear(&mut self) -> Value {
        loop {
            let message = self.next().await;
            match message["method"].as_str() {
                Some(method) if message.get("id").is_some() => self.asked.push(method.to_owned()),
                Some(_) => {}
                None => return message,
            }
        }
    }

    /// Asks, and answers with the answer.
    pub async fn request(&mut self, method: &str, params: &Value) -> Value {
        self.last += 1;
        let message = json!({"jsonrpc": "2.0", "id": self.last, "method": method, "params": params});
        self.line(&message.to_string()).await;
        let answer = self.hear().await;
        assert_eq!(answer["id"], json!(self.last), "{answer}");
        answer
    }

    /// Calls a tool: its result. ARAP 21.3.4: none tells a model where people review, nor one of ours an approval's id.
    pub async fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let answer = self.request("tools/call", &json!({"name": tool, "arguments": arguments})).await;
        let text = answer.to_string();
        assert!(!text.contains("/exceptions/"), "where people review: {text}");
        assert!(!tool.starts_with("proviso_") || !text.contains("\"grant_"), "an approval's id: {text}");
        answer["result"].clone()
    }

    /// Goes, and answers with the exit code.
    pub async fn end(mut self) -> Option<i32> {
        drop(self.input.take());
        self.child.wait().await.expect("it ends").code()
    }

    /// Ends it as the kernel does when memory is short: it says and reports nothing more.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("a process of ours");
    }

    /// Waits until it goes by itself.
    pub async fn ended(mut self) -> Option<i32> {
        self.child.wait().await.expect("it ends").code()
    }
}

/// A result's sentence.
pub fn sentence(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}
