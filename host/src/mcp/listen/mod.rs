//! Streamable HTTP: many callers, one upstream, in both protocol eras.
//!
//! A boundary and not advice: who calls is authenticated by the gate, the upstream's credential lies here alone, and
//! nothing that a caller holds travels on. What is judged, and how, is [`super::session`]'s, the same as over stdio; here
//! are callers, conversations, streams and their bounds. Nothing here decides a call.
//!
//! INVARIANT (R8): a caller whom the gate does not know, or a gate that is away, ends in a refusal before anything is read.

mod actor;
mod bearer;
mod book;
mod bounds;
mod callers;
mod entry;
mod event_stream;
mod exchange;
mod guard;
mod headers;
mod kept;
mod metadata;
mod options;
mod out;
mod parameters;
mod refusal;
mod server;
mod stops;
mod streams;
mod upstream;

pub use options::{BehindError, ListenOptions};
pub use server::Proxy;
