//! Instants and lengths of time as Cedar has them, without reading each from its text. Of an instant the hour is read once,
//! and what has passed of it is added in Cedar's own arithmetic, once for each second; of lengths there are few, and they
//! are kept.
//!
//! Cedar reads an instant with four regular expressions, which costs as much as a guardrail does; `now` is another
//! instant in every question, its hour the same one for thousands of them, and its second for many.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

use cedar_policy::RestrictedExpression;
use cedar_policy_core::ast::{Name, PartialValue, Value};
use cedar_policy_core::evaluator::EvaluationError;
use cedar_policy_core::extensions::Extensions;

use crate::cedar::construct;

/// As long as `2026-11-22T16`, and as `2026-11-22T16:00:00`.
const HOUR: usize = 13;
const SECOND: usize = 19;
/// How many different digits a number is added up of.
const BASE: u32 = 32;
/// What the digits count, in milliseconds, the last first: those of a second's milliseconds, and of an hour's seconds.
const MILLIS: [u32; 2] = [1, BASE];
const SECONDS: [u32; 3] = [1_000, 1_000 * BASE, 1_000 * BASE * BASE];

/// How many lengths of time are kept, and how long the text of one may be.
const MOST_LENGTHS: usize = 64;
const LONGEST_LENGTH: usize = 32;

/// The hour and the second that were read last, the lengths of time that an instant in them is made of, and those that
/// questions named.
#[derive(Debug, Default)]
pub(crate) struct Moments {
    lengths: Mutex<BTreeMap<String, Value>>,
    hour: Mutex<Option<(String, Value)>>,
    second: Mutex<Option<(String, Value)>>,
    /// For each of [`MILLIS`] and [`SECONDS`] the lengths that its digits mean.
    digits: OnceLock<Vec<Vec<Value>>>,
}

impl Moments {
    /// Reads an instant and the lengths that instants are made of, so that no question has to wait for it: Cedar compiles
    /// its expressions when it first needs them, which costs more than ten questions do.
    pub(crate) fn warm_up(&self) {
        drop(self.datetime("1970-01-01T00:00:00.001Z"));
    }

    /// The instant that this text is.
    pub(crate) fn datetime(&self, text: &str) -> Result<Value, Box<EvaluationError>> {
        match self.put_together(text) {
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

    fn put_together(&self, text: &str) -> Option<Value> {
        let Parts { hour, second, seconds, millis } = parts(text)?;
        let mut kept = self.second.lock().unwrap_or_else(PoisonError::into_inner);
        let value = match kept.as_ref().filter(|(known, _)| known == second) {
            Some((_, value)) => value.clone(),
            None => {
                let value = self.later(self.hour(hour)?, SECONDS.len(), MILLIS.len(), seconds)?;
                *kept = Some((second.to_owned(), value.clone()));
                value
            }
        };
        self.later(value, MILLIS.len(), 0, millis)
    }

    /// An instant so much later, in so many digits of what the digits from `first` on count.
    fn later(&self, mut value: Value, digits: usize, first: usize, mut number: u32) -> Option<Value> {
        for lengths in self.digits()?.iter().skip(first).take(digits) {
            let digit = number % BASE;
            if digit > 0 {
                value = offset(value, lengths.get(usize::try_from(digit).ok()?)?.clone())?;
            }
            number /= BASE;
        }
        (number == 0).then_some(value)
    }

    /// The tables. One that could not be made is none.
    fn digits(&self) -> Option<&[Vec<Value>]> {
        let table = |unit: &u32| {
            let length = |digit: u32| {
                let text = format!("{}ms", digit.saturating_mul(*unit));
                construct(&RestrictedExpression::new_duration(text)).ok()
            };
            (0..BASE).filter_map(length).collect::<Vec<_>>()
        };
        let tables = self.digits.get_or_init(|| MILLIS.iter().chain(&SECONDS).map(table).collect());
        tables.iter().all(|table| u32::try_from(table.len()) == Ok(BASE)).then_some(tables)
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

/// An instant in UTC with three digits of a second.
#[derive(Debug, PartialEq, Eq)]
struct Parts<'a> {
    /// Up to the hour, and up to the second.
    hour: &'a str,
    second: &'a str,
    /// After the hour.
    seconds: u32,
    /// After the second.
    millis: u32,
}

fn parts(text: &str) -> Option<Parts<'_>> {
    let (hour, rest) = text.split_at_checked(HOUR)?;
    let &[b':', m0, m1, b':', s0, s1, b'.', f0, f1, f2, b'Z'] = rest.as_bytes() else { return None };
    let number = |digits: &[u8]| {
        digits
            .iter()
            .try_fold(0_u32, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')))
    };
    let (minutes, seconds, millis) = (number(&[m0, m1])?, number(&[s0, s1])?, number(&[f0, f1, f2])?);
    let second = text.get(..SECOND)?;
    (minutes < 60 && seconds < 60).then_some(Parts { hour, second, seconds: minutes * 60 + seconds, millis })
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
        let of = |hour, second, seconds, millis| Some(Parts { hour, second, seconds, millis });
        assert_eq!(parts("2026-11-22T16:05:59.123Z"), of("2026-11-22T16", "2026-11-22T16:05:59", 359, 123));
        assert_eq!(parts("2026-11-22T16:59:09.999Z"), of("2026-11-22T16", "2026-11-22T16:59:09", 3_549, 999));
        for otherwise in ["2026-11-22T16:60:00.000Z", "2026-11-22T16:00:00Z", "2026-11-22T16:00:60.000Z", "2026-11-22"]
        {
            assert_eq!(parts(otherwise), None, "{otherwise}");
        }
        let moments = Moments::default();
        moments.warm_up();
        assert_eq!(moments.digits.get().map(Vec::len), Some(5));
        for text in [
            "2026-11-22T16:00:00.000Z",
            "2026-11-22T16:00:00.001Z",
            "2026-11-22T16:59:59.999Z",
            "2026-11-22T16:34:07.031Z",
            "2026-11-22T16:34:07.032Z",
            "2026-11-22T17:00:00.001Z",
            "2026-11-22T16:34:07.992Z",
        ] {
            let cedars = construct(&RestrictedExpression::new_datetime(text)).unwrap();
            assert_eq!(moments.put_together(text), Some(cedars), "{text}");
            let kept = |of: &Mutex<Option<(String, Value)>>| of.lock().unwrap().as_ref().map(|(text, _)| text.clone());
            assert_eq!(kept(&moments.hour).as_deref(), text.get(..HOUR));
            assert_eq!(kept(&moments.second).as_deref(), text.get(..SECOND));
        }
        // What is no hour is none, and what was kept stays.
        assert_eq!(moments.put_together("2026-02-30T10:00:00.000Z"), None);
        assert_eq!(moments.second.lock().unwrap().as_ref().unwrap().0, "2026-11-22T16:34:07");
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
