//! Peers that run as processes of their own, by one protocol of lines: each reads its folder, says `permit` or `deny`,
//! and then answers each number with the nanoseconds that so many questions took.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::Result;

/// A peer that is ready. It ends with what measures it.
pub struct Peer {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    _folder: TempDir,
}

impl Peer {
    /// Starts a peer on these files, and waits until it has answered the question once.
    pub fn start(mut command: Command, files: &[(&str, String)]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        for (name, text) in files {
            fs::write(folder.path().join(name), text)?;
        }
        command.arg(folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut process = command.spawn()?;
        let to = process.stdin.take().ok_or("no way to the peer")?;
        let from = BufReader::new(process.stdout.take().ok_or("no way from the peer")?);
        let mut peer = Self { process, to, from, _folder: folder };
        match peer.line()?.as_str() {
            "permit" => Ok(peer),
            other => Err(format!("the peer says `{other}`").into()),
        }
    }

    /// How long so many questions take.
    pub fn time(&mut self, calls: u32) -> Result<Duration> {
        writeln!(self.to, "{calls}")?;
        self.to.flush()?;
        Ok(Duration::from_nanos(self.line()?.parse()?))
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.from.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Whether it has ended already is nobody's concern any more.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// cedar-wasm in Node, where `cargo xtask bench` found Node and installed it.
pub fn cedar_wasm() -> Option<Command> {
    let modules = std::env::var_os("PROVISO_BENCH_CEDAR_WASM")?;
    let mut command = Command::new("node");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/cedar-wasm/peer.mjs"));
    command.env("PROVISO_BENCH_CEDAR_WASM", modules);
    Some(command)
}

/// regorus, where `cargo xtask bench` built it.
pub fn regorus() -> Option<Command> {
    Some(Command::new(std::env::var_os("PROVISO_BENCH_REGORUS")?))
}
