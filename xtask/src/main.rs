//! The developer's commands: `cargo xtask run`, `cargo xtask test`, and what they stand on.
//!
//! Nothing of the product links this crate.
//! Each command finds or installs the exact tools it needs, says what it does and how long that may take,
//! and skips what an unchanged input has made already.

mod apt;
mod assets;
mod bench;
mod beside;
mod command;
mod compressed;
mod count;
mod inputs;
mod nightly;
mod place;
mod saboteurs;
mod screenshots;
mod split;
mod stage;
mod test;
mod tools;
mod trusted;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::place::Place;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Build, run and test Proviso", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the policy module, the dashboard and the `proviso` binary
    Build {
        /// Build the binary to deploy: optimised, with module and dashboard inside
        #[arg(long)]
        release: bool,
    },
    /// Build everything and play the demo on loopback; prints its address
    Run {
        /// Passed on to `proviso demo`
        #[arg(last = true)]
        demo: Vec<String>,
    },
    /// Run every test: format, lints, native, module, browser, the whole story
    Test {
        /// Only the stages whose name contains this word
        #[arg(long)]
        only: Option<String>,
    },
    /// Measure Proviso and its peers side by side and print ratios
    Bench,
    /// What is too long for each change: licences and bans, the module built twice, the release build, planted faults,
    /// mutation tests
    Nightly {
        /// Only the stages whose name contains this word
        #[arg(long)]
        only: Option<String>,
    },
    /// Take pictures of each page in light and dark, wide and narrow, into the target folder
    Screenshots,
    /// Find or install the tools that the other commands need
    Tools,
}

fn main() -> Result<()> {
    let place = Place::find()?;
    match Arguments::parse().task {
        Task::Build { release } => assets::build(&place, release),
        Task::Run { demo } => assets::run_demo(&place, &demo),
        Task::Test { only } => test::run_stages(&place, only.as_deref()),
        Task::Bench => bench::measure(&place, None),
        Task::Nightly { only } => nightly::run_stages(&place, only.as_deref()),
        Task::Screenshots => screenshots::take(&place),
        Task::Tools => tools::install_all(&place),
    }
}
