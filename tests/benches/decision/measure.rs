//! Rounds in which everybody has a turn: a slow moment of the machine falls on all, and of many rounds the median counts.

use std::time::{Duration, Instant};

use crate::Result;

/// About how long one's turn takes.
const TURN: Duration = Duration::from_millis(4);
const MOST_CALLS: u32 = 2_000;

/// A way to ask: so many questions, and how long they took.
pub struct Way<'a> {
    pub name: String,
    ask: Box<dyn FnMut(u32) -> Result<Duration> + 'a>,
    calls: u32,
}

impl<'a> Way<'a> {
    /// A way in this process.
    pub fn here(name: impl Into<String>, mut ask: impl FnMut() -> Result<bool> + 'a) -> Self {
        Self::elsewhere(name, move |calls| {
            let begun = now();
            for _ in 0..calls {
                ask()?;
            }
            Ok(begun.elapsed())
        })
    }

    /// One that keeps its own time.
    pub fn elsewhere(name: impl Into<String>, ask: impl FnMut(u32) -> Result<Duration> + 'a) -> Self {
        Self { name: name.into(), ask: Box::new(ask), calls: 1 }
    }

    /// Asks until it is warm, and finds how many questions fill a turn.
    fn warm_up(&mut self) -> Result<()> {
        let mut calls = 1;
        loop {
            let took = (self.ask)(calls)?;
            if took >= TURN || calls >= MOST_CALLS {
                let fitting = f64::from(calls) * TURN.as_secs_f64() / took.as_secs_f64().max(1e-9);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "held between the two bounds"
                )]
                let fitting = fitting.clamp(1.0, f64::from(MOST_CALLS)) as u32;
                self.calls = fitting;
                return Ok(());
            }
            calls = calls.saturating_mul(2);
        }
    }
}

/// How long one question took, of each way in each round.
pub fn rounds(ways: &mut [Way<'_>], rounds: usize) -> Result<Vec<Vec<Duration>>> {
    for way in ways.iter_mut() {
        way.warm_up()?;
    }
    let mut times = vec![Vec::with_capacity(rounds); ways.len()];
    for _ in 0..rounds {
        for (way, times) in ways.iter_mut().zip(&mut times) {
            times.push((way.ask)(way.calls)? / way.calls);
        }
    }
    Ok(times)
}

/// How long each of so many questions took, shortest first.
pub fn each(calls: usize, mut ask: impl FnMut() -> Result<bool>) -> Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let begun = now();
        ask()?;
        times.push(begun.elapsed());
    }
    times.sort();
    Ok(times)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock; no product code links it")]
pub fn now() -> Instant {
    Instant::now()
}
