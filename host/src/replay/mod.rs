//! Asks recorded questions again (R10): on the module and bundle that each record names, or on a bundle that is proposed.
//!
//! It reads any source of records, writes nothing into it, and holds what it reads against the record's leaves and
//! signed heads, so that inputs that were altered cannot come to agree with an outcome that was altered along with them.
//! No HTTP, no SQL, no state of a gate: what cannot be told from the record is counted under its own name, and never as
//! agreeing.

mod again;
mod bench;
mod classes;
mod compared;
mod deal;
mod judged;
mod kept;
mod proposed;
mod reseal;
mod run;
mod searched;
mod span;
mod spool;

pub use classes::{Counts, Disagreement};
pub use compared::{Compared, compare};
pub use kept::ModuleFiles;
pub use proposed::{Change, ChangeKind, Proposed, Side};
pub use run::{Replay, ReplayError, Report};
pub use span::{Bound, Span, instant};
pub use spool::Spool;
