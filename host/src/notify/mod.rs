//! Bringing what happened to people's notice: signed webhooks and mails, sent from the outbox.
//!
//! Nothing here decides anything, and nothing waits for it: a receiver that hangs holds up what is for that receiver
//! alone. What is sent is a link; whoever wants to know, or to decide, signs in.

mod address;
mod backoff;
mod config;
mod courier;
mod mail;
mod signature;
#[cfg(test)]
pub(crate) mod testing;
mod webhook;

pub use address::{Guard, PrivateAddress};
pub(crate) use config::Place;
pub use config::{ConfigError, Email, Notify, Tls, Webhook};
pub use courier::start;
pub use signature::Secret;
pub(crate) use signature::signatures;
