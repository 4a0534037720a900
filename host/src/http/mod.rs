//! The gate over HTTP: the only place that knows status codes.
//!
//! One endpoint per file, with its handler and its place in the OpenAPI document. What a use case refuses becomes a
//! problem here; what it answers goes out as it is. Every body passes the strict reader first.

mod access;
mod api;
mod body;
mod caller;
mod cookie;
mod copy_metrics;
mod dashboard;
mod demo;
mod encoding;
mod file;
mod guard;
mod handshake;
mod headers;
mod health;
mod metrics;
pub mod openapi;
mod openmetrics;
mod policy;
mod problem;
mod room;
mod router;
mod server;
mod site;
mod tls_metrics;

pub use router::router;
pub use server::{serve, serve_tls};
pub use site::{ModuleFile, Site};
