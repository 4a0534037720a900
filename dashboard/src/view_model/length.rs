//! A length of time as somebody types it.

/// The lengths that are offered by a button, in seconds.
const PRESETS: [u64; 7] = [60, 300, 900, 3_600, 14_400, 28_800, 86_400];

/// The presets that are shorter than the longest that can be given, and that one.
pub fn presets(longest: u64) -> Vec<u64> {
    if longest == 0 {
        return Vec::new();
    }
    let mut presets: Vec<u64> = PRESETS.into_iter().filter(|preset| *preset < longest).collect();
    presets.push(longest);
    presets
}

/// Seconds, of `90s`, `15m`, `1h 30 min`, `2d` or a number of minutes. Nothing where it makes no sense, or is no time.
pub fn read(text: &str) -> Option<u64> {
    let text = text.trim().to_lowercase();
    if let Ok(minutes) = text.parse::<u64>() {
        return minutes.checked_mul(60).filter(|seconds| *seconds > 0);
    }
    let (mut total, mut rest) = (0_u64, text.as_str());
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit())?;
        let (number, unit) = rest.split_at_checked(digits)?;
        let unit = unit.trim_start();
        let end = unit.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(unit.len());
        let (unit, after) = unit.split_at_checked(end)?;
        let seconds = match unit {
            "s" | "sec" | "second" | "seconds" => 1,
            "m" | "min" | "minute" | "minutes" => 60,
            "h" | "hour" | "hours" => 3_600,
            "d" | "day" | "days" => 86_400,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(seconds)?)?;
        rest = after.trim_start();
    }
    Some(total).filter(|total| *total > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("90s", 90),
            (" 15m ", 900),
            ("15", 900),
            ("1h30m", 5_400),
            ("1 h 30 min", 5_400),
            ("2 d 4 h", 187_200),
            ("1 Hour", 3_600),
        ] {
            assert_eq!(read(text), Some(seconds), "{text}");
        }
        for text in ["", "0", "0s", "m", "-5", "1x", "1h x", "99999999999999999999d", "1.5h"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn nothing_is_offered_beyond_the_longest() {
        assert_eq!(presets(1_800), [60, 300, 900, 1_800]);
        assert_eq!(presets(60), [60]);
        assert!(presets(0).is_empty());
    }
}
