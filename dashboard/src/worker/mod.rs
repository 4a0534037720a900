//! The web worker that runs the policy module, and what it and the page say to each other.

pub mod messages;
pub mod run;
