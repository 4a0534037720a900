//! Space on the disk that is kept for stops: what ends something, and the end itself, can be written when nothing else
//! can.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// How much is kept: some thousand stops, each with the pages that it touches.
pub(super) const SIZE: usize = 4 << 20;

/// A file that holds nothing, and its blocks.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    partial: PathBuf,
}

impl Reserve {
    /// In this data folder. Nothing is kept yet.
    pub(super) fn new(folder: &Path) -> Self {
        Self { path: folder.join("reserve"), partial: folder.join("reserve.new") }
    }

    /// Keeps the space, where it is not kept.
    pub(super) fn keep(&self) -> io::Result<()> {
        if fs::metadata(&self.path).is_ok_and(|kept| kept.len() == SIZE as u64) {
            return Ok(());
        }
        let written = self.write();
        if written.is_err() {
            // Half a reserve is space that somebody else can use.
            let _ = fs::remove_file(&self.partial);
        }
        written
    }

    fn write(&self) -> io::Result<()> {
        // Not even begun where it does not fit: what is written of it would be missing elsewhere meanwhile.
        let disk = self.path.parent().map(rustix::fs::statvfs).transpose()?;
        if disk.is_some_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < 2 * SIZE as u64) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        // Written out: a file of holes has no blocks. Every page differs, so that nothing is folded into one.
        let mut pages = Vec::with_capacity(SIZE);
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        while pages.len() < SIZE {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            pages.extend_from_slice(&state.to_le_bytes());
        }
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&self.partial)?;
        file.write_all(&pages)?;
        file.sync_all()?;
        fs::rename(&self.partial, &self.path)
    }

    /// Gives the space back to the disk. Whether there was any.
    pub(super) fn release(&self) -> bool {
        fs::remove_file(&self.path).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn what_is_kept_has_blocks_and_comes_back_after_it_was_given_away() {
        let folder = tempfile::tempdir().unwrap();
        let reserve = Reserve::new(folder.path());
        assert!(!reserve.release());
        for _ in 0..2 {
            reserve.keep().unwrap();
            reserve.keep().unwrap();
            let kept = fs::metadata(folder.path().join("reserve")).unwrap();
            assert_eq!(kept.len(), SIZE as u64);
            assert!(kept.blocks() * 512 >= SIZE as u64, "{} blocks", kept.blocks());
            assert!(reserve.release());
        }
        // One that was cut short is none.
        fs::write(folder.path().join("reserve"), "short").unwrap();
        reserve.keep().unwrap();
        assert_eq!(fs::metadata(folder.path().join("reserve")).unwrap().len(), SIZE as u64);
    }
}
