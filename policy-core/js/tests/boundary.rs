//! What the glue refuses, and how it fails, held against small modules of our own.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "a test stops where its premise fails")]

use js_sys::wasm_bindgen::JsValue;
use js_sys::{JSON, Reflect};
use policy_core::digest::Digest;
use policy_js::{Engine, EngineError, PolicyModule};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// A module of the boundary that answers with its input, except under the numbers that its comments name.
const ECHO: &str = r#"(module
  (memory (export "memory") 1)
  (global $top (mut i32) (i32.const 1024))
  (global $live (mut i32) (i32.const 48))
  (func (export "abi") (result i32) (i32.const 1))
  (func $alloc (export "alloc") (param $length i32) (result i32) (local $at i32)
    (local.set $at (global.get $top))
    (global.set $top (i32.add (global.get $top) (local.get $length)))
    (global.set $live (i32.add (global.get $live) (i32.const 1)))
    (local.get $at))
  (func (export "free") (param i32 i32)
    (global.set $live (i32.sub (global.get $live) (i32.const 1))))
  (func $packed (param $at i32) (param $length i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32)) (i64.extend_i32_u (local.get $length))))
  (func (export "call") (param $op i32) (param $at i32) (param $length i32) (result i64) (local $answer i32)
    ;; 90: a trap
    (if (i32.eq (local.get $op) (i32.const 90)) (then unreachable))
    ;; 91: no answer
    (if (i32.eq (local.get $op) (i32.const 91)) (then (return (i64.const 0))))
    ;; 92: an answer that starts in the memory and ends outside
    (if (i32.eq (local.get $op) (i32.const 92)) (then (return (call $packed (i32.const 65535) (i32.const 2)))))
    ;; 93: an answer at an address that is negative as a signed number, whose end overflows
    (if (i32.eq (local.get $op) (i32.const 93)) (then (return (call $packed (i32.const -16) (i32.const 32)))))
    ;; 94: the number of buffers that are not given back, the answer's own left out, as a digit
    (if (i32.eq (local.get $op) (i32.const 94)) (then
      (local.set $answer (call $alloc (i32.const 1)))
      (i32.store8 (local.get $answer) (i32.sub (global.get $live) (i32.const 2)))
      (return (call $packed (local.get $answer) (i32.const 1)))))
    ;; 95: it asks for a call that never ends within its stack
    (if (i32.eq (local.get $op) (i32.const 95)) (then (call $deeper)))
    ;; 96: the memory grows before the answer is written into the new page
    (if (i32.eq (local.get $op) (i32.const 96)) (then
      (local.set $answer (i32.mul (memory.grow (i32.const 1)) (i32.const 65536)))
      (memory.copy (local.get $answer) (local.get $at) (local.get $length))
      (return (call $packed (local.get $answer) (local.get $length)))))
    (local.set $answer (call $alloc (local.get $length)))
    (memory.copy (local.get $answer) (local.get $at) (local.get $length))
    (call $packed (local.get $answer) (local.get $length)))
  (func $deeper (call $deeper) (call $deeper))
)"#;

fn module(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

fn start(text: &str) -> Result<Engine, EngineError> {
    let bytes = module(text);
    Engine::from_bytes(&bytes, Digest::of(&bytes))
}

#[wasm_bindgen_test]
fn bytes_go_in_and_out_as_they_are() {
    let engine = start(ECHO).unwrap();
    for input in [&b"{}"[..], b"", &[0, 255, 10, 13, 34], &[7; 20_000]] {
        assert_eq!(engine.call(1, input).unwrap(), input);
    }
}

#[wasm_bindgen_test]
fn an_answer_is_read_after_the_memory_has_grown() {
    let engine = start(ECHO).unwrap();
    assert_eq!(engine.call(96, b"in the new page").unwrap(), b"in the new page");
    assert_eq!(engine.call(1, b"and again").unwrap(), b"and again");
}

#[wasm_bindgen_test]
fn every_buffer_is_given_back() {
    let engine = start(ECHO).unwrap();
    for _ in 0..5 {
        engine.call(1, b"{}").unwrap();

        assert_eq!(engine.call(94, b"").unwrap(), b"0");
    }
}

#[wasm_bindgen_test]
fn one_changed_byte_is_refused_before_anything_is_compiled() {
    let bytes = module(ECHO);
    let expected = Digest::of(&bytes);
    for position in [0, bytes.len() / 2, bytes.len() - 1] {
        let mut changed = bytes.clone();
        if let Some(byte) = changed.get_mut(position) {
            *byte ^= 1;
        }
        let refused = Engine::from_bytes(&changed, expected).err().unwrap();
        assert_eq!(refused, EngineError::DigestMismatch { expected, actual: Digest::of(&changed) });
        assert_eq!(refused.code(), "digest_mismatch");
    }
}

#[wasm_bindgen_test]
fn a_module_that_is_not_of_the_boundary_is_refused() {
    let import = r#"(module (import "env" "now" (func))"#;
    let cases = [
        (ECHO.replace("(module", import), "has_imports"),
        (ECHO.replace("(module", r#"(module (import "env" "m" (global i32))"#), "has_imports"),
        (ECHO.replace("(i32.const 1))\n  (func $alloc", "(i32.const 2))\n  (func $alloc"), "unknown_version"),
        (ECHO.replace("(i32.const 1))\n  (func $alloc", "(i32.const -1))\n  (func $alloc"), "unknown_version"),
        (ECHO.replace("(i32.const 1))\n  (func $alloc", "unreachable)\n  (func $alloc"), "trapped"),
        (ECHO.replace(r#""memory""#, r#""heap""#), "missing_export"),
        (ECHO.replace(r#""abi""#, r#""version""#), "missing_export"),
        (ECHO.replace(r#""alloc""#, r#""malloc""#), "missing_export"),
        (ECHO.replace(r#""free""#, r#""drop""#), "missing_export"),
        (ECHO.replace(r#""call""#, r#""memory2""#), "missing_export"),
        (r#"(module (func (export "memory")) (memory (export "abi") 1))"#.to_owned(), "missing_export"),
        (ECHO.replace("(func $deeper", "(start $deeper) (func $deeper"), "not_a_module"),
    ];
    for (text, code) in cases {
        assert_eq!(start(&text).err().map(|error| error.code().to_owned()).as_deref(), Some(code), "{text}");
    }
    let text = b"not wasm at all";
    let refused = Engine::from_bytes(text, Digest::of(text)).err().unwrap();
    assert_eq!(refused.code(), "not_a_module");
}

#[wasm_bindgen_test]
fn a_trap_is_an_error_and_the_instance_is_gone() {
    for (op, code) in [(90, "trapped"), (91, "trapped"), (92, "bad_answer"), (93, "bad_answer"), (95, "trapped")] {
        let engine = start(ECHO).unwrap();
        assert_eq!(engine.call(op, b"{}").unwrap_err().code(), code, "{op}");
        assert_eq!(engine.call(1, b"{}").unwrap_err(), EngineError::Dropped, "{op}");
    }
}

#[wasm_bindgen_test]
fn an_answer_that_is_not_the_boundarys_is_an_error_and_the_instance_is_gone() {
    let engine = start(ECHO).unwrap();
    let digest = Digest::of(b"");
    let load = policy_core::abi::Load { v: 1, files: Default::default(), bundle: digest };
    // The echo answers with the input, which is neither `ok` nor `error`.
    assert_eq!(engine.load(&load).unwrap_err().code(), "bad_answer");
    assert_eq!(engine.call(1, b"{}").unwrap_err(), EngineError::Dropped);
}

fn code_of(thrown: &JsValue) -> String {
    Reflect::get(thrown, &"code".into()).unwrap().as_string().unwrap()
}

fn package(text: &str) -> PolicyModule {
    let bytes = module(text);
    PolicyModule::from_bytes(&bytes, &Digest::of(&bytes).to_string()).unwrap()
}

#[wasm_bindgen_test]
fn javascript_catches_an_error_with_a_code() {
    let bytes = module(ECHO);
    for (digest, code) in [
        ("0".repeat(64), "digest_mismatch"),
        (Digest::of(&bytes).to_string().to_uppercase(), "bad_input"),
        (String::new(), "bad_input"),
    ] {
        let thrown = PolicyModule::from_bytes(&bytes, &digest).err().unwrap();
        assert_eq!(code_of(&thrown), code);
        assert_eq!(Reflect::get(&thrown, &"name".into()).unwrap(), JsValue::from("PolicyError"));
    }
    assert_eq!(code_of(&package(ECHO).call(90, b"").unwrap_err()), "trapped");
}

#[wasm_bindgen_test]
fn an_object_that_json_cannot_hold_never_reaches_the_module() {
    let bundle = Digest::of(b"").to_string();
    let load = |files: &str| format!(r#"{{"v": 1, "bundle": "{bundle}", "files": {files}}}"#);
    let deep = format!("{}1{}", "[".repeat(80), "]".repeat(80));
    for text in [
        load(r#"{"a": "\ud800"}"#),
        load(r#"{"\udc00": "a"}"#),
        load(&format!(r#"{{"a": {deep}}}"#)),
        load(r#"{"a": 1}"#),
        load("null"),
        r#"{"v": 1.5}"#.to_owned(),
        r#""load""#.to_owned(),
        "null".to_owned(),
    ] {
        let module = package(ECHO);
        let thrown = module.load(JSON::parse(&text).unwrap()).unwrap_err();
        assert_eq!(code_of(&thrown), "bad_input", "{text}");
        assert_eq!(module.call(1, b"still there").unwrap(), b"still there", "{text}");
    }
    let circle = js_sys::Object::new();
    Reflect::set(&circle, &"files".into(), &circle).unwrap();
    assert_eq!(code_of(&package(ECHO).load(circle.into()).unwrap_err()), "bad_input");
}

#[wasm_bindgen_test]
fn a_member_called_proto_stays_a_member() {
    let answer = r#"{"ok":{"cedar":"","est":{"__proto__":[1]}}}"#;
    let fixed = format!("(return (call $packed (i32.const 8) (i32.const {})))", answer.len());
    let data = format!(r#"(data (i32.const 8) "{}") (func $packed"#, answer.replace('"', "\\22"));
    let text = ECHO.replace(";; 90: a trap", &fixed).replace("(func $packed", &data);
    let digest = Digest::of(b"");
    let grant = format!(
        r#"{{"v": 1, "grant": {{"id": "g", "exception": "e", "version": 1, "subject": {{"type": "A", "id": "a"}},
          "task": "t", "chain": [], "enforcement_point": "p", "action": "w", "input_digest": "{digest}",
          "input_names": [], "scope": {{"resource": {{"is": {{"type": "F", "id": "f"}}}}, "arguments": "exact",
          "not_after": "2026-11-22T16:00:00Z", "max_uses": 1}}}}}}"#
    );
    let compiled = package(&text).compile(JSON::parse(&grant).unwrap()).unwrap();
    assert_eq!(String::from(JSON::stringify(&compiled).unwrap()), r#"{"cedar":"","est":{"__proto__":[1]}}"#);
}
