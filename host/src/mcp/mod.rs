//! The MCP proxy: an enforcement point between agents' clients and one tool server, over stdio or Streamable HTTP.
//!
//! Lines of JSON-RPC, read strictly and otherwise left as they came, so that members nobody here knows survive.
//! [`session`] is a state machine that knows no I/O; [`shell`] moves bytes over stdio, [`listen`] messages over HTTP; [`gate`]
//! speaks HTTP to the gate.
//! The proxy links neither the store nor the use cases: it is a client of the gate like any other, with an enforcement
//! point's credential and the agent's.
//!
//! What it promises: a message that the strict reader refuses goes nowhere; every request besides each era's short list
//! is a question to the gate, in both directions; the gate away means deny; a gated call leaves as the canonical bytes
//! whose digest the gate judged, within the seconds of that allow; a call that was begun and not finished is of unknown
//! outcome, never "not run".

mod catalog;
mod era;
mod gate;
mod held_token;
mod lines;
mod listen;
mod message;
mod meta;
mod options;
mod own_tools;
mod question;
mod reply;
pub(crate) mod sentences;
mod session;
mod shell;
mod start_error;
#[cfg(test)]
mod tests;
mod witness;

pub use listen::{BehindError, ListenOptions, Proxy};
pub use options::{Options, OptionsError};
pub use shell::run;
pub use start_error::StartError;
