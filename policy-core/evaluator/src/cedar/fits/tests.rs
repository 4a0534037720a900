//! What fits plainly is what fits by Cedar's own check; what does not is left to it.

use cedar_policy_core::ast;
use policy_core::outcome::Reason;
use policy_core::record::Record;
use proptest::prelude::*;

use super::super::{action as action_uid, checked, context as cedars, request, uid};
use super::*;
use crate::Bundle;

/// Every type of member there is, alone, in sets and in records.
const SCHEMA: &str = "namespace Acme {
    entity User, Agent, File;
    entity Colour enum [\"red\", \"green\"];
    type Inner = { a: Long, b?: Set<String> };
    action all;
    action read in [all] appliesTo { principal: [Agent], resource: [File], context: {
        flag?: Bool, long?: Long, text?: String, at?: datetime, length?: duration, number?: decimal, address?: ipaddr,
        who?: User, colour?: Colour, act?: Action, inner?: Inner, inners?: Set<Inner>, people?: Set<User>, must: Long,
        input?: { inner: Inner, deep?: { deeper: { deepest: Bool } } },
    } };
    action paint appliesTo { principal: [Colour], resource: [File, Colour], context: { must: Long } };
}";

fn rules() -> Rules {
    let config = "namespace = \"Acme\"\ntiers = [\"low\"]\nstep_ups = [\"link\"]\n
        [types]\nperson = \"User\"\nsubjects = [\"Agent\"]\n";
    let files = [("bundle.toml", config), ("schema.cedarschema", SCHEMA)];
    Bundle::accept(&files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()).unwrap().rules
}

fn kind() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "User",
        "Agent",
        "File",
        "Colour",
        "Acme::User",
        "Acme::Action",
        "Action",
        "Other::User",
        "Nobody",
    ])
}

fn any_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Long),
        "[a-z]{0,3}".prop_map(Value::String),
        Just(Value::Datetime("2026-11-22T16:00:00.123Z".to_owned())),
        Just(Value::Duration("1h".to_owned())),
        Just(Value::Decimal("1.25".to_owned())),
        Just(Value::Ipaddr("10.0.0.0/8".to_owned())),
        (kind(), prop::sample::select(vec!["red", "blue", "read"]))
            .prop_map(|(kind, id)| Value::Entity(EntityRef::new(kind, id))),
    ];
    let name = prop::sample::select(vec!["a", "b", "inner", "deep", "deeper", "deepest", "z"]);
    scalar.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Set),
            prop::collection::btree_map(name.clone(), inner, 0..4)
                .prop_map(|members| Value::Record(members.into_iter().collect())),
        ]
    })
}

/// Mostly what a member of this name may be.
fn fitting(name: &'static str) -> BoxedStrategy<Value> {
    let inner = || {
        (any::<i64>(), prop::option::of(prop::collection::vec("[a-z]{0,2}".prop_map(Value::String), 0..3))).prop_map(
            |(a, b)| {
                let b = b.map(|b| ("b".to_owned(), Value::Set(b)));
                Value::Record([("a".to_owned(), Value::Long(a))].into_iter().chain(b).collect())
            },
        )
    };
    let entity = |kind: &'static str, ids: &'static [&'static str]| {
        prop::sample::select(ids).prop_map(move |id| Value::Entity(EntityRef::new(kind, id)))
    };
    let record = |name: &str, of: Value| Value::Record([(name.to_owned(), of)].into());
    match name {
        "flag" => any::<bool>().prop_map(Value::Bool).boxed(),
        "long" | "must" => any::<i64>().prop_map(Value::Long).boxed(),
        "text" => "[a-z]{0,3}".prop_map(Value::String).boxed(),
        "at" => prop::sample::select(vec!["2026-11-22T16:00:00.123Z", "2026-11-22"])
            .prop_map(|text| Value::Datetime(text.to_owned()))
            .boxed(),
        "length" => Just(Value::Duration("1h30m".to_owned())).boxed(),
        "number" => Just(Value::Decimal("1.25".to_owned())).boxed(),
        "address" => Just(Value::Ipaddr("::1".to_owned())).boxed(),
        "who" => entity("User", &["a", "b"]).boxed(),
        "colour" => entity("Colour", &["red", "blue"]).boxed(),
        "act" => entity("Action", &["read", "none"]).boxed(),
        "inner" => inner().boxed(),
        "inners" => prop::collection::vec(inner(), 0..3).prop_map(Value::Set).boxed(),
        "people" => prop::collection::vec(entity("Acme::User", &["a", "b"]), 0..3).prop_map(Value::Set).boxed(),
        _ => (inner(), any::<bool>())
            .prop_map(move |(inner, flag)| {
                let deep = record("deeper", record("deepest", Value::Bool(flag)));
                Value::Record([("inner".to_owned(), inner), ("deep".to_owned(), deep)].into())
            })
            .boxed(),
    }
}

const NAMES: [&str; 15] = [
    "flag", "long", "text", "at", "length", "number", "address", "who", "colour", "act", "inner", "inners", "people",
    "must", "input",
];

fn any_context() -> impl Strategy<Value = Record> {
    let member = prop::sample::select(NAMES.to_vec()).prop_flat_map(|name| {
        let value = prop_oneof![9 => fitting(name), 1 => any_value().boxed()];
        (Just(name.to_owned()), value)
    });
    let must = prop_oneof![9 => fitting("must").prop_map(Some), 1 => Just(None)];
    (prop::collection::vec(member, 0..5), must, prop::bool::weighted(0.05)).prop_map(|(members, must, more)| {
        let mut context: Record = members.into_iter().collect();
        context.extend(must.map(|must| ("must".to_owned(), must)));
        if more {
            context.insert("more".to_owned(), Value::Bool(true));
        }
        context
    })
}

fn members(context: &Record) -> impl Iterator<Item = (&str, &Value)> + Clone {
    context.iter().map(|(name, value)| (name.as_str(), value))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_fits_plainly_fits_by_cedars_own_check(
        context in any_context(),
        principal in prop_oneof![4 => Just("Agent"), 1 => kind()],
        resource in prop_oneof![4 => Just("File"), 1 => kind()],
        action in prop::sample::select(vec!["read", "read", "read", "paint", "all", "none", "approve"]),
        id in prop::sample::select(vec!["red", "a"]),
    ) {
        thread_local! { static RULES: Rules = rules(); }
        RULES.with(|rules| {
            let (principal, resource) = (EntityRef::new(principal, id), EntityRef::new(resource, id));
            let by_cedar = || {
                let made = cedars(rules, members(&context))?;
                let (principal, resource) = (uid(rules, &principal)?, uid(rules, &resource)?);
                checked(&rules.schema, principal, action_uid(rules, action)?, resource, made)
            };
            let fits = rules.actions.get(action).is_some_and(|of| super::context(rules, of, members(&context)));
            let ours = cedars(rules, members(&context))
                .and_then(|made| request(rules, &principal, action, &resource, made, fits));
            let same = |request: cedar_policy::Request| {
                let request: &ast::Request = request.as_ref();
                let uids = [request.principal(), request.action(), request.resource()].map(|of| of.uid().cloned());
                (uids, request.context().cloned())
            };
            prop_assert_eq!(ours.map(same), by_cedar().map(same), "{:?}", context);
            Ok(())
        })?;
    }

    #[test]
    fn what_has_nothing_odd_fits_plainly(
        values in prop::sample::subsequence(NAMES.to_vec(), 0..15)
            .prop_flat_map(|names| names.into_iter().map(|name| (Just(name), fitting(name))).collect::<Vec<_>>()),
        must in any::<i64>(),
    ) {
        thread_local! { static RULES: Rules = rules(); }
        RULES.with(|rules| {
            let mut context: Record =
                values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            context.insert("must".to_owned(), Value::Long(must));
            let odd = ["colour", "act"].iter().any(|name| context.contains_key(name));
            let read = &rules.actions["read"];
            prop_assert_eq!(super::context(rules, read, members(&context)), !odd);
            context.remove("must");
            prop_assert!(!super::context(rules, read, members(&context)));
            Ok(())
        })?;
    }
}

#[test]
fn a_call_fits_plainly_where_any_id_of_both_types_may() {
    let rules = rules();
    let fits = |principal: &str, action: &str, resource: &str| {
        call(&rules, &EntityRef::new(principal, "red"), action, &EntityRef::new(resource, "red"))
    };
    assert!(fits("Agent", "read", "File") && fits("Acme::Agent", "read", "Acme::File"));
    assert!(!fits("User", "read", "File") && !fits("Agent", "read", "User"));
    assert!(!fits("Agent", "all", "File") && !fits("Agent", "none", "File"));
    // Of those whose ids are listed Cedar says which there are.
    assert!(!fits("Colour", "paint", "File") && !fits("Colour", "paint", "Colour"));
    let context = Record::from([("must".to_owned(), Value::Long(1))]);
    let paint = |id: &str| {
        let made = cedars(&rules, members(&context)).unwrap();
        request(&rules, &EntityRef::new("Colour", id), "paint", &EntityRef::new("File", "f"), made, true).map(drop)
    };
    assert_eq!((paint("red"), paint("blue")), (Ok(()), Err(Reason::BadInput)));
}
