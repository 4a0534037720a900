//! The permit: what an allow is made of.

use policy_core::outcome::Outcome;
use policy_core::sabotaged;

use super::evaluate::Made;
use crate::store::{AppendError, Log, Store};

/// The proof that a record which allows is durable.
///
/// INVARIANT (R1): only [`Permit::record`] makes one, after the append; a reply allows only by holding one. Others can
/// name it
/// ```
/// use proviso::app::Permit;
/// fn runs(_: &Permit) {}
/// ```
/// and cannot make one:
/// ```compile_fail
/// let permit = proviso::app::Permit { records: Vec::new() };
/// ```
#[derive(Debug)]
pub struct Permit {
    /// Where the records of the outcome stand.
    records: Vec<(Log, u64)>,
}

impl Permit {
    /// Writes the outcome down, and takes what is written out of it. A permit, where the outcome that is now durable allows.
    pub(super) async fn record(store: &dyn Store, made: &mut Made) -> Result<Option<Self>, AppendError> {
        let durable = if sabotaged!("r1_unrecorded") {
            None
        } else {
            Some(store.append(std::mem::take(&mut made.expected), std::mem::take(&mut made.records)).await)
        };
        let positions = match durable {
            Some(Err(_)) if sabotaged!("r1_failure_allows") => None,
            durable => durable.transpose()?,
        };
        let records = positions.map_or_else(Vec::new, |positions| positions.records);
        match made.decision.answer.outcome {
            Outcome::PermittedByScope | Outcome::PermittedByException => Ok(Some(Self { records })),
            Outcome::RequestableDenial | Outcome::Denial => Ok(None),
        }
    }

    /// Where the records of the outcome stand.
    pub(super) fn records(&self) -> &[(Log, u64)] {
        &self.records
    }
}
