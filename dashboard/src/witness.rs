//! What this browser keeps of the gate's record: the newest signed head of each log that it saw. With each connection the
//! gate has to show that its record goes on from there (R9).

use audit_verify::receipt::{Proved, Receipt};
use audit_verify::witness::{Seen, Shown, Verdict};
use leptos::prelude::window;
use proviso_api::operations::{EpochLine, RecordReply};

use crate::api;
use crate::view_model::problem::ApiError;

const STORED_AS: &str = "proviso-heads";

/// The logs of a gate.
const LOGS: [&str; 2] = ["ledger", "decisions/main"];

/// Holds the gate's record against what this browser saw of it. A demo's record is made anew with each demo: another one
/// under the same address is no wonder there. What the gate says of a restore comes with it.
///
/// # Errors
/// As the gate refuses. A log that is shorter than what was seen is no error, but broken.
pub async fn look(demo: bool) -> Result<(Verdict, Option<EpochLine>), ApiError> {
    let record = api::record().await?;
    let verdict = hold(&record, demo).await?;
    Ok((verdict, record.epoch))
}

async fn hold(record: &RecordReply, demo: bool) -> Result<Verdict, ApiError> {
    let mut seen = kept();
    if demo && seen.is_of_another(&record.keys) {
        seen = Seen::default();
    }
    for log in LOGS {
        let shown = match api::consistency(&log.replace('/', "-"), seen.held(log)).await {
            Ok(shown) => shown,
            Err(error) if error.code() == "log_shorter" => return Ok(Verdict::Broken),
            // Nobody has seen a head of it, and there is none: before the first call is decided.
            Err(error) if error.code() == "log_empty" => continue,
            Err(error) => return Err(error),
        };
        let shown = Shown { log, note: &shown.note, proof: &shown.proof, keys: &record.keys };
        if seen.look(shown) == Verdict::Broken {
            return Ok(Verdict::Broken);
        }
    }
    keep(&seen);
    Ok(Verdict::Continues)
}

/// The keys that the gate said its heads are signed by, as this browser keeps them.
pub fn keys() -> Vec<String> {
    kept().keys().to_vec()
}

/// Whether one record is in the log whose newest head this browser keeps. What is newer than that head is looked for under
/// the next one, once it is shown to go on from there.
///
/// # Errors
/// In a sentence: what proves nothing, and why.
pub async fn prove(log: &str, seq: u64, demo: bool) -> Result<Proved, String> {
    if kept().held(log) <= seq {
        let (verdict, _) = look(demo).await.map_err(|error| error.what())?;
        if verdict == Verdict::Broken {
            return Err("The gate shows a record that does not go on from what this browser saw.".to_owned());
        }
    }
    let seen = kept();
    let text = api::receipt_under(&log.replace('/', "-"), seq, seen.held(log)).await.map_err(|error| error.what())?;
    let receipt = Receipt::read(&text).map_err(|error| format!("{error}."))?;
    let proved = seen.proves(&receipt).map_err(|error| format!("{error}."))?;
    // What was asked for is what is proved.
    if proved.leaf.log != log || proved.leaf.seq != seq {
        return Err("The gate proved another record than the one that was asked for.".to_owned());
    }
    Ok(proved)
}

/// Forgets what was seen: a person says that this is another record now, and knows why.
pub fn forget() {
    if let Ok(Some(storage)) = window().local_storage() {
        // Without storage there is nothing to forget.
        drop(storage.remove_item(STORED_AS));
    }
}

/// What was seen. What cannot be read says nothing.
fn kept() -> Seen {
    let text = window().local_storage().ok().flatten().and_then(|storage| storage.get_item(STORED_AS).ok()?);
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn keep(seen: &Seen) {
    if let (Ok(Some(storage)), Ok(text)) = (window().local_storage(), serde_json::to_string(seen)) {
        // A browser that keeps nothing sees the record anew each time.
        drop(storage.set_item(STORED_AS, &text));
    }
}
