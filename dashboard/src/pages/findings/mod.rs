//! Findings: what ran otherwise than it was approved. The list, and one finding with evidence beside decision.

mod acts;
mod detail;
mod list;

pub use detail::Finding;
pub use list::Findings;
