//! Directions between the crates, read from their Cargo.toml files.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::{read, root};

/// Each member, and which members its product code may depend on. Nothing points back up.
const DIRECTIONS: [(&str, &[&str]); 10] = [
    ("policy-core", &[]),
    ("policy-core/evaluator", &["policy-core"]),
    ("policy-core/module", &["policy-core", "policy-evaluator"]),
    ("policy-core/js", &["policy-core"]),
    // Whoever checks the gate's work shares none of its code.
    ("audit-verify", &[]),
    ("api", &["policy-core"]),
    ("host", &["audit-verify", "policy-core", "policy-evaluator", "proviso-api"]),
    ("dashboard", &["audit-verify", "policy-core", "policy-js", "proviso-api"]),
    ("tests", &["audit-verify", "policy-core", "policy-evaluator", "proviso", "proviso-api"]),
    ("xtask", &[]),
];

const PURE: [&str; 4] = ["policy-core", "policy-core/evaluator", "policy-core/module", "api"];

/// What a pure crate must not depend on: I/O, clocks, randomness, frameworks.
const IMPURE: [&str; 16] = [
    "axum",
    "tower",
    "hyper",
    "tokio",
    "futures",
    "rusqlite",
    "sqlx",
    "wasmtime",
    "leptos",
    "gloo-net",
    "web-sys",
    "reqwest",
    "getrandom",
    "rand",
    "uuid",
    "rustix",
];

fn manifest(folder: &str) -> Table {
    read(&root().join(folder).join("Cargo.toml")).parse().expect("a manifest is TOML")
}

/// Names of the dependencies of product code: normal, build and target-specific ones.
fn product_dependencies(manifest: &Table) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut tables = vec![manifest];
    tables.extend(
        manifest.get("target").and_then(Value::as_table).into_iter().flatten().filter_map(|(_, t)| t.as_table()),
    );
    for table in tables {
        for kind in ["dependencies", "build-dependencies"] {
            let dependencies = table.get(kind).and_then(Value::as_table);
            names.extend(dependencies.into_iter().flatten().map(|(name, detail)| {
                let renamed = detail.get("package").and_then(Value::as_str);
                renamed.unwrap_or(name).to_owned()
            }));
        }
    }
    names
}

#[test]
fn every_member_has_a_direction() {
    let workspace = manifest("");
    let members = workspace["workspace"]["members"].as_array().expect("members");
    let members: BTreeSet<_> = members.iter().map(|member| member.as_str().expect("a folder")).collect();
    assert_eq!(members, DIRECTIONS.iter().map(|(folder, _)| *folder).collect());
}

#[test]
fn dependencies_point_down_only() {
    let packages: BTreeMap<String, &str> = DIRECTIONS
        .iter()
        .map(|(folder, _)| (manifest(folder)["package"]["name"].as_str().expect("a name").to_owned(), *folder))
        .collect();
    for (folder, allowed) in DIRECTIONS {
        for name in product_dependencies(&manifest(folder)) {
            let upward = packages.contains_key(&name) && !allowed.contains(&name.as_str());
            assert!(!upward, "`{folder}` must not depend on `{name}`");
        }
    }
}

#[test]
fn pure_crates_name_no_io() {
    for folder in PURE {
        let names = product_dependencies(&manifest(folder));
        for impure in IMPURE {
            assert!(!names.contains(impure), "`{folder}` must not depend on `{impure}`");
        }
    }
}

#[test]
fn only_the_evaluator_depends_on_cedar_and_only_the_host_on_wasmtime_and_sqlite() {
    for (name, owner) in [
        ("cedar-policy", "policy-core/evaluator"),
        ("cedar-policy-core", "policy-core/evaluator"),
        ("wasmtime", "host"),
        ("rusqlite", "host"),
    ] {
        let owners: Vec<_> = DIRECTIONS
            .iter()
            .map(|(folder, _)| *folder)
            .filter(|folder| product_dependencies(&manifest(folder)).contains(name))
            .collect();
        assert_eq!(owners, [owner], "who depends on `{name}`");
    }
}

#[test]
fn cedar_and_the_binding_generator_are_pinned_exactly() {
    let workspace = manifest("");
    let dependencies = &workspace["workspace"]["dependencies"];
    let version = |name: &str| {
        let detail = &dependencies[name];
        detail.as_str().or_else(|| detail["version"].as_str()).expect("a version").to_owned()
    };
    // Cedar's answers are inputs of the record; the generator and the crate must be one version.
    assert!(version("cedar-policy").starts_with('='));
    assert_eq!(version("cedar-policy-core"), version("cedar-policy"), "what it wraps is of its version");
    assert!(version("wasm-bindgen").starts_with('='));
    let trunk: Table = read(&root().join("Trunk.toml")).parse().expect("Trunk.toml is TOML");
    let generator = trunk["tools"]["wasm_bindgen"].as_str().expect("a version");
    assert_eq!(format!("={generator}"), version("wasm-bindgen"));
    let installer = read(&root().join("xtask/src/tools.rs"));
    assert!(installer.contains(&format!("version: \"{generator}\"")), "xtask installs another wasm-bindgen");
}

#[test]
fn every_member_takes_the_workspaces_lints() {
    for (folder, _) in DIRECTIONS {
        let manifest = manifest(folder);
        let inherited = manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool);
        assert_eq!(inherited, Some(true), "`{folder}/Cargo.toml` needs `[lints] workspace = true`");
    }
}
