//! The golden cases in the browser, on the very file that the gate runs: whole answers are equal as bytes, and the class
//! over plain objects says the same.
//!
//! `PROVISO_ASSETS` names the folder with policy.wasm; `cargo xtask build` makes it.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "a test stops where its premise fails")]

use std::collections::BTreeMap;

use js_sys::JSON;
use js_sys::wasm_bindgen::JsValue;
use policy_core::abi::Answer;
use policy_core::digest::Digest;
use policy_core::json::to_canonical_bytes;
use policy_js::PolicyModule;
use serde_json::Value;
use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const MODULE: &[u8] = include_bytes!(concat!(env!("PROVISO_ASSETS"), "/policy.wasm"));
const VECTORS: &str = include_str!("../../../tests/golden/vectors.json");

/// One call: its name, the operation, the input and the answer that is expected, as text.
type Call = (String, i32, String, String);

fn module() -> PolicyModule {
    PolicyModule::from_bytes(MODULE, &Digest::of(MODULE).to_string()).unwrap()
}

/// The cases, those of one bundle together, its load before them. Compiling the module takes a browser longer than all
/// questions of a bundle, so these share an instance, and so do those that load; what else is asked of an instance
/// without a bundle comes alone.
fn cases() -> Vec<Vec<Call>> {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap().to_owned();
    let cases = vectors.get("cases").and_then(Value::as_array).unwrap();
    let mut groups: BTreeMap<String, Vec<Call>> = BTreeMap::new();
    for case in cases {
        let op = case.get("op").and_then(Value::as_i64).and_then(|op| i32::try_from(op).ok()).unwrap();
        let call = (text(case, "name"), op, expanded(case), text(case, "answer"));
        match case.get("load").and_then(Value::as_str) {
            Some(name) => {
                let load = vectors.get("loads").and_then(|loads| loads.get(name)).unwrap();
                let load = || vec![(name.to_owned(), 1, text(load, "input"), text(load, "answer"))];
                groups.entry(format!("bundle {name}")).or_insert_with(load).push(call);
            }
            None if op == 1 => groups.entry("loads".to_owned()).or_default().push(call),
            None => groups.entry(format!("case {}", call.0)).or_default().push(call),
        }
    }
    groups.into_values().collect()
}

/// A case's input with each mark replaced by its text, so many times.
fn expanded(case: &Value) -> String {
    let input = case.get("input").and_then(Value::as_str).unwrap().to_owned();
    let runs: Vec<(String, String, usize)> =
        case.get("repeat").map_or_else(Vec::new, |runs| serde_json::from_value(runs.clone()).unwrap());
    runs.iter().fold(input, |input, (mark, text, times)| input.replace(mark.as_str(), &text.repeat(*times)))
}

/// Calls the method that stands for an operation.
fn method(module: &PolicyModule, op: i32, input: JsValue) -> Option<Result<JsValue, JsValue>> {
    Some(match op {
        1 => module.load(input),
        2 => module.evaluate(input),
        3 => module.terms(input),
        4 => module.eligible(input),
        5 => module.compile(input),
        6 => module.preview(input),
        7 => module.console(input),
        _ => return None,
    })
}

#[wasm_bindgen_test]
fn every_golden_case_is_answered_with_the_same_bytes() {
    let mut answered = 0;
    for calls in cases() {
        let module = module();
        for (name, op, input, expected) in calls {
            let answer = String::from_utf8(module.call(op, input.as_bytes()).unwrap()).unwrap();
            assert_eq!(answer, expected, "{name}");
            answered += 1;
        }
    }
    assert!(answered >= 40, "{answered} cases are not the table that the gate is held to");
    console_log!("{answered} golden cases");
}

#[wasm_bindgen_test]
fn plain_objects_get_the_same_answers_as_bytes() {
    let mut answered = 0;
    for calls in cases() {
        let module = module();
        for (name, op, input, expected) in calls {
            let Answer::Ok(expected) = serde_json::from_str::<Answer<Value>>(&expected).unwrap() else { continue };
            let answer = method(&module, op, JSON::parse(&input).unwrap()).unwrap().unwrap();
            let answer = String::from(JSON::stringify(&answer).unwrap());
            let answer: Value = serde_json::from_str(&answer).unwrap();
            assert_eq!(to_canonical_bytes(&answer).unwrap(), to_canonical_bytes(&expected).unwrap(), "{name}");
            answered += 1;
        }
    }
    assert!(answered >= 40, "{answered} cases are answered well");
}

#[wasm_bindgen_test]
fn one_changed_byte_of_the_module_is_refused() {
    let mut bytes = MODULE.to_vec();
    if let Some(byte) = bytes.last_mut() {
        *byte ^= 1;
    }
    assert!(PolicyModule::from_bytes(&bytes, &Digest::of(MODULE).to_string()).is_err());
}

#[wasm_bindgen_test]
fn a_bad_input_is_an_answer_and_the_instance_lives_on() {
    let module = module();
    for input in ["", "{", "null", "[]", "{\"v\":1,\"v\":1}", "{\"v\":2}", "\u{0}"] {
        for op in [0, 1, 2, 3, 4, 5, 6, 7, -1, i32::MAX] {
            let answer = module.call(op, input.as_bytes()).unwrap();
            assert!(
                answer.starts_with(b"{\"error\":{\"code\":\""),
                "{op} {input}: {}",
                String::from_utf8_lossy(&answer)
            );
        }
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(module.call(2, deep.as_bytes()).unwrap().starts_with(b"{\"error\""));
}
