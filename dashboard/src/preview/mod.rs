//! The preview: the page's end of the web worker that runs the policy module.

pub mod ask;
pub mod client;
pub mod once;
mod single;
