//! Whether a number's text and its canonical form are exactly the same number.

use super::LARGEST_INTEGER;

/// A decimal: `0.DIGITS × 10^exponent`, digits without zeros at either end; no digits is zero.
#[derive(PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

/// Whether this number can be kept: it is what its canonical form says, and no further out than ±(2^53 − 1).
/// A text that is no JSON number is left to the parser, which refuses it with a better position.
pub(super) fn is_exact(text: &str) -> bool {
    let Ok(double) = text.parse::<f64>() else { return true };
    // Beyond 2^53 every double is whole, so this is the bound on integers in any spelling, 1e400 among them.
    if !double.is_finite() || double.abs() > LARGEST_INTEGER as f64 {
        return false;
    }
    // Rust's shortest form has the same digits as ECMAScript's, which RFC 8785 writes.
    decimal(text) == decimal(&format!("{double:e}"))
}

/// The value of a number's text, without rounding.
fn decimal(text: &str) -> Decimal {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    let zeros = all.iter().take_while(|digit| **digit == b'0').count();
    let mut digits: Vec<u8> = all.into_iter().skip(zeros).collect();
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    if digits.is_empty() {
        return Decimal { negative: false, digits, exponent: 0 };
    }
    let written = exponent.strip_prefix('+').unwrap_or(exponent).parse::<i64>();
    let written = written.unwrap_or(if exponent.starts_with('-') { i64::MIN } else { i64::MAX });
    let length = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let exponent = written.saturating_add(length(whole.len())).saturating_sub(length(zeros));
    Decimal { negative, digits, exponent }
}

#[cfg(test)]
mod tests {
    use super::is_exact;

    #[test]
    fn a_number_is_kept_only_as_what_it_says() {
        for exact in [
            "0",
            "-0",
            "0e999",
            "1",
            "1.0",
            "1.50",
            "10e-1",
            "100E-2",
            "0.1",
            "-0.1",
            "4.50",
            "2e-3",
            "5e-324",
            "1E3",
            "1e+3",
            "9007199254740991",
            "-9007199254740991",
            "0.30000000000000004",
            "123456789.125",
            "0.00",
        ] {
            assert!(is_exact(exact), "{exact}");
        }
        for inexact in [
            "9007199254740992",
            "9007199254740993",
            "-9007199254740992",
            "0.10000000000000000555",
            "1e400",
            "-1e400",
            "1e-400",
            "1e21",
            "1e15999999999999999999",
            "1e-15999999999999999999",
            "333333333.33333329",
            "9007199254740991.5",
            "0.1000000000000000000000000001",
            "99999999999999999999",
        ] {
            assert!(!is_exact(inexact), "{inexact}");
        }
    }
}
