//! What no golden case reaches: edges of a search between two numbers, and how much one preview tries.

use policy_core::abi::{Edge, Op};
use policy_core::entity::EntityRef;
use policy_core::grant::{ArgumentScope, Condition, ResourceScope, Scope, Test};
use policy_core::json::to_canonical_bytes;
use policy_core::question::Purpose;
use serde_json::{Value as Json, json};

use super::*;
use crate::Bundle;
use crate::abi::Instance;
use crate::seal::{Ask, Claimed};

/// Nothing is permitted but by a grant, and a guardrail leaves only a few numbers of rows.
fn bundle() -> Bundle {
    let schema = r#"
        entity User, Agent, File;
        action post appliesTo { principal: [Agent], resource: [File], context: {
            now: datetime, task: String, actors: Set<String>, input_digest: String,
            input: { rows?: Long, count?: Long, urgent?: Bool, memo?: String, deep?: { n?: Long } } } };
    "#;
    let config = "tiers = [\"low\"]\nstep_ups = [\"link\"]\n[types]\nperson = \"User\"\nsubjects = [\"Agent\"]\n";
    let guardrail = r#"
        @id("few-rows")
        forbid (principal, action == Action::"post", resource)
        when { context.input has rows && (context.input.rows < 600 || context.input.rows > 610) };
    "#;
    let files = [("schema.cedarschema", schema), ("bundle.toml", config), ("guardrails/rows.cedar", guardrail)];
    Bundle::accept(&files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()).unwrap()
}

fn question(bundle: &Bundle, input: Json) -> SealedQuestion {
    let ask = Ask {
        purpose: Purpose::Use,
        subject: EntityRef::new("Agent", "one"),
        task: "T-1".into(),
        chain: Vec::new(),
        enforcement_point: Some("proxy".into()),
        bound: false,
        vouched: false,
        server: None,
        tool: None,
        action: "post".into(),
        resource: EntityRef::new("File", "a"),
        input: Some(input),
        claims: Claimed::default(),
        now: Timestamp::from_millis(1_000_000),
        done: std::collections::BTreeSet::new(),
    };
    bundle.seal(&ask).unwrap()
}

fn input(question: &SealedQuestion, arguments: ArgumentScope) -> Preview {
    let call = &question.call;
    let grant = Grant {
        id: "g".into(),
        exception: "e".into(),
        version: 1,
        subject: call.subject.clone(),
        task: question.task.clone(),
        chain: Vec::new(),
        enforcement_point: "proxy".into(),
        server: None,
        tool: None,
        action: call.action.clone(),
        scope: Scope {
            resource: ResourceScope::Is(call.resources[0].clone()),
            arguments,
            not_before: None,
            not_after: Timestamp::from_millis(2_000_000),
            max_uses: 1,
            valid_for: None,
            rate: None,
            budgets: Vec::new(),
        },
        members: Vec::new(),
        input_digest: call.input_digest,
        input_names: policy_core::containment::input_names(call),
    };
    Preview { v: 1, question: question.clone(), grant, others: Vec::new(), at: question.now }
}

/// The two sides of an argument's edge.
fn sides(bundle: &Bundle, call: Json, arguments: ArgumentScope, dimension: &str) -> Option<(String, String)> {
    let edges = preview(&bundle.rules, &input(&question(bundle, call), arguments)).unwrap().edges;
    let edge = edges.into_iter().find(|edge: &Edge| edge.dimension == dimension);
    edge.map(|edge| (edge.passes, edge.fails))
}

#[test]
fn the_largest_number_that_passes_is_looked_for_from_one_that_the_grant_covers() {
    let bundle = bundle();
    let between = |min: i64, max: i64| {
        let at = vec!["rows".to_owned()];
        ArgumentScope::Conditions(vec![Condition { at, test: Test::Between { min, max } }])
    };
    for (asked, min, max, passes, fails) in [
        (605, 0, 5_000, "610", "611"),
        (600, 0, 5_000, "610", "611"),
        (605, 605, 5_000, "610", "611"),
        (100, 600, 5_000, "610", "611"),
        (9_000, 600, 5_000, "610", "611"),
        (605, 0, 607, "607", "608"),
    ] {
        let found = sides(&bundle, json!({"rows": asked}), between(min, max), "input.rows");
        let (found_passes, found_fails) = found.unwrap();
        assert_eq!((found_passes.as_str(), found_fails.as_str()), (passes, fails), "{asked} of {min}..={max}");
    }
}

#[test]
fn a_length_counts_from_the_start_and_the_window_ends_it_before() {
    let bundle = bundle();
    let tried = |valid_for: Option<u64>, begin: Option<i64>| {
        let mut input = input(&question(&bundle, json!({"rows": 605})), ArgumentScope::Exact);
        input.grant.scope.valid_for = valid_for.map(Span::from_seconds);
        input.grant.scope.not_before = begin.map(Timestamp::from_millis);
        let previewed = preview(&bundle.rules, &input).unwrap();
        let time = previewed.edges.into_iter().find(|edge| edge.dimension == "time").unwrap();
        assert!(time.passes_outcome.permits() && !time.fails_outcome.permits(), "{time:?}");
        (previewed.ends.millis(), time.fails)
    };
    assert_eq!(tried(Some(60), None), (1_060_000, "1m from its start".to_owned()));
    assert_eq!(tried(Some(60), Some(1_500_000)), (1_560_000, "1m from its start".to_owned()));
    let window = Timestamp::from_millis(2_000_000);
    assert_eq!(tried(Some(3_600), None), (2_000_000, window.to_string()), "the window ends it before");
    assert_eq!(tried(None, None), (2_000_000, window.to_string()));
}

#[test]
fn an_argument_has_the_edge_of_its_kind() {
    let bundle = bundle();
    let side = |call: Json, arguments, dimension: &str| {
        sides(&bundle, call, arguments, dimension).unwrap_or_else(|| panic!("no edge `{dimension}`"))
    };
    let pair = |passes: &str, fails: &str| (passes.to_owned(), fails.to_owned());
    let call = || json!({"rows": 605, "urgent": true});
    assert_eq!(side(call(), ArgumentScope::Exact, "input.urgent"), pair("true", "false"));
    let urgent = Condition {
        at: vec!["urgent".to_owned()],
        test: Test::Equals { value: policy_core::grant::Scalar::Bool(true) },
    };
    for added in ["input.count", "input.memo"] {
        let conditions = ArgumentScope::Conditions(vec![urgent.clone()]);
        assert_eq!(side(call(), conditions, added), pair("not given", "given"));
    }
}

#[test]
fn another_task_is_another_one_everywhere() {
    let question = question(&bundle(), json!({"rows": 605}));
    let other = vary::other_task(&question);
    assert_eq!(other.task, "T-1-other");
    assert_eq!(other.context.get("task"), Some(&Value::String("T-1-other".into())));
    assert_eq!(SealedQuestion { task: question.task.clone(), context: question.context.clone(), ..other }, question);
}

#[test]
fn another_subject_is_another_one_among_the_actors_too() {
    let mut question = question(&bundle(), json!({"rows": 605}));
    let actor = |text: &str| Value::String(text.to_owned());
    question.context.insert("actors", Value::Set(vec![actor("Agent::one"), actor("User::ines")]));
    let other = vary::other_subject(&question);
    assert_eq!(other.call.subject, EntityRef::new("Agent", "one-other"));
    let actors = Value::Set(vec![actor("Agent::one-other"), actor("User::ines")]);
    assert_eq!(other.context.get("actors"), Some(&actors));
    assert!(other.entities.iter().any(|fact| fact.uid == other.call.subject));
}

#[test]
fn an_argument_is_changed_where_it_stands() {
    let question = question(&bundle(), json!({"rows": 605, "deep": {"n": 1}}));
    let at = |at: &[&str]| at.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let changed = vary::with_argument(&question, &at(&["deep", "n"]), Value::Long(2)).unwrap();
    assert_eq!(vary::argument(&changed, &at(&["deep", "n"])), Some(&Value::Long(2)));
    assert_eq!(vary::argument(&changed, &at(&["rows"])), Some(&Value::Long(605)));
    assert_ne!(changed.call.input_digest, question.call.input_digest);
    let digest = Value::String(changed.call.input_digest.to_string());
    assert_eq!(changed.context.get("input_digest"), Some(&digest));
    let same = vary::with_argument(&question, &at(&["deep", "n"]), Value::Long(1)).unwrap();
    assert_eq!(same, question);
    for nowhere in [at(&["rows", "n"]), at(&["none", "n"]), at(&[])] {
        assert_eq!(vary::with_argument(&question, &nowhere, Value::Long(2)), None, "{nowhere:?}");
    }
}

#[test]
fn a_value_has_a_neighbour_of_its_kind() {
    let text = |text: &str| Value::String(text.to_owned());
    let largest = policy_core::json::LARGEST_INTEGER;
    for (value, other) in [
        (Value::Bool(true), Some(Value::Bool(false))),
        (Value::Bool(false), Some(Value::Bool(true))),
        (Value::Long(7), Some(Value::Long(8))),
        (Value::Long(largest - 1), Some(Value::Long(largest))),
        (Value::Long(largest), Some(Value::Long(largest - 1))),
        (text("/"), Some(text("/x"))),
        (text("a"), Some(text("ax"))),
        (Value::Entity(EntityRef::new("User", "ines")), Some(Value::Entity(EntityRef::new("User", "ines-other")))),
        (Value::Set(Vec::new()), None),
    ] {
        assert_eq!(vary::other(&value), other, "{value:?}");
    }
}

#[test]
fn a_folder_has_a_parent_and_files() {
    for (path, parent) in [("/a/b", Some("/a")), ("/a", Some("/")), ("/", None), ("a", None)] {
        assert_eq!(vary::parent(path), parent, "{path}");
    }
    for (folder, like, file) in [
        ("/a", "/x/y", Some("/a/y")),
        ("/", "/x/y", Some("/y")),
        ("/a", "/", Some("/a/x")),
        ("/a", "", Some("/a/x")),
        ("a", "/x/y", None),
    ] {
        assert_eq!(vary::file_in(folder, like).as_deref(), file, "{like} in {folder}");
    }
}

#[test]
fn a_preview_tries_as_many_denials_as_it_may() {
    let bundle = bundle();
    let question = question(&bundle, json!({"rows": 605}));
    let tried = |number: usize| {
        let input = Preview { others: vec![question.clone(); number], ..input(&question, ArgumentScope::Exact) };
        preview(&bundle.rules, &input).map(|previewed| (previewed.tried, previewed.flips.len()))
    };
    assert_eq!(tried(MOST_OTHERS), Ok((1_024, 1_024)));
    for number in [MOST_OTHERS + 1, 1_200] {
        assert_eq!(tried(number).unwrap_err().code, "too_large");
    }
}

#[test]
fn what_is_tried_again_on_the_same_denials_is_answered_as_by_whom_nothing_was_kept() {
    let bundle = bundle();
    let load = to_canonical_bytes(&bundle.load()).unwrap();
    let started = || {
        let mut instance = Instance::new();
        assert!(instance.call(Op::Load as i32, &load).starts_with(b"{\"ok\""));
        instance
    };
    let asked = question(&bundle, json!({"rows": 605}));
    let others = |rows: [i64; 4]| rows.map(|rows| question(&bundle, json!({"rows": rows}))).to_vec();
    let between = |max: i64| {
        let test = Test::Between { min: 0, max };
        ArgumentScope::Conditions(vec![Condition { at: vec!["rows".to_owned()], test }])
    };
    let odd = SealedQuestion { task: "T-\u{1}".into(), ..question(&bundle, json!({"rows": 604})) };
    let [first, second] = [others([601, 602, 609, 900]), others([601, 602, 608, 900])];
    let mut warm = started();
    let mut answers = std::collections::BTreeSet::new();
    // Again and again on the same; on others whose text is as long; on one that is not plain; on none; and back.
    for (denials, max) in [
        (&first, 605),
        (&first, 605),
        (&first, 608),
        (&first, 609),
        (&second, 609),
        (&second, 608),
        (&second, 605),
        (&vec![odd], 605),
        (&Vec::new(), 605),
        (&first, 609),
    ] {
        let preview = Preview { others: denials.clone(), ..input(&asked, between(max)) };
        let bytes = to_canonical_bytes(&preview).unwrap();
        let answer = warm.call(Op::Preview as i32, &bytes);
        assert_eq!(answer, started().call(Op::Preview as i32, &bytes), "{max}");
        let anew = policy_core::abi::Answer::Ok(super::preview(&bundle.rules, &preview).unwrap());
        assert_eq!(answer, to_canonical_bytes(&anew).unwrap());
        answers.insert(answer);
    }
    assert!(answers.len() >= 6, "they differ: {}", answers.len());
}

#[test]
fn a_denial_of_another_time_is_tried_at_the_time_of_the_trial() {
    let bundle = bundle();
    let question = question(&bundle, json!({"rows": 605}));
    let times = [0, 999_999, 1_500_000, 1_999_999, 2_000_000, 9_000_000];
    let others = times.map(|at| SealedQuestion { now: Timestamp::from_millis(at), ..question.clone() }).to_vec();
    for begin in [None, Some(1_500_000)] {
        let mut input = Preview { others: others.clone(), ..input(&question, ArgumentScope::Exact) };
        input.grant.scope.not_before = begin.map(Timestamp::from_millis);
        assert_eq!(preview(&bundle.rules, &input).unwrap().flips, [0, 1, 2, 3, 4, 5]);
    }
}

#[test]
fn what_another_grant_lets_through_already_is_no_flip() {
    let bundle = bundle();
    let question = question(&bundle, json!({"rows": 605}));
    let mut input = input(&question, ArgumentScope::Exact);
    let grant = input.grant.clone();
    let held = |id: &str, uses_left: u32| {
        let grant = Grant { id: id.into(), ..grant.clone() }.into();
        let candidates = vec![Candidate { grant, uses_left, budgets_left: Vec::new(), rate_left: None }];
        SealedQuestion { candidates, ..question.clone() }
    };
    // Nothing held; a grant with a use left, and one with none; this very grant, as it is tried.
    input.others = vec![question.clone(), held("held", 1), held("held", 0), held("g", 1)];
    assert_eq!(preview(&bundle.rules, &input).unwrap().flips, [0, 2, 3]);
}
