//! What the page knows of all exceptions: those that are open or live as a whole, those that are over page by page, and
//! what the gate said to have changed since.

use std::collections::BTreeMap;

use policy_core::time::Timestamp;
use proviso_api::exceptions::{AttentionLine, ExceptionLine, ExceptionList};

/// How much of what is over is here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Over {
    /// Nothing was asked for yet.
    #[default]
    Nothing,
    /// Some, and how the next page is asked for.
    Some(String),
    /// All of it.
    All,
}

/// The lines that the page knows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Book {
    lines: BTreeMap<String, ExceptionLine>,
    /// The newest ledger position that it stands for.
    pub position: u64,
    /// How much of what is over is here.
    pub over: Over,
    /// How much of this person's day is used.
    pub attention: Option<AttentionLine>,
    /// The bundle's tiers, from weakest to strongest.
    pub tiers: Vec<String>,
    /// When the gate last said something.
    pub heard_at: Option<Timestamp>,
}

impl Book {
    /// All lines, by id.
    pub fn lines(&self) -> Vec<ExceptionLine> {
        self.lines.values().cloned().collect()
    }

    /// One line.
    pub fn line(&self, id: &str) -> Option<&ExceptionLine> {
        self.lines.get(id)
    }

    /// Takes all that is open or live. What was and is not among it has ended or is not to be seen any more: it goes, until
    /// the gate says what it is now. Answers overtake each other: an older one changes nothing.
    pub fn take_current(&mut self, list: ExceptionList) {
        if list.position < self.position {
            return;
        }
        self.lines.retain(|_, line| !is_current(line));
        self.take(list);
    }

    /// Takes what has changed.
    pub fn take_changes(&mut self, list: ExceptionList) {
        if list.position >= self.position {
            self.take(list);
        }
    }

    /// Takes a page of what is over. A line that is known already stays as the newer answer said it.
    pub fn take_over(&mut self, list: ExceptionList) {
        self.over = list.next.map_or(Over::All, Over::Some);
        for line in list.exceptions {
            self.lines.entry(line.id.clone()).or_insert(line);
        }
    }

    fn take(&mut self, list: ExceptionList) {
        self.position = list.position;
        self.heard_at = Some(list.now);
        self.attention = list.attention;
        if !list.tiers.is_empty() {
            self.tiers = list.tiers;
        }
        self.lines.extend(list.exceptions.into_iter().map(|line| (line.id.clone(), line)));
    }
}

fn is_current(line: &ExceptionLine) -> bool {
    matches!(line.state.as_str(), "requested" | "unconfirmed" | "granted" | "not_active" | "suspended")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view_model::samples::{at, line};

    fn list(position: u64, exceptions: Vec<ExceptionLine>, next: Option<&str>) -> ExceptionList {
        let next = next.map(str::to_owned);
        ExceptionList { now: at(position), position, exceptions, next, attention: None, tiers: vec!["low".into()] }
    }

    fn told(book: &Book) -> Vec<(String, String)> {
        book.lines().into_iter().map(|line| (line.id, line.state)).collect()
    }

    #[test]
    fn what_ended_meanwhile_is_what_the_gate_says_it_is_now() {
        let mut book = Book::default();
        book.take_current(list(5, vec![line("a", "requested", true), line("b", "granted", false)], None));
        book.take_over(list(5, vec![line("z", "denied", false)], Some("more")));
        assert_eq!(book.over, Over::Some("more".into()));
        book.take_changes(list(7, vec![line("a", "denied", false)], None));
        book.take_current(list(7, vec![line("b", "granted", false)], None));
        let expected = [("a", "denied"), ("b", "granted"), ("z", "denied")];
        assert_eq!(told(&book), expected.map(|(id, state)| (id.to_owned(), state.to_owned())));
        assert_eq!((book.position, book.tiers.len(), book.heard_at), (7, 1, Some(at(7))));
    }

    #[test]
    fn an_answer_that_was_overtaken_changes_nothing() {
        let mut book = Book::default();
        book.take_current(list(9, vec![line("a", "granted", false)], None));
        book.take_current(list(8, vec![line("a", "requested", true)], None));
        book.take_changes(list(8, vec![line("a", "requested", true)], None));
        // Nor does a page that was asked for before.
        book.take_over(list(7, vec![line("a", "denied", false)], None));
        assert_eq!(told(&book), [("a".to_owned(), "granted".to_owned())]);
        assert_eq!(book.over, Over::All);
    }

    #[test]
    fn what_is_not_to_be_seen_any_more_goes() {
        let mut book = Book::default();
        book.take_current(list(1, vec![line("a", "requested", true)], None));
        book.take_current(list(2, Vec::new(), None));
        assert!(book.lines().is_empty() && book.line("a").is_none());
    }
}
