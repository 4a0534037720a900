//! The tokens of a plain canonical text.

use std::borrow::Cow;

use serde::de::Visitor;

use super::{NotPlain, Result};
use crate::json::special::first_special;

/// The most digits of a number that is read here: any such number is its own canonical form.
const MOST_DIGITS: usize = 15;

/// A text and how far it is read.
pub(super) struct Text<'de> {
    text: &'de str,
    at: usize,
}

/// A string of the text, without its escapes.
pub(super) struct Plain<'de>(pub(super) Cow<'de, str>);

impl<'de> Plain<'de> {
    pub(super) fn visit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }
}

impl<'de> Text<'de> {
    pub(super) const fn new(text: &'de str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// What is not read yet.
    pub(super) fn rest(&self) -> Result<&'de str> {
        self.text.get(self.at..).ok_or(NotPlain)
    }

    /// What stands between here and where the reader stood before.
    pub(super) fn since(&self, begin: usize) -> Result<&'de str> {
        self.text.get(begin..self.at).ok_or(NotPlain)
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) const fn skip(&mut self, length: usize) {
        self.at = self.at.saturating_add(length);
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<()> {
        if self.peek() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        Err(NotPlain)
    }

    pub(super) fn word(&mut self, word: &str) -> Result<()> {
        if self.rest()?.starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        Err(NotPlain)
    }

    /// A whole number that is its own canonical form: whether it is negative, and its size.
    pub(super) fn number(&mut self) -> Result<(bool, u64)> {
        let negative = self.expect(b'-').is_ok();
        let (begin, mut size) = (self.at, 0_u64);
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            size = size.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        let digits = self.at - begin;
        let other = matches!(self.peek(), Some(b'.' | b'e' | b'E' | b'+' | b'-'));
        let zeros = size == 0 && (digits > 1 || negative) || size > 0 && self.byte(begin) == Some(b'0');
        if digits == 0 || digits > MOST_DIGITS || other || zeros {
            return Err(NotPlain);
        }
        Ok((negative, size))
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// A string, borrowed where it has no escapes.
    pub(super) fn string(&mut self) -> Result<Plain<'de>> {
        let begin = self.open()?;
        match self.run()? {
            b'"' => {
                let text = self.since(begin)?;
                self.at += 1;
                Ok(Plain(Cow::Borrowed(text)))
            }
            _ => self.escaped(begin),
        }
    }

    /// The name of a member: one with escapes is not plain, as its order is not that of its bytes.
    pub(super) fn name(&mut self) -> Result<&'de str> {
        let begin = self.open()?;
        if self.run()? != b'"' {
            return Err(NotPlain);
        }
        let name = self.since(begin)?;
        self.at += 1;
        Ok(name)
    }

    fn open(&mut self) -> Result<usize> {
        self.expect(b'"')?;
        Ok(self.at)
    }

    /// Goes on to the next quote or backslash, which it returns.
    fn run(&mut self) -> Result<u8> {
        let rest = self.text.as_bytes().get(self.at..).ok_or(NotPlain)?;
        let length = first_special(rest).ok_or(NotPlain)?;
        self.at += length;
        self.peek().filter(|byte| *byte > 0x1f).ok_or(NotPlain)
    }

    fn escaped(&mut self, begin: usize) -> Result<Plain<'de>> {
        let mut text = self.since(begin)?.to_owned();
        loop {
            if self.peek() == Some(b'"') {
                self.at += 1;
                return Ok(Plain(Cow::Owned(text)));
            }
            self.expect(b'\\')?;
            text.push(match self.peek().ok_or(NotPlain)? {
                b'"' => '"',
                b'\\' => '\\',
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                _ => return Err(NotPlain),
            });
            self.at += 1;
            let begin = self.at;
            self.run()?;
            text.push_str(self.since(begin)?);
        }
    }
}
