//! Which records: between two positions, or two times.

use std::str::FromStr;

use policy_core::time::Timestamp;

/// Where something begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// At a record's position in its log.
    Seq(u64),
    /// At a time.
    At(Timestamp),
}

impl FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(seq) = text.parse() {
            return Ok(Self::Seq(seq));
        }
        instant(text).map(Self::At).ok_or_else(|| {
            "give a record's number, a day such as 2026-11-29, or a time such as 2026-11-29T16:00:00Z".to_owned()
        })
    }
}

/// A time, or the instant that a day begins with.
pub fn instant(text: &str) -> Option<Timestamp> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    whole.parse().ok()
}

/// From the first that is not before `since` to the last that is before `until`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// This one and later.
    pub since: Option<Bound>,
    /// Not this one and later.
    pub until: Option<Bound>,
}

impl Span {
    /// Whether a record lies inside.
    pub fn holds(&self, seq: u64, at: Timestamp) -> bool {
        let reached = |bound: Bound| match bound {
            Bound::Seq(first) => seq >= first,
            Bound::At(first) => at >= first,
        };
        self.since.is_none_or(reached) && !self.until.is_some_and(reached)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_begins_with_its_first_and_ends_before_its_last() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let span = |since: &str, until: &str| Span {
            since: (!since.is_empty()).then(|| since.parse().unwrap()),
            until: (!until.is_empty()).then(|| until.parse().unwrap()),
        };
        let noon = at("2026-11-29T12:00:00Z");
        for (since, until, holds) in [
            ("", "", true),
            ("7", "8", true),
            ("8", "", false),
            ("", "7", false),
            ("2026-11-29", "", true),
            ("2026-11-30", "", false),
            ("2026-11-29T12:00:00Z", "2026-11-29T12:00:00.001Z", true),
            ("", "2026-11-29T12:00:00Z", false),
            ("2026-11-29T13:00:00+01:00", "9", true),
        ] {
            assert_eq!(span(since, until).holds(7, noon), holds, "{since} {until}");
        }
        for bad in ["", "-1", "yesterday", "2026-11-31", "1e3"] {
            assert!(bad.parse::<Bound>().is_err(), "{bad}");
        }
    }
}
