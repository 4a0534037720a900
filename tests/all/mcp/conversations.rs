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

/// Every line of a conversation, as it came: who wrote it, and what.
type Lines = Vec<(String, String)>;

/// Stands in between and writes down every line of both sides.
fn tee(file: &Path) -> [String; 3] {
    ["node".to_owned(), script("tee.mjs"), file.to_str().expect("a path in Unicode").to_owned()]
}

/// Plays a conversation: what was said at the client's end, and at the server's.
async fn record(conversation: &Conversation, proxy: &[String], folder: &Path) -> (Lines, Lines) {
    let (near, far) = (folder.join("near"), folder.join("far"));
    for file in [&near, &far] {
        // What an earlier conversation left.
        std::fs::write(file, "").expect("written");
    }
    let (client, tees) = (&conversation.client, [tee(&near), tee(&far)]);
    let all = client.iter().chain(&tees[0]).chain(proxy).chain(&tees[1]).chain(&conversation.server);
    let all: Vec<&String> = all.collect();
    let mut command = Command::new(all[0]);
    command.args(&all[1..]).env("PROVISO_NODE_MODULES", node_modules());
    let done = command.output().await.expect("the client starts");
    assert!(done.status.success(), "{}: {}", conversation.name, String::from_utf8_lossy(&done.stderr));
    (lines(&near), lines(&far))
}

fn lines(file: &Path) -> Lines {
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

fn json(line: &str) -> Value {
    serde_json::from_str(line).expect("JSON")
}

/// The requests among the lines.
fn requests(lines: &[String]) -> Vec<Value> {
    lines
        .iter()
        .map(|line| json(line))
        .filter(|line| line.get("id").is_some() && line.get("method").is_some())
        .collect()
}

/// At the server's end a line is what it is at the client's: as bytes where nothing is judged, as JSON where it is.
fn assert_passed_on(name: &str, near: &[(String, String)], far: &[(String, String)]) {
    // What the proxy asks for itself, and what it hears.
    let is_own = |line: &String| json(line)["id"].as_str().is_some_and(|id| id.starts_with("proviso_"));
    let at = |end: &[(String, String)], side: &str| -> Vec<String> {
        of(side, end).into_iter().filter(|line| !is_own(line)).collect()
    };
    let is_judged = |line: &String| {
        let line = json(line);
        line.get("id").is_some() && line["method"].as_str().is_some_and(|method| !PASSES.contains(&method))
    };
    let (said, heard) = (at(near, "client"), at(far, "client"));
    let passed = |lines: &[String]| -> Vec<String> { lines.iter().filter(|line| !is_judged(line)).cloned().collect() };
    assert_eq!(passed(&said), passed(&heard), "{name}: the server hears what nobody judged byte for byte");
    let judged = |lines: &[String]| -> BTreeMap<String, Value> {
        let judged = lines.iter().filter(|line| is_judged(line)).map(|line| json(line));
        judged.map(|line| (line["id"].to_string(), line)).collect()
    };
    assert_eq!(judged(&said), judged(&heard), "{name}: and what was judged as the same JSON");
    // The list of tools is longer on the way back; everything else is what the server said.
    let is_list = |line: &String| json(line)["result"]["tools"].is_array();
    let back = |lines: Vec<String>| -> Vec<String> { lines.into_iter().filter(|line| !is_list(line)).collect() };
    assert_eq!(back(at(far, "server")), back(at(near, "server")), "{name}: what comes back is as the server said it");
}

/// That the conversation was the one that it is here for.
fn assert_meant(name: &str, record: &[(String, String)]) {
    let (client, server) = (requests(&of("client", record)), requests(&of("server", record)));
    let asked: Vec<&str> = server.iter().filter_map(|line| line["method"].as_str()).collect();
    let greets = client.iter().any(|line| line["method"] == "initialize");
    match name {
        "node" => assert_eq!(asked, ["elicitation/create", "sampling/createMessage"], "{name}: {server:?}"),
        "python, later era" => {
            let version = |line: &Value| line["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"].clone();
            assert!(!greets && client.len() >= 3, "{name}: {client:?}");
            assert!(client.iter().all(|line| version(line) == "2026-07-28"), "{name}: {client:?}");
            return;
        }
        _ => {}
    }
    assert!(greets, "{name}: {client:?}");
}

/// The methods of a client's requests, by id.
fn methods(record: &[(String, String)]) -> BTreeMap<String, String> {
    let method = |line: &Value| line["method"].as_str().unwrap_or_default().to_owned();
    requests(&of("client", record)).iter().map(|line| (line["id"].to_string(), method(line))).collect()
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
        "--state",
        folder.path().to_str().expect("a path"),
        "--",
    ]
    .map(str::to_owned)
    .to_vec();

    for conversation in conversations() {
        let name = conversation.name;
        let (plain, _) = record(&conversation, &[], folder.path()).await;
        let (gated, far) = record(&conversation, &proxy, folder.path()).await;
        assert_meant(name, &plain);
        assert_passed_on(name, &gated, &far);
        assert_eq!(of("client", &plain), of("client", &gated), "{name}: the client says the same");
        let methods = methods(&plain);
        let (plain, gated) = (of("server", &plain), of("server", &gated));
        assert_eq!(plain.len(), gated.len(), "{name}: {gated:#?}");
        let mut judged = 0;
        for (plain, gated) in plain.iter().zip(&gated) {
            let (expected, mut heard) = (json(plain), json(gated));
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
