//! Hostile modules: whatever they do is an error, and the pool lives on.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::gate::Cache;

/// A module of the ABI whose `call` does `body`; op 1 (`load`) answers as it should, and `$loads` counts it.
fn module(body: &str) -> Vec<u8> {
    let loaded = format!(r#"{{"ok":{{"bundle":"{}","policies":0}}}}"#, Digest::of(b"bundle"));
    let text = format!(
        r#"(module
             (memory (export "memory") 1)
             (global $loads (mut i32) (i32.const 0))
             (global $calls (mut i32) (i32.const 0))
             (data (i32.const 8) "{}")
             (func (export "abi") (result i32) (i32.const 1))
             (func (export "alloc") (param i32) (result i32) (i32.const 4096))
             (func (export "free") (param i32 i32))
             (func (export "call") (param $op i32) (param $ptr i32) (param $len i32) (result i64)
               (if (i32.eq (local.get $op) (i32.const 1))
                 (then (global.set $loads (i32.add (global.get $loads) (i32.const 1)))
                       (return (i64.const {}))))
               {body}))"#,
        loaded.replace('"', "\\22"),
        (8_u64 << 32) | loaded.len() as u64,
    );
    wat::parse_str(text).unwrap()
}

fn limits() -> Limits {
    Limits { memory: 4 * 1024 * 1024, question_fuel: 2_000_000, wait: Duration::from_secs(20), ..Limits::default() }
}

fn engine(bytes: &[u8], limits: Limits) -> WasmEngine {
    let module = PolicyModule::load(bytes, Digest::of(bytes), None).unwrap();
    WasmEngine::new(&module, limits).unwrap()
}

fn load() -> Load {
    Load { v: 1, files: BTreeMap::new(), bundle: Digest::of(b"bundle") }
}

async fn run(engine: &WasmEngine) -> Result<String, EngineError> {
    let answer = engine.call(Digest::of(b"bundle"), Op::Evaluate, b"{}".to_vec()).await;
    answer.map(|bytes| String::from_utf8(bytes).unwrap())
}

#[tokio::test]
async fn whatever_a_module_does_is_an_error() {
    let memory_bomb = "(loop $l (br_if $l (i32.ge_s (memory.grow (i32.const 16)) (i32.const 0)))) (unreachable)";
    let deep = "(return (call 3 (i32.const 2) (local.get $ptr) (local.get $len)))";
    for (what, body, expected) in [
        ("a trap", "(unreachable)", EngineError::Trap),
        ("a zero answer", "(i64.const 0)", EngineError::Trap),
        ("an answer outside its memory", "(i64.const -1)", EngineError::Memory),
        ("an address outside its memory", "(i64.const 0x7fffffff00000010)", EngineError::Trap),
        ("an infinite loop", "(loop $l (br $l)) (unreachable)", EngineError::Fuel),
        ("a memory bomb", memory_bomb, EngineError::Memory),
        ("endless recursion", deep, EngineError::Trap),
    ] {
        let engine = engine(&module(body), limits());
        engine.load(load()).await.unwrap();
        for _ in 0..8 {
            // More often than there are instances: each is replaced.
            assert_eq!(run(&engine).await, Err(expected.clone()), "{what}");
        }
    }
}

#[tokio::test]
async fn the_epoch_stops_what_fuel_does_not() {
    let limits = Limits { question_fuel: u64::MAX, question_time: Duration::from_millis(50), ..limits() };
    let engine = engine(&module("(loop $l (br $l)) (unreachable)"), limits);
    engine.load(load()).await.unwrap();
    assert_eq!(run(&engine).await, Err(EngineError::Timeout));
}

#[tokio::test]
async fn the_pool_lives_on_after_an_instance_died() {
    // Traps on an input of two bytes, else echoes the input.
    let body = "(if (i32.eq (local.get $len) (i32.const 2)) (then (unreachable)))
                (i64.or (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32))
                        (i64.extend_i32_u (local.get $len)))";
    let engine = engine(&module(body), limits());
    engine.load(load()).await.unwrap();
    for _ in 0..20 {
        assert_eq!(run(&engine).await, Err(EngineError::Trap));
        let answer = engine.call(Digest::of(b"bundle"), Op::Evaluate, b"[1]".to_vec()).await;
        assert_eq!(answer, Ok(b"[1]".to_vec()));
    }
}

#[tokio::test]
async fn no_question_waits_for_a_load() {
    // Answers with how often its instance was loaded, and which of the instance's calls this is.
    let body = "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
                (i32.store8 (i32.const 0) (global.get $loads))
                (i32.store8 (i32.const 1) (global.get $calls))
                (i64.const 2)";
    let engine = engine(&module(body), limits());
    engine.load(load()).await.unwrap();
    let warm = engine.questions.available_permits() + engine.long.available_permits() + 1;
    let mut first_calls = 0;
    for _ in 0..4 {
        let call = || engine.call(Digest::of(b"bundle"), Op::Evaluate, b"{}".to_vec());
        for answer in futures::future::join_all((0..40).map(|_| call())).await {
            let answer = answer.unwrap();
            assert_eq!(answer[0], 1, "an instance is loaded once");
            first_calls += usize::from(answer[1] == 1);
        }
    }
    assert!((1..=warm).contains(&first_calls), "160 calls on {first_calls} instances, {warm} were made warm");
}

#[tokio::test]
async fn callers_wait_for_an_instance_and_give_up() {
    let slow = Limits {
        question_fuel: u64::MAX,
        question_time: Duration::from_secs(2),
        wait: Duration::from_millis(20),
        ..limits()
    };
    let engine = engine(&module("(loop $l (br $l)) (unreachable)"), slow);
    engine.load(load()).await.unwrap();
    let calls = futures::future::join_all((0..40).map(|_| run(&engine))).await;
    assert!(calls.contains(&Err(EngineError::Busy)));
    assert!(calls.contains(&Err(EngineError::Timeout)));
    assert!(calls.iter().all(Result::is_err));
}

#[tokio::test]
async fn no_question_waits_for_a_preview() {
    // Previews never end by themselves; every other operation echoes its input.
    let body = format!(
        "(if (i32.eq (local.get $op) (i32.const {})) (then (loop $l (br $l))))
         (i64.or (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32))
                 (i64.extend_i32_u (local.get $len)))",
        Op::Preview as i32
    );
    let limits = Limits {
        long_fuel: u64::MAX,
        long_time: Duration::from_secs(2),
        question_time: Duration::from_secs(20),
        wait: Duration::from_millis(1),
        ..limits()
    };
    let engine = engine(&module(&body), limits);
    engine.load(load()).await.unwrap();
    let preview = || {
        let engine = engine.clone();
        tokio::spawn(async move { engine.call(Digest::of(b"bundle"), Op::Preview, b"{}".to_vec()).await })
    };
    let previews: Vec<_> = (0..40).map(|_| preview()).collect();
    while engine.long.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    for _ in 0..20 {
        assert_eq!(run(&engine).await.as_deref(), Ok("{}"));
    }
    assert_eq!(engine.long.available_permits(), 0, "the previews were still running");
    for preview in previews {
        let answer = preview.await.unwrap();
        assert!(matches!(answer, Err(EngineError::Timeout | EngineError::Busy)), "{answer:?}");
    }
}

/// A module that goes round so often before it echoes its input.
fn rounds(rounds: u32) -> Vec<u8> {
    module(&format!(
        "(global.set $calls (i32.const 0))
         (loop $l (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
                  (br_if $l (i32.lt_u (global.get $calls) (i32.const {rounds}))))
         (i64.or (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32))
                 (i64.extend_i32_u (local.get $len)))"
    ))
}

#[test]
fn a_short_question_needs_no_thread() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().max_blocking_threads(1).build().unwrap();
    let engine = engine(&rounds(1), limits());
    runtime.block_on(async {
        engine.load(load()).await.unwrap();
        // Whatever needs a thread waits behind this one.
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let held = spawn_blocking(move || ended.recv());
        for _ in 0..20 {
            assert_eq!(run(&engine).await.as_deref(), Ok("{}"));
        }
        drop(end);
        assert!(held.await.unwrap().is_err());
    });
    assert_eq!(engine.calls().counts()[0], ("answered", 20));
}

#[tokio::test]
async fn a_question_that_takes_long_is_asked_on_a_thread_and_those_like_it_go_there_at_once() {
    let limits = Limits { question_fuel: 100 * SHORT_FUEL, ..limits() };
    let engine = engine(&rounds(u32::try_from(SHORT_FUEL).unwrap()), limits);
    engine.load(load()).await.unwrap();
    for _ in 0..3 {
        // Its answer is the one that all of its fuel buys.
        assert_eq!(run(&engine).await.as_deref(), Ok("{}"));
        assert_eq!(engine.short.load(Ordering::Relaxed), 1);
    }
    assert_eq!(engine.calls().counts()[..3], [("answered", 3), ("trap", 0), ("fuel", 0)]);
    // Another bundle is tried anew.
    engine.load(load()).await.unwrap();
    assert_eq!(engine.short.load(Ordering::Relaxed), SHORT);
}

#[tokio::test]
async fn a_bundle_that_was_not_loaded_cannot_be_asked() {
    let engine = engine(&module("(i64.const 0)"), limits());
    assert!(matches!(run(&engine).await, Err(EngineError::Unusable(_))));
}

#[test]
fn other_bytes_than_meant_are_refused() {
    let bytes = module("(unreachable)");
    let refused = PolicyModule::load(&bytes, Digest::of(b"other"), None).map(|_| ()).unwrap_err();
    assert_eq!(refused.code(), "module_digest");
}

#[test]
fn a_module_that_wants_imports_or_lacks_exports_is_refused() {
    let wants = wat::parse_str(r#"(module (import "wasi" "clock" (func)))"#).unwrap();
    let refused = PolicyModule::load(&wants, Digest::of(&wants), None).map(|_| ()).unwrap_err();
    assert!(matches!(refused, ModuleError::Imports(import) if import == "wasi.clock"));

    let bare = wat::parse_str(r#"(module (memory (export "memory") 1))"#).unwrap();
    let module = PolicyModule::load(&bare, Digest::of(&bare), None).unwrap();
    assert!(matches!(WasmEngine::new(&module, limits()), Err(ModuleError::Exports("abi"))));
}

#[test]
fn threads_shared_memory_and_relaxed_simd_are_off() {
    for text in [
        "(module (memory 1 1 shared))",
        "(module (func (param v128 v128 v128) (result v128)
            (f32x4.relaxed_madd (local.get 0) (local.get 1) (local.get 2))))",
    ] {
        let bytes = wat::parse_str(text).unwrap();
        assert!(PolicyModule::load(&bytes, Digest::of(&bytes), None).is_err(), "{text}");
    }
}

#[test]
fn a_kept_module_is_taken_only_as_the_gate_wrote_it() {
    let folder = tempfile::tempdir().unwrap();
    let code = |bytes: &[u8]| policy_core::leaf::keyed(&[7; 32], b"test\0", bytes);
    let cache = Cache::new(folder.path(), &code);
    let bytes = module("(unreachable)");
    let module = PolicyModule::load(&bytes, Digest::of(&bytes), Some(&cache)).unwrap();
    module.keep(&cache);
    let kept = std::fs::read_dir(folder.path().join("cache")).unwrap().next().unwrap().unwrap().path();
    assert!(cache.read(module.engine(), &module.digest()).is_some());

    // A byte flipped, a code of another key, another module's name, and a cut file are all misses.
    let good = std::fs::read(&kept).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    std::fs::write(&kept, &flipped).unwrap();
    assert!(cache.read(module.engine(), &module.digest()).is_none());
    std::fs::write(&kept, &good[..20]).unwrap();
    assert!(cache.read(module.engine(), &module.digest()).is_none());
    std::fs::write(&kept, &good).unwrap();
    let other = |bytes: &[u8]| policy_core::leaf::keyed(&[8; 32], b"test\0", bytes);
    assert!(Cache::new(folder.path(), &other).read(module.engine(), &module.digest()).is_none());
    // And a miss is compiled again.
    std::fs::write(&kept, &flipped).unwrap();
    assert!(PolicyModule::load(&bytes, Digest::of(&bytes), Some(&cache)).is_ok());
}

#[tokio::test]
async fn what_costly_questions_took_from_the_others_comes_back() {
    // An input of three bytes takes more than a question may where its caller stands; all are echoed.
    let body = "(if (i32.eq (local.get $len) (i32.const 3))
                    (then (global.set $calls (i32.const 4000000))
                          (loop $l (global.set $calls (i32.sub (global.get $calls) (i32.const 1)))
                                   (br_if $l (global.get $calls)))))
                (i64.or (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32))
                        (i64.extend_i32_u (local.get $len)))";
    let limits = Limits { question_fuel: 1_000_000_000, ..limits() };
    let engine = engine(&module(body), limits);
    engine.load(load()).await.unwrap();
    let call = |input: Vec<u8>| engine.call(Digest::of(b"bundle"), Op::Evaluate, input);
    let short = || engine.short.load(Ordering::Relaxed);
    assert_eq!(short(), SHORT);
    assert_eq!(call(b"[1]".to_vec()).await, Ok(b"[1]".to_vec()));
    assert_eq!(short(), 1, "nothing is short any more");
    for _ in 0..REGAINED_AFTER {
        assert_eq!(call(b"{}".to_vec()).await, Ok(b"{}".to_vec()));
    }
    assert_eq!(short(), LEAST_SHORT);
    // What is short counts for nothing; what is longer and would be short has its turn.
    for _ in 0..REGAINED_AFTER {
        call(b"{}".to_vec()).await.unwrap();
    }
    assert_eq!(short(), LEAST_SHORT);
    let long = vec![b' '; LEAST_SHORT + 1];
    for _ in 0..REGAINED_AFTER {
        assert_eq!(call(long.clone()).await, Ok(long.clone()));
    }
    assert_eq!(short(), 2 * LEAST_SHORT);
    // What is never short takes nothing and gives nothing.
    for _ in 0..4 {
        call(vec![b' '; SHORT + 1]).await.unwrap();
    }
    assert_eq!(engine.spared.load(Ordering::Relaxed), 0);
}
