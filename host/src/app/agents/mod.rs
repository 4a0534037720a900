//! Agents as people look at them: who there is, what one may do today, and which record or policy gave each part.
//!
//! Nothing is decided here. What a recorded call would get now is the module's answer, on the question as it would be
//! sealed at this moment, and consumes nothing.

mod list;
mod page;
mod today;
