//! Instants in their one written form, `2026-11-22T16:00:00.000Z`, from and to milliseconds after 1970. Every question
//! holds some, and a reader of all that RFC 3339 allows costs as much as the rest of a small question.
//!
//! Days are counted as the proleptic Gregorian calendar has them, from 1 March of the year 0, so that the day that not
//! every year has is a year's last.

/// From 1 March of the year 0 to 1970.
const TO_1970: i64 = 719_468;
/// In four hundred years, after which the calendar repeats.
const DAYS_OF_400_YEARS: i64 = 146_097;
const MILLIS_OF_A_DAY: i64 = 86_400_000;

/// The milliseconds of a text in that form, from 1970 on.
pub(super) fn read(text: &str) -> Option<i64> {
    let &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', i0, i1, b':', s0, s1, b'.', f0, f1, f2, b'Z'] =
        text.as_bytes()
    else {
        return None;
    };
    let (year, month, day) = (number(&[y0, y1, y2, y3])?, number(&[m0, m1])?, number(&[d0, d1])?);
    let (hour, minute) = (number(&[h0, h1])?, number(&[i0, i1])?);
    let (second, millis) = (number(&[s0, s1])?, number(&[f0, f1, f2])?);
    let is_date = year >= 1970 && (1..=12).contains(&month) && day >= 1 && day <= days_of(year, month);
    // A leap second is not in this form.
    if !is_date || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = (hour * 60 + minute) * 60 + second;
    Some(days_until(year, month, day) * MILLIS_OF_A_DAY + seconds * 1_000 + millis)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
}

const fn days_of(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// From 1970 to this day.
const fn days_until(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * DAYS_OF_400_YEARS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - TO_1970
}

/// Year, month and day of a day after 1970.
const fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + TO_1970;
    let (era, of_era) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    (year + era * 400, month, day)
}

/// An instant of the years 1970 to 9999 in that form.
pub(super) fn written(millis: i64) -> [u8; 24] {
    let (year, month, day) = date_of(millis / MILLIS_OF_A_DAY);
    let of_day = millis % MILLIS_OF_A_DAY;
    let (seconds, millis) = (of_day / 1_000, of_day % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let digit = |number: i64| u8::try_from(number % 10).map_or(b'0', |digit| b'0' + digit);
    let two = |number: i64| [digit(number / 10), digit(number)];
    let ([m0, m1], [d0, d1], [h0, h1]) = (two(month), two(day), two(hour));
    let ([i0, i1], [s0, s1]) = (two(minute), two(second));
    let [y0, y1, y2, y3] = [year / 1_000, year / 100, year / 10, year].map(digit);
    let [f0, f1, f2] = [millis / 100, millis / 10, millis].map(digit);
    [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', i0, i1, b':', s0, s1, b'.', f0, f1, f2, b'Z']
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, SecondsFormat, Utc};
    use proptest::prelude::*;

    use super::*;

    /// The last instant of the year 9999.
    const LAST: i64 = 253_402_300_799_999;

    fn by_chrono(millis: i64) -> String {
        DateTime::<Utc>::from_timestamp_millis(millis).unwrap().to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    #[test]
    fn the_first_and_the_last_day_of_every_month_are_those_of_the_calendar() {
        for year in (1970..=2410).chain(9990..=9999) {
            for month in 1..=12 {
                for day in [1, 28, 29, 30, 31] {
                    let text = format!("{year:04}-{month:02}-{day:02}T23:59:59.999Z");
                    let theirs = DateTime::parse_from_rfc3339(&text).ok().map(|instant| instant.timestamp_millis());
                    assert_eq!(read(&text), theirs, "{text}");
                    if let Some(millis) = theirs {
                        assert_eq!(written(millis), text.as_bytes());
                    }
                }
            }
        }
        for millis in [0, 1, LAST - 1, LAST] {
            assert_eq!(written(millis), by_chrono(millis).as_bytes());
            assert_eq!(read(&by_chrono(millis)), Some(millis));
        }
    }

    #[test]
    fn what_is_written_otherwise_is_left_to_others() {
        for text in [
            "",
            "1969-12-31T23:59:59.999Z",
            "2026-11-22T16:00:00Z",
            "2026-11-22T16:00:00.0000Z",
            "2026-11-22T16:00:00.000z",
            "2026-11-22t16:00:00.000Z",
            "2026-11-22 16:00:00.000Z",
            "2026-11-22T16:00:60.000Z",
            "2026-11-22T24:00:00.000Z",
            "2026-11-22T16:60:00.000Z",
            "2026-00-22T16:00:00.000Z",
            "2026-13-22T16:00:00.000Z",
            "2026-11-00T16:00:00.000Z",
            "2026-11-31T16:00:00.000Z",
            "2026-02-29T16:00:00.000Z",
            "2100-02-29T16:00:00.000Z",
            "2026-11-22T16:00:00.+00Z",
            "+026-11-22T16:00:00.000Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_instant_is_written_and_read_as_others_write_and_read_it(millis in 0..=LAST) {
            let text = by_chrono(millis);
            prop_assert_eq!(written(millis), text.as_bytes());
            prop_assert_eq!(read(&text), Some(millis));
        }

        #[test]
        fn no_text_is_an_instant_that_others_read_otherwise(millis in 0..=LAST, at in 0_usize..24, byte in b' '..=b'z') {
            let mut bytes = written(millis);
            bytes[at] = byte;
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            if let Some(millis) = read(&text) {
                let theirs = DateTime::parse_from_rfc3339(&text).map(|instant| instant.timestamp_millis());
                prop_assert_eq!(theirs, Ok(millis), "{}", text);
            }
        }
    }
}
