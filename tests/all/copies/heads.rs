//! Heads by webhook.

use std::sync::Mutex;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use tokio::net::TcpListener;

use super::*;

type Heard = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

async fn receiver() -> (String, Heard) {
    let heard = Heard::default();
    let take = |State(heard): State<Heard>, headers: HeaderMap, body: Bytes| async move {
        heard.lock().expect("nobody panicked").push((headers, body));
    };
    let router = Router::new().route("/heads", axum::routing::post(take)).with_state(Arc::clone(&heard));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/heads", listener.local_addr().expect("an address"));
    drop(tokio::spawn(async move { axum::serve(listener, router).await }));
    (url, heard)
}

#[tokio::test]
async fn a_webhook_gets_the_newest_heads_signed_by_its_secret_and_by_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, format!("whsec_{}", STANDARD.encode([7; 32]))).expect("a secret");
    let (url, heard) = receiver().await;
    let record = format!(
        "[[head]]\nname = \"siem\"\nwebhook = {{ url = \"{url}\", secrets = [{{ file = \"{}\" }}], allow = [\"127.0.0.1/32\"] }}\n",
        secret.display()
    );
    let story = gate_with(Record::parse(&record).expect("a file")).await;
    decide(&story, 3, "a").await;
    let size = story.gate.app.record().logs[1].size;
    let (headers, body) = until("the newest head", async || {
        let heard = heard.lock().expect("nobody panicked").clone();
        heard.into_iter().find(|(_, body)| {
            let event: Value = serde_json::from_slice(body).expect("an event");
            event["data"]["log"] == "decisions/main" && event["data"]["size"] == json!(size)
        })
    })
    .await;
    let event: Value = serde_json::from_slice(&body).expect("an event");
    assert_eq!((&event["type"], &event["specversion"]), (&json!("dev.proviso.record.head"), &json!("1.0")));
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let mut code = Hmac::<Sha256>::new_from_slice(&[7; 32]).expect("a key");
    code.update(format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).as_bytes());
    code.update(&body);
    assert_eq!(header("webhook-signature"), format!("v1,{}", STANDARD.encode(code.finalize().into_bytes())));
    // What it got is a head that whoever checks the record can hold against it.
    let held = folder.path().join("held");
    std::fs::write(&held, event["data"]["note"].as_str().expect("a note")).expect("a file");
    let done = Binary::run(&["audit", "verify", "--json", "--data", &text(story.gate.data()), "--head", &text(&held)]);
    assert!(done.status.success(), "{done:?}");
    assert_eq!(line(&story, "siem").await["kind"], json!("webhook"));
}
