//! Stages: named, timed, stopped at the first that fails. One that mostly waits runs beside those that follow it.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::beside::Beside;
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
    /// The command that runs this stage alone, where it waits more than it works: then the stages that follow do not
    /// wait for it. They must not need what it makes.
    pub beside: Option<&'static [&'static str]>,
}

impl Stage {
    /// A stage that the next ones wait for.
    pub const fn new(name: &'static str, may_take: &'static str, run: fn(&Place, &mut Count) -> Result<()>) -> Self {
        Self { name, may_take, run, beside: None }
    }

    /// The same, beside the stages that follow it.
    pub const fn beside(self, arguments: &'static [&'static str]) -> Self {
        Self { beside: Some(arguments), ..self }
    }
}

/// What the stages came to so far.
#[derive(Default)]
struct Told {
    count: Count,
    times: Vec<(&'static str, String)>,
    failed: Vec<&'static str>,
}

impl Told {
    /// Tells how a stage ended. One that fails without a failed test of its own (a lint, a build) counts as one failure.
    fn tell(&mut self, name: &'static str, failed_before: u64, result: Result<()>, took: Duration) {
        let took = show(took);
        match result {
            Ok(()) => println!("=== {name}: fine, {took}"),
            Err(error) => {
                if self.count.failed == failed_before {
                    self.count.failed += 1;
                }
                println!("=== {name}: FAILED, {took}: {error:#}");
                self.failed.push(name);
            }
        }
        self.times.push((name, took));
    }

    /// Waits for a stage that ran beside others, and tells what it printed.
    fn wait(&mut self, beside: Beside) {
        let (name, failed_before) = (beside.name, self.count.failed);
        println!("\n=== {name} (ran beside the others)");
        let (result, took) = beside.end(&mut self.count);
        self.tell(name, failed_before, result, took);
    }
}

/// Runs the stages in order, stops at the first that fails, and closes with `N passed, N failed`.
pub fn run_all(place: &Place, stages: &[Stage], only: Option<&str>) -> Result<()> {
    let mut told = Told::default();
    let mut besides = Vec::new();
    for stage in stages.iter().filter(|stage| only.is_none_or(|word| stage.name.contains(word))) {
        let Stage { name, may_take, .. } = *stage;
        if let (Some(arguments), None) = (stage.beside, only) {
            println!("\n=== {name} (may take {may_take}; runs beside the next ones)");
            besides.push(Beside::begin(place, name, arguments)?);
            continue;
        }
        println!("\n=== {name} (may take {may_take})");
        let (begun, failed_before) = (now(), told.count.failed);
        let result = (stage.run)(place, &mut told.count);
        told.tell(name, failed_before, result, begun.elapsed());
        if !told.failed.is_empty() {
            break;
        }
    }
    besides.into_iter().for_each(|beside| told.wait(beside));
    println!();
    for (name, took) in &told.times {
        println!("{took:>9}  {name}");
    }
    if told.times.is_empty() {
        bail!("no stage has that word in its name");
    }
    let Count { passed, failed, flaky } = told.count;
    let tried_again = if flaky > 0 { format!(", {flaky} flaky: they passed at the second try") } else { String::new() };
    println!("{passed} passed, {failed} failed{tried_again}");
    if told.failed.is_empty() { Ok(()) } else { bail!("stage `{}` failed", told.failed.join("`, `")) }
}

#[expect(clippy::disallowed_methods, reason = "a developer's tool tells how long it took; no product code links it")]
pub fn now() -> Instant {
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
