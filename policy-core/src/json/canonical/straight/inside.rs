//! What stands inside arrays and objects.

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use super::{NotPlain, Result, Straight, is_plain};

/// The items of an array.
pub(super) struct Items<'a> {
    bytes: &'a mut Vec<u8>,
    first: bool,
    closes: &'static str,
}

impl<'a> Items<'a> {
    pub(super) fn new(bytes: &'a mut Vec<u8>, closes: &'static str) -> Self {
        bytes.push(b'[');
        Self { bytes, first: true, closes }
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        if !self.first {
            self.bytes.push(b',');
        }
        self.first = false;
        value.serialize(Straight { bytes: &mut *self.bytes })
    }

    fn close(self) -> Result<()> {
        self.bytes.extend_from_slice(self.closes.as_bytes());
        Ok(())
    }
}

/// The members of an object, as they come.
pub(super) struct Members<'a> {
    bytes: &'a mut Vec<u8>,
    /// Behind the brace.
    begin: usize,
    /// Where each member begins, where its name ends, and where it ends.
    places: Vec<(usize, usize, usize)>,
    in_order: bool,
    closes: &'static str,
}

impl<'a> Members<'a> {
    /// `count`: how many there will be, as far as that is known.
    pub(super) fn new(bytes: &'a mut Vec<u8>, count: usize, closes: &'static str) -> Self {
        bytes.push(b'{');
        Self { begin: bytes.len(), bytes, places: Vec::with_capacity(count), in_order: true, closes }
    }

    /// Where the next member begins.
    fn next(&mut self) -> usize {
        if !self.places.is_empty() {
            self.bytes.push(b',');
        }
        self.bytes.len()
    }

    /// The key of a map, which may be whatever is written as a string.
    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        let begin = self.next();
        key.serialize(Straight { bytes: &mut *self.bytes })?;
        let text = self.bytes.get(begin..).and_then(|text| text.strip_prefix(b"\"")?.strip_suffix(b"\""));
        if !text.is_some_and(is_plain) {
            return Err(NotPlain);
        }
        self.named(begin);
        Ok(())
    }

    fn name(&mut self, name: &str) -> Result<()> {
        let begin = self.next();
        super::name(name, self.bytes)?;
        self.named(begin);
        Ok(())
    }

    /// The name that begins there is written.
    fn named(&mut self, begin: usize) {
        let end = self.bytes.len();
        if let Some(&(before, upto, _)) = self.places.last() {
            self.in_order &=
                self.bytes.get(before..upto.saturating_sub(1)) < self.bytes.get(begin..end.saturating_sub(1));
        }
        self.bytes.push(b':');
        self.places.push((begin, end, end));
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        value.serialize(Straight { bytes: &mut *self.bytes })?;
        let end = self.bytes.len();
        if let Some(place) = self.places.last_mut() {
            place.2 = end;
        }
        Ok(())
    }

    fn close(mut self) -> Result<()> {
        if !self.in_order {
            self.order()?;
        }
        self.bytes.extend_from_slice(self.closes.as_bytes());
        Ok(())
    }

    /// Puts the members in order.
    fn order(&mut self) -> Result<()> {
        let written = self.bytes.split_off(self.begin);
        // Without the quote behind it, so that a name stands before one that it begins.
        let part = |from: usize, to: usize| written.get(from.wrapping_sub(self.begin)..to.wrapping_sub(self.begin));
        let name = |place: &(usize, usize, usize)| part(place.0, place.1.saturating_sub(1));
        self.places.sort_unstable_by(|one, other| name(one).cmp(&name(other)));
        let mut last = None;
        for place in &self.places {
            let this = name(place);
            if last.is_some_and(|last| last == this) {
                return Err(NotPlain);
            }
            if last.is_some() {
                self.bytes.push(b',');
            }
            self.bytes.extend_from_slice(part(place.0, place.2).ok_or(NotPlain)?);
            last = Some(this);
        }
        Ok(())
    }
}

/// Serde has a trait for each kind of array, and all are written alike.
macro_rules! items {
    ($kind:ident, $item:ident) => {
        impl $kind for Items<'_> {
            type Ok = ();
            type Error = NotPlain;

            fn $item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                self.item(value)
            }

            fn end(self) -> Result<()> {
                self.close()
            }
        }
    };
}

items!(SerializeSeq, serialize_element);
items!(SerializeTuple, serialize_element);
items!(SerializeTupleStruct, serialize_field);
items!(SerializeTupleVariant, serialize_field);

impl SerializeMap for Members<'_> {
    type Ok = ();
    type Error = NotPlain;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.value(value)
    }

    fn end(self) -> Result<()> {
        self.close()
    }
}

/// The same of the kinds of structures.
macro_rules! members {
    ($kind:ident) => {
        impl $kind for Members<'_> {
            type Ok = ();
            type Error = NotPlain;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
                self.name(name)?;
                self.value(value)
            }

            fn end(self) -> Result<()> {
                self.close()
            }
        }
    };
}

members!(SerializeStruct);
members!(SerializeStructVariant);
