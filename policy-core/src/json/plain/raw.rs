//! A member that is taken as the text that it stands in, so that what was read before is found by it.

use std::fmt;

use serde::de::{Error as _, IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Reader, Result};

/// By this name the reader knows that the text is wanted.
pub(super) const NAME: &str = "$proviso::Raw";

/// How long a text is that was read before and that this one begins with, where there is one. What is known is a whole
/// array or object, so no two of them begin one and the same text.
pub type Known<'k> = &'k dyn Fn(&str) -> Option<usize>;

/// A value as its plain canonical text. Only the plain reader gives one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw<'de>(pub &'de str);

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Raw<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the text of a value")
            }

            fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> std::result::Result<Self::Value, E> {
                // A string that another reader hands over is no text of a value.
                let bracket = text.starts_with(['{', '[']);
                if bracket { Ok(Raw(text)) } else { Err(E::custom("no text of a value")) }
            }
        }
        deserializer.deserialize_newtype_struct(NAME, Text)
    }
}

/// The text of the array or object that begins here. One that is known was looked through when it was read first;
/// whoever knows it answers for its being no deeper than fits here.
pub(super) fn span<'de>(reader: &mut Reader<'de, '_>) -> Result<&'de str> {
    let (rest, begin) = (reader.text.rest()?, reader.text.at());
    match (reader.known)(rest) {
        Some(length) => reader.text.skip(length),
        None => drop(IgnoredAny::deserialize(&mut *reader)?),
    }
    let text = reader.text.since(begin)?;
    if text.starts_with(['{', '[']) { Ok(text) } else { Err(super::NotPlain::custom("no array or object")) }
}
