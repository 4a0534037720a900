//! The preview: the policy module in a web worker, and the page's end of it.

pub mod ask;
pub mod client;
mod messages;
pub mod once;
mod single;
pub mod worker;
