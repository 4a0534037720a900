//! Our tagged values as Cedar's, without an expression between that Cedar would evaluate to the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use cedar_policy::RestrictedExpression;
use cedar_policy_core::ast;
use cedar_policy_core::evaluator::{EvaluationError, RestrictedEvaluator};
use cedar_policy_core::extensions::Extensions;
use policy_core::outcome::Reason;
use policy_core::value::Value;

use super::uid;
use crate::bundle::Rules;

/// Why a value is none of Cedar's.
#[derive(Debug)]
pub(crate) enum Misvalue {
    /// It names a type that Cedar cannot name.
    Unnamed(Reason),
    /// A text is none of its type.
    Unread(Box<EvaluationError>),
}

/// Refuses what names a type that Cedar cannot name, wherever it stands. For the reason of what is refused anyway: it is
/// told before a text that cannot be read.
pub(super) fn unnamed<'a>(rules: &Rules, values: impl IntoIterator<Item = &'a Value>) -> Result<(), Reason> {
    values.into_iter().try_for_each(|value| match value {
        Value::Entity(of) => uid(rules, of).map(drop),
        Value::Set(items) => unnamed(rules, items),
        Value::Record(members) => unnamed(rules, members.values()),
        _ => Ok(()),
    })
}

/// A value as Cedar has it.
pub(crate) fn value(rules: &Rules, value: &Value) -> Result<ast::Value, Misvalue> {
    let read = |expression: RestrictedExpression| construct(&expression).map_err(Misvalue::Unread);
    Ok(match value {
        Value::Bool(bool) => ast::Value::from(*bool),
        Value::Long(long) => ast::Value::from(*long),
        Value::String(text) => ast::Value::from(text.as_str()),
        Value::Entity(of) => ast::Value::from(ast::EntityUID::from(uid(rules, of).map_err(Misvalue::Unnamed)?)),
        Value::Set(items) => {
            let items = items.iter().map(|item| self::value(rules, item)).collect::<Result<Vec<_>, _>>()?;
            ast::Value::set(items, None)
        }
        Value::Record(members) => {
            let members = members.iter().map(|(name, value)| Ok((name.clone(), self::value(rules, value)?)));
            ast::Value::record_arc(Arc::new(members.collect::<Result<BTreeMap<_, _>, Misvalue>>()?), None)
        }
        Value::Datetime(text) => rules.kept.moments.datetime(text).map_err(Misvalue::Unread)?,
        Value::Duration(text) => rules.kept.moments.duration(text).map_err(Misvalue::Unread)?,
        Value::Decimal(text) => read(RestrictedExpression::new_decimal(text))?,
        Value::Ipaddr(text) => read(RestrictedExpression::new_ip(text))?,
    })
}

/// What one of Cedar's constructors makes of its text.
pub(crate) fn construct(expression: &RestrictedExpression) -> Result<ast::Value, Box<EvaluationError>> {
    let expression: &ast::RestrictedExpr = expression.as_ref();
    RestrictedEvaluator::new(Extensions::all_available()).interpret(expression.as_borrowed()).map_err(Box::new)
}

#[cfg(test)]
#[cfg(feature = "validate")]
mod tests {
    use cedar_policy::{Context, EntityUid};
    use policy_core::entity::EntityRef;
    use proptest::prelude::*;

    use super::*;
    use crate::Bundle;

    fn rules() -> Rules {
        let schema = "namespace Acme { entity User, Agent, File;
            action read appliesTo { principal: [Agent], resource: [File] }; }";
        let config = "namespace = \"Acme\"\ntiers = [\"low\"]\nstep_ups = [\"link\"]\n
            [types]\nperson = \"User\"\nsubjects = [\"Agent\"]\n";
        let files = [("bundle.toml", config), ("schema.cedarschema", schema)];
        Bundle::accept(&files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()).unwrap().rules
    }

    /// The same value as an expression, which Cedar evaluates.
    fn expression(rules: &Rules, value: &Value) -> Option<RestrictedExpression> {
        Some(match value {
            Value::Bool(bool) => RestrictedExpression::new_bool(*bool),
            Value::Long(long) => RestrictedExpression::new_long(*long),
            Value::String(text) => RestrictedExpression::new_string(text.clone()),
            Value::Entity(of) => {
                let kind = rules.config.long(&of.kind).parse().ok()?;
                RestrictedExpression::new_entity_uid(EntityUid::from_type_name_and_id(kind, of.id.parse().unwrap()))
            }
            Value::Set(items) => {
                let items: Option<Vec<_>> = items.iter().map(|item| expression(rules, item)).collect();
                RestrictedExpression::new_set(items?)
            }
            Value::Record(members) => {
                let members = members.iter().map(|(name, value)| Some((name.to_string(), expression(rules, value)?)));
                RestrictedExpression::new_record(members.collect::<Option<Vec<_>>>()?).ok()?
            }
            Value::Datetime(text) => RestrictedExpression::new_datetime(text),
            Value::Duration(text) => RestrictedExpression::new_duration(text),
            Value::Decimal(text) => RestrictedExpression::new_decimal(text),
            Value::Ipaddr(text) => RestrictedExpression::new_ip(text),
        })
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let text = |texts: &'static [&'static str]| prop::sample::select(texts).prop_map(str::to_owned);
        let scalar = prop_oneof![
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Long),
            any::<String>().prop_map(Value::String),
            (text(&["User", "Agent", "Acme::File", "Nobody", "Other::User", "", "1", "a b", "if"]), any::<String>())
                .prop_map(|(kind, id)| Value::Entity(EntityRef::new(kind, id))),
            text(&[
                "2026-11-22T16:00:00.123Z",
                "2026-11-22T16:59:59.999Z",
                "2026-11-22",
                "2026-13-22T16:00:00.000Z",
                ""
            ])
            .prop_map(Value::Datetime),
            text(&["1h30m", "5ms", "-1d", "h", ""]).prop_map(Value::Duration),
            text(&["1.25", "-0.1", "1", "1.23456"]).prop_map(Value::Decimal),
            text(&["10.0.0.0/8", "::1", "300.0.0.1"]).prop_map(Value::Ipaddr),
        ];
        scalar.prop_recursive(3, 24, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Set),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|members| Value::Record(members.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn a_member_that_is_there_twice_is_no_context() {
        let (rules, value) = (rules(), Value::Bool(true));
        let twice = [("input", &value), ("now", &value), ("input", &value)];
        assert_eq!(super::super::context(&rules, twice.into_iter()), Err(Reason::BadInput));
        let once = super::super::context(&rules, twice.into_iter().take(2)).unwrap();
        assert_eq!(super::super::context_with(&rules, &once, "input", &value), Err(Reason::BadInput));
        assert!(super::super::context_with(&rules, &once, "requested", &value).is_ok());
    }

    proptest! {
        #[test]
        fn a_value_is_what_cedar_makes_of_its_expression(values in prop::collection::btree_map("[a-z]{1,3}", any_value(), 0..4)) {
            let rules = rules();
            let ours = super::super::context(&rules, values.iter().map(|(name, value)| (name.as_str(), value)));
            let pairs: Option<Vec<_>> =
                values.iter().map(|(name, value)| Some((name.clone(), expression(&rules, value)?))).collect();
            let cedars = match pairs.map(Context::from_pairs) {
                None => Err(Reason::UnknownType),
                Some(context) => context.map_err(|_| Reason::BadInput),
            };
            prop_assert_eq!(ours.as_ref(), cedars.as_ref().map(AsRef::as_ref));
        }
    }
}
