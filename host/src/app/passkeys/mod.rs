//! Passkeys of people: adding and ending them, signing in by one, and decisions that are signed by one.
//!
//! What an authenticator answers is verified by `audit_verify::webauthn`, the same code that checks the record; here stands
//! which challenge was meant, whose a passkey is, and what its counter tells. No HTTP.

mod act;
mod add;
mod asserted;
mod challenge;
mod cloned;
mod fresh;
mod list;
mod party;
mod shown;
mod sign_in;
mod vote;

pub(in crate::app) use act::Decided;
pub(in crate::app) use asserted::UsedPasskey;
pub(in crate::app) use shown::Shown;

use policy_core::time::Span;

use super::refusal::Refusal;

/// How strongly a passkey signs in, where the bundle's `step_ups` know the word.
pub(in crate::app) const ASSURANCE: &str = "webauthn";

/// For how long a passkey that is not its person's first counts for votes of the lowest tier alone. Whoever adds one to
/// somebody's session is seen by that person first.
const WAITS: Span = Span::from_seconds(86_400);

/// How many a person has at most.
const MOST: usize = 16;

/// Nothing is made or read where browsers make no passkeys.
fn unavailable() -> Refusal {
    let what = "this gate's address is none that browsers make passkeys for";
    Refusal::conflict("passkeys_unavailable", what)
}
