//! `/access/v1` and `/.well-known`: OpenID AuthZEN 1.0 and its Access Request and Approval Profile.

pub(super) mod discovery;
pub(super) mod evaluation;
pub(super) mod evaluations;
pub(super) mod requests;
pub(super) mod search;
