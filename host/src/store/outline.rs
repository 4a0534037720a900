//! What memory keeps of each leaf beside its hash, so that a list of the record reads from the disk only what it may tell.
//!
//! It comes from the leaves' verified bytes and is no authority: whoever finds a place by it reads the record there.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::leaf::Leaf;
use policy_core::time::Timestamp;

/// What is looked for. All of it has to fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sought {
    /// Of one of these kinds; of any where there is none.
    pub kinds: BTreeSet<String>,
    /// In one of these streams; absent: in any. More may be found than stand in them.
    pub streams: Option<BTreeSet<String>>,
    /// From this time on.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
}

/// A place in a log, and when its record was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighted {
    /// The position.
    pub seq: u64,
    /// The leaf's time.
    pub at: Timestamp,
}

/// How many leaves are looked at while the writer waits: some hundred microseconds.
const PART: usize = 1 << 16;
/// How many bytes a leaf is written in.
const LINE: usize = 14;

/// One leaf: 16 bytes.
#[derive(Debug, Clone, Copy)]
struct Line {
    at: i64,
    stream: u32,
    kind: u16,
}

/// The leaves of a log, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Outline {
    kinds: BTreeMap<String, u16>,
    lines: Vec<Line>,
}

impl Outline {
    /// Takes the next leaf.
    pub(super) fn push(&mut self, leaf: &Leaf) {
        let kind = self.number(&leaf.kind);
        self.lines.push(Line { at: leaf.at.millis(), stream: hashed(&leaf.stream), kind });
    }

    /// Takes over what was built behind this, under numbers of its own.
    pub(super) fn append(&mut self, behind: Self) {
        let ours: BTreeMap<u16, u16> = behind.kinds.iter().map(|(kind, theirs)| (*theirs, self.number(kind))).collect();
        let renumbered = |line: Line| Line { kind: ours.get(&line.kind).copied().unwrap_or(u16::MAX), ..line };
        self.lines.extend(behind.lines.into_iter().map(renumbered));
    }

    /// The kinds in their order, and each leaf's time, stream and the place of its kind among these. Whatever the order was
    /// in which they were met, the same leaves have the same.
    pub(super) fn to_bytes(&self) -> (Vec<String>, Vec<u8>) {
        let places: BTreeMap<u16, u16> = self.kinds.values().copied().zip(0..).collect();
        let mut bytes = Vec::with_capacity(self.lines.len().saturating_mul(LINE));
        for Line { at, stream, kind } in &self.lines {
            bytes.extend(at.to_le_bytes());
            bytes.extend(stream.to_le_bytes());
            bytes.extend(places.get(kind).copied().unwrap_or(u16::MAX).to_le_bytes());
        }
        (self.kinds.keys().cloned().collect(), bytes)
    }

    /// Reads what [`Self::to_bytes`] wrote. Absent: it did not.
    pub(super) fn from_bytes(kinds: Vec<String>, bytes: &[u8]) -> Option<Self> {
        let (lines, rest) = bytes.as_chunks::<LINE>();
        if !rest.is_empty() {
            return None;
        }
        let line = |bytes: &[u8; LINE]| {
            let (at, rest) = bytes.split_first_chunk::<8>()?;
            let (stream, kind) = rest.split_first_chunk::<4>()?;
            let kind = u16::from_le_bytes(kind.try_into().ok()?);
            Some(Line { at: i64::from_le_bytes(*at), stream: u32::from_le_bytes(*stream), kind })
        };
        let lines: Vec<Line> = lines.iter().map(line).collect::<Option<_>>()?;
        Some(Self { kinds: kinds.into_iter().zip(0..).collect(), lines })
    }

    /// How many leaves it has.
    pub(super) const fn len(&self) -> usize {
        self.lines.len()
    }

    /// A kind's number. There are as many kinds as the releases that wrote the log know: some hundred.
    fn number(&mut self, kind: &str) -> u16 {
        if let Some(number) = self.kinds.get(kind) {
            return *number;
        }
        let number = u16::try_from(self.kinds.len()).unwrap_or(u16::MAX);
        self.kinds.insert(kind.to_owned(), number);
        number
    }

    /// Of a part before `end` at most `most` places that fit, the newest first; and where the part begins: before that
    /// nothing was looked at yet.
    pub(super) fn part(&self, end: u64, sought: &Sought, most: usize) -> (Vec<Sighted>, u64) {
        let end = usize::try_from(end).unwrap_or(usize::MAX).min(self.lines.len());
        let kinds: Option<BTreeSet<u16>> = (!sought.kinds.is_empty())
            .then(|| sought.kinds.iter().filter_map(|kind| self.kinds.get(kind)).copied().collect());
        let streams: Option<BTreeSet<u32>> =
            sought.streams.as_ref().map(|streams| streams.iter().map(|stream| hashed(stream)).collect());
        // Nothing that this log ever held: it is not walked for that.
        if kinds.as_ref().is_some_and(BTreeSet::is_empty) || streams.as_ref().is_some_and(BTreeSet::is_empty) {
            return (Vec::new(), 0);
        }
        let from = end.saturating_sub(PART);
        let (since, until) = (sought.since.map(Timestamp::millis), sought.until.map(Timestamp::millis));
        let fits = |line: &Line| {
            kinds.as_ref().is_none_or(|kinds| kinds.contains(&line.kind))
                && streams.as_ref().is_none_or(|streams| streams.contains(&line.stream))
                && since.is_none_or(|since| line.at >= since)
                && until.is_none_or(|until| line.at < until)
        };
        let lines = self.lines.iter().enumerate().take(end).skip(from).rev().filter(|(_, line)| fits(line)).take(most);
        // A position in memory is one in the log.
        let place = |at: usize| u64::try_from(at).unwrap_or(u64::MAX);
        let found = lines.map(|(seq, line)| Sighted { seq: place(seq), at: Timestamp::from_millis(line.at) }).collect();
        (found, place(from))
    }

    #[cfg(test)]
    pub(super) fn before(&self, end: u64, sought: &Sought, most: usize) -> Vec<Sighted> {
        before(end, most, |end, most| self.part(end, sought, most))
    }
}

/// At most `most` places before `end`, the newest first, looked for in one part after another: whoever holds what the
/// writer waits for lets go of it between two. A log only grows, so that what comes before a part stays what it is.
pub(super) fn before(end: u64, most: usize, part: impl Fn(u64, usize) -> (Vec<Sighted>, u64)) -> Vec<Sighted> {
    let (mut end, mut found) = (end, Vec::new());
    while end > 0 && found.len() < most {
        let (some, from) = part(end, most.saturating_sub(found.len()));
        found.extend(some);
        end = from;
    }
    found
}

/// FNV-1a. Two streams that meet only make a record be read in vain.
fn hashed(stream: &str) -> u32 {
    stream.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(seq: u64, kind: &str, stream: &str, at: i64) -> Leaf {
        Leaf {
            v: 1,
            log: "ledger".to_owned(),
            seq,
            at: Timestamp::from_millis(at),
            kind: kind.to_owned(),
            stream: stream.to_owned(),
            after: None,
            outcome: None,
            policies: Vec::new(),
            module: None,
            bundle: None,
            commitments: BTreeMap::new(),
        }
    }

    #[test]
    fn places_are_found_by_kind_stream_and_time_newest_first_and_no_more_than_wanted() {
        let (mut outline, mut behind) = (Outline::default(), Outline::default());
        // A clock that ran back in between.
        for (seq, (kind, stream, at)) in
            [("a", "x", 10), ("b", "y", 20), ("a", "y", 15), ("a", "x", 30), ("b", "x", 40)].into_iter().enumerate()
        {
            // The last are a batch of their own, which met the kinds in another order.
            let of = if seq < 1 { &mut outline } else { &mut behind };
            of.push(&leaf(seq as u64, kind, stream, at));
        }
        outline.append(behind);
        let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
        let time = |at: i64| Some(Timestamp::from_millis(at));
        let found = |end: u64, most: usize, sought: &Sought| -> Vec<u64> {
            outline.before(end, sought, most).into_iter().map(|sighted| sighted.seq).collect()
        };
        let any = Sought::default();
        for (sought, expected) in [
            (any.clone(), vec![4, 3, 2, 1, 0]),
            (Sought { kinds: set(&["a"]), ..any.clone() }, vec![3, 2, 0]),
            (Sought { kinds: set(&["a", "b"]), ..any.clone() }, vec![4, 3, 2, 1, 0]),
            (Sought { kinds: set(&["never"]), ..any.clone() }, vec![]),
            (Sought { streams: Some(set(&["y"])), ..any.clone() }, vec![2, 1]),
            (Sought { streams: Some(set(&[])), ..any.clone() }, vec![]),
            (Sought { since: time(15), until: time(30), ..any.clone() }, vec![2, 1]),
            (Sought { kinds: set(&["b"]), streams: Some(set(&["x"])), since: time(40), until: None }, vec![4]),
        ] {
            assert_eq!(found(u64::MAX, 10, &sought), expected, "{sought:?}");
        }
        // Written and read, it is the same, and the order in which the kinds were met is not told.
        let (kinds, bytes) = outline.to_bytes();
        assert_eq!((kinds.as_slice(), bytes.len()), (["a".to_owned(), "b".to_owned()].as_slice(), 5 * LINE));
        let read = Outline::from_bytes(kinds.clone(), &bytes).unwrap();
        assert_eq!(read.to_bytes(), (kinds.clone(), bytes.clone()));
        assert_eq!(read.before(9, &Sought { kinds: set(&["b"]), ..any.clone() }, 9).len(), 2);
        assert!(Outline::from_bytes(kinds, &bytes[1..]).is_none());
        assert_eq!(found(3, 2, &any), vec![2, 1]);
        assert_eq!(found(0, 2, &any), Vec::<u64>::new());
        assert_eq!(outline.before(5, &any, 1), vec![Sighted { seq: 4, at: Timestamp::from_millis(40) }]);
        assert_eq!(std::mem::size_of::<Line>(), 16);
    }

    #[test]
    fn a_long_log_is_looked_through_in_parts_and_nothing_is_left_out() {
        let mut outline = Outline::default();
        let rare = [0, 1, PART as u64 - 1, PART as u64, 2 * PART as u64, 2 * PART as u64 + 7];
        for seq in 0..2 * PART as u64 + 8 {
            outline.push(&leaf(seq, if rare.contains(&seq) { "rare" } else { "often" }, "x", 0));
        }
        let of = |kind: &str| Sought { kinds: [kind.to_owned()].into(), ..Sought::default() };
        let parts = std::cell::RefCell::new(Vec::new());
        let found = |end: u64, most: usize, sought: &Sought| -> Vec<u64> {
            parts.borrow_mut().clear();
            let found = before(end, most, |end, most| {
                let part = outline.part(end, sought, most);
                parts.borrow_mut().push(end - part.1);
                part
            });
            found.into_iter().map(|sighted| sighted.seq).collect()
        };
        let all: Vec<u64> = rare.iter().rev().copied().collect();
        assert_eq!(found(u64::MAX, 100, &of("rare")), all);
        assert_eq!(parts.borrow()[1..], [PART as u64, 8], "each part is bounded, and the last is what is left");
        assert_eq!(found(PART as u64, 100, &of("rare")), [PART as u64 - 1, 1, 0]);
        assert_eq!(*parts.borrow(), [PART as u64]);
        // No further than is wanted.
        assert_eq!(found(u64::MAX, 2, &of("rare")), all[..2]);
        assert_eq!(parts.borrow().len(), 1);
        assert_eq!(found(u64::MAX, 3, &of("rare")), all[..3]);
        assert_eq!(found(u64::MAX, 5, &of("never")), [0; 0]);
        assert_eq!(parts.borrow().len(), 1, "what the log never held is not walked for");
        assert_eq!(found(u64::MAX, 3, &of("often")).len(), 3);
        assert_eq!(found(0, 3, &of("often")), [0; 0]);
    }
}
