//! A token that the proxy holds. One that came from a file is looked at again while the proxy runs, so that whoever mints
//! the next one before this one ends hands it over by writing the file.

use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use tokio::time::Instant;

use super::options::read_token;

/// How old what was read may be.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// A token, and where the next one comes from.
pub(super) struct HeldToken {
    file: Option<PathBuf>,
    good_for: Duration,
    held: RwLock<Held>,
}

struct Held {
    token: String,
    looked: Instant,
}

impl HeldToken {
    /// This one, and from then on what the file holds, where there is one.
    pub(super) fn new(token: String, file: Option<PathBuf>) -> Self {
        Self { file, good_for: LOOK_AGAIN, held: RwLock::new(Held { token, looked: Instant::now() }) }
    }

    /// The token as it is now. A file that cannot be read, or holds none, leaves it as it was: it may be being written.
    pub(super) fn now(&self) -> String {
        let Some(file) = &self.file else { return self.last() };
        if self.held.read().unwrap_or_else(PoisonError::into_inner).looked.elapsed() < self.good_for {
            return self.last();
        }
        let read = read_token(file);
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.looked = Instant::now();
        if let Ok(Some(token)) = read {
            held.token = token;
        }
        held.token.clone()
    }

    /// From now on this one, by whoever brings it.
    pub(super) fn renew(&self, token: &str) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if held.token != token {
            token.clone_into(&mut held.token);
        }
    }

    fn last(&self) -> String {
        self.held.read().unwrap_or_else(PoisonError::into_inner).token.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_written_anew_is_followed_and_one_that_is_none_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let held = HeldToken { good_for: Duration::ZERO, ..HeldToken::new("first".to_owned(), Some(file.clone())) };
        assert_eq!(held.now(), "first", "no file is no other token");
        std::fs::write(&file, "second\n").unwrap();
        assert_eq!(held.now(), "second");
        for text in ["", "\n", "two words", "\u{e9}"] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(held.now(), "second", "{text:?}");
        }
        std::fs::write(&file, [0xff]).unwrap();
        assert_eq!(held.now(), "second");
        // Within a while it is not looked at, and without a file never.
        std::fs::write(&file, "third").unwrap();
        let patient = HeldToken::new("first".to_owned(), Some(file));
        assert_eq!(patient.now(), "first");
        let plain = HeldToken { good_for: Duration::ZERO, ..HeldToken::new("first".to_owned(), None) };
        plain.renew("fourth");
        assert_eq!(plain.now(), "fourth");
    }
}
