//! What changes, put aside until the end: new allows are told first, however many there are, in memory that does not
//! grow with them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

use serde::Serialize;

use super::proposed::{Change, ChangeKind};
use crate::random::{Random, id};

/// Two files that nobody else can open: what is told first, and the rest.
pub struct Spool {
    first: BufWriter<File>,
    rest: BufWriter<File>,
    counts: SpoolCounts,
    /// The first thing that went wrong.
    broken: Option<io::Error>,
}

/// How many changes of which kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SpoolCounts {
    /// Refused then, permitted now.
    pub new_allow: u64,
    /// Could not be asked for then, can now.
    pub new_requestable: u64,
    /// Permitted then, refused now.
    pub new_denial: u64,
    /// Could be asked for then, not any more.
    pub no_longer_requestable: u64,
    /// Permitted otherwise.
    pub other_permit: u64,
}

impl Spool {
    /// Nothing yet.
    ///
    /// # Errors
    /// When the system's folder for such files takes none.
    pub fn new(random: &dyn Random) -> io::Result<Self> {
        let (first, rest) = (unnamed(random)?, unnamed(random)?);
        Ok(Self { first, rest, counts: SpoolCounts::default(), broken: None })
    }

    pub(super) fn put(&mut self, change: &Change) {
        let counts = &mut self.counts;
        let (file, count) = match change.kind {
            ChangeKind::NewAllow => (&mut self.first, &mut counts.new_allow),
            ChangeKind::NewRequestable => (&mut self.rest, &mut counts.new_requestable),
            ChangeKind::NewDenial => (&mut self.rest, &mut counts.new_denial),
            ChangeKind::NoLongerRequestable => (&mut self.rest, &mut counts.no_longer_requestable),
            ChangeKind::OtherPermit => (&mut self.rest, &mut counts.other_permit),
        };
        *count = count.saturating_add(1);
        let line = serde_json::to_vec(change).map_err(io::Error::other);
        let written = line.and_then(|line| file.write_all(&line).and_then(|()| file.write_all(b"\n")));
        if let (Err(error), None) = (written, &self.broken) {
            self.broken = Some(error);
        }
    }

    /// How many there are.
    pub const fn counts(&self) -> SpoolCounts {
        self.counts
    }

    /// Hands over each change, as a line of JSON, new allows first and each in the order of the record.
    ///
    /// # Errors
    /// When one could not be put aside, cannot be read back, or is not taken.
    pub fn tell(self, each: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        for file in [self.first, self.rest] {
            let mut file = file.into_inner().map_err(|error| error.into_error())?;
            file.seek(SeekFrom::Start(0))?;
            for line in BufReader::new(file).lines() {
                each(&line?)?;
            }
        }
        Ok(())
    }
}

/// A file that has lost its name before anything is in it.
fn unnamed(random: &dyn Random) -> io::Result<BufWriter<File>> {
    let path = std::env::temp_dir().join(id(random, "proviso-replay")?);
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    Ok(BufWriter::new(file))
}

#[cfg(test)]
mod tests {
    use policy_core::entity::EntityRef;
    use policy_core::outcome::{Outcome, Reason};
    use policy_core::time::Timestamp;

    use super::super::proposed::Side;
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn new_allows_come_first_and_each_in_its_order() {
        let side = || Side { outcome: Outcome::Denial, reason: Reason::NotPermitted, policies: Vec::new() };
        let mut spool = Spool::new(&SystemRandom).unwrap();
        for (seq, kind) in [
            (1, ChangeKind::NewDenial),
            (2, ChangeKind::NewAllow),
            (3, ChangeKind::OtherPermit),
            (4, ChangeKind::NewAllow),
        ] {
            spool.put(&Change {
                kind,
                log: "decisions/main".to_owned(),
                seq,
                at: Timestamp::from_millis(0),
                subject: EntityRef::new("Agent", "a\nb"),
                task: "t".to_owned(),
                action: "read".to_owned(),
                resources: Vec::new(),
                before: side(),
                after: side(),
            });
        }
        let counts = spool.counts();
        assert_eq!((counts.new_allow, counts.new_denial, counts.other_permit), (2, 1, 1));
        let mut told = Vec::new();
        let read = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["seq"].as_u64().unwrap();
        spool
            .tell(&mut |line| {
                told.push(read(line));
                Ok(())
            })
            .unwrap();
        assert_eq!(told, [2, 4, 1, 3]);
    }
}
