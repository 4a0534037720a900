//! The keys of the gate's own tokens: rotated, kept over a restart, and what is told where their file is not what it was.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use proviso::app::Operator;
use proviso_tests::{Binary, Client, Setup, TestClock, TestGate, copy_folder, until, write_file};
use reqwest::Method;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::gate::{audit, parties};
use crate::own_tokens::{part, public_id, signed, stolen};

const KEYS: &str = "credentials.json";

fn operator() -> Operator {
    Operator { uid: 4242, name: "tester".to_owned() }
}

/// What the gate makes of a token: nothing where it is good, else the code.
async fn told(gate: &TestGate, token: &str) -> String {
    let answer = Client::send(gate.client.request(Method::GET, "/api/v1/whoami").bearer_auth(token)).await;
    if answer.status.as_u16() == 200 { String::new() } else { answer.code() }
}

async fn rotate(gate: &TestGate) -> String {
    gate.app.rotate_credential_keys(&operator(), "a laptop was lost").await.unwrap()
}

/// The ids of the keys that tokens are believed by.
fn keys(gate: &TestGate) -> Vec<String> {
    gate.app.token_keys().into_iter().map(|key| key.kid).collect()
}

#[tokio::test]
async fn a_retired_key_is_believed_while_its_tokens_live_and_then_dropped() {
    let gate = TestGate::start().await;
    let clock = Arc::clone(&gate.clock);
    let setup = || Setup { clock: Arc::clone(&clock), ..Setup::default() };
    let early = gate.agent("report-writer", "early", Some("ines")).await;
    let thief = stolen(gate.data(), KEYS);
    let first = part(&early, 0)["kid"].as_str().unwrap().to_owned();
    clock.advance(60);
    let second = rotate(&gate).await;
    assert_eq!(keys(&gate), [first.clone(), second.clone()]);
    clock.advance(1);
    let late = gate.agent("report-writer", "late", Some("ines")).await;
    assert_eq!(part(&late, 0)["kid"], json!(second));
    // The old secret half is nowhere any more, and whoever has it signs nothing that was minted since.
    let file = fs::read_to_string(gate.data().join("keys").join(KEYS)).unwrap();
    assert!(!file.contains(&part_of(&thief)), "the secret half is gone from the disk");
    let forged = signed(&thief, &part(&early, 0), &part(&late, 1));
    assert_eq!(told(&gate, &forged).await, "token_key");

    // Over a restart, too.
    let gate = gate.again(setup()).await;
    assert_eq!(keys(&gate), [first.clone(), second.clone()]);
    for token in [&early, &late] {
        assert_eq!(told(&gate, token).await, "");
    }
    assert_eq!(told(&gate, &forged).await, "token_key");
    clock.advance(86_400 - 62);
    assert_eq!((told(&gate, &early).await, told(&gate, &late).await), (String::new(), String::new()));
    clock.advance(2);
    assert_eq!((told(&gate, &early).await.as_str(), told(&gate, &late).await.as_str()), ("token_expired", ""));
    // A minute for a clock that is set back, and the key is gone.
    clock.advance(60);
    assert_eq!(keys(&gate), [second]);
    let mut again = part(&early, 1);
    again["exp"] = json!(again["exp"].as_i64().unwrap() + 86_400);
    assert_eq!(told(&gate, &signed(&thief, &part(&early, 0), &again)).await, "token_key");
}

/// The secret half, as the file holds it.
fn part_of(key: &ed25519_dalek::SigningKey) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(key.to_bytes())
}

#[tokio::test]
async fn a_key_without_live_tokens_goes_and_what_was_revoked_stays_revoked() {
    let gate = TestGate::start().await;
    let token = gate.agent("report-writer", "t", Some("ines")).await;
    gate.app.revoke_token(&public_id(&token), &operator()).await.unwrap();
    assert_eq!(told(&gate, &token).await, "unauthenticated");
    let next = rotate(&gate).await;
    gate.clock.advance(61);
    assert_eq!(keys(&gate), [next]);
    assert_eq!(told(&gate, &token).await, "token_key");
    let refused = gate.app.rotate_credential_keys(&operator(), " ").await.map_err(|refusal| refusal.code);
    assert_eq!(refused, Err("reason_needed"));
}

/// How a gate opens on a copy of this folder, and what it then makes of a token.
async fn opened(
    data: &Path,
    clock: &Arc<TestClock>,
    token: &str,
    change: impl FnOnce(&Path),
) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("data");
    copy_folder(data, &copy).unwrap();
    let file = copy.join("keys").join(KEYS);
    change(&file);
    let before = fs::read(&file).ok();
    let setup = || Setup { clock: Arc::clone(clock), ..Setup::default() };
    match TestGate::open(setup(), &copy).await {
        Ok(gate) => Ok(told(&gate, token).await),
        Err(error) => {
            assert!(!error.help().is_empty() && error.to_string().contains(KEYS), "{error}");
            assert_eq!(fs::read(&file).ok(), before, "the file is left as it is");
            // Nothing is lost by it: put back, the file is as good as before.
            fs::copy(data.join("keys").join(KEYS), &file).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
            // What a start that failed held is let go of behind it.
            let gate = until("the gate opens again", async || TestGate::open(setup(), &copy).await.ok()).await;
            assert_eq!(told(&gate, token).await, "");
            Err(error.code().to_owned())
        }
    }
}

#[tokio::test]
async fn a_file_of_keys_that_is_gone_open_or_twisted_is_told_and_nothing_is_lost() {
    let gate = TestGate::start().await;
    let token = gate.agent("report-writer", "t", Some("ines")).await;
    let (data, clock) = (gate.data().to_owned(), Arc::clone(&gate.clock));
    assert_eq!(opened(&data, &clock, &token, |_| ()).await, Ok(String::new()));
    for (mode, code) in [(0o640, "credential_keys_open"), (0o604, "credential_keys_open")] {
        let wide = |file: &Path| fs::set_permissions(file, Permissions::from_mode(mode)).unwrap();
        assert_eq!(opened(&data, &clock, &token, wide).await, Err(code.to_owned()), "{mode:o}");
    }
    let gone = opened(&data, &clock, &token, |file| fs::remove_file(file).unwrap()).await;
    assert_eq!(gone, Err("credential_keys_missing".to_owned()));
    for text in ["", "{}", r#"{"v":1,"keys":[]}"#, "not a key"] {
        let twisted = opened(&data, &clock, &token, |file| fs::write(file, text).unwrap()).await;
        assert_eq!(twisted, Err("credential_keys_unusable".to_owned()), "{text}");
    }
    // Another gate's file is one of keys, and believes nothing that was signed here.
    let other = TestGate::start().await;
    let theirs = other.data().join("keys").join(KEYS);
    let swapped = opened(&data, &clock, &token, |file| assert!(fs::copy(&theirs, file).is_ok())).await;
    assert_eq!(swapped, Ok("token_key".to_owned()));
    // Where nothing lives that a lost key signed, the next start draws another.
    gate.app.revoke_token(&public_id(&token), &operator()).await.unwrap();
    let drawn = opened(gate.data(), &clock, &token, |file| fs::remove_file(file).unwrap()).await;
    assert_eq!(drawn, Ok("token_key".to_owned()));
}

#[tokio::test]
async fn the_command_rotates_lists_and_is_on_record() {
    let folder = tempfile::tempdir().unwrap();
    let gate = Binary::serve(&folder.path().join("data"));
    let parties = parties(&gate);
    let call = write_file("report-writer", "/srv/files/drafts/a.md", "c1");
    let data = gate.data().display().to_string();
    let run = |words: &[&str]| {
        let output = Binary::run(&[words, &["--json", "--data", &data]].concat());
        let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code(), said)
    };
    let (exit, before) = run(&["key", "list", "--credentials"]);
    assert_eq!((exit, before["keys"].as_array().map(Vec::len)), (Some(0), Some(1)), "{before}");
    let (_, published) = run(&["key", "list"]);
    assert_ne!(before, published, "they are other keys than those that are published");
    assert_eq!(run(&["key", "rotate", "--credentials", "--log", "--reason", "r"]).0, Some(64), "one or the other");
    let (exit, after) = run(&["key", "rotate", "--credentials", "--reason", "a year is over"]);
    assert_eq!(exit, Some(0), "{after}");
    let states: Vec<&str> =
        after["keys"].as_array().unwrap().iter().map(|key| key["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["retired", "signing"]);
    assert_eq!(after["keys"][0]["kid"], before["keys"][0]["kid"]);
    assert_eq!(run(&["key", "list"]).1, published);
    assert_eq!(parties.evaluate(&call).await.json()["decision"], true, "what the old key signed is good");
    let token = gate.token(&["agent", "--subject", "Agent::x", "--task", "t"]);
    assert_eq!(part(&token, 0)["kid"], after["keys"][1]["kid"]);
    gate.stop();
    assert!(audit(&folder.path().join("data")).status.success());
    let database = Connection::open(folder.path().join("data/record.sqlite")).unwrap();
    let select =
        "SELECT count(*) FROM payload WHERE log = 'ledger' AND CAST(bytes AS TEXT) LIKE '%credential_key_rotated%'";
    assert_eq!(database.query_row(select, [], |row| row.get::<_, i64>(0)).unwrap(), 1);
    // As after a restart.
    let gate = Binary::serve(&folder.path().join("data"));
    let again = proviso_tests::Parties { client: gate.client.clone(), ..parties };
    assert_eq!(again.evaluate(&call).await.json()["decision"], true);
}
