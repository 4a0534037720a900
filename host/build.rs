//! Says when the embedded assets changed. A debug build reads them from disk and is not built again for them.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PROVISO_ASSETS");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release")
        && let Ok(assets) = std::env::var("PROVISO_ASSETS")
    {
        println!("cargo::rerun-if-changed={assets}");
        println!("cargo::rerun-if-changed=../bundles/sample");
    }
}
