//! The wire types that host and dashboard share; no logic.
//!
//! JSON in snake_case. Requests may hold members that nobody reads: AuthZEN says to ignore them.

pub mod access_request;
pub mod activation;
pub mod acts;
pub mod agents;
pub mod authzen;
pub mod erasures;
pub mod exceptions;
pub mod findings;
pub mod operations;
pub mod ownership;
pub mod passkeys;
pub mod past;
pub mod people;
pub mod problem;
pub mod record;
pub mod retention;
pub mod reviews;
pub mod routing;
pub mod search;
pub mod session;
pub mod sessions;
pub mod sign_in;
pub mod stops;
pub mod what_if;
