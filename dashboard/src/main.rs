//! The dashboard's page.
//!
//! `api` is the only caller of the network; `authenticator` asks the browser for signatures, `signing` says of what;
//! `preview` asks the worker; `live` follows the gate; `preferences` keeps what a person likes; `witness` holds the gate's
//! record against what was seen of it; `components` know nothing of the domain; `pages` put it together.

#[cfg(target_arch = "wasm32")]
mod api;
#[cfg(target_arch = "wasm32")]
mod app;
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
mod preview;
#[cfg(target_arch = "wasm32")]
mod signing;
#[cfg(target_arch = "wasm32")]
mod witness;

#[cfg(target_arch = "wasm32")]
use dashboard::{view_model, worker};

#[cfg(target_arch = "wasm32")]
fn main() {
    app::start();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("the dashboard runs in a browser: `cargo xtask run` builds and serves it");
}
