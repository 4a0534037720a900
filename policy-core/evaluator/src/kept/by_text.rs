//! What was made of texts, found again by the very text: the bytes are compared, and no digest stands in for them.

use std::cmp::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use policy_core::json::same_blocks;

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// How many texts.
    pub(super) most: usize,
    /// How long they are in all, in bytes.
    pub(super) bytes: usize,
    /// The longest text that is kept at all.
    pub(super) longest: usize,
}

/// What was made of whole objects, or of whole arrays, by their text. No whole one begins another whole one of its kind,
/// so at most one of them can begin a text.
#[derive(Debug)]
pub(super) struct ByText<T> {
    bounds: Bounds,
    kept: Mutex<Sorted<T>>,
}

#[derive(Debug)]
pub(super) struct Sorted<T> {
    pub(super) texts: Vec<(Box<str>, Arc<T>)>,
    pub(super) bytes: usize,
}

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self { texts: Vec::new(), bytes: 0 }
    }
}

impl<T> ByText<T> {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, kept: Mutex::default() }
    }

    /// What was made of the text that `rest` begins with, and how long that is.
    pub(super) fn at(&self, rest: &str) -> Option<(usize, Arc<T>)> {
        let sorted = self.sorted();
        let place = sorted.place(rest).ok()?;
        let (text, made) = sorted.texts.get(place)?;
        Some((text.len(), Arc::clone(made)))
    }

    /// What was made of this text.
    pub(super) fn of(&self, text: &str) -> Option<Arc<T>> {
        self.at(text).filter(|(length, _)| *length == text.len()).map(|(_, made)| made)
    }

    /// Keeps what was made of a text. When it is full all else is dropped, so that no question can hold another's place.
    pub(super) fn keep(&self, text: &str, made: &Arc<T>) {
        if text.len() > self.bounds.longest {
            return;
        }
        let mut sorted = self.sorted();
        let Err(mut place) = sorted.place(text) else { return };
        if sorted.texts.len() >= self.bounds.most || sorted.bytes.saturating_add(text.len()) > self.bounds.bytes {
            (*sorted, place) = (Sorted::default(), 0);
        }
        sorted.texts.insert(place, (text.into(), Arc::clone(made)));
        sorted.bytes = sorted.bytes.saturating_add(text.len());
    }

    pub(super) fn sorted(&self) -> MutexGuard<'_, Sorted<T>> {
        // Nothing that holds the lock leaves the texts half done.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Sorted<T> {
    /// Where the text stands that `rest` begins with, or where `rest` itself would.
    fn place(&self, rest: &str) -> Result<usize, usize> {
        self.texts.binary_search_by(|(text, _)| beside(text.as_bytes(), rest.as_bytes()))
    }
}

/// How a text stands to the beginning of another one that is as long. Blocks at once while they are the same, then eight
/// bytes: inside the module nothing compares more than one.
fn beside(text: &[u8], rest: &[u8]) -> Ordering {
    let length = text.len().min(rest.len());
    let (ours, theirs) = (text.get(..length).unwrap_or_default(), rest.get(..length).unwrap_or_default());
    let same = same_blocks(ours, theirs);
    let (ours, theirs) = (ours.get(same..).unwrap_or_default(), theirs.get(same..).unwrap_or_default());
    let ((ours, our_end), (their_words, their_end)) = (ours.as_chunks::<8>(), theirs.as_chunks::<8>());
    for (our, their) in ours.iter().zip(their_words) {
        if u64::from_ne_bytes(*our) != u64::from_ne_bytes(*their) {
            return u64::from_be_bytes(*our).cmp(&u64::from_be_bytes(*their));
        }
    }
    our_end.cmp(their_end).then(text.len().cmp(&length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUNDS: Bounds = Bounds { most: 4, bytes: 100, longest: 40 };

    #[test]
    fn a_known_text_is_found_at_the_beginning_of_another_and_nowhere_else() {
        let kept = ByText::new(BOUNDS);
        let texts = ["[\"a\"]", "[\"b\"]", "[\"ba\"]", "[\"bab bab bab bab bab\"]"];
        for text in texts {
            assert_eq!(kept.at(text), None);
            kept.keep(text, &Arc::new(text));
            assert_eq!(kept.of(text), Some(Arc::new(text)));
        }
        for text in texts {
            assert_eq!(kept.at(&format!("{text},1]")), Some((text.len(), Arc::new(text))));
            assert_eq!(kept.of(&format!("{text},1]")), None);
            assert_eq!(kept.at(text.strip_suffix(']').unwrap()), None);
            // One byte that differs is another text.
            for at in 0..text.len() {
                let mut other = text.as_bytes().to_vec();
                other[at] ^= 1;
                assert_eq!(kept.at(&String::from_utf8(other).unwrap()), None, "{text} at {at}");
            }
        }
        assert_eq!((kept.at(""), kept.at("zzz"), kept.at("[")), (None, None, None));
    }

    #[test]
    fn what_is_kept_is_bounded_and_dropped_as_a_whole() {
        let kept = ByText::new(BOUNDS);
        let text = |number: usize, length: usize| format!("[{number:0>width$}]", width = length - 2);
        let size = || {
            let sorted = kept.sorted();
            (sorted.texts.len(), sorted.bytes)
        };
        for number in 0..4 {
            kept.keep(&text(number, 10), &Arc::new(number));
            kept.keep(&text(number, 10), &Arc::new(number));
        }
        assert_eq!(size(), (4, 40));
        // Too long to be kept, and for nothing dropped.
        kept.keep(&text(4, 41), &Arc::new(4));
        assert_eq!((size(), kept.of(&text(4, 41))), ((4, 40), None));
        kept.keep(&text(5, 10), &Arc::new(5));
        assert_eq!(size(), (1, 10));
        kept.keep(&text(6, 40), &Arc::new(6));
        kept.keep(&text(7, 40), &Arc::new(7));
        assert_eq!(size(), (3, 90));
        kept.keep(&text(8, 11), &Arc::new(8));
        assert_eq!((size(), kept.of(&text(8, 11))), ((1, 11), Some(Arc::new(8))));
    }

    proptest! {
        #[test]
        fn a_text_stands_to_another_as_its_bytes_do(same in 0_usize..200, text in "[ab]{0,20}", rest in "[ab]{0,90}") {
            let (text, rest) = ("a".repeat(same) + &text, "a".repeat(same) + &rest);
            let begins = rest.as_bytes().get(..text.len());
            let expected = begins.map_or_else(|| text.as_bytes().cmp(rest.as_bytes()), |begin| text.as_bytes().cmp(begin));
            prop_assert_eq!(beside(text.as_bytes(), rest.as_bytes()), expected);
        }

        #[test]
        fn whatever_is_kept_is_found(numbers in prop::collection::vec(0_usize..2000, 0..30)) {
            let kept = ByText::new(Bounds { most: 20, bytes: 10_000, longest: 1_000 });
            for number in numbers {
                let text = format!("[{number}]");
                kept.keep(&text, &Arc::new(number));
                prop_assert_eq!(kept.of(&text), Some(Arc::new(number)));
                let sorted = kept.sorted();
                prop_assert!(sorted.texts.is_sorted_by(|(one, _), (other, _)| one < other) && sorted.texts.len() <= 20);
                prop_assert_eq!(sorted.texts.iter().map(|(text, _)| text.len()).sum::<usize>(), sorted.bytes);
            }
        }
    }
}
