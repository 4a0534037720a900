//! `kill -9` and the webhooks: a notice is written with the event that it tells of, so it goes out at least once, and
//! under one id however often.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proviso::notify::Notify;
use proviso_tests::{Setup, TestGate, until, write_file};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::crash::Doomed;

/// A receiver that writes down each notice's id and what it tells of; it answers once it may.
#[derive(Clone, Default)]
struct Receiver {
    heard: Arc<Mutex<Vec<(String, String)>>>,
    answers: Arc<AtomicBool>,
}

impl Receiver {
    async fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let receiver = Self::default();
        let serving = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().take(stream));
            }
        });
        (receiver, url)
    }

    async fn take(self, mut stream: TcpStream) {
        let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
        let event: Value = loop {
            let read = stream.read(&mut part).await.expect("bytes");
            assert_ne!(read, 0, "a whole request");
            bytes.extend_from_slice(&part[..read]);
            let body = bytes.windows(4).position(|end| end == b"\r\n\r\n").map(|at| &bytes[at + 4..]);
            if let Some(event) = body.and_then(|body| serde_json::from_slice(body).ok()) {
                break event;
            }
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let lines = text.lines().filter_map(|line| line.split_once(": "));
        let id =
            lines.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("webhook-id")).expect("an id").1.to_owned();
        let kind = event["type"].as_str().expect("a type").to_owned();
        self.heard.lock().expect("no panic before").push((id, kind));
        if self.answers.load(Ordering::SeqCst) {
            let answer = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.expect("an answer");
        } else {
            // As long as the sender waits.
            while stream.read(&mut part).await.is_ok_and(|read| read > 0) {}
        }
    }

    /// The ids of the notices of requests, once there are so many.
    async fn ids(&self, enough: usize) -> Vec<String> {
        until("the receiver hears", async || {
            let heard = self.heard.lock().expect("no panic before").clone();
            let of_requests = heard.into_iter().filter(|(_, kind)| kind == "dev.proviso.exception.requested");
            let ids: Vec<String> = of_requests.map(|(id, _)| id).collect();
            (ids.len() >= enough).then_some(ids)
        })
        .await
    }
}

fn notify_file(folder: &Path, url: &str) -> PathBuf {
    let secret = folder.join("secret");
    std::fs::write(&secret, format!("whsec_{}", STANDARD.encode([1; 32]))).expect("a secret");
    let table = format!(
        "[[webhook]]\nname = \"all\"\nurl = \"{url}\"\nsecrets = [{{ file = {:?} }}]\nallow = [\"127.0.0.1/32\"]\n",
        secret.display().to_string()
    );
    let path = folder.join("notify.toml");
    std::fs::write(&path, table).expect("a file");
    path
}

/// The gate after its end, with the same receivers.
async fn restart(data: &Path, notify: &Path) -> TestGate {
    let notify = Notify::read(notify).expect("the file");
    TestGate::open(Setup { notify, ..Setup::default() }, data).await.expect("the gate opens after a crash")
}

#[tokio::test]
async fn a_notice_goes_out_though_the_gate_was_killed_right_after_its_event() {
    for (when, enough) in [("after", 1), ("before", 0)] {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let (receiver, url) = Receiver::start().await;
        receiver.answers.store(true, Ordering::SeqCst);
        let notify = notify_file(folder.path(), &url);
        let doomed = Doomed::telling(&data, when, "exception_requested", Some(&notify));
        let call = write_file("report-writer", "/srv/files/reports/a.md", "ask");
        let denied = doomed.parties.evaluate(&call).await.json();
        let body = doomed.parties.request_body(&call, &denied, None);
        let (point, agent) = (format!("Bearer {}", doomed.parties.point), doomed.parties.agent.clone());
        let headers = [("authorization", point.as_str()), ("proviso-subject-token", agent.as_str())];
        doomed.die_of("/access/v1/requests", &headers, &body).await;
        assert_eq!(receiver.ids(0).await, [] as [String; 0], "killed {when} the record: nobody was there to send");
        let gate = restart(&data, &notify).await;
        let heard = receiver.ids(enough).await;
        let told = gate.app.deliveries(Some("delivered")).await.expect("the list").deliveries.len();
        let waits = gate.app.deliveries(Some("waiting")).await.expect("the list").deliveries.len();
        assert_eq!(heard.len(), enough, "killed {when} the record");
        assert_eq!(told + waits, enough, "killed {when} the record: what never happened is told to nobody");
    }
}

#[tokio::test]
async fn a_notice_that_was_under_way_goes_out_again_under_its_id() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let (receiver, url) = Receiver::start().await;
    let notify = notify_file(folder.path(), &url);
    let mut doomed = Doomed::telling(&data, "after", "nothing", Some(&notify));
    doomed.parties.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), None).await;
    let first = receiver.ids(1).await;
    // The receiver has it, and the gate does not know.
    doomed.child.kill().expect("it is killed");
    doomed.child.wait().expect("its end");
    receiver.answers.store(true, Ordering::SeqCst);
    let _gate = restart(&data, &notify).await;
    let ids = receiver.ids(2).await;
    assert_eq!(ids, [first[0].clone(), first[0].clone()]);
}
