//! The gate: all of Proviso's I/O behind one binary.
//!
//! ```text
//! cli, demo ─▶ http ─▶ app ─▶ store, identity        mcp and demo speak to a gate over HTTP alone
//!                       ▲
//!                     gate (implements app's `Engine` and `GrantIndex`)
//! ```
//!
//! `notify` sends what `app` has written into the outbox, and stands in nobody's way.
//!
//! `app` names no HTTP and no SQL; only `http` knows status codes; only `gate` names the Wasm runtime; only `clock` and
//! `random` read time and randomness. `demo` names neither `store` nor `app`.

pub mod app;
pub mod assets;
pub mod cli;
pub mod clock;
pub mod copies;
pub mod demo;
pub mod doctor;
pub mod evidence;
pub mod export;
pub mod gate;
mod grant_states;
pub mod heap;
pub mod http;
pub mod identity;
pub mod mcp;
pub mod notify;
mod pairs;
pub mod random;
pub mod reconcile;
pub mod remedies;
pub mod replay;
#[cfg(saboteur)]
pub mod saboteur;
pub mod sign_in;
pub mod signing;
pub mod socket;
pub mod store;
pub mod tls;
pub mod trust;
mod whole_file;
// One way to wait for all tests.
#[cfg(test)]
#[path = "../../tests/src/until.rs"]
mod until;
