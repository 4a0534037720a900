//! What the proxy keeps of the gate's record (R9), in a file that outlives it.

use std::path::{Path, PathBuf};

use audit_verify::TreeHash;
use audit_verify::witness::{Seen, Shown, Verdict};

/// What was seen, and where it is kept.
#[derive(Debug)]
pub struct Witness {
    /// Absent: it is kept for this session alone.
    file: Option<PathBuf>,
    seen: Seen,
}

impl Witness {
    /// Takes up what was kept in this folder for a gate.
    ///
    /// # Errors
    /// When there is a file that cannot be read: what was put there to hold the record against, nobody can.
    pub fn open(folder: Option<&Path>, gate: &str) -> std::io::Result<Self> {
        let name = TreeHash::over(&[gate.as_bytes()]).to_string();
        let file = folder.map(|folder| folder.join("heads").join(format!("{name}.json")));
        let seen = match file.as_deref().map(std::fs::read) {
            Some(Ok(bytes)) => serde_json::from_slice(&bytes).map_err(std::io::Error::other)?,
            Some(Err(error)) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => Seen::default(),
        };
        Ok(Self { file, seen })
    }

    /// Where it is kept, for whoever has to look.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// How many records of a log were seen.
    pub fn held(&self, log: &str) -> u64 {
        self.seen.held(log)
    }

    /// Holds what the gate shows against what was seen, and keeps the newer head.
    pub fn look(&mut self, shown: Shown<'_>) -> Verdict {
        let verdict = self.seen.look(shown);
        if verdict == Verdict::Continues {
            self.keep();
        }
        verdict
    }

    /// A proxy that cannot keep heads still holds them for as long as it runs.
    fn keep(&self) {
        let Some(file) = &self.file else { return };
        // Several proxies of one user may keep what they saw of one gate.
        let beside = file.with_extension(format!("{}.new", std::process::id()));
        let written = file.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| {
            let bytes = serde_json::to_vec(&self.seen).map_err(std::io::Error::other)?;
            std::fs::write(&beside, bytes)?;
            std::fs::rename(&beside, file)
        });
        if let Err(error) = written {
            eprintln!("proviso mcp: the newest head of the record cannot be kept in `{}`: {error}", file.display());
        }
    }
}
