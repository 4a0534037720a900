//! JSON where it decides something: a strict reader (I-JSON, RFC 7493) and canonical bytes (RFC 8785).
//!
//! `serde_json` by itself keeps the last of two members with one name and rounds numbers silently. What is authorized,
//! signed or hashed is therefore read by [`read`] and written by [`to_canonical_bytes`], never by `serde_json` alone.

mod canonical;
mod number;
mod objects;
mod plain;
mod same;
mod scan;
mod special;
mod strict;

pub use canonical::{CanonicalError, to_canonical_bytes, write_canonical};
pub use objects::{object_as, read_object_as};
pub use plain::{Known, Raw, read_plain};
pub use same::same_blocks;
pub use strict::{Limits, ReadError, read, read_as};

/// The largest whole number that a JSON number holds exactly, 2^53 − 1; its negative is the smallest.
pub const LARGEST_INTEGER: i64 = (1 << 53) - 1;
