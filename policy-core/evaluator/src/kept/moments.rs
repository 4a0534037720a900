//! Instants and lengths of time as Cedar has them, without reading each from its text. Of an instant the hour is read once,
//! and what has passed of it is added in Cedar's own arithmetic; of lengths there are few, and they are kept.
//!
//! Cedar reads an instant with four regular expressions, which costs as much as a guardrail does; `now` is another
//! instant in every question, and its hour the same one for thousands of them.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

use cedar_policy::RestrictedExpression;
use cedar_policy_core::ast::{Name, PartialValue, Value};
use cedar_policy_core::evaluator::EvaluationError;
use cedar_policy_core::extensions::Extensions;

use crate::cedar::construct;

/// As long as `2026-11-22T16`.
const HOUR: usize = 13;
/// An hour has fewer milliseconds than two to this power.
const BITS: usize = 22;

/// How many lengths of time are kept, and how long the text of one may be.
const MOST_LENGTHS: usize = 64;
const LONGEST_LENGTH: usize = 32;

/// The hour that was read last, the lengths of time that an instant in it is made of, and those that questions named.
#[derive(Debug, Default)]
pub(crate) struct Moments {
    lengths: Mutex<BTreeMap<String, Value>>,
    hour: Mutex<Option<(String, Value)>>,
    /// One, two, four … milliseconds.
    powers: OnceLock<Vec<Value>>,
}

impl Moments {
    /// Reads an instant and the lengths that instants are made of, so that no question has to wait for it: Cedar compiles
    /// its expressions when it first needs them, which costs more than ten questions do.
    pub(crate) fn warm_up(&self) {
        drop(self.datetime("1970-01-01T00:00:00.001Z"));
    }

    /// The instant that this text is.
    pub(crate) fn datetime(&self, text: &str) -> Result<Value, Box<EvaluationError>> {
        match parts(text).and_then(|(hour, millis)| self.within(hour, millis)) {
            Some(value) => Ok(value),
            // What is written otherwise, or is no instant: Cedar reads it, or says why not.
            None => construct(&RestrictedExpression::new_datetime(text)),
        }
    }

    /// The length of time that this text is.
    pub(crate) fn duration(&self, text: &str) -> Result<Value, Box<EvaluationError>> {
        let lengths = || self.lengths.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lengths().get(text) {
            return Ok(known.clone());
        }
        let value = construct(&RestrictedExpression::new_duration(text))?;
        if text.len() <= LONGEST_LENGTH {
            let mut lengths = lengths();
            if lengths.len() >= MOST_LENGTHS {
                lengths.clear();
            }
            lengths.insert(text.to_owned(), value.clone());
        }
        Ok(value)
    }

    fn within(&self, hour: &str, millis: u32) -> Option<Value> {
        let mut value = self.hour(hour)?;
        let powers = self.powers.get_or_init(|| {
            (0..BITS)
                .filter_map(|bit| construct(&RestrictedExpression::new_duration(format!("{}ms", 1_u32 << bit))).ok())
                .collect()
        });
        for (bit, power) in powers.iter().enumerate() {
            if millis >> bit & 1 == 1 {
                value = offset(value, power.clone())?;
            }
        }
        // A table that could not be made is none.
        (powers.len() == BITS).then_some(value)
    }

    fn hour(&self, hour: &str) -> Option<Value> {
        let mut kept = self.hour.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, value)) = kept.as_ref().filter(|(known, _)| known == hour) {
            return Some(value.clone());
        }
        let value = construct(&RestrictedExpression::new_datetime(format!("{hour}:00:00.000Z"))).ok()?;
        *kept = Some((hour.to_owned(), value.clone()));
        Some(value)
    }
}

/// The hour of an instant in UTC with three digits of a second, and the milliseconds after it.
fn parts(text: &str) -> Option<(&str, u32)> {
    let (hour, rest) = text.split_at_checked(HOUR)?;
    let &[b':', m0, m1, b':', s0, s1, b'.', f0, f1, f2, b'Z'] = rest.as_bytes() else { return None };
    let number = |digits: &[u8]| {
        digits
            .iter()
            .try_fold(0_u32, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')))
    };
    let (minutes, seconds, millis) = (number(&[m0, m1])?, number(&[s0, s1])?, number(&[f0, f1, f2])?);
    (minutes < 60 && seconds < 60).then_some((hour, (minutes * 60 + seconds) * 1000 + millis))
}

fn offset(value: Value, by: Value) -> Option<Value> {
    static OFFSET: LazyLock<Option<Name>> = LazyLock::new(|| "offset".parse().ok());
    let function = Extensions::all_available().func(OFFSET.as_ref()?).ok()?;
    match function.call(&[value, by]).ok()? {
        PartialValue::Value(value) => Some(value),
        PartialValue::Residual(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use policy_core::time::Timestamp;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_instant_is_refused_in_cedars_words() {
        let moments = Moments::default();
        for text in [
            "2026-02-30T10:00:00.000Z",
            "2026-11-22T24:00:00.000Z",
            "2026-11-22T10:60:00.000Z",
            "2026-11-22T10:00:60.000Z",
            "2026-11-22T10:00:00.00xZ",
            "2026-11-22 10:00:00.000Z",
            "2026-11-22T10:00:00.000",
            "éééééé1T10:00:00.000Z",
            "",
        ] {
            let (ours, cedars) = (moments.datetime(text), construct(&RestrictedExpression::new_datetime(text)));
            let words = |result: Result<Value, Box<EvaluationError>>| result.unwrap_err().to_string();
            assert_eq!(words(ours), words(cedars), "{text}");
        }
        // Written otherwise, and an instant all the same.
        for text in ["2026-11-22", "2026-11-22T10:00:00Z", "2026-11-22T10:00:00.000+0100"] {
            assert_eq!(
                moments.datetime(text).unwrap(),
                construct(&RestrictedExpression::new_datetime(text)).unwrap(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_length_of_time_is_the_one_that_cedar_reads_however_often() {
        let moments = Moments::default();
        for round in 0..3 {
            for number in 0..100 {
                for text in [format!("{number}h"), format!("-{number}d5ms"), format!("h{number}"), "1".repeat(number)] {
                    let cedars = construct(&RestrictedExpression::new_duration(&text));
                    let words = |result: Result<Value, Box<EvaluationError>>| result.map_err(|error| error.to_string());
                    assert_eq!(words(moments.duration(&text)), words(cedars), "{round} {text}");
                }
            }
            assert!(moments.lengths.lock().unwrap().len() <= MOST_LENGTHS);
        }
    }

    #[test]
    fn an_instant_as_the_gate_writes_it_is_put_together_from_what_is_kept() {
        assert_eq!(parts("2026-11-22T16:05:59.123Z"), Some(("2026-11-22T16", 359_123)));
        assert_eq!(parts("2026-11-22T16:59:09.999Z"), Some(("2026-11-22T16", 3_549_999)));
        for otherwise in ["2026-11-22T16:60:00.000Z", "2026-11-22T16:00:60.000Z", "2026-11-22T16:00:00Z", "2026-11-22"]
        {
            assert_eq!(parts(otherwise), None, "{otherwise}");
        }
        let moments = Moments::default();
        moments.warm_up();
        assert_eq!(moments.powers.get().map(Vec::len), Some(BITS));
        for (hour, millis, text) in [
            ("2026-11-22T16", 0, "2026-11-22T16:00:00.000Z"),
            ("2026-11-22T16", 3_599_999, "2026-11-22T16:59:59.999Z"),
            ("2026-11-22T17", 1, "2026-11-22T17:00:00.001Z"),
        ] {
            let cedars = construct(&RestrictedExpression::new_datetime(text)).unwrap();
            assert_eq!(moments.within(hour, millis), Some(cedars), "{text}");
            assert!(moments.hour.lock().unwrap().as_ref().is_some_and(|(kept, _)| kept == hour), "{text}");
        }
    }

    #[test]
    fn a_length_of_time_is_kept_while_it_is_short_and_there_is_room() {
        let moments = Moments::default();
        let kept = |text: &str| moments.lengths.lock().unwrap().contains_key(text);
        let read = |text: &str| drop(moments.duration(text).unwrap());
        let of = |length: usize| format!("{}1ms", "0".repeat(length - 3));
        let (longest, longer) = (of(LONGEST_LENGTH), of(LONGEST_LENGTH + 1));
        read(&longest);
        read(&longer);
        assert!(kept(&longest) && !kept(&longer));
        (1..MOST_LENGTHS).for_each(|number| read(&format!("{number}h")));
        assert_eq!(moments.lengths.lock().unwrap().len(), MOST_LENGTHS);
        read("1d");
        assert!(kept("1d") && !kept(&longest));
    }

    proptest! {
        #[test]
        fn every_instant_is_the_one_that_cedar_reads(instants in prop::collection::vec(0_i64..4_102_444_800_000, 1..8)) {
            let moments = Moments::default();
            for millis in instants {
                for near in [millis, millis + 1, millis + 3_600_000] {
                    let text = Timestamp::from_millis(near).to_string();
                    prop_assert_eq!(moments.datetime(&text).unwrap(), construct(&RestrictedExpression::new_datetime(&text)).unwrap(), "{}", text);
                }
            }
        }
    }
}
