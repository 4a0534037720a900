//! A second operating-system user, where the tests run as one that may become it.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rustix::process::geteuid;

use crate::binary::Binary;

/// `nobody`, on every system.
const NOBODY: u32 = 65_534;

/// The user `nobody`, who has no rights but its own.
#[derive(Debug, Clone, Copy)]
pub struct OtherUser(());

impl OtherUser {
    /// The user; nothing where the tests do not run as root and can become nobody else.
    pub fn find() -> Option<Self> {
        geteuid().is_root().then_some(Self(()))
    }

    /// Its number.
    pub const fn uid(self) -> u32 {
        NOBODY
    }

    /// What to put before a command so that it runs as this user.
    pub(crate) fn become_it(self) -> Command {
        let mut command = Command::new("setpriv");
        command.args([&format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups"]);
        if !Self::reaches(&Binary::path()) || !Self::reaches(Path::new(env!("CARGO_MANIFEST_DIR"))) {
            // The clone lies in a folder that is closed to others: this user may look past that, and no more than it.
            command.args(["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]);
        }
        command
    }

    /// Whether every folder on the way may be entered by anybody.
    fn reaches(path: &Path) -> bool {
        let enters = |folder: &Path| fs::metadata(folder).is_ok_and(|found| found.mode() & 0o001 != 0);
        path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()).all(enters)
    }

    /// Runs a command of the binary as this user, to its end.
    #[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
    pub fn run(self, arguments: &[&str]) -> Output {
        let mut command = self.become_it();
        command.arg(Binary::path()).args(arguments).stdin(Stdio::null()).output().expect("the binary runs")
    }

    /// Gives it a folder and all that is in there, and lets it in on the way from the temporary folder.
    ///
    /// # Errors
    /// What the system says.
    pub fn give(self, folder: &Path) -> io::Result<()> {
        if let Some(parent) = folder.parent() {
            fs::set_permissions(parent, fs::Permissions::from_mode(0o711))?;
        }
        give(folder)
    }
}

fn give(path: &Path) -> io::Result<()> {
    chown(path, Some(NOBODY), Some(NOBODY))?;
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path())?;
        }
    }
    Ok(())
}
