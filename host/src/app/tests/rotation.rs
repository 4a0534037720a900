//! Letting a fresh key of a ring sign, in either ring: slowly, without a record, without a disk, with a start in between.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use super::super::rotation::Ring;
use super::*;
use crate::signing::PublicKey;

const RINGS: [Ring; 2] = [Ring::Binding, Ring::Credentials];

fn keys(app: &App, ring: Ring) -> Vec<PublicKey> {
    match ring {
        Ring::Binding => app.signing_keys(),
        Ring::Credentials => app.token_keys(),
    }
}

/// The ids of the keys that are believed, the one that signs last.
fn kids(app: &App, ring: Ring) -> Vec<String> {
    keys(app, ring).into_iter().map(|key| key.kid).collect()
}

fn file(gate: &Gate, ring: Ring) -> PathBuf {
    let name = match ring {
        Ring::Binding => "binding.json",
        Ring::Credentials => "credentials.json",
    };
    gate.folder.path().join("data/keys").join(name)
}

async fn rotate(app: &App, ring: Ring) -> Result<String, &'static str> {
    app.rotate_ring(ring, &ROOT, "a laptop was lost").await.map_err(|refusal| refusal.code)
}

/// A token of the gate's own, as it is handed out.
async fn held(gate: &Gate) -> String {
    let mint = MintRequest::Agent {
        subject: EntityRef::new("Agent", WRITER),
        task: "close-q3".to_owned(),
        via: Vec::new(),
        on_behalf: Some("ines".to_owned()),
        resource: None,
    };
    gate.app.mint(mint, &ROOT).await.unwrap().secret
}

#[tokio::test]
async fn a_key_is_retired_when_it_signs_nothing_any_more_and_not_when_that_was_begun() {
    for ring in RINGS {
        let gate = Gate::start().await;
        let token = held(&gate).await;
        let before = kids(&gate.app, ring);
        // The disk is slow, and the old key goes on signing meanwhile.
        let clock = Arc::clone(&gate.clock);
        *gate.faults.meanwhile.lock().unwrap() = Some(Box::new(move || clock.advance(90)));
        let fresh = rotate(&gate.app, ring).await.unwrap();
        let told = keys(&gate.app, ring);
        assert_eq!(kids(&gate.app, ring), [before[0].clone(), fresh], "{ring:?}");
        assert_eq!(told[0].retired_at, Some(gate.app.now()), "{ring:?}: what was signed until now is believed");
        assert!(gate.app.authenticate(&token).is_ok(), "{ring:?}");
    }
}

#[tokio::test]
async fn a_key_that_nobody_wrote_down_signs_nothing() {
    for ring in RINGS {
        let gate = Gate::start().await;
        let token = held(&gate).await;
        let (before, bytes) = (kids(&gate.app, ring), fs::read(file(&gate, ring)).unwrap());
        for fault in [&gate.faults.fail, &gate.faults.lose_answer] {
            fault.store(true, Ordering::SeqCst);
            assert_eq!(rotate(&gate.app, ring).await, Err("record_unavailable"), "{ring:?}");
            fault.store(false, Ordering::SeqCst);
            assert_eq!(kids(&gate.app, ring), before, "{ring:?}: the old key signs on");
            assert_eq!(fs::read(file(&gate, ring)).unwrap(), bytes, "{ring:?}");
        }
        assert_eq!(app_reason(&gate, ring, " ").await, "reason_needed");
        assert_eq!(app_reason(&gate, ring, &"x".repeat(2_001)).await, "reason_needed");
        // The answer was lost and the record is there: a start later the old key signs still, and gives way to the next.
        let gate = gate.again().await.unwrap();
        assert_eq!(kids(&gate.app, ring), before, "{ring:?}");
        assert!(gate.app.authenticate(&token).is_ok(), "{ring:?}");
        let fresh = rotate(&gate.app, ring).await.unwrap();
        assert_eq!(kids(&gate.app, ring), [before[0].clone(), fresh], "{ring:?}");
        assert!(gate.app.authenticate(&token).is_ok(), "{ring:?}");
    }
}

async fn app_reason(gate: &Gate, ring: Ring, reason: &str) -> &'static str {
    gate.app.rotate_ring(ring, &ROOT, reason).await.unwrap_err().code
}

#[tokio::test]
async fn a_disk_that_does_not_take_the_new_key_or_a_start_before_it_did_leaves_the_old_one() {
    for ring in RINGS {
        let gate = Gate::start().await;
        let token = held(&gate).await;
        let (before, bytes) = (kids(&gate.app, ring), fs::read(file(&gate, ring)).unwrap());
        // Nothing can be written beside the file.
        let beside = file(&gate, ring).with_extension("json.new");
        fs::create_dir(&beside).unwrap();
        fs::write(beside.join("in the way"), b"").unwrap();
        let refused = gate.app.rotate_ring(ring, &ROOT, "a laptop was lost").await.unwrap_err();
        assert_eq!((refused.code, refused.help.is_some()), ("keys_unwritable", true), "{ring:?}");
        assert_eq!(kids(&gate.app, ring), before, "{ring:?}");
        assert_eq!(fs::read(file(&gate, ring)).unwrap(), bytes, "{ring:?}");
        assert!(gate.app.authenticate(&held(&gate).await).is_ok(), "{ring:?}: it signs on");
        // As after a stop between the record and the file.
        let gate = gate.again().await.unwrap();
        assert_eq!(kids(&gate.app, ring), before, "{ring:?}");
        assert!(gate.app.authenticate(&token).is_ok(), "{ring:?}");
        fs::remove_dir_all(&beside).unwrap();
        let fresh = rotate(&gate.app, ring).await.unwrap();
        assert_eq!(kids(&gate.app, ring), [before[0].clone(), fresh.clone()], "{ring:?}");
        let later = held(&gate).await;
        let gate = gate.again().await.unwrap();
        assert_eq!(kids(&gate.app, ring).last(), Some(&fresh), "{ring:?}");
        for token in [&token, &later] {
            assert!(gate.app.authenticate(token).is_ok(), "{ring:?}");
        }
    }
}
