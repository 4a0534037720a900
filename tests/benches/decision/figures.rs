//! What was measured, and what was to be reached. Whether it was is computed here and nowhere else.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Result;

/// A figure with its spread: the median, and between what most rounds lay.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Measured {
    pub median: f64,
    /// What nine rounds of ten were above.
    pub low: f64,
    /// What nine rounds of ten were below.
    pub high: f64,
}

impl Measured {
    /// Of several rounds.
    pub fn of(mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        let at = |share: usize| {
            let last = rounds.len().saturating_sub(1);
            rounds.get(last * share / 100).copied().unwrap_or(f64::NAN)
        };
        Self { median: at(50), low: at(10), high: at(90) }
    }

    /// Of one thing that has no spread.
    pub const fn exactly(value: f64) -> Self {
        Self { median: value, low: value, high: value }
    }

    /// Of one's rounds against another's, round by round: a slow moment of the machine falls on both.
    pub fn ratio(ours: &[Duration], theirs: &[Duration]) -> Self {
        let rounds = ours.iter().zip(theirs).map(|(ours, theirs)| ours.as_secs_f64() / theirs.as_secs_f64());
        Self::of(rounds.collect())
    }

    /// Of rounds, in microseconds.
    pub fn micros(times: &[Duration]) -> Self {
        Self::of(times.iter().map(|time| time.as_secs_f64() * 1e6).collect())
    }
}

/// One line of `goals.toml`.
#[derive(Debug, Deserialize)]
pub struct Goal {
    pub name: String,
    pub what: String,
    at_most: Option<f64>,
    at_least: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Goals {
    goal: Vec<Goal>,
}

/// A goal, and what came of it.
#[derive(Debug, Serialize)]
pub struct Figure {
    pub name: String,
    pub what: String,
    pub value: Option<f64>,
    pub spread: Option<[f64; 2]>,
    pub goal: f64,
    pub bound: &'static str,
    pub reached: bool,
}

impl Goal {
    fn judged(self, measured: Option<&Measured>) -> Result<Figure> {
        let (goal, bound) = match (self.at_most, self.at_least) {
            (Some(most), None) => (most, "at_most"),
            (None, Some(least)) => (least, "at_least"),
            _ => return Err(format!("`{}` has no bound, or two", self.name).into()),
        };
        let reached = measured.is_some_and(|measured| match bound {
            "at_most" => measured.median <= goal,
            _ => measured.median >= goal,
        });
        let value = measured.map(|measured| measured.median);
        let spread = measured.map(|measured| [measured.low, measured.high]);
        Ok(Figure { name: self.name, what: self.what, value, spread, goal, bound, reached })
    }
}

/// Every goal of the file, held against what was measured. A figure that no goal names is a mistake.
pub fn judge(measured: &BTreeMap<String, Measured>) -> Result<Vec<Figure>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/goals.toml");
    let Goals { goal: goals } = toml::from_str(&fs::read_to_string(file)?)?;
    if let Some(stray) = measured.keys().find(|name| !goals.iter().any(|goal| goal.name == **name)) {
        return Err(format!("`{stray}` is measured and no goal").into());
    }
    goals
        .into_iter()
        .map(|goal| {
            let found = measured.get(&goal.name);
            goal.judged(found)
        })
        .collect()
}
