//! Canonical bytes straight from a value, without a tree of values between: what is plain, which is nearly everything.
//!
//! Members are written as they come and put in order behind the last one. What is not plain (a fraction, a name with an
//! escape, a member that is there twice) is no answer: the tree is then made after all, so that what is written, what is
//! refused and with which words are its alone.

mod inside;

use std::fmt;

use serde::ser::{self, Serialize};

use crate::json::LARGEST_INTEGER;
use crate::json::special::first_special;
use inside::{Items, Members};

/// Writes what is plain behind what is there. Whether it is plain: what is written of anything else is of no use.
pub(super) fn write_plain<T: Serialize + ?Sized>(value: &T, bytes: &mut Vec<u8>) -> bool {
    value.serialize(Straight { bytes }).is_ok()
}

/// Not plain.
#[derive(Debug)]
struct NotPlain;

impl fmt::Display for NotPlain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value is not plain")
    }
}

impl std::error::Error for NotPlain {}

impl ser::Error for NotPlain {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

type Result<T> = std::result::Result<T, NotPlain>;

/// Writes one value behind what is there.
struct Straight<'a> {
    bytes: &'a mut Vec<u8>,
}

impl<'a> Straight<'a> {
    fn word(self, word: &str) -> Result<()> {
        self.bytes.extend_from_slice(word.as_bytes());
        Ok(())
    }

    fn whole(self, negative: bool, size: u64) -> Result<()> {
        // INVARIANT (R3): a number that the scheme would round is not written here.
        if size > LARGEST_INTEGER.unsigned_abs() {
            return Err(NotPlain);
        }
        let (mut digits, mut at, mut rest) = ([0_u8; 20], 20_usize, size);
        loop {
            at = at.saturating_sub(1);
            if let Some(digit) = digits.get_mut(at) {
                *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            }
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if negative {
            self.bytes.push(b'-');
        }
        self.bytes.extend_from_slice(digits.get(at..).unwrap_or_default());
        Ok(())
    }

    fn items(self) -> Items<'a> {
        Items::new(self.bytes, "]")
    }

    fn members(self, count: usize) -> Members<'a> {
        Members::new(self.bytes, count, "}")
    }

    /// Opens the object of one variant.
    fn variant(self, name: &str) -> Result<&'a mut Vec<u8>> {
        self.bytes.push(b'{');
        self::name(name, self.bytes)?;
        self.bytes.push(b':');
        Ok(self.bytes)
    }
}

/// A member's name.
fn name(name: &str, bytes: &mut Vec<u8>) -> Result<()> {
    if !is_plain(name.as_bytes()) {
        return Err(NotPlain);
    }
    quoted(name, bytes);
    Ok(())
}

/// Whether it is a name that is written as it is: the order of others is not that of their bytes, or not that of what is
/// written.
fn is_plain(name: &[u8]) -> bool {
    name.is_ascii() && first_special(name).is_none()
}

fn quoted(text: &str, bytes: &mut Vec<u8>) {
    bytes.push(b'"');
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(b'"');
}

impl<'a> ser::Serializer for Straight<'a> {
    type Ok = ();
    type Error = NotPlain;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeTupleStruct = Items<'a>;
    type SerializeTupleVariant = Items<'a>;
    type SerializeMap = Members<'a>;
    type SerializeStruct = Members<'a>;
    type SerializeStructVariant = Members<'a>;

    fn serialize_bool(self, value: bool) -> Result<()> {
        self.word(if value { "true" } else { "false" })
    }

    fn serialize_i8(self, value: i8) -> Result<()> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<()> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<()> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<()> {
        self.whole(value < 0, value.unsigned_abs())
    }

    fn serialize_u8(self, value: u8) -> Result<()> {
        self.whole(false, value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<()> {
        self.whole(false, value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<()> {
        self.whole(false, value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<()> {
        self.whole(false, value)
    }

    fn serialize_f32(self, _: f32) -> Result<()> {
        Err(NotPlain)
    }

    fn serialize_f64(self, _: f64) -> Result<()> {
        Err(NotPlain)
    }

    fn serialize_char(self, value: char) -> Result<()> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<()> {
        if first_special(value.as_bytes()).is_some() {
            return serde_json::to_writer(self.bytes, value).map_err(|_| NotPlain);
        }
        quoted(value, self.bytes);
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<()> {
        Err(NotPlain)
    }

    fn serialize_none(self) -> Result<()> {
        self.word("null")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<()> {
        self.word("null")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.word("null")
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<()> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        let bytes = self.variant(variant)?;
        value.serialize(Straight { bytes })?;
        bytes.push(b'}');
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a>> {
        Ok(self.items())
    }

    fn serialize_tuple(self, _: usize) -> Result<Items<'a>> {
        Ok(self.items())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items<'a>> {
        Ok(self.items())
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Items<'a>> {
        let bytes = self.variant(variant)?;
        Ok(Items::new(bytes, "]}"))
    }

    fn serialize_map(self, count: Option<usize>) -> Result<Members<'a>> {
        Ok(self.members(count.unwrap_or(0)))
    }

    fn serialize_struct(self, _: &'static str, count: usize) -> Result<Members<'a>> {
        Ok(self.members(count))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        count: usize,
    ) -> Result<Members<'a>> {
        let bytes = self.variant(variant)?;
        Ok(Members::new(bytes, count, "}}"))
    }
}
