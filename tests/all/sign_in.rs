//! Signing in by a provider of OpenID Connect: by one of our own that can be wrong in exactly one thing, over HTTP.

mod accounts;
mod afresh;
mod attempts;
pub(crate) mod browser;
mod groups;
mod linked;
mod other_author;
pub(crate) mod provider;
mod sessions;
mod strength;
mod tokens;
