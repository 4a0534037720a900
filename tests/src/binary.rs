//! The real binary, as an operator runs it.

use std::fs::{self, DirBuilder, File};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use policy_core::digest::Digest;
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};
use serde_json::Value;

use crate::client::Client;
use crate::disk::FailingDisk;
use crate::other_user::OtherUser;

/// A folder in the target folder for what is the same in every test, and dear to make.
#[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
pub(crate) fn scratch() -> PathBuf {
    let tests = std::env::current_exe().expect("the test's own path");
    let target = tests.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists()).expect("a target folder");
    let folder = target.join("tmp/proviso-tests");
    fs::create_dir_all(&folder).expect("a folder in the target folder");
    folder
}

/// The folder of what the binary carries: `PROVISO_ASSETS`, from the root of the workspace.
pub fn assets() -> PathBuf {
    let named = std::env::var_os("PROVISO_ASSETS").unwrap_or_else(|| "target/assets".into());
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(named)
}

/// Where a gate listens that nobody has to find again.
const ANY_PORT: &str = "127.0.0.1:0";

/// A gate in a process of its own.
pub struct Binary {
    child: Child,
    /// A client of it.
    pub client: Client,
    data: PathBuf,
}

impl Binary {
    /// Where the binary is: `PROVISO_BINARY`, or beside the tests that run.
    #[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
    pub fn path() -> PathBuf {
        if let Some(path) = std::env::var_os("PROVISO_BINARY") {
            return path.into();
        }
        let tests = std::env::current_exe().expect("the test's own path");
        let path = tests.ancestors().nth(2).expect("a target folder").join("proviso");
        assert!(path.exists(), "`{}` is not there: run `cargo xtask build`", path.display());
        path
    }

    /// `proviso serve --single-user` with the sample bundle on a free port, ready.
    pub fn serve(data: &Path) -> Self {
        Self::prepare(data);
        Self::start(data, ANY_PORT, &sample(), &["--single-user"], None)
    }

    /// The same with another bundle, and more on its command line.
    pub fn serve_bundle(data: &Path, bundle: &Path, more: &[&str]) -> Self {
        Self::prepare(data);
        Self::start(data, ANY_PORT, bundle, &[&["--single-user"], more].concat(), None)
    }

    /// The same where a gate was before, under its address.
    pub fn serve_at(data: &Path, address: &str) -> Self {
        Self::start(data, address, &sample(), &["--single-user"], None)
    }

    /// The same, where agents and gate must not share an operating-system user: as tests and gate do.
    pub fn serve_apart(data: &Path) -> Self {
        Self::prepare(data);
        Self::start(data, ANY_PORT, &sample(), &[], None)
    }

    /// The same with another bundle, and more on its command line.
    pub fn serve_bundle_apart(data: &Path, bundle: &Path, more: &[&str]) -> Self {
        Self::prepare(data);
        Self::start(data, ANY_PORT, bundle, more, None)
    }

    /// The same under another operating-system user than the tests'.
    #[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
    pub fn serve_under(user: OtherUser, data: &Path, more: &[&str]) -> Self {
        Self::prepare(data);
        user.give(data).expect("a data folder of that user");
        Self::start(data, ANY_PORT, &sample(), more, Some(user))
    }

    /// The same at the most talkative log level there is, with more on its command line.
    #[expect(clippy::panic, reason = "a harness fails its test by panicking")]
    pub fn serve_talkative(data: &Path, more: &[&str]) -> Self {
        Self::prepare(data);
        let words = [&["--single-user"], more].concat();
        let variables = [("RUST_LOG", PathBuf::from("trace"))];
        Self::try_start(data, ANY_PORT, &sample(), &words, None, &variables)
            .unwrap_or_else(|told| panic!("the gate is not ready: {told}"))
    }

    /// What it has logged until now.
    #[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
    pub fn logged(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.data.with_extension("log")).expect("a log file")).into_owned()
    }

    /// The same on a folder that is not there yet: the gate makes all of it.
    pub fn serve_fresh(data: &Path) -> Self {
        Self::start(data, ANY_PORT, &sample(), &["--single-user"], None)
    }

    /// The same over a disk that fails on demand. What the gate says where it does not start.
    ///
    /// # Errors
    /// When it is not ready.
    pub fn serve_over(data: &Path, disk: &FailingDisk) -> Result<Self, String> {
        Self::prepare(data);
        Self::try_start(data, ANY_PORT, &sample(), &["--single-user"], None, &disk.variables())
    }

    /// Makes a data folder, where there is none, in which a gate has compiled the module already: keys, mark and
    /// compiled module, and no record. Compiling takes longer than most tests.
    #[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
    pub fn prepare(data: &Path) {
        static STARTED: OnceLock<PathBuf> = OnceLock::new();
        if !data.exists() {
            copy_folder(STARTED.get_or_init(started), data).expect("a copy of a prepared data folder");
        }
    }

    /// Stops it as an operator does, and waits for its end.
    #[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
    pub fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("a process of ours");
        self.child.wait().expect("its end");
    }

    #[expect(clippy::panic, reason = "a harness fails its test by panicking")]
    fn start(data: &Path, address: &str, bundle: &Path, more: &[&str], user: Option<OtherUser>) -> Self {
        Self::try_start(data, address, bundle, more, user, &[])
            .unwrap_or_else(|told| panic!("the gate is not ready: {told}"))
    }

    #[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
    fn try_start(
        data: &Path,
        address: &str,
        bundle: &Path,
        more: &[&str],
        user: Option<OtherUser>,
        variables: &[(&str, PathBuf)],
    ) -> Result<Self, String> {
        let log = data.with_extension("log");
        // What a full disk does to a write, a limit does too, but for a signal that would end the process.
        let mut command = match user {
            None => Command::new("sh"),
            Some(user) => {
                let mut command = user.become_it();
                command.arg("sh");
                command
            }
        };
        command.envs(variables.iter().cloned());
        command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(Self::path());
        // Tests ask fast.
        command.args(["serve", "--json", "--evaluations", "100000", "--listen", address, "--bundle"]).arg(bundle);
        command.arg("--data").arg(data).args(more).stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(File::create(&log).expect("a log file"));
        let mut child = command.spawn().expect("the binary starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let ready: Value = serde_json::from_str(&line).unwrap_or_default();
        let Some(url) = ready["url"].as_str() else {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("{line} {}", std::fs::read_to_string(log).unwrap_or_default()));
        };
        Ok(Self { child, client: Client::new(url), data: data.to_owned() })
    }

    /// Tells it that its files changed.
    #[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
    pub fn hang_up(&self) {
        kill_process(Pid::from_child(&self.child), Signal::HUP).expect("a process of ours");
    }

    /// Its number among the processes.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// From now on no file of this gate grows: what a full disk does.
    pub fn fill_disk(&self) {
        self.limit_files(Some(1));
    }

    /// There is room again.
    pub fn free_disk(&self) {
        self.limit_files(getrlimit(Resource::Fsize).current);
    }

    #[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
    fn limit_files(&self, current: Option<u64>) {
        let pid = Pid::from_child(&self.child);
        let limit = Rlimit { current, maximum: getrlimit(Resource::Fsize).maximum };
        prlimit(Some(pid), Resource::Fsize, limit).expect("a limit of a process of ours");
    }

    /// Runs a command of the binary to its end.
    #[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
    pub fn run(arguments: &[&str]) -> Output {
        Command::new(Self::path()).args(arguments).stdin(Stdio::null()).output().expect("the binary runs")
    }

    /// `proviso token …` at this gate: what it prints.
    pub fn token(&self, arguments: &[&str]) -> String {
        let data = self.data.display().to_string();
        let output = Self::run(&[&["token"], arguments, &["--data", &data]].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Kills it as the kernel kills: nothing is flushed, nobody is told.
    pub fn kill(mut self) {
        // It may have died by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The sample bundle's folder.
fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundles/sample")
}

/// What a first start of this very binary with this very module leaves, without its record.
#[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
fn started() -> PathBuf {
    let binary = fs::metadata(Binary::path()).expect("the binary");
    let facts = format!("{:?} {} {:?}", binary.modified().ok(), binary.len(), proviso::assets::policy_digest());
    let kept = scratch().join(format!("started-{}", Digest::of(facts.as_bytes())));
    if !kept.exists() {
        // What other builds of the binary left is of no use any more.
        for old in fs::read_dir(scratch()).expect("the scratch folder").flatten() {
            if old.file_name().to_string_lossy().starts_with("started-") {
                // Somebody else may have removed it.
                let _ = fs::remove_dir_all(old.path());
            }
        }
        let folder = tempfile::tempdir_in(scratch()).expect("a temporary folder");
        let data = folder.path().join("data");
        // Told to stop, it ends after the module was kept.
        Binary::serve_fresh(&data).stop();
        let prepared = folder.path().join("prepared");
        DirBuilder::new().mode(0o700).create(&prepared).expect("a folder");
        fs::copy(data.join("proviso-data"), prepared.join("proviso-data")).expect("the mark");
        for inner in ["keys", "cache"] {
            copy_folder(&data.join(inner), &prepared.join(inner)).expect("a folder of the gate");
        }
        // Whoever else runs these tests may have been faster.
        assert!(fs::rename(&prepared, &kept).is_ok() || kept.exists(), "no prepared folder");
    }
    kept
}

/// Copies a folder, with all that is in it.
///
/// # Errors
/// When a file cannot be read or written.
pub fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    DirBuilder::new().mode(0o700).create(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let copy = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &copy)?;
        } else {
            fs::copy(entry.path(), copy)?;
        }
    }
    Ok(())
}
