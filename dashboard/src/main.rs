//! The dashboard's page.

#[cfg(target_arch = "wasm32")]
fn main() {
    dashboard::app::start();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("the dashboard runs in a browser: `cargo xtask run` builds and serves it");
}
