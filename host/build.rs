//! Says when the embedded assets changed: every build carries them, so that what is tested is what is deployed.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PROVISO_ASSETS");
    if let Ok(assets) = std::env::var("PROVISO_ASSETS") {
        println!("cargo::rerun-if-changed={assets}");
    }
    println!("cargo::rerun-if-changed=../bundles/sample");
}
