//! Writing an export.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{CHECKPOINT, HEADS, KEYS, LOGS, PayloadLine, payload_path, unreadable};
use crate::fault::{Fault, FaultKind};
use crate::note::{self, VerifierKey};
use crate::run::Progress;
use crate::source::{Entry, Source, StoredRecord};
use crate::tree::{TILE, Tile, TileKind, Tree, bundle_entry, leaf_hash};

/// Writes all that a source holds into a folder, with the keys that its heads were signed by.
///
/// # Errors
/// When the source cannot be read or the folder not be written.
pub fn write(
    source: &dyn Source,
    keys: &[VerifierKey],
    folder: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), Fault> {
    let logs = source.logs()?;
    for size in &logs {
        let mut writer = LogWriter::new(&size.log, folder.join(&size.log));
        source.read(&size.log, &mut |entry| {
            match entry {
                Entry::Record(record) => writer.record(&record)?,
                Entry::Head(note) => writer.head(note)?,
            }
            progress(Progress { log: &size.log, done: writer.tree.size(), of: size.records });
            Ok(())
        })?;
        writer.end()?;
    }
    let top = LogWriter::new(LOGS, folder.to_owned());
    let lines = |texts: Vec<String>| texts.iter().map(|text| format!("{text}\n")).collect::<String>();
    top.file(KEYS, lines(keys.iter().map(ToString::to_string).collect()).as_bytes())?;
    top.file(LOGS, lines(logs.iter().map(|size| size.log.clone()).collect()).as_bytes())
}

/// One log of an export.
struct LogWriter<'a> {
    log: &'a str,
    folder: PathBuf,
    tree: Tree,
    /// The entries and payloads of the tile that is not full yet.
    bundle: Vec<u8>,
    payloads: Vec<PayloadLine>,
    /// The newest head, and the newest of each key that signed before: they show how one key took over from another.
    newest: Option<Checked>,
}

/// A head that was read as far as a copy needs to.
struct Checked {
    size: u64,
    signer: [u8; 4],
    note: String,
}

impl<'a> LogWriter<'a> {
    fn new(log: &'a str, folder: PathBuf) -> Self {
        let (tree, bundle, payloads) = (Tree::default(), Vec::new(), Vec::new());
        Self { log, folder, tree, bundle, payloads, newest: None }
    }

    fn record(&mut self, record: &StoredRecord) -> Result<(), Fault> {
        if !bundle_entry(&mut self.bundle, &record.bytes) {
            return Err(self.fault(FaultKind::NoLeaf));
        }
        for payload in &record.payloads {
            let (seq, name, erased) = (record.seq, payload.name.clone(), payload.is_erased());
            let (salt, text) = match &payload.content {
                Some(content) => {
                    let text = String::from_utf8(content.bytes.clone());
                    let text = text.map_err(|_| self.fault(FaultKind::PayloadAltered(name.clone())))?;
                    (STANDARD.encode(&content.salt), text)
                }
                None => Default::default(),
            };
            self.payloads.push(PayloadLine { seq, name, salt, text, erased });
        }
        self.tree.append(leaf_hash(&record.bytes));
        if self.tree.size().is_multiple_of(TILE) { self.flush() } else { Ok(()) }
    }

    /// Keeps the newest head, and writes down the one before where another key signed it.
    fn head(&mut self, note: String) -> Result<(), Fault> {
        let signer = note::signers(&note).first().copied().unwrap_or_default();
        let before = self.newest.replace(Checked { size: self.tree.size(), signer, note });
        match before.filter(|before| before.signer != signer) {
            Some(Checked { size, note, .. }) => self.file(&format!("{HEADS}/{size}"), note.as_bytes()),
            None => Ok(()),
        }
    }

    /// Writes the entries that were gathered.
    fn flush(&mut self) -> Result<(), Fault> {
        let Some(last) = self.tree.size().checked_sub(1) else { return Ok(()) };
        let index = last / TILE;
        let width = u16::try_from(self.tree.size() - index * TILE).unwrap_or(256);
        let entries = Tile { kind: TileKind::Entries, index, width };
        let bundle = std::mem::take(&mut self.bundle);
        self.file(&entries.to_string(), &bundle)?;
        let path = self.path(&payload_path(index))?;
        let written = File::create(&path).and_then(|file| {
            let mut file = BufWriter::new(file);
            for line in std::mem::take(&mut self.payloads) {
                serde_json::to_writer(&mut file, &line)?;
                file.write_all(b"\n")?;
            }
            file.flush()
        });
        written.map_err(|error| self.fault(unreadable(&path, &error.to_string())))
    }

    /// Writes what is left, the hashes, and last the head: one that is there covers all that is.
    fn end(mut self) -> Result<(), Fault> {
        let size = self.tree.size();
        if !size.is_multiple_of(TILE) {
            self.flush()?;
        }
        for tile in Tile::of_log(size) {
            if let TileKind::Hashes(level) = tile.kind
                && let Some(hashes) = self.tree.tile(level, tile.index, tile.width)
            {
                self.file(&tile.to_string(), &hashes)?;
            }
        }
        let newest = self.newest.take();
        newest.map_or(Ok(()), |head| self.file(CHECKPOINT, head.note.as_bytes()))
    }

    /// A path below the log's folder, whose own folder is there.
    fn path(&self, path: &str) -> Result<PathBuf, Fault> {
        let path = self.folder.join(path);
        let made = path.parent().map_or(Ok(()), fs::create_dir_all);
        made.map_err(|error| self.fault(unreadable(&path, &error.to_string())))?;
        Ok(path)
    }

    fn file(&self, path: &str, bytes: &[u8]) -> Result<(), Fault> {
        let path = self.path(path)?;
        fs::write(&path, bytes).map_err(|error| self.fault(unreadable(&path, &error.to_string())))
    }

    fn fault(&self, kind: FaultKind) -> Fault {
        Fault { log: self.log.to_owned(), seq: self.tree.size(), kind }
    }
}
