//! The shape of the house: who may depend on whom, who may name what, and what the module must not import.
//!
//! These tests read files. What they check is written down in ARCHITECTURE.md.

mod claims;
mod codes;
mod dependencies;
mod forms;
mod kinds;
mod looks;
mod module;
mod remedies;
mod saboteurs;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests crate stands in the workspace").to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read `{}`: {error}", path.display()))
}

/// Every Rust file below a folder, in order of name, as paths from the root. A folder that is not there fails.
fn rust_files(folder: &str) -> Vec<String> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("no folder `{}`: {error}", folder.display()));
        for entry in entries {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                if !path.ends_with("target") && !path.ends_with("node_modules") {
                    walk(&path, found);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort();
    assert!(!found.is_empty(), "`{folder}` holds no Rust");
    found.iter().map(|path| path.strip_prefix(root()).expect("below the root").display().to_string()).collect()
}
