//! What must be seen in the text itself, before a parser turns it into values: depth, numbers as they are written, and
//! string escapes that stand for no character.

use super::number;
use super::strict::ReadError;

/// Looks at a text once. What is no JSON at all is left to the parser.
///
/// # Errors
/// For too many levels, a number that would be rounded, and a string that holds a control character, an unknown escape
/// or half a surrogate pair.
pub(super) fn scan(text: &str, max_depth: usize) -> Result<(), ReadError> {
    // Byte by byte: all that matters here is ASCII, and no byte of another character is.
    let mut rest = text.bytes().enumerate().peekable();
    let mut depth = 0usize;
    while let Some((at, byte)) = rest.next() {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth > max_depth {
                    return Err(ReadError::TooDeep { at, limit: max_depth });
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => string(&mut rest)?,
            b'-' | b'0'..=b'9' => {
                let mut number = String::from(char::from(byte));
                while let Some((_, more)) =
                    rest.next_if(|(_, next)| next.is_ascii_digit() || matches!(next, b'+' | b'-' | b'.' | b'e' | b'E'))
                {
                    number.push(char::from(more));
                }
                if !number::is_exact(&number) {
                    return Err(ReadError::BadNumber { at });
                }
            }
            _ => {}
        }
    }
    Ok(())
}

type Rest<'a> = std::iter::Peekable<std::iter::Enumerate<std::str::Bytes<'a>>>;

/// The rest of a string, its opening quote read. One that does not end is left to the parser.
fn string(rest: &mut Rest<'_>) -> Result<(), ReadError> {
    while let Some((at, byte)) = rest.next() {
        match byte {
            b'"' => return Ok(()),
            0..=0x1f => return Err(ReadError::BadString { at }),
            b'\\' => match rest.next() {
                Some((_, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')) => {}
                Some((_, b'u')) => surrogates(rest, at)?,
                _ => return Err(ReadError::BadString { at }),
            },
            _ => {}
        }
    }
    Ok(())
}

/// The rest of a `\u` escape: one character, or the first half of a pair with the second after it.
fn surrogates(rest: &mut Rest<'_>, at: usize) -> Result<(), ReadError> {
    let bad = ReadError::BadString { at };
    match unit(rest) {
        Some(0xd800..=0xdbff) => {
            let escaped = rest.next().map(|(_, c)| c) == Some(b'\\') && rest.next().map(|(_, c)| c) == Some(b'u');
            if escaped && matches!(unit(rest), Some(0xdc00..=0xdfff)) { Ok(()) } else { Err(bad) }
        }
        Some(0xdc00..=0xdfff) | None => Err(bad),
        Some(_) => Ok(()),
    }
}

/// Four hexadecimal digits.
fn unit(rest: &mut Rest<'_>) -> Option<u32> {
    (0..4).try_fold(0, |unit, _| Some(unit * 16 + char::from(rest.next()?.1).to_digit(16)?))
}
