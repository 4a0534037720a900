//! One log: every leaf, payload and head in order, in memory that does not grow with it.

use std::collections::{BTreeMap, BTreeSet};

use crate::checkpoint::Checkpoint;
use crate::fault::{Fault, FaultKind};
use crate::hash::TreeHash;
use crate::leaf::Leaf;
use crate::note::{self, NoteError, VerifierKey};
use crate::source::{Entry, StoredRecord};
use crate::tree::{CompactRange, leaf_hash};

/// The keys that heads are believed by.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The keys, each under a log's origin.
    pub keys: Vec<VerifierKey>,
    /// Whether these are all keys that ever signed: then a head of any other is a fault. Otherwise it says nothing.
    pub complete: bool,
}

/// A head that somebody vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The signed note.
    pub note: String,
}

/// The check of one log.
#[derive(Debug)]
pub struct LogCheck {
    log: String,
    trust: Trust,
    range: CompactRange,
    /// What must be the root at which size, by heads that somebody held.
    held: BTreeMap<u64, TreeHash>,
    /// Keys that a record names, by its position: believed once a believed head covers it.
    named: Vec<(u64, [u8; 32])>,
    newest: Option<Head>,
}

impl LogCheck {
    /// Begins at the first record. `held` are older heads of this log.
    ///
    /// # Errors
    /// When two of them say different things of one size.
    pub fn new(log: &str, trust: Trust, held: &[Head]) -> Result<Self, Fault> {
        Self::behind(log, trust, held, CompactRange::default())
    }

    /// Begins behind records that were verified before, whose tree this is. Heads over fewer than these are passed over:
    /// who has that tree holds them against it.
    ///
    /// # Errors
    /// As [`Self::new`], and when a head over exactly these has another root.
    pub fn behind(log: &str, trust: Trust, held: &[Head], range: CompactRange) -> Result<Self, Fault> {
        let mut check =
            Self { log: log.to_owned(), trust, range, held: BTreeMap::new(), named: Vec::new(), newest: None };
        for Head { checkpoint, .. } in held {
            let Checkpoint { size, root, .. } = checkpoint;
            if *size < check.size() {
                continue;
            }
            if check.held.insert(*size, *root).is_some_and(|other| other != *root) {
                return Err(check.fault(size.saturating_sub(1), FaultKind::Forked(*size)));
            }
        }
        check.meet_held()?;
        Ok(check)
    }

    /// How many records were read.
    pub const fn size(&self) -> u64 {
        self.range.size()
    }

    /// The root over what was read.
    pub fn root(&self) -> TreeHash {
        self.range.root()
    }

    /// Takes the next entry; hands back the leaf of a record.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn take(&mut self, entry: &Entry) -> Result<Option<Leaf>, Fault> {
        match entry {
            Entry::Record(record) => self.record(record).map(Some),
            Entry::Head(note) => self.head(note).map(|()| None),
        }
    }

    /// The newest record names a public key. It is believed once a head that is believed without it covers the record:
    /// whoever cannot sign cannot bring a key of their own.
    pub fn name_key(&mut self, public: [u8; 32]) {
        self.named.push((self.size().saturating_sub(1), public));
    }

    /// Ends the log. The newest head; absent for an empty log.
    ///
    /// # Errors
    /// When a head is for more records than there are, or the last records are under none.
    pub fn end(self) -> Result<(Option<Head>, Trust), Fault> {
        let size = self.size();
        if let Some((signed, _)) = self.held.last_key_value() {
            return Err(self.fault(size, FaultKind::Cut(*signed)));
        }
        let covered = self.newest.as_ref().map_or(0, |head| head.checkpoint.size);
        if covered == size { Ok((self.newest, self.trust)) } else { Err(self.fault(covered, FaultKind::Uncovered)) }
    }

    fn record(&mut self, record: &StoredRecord) -> Result<Leaf, Fault> {
        let leaf = self.place(record)?;
        leaf.hold_payloads(&record.payloads).map_err(|kind| self.fault(leaf.seq, kind))?;
        Ok(leaf)
    }

    /// Takes the next record by its leaf alone: whoever calls this holds its payloads against it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn place(&mut self, record: &StoredRecord) -> Result<Leaf, Fault> {
        let seq = self.size();
        if record.seq != seq {
            return Err(self.fault(seq, FaultKind::Missing));
        }
        let hash = leaf_hash(&record.bytes);
        if record.listed.is_some_and(|listed| listed != hash) {
            return Err(self.fault(seq, FaultKind::OtherBytes));
        }
        let leaf = Leaf::read(&record.bytes).ok_or_else(|| self.fault(seq, FaultKind::NoLeaf))?;
        if leaf.log != self.log || leaf.seq != seq {
            return Err(self.fault(seq, FaultKind::Misplaced));
        }
        self.range.append(hash);
        self.meet_held()?;
        Ok(leaf)
    }

    /// Holds what was read against a head that somebody held, where one is for so many records.
    fn meet_held(&mut self) -> Result<(), Fault> {
        let size = self.size();
        match self.held.remove(&size) {
            Some(root) if root != self.range.root() => Err(self.fault(size.saturating_sub(1), FaultKind::Forked(size))),
            _ => Ok(()),
        }
    }

    fn head(&mut self, note: &str) -> Result<(), Fault> {
        let size = self.size();
        let last = size.saturating_sub(1);
        let checkpoint = match self.trust.open(&self.log, note) {
            Ok(checkpoint) => checkpoint,
            Err(FaultKind::Head(NoteError::Unsigned)) if !self.trust.complete => return Ok(()),
            Err(kind) => return Err(self.fault(last, kind)),
        };
        let covered = self.newest.as_ref().map_or(0, |head| head.checkpoint.size);
        if checkpoint.size > size {
            return Err(self.fault(size, FaultKind::Cut(checkpoint.size)));
        }
        if checkpoint.size < size {
            return Err(self.fault(last, FaultKind::HeadMisplaced(checkpoint.size)));
        }
        if checkpoint.root != self.range.root() {
            return Err(self.fault(covered, FaultKind::OtherRoot(covered, last)));
        }
        for (_, public) in std::mem::take(&mut self.named) {
            self.trust.believe(&public);
        }
        self.newest = Some(Head { checkpoint, note: note.to_owned() });
        Ok(())
    }

    fn fault(&self, seq: u64, kind: FaultKind) -> Fault {
        Fault { log: self.log.clone(), seq, kind }
    }
}

impl Trust {
    /// The same keys for every one of these logs: a gate signs all of its logs with one key, under a name for each.
    #[must_use]
    pub fn for_logs(&self, logs: &[&str]) -> Self {
        let mut spread = self.clone();
        for key in &self.keys {
            let Some(prefix) = logs.iter().find_map(|log| prefix_of(key.name(), log)) else { continue };
            let names = logs.iter().map(|log| format!("{prefix}{log}"));
            names.for_each(|name| spread.add(&name, key.public()));
        }
        spread
    }

    /// What a head says that somebody kept. By whoever knows only some of the keys it is taken on that person's word: it
    /// was signed by a key that the record may come to name.
    ///
    /// # Errors
    /// Why it is none of this log.
    pub fn open_held(&self, log: &str, note: &str) -> Result<Checkpoint, FaultKind> {
        match self.open(log, note) {
            Err(FaultKind::Head(NoteError::Unsigned)) if !self.complete => {
                let (text, _) = note.rsplit_once("\n\n").ok_or(NoteError::Shape)?;
                of_log(&format!("{text}\n"), log)
            }
            opened => opened,
        }
    }

    /// Believes a key under every name that another one has.
    fn believe(&mut self, public: &[u8; 32]) {
        let names: BTreeSet<String> = self.keys.iter().map(|key| key.name().to_owned()).collect();
        names.iter().for_each(|name| self.add(name, public));
    }

    fn add(&mut self, name: &str, public: &[u8; 32]) {
        // Bytes that are no key have signed nothing.
        self.keys.extend(VerifierKey::new(name, public).ok().filter(|key| !self.keys.contains(key)));
    }

    /// What a head of this log says, where it is one and a believed key has signed it.
    ///
    /// # Errors
    /// Why it is not to be believed.
    pub fn open(&self, log: &str, note: &str) -> Result<Checkpoint, FaultKind> {
        let (text, signed) = note::open(note, &self.keys)?;
        let checkpoint = of_log(text, log)?;
        if signed.iter().any(|key| key.name() == checkpoint.origin) {
            Ok(checkpoint)
        } else {
            Err(FaultKind::OtherLog(checkpoint.origin))
        }
    }
}

/// What a text says of this log.
fn of_log(text: &str, log: &str) -> Result<Checkpoint, FaultKind> {
    let checkpoint: Checkpoint = text.parse()?;
    match prefix_of(&checkpoint.origin, log) {
        Some(_) => Ok(checkpoint),
        None => Err(FaultKind::OtherLog(checkpoint.origin)),
    }
}

/// What stands before a log's name in its origin.
fn prefix_of<'a>(origin: &'a str, log: &str) -> Option<&'a str> {
    origin.strip_suffix(log).filter(|prefix| prefix.ends_with('/'))
}
