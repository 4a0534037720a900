//! The wire format of protocol buffers, as far as traces take it. Unknown fields are passed over, as the format says;
//! whatever is no message is refused.

use thiserror::Error;

/// The bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the body is no protocol buffer")]
pub struct NoMessage;

/// A field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field<'a> {
    /// A number of variable length.
    Varint(u64),
    /// Eight bytes.
    Fixed(u64),
    /// Text, bytes, or a message.
    Bytes(&'a [u8]),
    /// Four bytes: nothing that is read here has them.
    Other,
}

impl<'a> Field<'a> {
    /// The bytes of a text or a message.
    pub const fn bytes(self) -> Result<&'a [u8], NoMessage> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Varint(_) | Self::Fixed(_) | Self::Other => Err(NoMessage),
        }
    }

    /// A text.
    pub fn text(self) -> Result<&'a str, NoMessage> {
        std::str::from_utf8(self.bytes()?).map_err(|_| NoMessage)
    }

    /// A number.
    pub const fn number(self) -> Result<u64, NoMessage> {
        match self {
            Self::Varint(number) | Self::Fixed(number) => Ok(number),
            Self::Bytes(_) | Self::Other => Err(NoMessage),
        }
    }
}

/// The fields of a message, one after the other: each with its number.
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    /// The next field; nothing at the end.
    pub fn next(&mut self) -> Result<Option<(u64, Field<'a>)>, NoMessage> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let field = match key & 7 {
            0 => Field::Varint(self.varint()?),
            1 => Field::Fixed(u64::from_le_bytes(self.take(8)?.try_into().map_err(|_| NoMessage)?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| NoMessage)?;
                Field::Bytes(self.take(length)?)
            }
            5 => {
                self.take(4)?;
                Field::Other
            }
            // Groups are long gone, and six and seven never were.
            _ => return Err(NoMessage),
        };
        if key >> 3 == 0 { Err(NoMessage) } else { Ok(Some((key >> 3, field))) }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], NoMessage> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(NoMessage)?;
        self.0 = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, NoMessage> {
        let mut number = 0u64;
        for shift in (0..70).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(NoMessage)?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte holds one bit.
            if shift == 63 && bits > 1 {
                return Err(NoMessage);
            }
            number |= bits << shift.min(63);
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(NoMessage)
    }
}

/// One field of a text or a message, for an answer.
pub(super) fn put_bytes(message: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    message.push((number << 3) | 2);
    put_varint(message, bytes.len() as u64);
    message.extend_from_slice(bytes);
}

/// One field of a number, for an answer.
pub(super) fn put_number(message: &mut Vec<u8>, number: u8, value: u64) {
    message.push(number << 3);
    put_varint(message, value);
}

fn put_varint(message: &mut Vec<u8>, mut value: u64) {
    loop {
        let byte = u8::try_from(value & 0x7f).unwrap_or_default();
        value >>= 7;
        if value == 0 {
            message.push(byte);
            return;
        }
        message.push(byte | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<(u64, Field<'_>)>, NoMessage> {
        let mut fields = Fields(bytes);
        let mut found = Vec::new();
        while let Some(field) = fields.next()? {
            found.push(field);
        }
        Ok(found)
    }

    #[test]
    fn fields_are_read_as_the_format_writes_them() {
        // The examples of the format's own description: 150, "testing", and eight bytes.
        assert_eq!(all(&[0x08, 0x96, 0x01]), Ok(vec![(1, Field::Varint(150))]));
        let testing = [&[0x12, 0x07][..], b"testing"].concat();
        assert_eq!(all(&testing), Ok(vec![(2, Field::Bytes(b"testing"))]));
        assert_eq!(all(&[0x39, 1, 0, 0, 0, 0, 0, 0, 0]), Ok(vec![(7, Field::Fixed(1))]));
        assert_eq!(all(&[0x3d, 1, 0, 0, 0]), Ok(vec![(7, Field::Other)]));
        let most = [&[0x08][..], &[0xff; 9], &[0x01]].concat();
        assert_eq!(all(&most), Ok(vec![(1, Field::Varint(u64::MAX))]));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for bytes in [
            &[0x08][..],
            &[0x08, 0x96],
            &[0x12, 0x07, b't'],
            &[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            &[0x39, 1, 0],
            &[0x0b],
            &[0x00, 0x01],
            &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
            &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        ] {
            assert_eq!(all(bytes), Err(NoMessage), "{bytes:?}");
        }
    }

    #[test]
    fn an_answer_is_what_a_reader_reads() {
        let mut message = Vec::new();
        put_number(&mut message, 1, 300);
        put_bytes(&mut message, 2, "two".as_bytes());
        assert_eq!(all(&message), Ok(vec![(1, Field::Varint(300)), (2, Field::Bytes(b"two"))]));
    }
}
