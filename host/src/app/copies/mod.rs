//! How far the record has come to whoever holds it besides, and what a lane needs to bring it there.
//!
//! What stands here is told, and waited for where policy demands it; nothing is believed because of it.

mod board;
mod cosigned;
mod source;
mod wait;

pub(super) use board::Board;
pub use board::{CopyKind, CopyState, Erased};
pub use source::HeadStanding;
