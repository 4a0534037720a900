//! Evidence in the forms of others: spans of OpenTelemetry, and lines of OCSF. Each reader turns it into what the gate
//! records, or says what is wrong with it.
//!
//! Pure: no I/O, no clock, and no word on what a piece is worth. That is said by who brings it.

mod attributes;
pub mod ocsf;
pub mod otlp;
mod protobuf;

use policy_core::digest::Digest;
use policy_core::json::{self, Limits};
use serde_json::Value;

/// The digest of arguments, as the gate makes it of a call: nothing where they are no object, or have no canonical form.
fn digest_of(arguments: &Value) -> Option<Digest> {
    arguments.is_object().then(|| Digest::of_json(arguments).ok()).flatten()
}

/// The same of arguments as text.
fn digest_of_text(text: &str) -> Option<Digest> {
    digest_of(&json::read(text.as_bytes(), Limits::DEFAULT).ok()?)
}
