use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::strict::tests::any_json;
use super::super::{Limits, read, to_canonical_bytes};
use super::*;
use crate::fixtures;
use crate::question::{LockTarget, SealedQuestion};

const NOTHING: Known<'static> = &|_| None;

fn plain<'de, T: Deserialize<'de>>(text: &'de str) -> Option<T> {
    read_plain(text.as_bytes(), Limits::DEFAULT, NOTHING)
}

#[test]
fn only_what_is_plain_is_read() {
    for (text, is_plain) in [
        (r#"{"a":1,"b":{"c":[1,-2,"x",null,true,false]}}"#, true),
        (r#""\"\\\b\f\n\r\t""#, true),
        ("\"\u{e9}\u{1f600}\"", true),
        ("999999999999999", true),
        ("-999999999999999", true),
        ("0", true),
        ("[]", true),
        ("{}", true),
        ("-0", false),
        ("00", false),
        ("01", false),
        ("-", false),
        ("1.5", false),
        ("1e3", false),
        ("9999999999999999", false),
        (r#"{"a":1,"a":1}"#, false),
        (r#"{"b":1,"a":1}"#, false),
        (r#"{"a":1,"\u0061":2}"#, false),
        (r#"{"a\n":1}"#, false),
        (r#""\u0041""#, false),
        (r#""\/""#, false),
        ("\"a\nb\"", false),
        ("\"open", false),
        ("\"\\", false),
        (" 1", false),
        ("1 ", false),
        ("[1, 2]", false),
        ("[1,]", false),
        ("[,1]", false),
        ("[1 2]", false),
        ("{,}", false),
        (r#"{"a":1,}"#, false),
        (r#"{"a" :1}"#, false),
        (r#"{"a"}"#, false),
        ("[", false),
        ("{", false),
        ("tru", false),
        ("nulls", false),
        ("1 2", false),
        ("", false),
    ] {
        let value = plain::<Value>(text);
        assert_eq!(value.is_some(), is_plain, "{text}");
        if let Some(value) = value {
            assert_eq!(read(text.as_bytes(), Limits::DEFAULT), Ok(value), "{text}");
        }
    }
    assert_eq!(read_plain::<Value>(b"\"\xff\"", Limits::DEFAULT, NOTHING), None);
}

#[test]
fn depth_and_size_are_bounded_as_the_strict_reader_bounds_them() {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    for levels in [1, 32, 33, 100_000] {
        let text = deep(levels);
        assert_eq!(plain::<Value>(&text).is_some(), read(text.as_bytes(), Limits::DEFAULT).is_ok(), "{levels}");
    }
    assert!(plain::<Value>(&format!("[{}]", "[],".repeat(100) + "[]")).is_some());
    let limits = Limits { max_bytes: 3, max_depth: 1 };
    assert_eq!(read_plain(b"[1]", limits, NOTHING), Some(json!([1])));
    assert_eq!(read_plain::<Value>(b"[12]", limits, NOTHING), None);
}

#[test]
fn variants_are_read_as_the_strict_reader_reads_them() {
    for text in [
        r#"{"task":"t"}"#,
        r#"{"subject":{"id":"a","type":"Agent"}}"#,
        r#"{"subject":["Agent","a"]}"#,
        r#"{"subject":{"id":"a","more":[1,{"x":null}],"type":"Agent"}}"#,
        r#"{"task":"t","tool":"u"}"#,
        r#"{"task":1}"#,
        r#"{"other":1}"#,
        r#""task""#,
        r#"{}"#,
        "[]",
        "null",
    ] {
        let strict = super::super::read(text.as_bytes(), Limits::DEFAULT).unwrap();
        let strict: Option<LockTarget> = serde_json::from_value(strict).ok();
        assert_eq!(plain::<LockTarget>(text), strict, "{text}");
    }
    for (text, expected) in [(r#""use""#, true), (r#"{"use":null}"#, true), (r#"{"use":1}"#, false), ("1", false)] {
        assert_eq!(plain::<crate::question::Purpose>(text).is_some(), expected, "{text}");
        assert_eq!(serde_json::from_str::<crate::question::Purpose>(text).is_ok(), expected, "{text}");
    }
}

#[test]
fn a_member_is_taken_as_its_text_and_known_again_by_it() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Sent<'a> {
        #[serde(borrow)]
        list: Raw<'a>,
        more: u8,
    }
    let text = r#"{"list":[{"a":1},"]"],"more":2}"#;
    assert_eq!(plain::<Sent<'_>>(text), Some(Sent { list: Raw(r#"[{"a":1},"]"]"#), more: 2 }));
    for refused in [r#"{"list":"[1]","more":2}"#, r#"{"list":[1.5],"more":2}"#, r#"{"list":1,"more":2}"#] {
        assert_eq!(plain::<Sent<'_>>(refused), None, "{refused}");
    }
    let known: Known<'_> = &|rest| rest.starts_with(r#"[{"a":1},"]"]"#).then_some(13);
    let again = read_plain::<Sent<'_>>(text.as_bytes(), Limits::DEFAULT, known);
    assert_eq!(again, Some(Sent { list: Raw(r#"[{"a":1},"]"]"#), more: 2 }));
    // No other reader gives a text.
    assert!(serde_json::from_str::<Sent<'_>>(text).is_err());
}

proptest! {
    #[test]
    fn what_is_read_is_what_the_strict_reader_reads(value in any_json()) {
        let bytes = to_canonical_bytes(&value).unwrap();
        if let Some(plain) = read_plain::<Value>(&bytes, Limits::DEFAULT, NOTHING) {
            prop_assert_eq!(read(&bytes, Limits::DEFAULT), Ok(plain));
        }
    }

    #[test]
    fn no_text_is_read_that_the_strict_reader_refuses_or_reads_otherwise(
        text in "[\\[\\]{}:,\" 0-9a-c.eE+\\\\u-]{0,24}"
    ) {
        if let Some(value) = plain::<Value>(&text) {
            prop_assert_eq!(read(text.as_bytes(), Limits::DEFAULT), Ok(value));
        }
    }

    #[test]
    fn a_question_with_a_byte_changed_is_read_alike_or_not_at_all(at in 0_usize..2000, byte in any::<u8>()) {
        let mut bytes = to_canonical_bytes(&fixtures::question()).unwrap();
        let question: SealedQuestion = read_plain(&bytes, Limits::DEFAULT, NOTHING).unwrap();
        prop_assert_eq!(question, fixtures::question());
        let length = bytes.len();
        bytes[at % length] = byte;
        if let Some(plain) = read_plain::<SealedQuestion>(&bytes, Limits::DEFAULT, NOTHING) {
            let strict = read(&bytes, Limits::DEFAULT).unwrap();
            prop_assert_eq!(serde_json::from_value::<SealedQuestion>(strict).unwrap(), plain);
        }
    }
}
