//! Stages: named, timed, stopped at the first that fails.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::count::Count;
use crate::place::Place;

/// One thing that a command does.
pub struct Stage {
    /// A short name, for the headline and `--only`.
    pub name: &'static str,
    /// How long it may take: the first time on a fresh machine, and again after a small change.
    pub may_take: &'static str,
    /// What it does.
    pub run: fn(&Place, &mut Count) -> Result<()>,
}

/// Runs the stages in order, stops at the first that fails, and closes with `N passed, N failed`.
///
/// A stage that fails without a failed test of its own (a lint, a build) counts as one failure.
pub fn run_all(place: &Place, stages: &[Stage], only: Option<&str>) -> Result<()> {
    let mut count = Count::default();
    let mut times = Vec::new();
    let mut failure = None;
    for stage in stages.iter().filter(|stage| only.is_none_or(|word| stage.name.contains(word))) {
        println!("\n=== {} (may take {})", stage.name, stage.may_take);
        let begun = now();
        let failed_before = count.failed;
        let result = (stage.run)(place, &mut count);
        let took = show(begun.elapsed());
        match result {
            Ok(()) => println!("=== {}: fine, {took}", stage.name),
            Err(error) => {
                if count.failed == failed_before {
                    count.failed += 1;
                }
                println!("=== {}: FAILED, {took}: {error:#}", stage.name);
                failure = Some(stage.name);
            }
        }
        times.push((stage.name, took));
        if failure.is_some() {
            break;
        }
    }
    println!();
    for (name, took) in &times {
        println!("{took:>9}  {name}");
    }
    if times.is_empty() {
        bail!("no stage has that word in its name");
    }
    println!("{} passed, {} failed", count.passed, count.failed);
    match failure {
        Some(name) => bail!("stage `{name}` failed"),
        None => Ok(()),
    }
}

#[expect(clippy::disallowed_methods, reason = "a developer's tool tells how long it took; no product code links it")]
fn now() -> Instant {
    Instant::now()
}

fn show(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds >= 60 {
        format!("{}m {:02}s", seconds / 60, seconds % 60)
    } else {
        format!("{:.1}s", time.as_secs_f64())
    }
}
