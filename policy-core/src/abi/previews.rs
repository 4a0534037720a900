//! One grant after another on the same questions: what all inputs of such previews have is written once.

use super::{ABI_VERSION, Preview};
use crate::grant::Grant;
use crate::json::{CanonicalError, to_canonical_bytes, write_canonical};
use crate::question::SealedQuestion;
use crate::time::Timestamp;

/// The inputs of previews that differ in their grant alone, as canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previews {
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Previews {
    /// Of this preview; its own grant is one of many.
    ///
    /// # Errors
    /// When a part has no canonical form.
    pub fn new(preview: &Preview) -> Result<Self, CanonicalError> {
        let Preview { v, question, grant: _, others, at } = preview;
        Self::around(*v, question, *at, |bytes| write_canonical(others, bytes))
    }

    /// Of recorded denials as they were written down, each canonical JSON that is handed on as it stands.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn over<'a>(
        question: &SealedQuestion,
        others: impl IntoIterator<Item = &'a str>,
        at: Timestamp,
    ) -> Result<Self, CanonicalError> {
        Self::around(ABI_VERSION, question, at, |bytes| {
            bytes.push(b'[');
            for (position, other) in others.into_iter().enumerate() {
                if position > 0 {
                    bytes.push(b',');
                }
                bytes.extend_from_slice(other.as_bytes());
            }
            bytes.push(b']');
            Ok(())
        })
    }

    /// The members of an object stand in the order of their names.
    fn around(
        v: u32,
        question: &SealedQuestion,
        at: Timestamp,
        others: impl FnOnce(&mut Vec<u8>) -> Result<(), CanonicalError>,
    ) -> Result<Self, CanonicalError> {
        let mut before = b"{\"at\":".to_vec();
        write_canonical(&at, &mut before)?;
        before.extend_from_slice(b",\"grant\":");
        let mut after = b",\"others\":".to_vec();
        others(&mut after)?;
        after.extend_from_slice(b",\"question\":");
        write_canonical(question, &mut after)?;
        after.extend_from_slice(b",\"v\":");
        write_canonical(&v, &mut after)?;
        after.push(b'}');
        Ok(Self { before, after })
    }

    /// The input that tries this grant.
    ///
    /// # Errors
    /// When the grant has no canonical form.
    pub fn with(&self, grant: &Grant) -> Result<Vec<u8>, CanonicalError> {
        Ok([self.before.as_slice(), &to_canonical_bytes(grant)?, &self.after].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn an_input_is_what_it_would_be_if_it_were_written_whole() {
        let question = fixtures::question();
        let first = (*fixtures::candidate(fixtures::exact()).grant).clone();
        let second = Grant { id: "another \u{202e}\" one".into(), ..first.clone() };
        for others in [Vec::new(), vec![question.clone(), question.clone()]] {
            let at = Timestamp::from_millis(1_000);
            let whole = Preview { v: ABI_VERSION, question: question.clone(), grant: first.clone(), others, at };
            let previews = Previews::new(&whole).unwrap();
            let recorded =
                whole.others.iter().map(|other| String::from_utf8(to_canonical_bytes(other).unwrap()).unwrap());
            let recorded: Vec<String> = recorded.collect();
            assert_eq!(Previews::over(&question, recorded.iter().map(String::as_str), at).unwrap(), previews);
            for grant in [&first, &second] {
                let whole = Preview { grant: grant.clone(), ..whole.clone() };
                assert_eq!(previews.with(grant).unwrap(), to_canonical_bytes(&whole).unwrap());
            }
        }
    }
}
