//! `policy.wasm` stands alone: it can reach nothing that it is not given.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use wasmparser::{ExternalKind, Parser, Payload};

use super::root;

fn module() -> Vec<u8> {
    let assets = std::env::var_os("PROVISO_ASSETS").map_or_else(|| PathBuf::from("target/assets"), PathBuf::from);
    let path = root().join(assets).join("policy.wasm");
    fs::read(&path).unwrap_or_else(|error| panic!("`{}`: {error}; `cargo xtask build` makes it", path.display()))
}

#[test]
fn the_module_imports_nothing() {
    let mut imports = Vec::new();
    for payload in Parser::new(0).parse_all(&module()) {
        if let Payload::ImportSection(section) = payload.expect("valid WebAssembly") {
            imports.extend(section.into_iter().map(|import| format!("{:?}", import.expect("a valid import"))));
        }
    }
    assert!(imports.is_empty(), "{imports:?}");
}

#[test]
fn the_module_exports_its_abi_and_nothing_else_that_can_be_called() {
    let mut exports = BTreeSet::new();
    for payload in Parser::new(0).parse_all(&module()) {
        if let Payload::ExportSection(section) = payload.expect("valid WebAssembly") {
            for export in section {
                let export = export.expect("a valid export");
                if matches!(export.kind, ExternalKind::Func | ExternalKind::Memory) {
                    exports.insert(export.name.to_owned());
                }
            }
        }
    }
    let expected = ["abi", "alloc", "call", "free", "memory"].map(str::to_owned);
    assert_eq!(exports, BTreeSet::from(expected));
}

#[test]
fn the_modules_bytes_hold_no_path_of_the_machine_that_built_them() {
    let module = module();
    for folder in ["HOME", "CARGO_HOME"].into_iter().filter_map(std::env::var_os) {
        let folder = [folder.as_encoded_bytes(), b"/"].concat();
        assert!(folder.len() > 2, "a home folder that says nothing");
        let found = module.windows(folder.len()).any(|window| window == folder);
        assert!(
            !found,
            "the module names `{}`: was it built by `cargo xtask build`?",
            String::from_utf8_lossy(&folder)
        );
    }
}

#[test]
fn the_module_does_not_link_the_validator() {
    const TELLTALE: &str = "unexpected type: expected";
    let config = "tiers = [\"low\"]\nstep_ups = [\"link\"]\n[types]\nperson = \"User\"\nsubjects = [\"Agent\"]\n";
    let schema = "entity User, Agent, File; action read appliesTo { principal: [Agent], resource: [File] };";
    let wrong = "@id(\"a\") permit (principal, action, resource) when { 1 + true == 2 };";
    let files = [("bundle.toml", config), ("schema.cedarschema", schema), ("scope/a.cedar", wrong)];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
    let errors = policy_evaluator::Bundle::accept(&files).expect_err("it does not validate");
    assert!(errors.iter().any(|error| error.message.contains(TELLTALE)), "the native validator says it: {errors:?}");
    let module = module();
    let found = module.windows(TELLTALE.len()).any(|window| window == TELLTALE.as_bytes());
    assert!(!found, "`policy.wasm` holds the validator's words: the feature `validate` is on");
}
