//! `tests/golden/vectors.json`: every call as bytes, with the bytes that answer it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use policy_core::json::to_canonical_bytes;
use policy_evaluator::abi::Instance;
use serde_json::{Value, json};

use crate::case;
use crate::play::{Played, played};

fn path() -> PathBuf {
    case::folder().join("vectors.json")
}

/// The file's text: one line for each bundle and each case, so that a change shows as what it is. What is repeated stands
/// there once: each `[MARK, TEXT, TIMES]` of `repeat` says what replaces a mark in the input.
fn text(played: &[Played]) -> String {
    let names: std::collections::BTreeSet<&String> = played.iter().filter_map(|call| call.bundle.as_ref()).collect();
    let loads: BTreeMap<&String, Value> = names
        .into_iter()
        .map(|name| {
            let input = &case::bundle(name).load;
            let answer = Instance::default().call(1, input.as_bytes());
            (name, json!({"input": input, "answer": String::from_utf8(answer).expect("an answer is text")}))
        })
        .collect();
    let mut text = String::from("{\"v\":1,\n\"loads\":{\n");
    let lines: Vec<String> = loads.iter().map(|(name, load)| format!("{}:{load}", json!(name))).collect();
    let _ = write!(text, "{}\n}},\n\"cases\":[\n", lines.join(",\n"));
    let lines: Vec<String> = played
        .iter()
        .map(|call| {
            let mut line = json!({"name": call.name, "op": call.op, "input": call.template, "answer": call.answer});
            if !call.runs.is_empty() {
                line["repeat"] = json!(call.runs);
            }
            if let Some(bundle) = &call.bundle {
                line["load"] = json!(bundle);
            }
            line.to_string()
        })
        .collect();
    let _ = write!(text, "{}\n]}}\n", lines.join(",\n"));
    text
}

#[test]
fn golden_vectors_are_not_stale() {
    let (played, wrong) = played();
    assert!(wrong.is_empty(), "{} cases differ from their files", wrong.len());
    let text = text(played);
    if std::env::var_os("PROVISO_BLESS").is_some() {
        fs::write(path(), &text).expect("vectors.json can be written");
    }
    let found = fs::read_to_string(path()).unwrap_or_default();
    assert!(found == text, "tests/golden/vectors.json is stale: see tests/golden/main.rs");
}

#[test]
fn every_golden_input_is_canonical_or_refused() {
    for call in &played().0 {
        if call.answer.starts_with("{\"ok\"") {
            let value: Value = serde_json::from_str(&call.input).expect("JSON");
            let canonical = to_canonical_bytes(&value).expect("a canonical form");
            assert_eq!(String::from_utf8_lossy(&canonical), call.input, "{}", call.name);
        }
    }
}
