//! One grant after another on the same questions: what all inputs of such previews have is written once.

use super::Preview;
use crate::grant::Grant;
use crate::json::{CanonicalError, to_canonical_bytes};

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
        // The members of an object stand in the order of their names.
        let before = [b"{\"at\":".to_vec(), to_canonical_bytes(at)?, b",\"grant\":".to_vec()].concat();
        let after = [
            b",\"others\":".to_vec(),
            to_canonical_bytes(others)?,
            b",\"question\":".to_vec(),
            to_canonical_bytes(question)?,
            b",\"v\":".to_vec(),
            to_canonical_bytes(v)?,
            b"}".to_vec(),
        ];
        Ok(Self { before, after: after.concat() })
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
    use crate::abi::ABI_VERSION;
    use crate::fixtures;
    use crate::time::Timestamp;

    #[test]
    fn an_input_is_what_it_would_be_if_it_were_written_whole() {
        let question = fixtures::question();
        let first = (*fixtures::candidate(fixtures::exact()).grant).clone();
        let second = Grant { id: "another \u{202e}\" one".into(), ..first.clone() };
        for others in [Vec::new(), vec![question.clone(), question.clone()]] {
            let at = Timestamp::from_millis(1_000);
            let whole = Preview { v: ABI_VERSION, question: question.clone(), grant: first.clone(), others, at };
            let previews = Previews::new(&whole).unwrap();
            for grant in [&first, &second] {
                let whole = Preview { grant: grant.clone(), ..whole.clone() };
                assert_eq!(previews.with(grant).unwrap(), to_canonical_bytes(&whole).unwrap());
            }
        }
    }
}
