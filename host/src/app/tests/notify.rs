//! From a request to what a receiver hears: signed, at least once, to nobody else, and in nobody's way.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use proviso_api::routing::DeliveryLine;
use sha2::Sha256;
use tempfile::TempDir;
use tokio::sync::watch;

use super::super::testing::FakeClock;
use super::*;
use crate::clock::Clock as _;
use crate::notify::testing::{Heard, HttpSink, MailSink};
use crate::notify::{self, Notify};
use crate::random::SystemRandom;
use crate::until::until;

const KEYS: [[u8; 32]; 2] = [[1; 32], [2; 32]];
const SECRET_WORDS: &str = "the board wants the report";

/// A gate that tells, and the switch that ends its courier.
pub(super) struct Telling {
    pub(super) gate: Gate,
    stop: watch::Sender<bool>,
    courier: tokio::task::JoinHandle<()>,
}

impl Telling {
    pub(super) async fn on(gate: Gate, notify: &Notify) -> Self {
        let (stop, stopping) = watch::channel(false);
        let courier = notify::start(gate.app.clone(), notify, Arc::new(SystemRandom), stopping).unwrap();
        Self { gate, stop, courier }
    }

    /// The gate without its courier, as between a stop and a start.
    async fn end(self) -> Gate {
        self.stop.send(true).unwrap();
        self.courier.await.unwrap();
        self.gate
    }
}

pub(super) async fn open(notify: &Notify) -> Gate {
    reopen(Arc::new(tempfile::tempdir().unwrap()), FakeClock::new("2026-11-22T12:00:00Z"), notify).await
}

async fn reopen(folder: Arc<TempDir>, clock: Arc<FakeClock>, notify: &Notify) -> Gate {
    Gate::open(folder, clock, |settings| settings.channels = notify.channels()).await.unwrap()
}

/// The same gate after a restart.
async fn again(gate: Gate, notify: &Notify) -> Gate {
    let Gate { app, clock, folder, .. } = gate;
    drop(app);
    reopen(folder, clock, notify).await
}

/// One table of a webhook, its secrets in files of the folder.
pub(super) fn webhook(folder: &TempDir, name: &str, url: &str, more: &str) -> String {
    let places = KEYS.iter().enumerate().map(|(number, key)| {
        let path = folder.path().join(format!("secret-{number}"));
        std::fs::write(&path, format!("whsec_{}\n", STANDARD.encode(key))).unwrap();
        format!("{{ file = {:?} }}", path.display().to_string())
    });
    let places: Vec<String> = places.collect();
    format!("[[webhook]]\nname = \"{name}\"\nurl = \"{url}\"\nsecrets = [{}]\n{more}\n", places.join(", "))
}

pub(super) fn to_sink(folder: &TempDir, name: &str, sink: &HttpSink) -> String {
    webhook(folder, name, &format!("http://{}/hook", sink.address), "allow = [\"127.0.0.1/32\"]")
}

async fn ask(gate: &Gate, path: &str) -> String {
    let caller = caller(&gate.app).await;
    caller.ask(&gate.app, &tool("write_file", path, "ask"), None).await.unwrap()
}

pub(super) async fn deliveries(gate: &Gate, state: &str) -> Vec<DeliveryLine> {
    gate.app.deliveries(Some(state)).await.unwrap().deliveries
}

/// Waits for a delivery in a state.
async fn delivery(gate: &Gate, state: &str, kind: &str) -> DeliveryLine {
    let find = async || deliveries(gate, state).await.into_iter().find(|line| line.kind == kind);
    until(&format!("{kind} {state}"), find).await
}

/// The signature as a receiver computes it, with nothing of the gate's code.
fn signature(key: &[u8], heard: &Heard) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(heard.header("webhook-id").as_bytes());
    mac.update(b".");
    mac.update(heard.header("webhook-timestamp").as_bytes());
    mac.update(b".");
    mac.update(&heard.body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn a_receiver_can_tell_who_sent_it_and_learns_a_link() {
    let (folder, all, other) = (
        tempfile::tempdir().unwrap(),
        HttpSink::start(Some("204 No Content")).await,
        HttpSink::start(Some("200 OK")).await,
    );
    let finance = webhook(
        &folder,
        "finance",
        &format!("http://{}/", other.address),
        "groups = [\"finance\"]\nallow = [\"127.0.0.0/8\"]",
    );
    let notify = Notify::parse(&format!("{}{finance}", to_sink(&folder, "all", &all))).unwrap();
    let telling = Telling::on(open(&notify).await, &notify).await;
    let id = ask(&telling.gate, "/srv/files/reports/q3.md").await;
    let done = delivery(&telling.gate, "delivered", "exception.requested").await;

    let [heard] = all.heard().try_into().unwrap();
    assert_eq!(heard.header("webhook-id"), done.id);
    assert_eq!(heard.header("content-type"), "application/cloudevents+json");
    assert_eq!(heard.header("webhook-signature"), KEYS.map(|key| signature(&key, &heard)).join(" "));
    let at = telling.gate.clock.now().millis() / 1000;
    assert_eq!(heard.header("webhook-timestamp"), at.to_string());
    let event: Value = serde_json::from_slice(&heard.body).unwrap();
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["type"], "dev.proviso.exception.requested");
    assert_eq!(event["source"], "http://127.0.0.1:8731");
    assert_eq!(event["subject"], id.as_str());
    assert_eq!(event["data"]["link"], format!("http://127.0.0.1:8731/exceptions/{id}"));
    assert_eq!(event["data"]["groups"], json!(["approvers"]));
    let text = String::from_utf8(heard.body).unwrap();
    for word in [SECRET_WORDS, "q3.md", "hello", WRITER, "ines"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
    // Policy names the approvers; it is not finance's to decide, so finance hears nothing.
    assert_eq!(other.connections.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_a_crash_left_unsent_is_sent_under_the_same_id() {
    let (folder, sink) = (tempfile::tempdir().unwrap(), HttpSink::start(None).await);
    let notify = Notify::parse(&to_sink(&folder, "all", &sink)).unwrap();
    // Committed, and nobody was there to send it.
    let gate = open(&notify).await;
    ask(&gate, "/srv/files/reports/q3.md").await;
    let [waiting] = deliveries(&gate, "waiting").await.try_into().unwrap();
    let gate = again(gate, &notify).await;
    assert_eq!(deliveries(&gate, "waiting").await, std::slice::from_ref(&waiting));
    // Sent, and the gate ends before it hears an answer.
    let telling = Telling::on(gate, &notify).await;
    until("a first attempt", async || (sink.heard().len() == 1).then_some(())).await;
    let gate = again(telling.end().await, &notify).await;
    sink.answers("200 OK");
    let telling = Telling::on(gate, &notify).await;
    let done = delivery(&telling.gate, "delivered", "exception.requested").await;
    assert_eq!(done.id, waiting.id);
    let ids: Vec<String> = sink.heard().iter().map(|heard| heard.header("webhook-id")).collect();
    assert_eq!(ids, [waiting.id.clone(), waiting.id]);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (folder, inside) = (tempfile::tempdir().unwrap(), HttpSink::start(Some("200 OK")).await);
    let answer = format!("307 Temporary Redirect\r\nlocation: http://{}/", inside.address);
    let sink = HttpSink::start(Some(&answer)).await;
    let notify = Notify::parse(&to_sink(&folder, "all", &sink)).unwrap();
    let telling = Telling::on(open(&notify).await, &notify).await;
    ask(&telling.gate, "/srv/files/reports/q3.md").await;
    let find = async || deliveries(&telling.gate, "waiting").await.into_iter().find(|line| line.attempts == 1);
    let failed = until("a failed attempt", find).await;
    assert_eq!(failed.error.as_deref(), Some("the receiver answered 307: redirects are not followed"));
    assert_eq!(inside.connections.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_that_leads_inside_is_never_connected_to() {
    let (folder, sink) = (tempfile::tempdir().unwrap(), HttpSink::start(Some("200 OK")).await);
    let url = format!("https://localhost:{}/hook", sink.address.port());
    let notify = Notify::parse(&webhook(&folder, "rebound", &url, "")).unwrap();
    let telling = Telling::on(open(&notify).await, &notify).await;
    ask(&telling.gate, "/srv/files/reports/q3.md").await;
    let find = async || deliveries(&telling.gate, "waiting").await.into_iter().find(|line| line.attempts == 1);
    let failed = until("a failed attempt", find).await;
    let error = failed.error.unwrap();
    assert!(error.contains("private address"), "{error}");
    assert_eq!(sink.connections.load(std::sync::atomic::Ordering::SeqCst), 0);
    // What stands in the file as an address does not even start.
    for url in [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest",
        "https://0x7f.1/",
        "http://example.com/",
    ] {
        assert!(Notify::parse(&webhook(&folder, "inside", url, "")).is_err(), "{url}");
    }
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_nobody_else_and_no_decision() {
    let (folder, hanging, quick) =
        (tempfile::tempdir().unwrap(), HttpSink::start(None).await, HttpSink::start(Some("200 OK")).await);
    let file = format!("{}{}", to_sink(&folder, "hanging", &hanging), to_sink(&folder, "quick", &quick));
    let notify = Notify::parse(&file).unwrap();
    let telling = Telling::on(open(&notify).await, &notify).await;
    for number in 0..3 {
        let id = ask(&telling.gate, &format!("/srv/files/reports/{number}.md")).await;
        until("the quick one hears", async || (quick.heard().len() > number * 2).then_some(())).await;
        approve(&telling.gate.app, "mara", &id, None).await.unwrap().expect("granted");
        until("of the grant, too", async || (quick.heard().len() > number * 2 + 1).then_some(())).await;
    }
    assert_eq!(hanging.heard().len(), 1, "the first still hangs");
}

#[tokio::test]
async fn after_ten_attempts_a_delivery_is_dead_and_a_person_has_it_tried_again() {
    let (folder, sink) = (tempfile::tempdir().unwrap(), HttpSink::start(Some("503 Busy")).await);
    let notify = Notify::parse(&to_sink(&folder, "all", &sink)).unwrap();
    let telling = Telling::on(open(&notify).await, &notify).await;
    ask(&telling.gate, "/srv/files/reports/q3.md").await;
    for attempts in 1..10 {
        let tried = async || {
            let waiting = deliveries(&telling.gate, "waiting").await;
            waiting.into_iter().find(|line| line.kind == "exception.requested" && line.attempts == attempts)
        };
        let waiting = until(&format!("{attempts} attempts"), tried).await;
        assert!(waiting.due.unwrap() > telling.gate.clock.now());
        telling.gate.clock.advance(2 * 86_400);
    }
    let dead = delivery(&telling.gate, "dead", "exception.requested").await;
    assert_eq!((dead.attempts, dead.error.as_deref()), (10, Some("the receiver answered 503")));
    sink.answers("200 OK");
    let app = &telling.gate.app;
    assert_eq!(app.retry_delivery("msg_0".to_owned()).await.unwrap_err().code, "unknown_delivery");
    app.retry_delivery(dead.id.clone()).await.unwrap();
    assert_eq!(delivery(&telling.gate, "delivered", "exception.requested").await.id, dead.id);
    assert_eq!(app.retry_delivery(dead.id).await.unwrap_err().code, "unknown_delivery", "it was delivered");
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_asked_once() {
    let (folder, sink) = (tempfile::tempdir().unwrap(), HttpSink::start(Some("410 Gone")).await);
    let notify = Notify::parse(&to_sink(&folder, "all", &sink)).unwrap();
    let telling = Telling::on(open(&notify).await, &notify).await;
    ask(&telling.gate, "/srv/files/reports/q3.md").await;
    assert_eq!(delivery(&telling.gate, "dead", "exception.requested").await.attempts, 1);
}

#[tokio::test]
async fn r9_a_row_put_in_by_hand_is_sent_to_nobody() {
    let (folder, sink) = (tempfile::tempdir().unwrap(), HttpSink::start(Some("200 OK")).await);
    let notify = Notify::parse(&to_sink(&folder, "all", &sink)).unwrap();
    let gate = open(&notify).await;
    ask(&gate, "/srv/files/reports/q3.md").await;
    let database = rusqlite_of(&gate);
    database
        .execute_batch(
            "INSERT INTO outbox SELECT 'msg_forged', seq, channel, target, message, state, attempts, due, at, error, code
               FROM outbox;
             UPDATE outbox SET message = CAST(replace(CAST(message AS TEXT), '127.0.0.1', 'evil.example') AS BLOB)",
        )
        .unwrap();
    drop(database);
    let telling = Telling::on(gate, &notify).await;
    until("both are thrown away", async || deliveries(&telling.gate, "waiting").await.is_empty().then_some(())).await;
    // The next one is heard, and is the first.
    ask(&telling.gate, "/srv/files/reports/q4.md").await;
    delivery(&telling.gate, "delivered", "exception.requested").await;
    let heard = sink.heard();
    assert_eq!(heard.len(), 1);
    assert!(!String::from_utf8_lossy(&heard[0].body).contains("evil"));
}

fn rusqlite_of(gate: &Gate) -> rusqlite::Connection {
    rusqlite::Connection::open(gate.app.settings().data.join(crate::store::sqlite::FILE)).unwrap()
}

/// Mails to people and to the group of approvers.
fn to_mail(sink: &MailSink) -> String {
    let people = ["ines", "tom", "mara", "jun"].map(|person| format!("{person} = \"{person}@acme.example\"\n"));
    format!(
        "[email]\nserver = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"Proviso <gate@acme.example>\"\n\
         [email.people]\n{}[email.groups]\napprovers = \"approvers@acme.example\"\n",
        sink.port,
        people.concat()
    )
}

#[tokio::test]
async fn a_question_is_a_link_to_who_may_answer_it_and_told_once() {
    let (folder, mails, hook) =
        (tempfile::tempdir().unwrap(), MailSink::start().await, HttpSink::start(Some("200 OK")).await);
    let notify = Notify::parse(&format!("{}{}", to_sink(&folder, "all", &hook), to_mail(&mails))).unwrap();
    let telling = Telling::on(open(&notify).await, &notify).await;
    let app = &telling.gate.app;
    let id = ask(&telling.gate, "/srv/files/reports/q3.md").await;
    until("the request is told", async || (mails.letters().len() == 2).then_some(())).await;
    let mara = person(app, "mara").await;
    let vote = ballot(app, &mara, &id, VoteDecision::Ask, None).await;
    app.vote(&mara, &id, unsigned(vote)).await.unwrap();
    let told = until("two more", async || Some(mails.letters()).filter(|letters| letters.len() == 4)).await;
    let told = told[2..].join("\n");
    // Tom owns the agent and ines asks: they may answer, and nobody else may.
    for (address, is_told) in [("tom", true), ("ines", true), ("mara", false), ("approvers", false), ("jun", false)] {
        assert_eq!(told.contains(&format!("RCPT TO:<{address}@acme.example>")), is_told, "{address}");
    }
    assert!(told.contains("asks what you may answer") && told.contains(&format!("/exceptions/{id}")), "{told}");
    assert!(!told.contains("fits the close"), "no word of a person: {told}");
    delivery(&telling.gate, "delivered", "question.asked").await;
    // Answered it is over, and a look later tells nothing again.
    let answer = proviso_api::acts::AnswerRequest { vote: 0, words: "the third".to_owned() };
    app.answer(&person(app, "tom").await, &id, answer).await.unwrap();
    app.tell_due().await;
    delivery(&telling.gate, "delivered", "question.answered").await;
    assert_eq!(mails.letters().len(), 4);
    let gate = again(telling.end().await, &notify).await;
    gate.app.tell_due().await;
    let history = gate.app.exception(&person(&gate.app, "mara").await, &id).await.unwrap().history;
    let lines = history.iter().filter(|line| line.sentence == "2 people told that vote 0 asks something");
    assert_eq!(lines.count(), 1, "{history:#?}");
}

#[tokio::test]
async fn a_mail_is_a_link_to_whom_policy_names() {
    let sink = MailSink::start().await;
    let notify = Notify::parse(&to_mail(&sink)).unwrap();
    let telling = Telling::on(open(&notify).await, &notify).await;
    let id = ask(&telling.gate, "/srv/files/reports/q3.md").await;
    let letters = until("two mails", async || Some(sink.letters()).filter(|letters| letters.len() == 2)).await;
    let all = letters.join("\n");
    // Tom is an approver and owns the agent, ines asks, jun is no approver: none of them decides, none is told.
    for (address, told) in [("mara", true), ("approvers", true), ("tom", false), ("ines", false), ("jun", false)] {
        assert_eq!(all.contains(&format!("RCPT TO:<{address}@acme.example>")), told, "{address}");
    }
    for letter in &letters {
        assert!(letter.contains(&format!("http://127.0.0.1:8731/exceptions/{id}")), "{letter}");
        assert!(letter.contains("Subject: Proviso: a decision is wanted"), "{letter}");
        assert!(!letter.contains(SECRET_WORDS) && !letter.contains("q3.md"), "{letter}");
    }
}

#[test]
fn a_file_that_says_what_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let good = webhook(&folder, "all", "https://events.acme.example/", "");
    Notify::parse(&good).unwrap();
    let email = "[email]\nserver = \"SERVER\"\nport = 25\ntls = \"none\"\nfrom = \"FROM\"\n";
    let email = |server: &str, from: &str| email.replace("SERVER", server).replace("FROM", from);
    Notify::parse(&email("localhost", "gate@acme.example")).unwrap();
    for bad in [
        format!("{good}{good}"),
        good.replace("name =", "nome ="),
        good.replace("https://", "ftp://"),
        good.replace("https://", "https://user:word@"),
        good.replace("secret-0", "nowhere"),
        webhook(&folder, "all", "https://events.acme.example/", "allow = [\"everything\"]"),
        email("smtp.acme.example", "gate@acme.example"),
        email("localhost", "gate"),
        email("localhost", "gate@acme.example\\nBcc: all@acme.example"),
        format!("{}user = \"proviso\"\n", email("localhost", "gate@acme.example")),
    ] {
        assert!(Notify::parse(&bad).is_err(), "{bad}");
    }
}
