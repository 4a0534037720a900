//! What a server asks in the middle of a call that an exception permits, on the real gate and in both eras: the whole
//! exchange is one call and one use, and an answer passes only where policy permits it.

use std::collections::BTreeSet;
use std::path::Path;

use proviso::store::bundle_folder;
use proviso_tests::{Parties, Setup, Story, TestGate};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::proxy::{Place, Proxy, python, script, sentence};

/// In which era a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Era {
    Earlier,
    Later,
}

impl Era {
    /// Parameters as a client of this era writes them.
    fn params(self, mut params: Value) -> Value {
        if self == Self::Later {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}
            });
        }
        params
    }

    /// Calls a tool: its result.
    async fn call(self, proxy: &mut Proxy, tool: &str, arguments: &Value) -> Value {
        let params = self.params(json!({"name": tool, "arguments": arguments}));
        let result = proxy.request("tools/call", &params).await["result"].clone();
        assert_eq!(result.get("resultType").is_some(), self == Self::Later, "{result}");
        result
    }
}

/// A gate at which every call of a tool needs mara, and talker behind a proxy.
async fn begin() -> Story {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mcp/asking");
    let bundle = bundle_folder::read(&folder).expect("the bundle can be read");
    let gate = TestGate::with(Setup { bundle, ..Setup::default() }).await;
    let point = gate.point("proxy", &["upstream"]).await;
    let agent = gate.agent("talker", "talk", Some("ines")).await;
    let client = gate.client.clone();
    Story::of(gate, Parties { client, point, agent })
}

fn start(story: &Story, server: &[String]) -> Proxy {
    let place = Place { gate: &story.gate.client.url, server: "upstream", point: &story.point, agent: &story.agent };
    Proxy::start(place, server)
}

/// Asks over the proxy's own tools, and mara approves over HTTP: the exception's id and mara's session.
async fn approve(story: &Story, proxy: &mut Proxy, era: Era, tool: &str, arguments: &Value) -> (String, String) {
    let ask = json!({"tool": tool, "arguments": arguments, "justification": "the customer waits"});
    let asked = era.call(proxy, "proviso_request", &ask).await;
    let id = asked["structuredContent"]["request"].as_str().unwrap_or_else(|| panic!("{asked}")).to_owned();
    let mara = story.gate.person("mara").await;
    let vote = story.vote(&mara, &id, "approve", None).await;
    assert!(vote.status.is_success(), "{vote:?}");
    let waited = era.call(proxy, "proviso_wait", &json!({"request": id})).await;
    assert_eq!(waited["structuredContent"]["status"], json!("approved"), "{waited}");
    (id, mara)
}

async fn exception(story: &Story, mara: &str, id: &str) -> Value {
    story.gate.client.get(&format!("/api/v1/exceptions/{id}"), Some(mara)).await.json()
}

/// The recorded evaluations that were uses: action, call and whether permitted, oldest first.
fn recorded(story: &Story) -> Vec<(String, String, bool)> {
    let database = Connection::open(story.gate.data().join("record.sqlite")).expect("the database");
    let mut statement = database
        .prepare("SELECT bytes FROM payload WHERE log = 'decisions/main' AND name = 'decision' ORDER BY seq")
        .expect("the payloads");
    let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
    let decisions = rows.map(|row| serde_json::from_slice::<Value>(&row.expect("a row")).expect("JSON"));
    let uses = decisions.filter(|decision| decision["purpose"] == "use" && decision["call"].is_string());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    uses.map(|decision| {
        let permitted = text(&decision["answer"]["outcome"]).starts_with("permitted");
        (text(&decision["action"]), text(&decision["call"]), permitted)
    })
    .collect()
}

/// What the server heard.
fn heard(log: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).expect("what the server heard");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Calls `transfer` and answers its question with an amount: what the call gives in the end.
async fn exchange(proxy: &mut Proxy, era: Era, arguments: &Value, amount: u32) -> Value {
    let answer = json!({"action": "accept", "content": {"amount": amount}});
    if era == Era::Later {
        let result = era.call(proxy, "transfer", arguments).await;
        assert_eq!(result["inputRequests"]["amount"]["method"], json!("elicitation/create"), "{result}");
        let mut params = era.params(json!({"name": "transfer", "arguments": arguments}));
        params["inputResponses"] = json!({"amount": answer});
        params["requestState"] = result["requestState"].clone();
        return proxy.request("tools/call", &params).await["result"].clone();
    }
    let call = json!({"jsonrpc": "2.0", "id": "call", "method": "tools/call",
        "params": {"name": "transfer", "arguments": arguments}});
    proxy.line(&call.to_string()).await;
    let question = proxy.next().await;
    assert_eq!((&question["method"], &question["id"]), (&json!("elicitation/create"), &json!("ask-1")));
    proxy.line(&json!({"jsonrpc": "2.0", "id": "ask-1", "result": answer}).to_string()).await;
    let told = proxy.hear().await;
    assert_eq!(told["id"], json!("call"), "{told}");
    told["result"].clone()
}

#[tokio::test]
async fn an_exchange_is_one_call_and_one_use_and_its_answer_a_question_of_its_own() {
    for (era, amount) in [(Era::Earlier, 50), (Era::Earlier, 5_000), (Era::Later, 50), (Era::Later, 5_000)] {
        let case = format!("{era:?} {amount}");
        let permitted = amount <= 100;
        let story = begin().await;
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("heard");
        let server = ["node".to_owned(), script("asking.mjs"), log.to_str().expect("Unicode").to_owned()];
        let mut proxy = start(&story, &server);
        let arguments = json!({"to": "ACME"});
        let (id, mara) = approve(&story, &mut proxy, era, "transfer", &arguments).await;

        let result = exchange(&mut proxy, era, &arguments, amount).await;
        assert_eq!(result["isError"] != json!(true), permitted, "{case}: {result}");
        assert_eq!(proxy.end().await, Some(0), "{case}: and the last reports are in");

        let lines = heard(&log);
        let answered = lines.iter().any(|line| line.to_string().contains(&format!("\"amount\":{amount}")));
        assert_eq!(answered, permitted, "{case}: {lines:?}");
        let refused = lines.iter().find(|line| line["id"] == "ask-1").map(|line| line["error"].is_object());
        assert_eq!(refused, (era == Era::Earlier).then_some(!permitted), "{case}: {lines:?}");
        let reported = match (era, permitted) {
            (_, true) => "executed",
            (Era::Earlier, false) => "failed",
            (Era::Later, false) => "outcome_unknown",
        };
        if reported == "outcome_unknown" {
            let told = sentence(&result);
            assert!(told.contains("unknown") && !told.contains("not run"), "{case}: {told}");
        }
        let detail = exception(&story, &mara, &id).await;
        assert_eq!(proviso_tests::uses(&detail), Some(1), "{case}: one use across the exchange");
        assert_eq!(detail["uses"][0]["reported"], json!(reported), "{case}: {detail:#}");
        let recorded = recorded(&story);
        let actions: Vec<(&str, bool)> = recorded.iter().map(|(action, _, ok)| (action.as_str(), *ok)).collect();
        assert_eq!(actions, [("tools/call", true), ("elicitation/answer", permitted)], "{case}");
        let calls: BTreeSet<&str> = recorded.iter().map(|(_, call, _)| call.as_str()).collect();
        assert_eq!(calls, BTreeSet::from([detail["uses"][0]["call"].as_str().unwrap_or_default()]), "{case}: one call");
    }
}

#[tokio::test]
async fn a_server_of_another_author_is_gated_in_the_later_era() {
    let story = begin().await;
    let python = python().to_str().expect("a path in Unicode").to_owned();
    let mut proxy = start(&story, &[python, "-m".to_owned(), "mcp_server_time".to_owned()]);
    let era = Era::Later;
    let discovered = proxy.request("server/discover", &era.params(json!({}))).await;
    assert_eq!(discovered["result"]["supportedVersions"], json!(["2026-07-28"]), "{discovered}");

    let arguments = json!({"source_timezone": "Europe/Berlin", "time": "12:30", "target_timezone": "Asia/Tokyo"});
    let refused = era.call(&mut proxy, "convert_time", &arguments).await;
    assert_eq!((&refused["isError"], &refused["resultType"]), (&json!(true), &json!("complete")), "{refused}");
    assert!(sentence(&refused).contains("was not run") && sentence(&refused).contains("proviso_request"), "{refused}");
    assert!(refused["_meta"]["proviso.dev/context"]["access_request"].is_object(), "{refused}");

    let (id, mara) = approve(&story, &mut proxy, era, "convert_time", &arguments).await;
    let other = json!({"source_timezone": "Europe/Berlin", "time": "12:31", "target_timezone": "Asia/Tokyo"});
    assert_eq!(era.call(&mut proxy, "convert_time", &other).await["isError"], json!(true), "exactly what was approved");
    let converted = era.call(&mut proxy, "convert_time", &arguments).await;
    assert!(converted["isError"] != json!(true) && sentence(&converted).contains("Asia/Tokyo"), "{converted}");
    assert_eq!(proxy.end().await, Some(0));
    let detail = exception(&story, &mara, &id).await;
    assert_eq!(proviso_tests::uses(&detail), Some(1));
    assert_eq!(detail["uses"][0]["reported"], json!("executed"), "{detail:#}");
}
