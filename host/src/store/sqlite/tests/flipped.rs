//! One byte of what is stored is another: whichever it is, the record does not verify (R9).

use audit_verify::run;
use rusqlite::types::Value;

use super::*;
use crate::store::verify::audited;

/// Every cell of the record: its table and column, and what tells its row.
const CELLS: [(&str, &str, &str); 11] = [
    ("leaf", "bytes", "log || '/' || seq"),
    ("leaf", "log", "log || '/' || seq"),
    ("leaf", "seq", "log || '/' || seq"),
    ("payload", "bytes", "log || '/' || seq || '/' || name"),
    ("payload", "salt", "log || '/' || seq || '/' || name"),
    ("payload", "name", "log || '/' || seq || '/' || name"),
    ("payload", "log", "log || '/' || seq || '/' || name"),
    ("payload", "seq", "log || '/' || seq || '/' || name"),
    ("head", "note", "log || '/' || size"),
    ("head", "log", "log || '/' || size"),
    ("head", "size", "log || '/' || size"),
];

/// A short log: two records and a decision, under three heads.
async fn short_log(data: &Path) {
    let (store, _) = open(data);
    store.append(Vec::new(), vec![record("first", vec![])]).await.unwrap();
    let decision = NewRecord { log: Log::Decisions, ..record("decided", vec![]) };
    store.append(Vec::new(), vec![record("second", vec![]), decision]).await.unwrap();
}

/// As somebody who owns the file writes: without the triggers, and each change to be taken back.
fn unguarded(data: &Path) -> Connection {
    let connection = Connection::open(path(data)).unwrap();
    for table in ["leaf", "payload", "head"] {
        for act in ["update", "delete"] {
            connection.execute_batch(&format!("DROP TRIGGER {table}_no_{act}")).unwrap();
        }
    }
    connection
}

/// A stored value with one bit of one byte turned, once for each byte.
fn flipped(value: &Value) -> Vec<Value> {
    let each = |bytes: &[u8]| -> Vec<Vec<u8>> {
        (0..bytes.len())
            .map(|at| {
                let mut other = bytes.to_vec();
                other[at] ^= 1;
                other
            })
            .collect()
    };
    match value {
        Value::Blob(bytes) => each(bytes).into_iter().map(Value::Blob).collect(),
        Value::Text(text) => {
            let texts = each(text.as_bytes()).into_iter().map(|bytes| String::from_utf8(bytes).unwrap());
            texts.map(Value::Text).collect()
        }
        Value::Integer(number) => (0..8).map(|byte| Value::Integer(number ^ (1_i64 << (8 * byte)))).collect(),
        other => panic!("no cell of the record holds {other:?}"),
    }
}

#[tokio::test]
async fn r9_a_flipped_byte_of_any_record_payload_or_head_does_not_verify() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    short_log(&data).await;
    let connection = unguarded(&data);
    let keys = Keys::read(&data).unwrap();
    let seen = load::Seen::read(&data).unwrap();
    let held: Vec<String> = seen.notes(&keys.trust()).cloned().collect();
    let checked = || -> Result<_, StoreError> {
        let report = run::verify(&SqliteSource::new(&connection, true), &keys.trust(), &held, &mut |_| {})?;
        load::no_strays(&connection).map(|()| report)
    };
    assert_eq!(checked().unwrap().logs[0].records, 2, "as it was written it verifies");
    let mut tried = 0;
    for (table, column, row) in CELLS {
        let mut select = connection.prepare(&format!("SELECT {row}, {column} FROM {table}")).unwrap();
        let rows = select.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Value>(1)?))).unwrap();
        for (key, value) in rows.map(Result::unwrap).collect::<Vec<_>>() {
            for other in flipped(&value) {
                connection.execute_batch("SAVEPOINT one").unwrap();
                let update = format!("UPDATE {table} SET {column} = ?1 WHERE {row} = ?2");
                let changed = connection.execute(&update, rusqlite::params![other, key]);
                // Two rows of one key cannot be: that change is none.
                if changed.is_ok_and(|changed| changed == 1) {
                    let error = checked().err().map(|error| error.code());
                    assert_eq!(error, Some("log_tampered"), "{table}.{column} of {key}: {value:?} as {other:?}");
                    tried += 1;
                }
                connection.execute_batch("ROLLBACK TO one; RELEASE one").unwrap();
            }
        }
    }
    assert!(tried > 1_000, "only {tried} bytes were turned");
    assert!(checked().is_ok(), "each was turned back");
}

#[tokio::test]
async fn r9_a_flipped_byte_of_a_head_beside_the_database_does_not_verify() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    short_log(&data).await;
    for log in Log::ALL {
        let file = load::head_file(&data, log);
        let note = std::fs::read(&file).unwrap();
        for at in 0..note.len() {
            let mut other = note.clone();
            other[at] ^= 1;
            std::fs::write(&file, &other).unwrap();
            assert_eq!(audited(&data).err(), Some("log_tampered"), "{log:?} at {at}");
        }
        std::fs::write(&file, &note).unwrap();
    }
    assert_eq!(audited(&data).unwrap().logs.iter().map(|log| log.records).collect::<Vec<_>>(), [2, 1]);
}
