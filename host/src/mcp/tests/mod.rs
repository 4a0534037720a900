//! The session played by hand: what goes in, what comes out, and what the gate is asked in between.

mod approvals;
mod asking;
mod begun;
mod exchanges;
mod gating;
mod lists;
mod passing;
mod shell;
mod stopping;
mod world;
