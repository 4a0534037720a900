//! Planted faults: each is listed, watched by tests that exist, and in no build but the one that is made for them.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;
use serde::Deserialize;

use super::{read, root, rust_files};

#[derive(Deserialize)]
struct List {
    saboteur: Vec<Saboteur>,
}

#[derive(Deserialize)]
struct Saboteur {
    name: String,
    rule: String,
    does: String,
    caught_by: Vec<String>,
}

fn list() -> Vec<Saboteur> {
    toml::from_str::<List>(&read(&root().join("tests/saboteurs.toml"))).expect("a list of saboteurs").saboteur
}

/// The words between `begin` and `end` in a text.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> BTreeSet<&'a str> {
    text.split(begin).skip(1).filter_map(|rest| rest.split_once(end)).map(|(word, _)| word).collect()
}

#[test]
fn every_rule_has_faults_and_each_is_listed_planted_and_watched() {
    let list = list();
    let names: BTreeSet<&str> = list.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names.len(), list.len(), "a name is there twice");
    let core = read(&root().join("policy-core/src/saboteur.rs"));
    let (_, known) = core.split_once("NAMES: &[&str] = &[").expect("the faults' names");
    let (known, _) = known.split_once("];").expect("their end");
    assert_eq!(between(known, "    \"", "\""), names, "policy_core::saboteur::NAMES against tests/saboteurs.toml");
    let sources: Vec<String> =
        ["policy-core", "host"].into_iter().flat_map(rust_files).map(|file| read(&root().join(file))).collect();
    let planted: BTreeSet<&str> = sources.iter().flat_map(|text| between(text, "sabotaged!(\"", "\"")).collect();
    assert_eq!(planted, names, "what is planted against tests/saboteurs.toml");
    for number in 1..=11 {
        let rule = format!("R{number}");
        assert!(list.iter().any(|one| one.rule == rule), "{rule} has no fault planted");
    }
    let tests: Vec<String> = rust_files("tests/all").into_iter().map(|file| read(&root().join(file))).collect();
    for one in &list {
        assert!(one.name.starts_with(&format!("{}_", one.rule.to_lowercase())), "{}", one.name);
        assert!(!one.does.is_empty() && !one.caught_by.is_empty(), "{}", one.name);
        for test in &one.caught_by {
            let function = format!("fn {}(", test.rsplit("::").next().unwrap_or_default());
            assert!(tests.iter().any(|text| text.contains(&function)), "{}: no test `{test}`", one.name);
        }
    }
}

#[test]
fn no_other_build_holds_a_fault() {
    let module = proviso::assets::policy_wasm().expect("policy.wasm");
    let sections = wasmparser::Parser::new(0).parse_all(&module).map(|payload| payload.expect("a section"));
    let exported = sections.filter_map(|payload| match payload {
        wasmparser::Payload::ExportSection(exports) => Some(exports.into_iter().flatten()),
        _ => None,
    });
    let exported: Vec<&str> = exported.flatten().map(|export| export.name).collect();
    assert!(exported.contains(&"call") && !exported.contains(&"sabotage"), "{exported:?}");
    // The binary that is deployed differs from this one in its optimiser alone.
    let binary = std::fs::read(proviso_tests::Binary::path()).expect("the binary");
    let words = ["PROVISO_SABOTEUR", "FAILING_DISK", "failpoint"].map(str::to_owned);
    let words: Vec<String> = list().into_iter().map(|one| one.name).chain(words).collect();
    // All of them at once: the binary is some hundred megabytes.
    let finder = AhoCorasick::new(&words).expect("words");
    for (what, bytes) in [("policy.wasm", &*module), ("the binary", &*binary)] {
        let held: BTreeSet<&str> = finder.find_iter(bytes).map(|found| words[found.pattern()].as_str()).collect();
        assert!(held.is_empty(), "{what} holds {held:?}");
    }
}
