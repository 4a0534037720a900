//! The approvers' dashboard.
//!
//! [`view_model`] says what is shown, without a browser; `api` is the only caller of the network; `authenticator` asks
//! the browser for signatures, `signing` says of what; `preview` runs the policy module in a worker; `live` follows the
//! gate; `preferences` keeps what a person likes; `witness` holds the gate's record against what was seen of it;
//! `components` know nothing of the domain; `pages` put it together.

pub mod view_model;

#[cfg(target_arch = "wasm32")]
pub mod api;
#[cfg(target_arch = "wasm32")]
pub mod app;
#[cfg(target_arch = "wasm32")]
mod authenticator;
#[cfg(target_arch = "wasm32")]
mod components;
#[cfg(target_arch = "wasm32")]
mod live;
#[cfg(target_arch = "wasm32")]
mod pages;
#[cfg(target_arch = "wasm32")]
mod preferences;
#[cfg(target_arch = "wasm32")]
pub mod preview;
#[cfg(target_arch = "wasm32")]
mod signing;
#[cfg(target_arch = "wasm32")]
mod witness;
