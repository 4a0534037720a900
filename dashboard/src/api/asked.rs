//! What this page asked the gate since it was opened, for somebody who wants to ask the same from a shell.

use std::cell::RefCell;

/// How many looks are remembered.
const MOST: usize = 12;

thread_local! {
    static ASKED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Something was looked at. The session itself is nobody's to ask from a shell.
pub(super) fn note(path: &str) {
    if path.starts_with("/api/v1/session") {
        return;
    }
    ASKED.with_borrow_mut(|asked| {
        if !asked.iter().any(|known| known == path) {
            asked.push(path.to_owned());
        }
        let too_many = asked.len().saturating_sub(MOST);
        asked.drain(..too_many);
    });
}

/// Another page was opened.
pub fn forget_asked() {
    ASKED.with_borrow_mut(Vec::clear);
}

/// The addresses, in the order in which they were first asked.
pub fn asked() -> Vec<String> {
    ASKED.with_borrow(Clone::clone)
}
