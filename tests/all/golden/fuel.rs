//! The fuel of fixed questions: what a change costs on the hot path. Fuel repeats on every machine, where seconds do not.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use policy_core::abi::Load;
use policy_core::json::to_canonical_bytes;
use proviso::gate::{Limits, Runner};
use serde::{Deserialize, Serialize};

use super::{Call, vectors};

/// What is asked: each outcome, and what makes a question long.
const ASKED: [&str; 11] = [
    "outcomes: scope permits at its edge",
    "outcomes: one beyond scope may be asked for",
    "outcomes: a guardrail beyond its edge forbids and is not requestable",
    "outcomes: a grant permits",
    "outcomes: terms that err are no terms",
    "candidates: fewest open dimensions first",
    "conditions: between, inside",
    "misfits: one of every kind of argument",
    "chain: an agent in the chain that has a permit of its own",
    "fan_out: all are permitted",
    "terms: one permit",
];
/// How far it may be from what it was, in a hundredth.
const NEAR: u64 = 2;

/// What one question takes of an instance that was never asked, and of one that was asked it before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Fuel {
    first: u64,
    again: u64,
}

impl Fuel {
    fn is_near(self, kept: Self) -> bool {
        let near = |taken: u64, kept: u64| taken.abs_diff(kept) * 100 <= kept * NEAR;
        near(self.first, kept.first) && near(self.again, kept.again)
    }
}

/// What the questions take of the module that the gate runs.
fn taken() -> BTreeMap<String, Fuel> {
    let vectors = vectors();
    let runner = Runner::new(proviso_tests::module(), Limits::default()).expect("policy.wasm exports its ABI");
    let mut taken = BTreeMap::new();
    for call in vectors.cases.iter().filter(|call| ASKED.contains(&call.name.as_str())) {
        let (op, name) = (call.op().expect("an operation"), call.load.as_deref().expect("a bundle"));
        let load: Load = serde_json::from_str(&vectors.loads[name].input).expect("what loads a bundle");
        let mut warm = runner.warm(&load).expect("the bundle loads");
        let mut ask = || {
            let (answer, fuel) = warm.call_counted(op, &call.input()).expect("an answer");
            assert_eq!(String::from_utf8_lossy(&answer), call.answer, "{}", call.name);
            fuel
        };
        let (first, again) = (ask(), ask());
        // What repeats is a measure; what does not is none.
        assert!(ask().abs_diff(again) * 100 <= again * NEAR, "`{}` takes another amount each time", call.name);
        taken.insert(call.name.clone(), Fuel { first, again });
    }
    taken
}

#[test]
fn fixed_questions_take_the_fuel_that_they_took() {
    let taken = taken();
    assert_eq!(taken.len(), ASKED.len(), "every question of the list is a golden case");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/fuel.toml");
    if std::env::var_os("PROVISO_BLESS").is_some() {
        let head = "# What fixed questions take of fuel, see `all/golden/fuel.rs`; written with PROVISO_BLESS=1.\n\n";
        let text = toml::to_string(&taken).expect("figures are TOML");
        fs::write(&path, format!("{head}{text}")).expect("the figures can be written");
    }
    let kept: BTreeMap<String, Fuel> =
        toml::from_str(&fs::read_to_string(&path).expect("fixtures/fuel.toml is there")).expect("figures");
    assert!(kept.keys().eq(taken.keys()), "fixtures/fuel.toml is about other questions");
    let far = taken.iter().filter(|(name, fuel)| !fuel.is_near(kept[*name]));
    let far: Vec<String> = far.map(|(name, fuel)| format!("{name}: {fuel:?}, it was {:?}", kept[name])).collect();
    assert!(
        far.is_empty(),
        "the hot path takes another amount of fuel; where it is meant, PROVISO_BLESS=1 keeps it:\n{}",
        far.join("\n")
    );
}

/// What ten live grants may cost inside the module, in a hundredth of what the question takes without any: of an instance
/// that knows them, and of one that knows each of them where a counter has moved. Read anew they cost four times as much
/// as the question.
const KNOWN: u64 = 38;
const MOVED: u64 = 200;

#[test]
fn ten_live_grants_that_a_question_does_not_need_cost_little_once_they_are_known() {
    let vectors = vectors();
    let find = |name: &str| vectors.cases.iter().find(|call| call.name == name).expect("a golden case");
    let (asked, granted) = (find("outcomes: scope permits at its edge"), find("outcomes: a grant permits"));
    let json = |call: &Call| serde_json::from_slice::<serde_json::Value>(&call.input()).expect("JSON");
    let candidate = json(granted)["question"]["candidates"][0].clone();
    let with = |uses_left: u64| {
        let candidates = (0..10_u64).map(|number| {
            let mut candidate = candidate.clone();
            candidate["grant"]["id"] = format!("grant-{number}").into();
            candidate["grant"]["exception"] = format!("exception-{number}").into();
            candidate["uses_left"] = if number == 3 { uses_left } else { 1 }.into();
            candidate
        });
        let mut input = json(asked);
        input["question"]["candidates"] = candidates.collect();
        to_canonical_bytes(&input).expect("a canonical form")
    };
    let runner = Runner::new(proviso_tests::module(), Limits::default()).expect("policy.wasm exports its ABI");
    let load = asked.load.as_deref().expect("a bundle");
    let load: Load = serde_json::from_str(&vectors.loads[load].input).expect("what loads a bundle");
    let mut warm = runner.warm(&load).expect("the bundle loads");
    let op = asked.op().expect("an operation");
    let mut ask = |input: &[u8]| {
        let (answer, fuel) = warm.call_counted(op, input).expect("an answer");
        assert_eq!(String::from_utf8_lossy(&answer), asked.answer);
        fuel
    };
    let (bare, ten, one_use_later) = (asked.input(), with(5), with(4));
    let [without, known, moved] = [bare.as_slice(), &ten, &one_use_later].map(|input| {
        let first = ask(input);
        (first, ask(input))
    });
    let near = |taken: u64, more: u64| taken * 100 <= without.1 * (100 + more);
    assert!(near(known.1, KNOWN), "{known:?} where it is {without:?} without grants");
    // Where a counter has moved, the grants are known all the same.
    assert!(near(moved.0, MOVED) && near(moved.1, KNOWN), "{moved:?} where it is {without:?} without grants");
    assert!(known.0 > moved.0, "nothing was made of the grants: {known:?} {moved:?}");
}

#[test]
fn a_fiftieth_more_is_noticed() {
    let kept = Fuel { first: 100_000, again: 50_000 };
    for (first, again, near) in [
        (100_000, 50_000, true),
        (102_000, 51_000, true),
        (98_000, 49_000, true),
        (102_001, 50_000, false),
        (100_000, 51_001, false),
        (97_999, 50_000, false),
        (100_000, 48_999, false),
    ] {
        assert_eq!(Fuel { first, again }.is_near(kept), near, "{first} {again}");
    }
}
