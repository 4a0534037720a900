//! Instants and lengths of time in words, and the gate's time as the page knows it.

use std::cell::Cell;

use policy_core::time::{Span, Timestamp};

/// Below this many seconds a countdown tells them.
const SECONDS_MATTER: u64 = 300;

/// The gate's time: what it last said, carried on by the browser's monotonic clock. The browser's wall clock is never
/// asked, so that a countdown is right on a computer whose clock is wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GateClock {
    said: Timestamp,
    at: f64,
}

impl GateClock {
    /// The gate said `said` when the monotonic clock stood at `at` milliseconds.
    pub const fn new(said: Timestamp, at: f64) -> Self {
        Self { said, at }
    }

    /// The gate's time when the monotonic clock stands at `monotonic` milliseconds.
    #[expect(clippy::cast_possible_truncation, reason = "a difference of page times is far below 2^53 milliseconds")]
    pub fn now(&self, monotonic: f64) -> Timestamp {
        Timestamp::from_millis(self.said.millis().saturating_add((monotonic - self.at).max(0.0) as i64))
    }
}

/// A length of time in words: `45 s`, `17 min`, `1 h 30 min`, `2 d 4 h`. Only the two largest units are told.
pub fn length(span: Span) -> String {
    let told: Vec<String> = two_largest(&units(span)).filter(|(count, _)| *count > 0).map(in_words).collect();
    if told.is_empty() { "0 s".into() } else { told.join(" ") }
}

type Unit = (u64, &'static str);

fn units(span: Span) -> [Unit; 4] {
    let seconds = span.seconds();
    [(seconds / 86_400, "d"), (seconds % 86_400 / 3_600, "h"), (seconds % 3_600 / 60, "min"), (seconds % 60, "s")]
}

/// From the first that is not zero on; where all are, the smallest.
fn two_largest(units: &[Unit]) -> impl Iterator<Item = &Unit> {
    let zeros = units.iter().take_while(|(count, _)| *count == 0).count();
    units.iter().skip(zeros.min(units.len().saturating_sub(1))).take(2)
}

fn in_words((count, unit): &Unit) -> String {
    format!("{count} {unit}")
}

/// How long until then: `in 17 min`, `in 4 h 0 min`, `in 4 min 9 s`, or `over`. Seconds are told only when they matter. A
/// unit is told at zero, too: what stands beside a countdown does not move when an hour is full.
pub fn until(now: Timestamp, then: Timestamp) -> String {
    if now >= then {
        return "over".into();
    }
    let left = then.since(now);
    let [rest @ .., _] = units(left);
    let told = if left.seconds() >= SECONDS_MATTER { rest.as_slice() } else { &units(left) };
    format!("in {}", two_largest(told).map(in_words).collect::<Vec<_>>().join(" "))
}

/// How long ago: `2 h ago`, or `just now`.
pub fn ago(now: Timestamp, then: Timestamp) -> String {
    let passed = now.since(then);
    if passed.seconds() < 5 { "just now".into() } else { format!("{} ago", coarse(passed)) }
}

/// The largest unit alone.
fn coarse(span: Span) -> String {
    let words = length(span);
    words.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// How many minutes a zone is before UTC at an instant, in milliseconds since 1970: a browser knows.
pub type Zone = fn(i64) -> i32;

thread_local! {
    /// The zone that times are told in; absent: UTC.
    static ZONE: Cell<Option<Zone>> = const { Cell::new(None) };
}

/// Tells times in this zone from here on, or in UTC.
pub fn tell_in(zone: Option<Zone>) {
    ZONE.set(zone);
}

/// The zone of an instant as it is told: `UTC`, or `+01:00`.
pub fn zone(then: Timestamp) -> String {
    let Some(minutes) = offset(then) else { return "UTC".into() };
    let (sign, minutes) = (if minutes < 0 { '-' } else { '+' }, minutes.unsigned_abs());
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// The time of day: `16:51`. Its [`zone`] is told beside it.
pub fn clock(then: Timestamp) -> String {
    piece(then, 11, 16)
}

/// The time of day with its zone: `16:51 UTC`.
pub fn zoned_clock(then: Timestamp) -> String {
    format!("{} {}", clock(then), zone(then))
}

/// Date and time: `2026-11-22 16:51:07`. The [`zone`] is told beside it.
fn stamp(then: Timestamp) -> String {
    format!("{} {}", piece(then, 0, 10), piece(then, 11, 19))
}

/// Date and time with the zone: `2026-11-22 16:51:07 UTC`.
pub fn zoned(then: Timestamp) -> String {
    format!("{} {}", stamp(then), zone(then))
}

fn offset(then: Timestamp) -> Option<i32> {
    ZONE.get().map(|zone| zone(then.millis()))
}

fn piece(then: Timestamp, from: usize, to: usize) -> String {
    let shift = i64::from(offset(then).unwrap_or(0)).saturating_mul(60_000);
    let told = Timestamp::from_millis(then.millis().saturating_add(shift));
    told.to_string().get(from..to).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn lengths_are_told_by_their_two_largest_units() {
        for (seconds, words) in
            [(0, "0 s"), (45, "45 s"), (60, "1 min"), (5_400, "1 h 30 min"), (3_605, "1 h"), (187_200, "2 d 4 h")]
        {
            assert_eq!(length(Span::from_seconds(seconds)), words);
        }
    }

    #[test]
    fn an_instant_that_is_reached_is_over() {
        let (now, later) = (at("2026-11-22T16:00:00Z"), at("2026-11-22T16:17:00Z"));
        assert_eq!(until(now, later), "in 17 min");
        assert_eq!(until(at("2026-11-22T16:00:01Z"), later), "in 16 min");
        assert_eq!(until(at("2026-11-22T16:12:51Z"), later), "in 4 min 9 s");
        assert_eq!(until(at("2026-11-22T16:13:00Z"), later), "in 4 min 0 s");
        assert_eq!(until(at("2026-11-22T16:16:15Z"), later), "in 45 s");
        assert_eq!(until(Timestamp::from_millis(later.millis() - 1), later), "in 0 s");
        assert_eq!(until(at("2026-11-22T12:17:00Z"), later), "in 4 h 0 min");
        assert_eq!(until(at("2026-11-22T12:17:01Z"), later), "in 3 h 59 min");
        assert_eq!(until(at("2026-11-20T16:17:00Z"), later), "in 2 d 0 h");
        assert_eq!(until(later, later), "over");
        assert_eq!(until(later, now), "over");
        assert_eq!(ago(later, now), "17 min ago");
        assert_eq!(ago(now, now), "just now");
    }

    #[test]
    fn the_gates_time_goes_on_with_the_monotonic_clock_and_never_back() {
        let clock = GateClock::new(at("2026-11-22T16:00:00Z"), 1_000.0);
        assert_eq!(clock.now(61_000.0), at("2026-11-22T16:01:00Z"));
        assert_eq!(clock.now(0.0), at("2026-11-22T16:00:00Z"));
    }

    #[test]
    fn another_zone_is_told_with_every_time() {
        let summer = |millis: i64| if millis < 1_774_746_000_000 { 60 } else { 120 };
        let (winter, later) = (at("2026-03-29T00:59:59Z"), at("2026-03-29T01:00:00Z"));
        tell_in(Some(summer));
        assert_eq!(
            (zoned(winter), zoned(later)),
            ("2026-03-29 01:59:59 +01:00".into(), "2026-03-29 03:00:00 +02:00".into())
        );
        tell_in(Some(|_| -210));
        assert_eq!(zoned_clock(winter), "21:29 -03:30");
        tell_in(None);
        assert_eq!(zoned_clock(winter), "00:59 UTC");
    }

    #[test]
    fn instants_are_written_in_utc() {
        let then = at("2026-11-22T17:51:07+01:00");
        assert_eq!((clock(then).as_str(), stamp(then).as_str()), ("16:51", "2026-11-22 16:51:07"));
    }
}
