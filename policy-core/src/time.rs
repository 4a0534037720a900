//! Instants and durations as they stand in requests, records and policy.

mod civil;

use std::fmt;
use std::str::FromStr;

use chrono::DateTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::parsed;

/// An instant in UTC with whole milliseconds, the precision of Cedar's `datetime`.
/// In JSON RFC 3339 with exactly three digits and `Z`; any offset and precision is read, finer digits are cut.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A length of time in whole seconds; in JSON the text that Cedar uses, such as `1h30m`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

/// What is wrong with a text that should be an instant or a duration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TimeError {
    /// Not an RFC 3339 instant, or one outside the years 0 to 9999.
    #[error("`{0}` is not an RFC 3339 instant such as `2026-11-22T16:00:00Z`")]
    Instant(String),
    /// Not a duration.
    #[error("`{0}` is not a duration of whole seconds such as `1h30m`, units `d`, `h`, `m` and `s`, largest first")]
    Duration(String),
}

impl Timestamp {
    /// The last instant that RFC 3339 can write.
    const LAST: i64 = 253_402_300_799_999;

    /// The instant this many milliseconds after 1970, held inside the years 1970 to 9999.
    pub const fn from_millis(millis: i64) -> Self {
        if millis < 0 {
            Self(0)
        } else if millis > Self::LAST {
            Self(Self::LAST)
        } else {
            Self(millis)
        }
    }

    /// Milliseconds after 1970.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This much later.
    #[must_use]
    pub fn plus(self, span: Span) -> Self {
        let millis = i64::try_from(span.0).unwrap_or(i64::MAX).saturating_mul(1000);
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// How long after `earlier`, in whole seconds, rounded down; nothing when it is not after.
    pub fn since(self, earlier: Self) -> Span {
        Span(u64::try_from(self.0.saturating_sub(earlier.0) / 1000).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is written is digits and signs.
        f.write_str(std::str::from_utf8(&civil::written(self.0)).unwrap_or_default())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // As it is written here; whatever is written otherwise is read, or refused, by whoever knows all of RFC 3339.
        if let Some(millis) = civil::read(text) {
            return Ok(Self(millis));
        }
        let refuse = || TimeError::Instant(text.chars().take(80).collect());
        let millis = DateTime::parse_from_rfc3339(text).map_err(|_| refuse())?.timestamp_millis();
        if (0..=Self::LAST).contains(&millis) { Ok(Self(millis)) } else { Err(refuse()) }
    }
}

impl Span {
    /// This many seconds.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// In seconds.
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        for (unit, length) in [("d", 86_400), ("h", 3_600), ("m", 60)] {
            if rest >= length {
                write!(f, "{}{unit}", rest / length)?;
                rest %= length;
            }
        }
        if rest > 0 || self.0 == 0 { write!(f, "{rest}s") } else { Ok(()) }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Span {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || TimeError::Duration(text.chars().take(80).collect());
        let mut units = [('d', 86_400u64), ('h', 3_600), ('m', 60), ('s', 1)].into_iter();
        let (mut total, mut number) = (0u64, None::<u64>);
        for character in text.chars() {
            if let Some(digit) = character.to_digit(10) {
                let grown = number.unwrap_or(0).checked_mul(10).and_then(|n| n.checked_add(u64::from(digit)));
                number = Some(grown.ok_or_else(refuse)?);
            } else {
                let (_, length) = units.find(|(unit, _)| *unit == character).ok_or_else(refuse)?;
                let part = number.take().and_then(|n| n.checked_mul(length)).ok_or_else(refuse)?;
                total = total.checked_add(part).ok_or_else(refuse)?;
            }
        }
        if number.is_some() || text.is_empty() { Err(refuse()) } else { Ok(Self(total)) }
    }
}

macro_rules! text_in_json {
    ($name:ty) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                parsed::from_text(deserializer)
            }
        }
    };
}

text_in_json!(Timestamp);
text_in_json!(Span);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_and_durations_are_written_in_one_form() {
        for (given, written) in [
            ("2026-11-22T16:00:00Z", "2026-11-22T16:00:00.000Z"),
            ("2026-11-22T17:00:00.1239+01:00", "2026-11-22T16:00:00.123Z"),
        ] {
            assert_eq!(given.parse::<Timestamp>().map(|t| t.to_string()), Ok(written.into()));
        }
        for (given, written) in [("90m", "1h30m"), ("0s", "0s"), ("1d1s", "1d1s"), ("3600s", "1h")] {
            assert_eq!(given.parse::<Span>().map(|s| s.to_string()), Ok(written.into()));
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "5", "m", "1m1h", "1m1m", "-1s", "1ms", "99999999999999999999s", "1 h"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
