//! Reading an export.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{CHECKPOINT, HEADS, KEYS, LOGS, PayloadLine, payload_path, unreadable};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::fault::{Fault, FaultKind};
use crate::hash::TreeHash;
use crate::note::{NoKey, VerifierKey};
use crate::source::{Each, Entry, LogSize, Source, StoredPayload, StoredRecord};
use crate::tree::{TILE, Tile, TileKind, read_bundle};

/// A head, with how many records it says it is for.
type Head = Option<(u64, String)>;

/// An export in a folder. A copy goes on while it is read: it is read as of the heads that lay there when its logs were
/// last asked for, all of them at once.
#[derive(Debug, Clone)]
pub struct Export {
    folder: PathBuf,
    heads: Arc<Mutex<BTreeMap<String, Head>>>,
}

impl Export {
    /// The export in this folder.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), heads: Arc::default() }
    }

    /// The keys that the export says its heads were signed by. Whoever made the export wrote them: hold them against
    /// keys that came another way.
    ///
    /// # Errors
    /// When the file cannot be read, or a line is no key.
    pub fn keys(&self) -> Result<Vec<VerifierKey>, Fault> {
        let unreadable = |what: String| Fault { log: KEYS.to_owned(), seq: 0, kind: FaultKind::Unreadable(what) };
        let text = fs::read_to_string(self.folder.join(KEYS)).map_err(|error| unreadable(error.to_string()))?;
        text.lines().map(|line| line.parse().map_err(|error: NoKey| unreadable(error.to_string()))).collect()
    }

    /// The head that a log is read as of.
    fn head(&self, log: &str) -> Result<Head, Fault> {
        let heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        heads.get(log).cloned().map_or_else(|| self.newest(log), Ok)
    }

    /// How many records the log's newest head is for, believed for nothing but where to look.
    fn newest(&self, log: &str) -> Result<Head, Fault> {
        let fault = |kind| Fault { log: log.to_owned(), seq: 0, kind };
        let path = self.folder.join(log).join(CHECKPOINT);
        let note = match fs::read_to_string(&path) {
            Ok(note) => note,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fault(unreadable(&path, &error.to_string()))),
        };
        let text = note.split_once("\n\n").map(|(text, _)| format!("{text}\n")).unwrap_or_default();
        let checkpoint: Checkpoint = text.parse().map_err(|error: CheckpointError| fault(error.into()))?;
        Ok(Some((checkpoint.size, note)))
    }

    fn tile(&self, log: &str, tile: Tile) -> Result<Vec<u8>, Fault> {
        let first = tile.index.saturating_mul(TILE);
        let fault = |kind| Fault { log: log.to_owned(), seq: first, kind };
        let path = self.folder.join(log).join(tile.to_string());
        match fs::read(&path) {
            Ok(bytes) => Ok(bytes),
            // What was not full may be gone once the full one is there (C2SP tlog-tiles): that begins with it.
            Err(error) if error.kind() == ErrorKind::NotFound && u64::from(tile.width) < TILE => {
                self.tile(log, Tile { width: 256, ..tile })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Err(fault(FaultKind::Missing)),
            Err(error) => Err(fault(unreadable(&path, &error.to_string()))),
        }
    }

    /// The heads of keys that signed before, by how many records they are for.
    fn older_heads(&self, log: &str) -> Result<BTreeMap<u64, String>, Fault> {
        let path = self.folder.join(log).join(HEADS);
        let fault =
            |error: std::io::Error| Fault { log: log.to_owned(), seq: 0, kind: unreadable(&path, &error.to_string()) };
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(fault(error)),
        };
        let mut heads = BTreeMap::new();
        for entry in entries {
            let entry = entry.map_err(fault)?;
            // What is named otherwise is none of ours.
            if let Some(size) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
                heads.insert(size, fs::read_to_string(entry.path()).map_err(fault)?);
            }
        }
        Ok(heads)
    }

    /// Hands over the records of one entries tile, each with the heads that end at it.
    fn records(
        &self,
        log: &str,
        entries: Tile,
        heads: &mut BTreeMap<u64, String>,
        each: Each<'_>,
    ) -> Result<(), Fault> {
        let first = entries.index.saturating_mul(TILE);
        let fault = |kind| Fault { log: log.to_owned(), seq: first, kind };
        let bundle = self.tile(log, entries)?;
        let mut records = read_bundle(&bundle).ok_or_else(|| fault(FaultKind::NoLeaf))?;
        if records.len() as u64 == TILE {
            records.truncate(usize::from(entries.width));
        }
        let hashes = self.tile(log, Tile { kind: TileKind::Hashes(0), ..entries })?;
        let hashes = hashes.as_chunks::<32>().0;
        let hashes = hashes.get(..usize::from(entries.width)).filter(|_| hashes.len() as u64 == TILE).unwrap_or(hashes);
        let hashes: Vec<TreeHash> = hashes.iter().map(|hash| TreeHash::from_bytes(*hash)).collect();
        if records.len() != usize::from(entries.width) || hashes.len() != records.len() {
            let held = u64::try_from(records.len().min(hashes.len())).unwrap_or(u64::MAX);
            return Err(Fault { seq: first.saturating_add(held), ..fault(FaultKind::Missing) });
        }
        let mut payloads = Payloads::open(&self.folder.join(log).join(payload_path(entries.index)))
            .map_err(|what| fault(FaultKind::Unreadable(what)))?;
        for (seq, (bytes, hash)) in (first..).zip(records.into_iter().zip(hashes)) {
            let of_this = payloads.of(seq).map_err(|what| Fault { seq, ..fault(FaultKind::Unreadable(what)) })?;
            let record = StoredRecord { seq, bytes: bytes.to_vec(), payloads: of_this, listed: Some(hash) };
            each(Entry::Record(record))?;
            if let Some(note) = heads.remove(&seq.saturating_add(1)) {
                each(Entry::Head(note))?;
            }
        }
        Ok(())
    }
}

impl Source for Export {
    fn logs(&self) -> Result<Vec<LogSize>, Fault> {
        let path = self.folder.join(LOGS);
        let text = fs::read_to_string(&path).map_err(|error| Fault {
            log: LOGS.to_owned(),
            seq: 0,
            kind: unreadable(&path, &error.to_string()),
        })?;
        let mut heads = BTreeMap::new();
        let sizes: Result<Vec<LogSize>, Fault> = text
            .lines()
            .map(|log| {
                let plain = log.split('/').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase()));
                if !plain {
                    let kind = FaultKind::Unreadable(format!("`{}` lists a log by an odd name", path.display()));
                    return Err(Fault { log: LOGS.to_owned(), seq: 0, kind });
                }
                let head = self.newest(log)?;
                let records = head.as_ref().map_or(0, |(size, _)| *size);
                heads.insert(log.to_owned(), head);
                Ok(LogSize { log: log.to_owned(), records })
            })
            .collect();
        *self.heads.lock().unwrap_or_else(PoisonError::into_inner) = heads;
        sizes
    }

    fn read(&self, log: &str, each: Each<'_>) -> Result<(), Fault> {
        let Some((size, note)) = self.head(log)? else { return Ok(()) };
        let mut heads = self.older_heads(log)?;
        for entries in Tile::all(TileKind::Entries, size) {
            self.records(log, entries, &mut heads, each)?;
        }
        each(Entry::Head(note))
    }

    fn page(&self, log: &str, from: u64) -> Result<Vec<StoredRecord>, Fault> {
        let Some((size, _)) = self.head(log)?.filter(|(size, _)| from < *size) else { return Ok(Vec::new()) };
        let index = from / TILE;
        let width = u16::try_from((size - index * TILE).min(TILE)).unwrap_or(u16::MAX);
        let mut page = Vec::new();
        let entries = Tile { kind: TileKind::Entries, index, width };
        self.records(log, entries, &mut BTreeMap::new(), &mut |entry| {
            if let Entry::Record(record) = entry
                && record.seq >= from
            {
                page.push(record);
            }
            Ok(())
        })?;
        Ok(page)
    }
}

/// The payloads of one file, in the order of their records.
struct Payloads {
    lines: Option<std::io::Lines<BufReader<File>>>,
    next: Option<PayloadLine>,
}

impl Payloads {
    /// A file that is not there holds none: what is committed to is missed where it belongs.
    fn open(path: &Path) -> Result<Self, String> {
        match File::open(path) {
            Ok(file) => Ok(Self { lines: Some(BufReader::new(file).lines()), next: None }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self { lines: None, next: None }),
            Err(error) => Err(format!("`{}`: {error}", path.display())),
        }
    }

    /// Those of the record at this position.
    fn of(&mut self, seq: u64) -> Result<Vec<StoredPayload>, String> {
        let mut found = Vec::new();
        loop {
            let line = match self.next.take() {
                Some(line) => Some(line),
                None => self.read()?,
            };
            match line {
                Some(line) if line.seq == seq => {
                    found.push(match line.erased {
                        true if line.salt.is_empty() && line.text.is_empty() => StoredPayload::erased(line.name),
                        true => return Err(format!("the payload `{}` is erased and there", line.name)),
                        false => {
                            let salt = STANDARD.decode(&line.salt).unwrap_or_default();
                            StoredPayload::new(line.name, salt, line.text.into_bytes())
                        }
                    });
                }
                Some(line) if line.seq < seq => {
                    return Err(format!("a payload of record {} is out of order", line.seq));
                }
                later => {
                    self.next = later;
                    return Ok(found);
                }
            }
        }
    }

    fn read(&mut self) -> Result<Option<PayloadLine>, String> {
        let Some(line) = self.lines.as_mut().and_then(Iterator::next) else { return Ok(None) };
        let line = line.map_err(|error| error.to_string())?;
        serde_json::from_str(&line).map(Some).map_err(|error| format!("a line of payloads cannot be read: {error}"))
    }
}
