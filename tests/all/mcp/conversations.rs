//! A recorded conversation is the same with and without the proxy: as bytes where nothing is gated, as JSON elsewhere.

use std::collections::BTreeMap;
use std::path::Path;

use proviso::store::bundle_folder;
use proviso_tests::{Setup, TestGate};
use serde_json::Value;
use tokio::process::Command;

use super::proxy::{Place, binary, node_modules, npm_server, python, script};

/// What passes unjudged, by the method of the request.
const PASSES: [&str; 3] = ["initialize", "ping", "server/discover"];

fn allow_all() -> BTreeMap<String, String> {
    bundle_folder::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("mcp/allow-all")).expect("the bundle can be read")
}

struct Conversation {
    name: &'static str,
    client: Vec<String>,
    server: Vec<String>,
}

fn conversations() -> Vec<Conversation> {
    let python = python().to_str().expect("a path in Unicode").to_owned();
    let everything = npm_server("server-everything");
    let time = vec![python.clone(), "-m".to_owned(), "mcp_server_time".to_owned()];
    vec![
        Conversation {
            name: "node",
            client: vec!["node".to_owned(), script("conversation.mjs")],
            server: everything.clone(),
        },
        Conversation {
            name: "python",
            client: vec![python.clone(), script("conversation.py"), "everything".to_owned()],
            server: everything,
        },
        Conversation {
            name: "python, later era",
            client: vec![python, script("conversation.py"), "time".to_owned()],
            server: time,
        },
    ]
}

/// Plays a conversation, with every line of both sides written down in between.
async fn record(conversation: &Conversation, proxy: &[String], file: &Path) -> Vec<(String, String)> {
    let tee = ["node".to_owned(), script("tee.mjs"), file.to_str().expect("a path in Unicode").to_owned()];
    let all: Vec<&String> = conversation.client.iter().chain(&tee).chain(proxy).chain(&conversation.server).collect();
    let mut command = Command::new(all[0]);
    command.args(&all[1..]).env("PROVISO_NODE_MODULES", node_modules());
    let done = command.output().await.expect("the client starts");
    assert!(done.status.success(), "{}: {}", conversation.name, String::from_utf8_lossy(&done.stderr));
    let text = std::fs::read_to_string(file).expect("the record");
    text.lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).expect("JSON");
            let text = |name: &str| line[name].as_str().expect("a text").to_owned();
            (text("side"), text("line"))
        })
        .collect()
}

fn of(side: &str, record: &[(String, String)]) -> Vec<String> {
    record.iter().filter(|(of, _)| of == side).map(|(_, line)| line.clone()).collect()
}

/// The methods of a client's requests, by id.
fn methods(record: &[(String, String)]) -> BTreeMap<String, String> {
    let requests = of("client", record).into_iter().filter_map(|line| {
        let message: Value = serde_json::from_str(&line).ok()?;
        Some((message.get("id")?.to_string(), message.get("method")?.as_str()?.to_owned()))
    });
    requests.collect()
}

#[tokio::test]
async fn each_is_the_same_with_and_without_the_proxy() {
    let gate = TestGate::with(Setup { bundle: allow_all(), ..Setup::default() }).await;
    let folder = tempfile::tempdir().expect("a folder");
    let point = folder.path().join("point");
    let agent = folder.path().join("agent");
    std::fs::write(&point, gate.point("proxy", &["upstream"]).await).expect("written");
    std::fs::write(&agent, gate.agent("talker", "talk", Some("ines")).await).expect("written");
    let place = Place { gate: &gate.client.url, server: "upstream", point: "", agent: "" };
    let proxy: Vec<String> = [
        binary().to_str().expect("a path"),
        "mcp",
        "--gate",
        place.gate,
        "--server",
        place.server,
        "--token-file",
        point.to_str().expect("a path"),
        "--subject-token-file",
        agent.to_str().expect("a path"),
        "--",
    ]
    .map(str::to_owned)
    .to_vec();

    for conversation in conversations() {
        let name = conversation.name;
        let plain = record(&conversation, &[], &folder.path().join(format!("{name} plain"))).await;
        let gated = record(&conversation, &proxy, &folder.path().join(format!("{name} gated"))).await;
        assert_eq!(of("client", &plain), of("client", &gated), "{name}: the client says the same");
        let methods = methods(&plain);
        let (plain, gated) = (of("server", &plain), of("server", &gated));
        assert_eq!(plain.len(), gated.len(), "{name}: {gated:#?}");
        let mut judged = 0;
        for (plain, gated) in plain.iter().zip(&gated) {
            let expected: Value = serde_json::from_str(plain).expect("JSON");
            let mut heard: Value = serde_json::from_str(gated).expect("JSON");
            // A server numbers its own requests as the client does.
            let answer = expected.get("method").is_none();
            let id = expected.get("id").filter(|_| answer);
            let method = id.and_then(|id| methods.get(&id.to_string()));
            if method.is_some_and(|method| !PASSES.contains(&method.as_str())) {
                judged += 1;
            } else {
                assert_eq!(plain, gated, "{name}: nothing is gated here");
            }
            if method.is_some_and(|method| method == "tools/list") {
                let ours = |tool: &Value| tool["name"].as_str().is_some_and(|name| name.starts_with("proviso_"));
                let tools = heard["result"]["tools"].as_array_mut().expect("tools");
                assert_eq!(tools.iter().filter(|tool| ours(tool)).count(), 4);
                tools.retain(|tool| !ours(tool));
            }
            assert_eq!(expected, heard, "{name}");
        }
        assert!(judged >= 3, "{name}: something was judged");
    }
}
