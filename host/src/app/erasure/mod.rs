//! Erasure: taking texts out of the record for good, by person, agent, record, class and age; what the running gate still
//! needs and what is on hold stays, and both are told in numbers. Each erasure is a record, and the rest still verifies.
//!
//! No SQL lives here, and nothing that decides who may act: what is erased was over, so that nothing depends on it.

mod by_two;
mod event;
mod forget;
mod holds;
mod kept;
mod ledger;
mod needed;
mod plan;
mod report;
mod retention;
mod run;
mod selection;
mod span;
mod told;

pub use by_two::{ConfirmedErasure, EndedErasure, ProposedErasure};
pub use event::{Erasure, Hold, HoldTarget, Lost};
pub use holds::HoldLine;
pub use kept::Kept;
pub use report::ErasureReport;
pub use retention::{Retention, RetentionError};
pub use selection::{Class, ErasureRequest};
pub use told::Erasures;
