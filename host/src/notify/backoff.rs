//! When a delivery that failed is tried again, and when it is given up.

use policy_core::time::{Span, Timestamp};

use crate::random::Random;
use crate::store::Attempt;

/// How long after each failed attempt, in seconds: Standard Webhooks' schedule, three days in all.
const SCHEDULE: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// The longest that a receiver may ask for.
const LONGEST: u64 = 86_400;

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failed {
    /// In words for people: without the address, which may be a secret.
    pub error: String,
    /// The receiver wants no more of it.
    pub for_good: bool,
    /// How long the receiver wants to be left alone, in seconds.
    pub retry_after: Option<u64>,
}

impl Failed {
    pub(super) fn of(error: impl Into<String>) -> Self {
        Self { error: error.into(), for_good: false, retry_after: None }
    }

    pub(super) fn for_good(error: impl Into<String>) -> Self {
        Self { for_good: true, ..Self::of(error) }
    }
}

/// What follows from an attempt. `before` is how often it was tried before this one.
pub(super) fn outcome(done: Result<(), Failed>, before: u32, now: Timestamp, random: &dyn Random) -> Attempt {
    let Err(failed) = done else { return Attempt::Delivered };
    let wait = usize::try_from(before).ok().and_then(|before| SCHEDULE.get(before));
    match wait {
        Some(wait) if !failed.for_good => {
            let wait = failed.retry_after.unwrap_or(0).min(LONGEST).max(*wait);
            Attempt::Again {
                due: now.plus(Span::from_seconds(wait.saturating_add(jitter(wait, random)))),
                error: failed.error,
            }
        }
        _ => Attempt::Dead { error: failed.error },
    }
}

/// Up to a fifth on top, so that what failed together does not come again together.
fn jitter(wait: u64, random: &dyn Random) -> u64 {
    let mut bytes = [0; 1];
    match random.fill(&mut bytes) {
        Ok(()) => wait.saturating_mul(u64::from(u8::from_be_bytes(bytes))) / (5 * 256),
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn it_is_tried_again_ever_later_and_given_up_after_ten_attempts() {
        let now = Timestamp::from_millis(0);
        for (before, wait) in SCHEDULE.iter().enumerate() {
            let failed = Err(Failed::of("the receiver answered 503"));
            let Attempt::Again { due, .. } = outcome(failed, u32::try_from(before).unwrap(), now, &SystemRandom) else {
                panic!("given up after {before}")
            };
            let waited = due.since(now).seconds();
            assert!((*wait..=*wait + *wait / 5).contains(&waited), "{before}: {waited}");
        }
        let dead = outcome(Err(Failed::of("the receiver answered 503")), 9, now, &SystemRandom);
        assert_eq!(dead, Attempt::Dead { error: "the receiver answered 503".to_owned() });
    }

    #[test]
    fn a_receiver_may_ask_for_patience_but_not_for_ever_and_for_an_end() {
        let now = Timestamp::from_millis(0);
        let again = |retry_after| {
            let failed = Failed { retry_after: Some(retry_after), ..Failed::of("busy") };
            match outcome(Err(failed), 0, now, &SystemRandom) {
                Attempt::Again { due, .. } => due.since(now).seconds(),
                other => panic!("{other:?}"),
            }
        };
        assert!((600..=720).contains(&again(600)));
        assert!(again(u64::MAX) <= LONGEST + LONGEST / 5);
        assert!((5..=6).contains(&again(0)));
        let gone = outcome(Err(Failed::for_good("gone")), 0, now, &SystemRandom);
        assert_eq!(gone, Attempt::Dead { error: "gone".to_owned() });
    }
}
