//! Every case, asked of the evaluator.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use policy_core::outcome::Reason;
use policy_evaluator::abi::Instance;
use serde_json::{Value, json};

use crate::case::{self, CaseFile, load_all};
use crate::repeat::{Run, expanded};
use crate::{build, summary};

/// One call with its answer, as text.
pub struct Played {
    pub name: String,
    pub bundle: Option<String>,
    pub op: i32,
    /// With marks, and what stands for them.
    pub template: String,
    pub runs: Vec<Run>,
    pub input: String,
    pub answer: String,
}

/// What every case came to, natively, and which differ from what their files say.
pub fn played() -> &'static (Vec<Played>, Vec<String>) {
    static PLAYED: OnceLock<(Vec<Played>, Vec<String>)> = OnceLock::new();
    PLAYED.get_or_init(play)
}

fn play() -> (Vec<Played>, Vec<String>) {
    let (mut played, mut wrong) = (Vec::new(), Vec::new());
    let mut instances: BTreeMap<String, Instance> = BTreeMap::new();
    for file in load_all() {
        let CaseFile { stem, head, cases } = &file;
        for case in cases {
            let name = format!("{stem}: {}", case.name);
            let got = match build::call(head, case) {
                Err(reason) => json!({"sealed": reason}),
                Ok(call) => {
                    let loaded = |bundle: &String| {
                        let mut instance = Instance::default();
                        instance.call(1, case::bundle(bundle).load.as_bytes());
                        instance
                    };
                    let input = expanded(&call.input, &call.runs);
                    let answer = match &call.bundle {
                        Some(bundle) => {
                            let instance = instances.entry(bundle.clone()).or_insert_with(|| loaded(bundle));
                            let answer = instance.call(call.op, input.as_bytes());
                            // What an instance keeps between questions changes no answer.
                            if call.op != 1 {
                                let same = [
                                    instance.call(call.op, input.as_bytes()),
                                    loaded(bundle).call(call.op, input.as_bytes()),
                                ];
                                assert!(
                                    same.iter().all(|same| *same == answer),
                                    "`{name}` has other answers later or alone"
                                );
                            }
                            answer
                        }
                        None => Instance::default().call(call.op, input.as_bytes()),
                    };
                    let answer = String::from_utf8(answer).expect("an answer is text");
                    let got = summary::of(call.op, &answer);
                    let (bundle, op, template, runs) = (call.bundle, call.op, call.input, call.runs);
                    played.push(Played { name: name.clone(), bundle, op, template, runs, input, answer });
                    got
                }
            };
            if got != case.expect {
                wrong.push(format!("{name}\n  expected {}\n  got      {}", toml(&case.expect), toml(&got)));
            }
        }
    }
    (played, wrong)
}

/// As a case file would write it.
fn toml(value: &Value) -> String {
    toml::Value::try_from(value).map_or_else(|_| value.to_string(), |value| value.to_string())
}

#[test]
fn golden_cases_come_to_what_their_files_say() {
    let (played, wrong) = played();
    assert!(played.len() >= 40, "only {} cases", played.len());
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn golden_cases_have_names_of_their_own() {
    let mut names = BTreeSet::new();
    for file in load_all() {
        for case in &file.cases {
            assert!(names.insert(format!("{}: {}", file.stem, case.name)), "`{}` is there twice", case.name);
        }
    }
}

#[test]
fn golden_cases_cover_every_outcome_and_every_reason_of_the_module() {
    let mut said = BTreeSet::new();
    let mut erring_guardrails = 0;
    for case in load_all().iter().flat_map(|file| &file.cases) {
        for member in ["outcome", "reason"] {
            said.extend(case.expect.get(member).and_then(Value::as_str).map(str::to_owned));
        }
        erring_guardrails += usize::from(case.expect.get("reason") == Some(&json!("guardrail_error")));
    }
    let word = |value: Value| value.as_str().expect("a word").to_owned();
    for reason in [
        Reason::Scope,
        Reason::Exception,
        Reason::ApprovalRequired,
        Reason::NotPermitted,
        Reason::Guardrail,
        Reason::GuardrailError,
        Reason::Chain,
        Reason::Locked,
        Reason::BadInput,
        Reason::UnknownAction,
        Reason::UnknownType,
        Reason::UnknownEntity,
        Reason::UnknownVersion,
        Reason::TermsUnavailable,
    ] {
        let reason = word(serde_json::to_value(reason).expect("a reason is a word"));
        assert!(said.contains(&reason), "no golden case for the reason `{reason}`");
    }
    for outcome in ["permitted_by_scope", "permitted_by_exception", "requestable_denial", "denial"] {
        assert!(said.contains(outcome), "no golden case for `{outcome}`");
    }
    assert!(erring_guardrails >= 10, "{erring_guardrails} cases in which a guardrail errs");
}
