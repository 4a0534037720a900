//! Locks on tools, by whichever name, and on what is not there (R7).

use std::collections::BTreeMap;

use proviso_tests::{AGENTS, Answer, Setup, Story, TestGate, sample_bundle};
use serde_json::{Value, json};

use super::{allowed, denied, refusal, refused, sizes, verdict};

/// A tool's call, as a proxy asks about it.
fn call_of(tool: &str, input: &Value, call: &str) -> Value {
    json!({
        "subject": {"type": "Agent", "id": format!("{AGENTS}report-writer")},
        "action": {"name": "tools/call"},
        "resource": {"type": "tool", "id": tool},
        "context": {"input": input, "proviso.dev/server": "files", "proviso.dev/call": call},
    })
}

async fn on(bundle: BTreeMap<String, String>) -> Story {
    Story::on(TestGate::with(Setup { bundle, ..Setup::default() }).await).await
}

/// Sets a wide lock on a tool, having looked at its reach. The reach and the lock.
async fn lock(story: &Story, tool: &str) -> (Value, Value) {
    let ola = story.gate.person("ola").await;
    let reach = story.client.get(&format!("/api/v1/locks/reach?tool={tool}"), Some(&ola)).await.json();
    let body = json!({"target": {"tool": tool}, "reason": "a worm", "reach": reach["digest"]});
    let answer: Answer = story.client.post("/api/v1/locks", &ola, &body).await;
    assert_eq!(answer.status.as_u16(), 201, "{tool}: {answer:?}");
    (reach, answer.json())
}

fn calls(told: &Value) -> Vec<&str> {
    told["calls_in_flight"].as_array().into_iter().flatten().filter_map(|call| call["call"].as_str()).collect()
}

#[tokio::test]
async fn r7_a_lock_names_a_tool_as_its_server_does_or_by_its_action() {
    let mut bundle = sample_bundle();
    let config = bundle.get_mut("bundle.toml").unwrap();
    assert!(config.contains("name = \"write_file\""));
    *config = config.replacen("name = \"write_file\"", "name = \"store\"", 1);
    for name in ["store", "write_file"] {
        let story = on(bundle.clone()).await;
        let write = |call: &str| call_of("store", &json!({"path": "/srv/files/drafts/a.md", "content": "x"}), call);
        let read = |call: &str| call_of("read_file", &json!({"path": "/srv/files/drafts/a.md"}), call);
        assert_eq!(verdict(&story.evaluate(&write("w1")).await), allowed("scope"));
        assert_eq!(verdict(&story.evaluate(&read("r1")).await), allowed("scope"));
        let (reach, locked) = lock(&story, name).await;
        assert_eq!(reach["reach"]["subjects"][0]["id"], json!(format!("{AGENTS}report-writer")), "{name}");
        assert_eq!((calls(&reach), calls(&locked)), (vec!["w1"], vec!["w1"]), "{name}");
        assert_eq!(verdict(&story.evaluate(&write("w2")).await), denied("locked"), "{name}");
        assert_eq!(verdict(&story.evaluate(&read("r2")).await), allowed("scope"), "{name}");
    }
}

#[tokio::test]
async fn r7_a_lock_reaches_one_tool_of_those_that_no_bundle_maps() {
    let mut bundle = sample_bundle();
    let schema = bundle.get_mut("schema.cedarschema").unwrap();
    schema.push_str(
        "\nentity tool;\naction \"tools/call\" appliesTo {\n  principal: [Agent],\n  resource: [tool],\n  \
         context: { now: datetime, task: String, input_digest: String },\n};\n",
    );
    let scope = bundle.get_mut("scope/files.cedar").unwrap();
    scope.push_str("\n@id(\"tools-may-be-called\")\npermit (principal is Agent, action == Action::\"tools/call\", resource is tool);\n");
    let story = on(bundle).await;
    let ask = async |tool: &str, call: &str| story.evaluate(&call_of(tool, &json!({"query": "x"}), call)).await;
    for (tool, call) in [("search", "s1"), ("index", "i1")] {
        assert_eq!(verdict(&ask(tool, call).await), allowed("scope"), "{tool}");
    }
    let (reach, locked) = lock(&story, "search").await;
    assert_eq!(reach["reach"]["subjects"][0]["id"], json!(format!("{AGENTS}report-writer")));
    assert_eq!((calls(&reach), calls(&locked)), (vec!["s1"], vec!["s1"]));
    assert_eq!(verdict(&ask("search", "s2").await), denied("locked"));
    assert_eq!(verdict(&ask("index", "i2").await), allowed("scope"));
    // What its proxy hears is to be called off.
    let stops = story.client.request(reqwest::Method::GET, "/api/v1/stops?wait=0").bearer_auth(&story.point);
    let stops = proviso_tests::Client::send(stops).await.json();
    assert_eq!(stops["calls"].as_array().map(Vec::len), Some(1), "{stops}");
    assert_eq!(stops["calls"][0]["call"], "s1");
    // The action of them all is a name, too. One that nobody has called yet can be called, so it can be locked.
    lock(&story, "new").await;
    assert_eq!(verdict(&ask("new", "n1").await), denied("locked"));
    lock(&story, "tools/call").await;
    assert_eq!(verdict(&ask("index", "i3").await), denied("locked"));
}

#[tokio::test]
async fn a_lock_on_what_is_not_there_is_refused() {
    let story = Story::begin().await;
    let ola = story.gate.person("ola").await;
    let entity = |kind: &str, id: &str| json!({"type": kind, "id": id});
    let writer = format!("{AGENTS}report-writer");
    let before = sizes(&story);
    for (target, query) in [
        (json!({"subject": entity("Agnt", &writer)}), format!("type=Agnt&subject={writer}")),
        (json!({"subject": entity("User", "ines")}), "type=User&subject=ines".to_owned()),
        (json!({"person": entity("Agent", &writer)}), format!("type=Agent&person={writer}")),
        (json!({"tool": "write_fil"}), "tool=write_fil".to_owned()),
        (json!({"server": "fils"}), "server=fils".to_owned()),
        (json!({"grant": "grant_0"}), "grant=grant_0".to_owned()),
    ] {
        let body = json!({"target": target, "reason": "look first"});
        let answer = story.client.post("/api/v1/locks", &ola, &body).await;
        assert_eq!(refusal(&answer), refused(400, "bad_target"), "{target}");
        assert!(answer.json()["help"].as_str().is_some_and(|help| !help.is_empty()), "{answer:?}");
        let answer = story.client.get(&format!("/api/v1/locks/reach?{query}"), Some(&ola)).await;
        assert_eq!(refusal(&answer), refused(400, "bad_target"), "{query}");
    }
    assert_eq!(sizes(&story), before);
    // What no `[[tool]]` is of, but an enforcement point is for, is there.
    story.gate.point("gateway", &["search"]).await;
    let reach = story.client.get("/api/v1/locks/reach?server=search", Some(&ola)).await;
    assert!(reach.status.is_success(), "{reach:?}");
}
