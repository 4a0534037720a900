//! Canonical bytes: RFC 8785, the JSON Canonicalization Scheme.

mod straight;

use std::cmp::Ordering;

use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use super::LARGEST_INTEGER;
use straight::write_plain;

/// Why a value has no canonical bytes.
#[derive(Debug, Error)]
pub enum CanonicalError {
    /// It is no JSON, such as a map whose keys are not strings.
    #[error("the value cannot be written as JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// A whole number that RFC 8785 would round, so that two values had the same bytes.
    #[error("the number `{0}` is outside ±(2^53 - 1) and has no exact canonical form")]
    Integer(String),
}

impl CanonicalError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotJson(_) => "bad_json",
            Self::Integer(_) => "bad_number",
        }
    }
}

/// The canonical bytes of a value: members sorted by UTF-16 code units, numbers as ECMAScript writes them, no spaces.
///
/// # Errors
/// When the value is no JSON, or holds an integer outside ±(2^53 − 1).
pub fn to_canonical_bytes<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    let mut bytes = Vec::with_capacity(256);
    write_canonical(value, &mut bytes)?;
    Ok(bytes)
}

/// Writes the canonical bytes of a value behind what is there.
///
/// # Errors
/// As [`to_canonical_bytes`]; what is there by then is of no use.
pub fn write_canonical<T: Serialize + ?Sized>(value: &T, bytes: &mut Vec<u8>) -> Result<(), CanonicalError> {
    let begin = bytes.len();
    if write_plain(value, bytes) {
        return Ok(());
    }
    bytes.truncate(begin);
    write(&serde_json::to_value(value)?, bytes)
}

/// Writes a value behind what is there. Strings as `serde_json` escapes them are as the scheme wants them.
fn write(value: &Value, bytes: &mut Vec<u8>) -> Result<(), CanonicalError> {
    match value {
        Value::Null => bytes.extend_from_slice(b"null"),
        Value::Bool(true) => bytes.extend_from_slice(b"true"),
        Value::Bool(false) => bytes.extend_from_slice(b"false"),
        Value::Number(number) => match number.as_i64().map(i64::unsigned_abs).or_else(|| number.as_u64()) {
            // INVARIANT (R3): different values never have the same bytes. The scheme writes every number as a double,
            // which gives 9007199254740993 and …992 one form; such a number is refused instead.
            Some(size) if size > LARGEST_INTEGER.unsigned_abs() => {
                return Err(CanonicalError::Integer(number.to_string()));
            }
            Some(_) => bytes.extend_from_slice(number.to_string().as_bytes()),
            None => bytes.extend_from_slice(&serde_json_canonicalizer::to_vec(number)?),
        },
        Value::String(text) => serde_json::to_writer(bytes, text)?,
        Value::Array(items) => {
            bytes.push(b'[');
            for (position, item) in items.iter().enumerate() {
                comma(position, bytes);
                write(item, bytes)?;
            }
            bytes.push(b']');
        }
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_unstable_by(|(one, _), (other, _)| by_code_units(one, other));
            bytes.push(b'{');
            for (position, (name, member)) in members.into_iter().enumerate() {
                comma(position, bytes);
                serde_json::to_writer(&mut *bytes, name)?;
                bytes.push(b':');
                write(member, bytes)?;
            }
            bytes.push(b'}');
        }
    }
    Ok(())
}

fn comma(position: usize, bytes: &mut Vec<u8>) {
    if position > 0 {
        bytes.push(b',');
    }
}

/// By UTF-16 code units, which for names in ASCII is by their bytes.
fn by_code_units(one: &str, other: &str) -> Ordering {
    if one.is_ascii() && other.is_ascii() { one.cmp(other) } else { one.encode_utf16().cmp(other.encode_utf16()) }
}

#[cfg(test)]
mod tests {
    use super::super::strict::tests::any_json;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn bytes_of<T: Serialize + ?Sized>(value: &T) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        write_plain(value, &mut bytes).then_some(bytes)
    }

    fn by_tree<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CanonicalError> {
        let mut bytes = Vec::new();
        write(&serde_json::to_value(value)?, &mut bytes)?;
        Ok(bytes)
    }

    fn text(value: &Value) -> String {
        String::from_utf8(to_canonical_bytes(value).unwrap()).unwrap()
    }

    #[test]
    fn the_examples_of_rfc_8785_hold() {
        // Section 3.2.4, built from its escapes.
        let given: Value = serde_json::from_str(
            r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
                "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#,
        )
        .unwrap();
        assert_eq!(
            text(&given),
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\
             \"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
        );
        // Section 3.2.3: by UTF-16 code units, where U+1F600 comes before U+FB33.
        let given = json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
        assert_eq!(
            text(&given),
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}"
        );
    }

    #[test]
    fn the_number_table_of_rfc_8785_holds() {
        for (bits, written) in [
            (0x0000_0000_0000_0000u64, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5557, "333333333.33333343"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ] {
            assert_eq!(text(&json!(f64::from_bits(bits))), written);
        }
    }

    proptest! {
        #[test]
        fn they_are_the_bytes_that_another_author_writes(
            value in any_json(),
            name in "[a\u{0}-\u{1f}\"\\\\/\u{7f}\u{e000}-\u{ffff}\u{10000}\u{1f600}]{0,3}",
            double in any::<f64>(),
        ) {
            let double = if double.is_finite() { double } else { 0.0 };
            let value = json!({"value": value.clone(), name: [value, double, double * 1e-300]});
            if let Ok(bytes) = to_canonical_bytes(&value) {
                prop_assert_eq!(bytes, serde_json_canonicalizer::to_vec(&value).unwrap());
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_straight_is_what_the_tree_is_written_as(value in any_json(), name in "[a-c\"\\\\\u{e9}]{0,2}") {
            let value = json!({"b": value.clone(), name: value, "a": [true, null, -1]});
            if let Some(bytes) = bytes_of(&value) {
                prop_assert_eq!(String::from_utf8(bytes), String::from_utf8(by_tree(&value).unwrap()));
            }
        }
    }

    #[test]
    fn what_is_plain_is_written_straight_and_nothing_else() {
        #[derive(Serialize)]
        enum Shape {
            Unit,
            Of(u8),
            Pair(u8, char),
            With { z: Option<u8>, a: (), ab: &'static str },
        }
        #[derive(Serialize)]
        struct Flat {
            b: u8,
            #[serde(flatten)]
            more: std::collections::BTreeMap<&'static str, i64>,
        }
        let flat = |more: &[(&'static str, i64)]| Flat { b: 1, more: more.iter().copied().collect() };
        let shapes = (Shape::Unit, Shape::Of(1), Shape::Pair(2, '"'), Shape::With { z: None, a: (), ab: "\n" });
        let written = bytes_of(&shapes).unwrap();
        assert_eq!(
            String::from_utf8(written.clone()).unwrap(),
            r#"["Unit",{"Of":1},{"Pair":[2,"\""]},{"With":{"a":null,"ab":"\n","z":null}}]"#
        );
        assert_eq!(by_tree(&shapes).unwrap(), written);
        let question = crate::fixtures::question();
        assert_eq!(bytes_of(&question).unwrap(), by_tree(&question).unwrap());
        assert_eq!(
            bytes_of(&flat(&[("a", -5), ("c", 1 - (1 << 53))])).unwrap(),
            br#"{"a":-5,"b":1,"c":-9007199254740991}"#
        );
        // The last of two members of one name is the one that the tree keeps.
        for odd in [flat(&[("b", 2)]), flat(&[("\u{e9}", 2)]), flat(&[("\n", 2)]), flat(&[("c", 1 << 53)])] {
            assert!(bytes_of(&odd).is_none());
        }
        assert_eq!(to_canonical_bytes(&flat(&[("b", 2)])).unwrap(), br#"{"b":2}"#);
        assert!(bytes_of(&1.0).is_none() && bytes_of(&std::collections::BTreeMap::from([(1, 2)])).is_none());
    }

    #[test]
    fn a_value_is_written_behind_what_is_there_whether_it_is_plain_or_not() {
        let mut bytes = b"[1,".to_vec();
        for value in [json!({"b": 1, "a": [2]}), json!(1.5), json!({"\n": "\u{202e}", "a": 0.25})] {
            let before = bytes.clone();
            write_canonical(&value, &mut bytes).unwrap();
            assert_eq!(bytes, [before, by_tree(&value).unwrap()].concat());
        }
    }

    #[test]
    fn an_integer_that_would_be_rounded_has_no_canonical_form() {
        assert_eq!(
            text(&json!([9_007_199_254_740_991i64, -9_007_199_254_740_991i64])),
            "[9007199254740991,-9007199254740991]"
        );
        for value in [json!(9_007_199_254_740_992i64), json!([{"a": -9_007_199_254_740_992i64}]), json!(u64::MAX)] {
            assert_eq!(to_canonical_bytes(&value).map_err(|e| e.code()), Err("bad_number"), "{value}");
        }
        let keys = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert_eq!(to_canonical_bytes(&keys).map_err(|e| e.code()), Err("bad_json"));
    }
}
