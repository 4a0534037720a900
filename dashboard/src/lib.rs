//! What the dashboard's two programs share, and what is tested without a browser.
//!
//! [`view_model`] says what is shown, without a browser; `worker` runs the policy module beside the page. The page itself
//! is the program `dashboard`: what is cut from it must be linked into nothing else.

pub mod view_model;
#[cfg(target_arch = "wasm32")]
pub mod worker;
