//! The proxy holds the gate's record against what it saw of it (R9).

use std::path::Path;

use proviso_tests::{Binary, Parties};
use serde_json::{Value, json};

use super::proxy::{Place, Proxy, command_with, sentence};
use super::roots::{approve_inside, curious, heard};
use crate::gate::{parties, sign_in};

/// A gate, credentials at it, and a grant of three uses for any report, which a proxy has asked for.
async fn granted(data: &Path) -> (Binary, Parties) {
    let gate = Binary::serve(data);
    let parties = parties(&gate);
    let mara = sign_in(&gate, "mara").await;
    let (state, log) = (data.with_extension("asking"), data.with_extension("asked"));
    let mut proxy = start(&gate, &parties, &state, &log).await;
    approve_inside(&mut proxy, &parties, &mara, "/srv/files/reports").await;
    assert_eq!(proxy.end().await, Some(0));
    (gate, parties)
}

/// A session of the proxy that keeps what it sees in `state`.
async fn start(gate: &Binary, parties: &Parties, state: &Path, log: &Path) -> Proxy {
    let place = Place { gate: &gate.client.url, server: "files", point: &parties.point, agent: &parties.agent };
    let state = state.to_str().expect("Unicode");
    let mut proxy = Proxy::spawn(command_with(place, &["--state", state], &curious(log)));
    proxy.greet(&json!({})).await;
    proxy
}

/// One session of the proxy that keeps what it sees in `state`: what it says of a write.
async fn write(gate: &Binary, parties: &Parties, state: &Path, log: &Path, path: &str) -> Value {
    let mut proxy = start(gate, parties, state, log).await;
    let done = proxy.call("write_file", &json!({"path": path, "content": "x"})).await;
    assert_eq!(proxy.end().await, Some(0));
    done
}

fn calls(log: &Path) -> usize {
    heard(log).iter().filter(|line| line["method"] == "tools/call").count()
}

#[tokio::test]
async fn r9_no_exception_is_honoured_of_a_gate_whose_record_was_restored_from_a_copy() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (data, copy, state, log) = (at("data"), at("copy"), at("state"), at("calls"));
    let (gate, parties) = granted(&data).await;
    let address = gate.client.url.trim_start_matches("http://").to_owned();
    gate.stop();
    // All of it, with the heads that lie beside the database: the gate itself cannot tell.
    proviso_tests::copy_folder(&data, &copy).expect("copied");
    let gate = Binary::serve_at(&data, &address);
    for round in 1..=2 {
        let done = write(&gate, &parties, &state, &log, "/srv/files/reports/a.md").await;
        assert_eq!((&done["content"][0]["text"], calls(&log)), (&json!("written"), round), "{done}");
    }
    gate.kill();
    std::fs::remove_dir_all(&data).expect("gone");
    std::fs::rename(&copy, &data).expect("restored");
    let gate = Binary::serve_at(&data, &address);

    // The gate would permit it again, with all three uses left; the proxy does not believe it.
    for _ in 0..2 {
        let refused = write(&gate, &parties, &state, &log, "/srv/files/reports/a.md").await;
        assert_eq!((&refused["isError"], calls(&log)), (&json!(true), 2), "{refused}");
        assert!(sentence(&refused).contains("log_forked"), "{refused}");
    }
    // What needs no exception goes on.
    let done = write(&gate, &parties, &state, &log, "/srv/files/drafts/a.md").await;
    assert_eq!((&done["content"][0]["text"], calls(&log)), (&json!("written"), 3), "{done}");
    // Whoever never saw the longer record cannot tell, and is permitted.
    let done = write(&gate, &parties, &at("another"), &log, "/srv/files/reports/a.md").await;
    assert_eq!(done["content"][0]["text"], "written", "{done}");
}

#[tokio::test]
async fn r9_another_record_under_the_same_address_is_not_the_one_that_was_seen() {
    proviso_tests::clauses!("c4-13-forked");
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (state, log) = (at("state"), at("calls"));
    let (gate, parties) = granted(&at("data")).await;
    let address = gate.client.url.trim_start_matches("http://").to_owned();
    let done = write(&gate, &parties, &state, &log, "/srv/files/reports/a.md").await;
    assert_eq!(done["content"][0]["text"], "written", "{done}");
    gate.kill();
    // Another folder, with keys of its own or with the same: it has other records.
    let (other, parties) = granted(&at("other")).await;
    other.stop();
    let other = Binary::serve_at(&at("other"), &address);
    let parties = Parties { client: other.client.clone(), ..parties };
    let refused = write(&other, &parties, &state, &log, "/srv/files/reports/a.md").await;
    assert!(sentence(&refused).contains("log_forked"), "{refused}");
    assert_eq!(calls(&log), 1);
}

#[tokio::test]
async fn kept_heads_that_cannot_be_read_stop_the_proxy_at_its_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (state, log) = (at("state"), at("calls"));
    let (gate, parties) = granted(&at("data")).await;
    write(&gate, &parties, &state, &log, "/srv/files/reports/a.md").await;
    let kept = std::fs::read_dir(state.join("heads")).expect("kept").flatten().next().expect("a file").path();
    std::fs::write(kept, "{").expect("written");
    let place = Place { gate: &gate.client.url, server: "files", point: &parties.point, agent: &parties.agent };
    let options = ["--state", state.to_str().expect("Unicode")];
    let mut command = command_with(place, &options, &curious(&log));
    let done = command.stdin(std::process::Stdio::null()).output().await.expect("the proxy starts");
    assert_eq!(done.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&done.stderr).contains("state_unreadable"), "{done:?}");
}
