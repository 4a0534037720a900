//! A witness after C2SP tlog-witness, played with code of other authors.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use proviso_tests::copy_folder;
use signed_note::{Note, Signature, VerifierList, key_id};
use tlog_tiles::checkpoint::Checkpoint;
use tlog_tiles::tlog::{Hash, TreeProof, check_tree};
use tokio::net::TcpListener;

use super::*;

const NAME: &str = "witness.example/w1";

/// What a witness keeps: the newest head of each log, by its origin.
#[derive(Clone)]
struct Witness {
    heads: Arc<Mutex<BTreeMap<String, (u64, Hash)>>>,
    /// The gate's verifier keys.
    keys: Arc<Mutex<Vec<String>>>,
    signing: SigningKey,
    asked: Arc<Mutex<Vec<u16>>>,
}

impl Witness {
    fn new() -> Self {
        let signing = SigningKey::from_bytes(&[9; 32]);
        Self { heads: Arc::default(), keys: Arc::default(), signing, asked: Arc::default() }
    }

    fn public(&self) -> Vec<u8> {
        std::iter::once(4).chain(*self.signing.verifying_key().as_bytes()).collect()
    }

    fn key(&self) -> String {
        format!("{NAME}+{:08x}+{}", key_id(NAME, &self.public()), STANDARD.encode(self.public()))
    }

    async fn open(&self) -> String {
        let router = Router::new().route("/w/add-checkpoint", axum::routing::post(add)).with_state(self.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/w/", listener.local_addr().expect("an address"));
        drop(tokio::spawn(async move { axum::serve(listener, router).await }));
        url
    }

    fn record(&self, url: &str, key: &str) -> Record {
        let table = format!(
            "[[head]]\nname = \"witness\"\nwitness = {{ url = \"{url}\", key = \"{key}\", allow = [\"127.0.0.1/32\"] }}\n"
        );
        Record::parse(&table).expect("a file")
    }

    /// The specification, line by line.
    fn add(&self, body: &str) -> (u16, String) {
        let Some((head, note)) = body.split_once("\n\n") else { return (400, String::new()) };
        let mut lines = head.lines();
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(|old| old.parse::<u64>().ok());
        let proof: Option<TreeProof> =
            lines.map(|line| Some(Hash(STANDARD.decode(line).ok()?.try_into().ok()?))).collect();
        let (Some(old), Some(proof), Ok(note)) = (old, proof, Note::from_bytes(note.as_bytes())) else {
            return (400, String::new());
        };
        let keys = self.keys.lock().expect("nobody panicked").clone();
        let known: Vec<Box<dyn signed_note::Verifier>> = keys
            .iter()
            .map(|key| {
                Box::new(signed_note::StandardVerifier::new(key).expect("a key")) as Box<dyn signed_note::Verifier>
            })
            .collect();
        if note.verify(&VerifierList::new(known)).is_err() {
            return (403, String::new());
        }
        let checkpoint = Checkpoint::from_bytes(note.text()).expect("a checkpoint");
        let mut heads = self.heads.lock().expect("nobody panicked");
        let (held, root) = heads.get(checkpoint.origin()).cloned().unwrap_or((0, Hash([0; 32])));
        if old > checkpoint.size() {
            return (400, String::new());
        }
        if old != held || (old == checkpoint.size() && old > 0 && root != *checkpoint.hash()) {
            return (409, format!("{held}\n"));
        }
        let grows = old == 0
            || old == checkpoint.size()
            || check_tree(&proof, checkpoint.size(), *checkpoint.hash(), old, root).is_ok();
        if !grows {
            return (422, String::new());
        }
        heads.insert(checkpoint.origin().to_owned(), (checkpoint.size(), *checkpoint.hash()));
        let text = String::from_utf8(note.text().to_vec()).expect("a text");
        let time = 1_795_348_800_u64;
        let signature = self.signing.sign(format!("cosignature/v1\ntime {time}\n{text}").as_bytes()).to_bytes();
        let bytes: Vec<u8> = time.to_be_bytes().into_iter().chain(signature).collect();
        let id = key_id(NAME, &self.public());
        let line = Signature::new(NAME.to_owned(), id, bytes).expect("a line").to_bytes();
        // Whoever else signs says nothing to a client that does not know them.
        let other = Signature::new("other.example/w".to_owned(), 7, vec![1; 72]).expect("a line").to_bytes();
        (200, String::from_utf8([other, line].concat()).expect("lines"))
    }
}

async fn add(State(witness): State<Witness>, body: String) -> (StatusCode, HeaderMap, String) {
    let (status, answer) = witness.add(&body);
    witness.asked.lock().expect("nobody panicked").push(status);
    let mut headers = HeaderMap::new();
    if status == 409 {
        headers.insert("content-type", HeaderValue::from_static("text/x.tlog.size"));
    }
    (StatusCode::from_u16(status).expect("a status"), headers, answer)
}

/// A gate that this witness knows.
async fn witnessed(witness: &Witness, url: &str) -> Story {
    let story = gate_with(witness.record(url, &witness.key())).await;
    *witness.keys.lock().expect("nobody panicked") = story.gate.app.verifier_keys();
    story
}

async fn checkpoint(story: &Story, log: &str) -> proviso_tests::Answer {
    let path = format!("/api/v1/logs/{log}/checkpoint?witnessed=true");
    let request = story.client.request(reqwest::Method::GET, &path).bearer_auth(&story.point);
    proviso_tests::Client::send(request).await
}

#[tokio::test]
async fn a_witness_vouches_for_each_newest_head_and_its_line_is_served() {
    let folder = tempfile::tempdir().expect("a folder");
    let (witness, stranger) = (Witness::new(), Witness { signing: SigningKey::from_bytes(&[8; 32]), ..Witness::new() });
    let url = witness.open().await;
    let story = witnessed(&witness, &url).await;
    decide(&story, 3, "a").await;
    let size = story.gate.app.record().logs[1].size;
    let note = until("the newest head is cosigned", async || {
        let answer = checkpoint(&story, "decisions-main").await;
        answer.text.lines().nth(1).is_some_and(|line| line == size.to_string()).then_some(answer.text)
    })
    .await;
    // The note is one to whoever knows the witness, and to the code of other authors, too.
    let parsed = Note::from_bytes(note.as_bytes()).expect("a note");
    assert_eq!(Checkpoint::from_bytes(parsed.text()).expect("a checkpoint").size(), size);
    let line = note.lines().find(|line| line.contains(NAME)).expect("the witness's line");
    assert!(!note.contains("other.example"), "what nobody checked is not handed on");
    assert!(line.starts_with('\u{2014}'));
    let kept = fs::read_to_string(story.gate.data().join("heads/decisions-main.cosigned")).expect("a file");
    assert_eq!(kept, note);
    // It still is a head that the record is held against.
    let held = folder.path().join("held");
    fs::write(&held, &note).expect("a file");
    let done = Binary::run(&["audit", "verify", "--json", "--data", &text(story.gate.data()), "--head", &text(&held)]);
    assert!(done.status.success(), "{done:?}");

    // Once it knows the log, a gate that starts again is told where it stands.
    let data = folder.path().join("data");
    copy_folder(story.gate.data(), &data).expect("a copy");
    let again = opened(&story, &data, witness.record(&url, &witness.key())).await;
    decide(&again, 1, "b").await;
    holds_all(&again, "witness").await;
    assert!(witness.asked.lock().expect("nobody panicked").contains(&409));

    // A line that the configured key has not made is not believed.
    let other = gate_with(witness.record(&url, &stranger.key())).await;
    witness.keys.lock().expect("nobody panicked").extend(other.gate.app.verifier_keys());
    let told = until("it is told", async || {
        let line = super::line(&other, "witness").await;
        line["error"].as_str().is_some_and(|error| error.contains("cosignature")).then_some(line)
    })
    .await;
    assert_eq!(told["state"], json!("failing"));
    assert_eq!(
        (checkpoint(&other, "ledger").await.status.as_u16(), checkpoint(&other, "ledger").await.code()),
        (404, "not_witnessed".to_owned())
    );
}

#[tokio::test]
async fn a_witness_that_holds_more_begins_an_epoch_and_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let witness = Witness::new();
    let url = witness.open().await;
    let story = witnessed(&witness, &url).await;
    decide(&story, 2, "a").await;
    let snapshot = folder.path().join("snapshot");
    copy_folder(story.gate.data(), &snapshot).expect("a snapshot");
    decide(&story, 30, "b").await;
    let size = story.gate.app.record().logs[1].size;
    until("the witness has seen it", async || {
        let heads = witness.heads.lock().expect("nobody panicked");
        heads.values().any(|(held, _)| *held == size).then_some(())
    })
    .await;
    let restored = opened(&story, &snapshot, witness.record(&url, &witness.key())).await;
    until("it is noticed", async || (restored.gate.app.epoch() == 2).then_some(())).await;
    let answer = restored.evaluate(&write_file("report-writer", "/srv/files/drafts/a.md", "old")).await;
    assert_eq!(answer.code(), "credential_of_earlier_epoch");
    let restored = Story::on(restored.gate).await;
    decide(&restored, 40, "c").await;
    until("it is told", async || (line(&restored, "witness").await["state"] == "other_record").then_some(())).await;
    assert_eq!(restored.gate.app.epoch(), 2, "it is told of once");
    let heads = witness.heads.lock().expect("nobody panicked").clone();
    assert!(heads.values().any(|(held, _)| *held == size), "it vouches for no fork");
}
