//! How far two texts are the same.

/// Of which so many are compared at once.
const BLOCK: usize = 64;

/// How many bytes are surely the same at the beginning of both: as far as whole blocks go. It is here, and not where it is
/// used, as this crate is compiled for speed in the module, too.
pub fn same_blocks(one: &[u8], other: &[u8]) -> usize {
    let (one, other) = (one.as_chunks::<BLOCK>().0, other.as_chunks::<BLOCK>().0);
    let differ = |(one, other): (&[u8; BLOCK], &[u8; BLOCK])| {
        let words = one.as_chunks::<8>().0.iter().zip(other.as_chunks::<8>().0);
        words.fold(0, |differ, (one, other)| differ | (u64::from_ne_bytes(*one) ^ u64::from_ne_bytes(*other))) != 0
    };
    let blocks = one.len().min(other.len());
    one.iter().zip(other).position(differ).unwrap_or(blocks) * BLOCK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_ends_with_the_block_before_the_first_byte_that_differs() {
        for length in 0..300 {
            let text = vec![b'a'; length];
            assert_eq!(same_blocks(&text, &text), length / 64 * 64);
            assert_eq!(same_blocks(&text, &[b'a'; 130]), length.min(130) / 64 * 64);
            for at in 0..length {
                let mut other = text.clone();
                other[at] = b'b';
                assert_eq!(same_blocks(&text, &other), at / 64 * 64);
            }
        }
    }
}
