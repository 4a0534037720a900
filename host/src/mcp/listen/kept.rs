//! What the streams of a session said, kept within a bound for whoever takes one up again (until 2025-11-25): each event
//! has a place, and what came after a place can be said once more.
//!
//! What is kept counts with what the session's agent has not read, and gives way to it: whoever reads nothing holds no more
//! by having many sessions, and whoever reads all is not refused for what is kept.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Bytes;

use super::bounds::{EVENT, MOST_HELD, MOST_KEPT};

/// The stream on which a session speaks by itself. Those of requests have the numbers of those who first listened.
pub const GENERAL: u64 = 0;

/// A place on a stream: the id of an event, behind which a client goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which stream.
    pub stream: u64,
    /// How many events came before, with this one.
    pub number: u64,
}

impl Place {
    /// The place that a client names in `Last-Event-ID`; nothing where it is none.
    pub fn read(text: &str) -> Option<Self> {
        let (stream, number) = text.split_once('-')?;
        let whole = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        Some(Self { stream: whole(stream)?, number: whole(number)? })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.stream, self.number)
    }
}

/// Something that was said.
#[derive(Debug, Clone)]
pub struct Event {
    /// Where.
    pub place: Place,
    /// What.
    pub message: Bytes,
    /// Whether it is the answer, after which nothing comes.
    pub is_answer: bool,
}

#[derive(Debug, Default)]
struct Stream {
    events: VecDeque<Event>,
    last: u64,
    is_over: bool,
}

/// All that is kept of one session.
#[derive(Debug, Default)]
pub struct Kept {
    streams: BTreeMap<u64, Stream>,
    /// Whose events came in which order: the oldest is forgotten first, whichever stream it is of.
    order: VecDeque<u64>,
    bytes: usize,
    /// What its agent has not read, and what is kept for it, here and in its other sessions.
    unread: Arc<AtomicUsize>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.unread.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

impl Kept {
    /// Nothing yet; what will be counts here.
    pub fn counted(unread: &Arc<AtomicUsize>) -> Self {
        Self { streams: BTreeMap::new(), order: VecDeque::new(), bytes: 0, unread: Arc::clone(unread) }
    }

    /// Where a stream stands, which begins here if it is a new one.
    pub fn place(&mut self, stream: u64) -> Place {
        Place { stream, number: self.streams.entry(stream).or_default().last }
    }

    /// Keeps a message. Its place.
    pub fn say(&mut self, stream: u64, message: &Bytes) -> Place {
        self.keep(stream, message, false)
    }

    /// Keeps the answer, which ends the stream. Its place.
    pub fn answer(&mut self, stream: u64, message: &Bytes) -> Place {
        let place = self.keep(stream, message, true);
        self.end(stream);
        place
    }

    /// Nothing more will be said on a stream.
    pub fn end(&mut self, stream: u64) {
        if let Some(one) = self.streams.get_mut(&stream) {
            one.is_over = true;
            if one.events.is_empty() {
                self.streams.remove(&stream);
            }
        }
    }

    /// What came after a place, as far as it is kept. Nothing where there is no such stream, or no such place on it.
    pub fn after(&self, place: Place) -> Option<Vec<Event>> {
        let stream = self.streams.get(&place.stream).filter(|stream| place.number <= stream.last)?;
        Some(stream.events.iter().filter(|event| event.place.number > place.number).cloned().collect())
    }

    fn keep(&mut self, stream: u64, message: &Bytes, is_answer: bool) -> Place {
        let one = self.streams.entry(stream).or_default();
        one.last = one.last.saturating_add(1);
        let place = Place { stream, number: one.last };
        let size = message.len().saturating_add(EVENT);
        // What would push out everything and itself is said, and not kept.
        if size <= MOST_KEPT {
            one.events.push_back(Event { place, message: message.clone(), is_answer });
            self.order.push_back(stream);
            self.bytes = self.bytes.saturating_add(size);
            self.unread.fetch_add(size, Ordering::AcqRel);
        }
        while (self.bytes > MOST_KEPT || self.unread.load(Ordering::Acquire) > MOST_HELD)
            && let Some(oldest) = self.order.pop_front()
        {
            self.forget(oldest);
        }
        place
    }

    fn forget(&mut self, stream: u64) {
        let Some(one) = self.streams.get_mut(&stream) else { return };
        if let Some(event) = one.events.pop_front() {
            let size = event.message.len().saturating_add(EVENT);
            self.bytes = self.bytes.saturating_sub(size);
            self.unread.fetch_sub(size, Ordering::AcqRel);
        }
        if one.is_over && one.events.is_empty() {
            self.streams.remove(&stream);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(kept: &Kept, text: &str) -> Option<Vec<String>> {
        let events = kept.after(Place::read(text)?)?;
        Some(events.iter().map(|event| String::from_utf8_lossy(&event.message).into_owned()).collect())
    }

    #[test]
    fn a_stream_goes_on_behind_the_place_that_was_heard_and_nowhere_else() {
        let mut kept = Kept::default();
        assert_eq!(kept.place(7).to_string(), "7-0");
        assert_eq!(kept.say(7, &"a".into()).to_string(), "7-1");
        assert_eq!(kept.say(8, &"other".into()).to_string(), "8-1");
        assert_eq!(kept.say(7, &"b".into()).to_string(), "7-2");
        assert_eq!(kept.answer(7, &"done".into()).to_string(), "7-3");
        for (place, expected) in [
            ("7-0", Some(vec!["a", "b", "done"])),
            ("7-2", Some(vec!["done"])),
            ("7-3", Some(vec![])),
            ("8-0", Some(vec!["other"])),
            ("7-4", None),
            ("9-0", None),
            ("7", None),
            ("7-+1", None),
            ("-1", None),
            ("99999999999999999999-0", None),
            ("", None),
        ] {
            let expected = expected.map(|all: Vec<&str>| all.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(after(&kept, place), expected, "{place}");
        }
        kept.end(8);
        assert_eq!(after(&kept, "8-0"), Some(vec!["other".to_owned()]), "what was said stays, though no more comes");
    }

    #[test]
    fn what_is_kept_has_a_bound_and_the_oldest_goes_first() {
        let mut kept = Kept::default();
        let half = Bytes::from(vec![b'x'; MOST_KEPT / 2 - EVENT]);
        kept.answer(1, &half);
        kept.say(2, &half);
        assert_eq!(kept.after(Place { stream: 1, number: 0 }).map(|events| events.len()), Some(1));
        kept.say(2, &"one more".into());
        assert!(kept.after(Place { stream: 1, number: 0 }).is_none(), "a stream that is over and forgotten is none");
        assert_eq!(kept.after(Place { stream: 2, number: 0 }).map(|events| events.len()), Some(2));
        // An answer that has no room is said and forgotten, and nothing else is forgotten for it.
        kept.answer(3, &Bytes::from(vec![b'x'; MOST_KEPT]));
        assert!(kept.after(Place { stream: 3, number: 0 }).is_none());
        assert_eq!(kept.after(Place { stream: 2, number: 0 }).map(|events| events.len()), Some(2));
        // Of very many small ones no more are kept than have room with what they cost besides their bytes.
        for number in 0..100_000 {
            kept.answer(number + 10, &"x".into());
        }
        assert!(kept.streams.len() <= MOST_KEPT / EVENT && kept.bytes <= MOST_KEPT);
        assert!(kept.order.len() <= MOST_KEPT / EVENT);
    }

    #[test]
    fn what_is_kept_counts_for_its_agent_and_gives_way_to_what_is_unread() {
        let unread = Arc::new(AtomicUsize::new(0));
        let size = MOST_KEPT / 4;
        let message = Bytes::from(vec![b'x'; size - EVENT]);
        let held = || unread.load(Ordering::Acquire);
        let mut sessions: Vec<Kept> = (0..64).map(|_| Kept::counted(&unread)).collect();
        for kept in &mut sessions {
            for _ in 0..8 {
                kept.say(GENERAL, &message);
            }
        }
        // Each alone is within its bound, and all together within theirs: whoever reads all has the rest to go on with.
        assert_eq!(held(), MOST_HELD);
        assert!(sessions.iter().all(|kept| kept.bytes <= MOST_KEPT));
        assert_eq!(sessions.iter().map(|kept| kept.bytes).sum::<usize>(), MOST_HELD, "what is counted is kept");
        assert_eq!(sessions[63].after(Place { stream: GENERAL, number: 0 }).map(|events| events.len()), Some(0));
        // What is not read takes its room: a session that says more keeps less, and nothing else is taken from it.
        unread.fetch_add(size * 2, Ordering::AcqRel);
        sessions[0].say(GENERAL, &message);
        assert_eq!((held(), sessions[0].bytes), (MOST_HELD, size * 2));
        // A session that is over holds nothing, and others have room again.
        unread.fetch_sub(size * 2, Ordering::AcqRel);
        drop(sessions.drain(1..63));
        let last = &mut sessions[1];
        last.say(GENERAL, &message);
        assert_eq!((last.bytes, held()), (size, size * 3));
        drop(sessions);
        assert_eq!(held(), 0);
    }
}
