//! A stream to a client: what is to be said on it, and an end that tells when nobody listens any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::bounds::MOST_QUEUED;

/// Something to be said.
#[derive(Debug)]
pub enum Saying {
    /// A message on the way to an answer.
    Message(Vec<u8>),
    /// The answer, after which nothing comes, and the status that goes with it.
    Answer(Counted, u16),
}

/// Bytes that count for their reader, until they have left.
#[derive(Debug)]
pub struct Counted {
    bytes: Vec<u8>,
    unread: Arc<AtomicUsize>,
}

impl Counted {
    /// Bytes that nobody has read.
    pub fn new(bytes: Vec<u8>, unread: &Arc<AtomicUsize>) -> Self {
        unread.fetch_add(bytes.len(), Ordering::AcqRel);
        Self { bytes, unread: Arc::clone(unread) }
    }

    /// The same in another form.
    pub fn map(self, form: impl FnOnce(&[u8]) -> Vec<u8>) -> Self {
        Self::new(form(&self.bytes), &self.unread)
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

/// Both ends. Answers that were not read count in `unread`.
pub fn stream(unread: &Arc<AtomicUsize>) -> (Out, Listening) {
    let (sender, receiver) = unbounded_channel();
    let queued = Arc::new(AtomicUsize::new(0));
    (Out { sender, queued: Arc::clone(&queued), unread: Arc::clone(unread) }, Listening { receiver, queued })
}

impl Out {
    /// Says a message. Whether there was room: a client that does not read is not waited for.
    pub fn message(&self, message: Vec<u8>) -> bool {
        let length = message.len();
        if self.queued.fetch_add(length, Ordering::AcqRel).saturating_add(length) > MOST_QUEUED {
            self.queued.fetch_sub(length, Ordering::AcqRel);
            return false;
        }
        self.sender.send(Saying::Message(message)).is_ok()
    }

    /// Says the answer. There is one for each request, so there is always room.
    pub fn answer(self, message: Vec<u8>, status: u16) {
        // Whoever has gone hears nothing.
        let answer = Counted::new(message, &self.unread);
        let _gone = self.sender.send(Saying::Answer(answer, status));
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
        if let Saying::Message(message) = &saying {
            self.queued.fetch_sub(message.len(), Ordering::AcqRel);
        }
        Some(saying)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_that_does_not_read_holds_no_room_and_gets_its_answer_all_the_same() {
        let unread = Arc::new(AtomicUsize::new(0));
        let (out, mut listening) = stream(&unread);
        let said = (0..100).filter(|_| out.message(vec![b'x'; MOST_QUEUED / 8])).count();
        assert_eq!(said, 8);
        assert!(matches!(listening.next().await, Some(Saying::Message(_))));
        assert!(out.message(vec![b'x'; 16]), "what was read makes room");
        out.answer(b"done".to_vec(), 200);
        let mut last = None;
        while let Some(saying) = listening.next().await {
            last = Some(saying);
        }
        assert_eq!(unread.load(Ordering::Acquire), 4);
        assert!(matches!(last, Some(Saying::Answer(answer, 200)) if answer.as_ref() == b"done"));
        assert_eq!(unread.load(Ordering::Acquire), 0, "what has left counts no more");
        let (out, listening) = stream(&unread);
        drop(listening);
        assert!(!out.is_open() && !out.message(b"x".to_vec()));
    }
}
