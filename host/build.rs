//! Says when the embedded assets changed: every build carries them, so that what is tested is what is deployed. And tells
//! the program what sources it is built of.

use std::fs;
use std::hash::{DefaultHasher, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};

/// What the folding of records, and the form of what is folded, is made of.
const FOLDS: [&str; 6] =
    ["src", "../policy-core/src", "../policy-core/evaluator/src", "../api/src", "../audit-verify/src", "../Cargo.lock"];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PROVISO_ASSETS");
    if let Ok(assets) = std::env::var("PROVISO_ASSETS") {
        println!("cargo::rerun-if-changed={assets}");
    }
    println!("cargo::rerun-if-changed=../bundles/sample");
    println!("cargo::rustc-env=PROVISO_SOURCES={}", sources()?);
    Ok(())
}

/// A number for all sources: what another program folded, with other sources, is not gone on from. Who writes it is told
/// by a code of the gate's; this only tells builds apart. A source that cannot be read fails the build: two programs of
/// which it is left out would pass for one.
fn sources() -> io::Result<String> {
    let mut files = Vec::new();
    for root in FOLDS {
        println!("cargo::rerun-if-changed={root}");
        collect(Path::new(root), &mut files)?;
    }
    files.sort();
    let (mut one, mut two) = (DefaultHasher::new(), DefaultHasher::new());
    // A test build may hold planted faults.
    two.write(std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default().as_bytes());
    for file in files {
        let bytes = fs::read(&file).map_err(|error| unread(&file, &error))?;
        for hasher in [&mut one, &mut two] {
            hasher.write(file.to_string_lossy().as_bytes());
            hasher.write_usize(bytes.len());
            hasher.write(&bytes);
        }
    }
    Ok(format!("{}-{:016x}{:016x}", env!("CARGO_PKG_VERSION"), one.finish(), two.finish()))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !fs::metadata(path).map_err(|error| unread(path, &error))?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(|error| unread(path, &error))? {
        let entry = entry.map_err(|error| unread(path, &error))?;
        // What tests it is no part of the program.
        if !matches!(entry.file_name().to_str(), Some("tests" | "tests.rs" | "testing.rs")) {
            collect(&entry.path(), files)?;
        }
    }
    Ok(())
}

fn unread(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("the source `{}` cannot be read: {error}", path.display()))
}
