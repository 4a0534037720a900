//! Reading the records of one tile as they are sent, with the payloads as the gate holds them now: what is erased there is
//! sent as erased.

use std::collections::BTreeMap;
use std::time::Duration;

use audit_verify::export::PayloadLine;
use audit_verify::tree::{TILE, Tile, bundle_entry};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::sink::SinkError;
use crate::app::App;
use crate::store::Log;

/// How often a tile is read again of which something is being erased right now, and how long between.
const LOOKS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(20);

/// One tile of entries.
pub(super) struct Gathered {
    /// The records, as tlog-tiles writes them.
    pub(super) bundle: Vec<u8>,
    lines: Vec<Line>,
}

/// A payload.
struct Line {
    payload: PayloadLine,
    /// How many records of the ledger a copy must hold before it may show that this was erased: those up to the one that
    /// says so.
    needs: u64,
}

impl Gathered {
    /// How many records of the ledger say all of what is erased here.
    pub(super) fn needs(&self) -> u64 {
        self.lines.iter().map(|line| line.needs).max().unwrap_or(0)
    }

    /// How many payloads are erased.
    pub(super) fn erased(&self) -> u64 {
        let erased = self.lines.iter().filter(|line| line.payload.erased).count();
        u64::try_from(erased).unwrap_or(u64::MAX)
    }

    /// Whether something of the first `done` records is erased, and the first `done` of the ledger do not say so.
    pub(super) fn shows_too_early(&self, done: u64) -> bool {
        self.lines.iter().any(|line| line.payload.seq < done && line.needs > done)
    }

    /// Leaves of the ledger's first `done` records what a copy holds of them, until it holds the records that say that it
    /// was erased. What the copy holds is a file of payloads, or nothing.
    pub(super) fn keep(&mut self, done: u64, held: Option<&[u8]>) {
        let lines = held.unwrap_or_default().split(|byte| *byte == b'\n');
        let mut held: BTreeMap<(u64, String), PayloadLine> = lines
            .filter_map(|line| serde_json::from_slice::<PayloadLine>(line).ok())
            .map(|line| ((line.seq, line.name.clone()), line))
            .collect();
        for line in self.lines.iter_mut().filter(|line| line.payload.seq < done && line.needs > done) {
            if let Some(before) = held.remove(&(line.payload.seq, line.payload.name.clone())) {
                *line = Line { payload: before, needs: 0 };
            }
        }
    }

    /// The file of payloads, one a line.
    pub(super) fn payloads(&self) -> Result<Vec<u8>, SinkError> {
        let mut file = Vec::new();
        for line in &self.lines {
            serde_json::to_writer(&mut file, &line.payload).map_err(SinkError::of)?;
            file.push(b'\n');
        }
        Ok(file)
    }
}

/// The records of one tile of entries, and their payloads.
pub(super) async fn gather(app: &App, log: Log, tile: Tile) -> Result<Gathered, SinkError> {
    for _ in 0..LOOKS {
        let app = app.clone();
        let read = tokio::task::spawn_blocking(move || read(&app, log, tile));
        if let Some(gathered) = read.await.map_err(SinkError::of)?? {
            return Ok(gathered);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(SinkError::of("something is being erased at the gate, and does not come to an end"))
}

/// Absent: something is erased that no record speaks of yet.
fn read(app: &App, log: Log, tile: Tile) -> Result<Option<Gathered>, SinkError> {
    let (mut bundle, mut lines) = (Vec::new(), Vec::new());
    let first = tile.index.saturating_mul(TILE);
    for seq in first..first.saturating_add(u64::from(tile.width)) {
        let stored = app.stored_record(log, seq).map_err(SinkError::of)?;
        let stored = stored.ok_or_else(|| SinkError::of("a record is missing"))?;
        if !bundle_entry(&mut bundle, &stored.bytes) {
            return Err(SinkError::of("a record is too large for a tile"));
        }
        for payload in stored.payloads {
            let line = match payload.content {
                Some(content) => {
                    let text = String::from_utf8(content.bytes).map_err(SinkError::of)?;
                    let salt = STANDARD.encode(content.salt);
                    let payload = PayloadLine { seq, name: payload.name, salt, text, erased: false };
                    Line { payload, needs: 0 }
                }
                None => {
                    let Some(said) = app.erased_by(log, &payload.name, seq) else { return Ok(None) };
                    let (salt, text) = (String::new(), String::new());
                    let payload = PayloadLine { seq, name: payload.name, salt, text, erased: true };
                    Line { payload, needs: said.saturating_add(1) }
                }
            };
            lines.push(line);
        }
    }
    Ok(Some(Gathered { bundle, lines }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(seq: u64, text: &str, needs: u64) -> Line {
        let (name, text, erased) = ("event".to_owned(), text.to_owned(), text.is_empty());
        Line { payload: PayloadLine { seq, name, salt: String::new(), text, erased }, needs }
    }

    fn texts(gathered: &Gathered) -> Vec<String> {
        gathered.lines.iter().map(|line| line.payload.text.clone()).collect()
    }

    #[test]
    fn what_a_copy_holds_stays_until_it_holds_the_record_that_says_that_it_is_erased() {
        let fresh = || Gathered {
            bundle: Vec::new(),
            lines: vec![line(0, "", 3), line(1, "", 9), line(2, "c", 0), line(5, "", 9)],
        };
        let held = Gathered { bundle: Vec::new(), lines: vec![line(0, "a", 0), line(1, "b", 0), line(2, "c", 0)] };
        let held = held.payloads().expect("a file");
        let mut gathered = fresh();
        assert_eq!((gathered.needs(), gathered.erased()), (9, 3));
        assert!(gathered.shows_too_early(4), "the copy's four records do not say that the second was erased");
        gathered.keep(4, Some(&held));
        assert_eq!(
            texts(&gathered),
            ["", "b", "c", ""],
            "the second alone: the head in the copy covers what is said of the first"
        );
        assert!(!gathered.shows_too_early(4));
        assert_eq!(gathered.needs(), 9, "the last one is new to the copy, and its head must say that it was erased");
        let mut later = fresh();
        assert!(!later.shows_too_early(9));
        later.keep(9, Some(&held));
        assert_eq!(texts(&later), ["", "", "c", ""]);
        let mut nothing = fresh();
        nothing.keep(4, None);
        assert_eq!(texts(&nothing), ["", "", "c", ""]);
    }
}
