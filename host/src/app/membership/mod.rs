//! How people come in and go: the first administrator, invitations, accounts of providers that belong to a person, the end
//! of somebody's sign-ins, and what is done when the last administrator is lost (docs/people.md).
//!
//! Who is a person, and in which groups, the bundle alone says; whether an act is somebody's, `console/` does. No status
//! code here, and no word on what agents may do.

mod administrators;
mod agree;
mod door;
mod ended;
mod enrol;
mod event;
mod fold;
mod links;
mod members;
mod propose;
mod recover;
mod view;
mod voters;

pub use enrol::LaidLink;
pub use event::{MembershipEvent, Proposed};
pub use members::Members;
pub use recover::RecoveryStep;
