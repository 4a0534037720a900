//! The key that signs heads is rotated, and what was signed before stays verifiable.

use proviso_tests::{Binary, Client};
use serde_json::{Value, json};

use crate::gate::audit;

fn run(gate: &Binary, arguments: &[&str]) -> Value {
    let data = gate.data().display().to_string();
    let done = Binary::run(&[arguments, &["--json", "--data", &data]].concat());
    serde_json::from_slice(&done.stdout).unwrap_or_default()
}

async fn record(client: &Client, token: &str) -> Value {
    let request = client.request(reqwest::Method::GET, "/api/v1/record").bearer_auth(token);
    Client::send(request).await.json()
}

#[tokio::test]
async fn a_rotated_key_signs_on_and_the_one_before_is_still_believed() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let gate = Binary::serve(&data);
    let point = gate.token(&["enforcement-point", "--name", "p", "--subjects", "Agent::*", "--servers", "files"]);
    let before = record(&gate.client, &point).await;
    assert_eq!(before["keys"].as_array().map(Vec::len), Some(2), "{before}");
    let refused = run(&gate, &["key", "rotate", "--log", "--reason", " "]);
    assert_eq!(refused["error"]["code"], json!("reason_needed"), "{refused}");
    let done = run(&gate, &["key", "rotate", "--log", "--reason", "a year is over"]);
    assert!(done["error"].is_null(), "{done}");
    let second = gate.token(&["enforcement-point", "--name", "q", "--subjects", "Agent::*", "--servers", "files"]);
    let after = record(&gate.client, &second).await;
    let keys: Vec<String> = serde_json::from_value(after["keys"].clone()).expect("keys");
    assert_eq!(keys.len(), 4, "{after}");
    // Under the same names as before: it is the same log.
    let name = |key: &str| key.split('+').next().unwrap_or_default().to_owned();
    assert!(keys.iter().all(|key| [name(&keys[0]), name(&keys[2])].contains(&name(key))), "{keys:?}");
    gate.kill();
    assert!(audit(&data).status.success());
    // Whoever knows the first key alone comes to know the second from the record.
    let export = folder.path().join("export").display().to_string();
    let data_path = data.display().to_string();
    Binary::run(&["audit", "export", "--data", &data_path, "--to", &export]);
    let first = before["keys"][0].as_str().expect("a key");
    let with_first = Binary::run(&["audit", "verify", "--json", "--data", &data_path, "--key", first]);
    assert!(with_first.status.success(), "{with_first:?}");
    let of_export = Binary::run(&["audit", "verify", "--json", "--export", &export, "--key", first]);
    assert!(of_export.status.success(), "{of_export:?}");
    // The gate starts on it again, and the new key signs.
    let gate = Binary::serve(&data);
    assert_eq!(record(&gate.client, &point).await["keys"], after["keys"]);
}
