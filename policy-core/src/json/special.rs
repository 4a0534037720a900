//! Bytes that mean something inside a string of a JSON text.

/// Where the first quote, backslash or control character is. Eight bytes are looked at together: a loop for each byte is
/// what a reader in a sandbox spends most of its time in.
pub(super) fn first_special(bytes: &[u8]) -> Option<usize> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = EACH << 7;
    let of = |byte: u8| EACH * u64::from(byte);
    let (words, end) = bytes.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let (quote, backslash) = (word ^ of(b'"'), word ^ of(b'\\'));
        // Of bytes that are zero, or below 0x20, the highest bit is set here. Above one that is so, another one may seem
        // to be; the first one is.
        let zero = |word: u64| word.wrapping_sub(EACH) & !word;
        let found = (zero(quote) | zero(backslash) | word.wrapping_sub(of(0x20)) & !word) & HIGH;
        if found != 0 {
            return Some(number * 8 + usize::try_from(found.trailing_zeros() / 8).ok()?);
        }
    }
    let at = end.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
    Some(words.len() * 8 + at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one_by_one(bytes: &[u8]) -> Option<usize> {
        bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))
    }

    #[test]
    fn each_byte_is_told_apart_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for around in [b'a', 0x20, 0x21, 0x7f, 0x80, 0xff] {
                for length in 1..20 {
                    for at in 0..length {
                        let mut bytes = vec![around; length];
                        bytes[at] = byte;
                        assert_eq!(first_special(&bytes), one_by_one(&bytes), "{bytes:?}");
                    }
                }
            }
        }
        assert_eq!(first_special(b""), None);
    }

    proptest! {
        #[test]
        fn the_first_one_is_found(bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0x1e_u8..0x24, 0x5a_u8..0x5e], 0..40)) {
            prop_assert_eq!(first_special(&bytes), one_by_one(&bytes));
        }
    }
}
