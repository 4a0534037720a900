//! A stream to a client: what is to be said on it, and an end that tells when nobody listens any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::bounds::{MOST_QUEUED, MOST_UNREAD};
use super::kept::Place;

/// Something to be said.
#[derive(Debug)]
pub enum Saying {
    /// That there is a stream, from this place on where it can be taken up again; and after how many milliseconds.
    Opens(Option<Place>, Option<u64>),
    /// A message on the way to an answer, and its place.
    Message(Counted, Option<Place>),
    /// The answer, after which nothing comes, its place, and the status that goes with it.
    Answer(Counted, Option<Place>, u16),
}

/// Bytes that count for their reader, until they have left.
#[derive(Debug)]
pub struct Counted {
    bytes: Bytes,
    unread: Arc<AtomicUsize>,
}

impl Counted {
    /// Bytes that nobody has read.
    pub fn new(bytes: Bytes, unread: &Arc<AtomicUsize>) -> Self {
        unread.fetch_add(bytes.len(), Ordering::AcqRel);
        Self { bytes, unread: Arc::clone(unread) }
    }

    /// The same in another form.
    pub fn map(self, form: impl FnOnce(&[u8]) -> Vec<u8>) -> Self {
        Self::new(form(&self.bytes).into(), &self.unread)
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.unread.fetch_sub(self.bytes.len(), Ordering::AcqRel);
    }
}

/// Where a conversation writes.
#[derive(Debug)]
pub struct Out {
    sender: UnboundedSender<Saying>,
    queued: Arc<AtomicUsize>,
    unread: Arc<AtomicUsize>,
}

/// Where a stream reads.
#[derive(Debug)]
pub struct Listening {
    receiver: UnboundedReceiver<Saying>,
    queued: Arc<AtomicUsize>,
}

/// Both ends. What was not read counts in `unread`, with all else that its agent does not read.
pub fn stream(unread: &Arc<AtomicUsize>) -> (Out, Listening) {
    let (sender, receiver) = unbounded_channel();
    let queued = Arc::new(AtomicUsize::new(0));
    (Out { sender, queued: Arc::clone(&queued), unread: Arc::clone(unread) }, Listening { receiver, queued })
}

impl Out {
    /// Says that there is a stream, whenever its first message comes.
    pub fn opens(&self, place: Option<Place>, retry: Option<u64>) {
        // Whoever has gone hears nothing.
        let _gone = self.sender.send(Saying::Opens(place, retry));
    }

    /// Says a message. Whether there was room: a client that does not read is not waited for, and neither is an agent
    /// that has many of them.
    pub fn message(&self, message: Bytes, place: Option<Place>) -> bool {
        let length = message.len();
        let queued = self.queued.load(Ordering::Acquire).saturating_add(length);
        if queued > MOST_QUEUED || self.unread.load(Ordering::Acquire) >= MOST_UNREAD {
            return false;
        }
        // One conversation alone says something on a stream: nobody else adds to this.
        self.queued.fetch_add(length, Ordering::AcqRel);
        self.sender.send(Saying::Message(Counted::new(message, &self.unread), place)).is_ok()
    }

    /// Says the answer. There is one for each request, so there is always room.
    pub fn answer(self, message: Bytes, place: Option<Place>, status: u16) {
        // Whoever has gone hears nothing.
        let answer = Counted::new(message, &self.unread);
        let _gone = self.sender.send(Saying::Answer(answer, place, status));
    }

    /// Whether anybody listens.
    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }
}

impl Listening {
    /// The next thing said; nothing when the conversation has ended.
    pub async fn next(&mut self) -> Option<Saying> {
        let saying = self.receiver.recv().await?;
        if let Saying::Message(message, _) = &saying {
            self.queued.fetch_sub(message.as_ref().len(), Ordering::AcqRel);
        }
        Some(saying)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn large(bytes: usize) -> Bytes {
        vec![b'x'; bytes].into()
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_holds_no_room_and_gets_its_answer_all_the_same() {
        let unread = Arc::new(AtomicUsize::new(0));
        let (out, mut listening) = stream(&unread);
        let said = (0..100).filter(|_| out.message(large(MOST_QUEUED / 8), None)).count();
        assert_eq!(said, 8);
        assert!(matches!(listening.next().await, Some(Saying::Message(..))));
        assert!(out.message(large(16), None), "what was read makes room");
        out.answer("done".into(), None, 200);
        let mut last = None;
        while let Some(saying) = listening.next().await {
            last = Some(saying);
        }
        assert_eq!(unread.load(Ordering::Acquire), 4);
        assert!(matches!(last, Some(Saying::Answer(answer, None, 200)) if answer.as_ref() == b"done"));
        assert_eq!(unread.load(Ordering::Acquire), 0, "what has left counts no more");
        let (out, listening) = stream(&unread);
        drop(listening);
        assert!(!out.is_open() && !out.message("x".into(), None));
    }

    #[tokio::test]
    async fn an_agent_that_reads_none_of_its_streams_holds_no_more_than_its_own_bound() {
        let unread = Arc::new(AtomicUsize::new(0));
        let streams: Vec<_> = (0..128).map(|_| stream(&unread)).collect();
        for (out, _) in &streams {
            while out.message(large(MOST_QUEUED / 4), None) {}
        }
        assert_eq!(unread.load(Ordering::Acquire), MOST_UNREAD);
        // Another agent has room of its own.
        let (other, _listening) = stream(&Arc::default());
        assert!(other.message(large(16), None));
        drop(streams);
        assert_eq!(unread.load(Ordering::Acquire), 0, "what nobody will read any more counts no more");
    }
}
