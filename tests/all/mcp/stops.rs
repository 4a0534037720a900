//! A call that is under way when somebody stops it: called off at the server, told to the client, and on record.

use std::path::Path;
use std::time::Duration;

use proviso_tests::{Client, Story, as_person, until};
use reqwest::Method;
use serde_json::{Value, json};

use super::proxy::{Place, Proxy, sentence};

/// A server with one slow tool: it writes down the call and never answers it, and writes down what calls it off.
fn slow(folder: &Path) -> Vec<String> {
    let script = r#"while read -r line; do case "$line" in
*'"tools/list"'*) id=$(printf %s "$line" | sed 's/.*"id":\("[^"]*"\|[0-9]*\).*/\1/')
  printf '{"jsonrpc":"2.0","id":%s,"result":{"tools":[{"name":"write_file","inputSchema":{"type":"object"}}]}}\n' "$id";;
*'"tools/call"'*) printf '%s\n' "$line" >> "$0/calls";;
*'"notifications/cancelled"'*) printf '%s\n' "$line" >> "$0/cancelled";;
esac; done"#;
    ["sh", "-c", script, folder.to_str().expect("Unicode")].map(str::to_owned).to_vec()
}

/// What the server has written down, once it is there.
async fn written(folder: &Path, name: &str) -> Value {
    let line = until(name, async || {
        let text = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        text.split_once('\n').map(|(line, _)| line.to_owned())
    });
    serde_json::from_str(&line.await).expect("JSON")
}

async fn stop(story: &Story, how: &str, grant: &str) -> Value {
    let mara = story.gate.person("mara").await;
    let (path, body) = match how {
        "revoke" => (format!("/api/v1/grants/{grant}/revoke"), json!({"reason": "it writes too much"})),
        _ => ("/api/v1/locks".to_owned(), json!({"target": {"task": "weekly-report"}, "reason": "it writes too much"})),
    };
    let answer = story.gate.client.post(&path, &mara, &body).await;
    assert!(answer.status.is_success(), "{how}: {answer:?}");
    answer.json()
}

/// A call by an exception that its server works on.
struct Begun {
    proxy: Proxy,
    /// The exception, its grant, and who approved it.
    id: String,
    grant: String,
    person: String,
}

async fn begun(story: &Story, folder: &Path) -> Begun {
    let place = Place { gate: &story.gate.client.url, server: "files", point: &story.point, agent: &story.agent };
    let mut proxy = Proxy::start(place, &slow(folder));
    let arguments = json!({"path": "/srv/files/reports/a.md", "content": "hello"});
    let ask = json!({"tool": "write_file", "arguments": arguments, "justification": "due", "uses": 3});
    let asked = proxy.call("proviso_request", &ask).await;
    let id = asked["structuredContent"]["request"].as_str().expect("a request").to_owned();
    let person = story.gate.person("mara").await;
    let vote = story.vote(&person, &id, "approve", None).await.json();
    let grant = vote["grant"].as_str().expect("a grant").to_owned();
    let call = json!({"jsonrpc": "2.0", "id": "slow", "method": "tools/call",
        "params": {"name": "write_file", "arguments": arguments}});
    proxy.line(&call.to_string()).await;
    assert_eq!(written(folder, "calls").await["params"]["arguments"], arguments);
    Begun { proxy, id, grant, person }
}

#[tokio::test]
async fn a_call_whose_proxy_died_is_of_unknown_outcome_after_a_minute() {
    let story = Story::begin().await;
    let folder = tempfile::tempdir().expect("a folder");
    let Begun { proxy, id, person, .. } = begun(&story, folder.path()).await;
    proxy.kill().await;
    for (seconds, reported, told) in [
        (59, "sending", "the call is about to be sent"),
        (1, "outcome_unknown", "was begun, and its outcome is unknown"),
    ] {
        story.gate.clock.advance(seconds);
        let detail = story.gate.client.get(&format!("/api/v1/exceptions/{id}"), Some(&person)).await.json();
        assert_eq!(detail["uses"][0]["reported"], json!(reported), "{detail:#}");
        let lines = detail["history"].as_array().expect("a history");
        let last = lines.iter().rev().find(|line| line["kind"] == "execution").expect("a report");
        assert!(last["sentence"].as_str().is_some_and(|sentence| sentence.contains(told)), "{last}");
    }
}

#[tokio::test]
async fn a_stop_calls_off_what_is_under_way() {
    for how in ["revoke", "lock"] {
        let story = Story::begin().await;
        let folder = tempfile::tempdir().expect("a folder");
        let Begun { mut proxy, id, grant, person } = begun(&story, folder.path()).await;
        let stopped = stop(&story, how, &grant).await;
        assert_eq!(stopped["calls_in_flight"].as_array().map(Vec::len), Some(1), "{how}: {stopped}");

        let told = tokio::time::timeout(Duration::from_secs(60), proxy.hear()).await.expect("told in time");
        assert_eq!((&told["id"], &told["result"]["isError"]), (&json!("slow"), &json!(true)), "{how}: {told}");
        assert!(sentence(&told["result"]).contains("do not repeat it"), "{how}: {told}");
        for word in ["mara", "too much"] {
            assert!(!told.to_string().contains(word), "who stopped it, and why, is nobody's business: {told}");
        }
        let cancelled = written(folder.path(), "cancelled").await;
        assert_eq!(cancelled["params"]["requestId"], "slow", "{how}: {cancelled}");
        // On record: nobody knows what became of it, and nothing is under way any more.
        until("its outcome is on record", async || {
            let request = story.gate.client.request(Method::GET, &format!("/api/v1/exceptions/{id}"));
            let detail = Client::send(as_person(request, &person)).await;
            detail.text.contains("its outcome is unknown").then_some(())
        })
        .await;
        let request = story.gate.client.request(Method::GET, "/api/v1/stops").bearer_auth(&story.point);
        assert_eq!(Client::send(request).await.json(), json!({"calls": []}), "{how}: it was called off");
        assert_eq!(proxy.end().await, Some(0));
    }
}
