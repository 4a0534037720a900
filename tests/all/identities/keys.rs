//! An issuer's keys: rotated, taken away, out of reach, asked for by whoever makes up names.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use proviso::clock::Clock as _;
use proviso::trust::{Identities, Moment};
use proviso_tests::{Setup, TestGate, until};
use serde_json::{Value, json};

use super::{AUDIENCE, Key, MESH, World, bundle};

const NEXT: Key = Key { name: "mesh-next", kid: "mesh-2", alg: "ES256" };

/// An issuer's address: what it answers, and how often it was asked.
#[derive(Clone)]
pub(super) struct Served {
    answer: Arc<Mutex<Option<Value>>>,
    asked: Arc<AtomicU32>,
    /// Whoever has it holds every answer back.
    held: Arc<tokio::sync::Mutex<()>>,
    pub(super) at: SocketAddr,
}

impl Served {
    pub(super) async fn begin(document: Value) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let answer = Arc::new(Mutex::new(Some(document)));
        let served = Self { answer, asked: Arc::default(), held: Arc::default(), at: listener.local_addr().unwrap() };
        let here = served.clone();
        let handler = move || async move {
            here.asked.fetch_add(1, Ordering::SeqCst);
            drop(here.held.lock().await);
            match here.answer.lock().unwrap().clone() {
                Some(document) => Ok(document.to_string()),
                None => Err(StatusCode::SERVICE_UNAVAILABLE),
            }
        };
        drop(tokio::spawn(async move { axum::serve(listener, Router::new().route("/keys", get(handler))).await }));
        served
    }

    pub(super) fn say(&self, document: Option<Value>) {
        *self.answer.lock().unwrap() = document;
    }

    pub(super) fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

fn document(keys: &[Key]) -> Value {
    json!({"spiffe_sequence": 1, "keys": keys.iter().map(|key| key.public("jwt-svid")).collect::<Vec<_>>()})
}

/// Those of the trust domain whose keys lie at this address.
fn identities(served: &Served) -> Identities {
    let file = format!(
        "[[issuer]]\ntrust_domain = \"acme.example\"\nalgorithms = [\"ES256\"]\naudience = [\"{AUDIENCE}\"]\n\
         keys = {{ url = \"http://{}/keys\", allow = [\"127.0.0.1/32\"], refresh = \"5m\", keep = \"1h\" }}\n",
        served.at
    );
    Identities::parse(&file).unwrap()
}

/// A gate that believes them.
async fn world(served: &Served) -> World {
    let identities = identities(served);
    let gate = TestGate::with(Setup { bundle: bundle(), identities, ..Setup::default() }).await;
    World { gate, folder: tempfile::tempdir().unwrap() }
}

async fn code(world: &World, key: Key) -> String {
    world.code(&key.sign(None, &world.svid("report-writer", "weekly-report"))).await.1
}

#[tokio::test]
async fn a_rotated_key_is_believed_and_one_that_was_taken_away_is_not() {
    let served = Served::begin(document(&[MESH])).await;
    let world = world(&served).await;
    assert_eq!((code(&world, MESH).await.as_str(), served.asked()), ("", 1));
    // The new key is seen when a token first needs it.
    served.say(Some(document(&[MESH, NEXT])));
    world.gate.clock.advance(31);
    assert_eq!((code(&world, NEXT).await.as_str(), served.asked()), ("", 2));
    // The old one is believed until the keys are looked at again, and no longer.
    served.say(Some(document(&[NEXT])));
    assert_eq!(code(&world, MESH).await, "");
    world.gate.clock.advance(300);
    assert_eq!(code(&world, MESH).await, "token_key");
    assert_eq!(code(&world, NEXT).await, "");
}

#[tokio::test]
async fn made_up_keys_ask_the_issuer_once_in_half_a_minute() {
    let served = Served::begin(document(&[MESH])).await;
    let world = world(&served).await;
    for _ in 0..5 {
        assert_eq!(code(&world, NEXT).await, "token_key");
    }
    assert_eq!(served.asked(), 1);
    world.gate.clock.advance(31);
    let asking = (0..8).map(|_| code(&world, NEXT));
    assert!(futures::future::join_all(asking).await.iter().all(|code| code == "token_key"));
    assert_eq!((code(&world, MESH).await.as_str(), served.asked()), ("", 2));
}

#[tokio::test]
async fn whoever_hangs_up_keeps_nobody_from_the_keys() {
    let served = Served::begin(document(&[MESH])).await;
    let world = world(&served).await;
    let token = MESH.sign(None, &world.svid("report-writer", "weekly-report"));
    let identities = Arc::new(identities(&served));
    let moment = Moment { now: world.gate.clock.now(), boot: 1 };
    let held = Arc::clone(&served.held).lock_owned().await;
    let asking = {
        let (identities, token) = (Arc::clone(&identities), token.clone());
        tokio::spawn(async move { identities.verify(&token, None, AUDIENCE, moment).await.map(drop) })
    };
    until("the issuer is asked", async || (served.asked() == 1).then_some(())).await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    drop(held);
    // Within the half minute in which nobody looks again.
    assert_eq!(identities.verify(&token, None, AUDIENCE, moment).await.map(drop), Ok(()));
    assert_eq!(served.asked(), 1);
}

#[tokio::test]
async fn an_issuer_out_of_reach_is_believed_for_the_stated_time_and_then_denied() {
    let served = Served::begin(document(&[MESH])).await;
    let world = world(&served).await;
    served.say(None);
    assert_eq!(code(&world, MESH).await, "issuer_keys_unavailable", "never seen, never believed");
    served.say(Some(document(&[MESH])));
    world.gate.clock.advance(31);
    assert_eq!(code(&world, MESH).await, "");
    // An answer that is no document of keys is none, and takes nothing away.
    for bad in [None, Some(json!({"keys": []})), Some(json!({"keys": [MESH.public("x509-svid")]})), Some(json!("no"))] {
        served.say(bad);
        world.gate.clock.advance(600);
        assert_eq!(code(&world, MESH).await, "");
    }
    world.gate.clock.advance(1_201);
    let token = MESH.sign(None, &world.svid("report-writer", "weekly-report"));
    let answer = world.who(&token).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (503, "issuer_keys_unavailable".to_owned()), "{answer:?}");
    assert!(!answer.header("retry-after").is_empty());
    served.say(Some(document(&[MESH])));
    world.gate.clock.advance(31);
    assert_eq!(code(&world, MESH).await, "");
}

#[tokio::test]
async fn keys_in_a_file_are_looked_at_again() {
    let world = World::begin().await;
    assert_eq!(code(&world, MESH).await, "");
    std::fs::write(world.folder.path().join("mesh.json"), document(&[NEXT]).to_string()).unwrap();
    assert_eq!(code(&world, MESH).await, "");
    world.gate.clock.advance(300);
    assert_eq!((code(&world, MESH).await, code(&world, NEXT).await), ("token_key".to_owned(), String::new()));
}
