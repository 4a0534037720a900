//! What the workspace's tests share: a gate in this process with a clock that can be set, and the real binary.

#![expect(clippy::indexing_slicing, reason = "a harness of tests: what an answer lacks fails the test")]

mod binary;
mod clauses;
mod client;
mod clock;
pub mod contract;
mod disk;
mod gate;
mod other_user;
mod scenario;
mod until;

pub use binary::{Binary, assets, copy_folder};
pub use clauses::{Clause, Covers, Excuse, Standard, covered, kept, standards, threats};
pub use client::{Answer, Client, as_person, cookie_of, signed_in};
pub use clock::TestClock;
pub use disk::{FailingDisk, Failure};
pub use gate::{Setup, TestGate, module, sample_bundle};
pub use other_user::OtherUser;
pub use scenario::{AGENTS, Parties, Story, inside, post_rows, uses, write_file};
pub use until::until;
