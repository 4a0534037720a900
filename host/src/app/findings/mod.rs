//! Findings: what ran held against what was approved, and what people do about the differences.
//!
//! Evidence is recorded here, compared by [`crate::reconcile`], and what is found becomes events of the ledger. Nothing
//! here is on the way of a decision: what acts by itself does so by a lock or a revoke like anybody else's.

mod accounts;
mod acts;
mod book;
mod event;
mod evidence;
mod facts;
mod job;
mod offline;
mod run;
mod traces;
mod view;

pub use accounts::Accounts;
pub use book::Findings;
pub(in crate::app) use event::FindingFacts;
pub use event::{EVIDENCE, EvidenceRecord, FindingEvent};
pub use evidence::{Brought, MOST_TOGETHER};
pub(in crate::app) use facts::finding_id;
pub use job::keep_reconciling;
pub use offline::reconcile_offline;
pub use run::Report;
pub use traces::Taken;
pub use view::FindingFilter;
