//! Bringing a copy of one log to the newest head: in the layout of an export, so that `proviso audit verify --export` reads
//! it at any moment.
//!
//! A head comes last. Whoever reads meanwhile finds the head before with all that it covers: full tiles never change, the
//! ones that are not full are written under a name of their own for each width, and a file of payloads only grows.

use audit_verify::export::{CHECKPOINT, HEADS, PayloadLine, payload_path};
use audit_verify::tree::{TILE, Tile, TileKind, bundle_entry};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::sink::{Sink, SinkError};
use crate::app::{App, HeadStanding};
use crate::store::{Head, Log};

/// How far a copy of one log is.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    /// How many records it holds under its head; absent: it was not looked at.
    done: Option<u64>,
    /// The tiles that were written and are not full, each with its path. Whoever reads by a head of before needs them until
    /// the full one is there (C2SP tlog-tiles).
    partial: Vec<(Tile, String)>,
    /// How many keys had signed when its older heads were written down.
    keys: usize,
}

impl Mirror {
    /// How many records the copy holds, as far as is known.
    pub(super) fn done(&self) -> u64 {
        self.done.unwrap_or(0)
    }

    /// Looks at the copy anew before the next write.
    pub(super) fn doubt(&mut self) {
        *self = Self::default();
    }

    /// Looks at what the copy holds, where that is not known.
    pub(super) async fn look(&mut self, app: &App, sink: &dyn Sink, log: Log, place: &str) -> Result<(), SinkError> {
        if self.done.is_some() {
            return Ok(());
        }
        let note = sink.get(&format!("{log}/{CHECKPOINT}")).await?;
        let note = note.map(String::from_utf8).transpose().map_err(SinkError::of)?;
        self.done = Some(match note {
            None => 0,
            Some(note) => match app.look_at_head(log, place, &note).await {
                Ok(HeadStanding::Ours(size)) => size,
                Ok(HeadStanding::Lost | HeadStanding::Foreign) => return Err(SinkError::OtherRecord),
                Err(refusal) => return Err(SinkError::of(refusal.detail)),
            },
        });
        Ok(())
    }

    /// Writes what is missing up to this head.
    pub(super) async fn bring(&mut self, app: &App, sink: &dyn Sink, head: &Head) -> Result<(), SinkError> {
        let (log, size, done) = (head.log, head.size, self.done());
        if size <= done {
            return Ok(());
        }
        let file = |path: &str| format!("{log}/{path}");
        for index in done / TILE..size.div_ceil(TILE) {
            let width = u16::try_from(size.saturating_sub(index * TILE).min(TILE)).unwrap_or(256);
            let tile = Tile { kind: TileKind::Entries, index, width };
            let Gathered { bundle, payloads } = gather(app, log, tile).await?;
            sink.put(&file(&payload_path(index)), payloads).await?;
            sink.put(&file(&tile.to_string()), bundle).await?;
            self.remember(tile, file(&tile.to_string()));
        }
        for tile in hash_tiles(done, size) {
            let bytes = app.hash_tile(log, tile).ok_or_else(|| SinkError::of("the log does not fill a tile"))?;
            sink.put(&file(&tile.to_string()), bytes).await?;
            self.remember(tile, file(&tile.to_string()));
        }
        let keys = app.verifier_keys();
        if keys.len() != self.keys {
            for older in app.last_heads_of_keys(log).map_err(SinkError::of)? {
                if older.size < size {
                    sink.put(&file(&format!("{HEADS}/{}", older.size)), older.note.into_bytes()).await?;
                }
            }
            self.keys = keys.len();
        }
        sink.put(&file(CHECKPOINT), head.note.clone().into_bytes()).await?;
        self.done = Some(size);
        let (over, kept) = std::mem::take(&mut self.partial).into_iter().partition(|(tile, _)| {
            let whole = Tile { width: 256, ..*tile };
            holds(whole, size)
        });
        self.partial = kept;
        let over: Vec<(Tile, String)> = over;
        for (_, path) in over {
            if let Err(error) = sink.remove(&path).await {
                tracing::debug!(%error, path, "a tile that was not full stays where it is");
            }
        }
        Ok(())
    }

    fn remember(&mut self, tile: Tile, path: String) {
        if u64::from(tile.width) < TILE {
            self.partial.push((tile, path));
        }
    }
}

/// Whether a log of so many records fills a tile to its width.
fn holds(tile: Tile, size: u64) -> bool {
    let count = match tile.kind {
        TileKind::Hashes(level) => size.checked_shr(8 * u32::from(level)).unwrap_or(0),
        TileKind::Entries => size,
    };
    count >= tile.index.saturating_mul(TILE).saturating_add(u64::from(tile.width))
}

/// The tiles of hashes that a log of `size` has and one of `done` has not.
fn hash_tiles(done: u64, size: u64) -> impl Iterator<Item = Tile> {
    let hashes = Tile::of_log(size).filter(|tile| tile.kind != TileKind::Entries);
    hashes.filter(move |tile| !holds(*tile, done))
}

struct Gathered {
    bundle: Vec<u8>,
    payloads: Vec<u8>,
}

/// The records of one tile of entries, and their payloads one a line.
async fn gather(app: &App, log: Log, tile: Tile) -> Result<Gathered, SinkError> {
    let app = app.clone();
    let read = move || {
        let (mut bundle, mut payloads) = (Vec::new(), Vec::new());
        let first = tile.index.saturating_mul(TILE);
        for seq in first..first.saturating_add(u64::from(tile.width)) {
            let stored = app.stored_record(log, seq).map_err(SinkError::of)?;
            let stored = stored.ok_or_else(|| SinkError::of("a record is missing"))?;
            if !bundle_entry(&mut bundle, &stored.bytes) {
                return Err(SinkError::of("a record is too large for a tile"));
            }
            for payload in stored.payloads {
                let erased = payload.is_erased();
                let (salt, text) = match payload.content {
                    Some(content) => {
                        (STANDARD.encode(content.salt), String::from_utf8(content.bytes).map_err(SinkError::of)?)
                    }
                    None => (String::new(), String::new()),
                };
                let line = PayloadLine { seq, name: payload.name, salt, text, erased };
                serde_json::to_writer(&mut payloads, &line).map_err(SinkError::of)?;
                payloads.push(b'\n');
            }
        }
        Ok(Gathered { bundle, payloads })
    };
    tokio::task::spawn_blocking(read).await.map_err(SinkError::of)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_changed_is_written() {
        let paths = |done, size| hash_tiles(done, size).map(|tile| tile.to_string()).collect::<Vec<_>>();
        assert_eq!(paths(0, 3), ["tile/0/000.p/3"]);
        assert_eq!(paths(3, 3), Vec::<String>::new());
        assert_eq!(paths(3, 256), ["tile/0/000", "tile/1/000.p/1"]);
        assert_eq!(paths(256, 257), ["tile/0/001.p/1"]);
        assert_eq!(paths(257, 513), ["tile/0/001", "tile/0/002.p/1", "tile/1/000.p/2"]);
    }
}
