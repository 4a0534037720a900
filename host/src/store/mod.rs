//! The record: two logs, and the one admission rule.
//!
//! A store knows leaves, payloads, positions and versions. It knows no lifecycle, no policy and no HTTP: what an event
//! means is the app's, which folds what the store hands over, in order.

pub mod backup;
pub mod bundle_folder;
mod enrolment_link;
mod folder;
mod folding;
mod keys;
mod modules;
mod outbox;
mod outline;
mod reserve;
pub mod sqlite;
mod types;
pub mod verify;

pub use backup::{RestoreMark, SeenHead};
pub use enrolment_link::EnrolmentLink;
pub use folder::{DataFolder, DataKind};
pub use folding::{Aside, SnapshotRule, Snapshots, Verified};
pub use keys::Keys;
pub use modules::Modules;
pub use outbox::{Attempt, Channel, Delivery, DeliveryState, Outbox, Outgoing};
pub use outline::{Sighted, Sought};
pub use types::{AppendError, Fold, FoldError, Head, Log, NewRecord, Positions, Record, Store, StoreError, VersionKey};
