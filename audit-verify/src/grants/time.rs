//! Instants and durations as events write them.

use serde::{Deserialize, Deserializer, de};

/// Milliseconds after 1970, read from `2026-11-22T16:00:00.000Z`: the one form that records have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(i64);

/// Milliseconds, read from `1h30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Length(i64);

impl Instant {
    /// This much later.
    pub(super) const fn plus(self, length: Length) -> Self {
        self.plus_millis(length.0)
    }

    /// So many milliseconds later.
    pub(crate) const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Reads one. Absent: it is none in that form.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.strip_suffix('Z')?.split(['-', 'T', ':', '.']).collect();
        let numbers: Vec<i64> = parts.iter().map(|part| part.parse().ok()).collect::<Option<_>>()?;
        let [year, month, day, hour, minute, second, millis] = numbers.as_slice() else { return None };
        let widths = parts.iter().map(|part| part.len());
        let fits = text.len() == 24
            && widths.eq([4, 2, 2, 2, 2, 2, 3])
            && (1..=12).contains(month)
            && (1..=31).contains(day)
            && *hour < 24
            && *minute < 60
            && *second <= 60;
        let seconds = days(*year, *month, *day) * 86_400 + hour * 3_600 + minute * 60 + second;
        fits.then(|| Self(seconds * 1_000 + millis))
    }
}

/// Days from 1970-01-01 to a day of the Gregorian calendar: years begin in March, so that a leap day ends one.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

impl Length {
    fn read(text: &str) -> Option<Self> {
        let (mut total, mut number) = (0i64, None::<i64>);
        for letter in text.chars() {
            if let Some(digit) = letter.to_digit(10) {
                number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(i64::from(digit))?);
                continue;
            }
            let unit = match letter {
                'd' => 86_400_000,
                'h' => 3_600_000,
                'm' => 60_000,
                's' => 1_000,
                _ => return None,
            };
            total = total.checked_add(number.take()?.checked_mul(unit)?)?;
        }
        (number.is_none() && !text.is_empty()).then_some(Self(total))
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&String::deserialize(deserializer)?).ok_or_else(|| de::Error::custom("not an instant"))
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&String::deserialize(deserializer)?).ok_or_else(|| de::Error::custom("not a duration"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_in_their_one_form() {
        for (text, millis) in [
            ("1970-01-01T00:00:00.000Z", 0),
            ("2000-02-29T23:59:59.999Z", 951_868_799_999),
            ("2026-11-29T06:25:16.123Z", 1_795_933_516_123),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ] {
            assert_eq!(Instant::read(text), Some(Instant(millis)), "{text}");
        }
        for text in [
            "2026-11-29T06:25:16Z",
            "2026-11-29T06:25:16.123+00:00",
            "2026-13-29T06:25:16.123Z",
            "2026-11-29T24:25:16.123Z",
            "",
        ] {
            assert_eq!(Instant::read(text), None, "{text}");
        }
    }

    #[test]
    fn durations_are_read() {
        for (text, millis) in [("0s", Some(0)), ("1h30m", Some(5_400_000)), ("1d1s", Some(86_401_000))] {
            assert_eq!(Length::read(text), millis.map(Length), "{text}");
        }
        for text in ["", "1", "h", "1w", "99999999999999999999d"] {
            assert_eq!(Length::read(text), None, "{text}");
        }
    }
}
