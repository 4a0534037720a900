//! An export: a folder that anybody can check without the gate.
//!
//! It is read and written by the same layout, from and to any source of records.
//!
//! ```text
//! keys                          verifier keys, one a line: what the heads were signed by
//! logs                          the logs' names, one a line
//! LOG/checkpoint                the newest signed head             (C2SP tlog-tiles from here …
//! LOG/tile/LEVEL/INDEX          256 hashes
//! LOG/tile/entries/INDEX        256 records                        … to here)
//! LOG/heads/SIZE                the last head of each key that signed before
//! LOG/payloads/INDEX.jsonl      the payloads of those 256 records, one a line
//! ```
//!
//! `INDEX` is written as tlog-tiles does: `000`, `x001/234`.

mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::Export;
pub use write::write;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::fault::FaultKind;
use crate::tree::{Tile, TileKind};

/// The file with the verifier keys.
pub const KEYS: &str = "keys";
/// The file with the logs' names.
pub const LOGS: &str = "logs";
/// The file with a log's newest head.
pub const CHECKPOINT: &str = "checkpoint";

/// The folder with the last head of each key that signed before.
pub const HEADS: &str = "heads";

/// A line of a payload file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayloadLine {
    /// The record's position.
    pub seq: u64,
    /// The payload's name.
    pub name: String,
    /// The salt of its commitment, in base64. Empty: it was erased.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub salt: String,
    /// The payload: JSON, as it was committed to. Empty: it was erased.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Whether it was erased.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

/// The path of the file with the payloads of an entries tile's records, below the log's folder. It keeps its name when
/// the tile fills up.
pub fn payload_path(index: u64) -> String {
    let tile = Tile { kind: TileKind::Entries, index, width: 256 }.to_string();
    format!("payloads/{}.jsonl", tile.trim_start_matches("tile/entries/"))
}

/// A file that cannot be read or written.
fn unreadable(path: &Path, error: &str) -> FaultKind {
    FaultKind::Unreadable(format!("`{}`: {error}", path.display()))
}
