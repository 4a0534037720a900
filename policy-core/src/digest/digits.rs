//! Bytes as lower-case hexadecimal digits, eight digits in one word: each question and each record holds several digests,
//! and inside the module a loop over single digits costs as much as a small policy does.

const EACH: u64 = 0x0101_0101_0101_0101;
const LOW_HALVES: u64 = 0x0f * EACH;
/// From the digit of ten, were it to follow that of nine, to `a`.
const TO_LETTERS: u64 = 0x27;

/// The digits of four bytes.
pub(super) fn written(bytes: [u8; 4]) -> [u8; 8] {
    let mut word = u64::from(u32::from_le_bytes(bytes));
    // Each byte moves to where its first digit will stand.
    word = (word | word << 16) & 0x0000_ffff_0000_ffff;
    word = (word | word << 8) & 0x00ff_00ff_00ff_00ff;
    as_text((word >> 4 | word << 8) & LOW_HALVES).to_le_bytes()
}

/// The four bytes that these are the digits of.
pub(super) fn read(digits: [u8; 8]) -> Option<[u8; 4]> {
    let text = u64::from_le_bytes(digits);
    let halves = (text & LOW_HALVES) + (text >> 6 & EACH) * 9;
    // What is no digit would be written otherwise, or is none of sixteen.
    if halves & !LOW_HALVES != 0 || as_text(halves) != text {
        return None;
    }
    let mut word = (halves << 4 | halves >> 8) & 0x00ff_00ff_00ff_00ff;
    word = (word | word >> 8) & 0x0000_ffff_0000_ffff;
    let [b0, b1, _, _, b2, b3, ..] = word.to_le_bytes();
    Some([b0, b1, b2, b3])
}

/// Each byte, less than sixteen, as its digit.
const fn as_text(halves: u64) -> u64 {
    let letters = (halves + 6 * EACH) >> 4 & EACH;
    halves + b'0' as u64 * EACH + letters * TO_LETTERS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_written_as_others_write_it_and_read_again_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for at in 0..4 {
                let mut bytes = [0x5a, 0xa5, 0x0f, 0xf0];
                bytes[at] = byte;
                let expected: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(written(bytes), expected.as_bytes());
                assert_eq!(read(written(bytes)), Some(bytes));
            }
        }
    }

    #[test]
    fn whatever_is_no_digit_is_refused_wherever_it_stands() {
        for other in (0..=u8::MAX).filter(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            for around in *b"09af" {
                for at in 0..8 {
                    let mut digits = [around; 8];
                    digits[at] = other;
                    assert_eq!(read(digits), None, "{digits:?}");
                }
            }
            assert_eq!(read([other; 8]), None, "{other}");
        }
    }
}
