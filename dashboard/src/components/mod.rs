//! Pieces of pages that know nothing of the domain.

pub mod card;
pub mod copy;
pub mod countdown;
pub mod fetched;
pub mod field;
pub mod notice;
pub mod save;
pub mod text;

pub use card::Card;
pub use copy::copy;
pub use countdown::Countdown;
pub use fetched::Fetched;
pub use field::Field;
pub use notice::{Failure, Notice, Tone};
pub use save::{save, save_blob};
pub use text::{Digest, Text};
