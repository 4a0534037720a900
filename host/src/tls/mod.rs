//! TLS at the gate's own listener: a certificate with its key, read from files and kept fresh while the gate runs; and
//! whether the other end is asked for one.
//!
//! No HTTP lives here, no use case, and no word on who is at the other end: a certificate of ours says who *we* are. A new
//! pair that is not good never takes the place of one that was.

mod certificate;
mod clients;
mod keeper;

pub use certificate::{Loaded, Pair, TlsError};
pub use keeper::{Keeper, Standing};
