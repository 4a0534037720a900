//! Who owns an agent or an exception, from where that is known, and what somebody who leaves leaves behind.
//!
//! The bundle declares, and the log's hand-overs win: one answer, with its source. Nothing here lets anybody vote; whoever
//! owned an agent of late, by the one or the other, votes on nothing of it (R4).

mod answer;
mod belongings;
mod departure;
mod disagree;
mod event;
mod hand_over;
mod standing;
mod standings;

pub(super) use answer::owners_of;
pub(super) use belongings::Belongings;
pub use disagree::{Disagreement, disagreements};
pub use event::OwnershipEvent;
pub(super) use hand_over::hold_present;
pub(super) use standing::Ownership;
