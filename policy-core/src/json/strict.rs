//! The strict reader: one text has one meaning here, or none.

use crate::sabotaged;
use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use thiserror::Error;

use super::{LARGEST_INTEGER, read_plain, scan};
use crate::text::visible;

/// The most characters of what is said of a misfit.
const LONGEST_MISFIT: usize = 300;

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest text, in bytes.
    pub max_bytes: usize,
    /// The most arrays and objects inside each other. At most 100: the parser itself stops at 128.
    pub max_depth: usize,
}

impl Limits {
    /// 1 MiB and 32 levels.
    pub const DEFAULT: Self = Self { max_bytes: 1 << 20, max_depth: 32 };
}

/// Why a text is not read. Positions are byte offsets from the start.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReadError {
    /// It is no JSON: a wrong token, an end too early, a byte order mark.
    #[error("the text is not JSON at byte {at}: {message}")]
    BadJson {
        /// Where.
        at: usize,
        /// What the parser says.
        message: String,
    },
    /// Two members of one object have one name.
    #[error("the member `{name}` is there twice at byte {at}")]
    DuplicateMember {
        /// Where the second one was noticed.
        at: usize,
        /// The name, odd characters made visible.
        name: String,
    },
    /// Arrays and objects stand too deep inside each other.
    #[error("the text is nested deeper than {limit} levels at byte {at}")]
    TooDeep {
        /// Where the level too many opens.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// The text is too long.
    #[error("the text is longer than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// A number that would be rounded, or is outside ±(2^53 − 1).
    #[error("the number at byte {at} cannot be kept exactly")]
    BadNumber {
        /// Where it begins.
        at: usize,
    },
    /// Invalid UTF-8, a control character, an unknown escape, or half a surrogate pair.
    #[error("the string holds what is no text at byte {at}")]
    BadString {
        /// Where.
        at: usize,
    },
    /// Something stands after the value.
    #[error("there is more text after the value at byte {at}")]
    TrailingText {
        /// Where.
        at: usize,
    },
    /// It is JSON, but not what was expected here.
    #[error("the JSON is not what is expected here: {message}")]
    BadShape {
        /// What is wrong.
        message: String,
    },
}

impl ReadError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadJson { .. } => "bad_json",
            Self::DuplicateMember { .. } => "duplicate_member",
            Self::TooDeep { .. } => "too_deep",
            Self::TooLarge { .. } => "too_large",
            Self::BadNumber { .. } => "bad_number",
            Self::BadString { .. } => "bad_string",
            Self::TrailingText { .. } => "trailing_text",
            Self::BadShape { .. } => "bad_shape",
        }
    }

    /// The byte offset, where there is one.
    pub const fn position(&self) -> Option<usize> {
        match self {
            Self::BadJson { at, .. }
            | Self::DuplicateMember { at, .. }
            | Self::TooDeep { at, .. }
            | Self::BadNumber { at }
            | Self::BadString { at }
            | Self::TrailingText { at } => Some(*at),
            Self::TooLarge { .. } | Self::BadShape { .. } => None,
        }
    }
}

/// Reads one JSON value. Whole numbers come as integers, however they are spelt: `1.0` is `1`.
///
/// # Errors
/// See [`ReadError`].
pub fn read(bytes: &[u8], limits: Limits) -> Result<Value, ReadError> {
    if bytes.len() > limits.max_bytes {
        return Err(ReadError::TooLarge { limit: limits.max_bytes });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| ReadError::BadString { at: error.valid_up_to() })?;
    if text.starts_with('\u{feff}') {
        return Err(ReadError::BadJson { at: 0, message: "a byte order mark".into() });
    }
    scan::scan(text, limits.max_depth)?;

    let duplicate = Cell::new(None);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict { duplicate: &duplicate }.deserialize(&mut deserializer).map_err(|error| {
        let at = offset(text, &error);
        match duplicate.take() {
            Some(name) => ReadError::DuplicateMember { at, name },
            None => ReadError::BadJson { at, message: error.to_string() },
        }
    })?;
    deserializer.end().map_err(|error| ReadError::TrailingText { at: offset(text, &error) })?;
    Ok(value)
}

/// Reads one JSON value as a type: what is plain in one pass, everything else through a tree of values.
///
/// # Errors
/// See [`ReadError`].
pub fn read_as<T: DeserializeOwned>(bytes: &[u8], limits: Limits) -> Result<T, ReadError> {
    if let Some(value) = read_plain(bytes, limits, &|_| None) {
        return Ok(value);
    }
    let value = read(bytes, limits)?;
    serde_json::from_value(value).map_err(|error| misfit(&error))
}

/// What does not fit, in the library's words. They quote what was sent, however long and odd that is (R11).
pub(super) fn misfit(error: &serde_json::Error) -> ReadError {
    ReadError::BadShape { message: visible(&error.to_string(), LONGEST_MISFIT) }
}

/// The byte offset of what the parser names by line and column, from 1.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    before.saturating_add(error.column().saturating_sub(1)).min(text.len())
}

/// Builds a value and notices members that are there twice.
#[derive(Clone, Copy)]
struct Strict<'a> {
    duplicate: &'a Cell<Option<String>>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        if value.fract() == 0.0 && value.abs() <= LARGEST_INTEGER as f64 {
            #[expect(clippy::cast_possible_truncation, reason = "whole and inside ±(2^53 − 1), so the cast is exact")]
            return Ok(Value::from(value as i64));
        }
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            // INVARIANT (R8): a text that two readers could read differently is no input.
            if values.contains_key(&name) && !sabotaged!("r8_duplicate_members") {
                self.duplicate.set(Some(crate::text::visible(&name, 80)));
                return Err(A::Error::custom("a member is there twice"));
            }
            let value = members.next_value_seed(self)?;
            values.insert(name, value);
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn code(text: &[u8]) -> &'static str {
        read(text, Limits::DEFAULT).map_or_else(|error| error.code(), |_| "fine")
    }

    #[test]
    fn what_has_two_meanings_or_none_is_refused() {
        for (text, expected) in [
            (r#"{"a":1,"b":{"c":[1,2.5,"x",null,true]}}"#, "fine"),
            (" \t\r\n[] \n", "fine"),
            (r#"{"a":1,"a":1}"#, "duplicate_member"),
            (r#"[{"a":{"b":1,"c":2,"b":3}}]"#, "duplicate_member"),
            (r#"{"a":1,"\u0061":2}"#, "duplicate_member"),
            (r#""\ud83d\ude00""#, "fine"),
            (r#""\ud83d""#, "bad_string"),
            (r#""\ud83dx""#, "bad_string"),
            (r#""\ud83d\n""#, "bad_string"),
            (r#""\ud83d\u0041""#, "bad_string"),
            (r#""\ude00""#, "bad_string"),
            (r#"{"\udead":1}"#, "bad_string"),
            (r#""\x41""#, "bad_string"),
            (r#""\u00g0""#, "bad_string"),
            ("\"a\nb\"", "bad_string"),
            ("9007199254740991", "fine"),
            ("[-9007199254740992]", "bad_number"),
            ("[9007199254740993]", "bad_number"),
            ("[1e400]", "bad_number"),
            ("[0.10000000000000000555]", "bad_number"),
            ("[1e-400]", "bad_number"),
            ("NaN", "bad_json"),
            ("Infinity", "bad_json"),
            ("-Infinity", "bad_json"),
            ("01", "bad_json"),
            ("+1", "bad_json"),
            ("1.", "bad_json"),
            (".5", "bad_json"),
            ("1 2", "trailing_text"),
            ("{} {}", "trailing_text"),
            ("{}x", "trailing_text"),
            ("\u{feff}{}", "bad_json"),
            ("", "bad_json"),
            ("{", "bad_json"),
            ("[1,]", "bad_json"),
            ("{'a':1}", "bad_json"),
            ("\"open", "bad_json"),
        ] {
            assert_eq!(code(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(code(b"\"\xff\""), "bad_string");
        assert_eq!(code(b"\"\xed\xa0\x80\""), "bad_string");
    }

    #[test]
    fn depth_and_size_are_counted_to_the_last_one() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(code(deep(32).as_bytes()), "fine");
        assert_eq!(read(deep(33).as_bytes(), Limits::DEFAULT), Err(ReadError::TooDeep { at: 32, limit: 32 }));
        assert_eq!(code("[".repeat(1_000_000).as_bytes()), "too_deep");
        assert_eq!(code(format!("[{}]", "[],".repeat(100) + "[]").as_bytes()), "fine");
        assert_eq!(code(br#"["[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["]"#), "fine");
        let limits = Limits { max_bytes: 4, max_depth: 1 };
        assert_eq!(read(b"[ 1]", limits), Ok(json!([1])));
        assert_eq!(read(b"[ 12]", limits).map_err(|e| e.code()), Err("too_large"));
    }

    #[test]
    fn positions_are_told() {
        assert_eq!(read(b"{\"a\":\n 1,\n\"b\": 1e999}", Limits::DEFAULT).map_err(|e| e.position()), Err(Some(15)));
        assert_eq!(read(b"[1] x", Limits::DEFAULT).map_err(|e| e.position()), Err(Some(4)));
        let twice = read("{\"\u{202e}\":1,\"\u{202e}\":2}".as_bytes(), Limits::DEFAULT);
        assert!(matches!(twice, Err(ReadError::DuplicateMember { ref name, .. }) if name == "⟨U+202E⟩"), "{twice:?}");
    }

    #[test]
    fn a_whole_number_is_an_integer_however_it_is_spelt() {
        assert_eq!(read(b"[1.0, 10e-1, -0, -0.0, 1e3]", Limits::DEFAULT), Ok(json!([1, 1, 0, 0, 1000])));
        assert_eq!(read_as::<Vec<u8>>(b"[1.0, 255]", Limits::DEFAULT), Ok(vec![1, 255]));
        assert_eq!(read_as::<Vec<u8>>(b"[256]", Limits::DEFAULT).map_err(|e| e.code()), Err("bad_shape"));
        let long = format!("\"{}\"", "x".repeat(10_000));
        let told = read_as::<u8>(long.as_bytes(), Limits::DEFAULT).unwrap_err().to_string();
        assert!(told.len() < 400 && told.contains("xxx"), "{told}");
    }

    pub(in super::super) fn any_json() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-LARGEST_INTEGER..=LARGEST_INTEGER).prop_map(Value::from),
            (-1e9..1e9f64)
                .prop_map(|double| { if double.fract() == 0.0 { Value::from(0) } else { Value::from(double) } }),
            any::<String>().prop_map(Value::from),
        ];
        scalar.prop_recursive(6, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..8)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_canonical_bytes_are_a_fixed_point(value in any_json()) {
            prop_assert_eq!(read(value.to_string().as_bytes(), Limits::DEFAULT), Ok(value.clone()));
            let canonical = super::super::to_canonical_bytes(&value).unwrap();
            let again = read(&canonical, Limits::DEFAULT).unwrap();
            prop_assert_eq!(&again, &value);
            prop_assert_eq!(super::super::to_canonical_bytes(&again).unwrap(), canonical);
        }

        #[test]
        fn no_bytes_make_it_trap_and_it_reads_only_what_serde_json_reads(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if read(&bytes, Limits::DEFAULT).is_ok() {
                prop_assert!(serde_json::from_slice::<Value>(&bytes).is_ok());
            }
        }

        #[test]
        fn texts_of_json_tokens_are_read_as_serde_json_reads_them(
            text in "[\\[\\]{}:,\" 0-9a-c.eE+\\\\u-]{0,24}"
        ) {
            if let Ok(value) = read(text.as_bytes(), Limits::DEFAULT) {
                let loose: Value = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(
                    super::super::to_canonical_bytes(&loose).unwrap(),
                    super::super::to_canonical_bytes(&value).unwrap()
                );
            }
        }
    }
}
