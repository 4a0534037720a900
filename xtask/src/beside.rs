//! A stage that runs beside others: in a process of its own, its output kept until it has ended, so that the lines of
//! two stages never mix.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::command::command;
use crate::count::Count;
use crate::place::Place;
use crate::stage::now;

/// The program that runs. Its path will not do: building the tests puts a newer one there, and takes this one away.
const OWN: &str = "/proc/self/exe";

/// One that has begun.
pub struct Beside {
    /// The stage's name.
    pub name: &'static str,
    output: PathBuf,
    ended: JoinHandle<(io::Result<ExitStatus>, Duration)>,
}

impl Beside {
    /// Starts this very program with arguments that run the one stage.
    pub fn begin(place: &Place, name: &'static str, arguments: &[&str]) -> Result<Self> {
        let folder = place.target.join("xtask");
        fs::create_dir_all(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        let output = folder.join(name).with_extension("txt");
        let file = File::create(&output).with_context(|| format!("cannot write `{}`", output.display()))?;
        let mut stage = command(place, OWN)?;
        stage.args(arguments).stdout(file.try_clone()?).stderr(file).stdin(Stdio::null());
        let begun = now();
        let mut child = stage.spawn().with_context(|| format!("cannot start the stage `{name}`"))?;
        let ended = thread::spawn(move || (child.wait(), begun.elapsed()));
        Ok(Self { name, output, ended })
    }

    /// Waits for its end, shows what it printed, and counts its tests. Returns how it ended, and how long it took.
    pub fn end(self, count: &mut Count) -> (Result<()>, Duration) {
        let (status, took) = match self.ended.join() {
            Ok((status, took)) => (status.context("its end cannot be told"), took),
            Err(_) => (Err(anyhow::anyhow!("whoever waited for it is gone")), Duration::default()),
        };
        let shown = fs::read(&self.output).context("its output is gone").and_then(|output| {
            io::stdout().write_all(&output)?;
            String::from_utf8_lossy(&output).lines().for_each(|line| count.read_line(line));
            Ok(())
        });
        let result = status.and_then(|status| if status.success() { Ok(()) } else { bail!("it ended with {status}") });
        (result.and(shown), took)
    }
}
