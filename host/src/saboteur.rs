//! Chooses the planted fault of a test build by the environment: see [`policy_core::saboteur`].

use policy_core::saboteur::{NAMES, VARIABLE, choose};

/// Plants the fault that the environment names.
#[expect(clippy::panic, reason = "only test builds have this: a fault that nobody knows must not pass as caught")]
pub fn plant() {
    let Ok(name) = std::env::var(VARIABLE) else { return };
    match NAMES.iter().position(|known| *known == name) {
        Some(position) => choose(position),
        None => panic!("no fault is called `{name}`"),
    }
}
