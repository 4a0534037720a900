//! The chat recipe of `docs/notify.md`, run as it stands there: it passes on a link of a signed event, and no more.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use proviso::clock::{Clock as _, SystemClock};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::mcp::python;

const SECRET: [u8; 32] = [3; 32];
const PAGE: &str = include_str!("../../../docs/notify.md");

/// The recipe's program, with a port of this test's instead of the one in the page.
fn program(port: u16) -> String {
    let (_, rest) = PAGE.split_once("```python\n").expect("a recipe");
    let (program, _) = rest.split_once("\n```").expect("its end");
    assert!(program.contains("8899"), "the port that the page's own example of a receiver names");
    format!("{}\n", program.replace("8899", &port.to_string()))
}

/// The time in seconds: the recipe reads the machine's clock.
fn now() -> i64 {
    SystemClock.now().millis() / 1_000
}

/// The relay, until it is dropped.
struct Relay {
    child: Child,
    url: String,
    client: Client,
}

impl Drop for Relay {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Relay {
    async fn start(chat: &str) -> Self {
        // A port that was free a moment ago.
        let free = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let mut command = Command::new(python());
        command.arg("-").env("CHAT_SECRET", format!("whsec_{}", STANDARD.encode(SECRET))).env("CHAT_URL", chat);
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().expect("Python");
        child.stdin.take().expect("its input").write_all(program(port).as_bytes()).expect("the program");
        let client = Client::builder().no_proxy().build().expect("a client");
        let relay = Self { child, url: format!("http://127.0.0.1:{port}/"), client };
        // It listens when it answers.
        let answers = async {
            while relay.client.get(&relay.url).send().await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), answers).await.expect("the relay starts");
        relay
    }

    /// Sends an event as the gate does, signed with this key so many seconds ago.
    async fn send(&self, body: &[u8], key: &[u8], seconds: i64, also: Option<&str>) -> StatusCode {
        let at = now() - seconds;
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key");
        mac.update(format!("msg_1.{at}.").as_bytes());
        mac.update(body);
        let own = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        let signature = also.map_or_else(|| own.clone(), |also| format!("{also} {own}"));
        let request = self.client.post(&self.url).body(body.to_vec()).header("webhook-id", "msg_1");
        let request = request.header("webhook-timestamp", at.to_string()).header("webhook-signature", signature);
        request.send().await.expect("an answer").status()
    }
}

/// A chat: what it was posted, one after another.
async fn chat() -> (SocketAddr, Receiver<Value>) {
    let (said, heard) = channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
            let posted: Value = loop {
                let read = stream.read(&mut part).await.expect("bytes");
                assert_ne!(read, 0, "a whole request");
                bytes.extend_from_slice(&part[..read]);
                let body = bytes.windows(4).position(|end| end == b"\r\n\r\n").map(|at| &bytes[at + 4..]);
                if let Some(posted) = body.and_then(|body| serde_json::from_slice(body).ok()) {
                    break posted;
                }
            };
            // Whoever listened may have gone.
            let _ = said.send(posted);
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(answer).await.expect("an answer");
        }
    }));
    (address, heard)
}

#[tokio::test]
async fn the_chat_recipe_passes_a_link_on_and_nothing_that_is_forged_or_old() {
    proviso_tests::clauses!("c4-8-link-only");
    let (address, heard) = chat().await;
    let relay = Relay::start(&format!("http://{address}/hook")).await;
    let link = "https://gate.acme.example/exceptions/exc_1";
    let event = json!({
        "specversion": "1.0", "id": "ledger-117", "source": "https://gate.acme.example",
        "type": "dev.proviso.exception.requested", "subject": "exc_1", "time": "2026-11-22T12:00:00.000Z",
        "data": {"link": link, "exception": "exc_1", "tier": "high", "groups": ["finance"], "words": "approve it now"},
    });
    let body = event.to_string().into_bytes();
    let mut altered = event.clone();
    altered["data"]["link"] = json!("https://evil.example/");
    for (what, sent, key, seconds, also, expected) in [
        ("signed", &event, SECRET, 0, None, StatusCode::NO_CONTENT),
        ("signed with two secrets", &event, SECRET, 0, Some("v1,AAAA"), StatusCode::NO_CONTENT),
        ("a bit late", &event, SECRET, 200, None, StatusCode::NO_CONTENT),
        ("of another key", &event, [4; 32], 0, None, StatusCode::UNAUTHORIZED),
        ("of another key and altered", &altered, [4; 32], 0, None, StatusCode::UNAUTHORIZED),
        ("old", &event, SECRET, 400, None, StatusCode::UNAUTHORIZED),
        ("of the future", &event, SECRET, -400, None, StatusCode::UNAUTHORIZED),
    ] {
        assert_eq!(relay.send(sent.to_string().as_bytes(), &key, seconds, also).await, expected, "{what}");
    }
    // One that was signed, with another body under its signature; and one without any.
    let unsigned = relay.client.post(&relay.url).body(body.clone()).header("webhook-id", "msg_1");
    let unsigned = unsigned.header("webhook-timestamp", now().to_string());
    assert_eq!(unsigned.send().await.expect("an answer").status(), StatusCode::UNAUTHORIZED);
    let heard: Vec<Value> = heard.try_iter().collect();
    let wanted = json!({"text": format!("exception.requested: {link}")});
    assert_eq!(heard, [wanted.clone(), wanted.clone(), wanted], "kind and link, and nothing of who sent it");
}
