//! Where the record goes besides: heads to files, webhooks and witnesses, and all of it to copies.
//!
//! Nothing here decides anything, and the writer waits for none of it: each receiver has a lane of its own, which reads
//! what is durable, sends it, and tries again. What a lane holds in memory is one tile. What a receiver already holds is
//! looked at first: one that holds another record, or more of this one than there is, is left as it is and told to the
//! app, which begins an epoch (docs/restore.md).

mod address;
mod bucket;
mod collector;
mod config;
mod copier;
mod cosigner;
mod erasing;
mod folder;
mod gather;
mod heads;
mod lane;
mod mirror;
mod patience;
mod remote;
mod shelf;
mod sigv4;
mod sink;
mod start;
mod webhook;
mod witness;

pub(crate) use address::{Address, Answer};
pub use config::{Places, Record, RecordFileError};
pub use start::{first_look, start};
