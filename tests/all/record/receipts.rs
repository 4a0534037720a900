//! A receipt for each grant and each decision, checked without the gate.

use std::io::Write as _;

use proviso_tests::{Binary, Story};
use serde_json::{Value, json};

use super::{get, keys, played};

/// `proviso audit verify --receipt`.
fn verify(receipt: &str, keys: &[&str]) -> (Option<i32>, Value) {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(receipt.as_bytes()).expect("written");
    let path = file.path().display().to_string();
    let mut arguments = vec!["audit", "verify", "--json", "--receipt", &path];
    keys.iter().for_each(|key| arguments.extend(["--key", key]));
    let done = Binary::run(&arguments);
    (done.status.code(), serde_json::from_slice(&done.stdout).unwrap_or_default())
}

#[tokio::test]
async fn a_grant_and_a_decision_have_receipts_that_need_no_gate() {
    let story = Story::begin().await;
    let (mara, id) = played(&story).await;
    let keys = keys(&story, &mara).await;
    let detail = story.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await.json();
    let lines = detail["history"].as_array().expect("a history").clone();
    let mut kinds = Vec::new();
    for line in &lines {
        let (log, seq) = (line["log"].as_str().expect("a log").replace('/', "-"), &line["seq"]);
        let answer = get(&story, &mara, &format!("{log}/records/{seq}/proof")).await;
        assert!(answer.header("content-disposition").contains(".tlog-proof"), "{answer:?}");
        let (exit, told) = verify(&answer.text, &keys.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((exit, &told["kind"], &told["seq"]), (Some(0), &line["kind"], seq), "{told}");
        kinds.push((line["kind"].as_str().unwrap_or_default().to_owned(), told));
    }
    let told = |kind: &str| kinds.iter().find(|(of, _)| of == kind).map(|(_, told)| told.clone()).expect(kind);
    let grant = &told("exception_granted")["payloads"]["event"]["exception"]["event"]["grant"];
    assert_eq!(grant["exception"], json!(id), "{grant}");
    assert_eq!(told("vote_cast")["payloads"]["event"]["exception"]["event"]["vote"]["person"]["id"], "mara");
    assert_eq!(told("evaluation")["payloads"]["decision"]["task"], "weekly-report");
    // What was asked stays at home.
    assert!(told("evaluation")["payloads"]["question"].is_null());
}

#[tokio::test]
async fn a_receipt_proves_nothing_to_whoever_trusts_another_key_or_where_it_was_altered() {
    let story = Story::begin().await;
    let (mara, _) = played(&story).await;
    let keys = keys(&story, &mara).await;
    let ledger = keys.iter().find(|key| key.contains("/ledger+")).expect("the ledger's key").as_str();
    let receipt = get(&story, &mara, "ledger/records/3/proof").await.text;
    assert_eq!(verify(&receipt, &[ledger]).0, Some(0));
    let other = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let moved = receipt.replace("index 3", "index 2");
    for (receipt, key, exit, code) in [
        (receipt.as_str(), other, 65, "bad_receipt"),
        (&moved, ledger, 65, "bad_receipt"),
        ("c2sp.org/tlog-proof@v1\n", ledger, 65, "bad_receipt"),
        (&receipt, "nonsense", 64, "bad_key"),
    ] {
        let (got, told) = verify(receipt, &[key]);
        assert_eq!((got, told["error"]["code"].as_str()), (Some(exit), Some(code)), "{told}");
    }
    let (exit, told) = verify(&receipt, &[]);
    assert_eq!((exit, &told["error"]["code"]), (Some(64), &json!("key_needed")));
}
