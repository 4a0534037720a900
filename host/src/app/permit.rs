//! The permit: what an allow is made of.

use policy_core::outcome::Outcome;
use policy_core::sabotaged;

use super::evaluate::Made;
use crate::store::{AppendError, Store};

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
/// let permit = proviso::app::Permit(());
/// ```
#[derive(Debug)]
pub struct Permit(());

impl Permit {
    /// Writes the outcome down. A permit, where the outcome that is now durable allows.
    pub(super) async fn record(store: &dyn Store, made: &Made) -> Result<Option<Self>, AppendError> {
        let durable = if sabotaged!("r1_unrecorded") {
            None
        } else {
            Some(store.append(made.expected.clone(), made.records.clone()).await)
        };
        if !sabotaged!("r1_failure_allows") {
            durable.transpose()?;
        }
        match made.decision.answer.outcome {
            Outcome::PermittedByScope | Outcome::PermittedByException => Ok(Some(Self(()))),
            Outcome::RequestableDenial | Outcome::Denial => Ok(None),
        }
    }
}
