//! A verifier that we did not write reads the tiles and checks them: the crates `signed_note` and `tlog_tiles`.

use std::collections::BTreeMap;

use audit_verify::tree::{Tile, read_bundle};
use proviso_tests::contract::answered;
use proviso_tests::{Client, Story};
use serde_json::json;
use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::tile::{Tile as ForeignTile, TileHashReader, TileReader};
use tlog_tiles::tlog::{Error, Hash, HashReader as _, check_record, check_tree, record_hash, stored_hash_index};

use super::{bytes, get, keys, played};

/// What was served, by path.
struct Served(BTreeMap<String, Vec<u8>>);

impl TileReader for Served {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[ForeignTile]) -> Result<Vec<Vec<u8>>, Error> {
        // They write the height into the path, C2SP does not.
        let served = |tile: &ForeignTile| self.0.get(&tile.path().replacen("tile/8/", "tile/", 1)).cloned();
        tiles.iter().map(|tile| served(tile).ok_or(Error::InvalidTile)).collect()
    }

    fn save_tiles(&self, _: &[ForeignTile], _: &[Vec<u8>]) {}
}

/// The head as somebody reads it who knows the key, and nothing of ours.
async fn head(story: &Story, person: &str, log: &str) -> (u64, Hash) {
    let note = get(story, person, &format!("{log}/checkpoint")).await.text;
    let verifier = |key: &String| Box::new(StandardVerifier::new(key).expect("a key")) as Box<_>;
    let known = VerifierList::new(keys(story, person).await.iter().map(verifier).collect());
    let note = Note::from_bytes(note.as_bytes()).expect("a note");
    let (verified, _) = note.verify(&known).expect("signed");
    assert_eq!(verified.len(), 1);
    let checkpoint = tlog_tiles::checkpoint::Checkpoint::from_bytes(note.text()).expect("a checkpoint");
    (checkpoint.size(), *checkpoint.hash())
}

#[tokio::test]
async fn a_verifier_of_another_author_reads_and_checks_the_record() {
    let story = Story::begin().await;
    let (mara, _) = played(&story).await;
    for log in ["ledger", "decisions-main"] {
        let (size, root) = head(&story, &mara, log).await;
        let mut served = BTreeMap::new();
        for tile in Tile::of_log(size) {
            served.insert(tile.to_string(), bytes(&story, &mara, &format!("{log}/{tile}")).await);
        }
        answered("tile");
        let entries: Vec<u8> =
            served.iter().filter(|(path, _)| path.contains("entries")).flat_map(|(_, b)| b.clone()).collect();
        let served = Served(served);
        // The reader believes no tile that does not lead to the signed root.
        let reader = TileHashReader::new(size, root, &served);
        for (seq, entry) in (0..size).zip(read_bundle(&entries).expect("entries")) {
            let hash = record_hash(entry);
            assert_eq!(reader.read_hashes(&[stored_hash_index(0, seq)]).expect("a hash"), [hash], "{log} {seq}");
            let proof = tlog_tiles::tlog::prove_record(size, seq, &reader).expect("a proof");
            check_record(&proof, size, root, seq, hash).expect("the record is in the log");
        }
        assert!(size > 2 && read_bundle(&entries).is_some_and(|entries| entries.len() as u64 == size), "{log}");
    }
}

#[tokio::test]
async fn what_the_gate_shows_of_its_growth_holds_for_another_author_too() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let older = head(&story, &mara, "ledger").await;
    played(&story).await;
    let newer = head(&story, &mara, "ledger").await;
    assert!(older.0 < newer.0);
    let shown = get(&story, &mara, &format!("ledger/consistency?from={}", older.0)).await.json();
    let proof: Vec<String> = serde_json::from_value(shown["proof"].clone()).expect("a proof");
    let proof: Vec<Hash> = proof.iter().map(|hash| Hash::parse_hash(hash).expect("a hash")).collect();
    check_tree(&proof, newer.0, newer.1, older.0, older.1).expect("it only grew");
    assert!(check_tree(&proof, newer.0, newer.1, older.0, newer.1).is_err());
    // An enforcement point asks the same with its own token.
    let request = story.client.request(reqwest::Method::GET, "/api/v1/logs/ledger/consistency?from=0");
    let answer = Client::send(request.bearer_auth(&story.point)).await;
    assert_eq!(answer.json()["size"], json!(newer.0), "{answer:?}");
}

#[tokio::test]
async fn what_is_not_there_is_told_as_that() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let (size, _) = head(&story, &mara, "ledger").await;
    for (path, status, code) in [
        ("other/checkpoint", 404, "unknown_log"),
        ("decisions/checkpoint", 404, "unknown_log"),
        ("ledger/tile/0/000", 404, "no_such_tile"),
        ("ledger/tile/entries/000", 404, "no_such_tile"),
        ("ledger/tile/entries/001.p/1", 404, "no_such_tile"),
        ("ledger/tile/0/000.p/300", 404, "no_such_tile"),
        ("ledger/tile/9/000.p/1", 404, "no_such_tile"),
        ("ledger/tile/0/x000/000.p/1", 404, "no_such_tile"),
        ("ledger/records/999999/proof", 404, "unknown_record"),
        ("ledger/records/-1/proof", 404, "unknown_record"),
        ("ledger/records/1e3/proof", 404, "unknown_record"),
        (&format!("ledger/consistency?from={}", size + 1), 409, "log_shorter"),
        // Nothing was decided yet, which is no fault; whoever holds a head of it holds another gate's.
        ("decisions-main/consistency?from=0", 404, "log_empty"),
        ("decisions-main/consistency?from=1", 409, "log_shorter"),
    ] {
        let answer = get(&story, &mara, path).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{path}: {answer:?}");
    }
    // Tiles and receipts are for people.
    for path in ["ledger/tile/0/000.p/1", "ledger/records/0/proof"] {
        let request = story.client.request(reqwest::Method::GET, &format!("/api/v1/logs/{path}"));
        let answer = Client::send(request.bearer_auth(&story.point)).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "not_a_person"), "{path}");
    }
}
