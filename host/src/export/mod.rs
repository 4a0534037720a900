//! Records as others read them: OCSF for a SIEM, CSV for a table, JSON with proofs for whoever believes nothing, and
//! lines of a list for a page.
//!
//! Pure: a record in, bytes out, in memory that does not grow with the record. Where the records come from and where the
//! bytes go is the caller's matter. No HTTP, no SQL, no state of a gate; what is told is what the record holds.

mod exporter;
mod filter;
mod finding;
mod line;
mod matter;
mod ocsf;
mod table;
mod told;

pub use exporter::{Exporter, Format, Unreadable};
pub use filter::{Filter, Wanted};
pub use line::{line, withhold};
pub use matter::{Matter, matter};
