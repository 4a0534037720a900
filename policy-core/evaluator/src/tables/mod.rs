//! Tables of questions, for `proviso bundle test` and `proviso bundle diff`: what a bundle answers to each, held against
//! what its author expects, or against what another bundle answers.
//!
//! A table is a text file that is nobody's policy: it lies in `tests/` beside the bundle's folders and under none of its
//! digests. Pure: nothing here reads a folder, and a row says what time it is.

mod answer;
mod diff;
mod expect;
mod read;

pub use answer::{Answered, answer};
pub use diff::{Change, Changed, Kind, compare, questions};
pub use expect::{Difference, differences, misnamed};
pub use read::{Expect, Row, Tabled, read};

#[cfg(test)]
mod tests;
