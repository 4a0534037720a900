//! What stands inside objects and arrays, and the variants of enumerations.

use serde::de::value::{BorrowedStrDeserializer, CowStrDeserializer};
use serde::de::{DeserializeSeed, EnumAccess, IntoDeserializer as _, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::{Deserialize as _, Deserializer as _};

use super::{NotPlain, Reader, Result};

/// The members of an object, whose brace is read.
pub(super) struct Members<'a, 'de, 'k> {
    reader: &'a mut Reader<'de, 'k>,
    last: Option<&'de str>,
    ended: bool,
}

impl<'a, 'de, 'k> Members<'a, 'de, 'k> {
    pub(super) const fn new(reader: &'a mut Reader<'de, 'k>) -> Self {
        Self { reader, last: None, ended: false }
    }

    /// The object must be read to its end.
    pub(super) fn end(mut self) -> Result<()> {
        if !self.ended && self.name()?.is_some() {
            return Err(NotPlain);
        }
        Ok(())
    }

    fn name(&mut self) -> Result<Option<&'de str>> {
        let text = &mut self.reader.text;
        if text.peek() == Some(b'}') {
            text.expect(b'}')?;
            self.reader.close();
            self.ended = true;
            return Ok(None);
        }
        if self.last.is_some() {
            text.expect(b',')?;
        }
        let name = text.name()?;
        // INVARIANT (R8): each name stands behind the one before, so that none is there twice.
        if self.last.is_some_and(|last| last >= name) {
            return Err(NotPlain);
        }
        text.expect(b':')?;
        self.last = Some(name);
        Ok(Some(name))
    }
}

impl<'de> MapAccess<'de> for &mut Members<'_, 'de, '_> {
    type Error = NotPlain;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        match self.name()? {
            Some(name) => seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        seed.deserialize(&mut *self.reader)
    }
}

/// The items of an array, whose bracket is read.
pub(super) struct Items<'a, 'de, 'k> {
    reader: &'a mut Reader<'de, 'k>,
    begun: bool,
    ended: bool,
}

impl<'a, 'de, 'k> Items<'a, 'de, 'k> {
    pub(super) const fn new(reader: &'a mut Reader<'de, 'k>) -> Self {
        Self { reader, begun: false, ended: false }
    }

    /// The array must be read to its end.
    pub(super) fn end(mut self) -> Result<()> {
        if !self.ended && self.more()? {
            return Err(NotPlain);
        }
        Ok(())
    }

    fn more(&mut self) -> Result<bool> {
        let text = &mut self.reader.text;
        if text.peek() == Some(b']') {
            text.expect(b']')?;
            self.reader.close();
            self.ended = true;
            return Ok(false);
        }
        if self.begun {
            text.expect(b',')?;
        }
        self.begun = true;
        Ok(true)
    }
}

impl<'de> SeqAccess<'de> for &mut Items<'_, 'de, '_> {
    type Error = NotPlain;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.ended || !self.more()? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

/// A variant: its name alone, or an object of one member.
pub(super) struct Variant<'a, 'de, 'k> {
    reader: &'a mut Reader<'de, 'k>,
    holds: bool,
}

impl<'a, 'de, 'k> Variant<'a, 'de, 'k> {
    pub(super) const fn new(reader: &'a mut Reader<'de, 'k>) -> Self {
        Self { reader, holds: false }
    }

    fn held<T>(self, read: impl FnOnce(&mut Reader<'de, 'k>) -> Result<T>) -> Result<T> {
        if !self.holds {
            return Err(NotPlain);
        }
        let value = read(self.reader)?;
        self.reader.text.expect(b'}')?;
        self.reader.close();
        Ok(value)
    }
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de, '_> {
    type Error = NotPlain;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(mut self, seed: V) -> Result<(V::Value, Self)> {
        if self.reader.text.peek() == Some(b'"') {
            let name: CowStrDeserializer<'_, NotPlain> = self.reader.text.string()?.0.into_deserializer();
            return Ok((seed.deserialize(name)?, self));
        }
        self.reader.open()?;
        self.reader.text.expect(b'{')?;
        let name = self.reader.text.name()?;
        self.reader.text.expect(b':')?;
        self.holds = true;
        Ok((seed.deserialize(BorrowedStrDeserializer::<NotPlain>::new(name))?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de, '_> {
    type Error = NotPlain;

    fn unit_variant(self) -> Result<()> {
        if self.holds { self.held(|reader| <()>::deserialize(reader)) } else { Ok(()) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        self.held(|reader| seed.deserialize(reader))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.held(|reader| match reader.text.peek() {
            Some(b'[') => reader.deserialize_any(visitor),
            _ => Err(NotPlain),
        })
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.held(|reader| reader.deserialize_any(visitor))
    }
}
