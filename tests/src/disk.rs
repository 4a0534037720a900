//! A disk that fails on demand, under a gate in a process of its own: `tests/fixtures/failing-disk`.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use policy_core::digest::Digest;

use crate::binary::scratch;

/// How a call fails: by an error of the system, or by hanging.
#[derive(Debug, Clone, Copy)]
pub struct Failure {
    /// Its number; -1 hangs.
    errno: i64,
    /// Whether it lasts (1), comes once (0), or comes once and to a sync (2).
    when: i64,
}

impl Failure {
    /// The disk reports an error, once.
    pub const IO: Self = Self { errno: 5, when: 0 };
    /// The disk reports an error until it is mended.
    pub const BROKEN: Self = Self { errno: 5, when: 1 };
    /// A sync reports an error, once; what is written before it succeeds.
    pub const SYNC: Self = Self { errno: 5, when: 2 };
    /// The disk is full, until there is room again.
    pub const FULL: Self = Self { errno: 28, when: 1 };
    /// The call does not come back until the disk is mended.
    pub const HANGS: Self = Self { errno: -1, when: 1 };

    /// Whether it goes on until the disk is mended.
    pub const fn lasts(self) -> bool {
        self.when == 1
    }
}

/// A disk under one folder. What it is told stands in a file that the gate's process maps.
pub struct FailingDisk {
    control: File,
    path: PathBuf,
    folder: PathBuf,
}

/// The numbers of the control file.
const FAIL_AT: u64 = 0;
const ERRNO: u64 = 1;
const WHEN: u64 = 2;
const CALLS: u64 = 3;
const FAILED: u64 = 4;
const TAINTED: u64 = 5;

impl FailingDisk {
    /// A disk under this folder that does not fail yet.
    #[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
    pub fn under(folder: &Path) -> Self {
        let path = folder.with_extension("disk");
        let mut options = OpenOptions::new();
        let control = options.create(true).truncate(true).read(true).write(true).open(&path).expect("a control file");
        control.set_len(6 * 8).expect("six numbers");
        Self { control, path, folder: folder.to_owned() }
    }

    /// What the gate's process has to find in its environment.
    pub fn variables(&self) -> [(&'static str, PathBuf); 3] {
        [
            ("LD_PRELOAD", library()),
            ("FAILING_DISK_FOLDER", self.folder.clone()),
            ("FAILING_DISK_CONTROL", self.path.clone()),
        ]
    }

    /// The so-manieth write or sync from now on fails: of syncs alone, where the failure is one of those.
    pub fn fail_at(&self, call: i64, failure: Failure) {
        self.set(FAIL_AT, 0);
        for (place, value) in [(ERRNO, failure.errno), (WHEN, failure.when), (CALLS, 0), (FAILED, 0)] {
            self.set(place, value);
        }
        self.set(FAIL_AT, call);
    }

    /// None fails any more.
    pub fn mend(&self) {
        self.set(FAIL_AT, 0);
    }

    /// How many writes and syncs there were since [`Self::fail_at`]: of syncs alone, where the failure is one of those.
    pub fn calls(&self) -> i64 {
        self.get(CALLS)
    }

    /// How many writes and syncs failed since [`Self::fail_at`].
    pub fn failed(&self) -> i64 {
        self.get(FAILED)
    }

    /// How many writes and syncs went to a file whose sync had failed while it was open.
    pub fn trusted_after_failure(&self) -> i64 {
        self.get(TAINTED)
    }

    #[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
    fn set(&self, place: u64, value: i64) {
        self.control.write_all_at(&value.to_ne_bytes(), place * 8).expect("the control file");
    }

    #[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
    fn get(&self, place: u64) -> i64 {
        let mut bytes = [0; 8];
        self.control.read_exact_at(&mut bytes, place * 8).expect("the control file");
        i64::from_ne_bytes(bytes)
    }
}

/// The library, compiled once by the compiler that SQLite is compiled with, too.
#[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
fn library() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/failing-disk/failing_disk.c");
            let digest = Digest::of(&fs::read(&source).expect("the library's source"));
            let library = scratch().join(format!("failing-disk-{digest}.so"));
            if !library.exists() {
                let fresh = tempfile::tempdir_in(scratch()).expect("a temporary folder");
                let built = fresh.path().join("built.so");
                let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
                let mut command = Command::new(compiler);
                command.args(["-O1", "-Wall", "-shared", "-fPIC", "-o"]).arg(&built);
                let done = command.arg(&source).arg("-ldl").status().expect("a C compiler");
                assert!(done.success(), "`{}` does not compile", source.display());
                fs::rename(&built, &library).expect("the library in its place");
            }
            library
        })
        .clone()
}
