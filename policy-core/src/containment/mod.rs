//! What lies inside what: a call inside a grant (R3), a scope inside a scope (R5).
//!
//! Decided by structure alone. No policy is evaluated here, and nothing here is told the time but by argument. The
//! module confirms what [`covers`] finds as a Cedar permit; the two must agree, and either one refusing is a refusal.

mod across;
mod arguments;
mod check;
mod covers;
mod order;
mod path;
mod within;

#[cfg(test)]
mod across_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use across::{lies_inside_grant, overlaps_grant};
pub use arguments::{input_names, pins_arguments};
pub use check::{BadScope, check_scope, smallest};
pub use covers::{Dimension, Miss, amounts, covers};
pub use order::{open_dimensions, order};
pub use path::{is_inside, is_normal_path};
pub use within::{Widening, within};
