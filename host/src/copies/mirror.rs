//! Bringing a copy of one log to the newest head: in the layout of an export, so that `proviso audit verify --export` reads
//! it at any moment.
//!
//! A head comes last. Whoever reads meanwhile finds the head before with all that it covers: full tiles never change, the
//! ones that are not full are written under a name of their own for each width, and a file of payloads grows, or is written
//! anew without what was erased.

use audit_verify::export::{CHECKPOINT, HEADS, payload_path};
use audit_verify::tree::{TILE, Tile, TileKind};

use super::gather::{Gathered, gather};
use super::sink::{LARGE, SHORT, Sink, SinkError};
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
    /// The head of what was written and is not covered yet.
    written: Option<Head>,
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
        let note = sink.get(&format!("{log}/{CHECKPOINT}"), SHORT).await?;
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

    /// Writes what is missing of the ledger, up to this head. Nothing covers it before [`Self::finish`].
    ///
    /// INVARIANT (R9): nothing is shown as erased by a head that does not cover the record that says so.
    pub(super) async fn bring_ledger(&mut self, app: &App, sink: &dyn Sink, head: &Head) -> Result<(), SinkError> {
        let (done, mut head) = (self.done(), head.clone());
        if head.size <= done {
            return Ok(());
        }
        let mut from = done;
        loop {
            let mut needs = 0;
            for tile in entries(from, head.size) {
                let mut gathered = gather(app, Log::Ledger, tile).await?;
                if gathered.shows_too_early(done) {
                    let held = sink.get(&format!("{}/{}", Log::Ledger, payload_path(tile.index)), LARGE).await?;
                    gathered.keep(done, held.as_deref());
                }
                needs = needs.max(gathered.needs());
                self.put(sink, Log::Ledger, tile, &gathered).await?;
            }
            if needs <= head.size {
                break;
            }
            // It was erased since the head was read: a newer one says so.
            let newer = newest(app, Log::Ledger).filter(|newer| newer.size > head.size);
            from = head.size;
            head = newer.ok_or_else(|| SinkError::of("what was erased is said by no head"))?;
        }
        self.hashes(app, sink, &head).await?;
        self.written = Some(head);
        Ok(())
    }

    /// Writes what is missing of the decisions, up to this head; and of the ledger first what says which of them were
    /// erased.
    pub(super) async fn bring_decisions(
        &mut self,
        app: &App,
        sink: &dyn Sink,
        head: &Head,
        ledger: &mut Self,
    ) -> Result<(), SinkError> {
        if head.size <= self.done() {
            return Ok(());
        }
        for tile in entries(self.done(), head.size) {
            let gathered = gather(app, head.log, tile).await?;
            // INVARIANT (R9): as above, and the ledger's head is the one that must cover it.
            ledger.cover(app, sink, gathered.needs()).await?;
            self.put(sink, head.log, tile, &gathered).await?;
        }
        self.hashes(app, sink, head).await?;
        self.written = Some(head.clone());
        Ok(())
    }

    /// Covers what was written.
    pub(super) async fn finish(&mut self, app: &App, sink: &dyn Sink) -> Result<(), SinkError> {
        match self.written.take() {
            Some(head) => self.end(app, sink, &head).await,
            None => Ok(()),
        }
    }

    /// Brings the ledger on where it does not hold so many records.
    pub(super) async fn cover(&mut self, app: &App, sink: &dyn Sink, needs: u64) -> Result<(), SinkError> {
        match newest(app, Log::Ledger).filter(|_| needs > self.done()) {
            Some(head) => {
                self.bring_ledger(app, sink, &head).await?;
                self.finish(app, sink).await
            }
            None => Ok(()),
        }
    }

    /// Writes the records of a tile.
    async fn put(&mut self, sink: &dyn Sink, log: Log, tile: Tile, gathered: &Gathered) -> Result<(), SinkError> {
        sink.put(&format!("{log}/{}", payload_path(tile.index)), gathered.payloads()?).await?;
        let path = format!("{log}/{tile}");
        sink.put(&path, gathered.bundle.clone()).await?;
        self.remember(tile, path);
        Ok(())
    }

    /// Writes the hashes: then nothing but the head is missing.
    async fn hashes(&mut self, app: &App, sink: &dyn Sink, head: &Head) -> Result<(), SinkError> {
        let (log, size) = (head.log, head.size);
        for tile in hash_tiles(self.done(), size) {
            let bytes = app.hash_tile(log, tile).ok_or_else(|| SinkError::of("the log does not fill a tile"))?;
            let path = format!("{log}/{tile}");
            sink.put(&path, bytes).await?;
            self.remember(tile, path);
        }
        Ok(())
    }

    /// Writes the head.
    async fn end(&mut self, app: &App, sink: &dyn Sink, head: &Head) -> Result<(), SinkError> {
        let (log, size) = (head.log, head.size);
        let file = |path: &str| format!("{log}/{path}");
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

/// A log's newest head.
fn newest(app: &App, log: Log) -> Option<Head> {
    app.heads().into_iter().find(|head| head.log == log)
}

/// The tiles of entries that hold the records behind the first `done`, up to `size`.
fn entries(done: u64, size: u64) -> impl Iterator<Item = Tile> {
    (done / TILE..size.div_ceil(TILE)).map(move |index| entries_tile(index, size))
}

/// The tile of entries with this index, as wide as a log of `size` fills it.
pub(super) fn entries_tile(index: u64, size: u64) -> Tile {
    let width = u16::try_from(size.saturating_sub(index.saturating_mul(TILE)).min(TILE)).unwrap_or(256);
    Tile { kind: TileKind::Entries, index, width }
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
