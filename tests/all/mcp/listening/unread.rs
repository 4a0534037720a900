//! Clients that do not read: what waits for all of one agent has a bound, and nobody else pays for it.

use std::net::SocketAddr;

use proviso_tests::until;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};

use super::proxy::{Listening, NOW, answer_of, code_of, stateless_body};

/// A call over a connection of which nothing is read, and that has hardly any room itself.
async fn unread(proxy: &Listening, token: &str, id: i64) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4 * 1024).expect("set");
    let host = proxy.resource.trim_start_matches("http://").trim_end_matches("/mcp");
    let mut stream = socket.connect(host.parse::<SocketAddr>().expect("an address")).await.expect("connected");
    let body = stateless_body(&json!(id), "tools/call", &json!({"name": "much", "arguments": {}})).to_string();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\nmcp-protocol-version: {NOW}\r\nmcp-method: tools/call\r\n\
         mcp-name: much\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("written");
    stream.write_all(body.as_bytes()).await.expect("written");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_does_not_read_is_refused_in_each_of_its_tasks_and_no_other_is() {
    let proxy = Listening::start().await;
    let mut streams = Vec::new();
    for id in 0..20 {
        streams.push(unread(&proxy, &proxy.agent, id).await);
    }
    until("the server works on all of them", async || (proxy.upstream.calls().len() == 20).then_some(())).await;
    let other_task = proxy.gate.agent_at(&proxy.resource, "report-writer", "other-task", Some("ines")).await;
    let params = json!({"name": "echo", "arguments": {}});
    for token in [&proxy.agent, &other_task] {
        until("there is no room for more", async || {
            // What the connections themselves take in is not the proxy's: more comes, until that is full.
            proxy.upstream.go_on.notify_waiters();
            let answer = proxy.stateless(token, "tools/call", &params).send().await.expect("an answer");
            let status = answer.status().as_u16();
            (status == 429).then_some(())?;
            let told = answer.json().await.expect("JSON");
            assert_eq!(code_of(&told), "too_many_calls", "{told}");
            Some(())
        })
        .await;
    }
    let other = proxy.gate.agent_at(&proxy.resource, "ledger-bot", "daily-close", Some("ines")).await;
    assert_eq!(proxy.call(&other, "echo", &json!({})).await["result"]["isError"], json!(false));
    // Whoever goes away is waited for no longer.
    drop(streams);
    until("there is room again", async || {
        let answer = proxy.stateless(&proxy.agent, "tools/call", &params).send().await.expect("an answer");
        (answer.status() == 200).then_some(answer)
    })
    .await;
    let told = proxy.stateless(&proxy.agent, "tools/call", &params).send().await.expect("an answer");
    assert_eq!(answer_of(told).await["result"]["isError"], json!(false));
}
