//! Grants, sessions and tokens put into the database by hand, by somebody who has the file but not the keys.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use policy_core::digest::Digest;
use policy_core::leaf::{LEAF_VERSION, Leaf, commitment};
use proviso_tests::{AGENTS, Binary, write_file};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::{audit, failure, parties, sign_in};
use crate::own_tokens;

const SALT: [u8; 32] = [7; 32];

const AT: &str = "2026-11-22T12:00:00.000Z";

/// A leaf with one payload, as good as it can be made without the keys. Its place and its commitment are made up where
/// it is put in.
struct Forged {
    leaf: Leaf,
    payload: Value,
}

/// Whoever forges knows the secret that belongs to the hash, but not the key that made the hash.
fn secret(prefix: &str) -> String {
    format!("{prefix}_{}1_{}", "0".repeat(31), "a".repeat(64))
}

/// A credential's record.
fn identity(kind: &str, event: Value) -> Forged {
    let leaf = Leaf {
        v: LEAF_VERSION,
        log: "ledger".to_owned(),
        seq: 0,
        at: AT.parse().unwrap(),
        kind: kind.to_owned(),
        stream: "identity".to_owned(),
        after: None,
        outcome: None,
        policies: Vec::new(),
        module: None,
        bundle: None,
        commitments: [].into(),
    };
    Forged { leaf, payload: json!({"identity": event}) }
}

/// Writes it behind the newest record of the ledger.
fn insert(data: &Path, Forged { leaf, payload }: Forged) {
    let payload = payload.to_string().into_bytes();
    let database = open(data);
    let size = size(&database);
    let seq = u64::try_from(size).unwrap();
    let leaf = Leaf { seq, commitments: [("event".to_owned(), commitment(&SALT, &payload))].into(), ..leaf };
    let bytes = leaf.to_bytes().unwrap();
    database.execute("INSERT INTO leaf VALUES ('ledger', ?1, ?2)", params![size, bytes]).unwrap();
    database
        .execute("INSERT INTO payload VALUES ('ledger', ?1, 'event', ?2, ?3)", params![size, SALT, payload])
        .unwrap();
}

fn open(data: &Path) -> Connection {
    let database = Connection::open(data.join("record.sqlite")).unwrap();
    database.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    database
}

fn size(database: &Connection) -> i64 {
    database.query_row("SELECT count(*) FROM leaf WHERE log = 'ledger'", [], |row| row.get(0)).unwrap()
}

/// How a start over this folder fails. One that does not fail is stopped: it would serve for ever.
fn serve(data: &Path) -> (Option<i32>, String) {
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundles/sample");
    let mut command = Command::new(Binary::path());
    command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--bundle"]).arg(bundle).arg("--data").arg(data);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    if line.contains("\"ready\"") {
        child.kill().unwrap();
        child.wait().unwrap();
        return (None, "it serves".to_owned());
    }
    let status = child.wait().unwrap();
    failure(&Output { status, stdout: line.into_bytes(), stderr: Vec::new() })
}

/// Neither the audit nor the next start takes the folder of this gate.
fn refused_from_now_on(gate: Binary, data: &Path) {
    assert_eq!(failure(&audit(data)), (Some(65), "log_tampered".to_owned()));
    gate.kill();
    assert_eq!(serve(data), (Some(65), "log_tampered".to_owned()));
}

#[tokio::test]
async fn a_token_put_in_by_hand_opens_nothing_and_stops_the_next_start() {
    proviso_tests::clauses!("arap-21.1.3-b", "c4-13-inserted");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let gate = Binary::serve(&data);
    let parties = parties(&gate);
    let token = secret("pva");
    insert(
        &data,
        identity(
            "token_minted",
            json!({"kind": "token_minted", "token": {
                "id": "pva_00000000000000000000000000000001", "hash": Digest::of(token.as_bytes()).to_string(),
                "facts": {"agent": {"subject": {"type": "Agent", "id": format!("{AGENTS}close-planner")}, "task": "any"}},
                "minted_at": AT, "expires_at": "2099-01-01T00:00:00.000Z", "by": "root", "uid": 0, "same_user": false,
            }}),
        ),
    );
    // The running gate never reads authority back from rows.
    let call = write_file("close-planner", "/srv/files/reports/a.md", "c1");
    let answer = gate.client.post_for("/access/v1/evaluation", &parties.point, &token, &call).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "token_not_signed"), "{answer:?}");
    // Nor does it with a signature of the gate's own key.
    let mut claims = own_tokens::part(&parties.agent, 1);
    claims["jti"] = json!("pva_00000000000000000000000000000001");
    claims["sub"] = json!(format!("Agent::{AGENTS}close-planner"));
    claims[own_tokens::SECRET] = json!("a".repeat(64));
    let key = own_tokens::stolen(&data, "credentials.json");
    let signed = own_tokens::signed(&key, &own_tokens::part(&parties.agent, 0), &claims);
    let answer = gate.client.post_for("/access/v1/evaluation", &parties.point, &signed, &call).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "unauthenticated"), "{answer:?}");
    refused_from_now_on(gate, &data);
}

#[tokio::test]
async fn a_session_put_in_by_hand_opens_nothing_and_stops_the_next_start() {
    proviso_tests::clauses!("c4-13-inserted");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let gate = Binary::serve(&data);
    let session = secret("pvs");
    insert(
        &data,
        identity(
            "signed_in",
            json!({"kind": "signed_in", "at": AT, "session": {
                "id": "pvs_00000000000000000000000000000001", "hash": Digest::of(session.as_bytes()).to_string(),
                "person": {"type": "User", "id": "mara"}, "assurance": "link", "expires_at": "2099-01-01T00:00:00.000Z",
                "same_user": false,
            }}),
        ),
    );
    let cookie = format!("proviso_session={session}");
    let answer = gate.client.get("/api/v1/exceptions", Some(&cookie)).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "signed_out"), "{answer:?}");
    refused_from_now_on(gate, &data);
}

/// The record of a grant, as another gate wrote it for the same agent, task and call, with the id of its exception.
async fn grant_of_a_twin() -> (Forged, String) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let twin = Binary::serve(&data);
    let parties = parties(&twin);
    let id = parties.ask(&wanted("ask"), None).await;
    let mara = sign_in(&twin, "mara").await;
    let vote = parties.vote(&mara, &id, "approve", None).await;
    assert_eq!(vote.json()["state"], "granted", "{vote:?}");
    assert_eq!(parties.evaluate(&wanted("use")).await.json()["decision"], true, "a grant that opens the call");
    let select = "SELECT leaf.bytes, payload.bytes FROM leaf JOIN payload USING (log, seq) WHERE log = 'ledger' AND name = 'event'";
    let database = open(&data);
    let mut select = database.prepare(select).unwrap();
    let rows = select.query_map([], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?))).unwrap();
    let mut read = rows.map(|row| {
        let (leaf, payload) = row.unwrap();
        (serde_json::from_slice::<Leaf>(&leaf).unwrap(), serde_json::from_slice(&payload).unwrap())
    });
    let (leaf, payload) = read.find(|(leaf, _)| leaf.kind == "exception_granted").unwrap();
    (Forged { leaf, payload }, id)
}

fn wanted(call: &str) -> Value {
    write_file("report-writer", "/srv/files/reports/a.md", call)
}

#[tokio::test]
async fn a_grant_put_in_by_hand_opens_nothing_and_stops_the_next_start() {
    proviso_tests::clauses!("c4-13-inserted");
    let (Forged { leaf, payload }, others) = grant_of_a_twin().await;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let gate = Binary::serve(&data);
    let parties = parties(&gate);
    let id = parties.ask(&wanted("ask"), None).await;
    // Fitted to the request that really waits here.
    let payload = serde_json::from_str(&payload.to_string().replace(&others, &id)).unwrap();
    insert(&data, Forged { leaf: Leaf { stream: leaf.stream.replace(&others, &id), ..leaf }, payload });
    let answer = parties.evaluate(&wanted("use")).await.json();
    assert_eq!((&answer["decision"], &answer["context"]["reason"]), (&json!(false), &json!("approval_required")));
    refused_from_now_on(gate, &data);
}

#[tokio::test]
async fn what_was_written_cannot_be_changed_or_cut() {
    proviso_tests::clauses!("c4-13-cut", "c4-13-altered");
    type Change = fn(&Connection) -> rusqlite::Result<usize>;
    let changes: [(&str, Change); 5] = [
        ("a leaf", |database| {
            database.execute("UPDATE leaf SET bytes = CAST(replace(CAST(bytes AS TEXT), 'identity', 'identitY') AS BLOB) WHERE log = 'ledger' AND seq = 2", [])
        }),
        ("a payload", |database| {
            database.execute("UPDATE payload SET bytes = CAST(replace(CAST(bytes AS TEXT), 'weekly-report', 'another-one') AS BLOB) WHERE log = 'ledger'", [])
        }),
        ("the newest record", |database| {
            database.execute(
                "DELETE FROM payload WHERE log = 'ledger' AND seq = (SELECT max(seq) FROM leaf WHERE log = 'ledger')",
                [],
            )?;
            database.execute(
                "DELETE FROM leaf WHERE log = 'ledger' AND seq = (SELECT max(seq) FROM leaf WHERE log = 'ledger')",
                [],
            )
        }),
        ("the newest record and its head", |database| {
            database.execute(
                "DELETE FROM head WHERE log = 'ledger' AND size = (SELECT max(size) FROM head WHERE log = 'ledger')",
                [],
            )?;
            database.execute(
                "DELETE FROM payload WHERE log = 'ledger' AND seq = (SELECT max(seq) FROM leaf WHERE log = 'ledger')",
                [],
            )?;
            database.execute(
                "DELETE FROM leaf WHERE log = 'ledger' AND seq = (SELECT max(seq) FROM leaf WHERE log = 'ledger')",
                [],
            )
        }),
        ("all heads", |database| database.execute("DELETE FROM head", [])),
    ];
    for (what, change) in changes {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let gate = Binary::serve(&data);
        parties(&gate);
        sign_in(&gate, "mara").await;
        gate.kill();
        assert!(audit(&data).status.success(), "{what}");
        {
            let database = Connection::open(data.join("record.sqlite")).unwrap();
            // The triggers stop an accident; whoever means it takes them away.
            assert!(change(&database).is_err(), "{what}: the triggers let it pass");
            for trigger in [
                "leaf_no_update",
                "leaf_no_delete",
                "head_no_update",
                "head_no_delete",
                "payload_no_update",
                "payload_no_delete",
            ] {
                database.execute(&format!("DROP TRIGGER {trigger}"), []).unwrap();
            }
            assert!(change(&database).unwrap() > 0, "{what}");
        }
        assert_eq!(failure(&audit(&data)), (Some(65), "log_tampered".to_owned()), "{what}");
        assert_eq!(serve(&data), (Some(65), "log_tampered".to_owned()), "{what}");
    }
}

#[tokio::test]
async fn a_restored_backup_is_noticed() {
    proviso_tests::clauses!("c4-13-restored");
    let folder = tempfile::tempdir().unwrap();
    let (data, backup) = (folder.path().join("data"), folder.path().join("backup"));
    std::fs::create_dir(&backup).unwrap();
    let gate = Binary::serve(&data);
    let parties = parties(&gate);
    gate.kill();
    for file in database_of(&data) {
        std::fs::copy(&file, backup.join(file.file_name().unwrap())).unwrap();
    }
    let gate = Binary::serve(&data);
    let parties = proviso_tests::Parties { client: gate.client.clone(), ..parties };
    assert_eq!(
        parties.evaluate(&write_file("report-writer", "/srv/files/drafts/a.md", "c1")).await.json()["decision"],
        true
    );
    gate.kill();
    assert!(audit(&data).status.success());
    for file in database_of(&data) {
        std::fs::remove_file(file).unwrap();
    }
    for file in std::fs::read_dir(&backup).unwrap() {
        let file = file.unwrap().path();
        std::fs::copy(&file, data.join(file.file_name().unwrap())).unwrap();
    }
    assert_eq!(failure(&audit(&data)), (Some(65), "log_tampered".to_owned()));
    assert_eq!(serve(&data), (Some(65), "log_tampered".to_owned()));
}

/// The files of a database.
fn database_of(data: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("record.sqlite")).collect()
}

#[tokio::test]
async fn another_gates_database_is_none_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let [mine, theirs] = ["mine", "theirs"].map(|name| folder.path().join(name));
    for data in [&mine, &theirs] {
        let gate = Binary::serve(data);
        parties(&gate);
        gate.kill();
        assert!(audit(data).status.success());
    }
    for file in database_of(&mine) {
        std::fs::remove_file(file).unwrap();
    }
    for file in database_of(&theirs) {
        std::fs::copy(&file, mine.join(file.file_name().unwrap())).unwrap();
    }
    assert_eq!(failure(&audit(&mine)), (Some(65), "log_tampered".to_owned()));
    assert_eq!(serve(&mine), (Some(65), "log_tampered".to_owned()));
    assert!(audit(&theirs).status.success(), "whose it is has it still");
}
