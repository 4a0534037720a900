//! A relative path after a change of roots: the server may read it as lying in another folder by now, so it goes nowhere.

use std::path::Path;

use proviso_tests::{Parties, Story};
use serde_json::{Value, json};

use super::proxy::{Place, Proxy, command_with, sentence};
use super::story::World;

const CHANGED: &str = r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#;

/// A server that writes down every line that reaches it, and asks for the roots when told that they changed.
pub(super) fn curious(log: &Path) -> Vec<String> {
    let script = r#"
while IFS= read -r line; do
  printf '%s\n' "$line" >>"$1"
  id=$(printf %s "$line" | sed 's/.*"id":\("[^"]*"\|[0-9]*\).*/\1/')
  say() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$1"; }
  case "$line" in
    *'"initialize"'*) say '{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}' ;;
    *'/roots/list_changed"'*) echo '{"jsonrpc":"2.0","id":"roots-1","method":"roots/list"}' ;;
    *'"tools/list"'*) say '{"tools":[{"name":"write_file","inputSchema":{"type":"object"}}]}' ;;
    *'"tools/call"'*) say '{"content":[{"type":"text","text":"written"}]}' ;;
    *'"ping"'*) say '{}' ;;
  esac
done"#;
    ["sh", "-c", script, "sh", log.to_str().expect("Unicode")].map(str::to_owned).to_vec()
}

/// What reached the server, line by line.
pub(super) fn heard(log: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    // The last line may be half written.
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Asks and approves: every file inside this folder, a few times.
pub(super) async fn approve_inside(proxy: &mut Proxy, parties: &Parties, person: &str, folder: &str) {
    let ask = json!({
        "tool": "write_file", "arguments": {"path": format!("{folder}/a.md"), "content": "x"},
        "justification": "The report is due.", "uses": 3,
        "conditions": [{"at": ["path"], "op": "inside", "path": folder}]
    });
    let asked = proxy.call("proviso_request", &ask).await;
    let id = asked["structuredContent"]["request"].as_str().unwrap_or_else(|| panic!("{asked}")).to_owned();
    let vote = parties.vote(person, &id, "approve", None).await;
    assert!(vote.status.is_success(), "{vote:?}");
}

/// A write to what is no absolute path is refused before any policy sees it, as a call and as a request.
async fn assert_refused(proxy: &mut Proxy, path: &str) {
    let arguments = json!({"path": path, "content": "x"});
    let refused = proxy.call("write_file", &arguments).await;
    assert_eq!(refused["isError"], json!(true), "{path}: {refused}");
    assert_eq!(refused["_meta"]["proviso.dev/context"]["reason"], json!("bad_input"), "{path}: {refused}");
    let ask = json!({"tool": "write_file", "arguments": arguments, "justification": "due"});
    assert_eq!(proxy.call("proviso_request", &ask).await["isError"], json!(true), "{path}");
}

#[tokio::test]
async fn the_proxy_answers_for_the_roots_and_a_relative_path_goes_nowhere() {
    let story = Story::begin().await;
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("heard");
    let place = Place { gate: &story.gate.client.url, server: "files", point: &story.point, agent: &story.agent };
    let mut proxy = Proxy::spawn(command_with(place, &["--root", "/srv/files"], &curious(&log)));
    proxy.greet(&json!({"roots": {"listChanged": true}})).await;
    let person = story.gate.person("mara").await;
    approve_inside(&mut proxy, &story, &person, "/srv/files/reports").await;

    proxy.line(CHANGED).await;
    // The client answers for itself, unasked.
    proxy.line(r#"{"jsonrpc":"2.0","id":"roots-1","result":{"roots":[{"uri":"file:///etc"}]}}"#).await;
    let mut answer = None;
    for _ in 0..1000 {
        proxy.request("ping", &json!({})).await;
        answer = heard(&log).into_iter().find(|line| line["id"] == "roots-1");
        if answer.is_some() {
            break;
        }
    }
    let configured = json!({"jsonrpc": "2.0", "id": "roots-1", "result": {"roots": [{"uri": "file:///srv/files"}]}});
    assert_eq!(answer, Some(configured));

    for path in ["reports/a.md", "./reports/a.md", "a.md", "../reports/a.md", ""] {
        assert_refused(&mut proxy, path).await;
    }
    let written = proxy.call("write_file", &json!({"path": "/srv/files/reports/a.md", "content": "x"})).await;
    assert_eq!(sentence(&written), "written", "the grant is there: {written}");
    let calls: Vec<Value> = heard(&log).into_iter().filter(|line| line["method"] == "tools/call").collect();
    let paths: Vec<&Value> = calls.iter().map(|call| &call["params"]["arguments"]["path"]).collect();
    assert_eq!(paths, ["/srv/files/reports/a.md"], "and nothing else reached the server");
    let roots = heard(&log).into_iter().filter(|line| line["id"] == "roots-1").count();
    assert_eq!((roots, proxy.asked.len()), (1, 0), "the client was not asked, and its own answer went nowhere");
    assert_eq!(proxy.end().await, Some(0));
}

#[tokio::test]
async fn the_filesystem_server_writes_no_relative_path_either() {
    let world = World::begin().await;
    let reports = world.files.join("reports");
    let reports = reports.to_str().expect("Unicode");
    let story = &world.story;
    let place = Place { gate: &story.gate.client.url, server: "files", point: &story.point, agent: &story.agent };
    let mut command = command_with(place, &["--root", reports], &world.server());
    command.current_dir(&world.files);
    let mut proxy = Proxy::spawn(command);
    proxy.greet(&json!({"roots": {"listChanged": true}})).await;
    let person = story.gate.person("mara").await;
    approve_inside(&mut proxy, story, &person, reports).await;
    proxy.line(CHANGED).await;

    // The server has its folders from the proxy, not from its own start and not from the client.
    let only_reports = format!("Allowed directories:\n{reports}");
    let mut told = String::new();
    for _ in 0..1000 {
        told = sentence(&proxy.call("list_allowed_directories", &json!({})).await).to_owned();
        if told == only_reports {
            break;
        }
    }
    assert_eq!(told, only_reports);
    let before = names(&world.files);
    // Where the server stands and where its root lies: each would be written by a server alone.
    for path in ["reports/a.md", "a.md", "q4/a.md", "./reports/a.md", "../files/reports/a.md"] {
        assert_refused(&mut proxy, path).await;
    }
    let read = proxy.call("read_text_file", &json!({"path": "notes.txt"})).await;
    assert_eq!(read["_meta"]["proviso.dev/context"]["reason"], json!("bad_input"), "{read}");
    assert_eq!(names(&world.files), before, "nothing was written");
    let written = proxy.call("write_file", &json!({"path": format!("{reports}/a.md"), "content": "x"})).await;
    assert!(written["isError"] != json!(true) && Path::new(reports).join("a.md").exists(), "{written}");
    assert!(proxy.asked.is_empty(), "the client was asked: {:?}", proxy.asked);
    assert_eq!(proxy.end().await, Some(0));
}

/// The paths of everything below a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        found.push(entry.path().display().to_string());
        if entry.path().is_dir() {
            found.extend(names(&entry.path()));
        }
    }
    found.sort_unstable();
    found
}
