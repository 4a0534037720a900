//! The lifecycle's rules, each with the abuse beside the use, and what holds of every history.

mod grants;
mod properties;
mod votes;
mod wire;
