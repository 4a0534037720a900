//! Containment and Cedar's answer on the compiled permit agree, on grants and calls drawn at random (R3).

use std::collections::{BTreeMap, BTreeSet};

use policy_core::containment::covers;
use policy_core::digest::Digest;
use policy_core::entity::Hop;
use policy_core::grant::Scope;
use policy_core::outcome::Outcome;
use policy_core::question::{Candidate, Purpose, SealedQuestion};
use policy_core::time::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::Bundle;
use crate::cedar;
use crate::evaluate::evaluate;
use crate::seal::{Ask, Claimed};

/// Actions that nothing in scope permits, with every kind of argument that a condition can stand on.
fn bundle() -> Bundle {
    let schema = r#"
        entity User, Agent;
        entity Folder;
        entity File in [Folder];
        type Args = {
            @path path: String, name?: String, rows?: Long, force?: Bool, who?: User, tags?: Set<String>,
            deep?: { n?: Long },
        };
        action go appliesTo { principal: [Agent], resource: [File], context: {
            now: datetime, task: String, chain: String, server?: String, input_digest: String, input: Args } };
        action bare appliesTo { principal: [Agent], resource: [File], context: { now: datetime, task: String, input_digest: String } };
        action timeless appliesTo { principal: [Agent], resource: [File], context: { task: String, input_digest: String } };
    "#;
    let config = "tiers = [\"low\"]\nstep_ups = [\"link\"]\n[types]\nperson = \"User\"\nsubjects = [\"Agent\"]\n";
    let files = [("schema.cedarschema", schema), ("bundle.toml", config)];
    Bundle::accept(&files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()).unwrap()
}

/// The numbers that pick one of a few values in each dimension: few, so that they often meet.
#[derive(Debug, Clone)]
struct Draw {
    subject: usize,
    task: usize,
    chain: usize,
    server: usize,
    resource: usize,
    path: usize,
    name: usize,
    rows: usize,
    force: usize,
    who: usize,
    tags: usize,
    deep: usize,
    now: i64,
}

const PATHS: [&str; 8] = ["/a", "/a/b", "/a/b/c", "/ab", "/a/*", "/a/x\"y", "/", "/*"];
const NAMES: [&str; 5] = ["plain", "a*b", "a\"b", "a\\b", "ünï"];
const ROWS: [i64; 7] = [-1, 0, 1, 2, 3, 4, 9_007_199_254_740_991];

fn pick<T: Clone>(list: &[T], at: usize) -> T {
    list[at % list.len()].clone()
}

fn draw() -> impl Strategy<Value = Draw> {
    let rare = || prop_oneof![9 => Just(0usize), 1 => Just(1usize)];
    let who = (rare(), rare(), rare(), rare(), rare());
    let arguments = (0..8usize, 0..6usize, 0..8usize, 0..3usize, 0..3usize, 0..4usize, 0..4usize);
    (who, arguments, 0..8i64).prop_map(|(who, arguments, now)| Draw {
        subject: who.0,
        task: who.1,
        chain: who.2,
        server: who.3,
        resource: who.4,
        path: arguments.0,
        name: arguments.1,
        rows: arguments.2,
        force: arguments.3,
        who: arguments.4,
        tags: arguments.5,
        deep: arguments.6,
        now,
    })
}

fn seal(bundle: &Bundle, draw: &Draw, action: &str) -> SealedQuestion {
    let mut input = json!({"path": pick(&PATHS, draw.path)});
    let members = [
        ("name", (draw.name > 0).then(|| json!(pick(&NAMES, draw.name)))),
        ("rows", (draw.rows > 0).then(|| json!(pick(&ROWS, draw.rows)))),
        ("force", (draw.force > 0).then(|| json!(draw.force == 1))),
        ("who", (draw.who > 0).then(|| json!({"type": "User", "id": pick(&NAMES, draw.who)}))),
        (
            "tags",
            (draw.tags > 0).then(|| pick(&[json!(["a", "b"]), json!(["b", "a"]), json!(["a", "b", "a"])], draw.tags)),
        ),
        ("deep", (draw.deep > 0).then(|| pick(&[json!({}), json!({"n": 1}), json!({"n": 2})], draw.deep))),
    ];
    for (name, value) in members {
        if let Some(value) = value {
            input[name] = value;
        }
    }
    let hop = |id: &str| Hop { entity: EntityRef::new("User", id), issuer: "proviso".into() };
    let ask = Ask {
        purpose: Purpose::Use,
        subject: EntityRef::new("Agent", pick(&["a", "b"], draw.subject)),
        task: pick(&["T-1", "T-2"], draw.task).into(),
        chain: pick(&[vec![hop("x"), hop("y")], vec![hop("y"), hop("x")]], draw.chain),
        enforcement_point: Some("proxy".into()),
        bound: false,
        vouched: false,
        server: pick(&[Some("s".into()), None], draw.server),
        tool: None,
        action: action.into(),
        resource: EntityRef::new("File", pick(&["f", "g\"*"], draw.resource)),
        input: Some(input),
        claims: Claimed::default(),
        now: Timestamp::from_millis(1_000_000 + draw.now),
        done: BTreeSet::new(),
    };
    bundle.seal(&ask).unwrap()
}

fn test() -> impl Strategy<Value = Condition> {
    let text = |at: usize| Scalar::String(pick(&NAMES, at).to_owned());
    let condition =
        |at: &[&str], test: Test| Condition { at: at.iter().map(|name| (*name).to_owned()).collect(), test };
    prop_oneof![
        (0..8usize).prop_map(move |at| condition(&["path"], Test::Inside { path: pick(&PATHS, at).to_owned() })),
        (0..8usize).prop_map(move |at| condition(
            &["path"],
            Test::Equals { value: Scalar::String(pick(&PATHS, at).to_owned()) }
        )),
        (0..5usize).prop_map(move |at| condition(&["name"], Test::Equals { value: text(at) })),
        (0..5usize, 0..5usize)
            .prop_map(move |(a, b)| condition(&["name"], Test::OneOf { values: vec![text(a), text(b)] })),
        (0..7usize, 0..7usize).prop_map(move |(min, max)| {
            condition(&["rows"], Test::Between { min: pick(&ROWS, min), max: pick(&ROWS, max) })
        }),
        (0..7usize).prop_map(move |at| condition(&["rows"], Test::Equals { value: Scalar::Long(pick(&ROWS, at)) })),
        any::<bool>().prop_map(move |force| condition(&["force"], Test::Equals { value: Scalar::Bool(force) })),
        (0..5usize).prop_map(move |at| {
            condition(&["who"], Test::Equals { value: Scalar::Entity(EntityRef::new("User", pick(&NAMES, at))) })
        }),
        (0..4i64).prop_map(move |max| condition(&["deep", "n"], Test::Between { min: 0, max })),
    ]
}

fn arguments() -> impl Strategy<Value = ArgumentScope> {
    prop_oneof![
        1 => Just(ArgumentScope::Exact),
        4 => prop::collection::vec(test(), 1..4).prop_map(ArgumentScope::Conditions),
    ]
}

/// A grant for a call like this one.
fn grant(question: &SealedQuestion, arguments: ArgumentScope, window: (i64, i64), several: bool) -> Grant {
    let call = &question.call;
    let resource = call.resources[0].clone();
    let members = if several { vec![resource.clone(), EntityRef::new("File", "g\"*")] } else { Vec::new() };
    Grant {
        id: "grant-1".into(),
        exception: "exception-1".into(),
        version: 1,
        subject: call.subject.clone(),
        task: question.task.clone(),
        chain: question.chain.clone(),
        enforcement_point: "proxy".into(),
        server: call.server.clone(),
        tool: None,
        action: call.action.clone(),
        scope: Scope {
            resource: if several {
                ResourceScope::In(EntityRef::new("Folder", "x"))
            } else {
                ResourceScope::Is(resource)
            },
            arguments,
            not_before: Some(Timestamp::from_millis(1_000_000 + window.0)),
            not_after: Timestamp::from_millis(1_000_000 + window.1),
            max_uses: 1,
            valid_for: None,
            rate: None,
            budgets: Vec::new(),
        },
        members,
        input_digest: call.input_digest,
        input_names: policy_core::containment::input_names(call),
    }
}

/// How many questions are tried: `PROPTEST_CASES`, where it is set, as for properties that say nothing of their own.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").map_or(512, |cases| cases.parse().expect("a number of cases"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn containment_and_the_compiled_permit_agree(
        approved in draw(),
        used in draw(),
        same in any::<bool>(),
        arguments in arguments(),
        window in (0..4i64, 3..8i64),
        several in any::<bool>(),
    ) {
        thread_local! { static BUNDLE: Bundle = bundle(); }
        BUNDLE.with(|bundle| {
            let asked = seal(bundle, &approved, "go");
            let grant = grant(&asked, arguments, window, several);
            let question = if same { Draw { now: used.now, ..approved } } else { used };
            let mut question = seal(bundle, &question, "go");
            let (budgets_left, rate_left) = (Vec::new(), None);
            let candidate = Candidate { grant: grant.clone().into(), uses_left: 1, budgets_left, rate_left };
            let contained = covers(&candidate, &question).is_ok();
            let permit = permit(&bundle.rules, &grant).unwrap();
            let set = cedar_policy::PolicySet::from_policies([permit]).unwrap();
            let entities = cedar::entities(&bundle.rules, &question.entities).unwrap();
            let context = cedar::context(&bundle.rules, cedar::call_context(&question)).unwrap();
            let call = &question.call;
            let request = cedar::request(&bundle.rules, &call.subject, &call.action, &call.resources[0], context, false).unwrap();
            let verdict = cedar::ask(&set, &request, &entities);
            prop_assert!(verdict.errors.is_empty(), "{:?}", verdict.errors);
            prop_assert_eq!(!verdict.satisfied.is_empty(), contained, "{:?}\n{:?}", grant, question);
            // Read again, it is the same permit.
            prop_assert!(compile(&bundle.rules, &grant).is_ok());
            question.candidates = vec![candidate];
            let evaluation = evaluate(&bundle.rules, &question);
            prop_assert_eq!(evaluation.outcome == Outcome::PermittedByException, contained);
            Ok(())
        })?;
    }
}

#[test]
fn what_cannot_be_granted_is_refused() {
    let bundle = bundle();
    let none = Draw {
        subject: 0,
        task: 0,
        chain: 0,
        server: 0,
        resource: 0,
        path: 1,
        name: 1,
        rows: 1,
        force: 1,
        who: 1,
        tags: 1,
        deep: 1,
        now: 0,
    };
    let asked = seal(&bundle, &none, "go");
    let with = |at: &str, test: Test| {
        let at = at.split('.').map(str::to_owned).collect();
        compile(&bundle.rules, &grant(&asked, ArgumentScope::Conditions(vec![Condition { at, test }]), (0, 5), false))
    };
    let text = || Scalar::String("x".into());
    for (at, test) in [
        ("rows", Test::Equals { value: text() }),
        ("name", Test::Between { min: 0, max: 1 }),
        ("name", Test::Inside { path: "/a".into() }),
        ("path", Test::Inside { path: "/a/../b".into() }),
        ("unknown", Test::Equals { value: text() }),
        ("deep.m", Test::Equals { value: text() }),
        ("tags", Test::Equals { value: text() }),
        ("who", Test::Equals { value: Scalar::Entity(EntityRef::new("Agent", "a")) }),
    ] {
        assert_eq!(with(at, test.clone()), Err(CompileError::Condition(at.to_owned())), "{test:?}");
    }
    let exact = |action: &str| {
        compile(&bundle.rules, &Grant { action: action.into(), ..grant(&asked, ArgumentScope::Exact, (0, 5), false) })
    };
    assert!(exact("bare").is_ok());
    assert_eq!(exact("timeless"), Err(CompileError::Undeclared("now")));
    assert_eq!(exact("gone"), Err(CompileError::UnknownAction));
    let open =
        ArgumentScope::Conditions(vec![Condition { at: vec!["name".into()], test: Test::Equals { value: text() } }]);
    let bare = Grant { action: "bare".into(), ..grant(&asked, open, (0, 5), false) };
    assert_eq!(compile(&bundle.rules, &bare), Err(CompileError::Untyped));
    let nobody = Grant { members: Vec::new(), ..grant(&asked, ArgumentScope::Exact, (0, 5), true) };
    assert_eq!(compile(&bundle.rules, &nobody), Err(CompileError::NoResource));
}

#[test]
fn the_permit_reads_as_policy_and_quotes_what_came_from_outside() {
    let bundle = bundle();
    let none = Draw {
        subject: 0,
        task: 0,
        chain: 0,
        server: 0,
        resource: 1,
        path: 4,
        name: 0,
        rows: 0,
        force: 0,
        who: 0,
        tags: 0,
        deep: 0,
        now: 0,
    };
    let asked = seal(&bundle, &none, "go");
    let inside = Condition { at: vec!["path".into()], test: Test::Inside { path: "/a/*".into() } };
    let compiled =
        compile(&bundle.rules, &grant(&asked, ArgumentScope::Conditions(vec![inside]), (0, 5), false)).unwrap();
    assert!(compiled.cedar.contains(r#"like "/a/\*/*""#), "{}", compiled.cedar);
    assert!(compiled.cedar.contains(r#"File::"g\"*""#), "{}", compiled.cedar);
    let digest = Digest::of_json(&compiled.est).unwrap();
    assert_eq!(digest, Digest::of_json(&compiled.est.clone()).unwrap());
    let members: BTreeMap<String, serde_json::Value> = serde_json::from_value(compiled.est).unwrap();
    assert_eq!(members["effect"], "permit");
}
