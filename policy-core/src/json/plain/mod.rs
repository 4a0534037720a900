//! Plain canonical texts, read in one pass straight into their type.
//!
//! What the gate itself writes is canonical (RFC 8785), and nearly all of it is plain: no spaces, the members of an
//! object in order, whole numbers of at most fifteen digits, no `\u` in a string. Such a text is read here without a tree
//! of values between. Whatever is not plain, or does not fit the type, is no answer: the strict reader then reads the
//! text from its start, so that what is read, what is refused and with which words stay the strict reader's alone.
//!
//! INVARIANT (R8): what is read here is read by the strict reader as the same value. Members in order are never there
//! twice, and no number that is read here has another canonical form.

mod members;
mod raw;
mod text;

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Visitor};

pub use raw::{Known, Raw};

use super::Limits;
use text::Text;

/// Reads a plain canonical text as a type. `known` is told what a [`Raw`] member begins with, so that a text that was
/// read before need not be looked through again.
pub fn read_plain<'de, T: Deserialize<'de>>(bytes: &'de [u8], limits: Limits, known: Known<'_>) -> Option<T> {
    if bytes.len() > limits.max_bytes {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let mut reader = Reader { text: Text::new(text), levels: limits.max_depth, known };
    let value = T::deserialize(&mut reader).ok()?;
    reader.text.is_at_end().then_some(value)
}

/// Not plain, or not of the type. What is wrong is the strict reader's to say.
#[derive(Debug, Clone, Copy)]
struct NotPlain;

impl fmt::Display for NotPlain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text is not plain")
    }
}

impl std::error::Error for NotPlain {}

impl de::Error for NotPlain {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

type Result<T> = std::result::Result<T, NotPlain>;

/// Where the reader stands.
struct Reader<'de, 'k> {
    text: Text<'de>,
    /// How many more levels may open.
    levels: usize,
    known: Known<'k>,
}

impl Reader<'_, '_> {
    fn open(&mut self) -> Result<()> {
        self.levels = self.levels.checked_sub(1).ok_or(NotPlain)?;
        Ok(())
    }

    fn close(&mut self) {
        self.levels = self.levels.saturating_add(1);
    }
}

impl<'de> de::Deserializer<'de> for &mut Reader<'de, '_> {
    type Error = NotPlain;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.text.peek().ok_or(NotPlain)? {
            b'"' => self.text.string()?.visit(visitor),
            b'{' => {
                self.open()?;
                self.text.expect(b'{')?;
                let mut members = members::Members::new(self);
                let value = visitor.visit_map(&mut members)?;
                members.end()?;
                Ok(value)
            }
            b'[' => {
                self.open()?;
                self.text.expect(b'[')?;
                let mut items = members::Items::new(self);
                let value = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(value)
            }
            b't' => self.text.word("true").and_then(|()| visitor.visit_bool(true)),
            b'f' => self.text.word("false").and_then(|()| visitor.visit_bool(false)),
            b'n' => self.text.word("null").and_then(|()| visitor.visit_unit()),
            _ => match self.text.number()? {
                (false, size) => visitor.visit_u64(size),
                // Fifteen digits never leave the range.
                (true, size) => visitor.visit_i64(0_i64.saturating_sub_unsigned(size)),
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.text.peek() == Some(b'n') {
            self.text.word("null")?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        if name == raw::NAME {
            return visitor.visit_borrowed_str(raw::span(self)?);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_enum(members::Variant::new(self))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests;
