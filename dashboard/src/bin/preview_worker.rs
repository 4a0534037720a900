//! The web worker that runs the policy module, so that the page never waits for it.

#[cfg(target_arch = "wasm32")]
fn main() {
    dashboard::worker::run::start();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("the preview's worker runs in a browser: `cargo xtask run` builds and serves it");
}
