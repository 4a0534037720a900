//! What the record holds of passkeys and signed votes, and who can verify it: ours, and a library of others.

use std::fs;
use std::process::Command;

use proviso::app::Operator;
use proviso_tests::{Binary, Story};
use serde_json::{Value, json};

use super::authenticator::Authenticator;
use super::{add, holder, open, story, vote};

/// The whole record, as `audit export` writes it.
fn exported(story: &Story) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("record.json").display().to_string();
    let data = story.gate.data().display().to_string();
    let done = Binary::run(&["audit", "export", "--data", &data, "--format", "json", "--to", &file, "--json"]);
    assert!(done.status.success(), "{done:?}");
    serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap()
}

/// The kinds of all records.
pub(super) fn kinds(story: &Story) -> Vec<String> {
    let leaf = |record: &Value| serde_json::from_str::<Value>(record["leaf"].as_str().unwrap()).unwrap();
    let record = exported(story);
    let records = record["records"].as_array().unwrap().iter();
    records.map(|record| leaf(record)["kind"].as_str().unwrap().to_owned()).collect()
}

/// Somebody left.
pub(super) async fn depart(story: &Story, user: &str, by: &Operator) {
    story.gate.app.departed(by, user, "left the company").await.unwrap();
}

fn verify(arguments: &[&str]) -> Value {
    let done = Binary::run(&[&["audit", "verify", "--json"], arguments].concat());
    serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{done:?}"))
}

/// Runs the script that knows nothing of ours, on this export.
fn foreign(export: &Value) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("record.json");
    fs::write(&file, export.to_string()).unwrap();
    let python = std::env::var_os("PROVISO_PYTHON").unwrap_or_else(|| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/verify_vote.py");
    let done = Command::new(python).arg(script).arg(&file).output().expect("Python");
    let said = [done.stdout, done.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (done.status.success(), said)
}

#[tokio::test]
async fn each_signed_vote_is_verified_offline_by_us_and_by_others() {
    let story = story().await;
    let id = open(&story, "c1").await;
    let mara = story.gate.person("mara").await;
    let mut authenticator = Authenticator::counting(1);
    assert_eq!(add(&story, &mara, &mut authenticator, "key").await.status.as_u16(), 201);
    let voted = vote(&story, (&mara, "mara"), &id, &mut authenticator).await;
    assert_eq!(voted.json()["state"], "granted", "{voted:?}");
    let other = proviso_tests::write_file("report-writer", "/srv/files/reports/b.md", "c2");
    let other = story.ask(&other, None).await;
    let ola = story.gate.person("ola").await;
    let mut synced = Authenticator::new(2);
    synced.flags |= 0x18;
    assert_eq!(add(&story, &ola, &mut synced, "phone").await.status.as_u16(), 201);
    // The same key from an authenticator of another kind is none.
    let mut bound = synced.clone();
    bound.flags = 0x05;
    assert_eq!(vote(&story, (&ola, "ola"), &other, &mut bound).await.code(), "bad_assertion");
    let voted = vote(&story, (&ola, "ola"), &other, &mut synced).await;
    assert_eq!(voted.json()["state"], "granted", "{voted:?}");
    // Something that `console/` refuses is no business of grants.
    let jun = story.gate.person("jun").await;
    assert!(!story.client.get("/api/v1/retention", Some(&jun)).await.status.is_server_error());
    let data = story.gate.data().display().to_string();
    let told = verify(&["--data", &data]);
    assert_eq!(
        (&told["verified"], &told["signatures"], &told["grants"]),
        (&json!(true), &json!(2), &json!(2)),
        "{told}"
    );
    let export = exported(&story);
    let (holds, said) = foreign(&export);
    assert!(holds && said.contains("2 signed votes") && said.contains("mara") && said.contains("ola"), "{said}");
    // One word of what was signed, of the vote, of the key, of the signature: each is noticed.
    for (what, from, to) in [
        ("the reason", "looked at it", "never saw it"),
        (
            "whose passkey",
            "\\\"id\\\":\\\"mara\\\",\\\"type\\\":\\\"User\\\"},\\\"rp_id\\\"",
            "\\\"id\\\":\\\"jun\\\",\\\"type\\\":\\\"User\\\"},\\\"rp_id\\\"",
        ),
        ("the key", "\\\"key\\\":\\\"pQ", "\\\"key\\\":\\\"pg"),
        ("the signature", "\\\"signature\\\":\\\"ME", "\\\"signature\\\":\\\"MA"),
        ("the page", "https://gate.example\\\",\\\"passkey", "https://evil.example\\\",\\\"passkey"),
    ] {
        let text = export.to_string();
        assert!(text.contains(from), "{what}: {text}");
        let altered: Value = serde_json::from_str(&text.replacen(from, to, 1)).unwrap();
        let (holds, said) = foreign(&altered);
        assert!(!holds, "{what}: {said}");
    }
}

#[tokio::test]
async fn a_receipt_of_a_signed_vote_says_who_signed_it() {
    let story = story().await;
    let id = open(&story, "c1").await;
    let (mara, mut authenticator) = holder(&story, "mara", 1).await;
    assert_eq!(vote(&story, (&mara, "mara"), &id, &mut authenticator).await.json()["state"], "granted");
    let record = exported(&story);
    let records = record["records"].as_array().unwrap();
    let seq = records.iter().find(|record| record["leaf"].as_str().unwrap().contains("\"vote_cast\"")).unwrap();
    let path = format!("/api/v1/logs/ledger/records/{}/proof", seq["index"]);
    let receipt = story.client.get(&path, Some(&mara)).await.text;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vote.tlog-proof");
    fs::write(&file, receipt).unwrap();
    let file = file.display().to_string();
    let keys = Binary::run(&["audit", "keys", "--data", &story.gate.data().display().to_string(), "--json"]);
    let keys: Value = serde_json::from_slice(&keys.stdout).unwrap();
    let keys: Vec<&str> = keys["keys"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let arguments: Vec<&str> = keys.iter().flat_map(|key| ["--key", key]).chain(["--receipt", &file]).collect();
    let told = verify(&arguments);
    let signed = &told["signed"];
    assert_eq!((&signed["person"]["id"], &signed["algorithm"]), (&json!("mara"), &json!("ES256")), "{told}");
}
