//! A process under the gate's own operating-system user that tries to approve its own request.
//!
//! Mostly tests and gate run under one user, which is this very case. Where the tests run as root, a gate runs under a
//! user of its own, too.

use std::path::Path;

use proviso_tests::{AGENTS, Binary, OtherUser, Parties, signed_in, write_file};
use serde_json::{Value, json};

use super::failure;
use crate::own_tokens;

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
    let token = gate.token(&["agent", "--subject", &subject, "--task", "t"]);
    assert!(own_tokens::public_id(&token).starts_with("pva_"), "{token}");
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
    let id = parties.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), None).await;
    gate.kill();

    // The operator takes the permission back: the session that was made under it is still there, and votes for nobody.
    let gate = Binary::serve_apart(&data);
    let parties = Parties { client: gate.client.clone(), ..parties };
    let answer = parties.vote(&mara, &id, "approve", None).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "single_user_required"), "{answer:?}");
    let call = write_file("report-writer", "/srv/files/reports/a.md", "use");
    assert_eq!(parties.evaluate(&call).await.json()["decision"], json!(false));
}

/// What a process without other rights than the gate's own user has gets for trying to make itself an approver.
fn assert_no_link(run: impl Fn(&[&str]) -> std::process::Output, data: &str) {
    let output = run(&["token", "approver", "--json", "--user", "mara", "--data", data]);
    assert_eq!(failure(&output), (Some(65), "single_user_required".to_owned()));
}

#[tokio::test]
async fn only_who_is_not_the_gates_user_makes_approvers() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let Some(nobody) = OtherUser::find() else {
        // There is one user here, and it is the gate's.
        let gate = Binary::serve_apart(&data);
        return assert_no_link(Binary::run, &gate.data().display().to_string());
    };
    let shown = data.display().to_string();

    // Under --single-user the gate's own user mints itself a link, and has a session by it.
    let gate = Binary::serve_under(nobody, &data, &["--single-user"]);
    let link = nobody.run(&["token", "approver", "--user", "mara", "--data", &shown]);
    assert!(link.status.success(), "{link:?}");
    let link = String::from_utf8_lossy(&link.stdout).trim().rsplit('#').next().unwrap().to_owned();
    let own = signed_in(&gate.client.post("/api/v1/session", "", &json!({"link": link})).await).unwrap();
    gate.stop();

    let gate = Binary::serve_under(nobody, &data, &[]);
    let parties = super::parties(&gate);
    let call = write_file("report-writer", "/srv/files/reports/a.md", "ask");
    let id = parties.ask(&call, None).await;

    // The agent runs under the gate's user: no new link, no second gate, no folder of its own, no vote by what it holds.
    assert_no_link(|arguments| nobody.run(arguments), &shown);
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundles/sample").display().to_string();
    let second = ["serve", "--json", "--single-user", "--listen", "127.0.0.1:0", "--bundle", &bundle, "--data", &shown];
    assert_eq!(failure(&nobody.run(&second)), (Some(69), "data_folder_in_use".to_owned()));
    let answer = parties.vote(&own, &id, "approve", None).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "single_user_required"), "{answer:?}");
    let votes = format!("/api/v1/exceptions/{id}/votes");
    let ballot = parties.ballot(&own, &id, "approve", None).await;
    for token in [&parties.agent, &parties.point] {
        for disguise in [token.clone(), format!("proviso_session={token}"), format!("proviso_session={token}#{token}")]
        {
            let answer = gate.client.post(&votes, &disguise, &ballot).await;
            assert_eq!(answer.status.as_u16(), 401, "{disguise}: {answer:?}");
        }
    }
    let again = write_file("report-writer", "/srv/files/reports/a.md", "use");
    assert_eq!(parties.evaluate(&again).await.json()["decision"], json!(false));

    // Whoever is another user mints, the record says who it was, and that vote counts.
    let mara = super::sign_in(&gate, "mara").await;
    let session = gate.client.get("/api/v1/session", Some(&mara)).await.json();
    assert_eq!(session["single_user"], json!(false), "{session}");
    let listed = Binary::run(&["token", "list", "--json", "--data", &shown]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let mut by: Vec<&str> = listed["tokens"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|token| token["kind"] == "approver")
        .map(|token| token["by"].as_str().unwrap())
        .collect();
    by.sort_unstable();
    assert_eq!(by, ["nobody", "root"], "the kernel's word, whatever was sent: {listed}");
    let answer = parties.vote(&mara, &id, "approve", None).await;
    assert!(answer.status.is_success(), "{answer:?}");
    let third = write_file("report-writer", "/srv/files/reports/a.md", "use2");
    assert_eq!(parties.evaluate(&third).await.json()["decision"], json!(true));

    gate.stop();
    let report = super::audit(&data);
    assert!(report.status.success(), "{report:?}");
}

#[tokio::test]
async fn a_revoked_token_opens_nothing_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let gate = Binary::serve(&folder.path().join("data"));
    let parties = super::parties(&gate);
    let data = gate.data().display().to_string();
    let agents = || {
        let listed = super::told(&Binary::run(&["token", "list", "--json", "--data", &data])).1;
        let agent = listed["tokens"].as_array().unwrap().iter().find(|token| token["kind"] == "agent").unwrap();
        (agent["id"].as_str().unwrap().to_owned(), agent["state"].clone())
    };
    let call = write_file("report-writer", "/srv/files/drafts/a.md", "c1");
    assert_eq!(parties.evaluate(&call).await.json()["decision"], json!(true));
    let (id, state) = agents();
    assert_eq!(state, "live");
    let revoke = |id: &str| Binary::run(&["token", "revoke", id, "--json", "--data", &data]);
    let revoked = revoke(&id);
    assert_eq!(super::told(&revoked), (Some(0), json!({"done": true})), "{revoked:?}");
    assert_eq!(agents(), (id, json!("revoked")));
    let answer = parties.evaluate(&call).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "unauthenticated"), "{answer:?}");
    let unknown = revoke("pva_00000000000000000000000000000001");
    assert_eq!(failure(&unknown), (Some(65), "unknown_token".to_owned()));
}

#[test]
fn the_data_folder_is_closed_to_others() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let gate = Binary::serve_fresh(&data);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for (path, expected) in [
        ("keys", 0o700),
        ("keys/log.key", 0o600),
        ("keys/mac.key", 0o600),
        ("keys/credentials.json", 0o600),
        ("proviso.sock", 0o600),
    ] {
        assert_eq!(mode(&data.join(path)), expected, "{path}");
    }
    drop(gate);
}
