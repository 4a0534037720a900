//! Signing in by a provider: what is asked of it, what a sign-in under way is bound to, and whose account it is.
//!
//! Providers are reached by `sign_in` of the host, through [`IdentityProvider`]; no HTTP here, and no cryptography but the
//! gate's own codes.

mod attempt;
mod begin;
mod finish;
mod leave;
mod ways;

pub(in crate::app) use attempt::{Attempts, same};
pub use begin::{Begun, FLOW_LIFE};
pub use finish::Arrival;
pub use ways::{
    Asked, Authenticated, GroupClaim, IdentityProvider, LoggedOut, ProviderAnswer, ProviderFault, Way, Ways,
};
