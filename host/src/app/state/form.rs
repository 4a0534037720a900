//! What is believed, as bytes: what a snapshot of the record holds of it, and what two foldings are compared by.
//!
//! Every member of [`State`] is in it, and all that these hold: what is left out says beside it why a start does not need
//! it. It is read by the very build that wrote it, and by no other.

use super::{Entry, State};
use crate::store::{Aside, FoldError, Record};

impl State {
    /// The form. The same records in the same order have the same, byte for byte.
    pub fn form(&mut self) -> Result<Vec<u8>, FoldError> {
        self.accounts.settle();
        serde_json::to_vec(self).map_err(|error| unreadable(&error))
    }

    /// What has this form, at a start where everything has this version.
    pub fn of_form(floor: u64, form: &[u8]) -> Result<Self, FoldError> {
        let mut state: Self = serde_json::from_slice(form).map_err(|error| unreadable(&error))?;
        state.floor = floor;
        state.ownership.resume();
        state.resume_decisions();
        state.exceptions.values_mut().for_each(Entry::share);
        state.exceptions.values().for_each(|entry| state.held.follow(None, &entry.exception));
        Ok(state)
    }
}

/// No text of the form is told: it may be anybody's.
fn unreadable(error: &serde_json::Error) -> FoldError {
    FoldError { message: format!("{:?} at byte {} of line {}", error.classify(), error.column(), error.line()) }
}

impl Aside for State {
    fn resume(&mut self, form: &[u8]) -> Result<(), FoldError> {
        *self = Self::of_form(self.floor, form)?;
        Ok(())
    }

    fn history(&mut self, record: &Record) -> Result<(), FoldError> {
        self.apply(record).map(drop)
    }

    fn form(&mut self) -> Result<Vec<u8>, FoldError> {
        Self::form(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    /// Arguments of calls stand in the form, numbers with a fraction among them.
    #[test]
    fn a_number_of_the_form_is_read_as_the_one_that_was_written() {
        let mut bits = 1_u64;
        for _ in 0..20_000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let Some(number) = serde_json::Number::from_f64(f64::from_bits(bits)) else { continue };
            let form = serde_json::to_vec(&number).unwrap();
            let read: Value = serde_json::from_slice(&form).unwrap();
            assert_eq!(read, Value::Number(number), "{bits:x}");
        }
    }
}
