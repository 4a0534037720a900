//! `BENCHMARKS.md` for people and `BENCHMARKS.json` for programs.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::Result;
use crate::figures::{Figure, Measured};

/// A time that was measured, beside the figures that goals name.
#[derive(Debug, Serialize)]
pub struct Time {
    pub of: String,
    pub who: String,
    pub micros: Measured,
}

/// What a run came to.
#[derive(Debug, Serialize)]
pub struct Report {
    pub command: &'static str,
    pub machine: String,
    pub versions: Vec<(String, String)>,
    pub rounds: usize,
    pub figures: Vec<Figure>,
    pub times: Vec<Time>,
}

impl Report {
    /// As it is printed and written.
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "# Benchmarks\n\nWritten by `{}`, {} rounds in which everybody has a turn.\nTimes are of that machine and that \
             moment; the ratios are of one run and mean something elsewhere, too.\n\n- machine: {}\n",
            self.command, self.rounds, self.machine
        );
        for (name, version) in &self.versions {
            _ = writeln!(text, "- {name}: {version}");
        }
        text.push_str("\n## Figures against their goals\n\n| what | figure | most rounds | goal | reached |\n|---|---|---|---|---|\n");
        for figure in &self.figures {
            let value = figure.value.map_or("not measured".to_owned(), number);
            let spread =
                figure.spread.map_or(String::new(), |[low, high]| format!("{} to {}", number(low), number(high)));
            let bound = if figure.bound == "at_most" { "at most" } else { "at least" };
            let reached = if figure.reached { "yes" } else { "no" };
            _ = writeln!(
                text,
                "| {} | {value} | {spread} | {bound} {} | {reached} |",
                figure.what,
                number(figure.goal)
            );
        }
        text.push_str("\n## Times of one question, in microseconds\n\n| question | who | median | most rounds |\n|---|---|---|---|\n");
        for time in &self.times {
            let Measured { median, low, high } = time.micros;
            _ = writeln!(text, "| {} | {} | {median:.1} | {low:.1} to {high:.1} |", time.of, time.who);
        }
        text
    }

    /// Writes both into this folder. What people have written below the tables stays.
    pub fn write(&self, folder: &Path) -> Result<()> {
        const KEPT: &str = "\n## What remains\n";
        let path = folder.join("BENCHMARKS.md");
        let before = fs::read_to_string(&path).unwrap_or_default();
        let kept = before.split_once(KEPT).map_or(String::new(), |(_, kept)| format!("{KEPT}{kept}"));
        fs::write(path, self.markdown() + &kept)?;
        fs::write(folder.join("BENCHMARKS.json"), serde_json::to_string_pretty(self)? + "\n")?;
        Ok(())
    }
}

fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// The machine in words: how many processors of which kind.
pub fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name));
    let processors = std::thread::available_parallelism().map_or(0, std::num::NonZeroUsize::get);
    format!("{processors} × {}, {}", model.unwrap_or("an unknown processor"), std::env::consts::OS)
}

/// Bytes of memory that this process holds.
pub fn resident() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    Ok(line.ok_or("the kernel does not say how much memory is held")?.parse::<u64>()? * 1024)
}

/// The versions of what is measured, from the lock files.
pub fn versions() -> Result<Vec<(String, String)>> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut versions = Vec::new();
    let locks: [(&str, &[&str]); 2] =
        [("../Cargo.lock", &["cedar-policy", "wasmtime"]), ("benches/regorus/Cargo.lock", &["regorus"])];
    for (lock, names) in locks {
        let lock: toml::Table = fs::read_to_string(tests.join(lock))?.parse()?;
        let packages = lock.get("package").and_then(toml::Value::as_array).ok_or("the lock file lists nothing")?;
        versions.extend(names.iter().filter_map(|name| {
            let package =
                packages.iter().find(|package| package.get("name").and_then(toml::Value::as_str) == Some(*name))?;
            Some(((*name).to_owned(), package.get("version")?.as_str()?.to_owned()))
        }));
    }
    let lock = fs::read_to_string(tests.join("benches/cedar-wasm/package-lock.json"))?;
    let lock: serde_json::Value = serde_json::from_str(&lock)?;
    let wasm = lock.pointer("/packages/node_modules~1@cedar-policy~1cedar-wasm/version");
    versions.extend(wasm.and_then(|version| Some(("cedar-wasm".to_owned(), version.as_str()?.to_owned()))));
    let toolchain: toml::Table = fs::read_to_string(tests.join("../rust-toolchain.toml"))?.parse()?;
    let channel = toolchain.get("toolchain").and_then(|toolchain| toolchain.get("channel")?.as_str());
    versions.push(("Rust".to_owned(), channel.unwrap_or("unknown").to_owned()));
    Ok(versions)
}
