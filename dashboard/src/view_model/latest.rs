//! One request in flight, and of what came in the meantime only the newest: how a preview keeps up with an approver who
//! edits faster than it evaluates.

/// What to send next, and which answers still count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latest<T> {
    next: u64,
    in_flight: Option<u64>,
    waiting: Option<T>,
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self { next: 1, in_flight: None, waiting: None }
    }
}

impl<T> Latest<T> {
    /// Asks for this. What is given back is to be sent now, with its number.
    pub fn ask(&mut self, request: T) -> Option<(u64, T)> {
        if self.in_flight.is_some() {
            self.waiting = Some(request);
            return None;
        }
        Some(self.send(request))
    }

    /// Number `seq` was answered. Says whether the answer is to be shown: it is not when something newer was asked for.
    /// What is given back besides is to be sent now.
    pub fn answered(&mut self, seq: u64) -> (bool, Option<(u64, T)>) {
        if self.in_flight != Some(seq) {
            return (false, None);
        }
        self.in_flight = None;
        match self.waiting.take() {
            Some(request) => (false, Some(self.send(request))),
            None => (true, None),
        }
    }

    /// Whether an answer is awaited.
    pub const fn is_busy(&self) -> bool {
        self.in_flight.is_some()
    }

    fn send(&mut self, request: T) -> (u64, T) {
        let seq = self.next;
        self.next += 1;
        self.in_flight = Some(seq);
        (seq, request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_of_what_waits_is_sent_and_shown() {
        let mut latest = Latest::default();
        assert_eq!(latest.ask("a"), Some((1, "a")));
        assert_eq!(latest.ask("b"), None);
        assert_eq!(latest.ask("c"), None);
        assert_eq!(latest.answered(1), (false, Some((2, "c"))), "a newer edit hides the answer to the older");
        assert_eq!(latest.answered(1), (false, None), "an answer that nobody awaits is dropped");
        assert_eq!(latest.answered(2), (true, None));
        assert!(!latest.is_busy());
        assert_eq!(latest.ask("d"), Some((3, "d")));
    }
}
