//! Receivers inside the house: neither a file nor a name that changes its mind makes the gate call them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proviso::notify::Notify;
use proviso_tests::{Binary, Setup, Story, TestGate, write_file};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::failure;

/// One receiver's table, with no network that is allowed, or with this one.
fn table(folder: &Path, name: &str, url: &str, allow: &str) -> String {
    let secret = folder.join("secret");
    std::fs::write(&secret, format!("whsec_{}", STANDARD.encode([1; 32]))).expect("a secret");
    let secret = secret.display().to_string();
    format!("[[webhook]]\nname = \"{name}\"\nurl = \"{url}\"\nsecrets = [{{ file = {secret:?} }}]\n{allow}\n")
}

fn file(folder: &Path, tables: &str) -> PathBuf {
    let path = folder.join("notify.toml");
    std::fs::write(&path, tables).expect("a file");
    path
}

/// A receiver that counts who knocks, and sends everybody elsewhere.
async fn sends_on(to: &str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let (port, knocks) = (listener.local_addr().expect("an address").port(), Arc::new(AtomicUsize::new(0)));
    let (counted, to) = (Arc::clone(&knocks), to.to_owned());
    drop(tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let answer =
                format!("HTTP/1.1 307 Elsewhere\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            // Whoever knocked may not want to be sent anywhere.
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    }));
    (port, knocks)
}

#[test]
fn the_gate_does_not_start_with_a_receiver_at_a_private_address() {
    proviso_tests::clauses!("c4-20-private-address");
    let folder = tempfile::tempdir().expect("a folder");
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundles/sample").display().to_string();
    let data = folder.path().join("data").display().to_string();
    for url in [
        "https://127.0.0.1/",
        "https://10.0.0.1/hook",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[fd00::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://0/",
        "http://example.com/",
        "file:///etc/passwd",
    ] {
        let notify = file(folder.path(), &table(folder.path(), "inside", url, "")).display().to_string();
        let arguments = ["serve", "--json", "--listen", "127.0.0.1:0", "--bundle", &bundle, "--data", &data];
        let output = Binary::run(&[&arguments[..], &["--notify", &notify]].concat());
        let (exit, code) = failure(&output);
        assert_eq!((exit, code.as_str()), (Some(65), "bad_notify_file"), "{url}: {output:?}");
        assert!(!Path::new(&data).exists(), "{url}: nothing was begun");
    }
}

#[tokio::test]
async fn a_name_or_an_answer_that_leads_inside_is_not_followed() {
    proviso_tests::clauses!("c4-20-name-leads-inside", "c4-20-redirect");
    let folder = tempfile::tempdir().expect("a folder");
    let inside = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = inside.local_addr().expect("an address").port();
    // One name that leads inside, and one receiver that may be called and sends the gate to a place that may not.
    let (elsewhere, knocks) = sends_on(&format!("http://127.0.0.1:{port}/")).await;
    let tables = [
        table(folder.path(), "named", &format!("https://localhost:{port}/"), ""),
        table(folder.path(), "moved", &format!("http://127.0.0.1:{elsewhere}/"), "allow = [\"127.0.0.1/32\"]"),
    ];
    let notify = Notify::read(&file(folder.path(), &tables.concat())).expect("the file");
    let story = Story::on(TestGate::with(Setup { notify, ..Setup::default() }).await).await;
    let mara = story.gate.person("mara").await;
    story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), None).await;
    let tried = async {
        loop {
            let list = story.client.get("/api/v1/deliveries?state=waiting", Some(&mara)).await.json();
            let waiting = list["deliveries"].as_array().cloned().unwrap_or_default();
            let errors: Vec<Value> = waiting.iter().map(|line| line["error"].clone()).collect();
            if errors.len() == 2 && errors.iter().all(Value::is_string) {
                return errors.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n");
            }
            tokio::task::yield_now().await;
        }
    };
    let errors = tokio::time::timeout(Duration::from_secs(60), tried).await.expect("both are tried");
    assert!(errors.contains("private address") && errors.contains("redirects are not followed"), "{errors}");
    assert_eq!(knocks.load(Ordering::SeqCst), 1, "the one that may be called was");
    assert!(futures::FutureExt::now_or_never(inside.accept()).is_none(), "and nobody came in");
}
