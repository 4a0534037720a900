//! Whoever may confirm is told of an epoch, once and folded; what the lost gate had to send is not sent again by itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use proviso::notify::Notify;
use proviso_tests::{as_person, until};
use reqwest::Method;
use tokio::net::TcpListener;

use super::*;

/// A receiver that writes down what it hears, and takes it only while it is up.
#[derive(Clone, Default)]
struct Receiver {
    heard: Arc<Mutex<Vec<(String, Value)>>>,
    up: Arc<AtomicBool>,
}

impl Receiver {
    async fn start() -> (Self, String) {
        let receiver = Self::default();
        let router = Router::new().route("/hook", post(take)).with_state(receiver.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        drop(tokio::spawn(async move { axum::serve(listener, router).await }));
        (receiver, url)
    }

    /// What it took of a kind, each with the delivery's id.
    fn of(&self, kind: &str) -> Vec<(String, Value)> {
        let heard = self.heard.lock().expect("nobody panicked").clone();
        heard.into_iter().filter(|(_, event)| event["type"] == format!("dev.proviso.{kind}")).collect()
    }

    async fn hears(&self, kind: &str, number: usize) -> Vec<(String, Value)> {
        until("it is heard", async || Some(self.of(kind)).filter(|of| of.len() >= number)).await
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: String) -> StatusCode {
    if !receiver.up.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).expect("an id").to_owned();
    let event = serde_json::from_str(&body).expect("an event");
    receiver.heard.lock().expect("nobody panicked").push((id, event));
    StatusCode::NO_CONTENT
}

/// A receiver of everything, and a mail server that nobody reaches: its mails stay to be looked at.
fn notify(folder: &Path, url: &str) -> PathBuf {
    let secret = folder.join("secret");
    fs::write(&secret, "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").expect("a secret");
    let file = folder.join("notify.toml");
    let table = format!(
        "[[webhook]]\nname = \"siem\"\nurl = \"{url}\"\nallow = [\"127.0.0.1/32\"]\n\
         secrets = [{{ file = \"{}\" }}]\n\
         [email]\nserver = \"localhost\"\nport = 1\ntls = \"none\"\nfrom = \"gate@acme.example\"\n\
         [email.people]\nmara = \"mara@acme.example\"\ntom = \"tom@acme.example\"\nines = \"ines@acme.example\"\n",
        secret.display()
    );
    fs::write(&file, table).expect("a file");
    file
}

fn telling(story: &Story, notify: &Path) -> Setup {
    let notify = Notify::read(notify).expect("a file");
    Setup { clock: Arc::clone(&story.gate.clock), notify, ..Setup::default() }
}

/// The targets of the mails of a kind that wait.
async fn mails(story: &Story, kind: &str) -> Vec<String> {
    let waiting = story.gate.app.deliveries(Some("waiting")).await.expect("the outbox").deliveries;
    let of_kind = waiting.into_iter().filter(|line| line.channel == "email" && line.kind == kind);
    of_kind.map(|line| line.target).collect()
}

#[tokio::test]
async fn who_may_confirm_is_told_once_and_what_was_to_be_sent_before_is_not_sent_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (receiver, url) = Receiver::start().await;
    let notify = notify(folder.path(), &url);
    let first = Setup { notify: Notify::read(&notify).expect("a file"), ..Setup::default() };
    let story = Story::on(TestGate::with(first).await).await;
    let (granted, _) = granted(&story).await;
    let open = story.ask(&write_file("report-writer", "/srv/files/summaries/b.md", "ask-2"), None).await;
    until("it is to be sent", async || {
        let waiting = story.gate.app.deliveries(Some("waiting")).await.expect("the outbox").deliveries;
        (waiting.iter().filter(|line| line.channel == "webhook").count() == 3).then_some(())
    })
    .await;
    back_up(story.gate.data(), &folder.path().join("backup"));
    // The gate goes on, its receiver comes back, and all of it is sent.
    receiver.up.store(true, Ordering::SeqCst);
    story.gate.clock.advance(600);
    let lost = story.ask(&write_file("report-writer", "/srv/files/summaries/c.md", "ask-3"), None).await;
    let sent = receiver.hears("exception.requested", 3).await;
    assert!(sent.iter().any(|(_, event)| event["subject"] == json!(lost)));
    receiver.hears("exception.granted", 1).await;
    let before: BTreeSet<String> =
        receiver.heard.lock().expect("nobody panicked").drain(..).map(|(id, _)| id).collect();

    story.gate.clock.advance(60);
    restored(&folder.path().join("backup"), &folder.path().join("data"), &[]);
    let gate = TestGate::open(telling(&story, &notify), &folder.path().join("data")).await.expect("the gate opens");
    drop(story);
    let story = Story::on(gate).await;
    let told = receiver.hears("epoch.unconfirmed", 1).await.remove(0);
    let data = json!({"link": format!("{}/record", story.client.url), "epoch": 2, "unconfirmed": 2});
    assert_eq!(told.1["data"], data, "both in one, and no word of what they are about");
    assert!(told.1["id"].as_str().is_some_and(|id| id.starts_with("epoch-2-ledger-")), "{told:?}");
    // Mara may confirm both and is told once; who owns the agent and who stands behind it may not, and are not.
    assert_eq!(mails(&story, "epoch.unconfirmed").await, ["person/mara"]);
    let dead = story.gate.app.deliveries(Some("dead")).await.expect("the outbox").deliveries;
    let withheld: Vec<_> = dead.iter().filter(|line| line.channel == "webhook").collect();
    assert_eq!(withheld.len(), 3, "{dead:?}");
    assert!(
        dead.iter().all(|line| line.error.as_ref().is_some_and(|error| error.contains("may have sent it"))),
        "{dead:?}"
    );

    // Neither by the next start, which is one on a copy of the folder: by then the outbox knows what was taken.
    until("the outbox knows what was heard", async || {
        let waiting = story.gate.app.deliveries(Some("waiting")).await.expect("the outbox").deliveries;
        waiting.iter().all(|line| line.channel != "webhook").then_some(())
    })
    .await;
    let setup = telling(&story, &notify);
    let story = Story::on(story.gate.again(setup).await).await;
    let fresh = story.ask(&write_file("report-writer", "/srv/files/summaries/d.md", "ask-4"), None).await;
    let requested = receiver.hears("exception.requested", 1).await;
    assert_eq!(requested.iter().map(|(_, event)| &event["subject"]).collect::<Vec<_>>(), [&json!(fresh)]);
    assert_eq!(receiver.of("epoch.unconfirmed").len(), 1, "once for each epoch");
    // What is told now stands at positions that the lost record had, too: no receiver may take it for a repeat.
    assert!(receiver.heard.lock().expect("nobody panicked").iter().all(|(id, _)| !before.contains(id)));

    // A person who knows better has one of them sent, under the id that it always had.
    let mara = story.gate.person("mara").await;
    let one = withheld.iter().find(|line| line.exception.as_ref() == Some(&open)).expect("the open request's");
    let retry = as_person(story.client.request(Method::POST, &format!("/api/v1/deliveries/{}/retry", one.id)), &mara);
    assert_eq!(proviso_tests::Client::send(retry).await.status.as_u16(), 202);
    let again = receiver.hears("exception.requested", 2).await.remove(1);
    assert_eq!((&again.0, &again.1["id"]), (&one.id, &json!(format!("ledger-{}", one.position))));
    assert!(before.contains(&again.0), "so a receiver that had it knows it for a repeat");
    assert_eq!(confirm(&story, &mara, &granted, "the report is still due").await.status.as_u16(), 200);
}

#[tokio::test]
async fn where_nothing_waits_nobody_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let (receiver, url) = Receiver::start().await;
    receiver.up.store(true, Ordering::SeqCst);
    let notify = notify(folder.path(), &url);
    let story = Story::begin().await;
    let id = story.ask(&write_file("report-writer", FILE, "ask"), None).await;
    let mara = story.gate.person("mara").await;
    assert_eq!(story.vote(&mara, &id, "refuse", None).await.json()["state"], "denied");
    back_up(story.gate.data(), &folder.path().join("backup"));
    restored(&folder.path().join("backup"), &folder.path().join("data"), &[]);
    let gate = TestGate::open(telling(&story, &notify), &folder.path().join("data")).await.expect("the gate opens");
    let story = Story::on(gate).await;
    story.ask(&write_file("report-writer", "/srv/files/reports/d.md", "ask-2"), None).await;
    receiver.hears("exception.requested", 1).await;
    assert_eq!(receiver.of("epoch.unconfirmed"), []);
    assert_eq!(mails(&story, "epoch.unconfirmed").await, Vec::<String>::new());
}
