//! The page is cut in two after it was linked: for that its linker leaves in it what refers to what.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32") {
        println!("cargo::rustc-link-arg-bin=dashboard=--emit-relocs");
    }
}
