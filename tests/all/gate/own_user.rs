//! A process under the gate's own operating-system user that tries to approve its own request.
//!
//! The tests and the gate run under one user, which is this very case.

use std::path::Path;

use proviso_tests::{AGENTS, Binary};
use serde_json::{Value, json};

use super::failure;

#[tokio::test]
async fn the_gates_own_user_cannot_make_itself_an_approver() {
    let folder = tempfile::tempdir().unwrap();
    let gate = Binary::serve_apart(&folder.path().join("data"));
    let data = gate.data().display().to_string();
    let output = Binary::run(&["token", "approver", "--json", "--user", "mara", "--data", &data]);
    assert_eq!(failure(&output), (Some(65), "single_user_required".to_owned()));
    // It says so to a person, too, and prints no link.
    let output = Binary::run(&["token", "approver", "--user", "mara", "--data", &data]);
    assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{output:?}");
    // What an agent needs is minted all the same.
    let subject = format!("Agent::{AGENTS}report-writer");
    assert!(gate.token(&["agent", "--subject", &subject, "--task", "t"]).starts_with("pva_"));
    let listed = Binary::run(&["token", "list", "--json", "--data", &data]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed["tokens"].as_array().map(Vec::len), Some(1), "the refused one is in no list: {listed}");
}

#[tokio::test]
async fn a_link_from_a_single_user_gate_votes_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let gate = Binary::serve(&data);
    let parties = super::parties(&gate);
    let mara = super::sign_in(&gate, "mara").await;
    let session = gate.client.get("/api/v1/session", Some(&mara)).await.json();
    assert_eq!(session["single_user"], true, "every page says so: {session}");
    let id = parties.ask(&proviso_tests::write_file("report-writer", "/srv/files/reports/a.md", "ask"), None).await;
    gate.kill();

    // The operator takes the permission back: the session that was made under it is still there, and votes for nobody.
    let gate = Binary::serve_apart(&data);
    let parties = proviso_tests::Parties { client: gate.client.clone(), ..parties };
    let answer = parties.vote(&mara, &id, "approve", None).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "single_user_required"), "{answer:?}");
    let call = proviso_tests::write_file("report-writer", "/srv/files/reports/a.md", "use");
    assert_eq!(parties.evaluate(&call).await.json()["decision"], json!(false));
}

#[test]
fn the_data_folder_is_closed_to_others() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let gate = Binary::serve_fresh(&data);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for (path, expected) in [("keys", 0o700), ("keys/log.key", 0o600), ("keys/mac.key", 0o600), ("proviso.sock", 0o600)]
    {
        assert_eq!(mode(&data.join(path)), expected, "{path}");
    }
    drop(gate);
}
