//! What another bundle changes of the one that is: whether it is proved narrower, and of which people it says something
//! else. Told by structure alone; nothing here evaluates, and what cannot be proved is not proved.

mod named;
mod narrower;
mod tree;

pub use named::named;
pub use narrower::{Narrowing, Step, StepKind, narrowing};

#[cfg(test)]
mod tests;
