//! A policy's condition as the evaluator needs it: without the places in its file, which Cedar copies with every value that
//! it makes and which no outcome and no message names; without the `true` that stands for the scope before it; and with
//! a few literals compared one by one, where Cedar would make a set of them anew for every question.

use std::collections::BTreeMap;
use std::sync::Arc;

use cedar_policy_core::ast::{BinaryOp, Expr, ExprKind, Literal, UnaryOp, Var};

/// Up to how many literals of a set are compared one by one.
const FEW: usize = 4;
/// Up to how many attributes deep a value is read anew for each of them.
const NEAR: usize = 2;

/// The same condition: of every request it is true, false or an error, and which error, as before.
pub(super) fn bare(expr: &Expr) -> Expr {
    let many = |items: &[Expr]| items.iter().map(bare).collect::<Vec<_>>();
    match expr.expr_kind() {
        ExprKind::Lit(_) | ExprKind::Var(_) | ExprKind::Slot(_) | ExprKind::Unknown(_) => {
            expr.clone().with_maybe_source_loc(None)
        }
        ExprKind::If { test_expr, then_expr, else_expr } => {
            Expr::ite(bare(test_expr), bare(then_expr), bare(else_expr))
        }
        ExprKind::And { left, right } => match (bare(left), bare(right)) {
            (left, right) if is_true(&left) && is_boolean(&right) => right,
            (left, right) if is_true(&right) && is_boolean(&left) => left,
            (left, right) => Expr::and(left, right),
        },
        ExprKind::Or { left, right } => Expr::or(bare(left), bare(right)),
        ExprKind::UnaryApp { op, arg } => Expr::unary_app(*op, bare(arg)),
        ExprKind::BinaryApp { op, arg1, arg2 } => {
            let (left, right) = (bare(arg1), bare(arg2));
            one_by_one(*op, &left, &right).unwrap_or_else(|| Expr::binary_app(*op, left, right))
        }
        ExprKind::ExtensionFunctionApp { fn_name, args } => Expr::call_extension_fn(fn_name.clone(), many(args)),
        ExprKind::GetAttr { expr, attr } => Expr::get_attr(bare(expr), attr.clone()),
        ExprKind::HasAttr { expr, attr } => Expr::has_attr(bare(expr), attr.clone()),
        ExprKind::ExtHasAttr { expr, attrs } => Expr::extended_has_attr(bare(expr), attrs.clone()),
        ExprKind::Like { expr, pattern } => Expr::like(bare(expr), pattern.clone()),
        ExprKind::Is { expr, entity_type } => Expr::is_entity_type(bare(expr), entity_type.clone()),
        ExprKind::Set(items) => Expr::set(many(items)),
        ExprKind::Record(members) => {
            let members = members.iter().map(|(name, member)| (name.clone(), bare(member)));
            Expr::record_arc(Arc::new(members.collect::<BTreeMap<_, _>>()))
        }
    }
}

/// Whether a value is one of a few literals, or an entity in one of a few: as Cedar would say of their set. Absent: it is no
/// such question, or not surely the same.
fn one_by_one(op: BinaryOp, left: &Expr, right: &Expr) -> Option<Expr> {
    let any = |set: &Expr, of: &dyn Fn(&Expr) -> Option<Expr>| {
        let ExprKind::Set(items) = set.expr_kind() else { return None };
        if items.len() > FEW {
            return None;
        }
        let compared = items.iter().map(of).collect::<Option<Vec<_>>>()?;
        compared.into_iter().rev().reduce(|rest, first| Expr::or(first, rest))
    };
    match op {
        // Whatever reading the value says, error or not, it says at the first literal.
        BinaryOp::Contains if is_near(right, NEAR) => {
            any(left, &|item| is_literal(item).then(|| Expr::is_eq(item.clone(), right.clone())))
        }
        // These are entities of every request, so that nothing on either side can be of another type.
        BinaryOp::In if is_entity_variable(left) => {
            any(right, &|item| is_entity(item).then(|| Expr::is_in(left.clone(), item.clone())))
        }
        _ => None,
    }
}

fn is_literal(expr: &Expr) -> bool {
    matches!(expr.expr_kind(), ExprKind::Lit(_))
}

fn is_entity(expr: &Expr) -> bool {
    matches!(expr.expr_kind(), ExprKind::Lit(Literal::EntityUID(_)))
}

fn is_entity_variable(expr: &Expr) -> bool {
    matches!(expr.expr_kind(), ExprKind::Var(Var::Principal | Var::Action | Var::Resource))
}

/// Whether it is a literal, a variable, or at most so many attributes deep in one.
fn is_near(expr: &Expr, depth: usize) -> bool {
    match expr.expr_kind() {
        ExprKind::Lit(_) | ExprKind::Var(_) => true,
        ExprKind::GetAttr { expr, .. } => depth > 0 && is_near(expr, depth - 1),
        _ => false,
    }
}

fn is_true(expr: &Expr) -> bool {
    matches!(expr.expr_kind(), ExprKind::Lit(Literal::Bool(true)))
}

/// Whether it is true, false or an error, and nothing else: only then is `true && …` what stands behind it, since Cedar
/// refuses a conjunction with anything else.
fn is_boolean(expr: &Expr) -> bool {
    match expr.expr_kind() {
        ExprKind::Lit(Literal::Bool(_))
        | ExprKind::And { .. }
        | ExprKind::Or { .. }
        | ExprKind::HasAttr { .. }
        | ExprKind::ExtHasAttr { .. }
        | ExprKind::Like { .. }
        | ExprKind::Is { .. } => true,
        ExprKind::UnaryApp { op, .. } => matches!(op, UnaryOp::Not | UnaryOp::IsEmpty),
        ExprKind::BinaryApp { op, .. } => matches!(
            op,
            BinaryOp::Eq
                | BinaryOp::Less
                | BinaryOp::LessEq
                | BinaryOp::In
                | BinaryOp::Contains
                | BinaryOp::ContainsAll
                | BinaryOp::ContainsAny
                | BinaryOp::HasTag
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bared(text: &str) -> String {
        bare(&text.parse().unwrap()).to_string()
    }

    fn places(expr: &Expr) -> usize {
        expr.subexpressions().filter(|part| part.source_loc().is_some()).count()
    }

    #[test]
    fn a_condition_stays_the_same_but_for_its_places_and_what_is_always_true() {
        for (text, expected) in [
            ("true && principal == resource", "principal == resource"),
            ("principal == resource && true", "principal == resource"),
            ("true && (true && (true && context.a < 3))", "context.a < 3"),
            ("true && !context.a", "!context.a"),
            ("true && (context has a)", "context has a"),
            ("true && context has a.b", "context has a.b"),
            ("true && context.a like \"x*\"", "context.a like \"x*\""),
            ("true && principal is Agent", "principal is Agent"),
            ("true && [1].isEmpty()", "[1].isEmpty()"),
            // What may be neither stays a conjunction, which says so.
            ("true && context.a", "true && context.a"),
            ("true && context.a + 1", "true && (context.a + 1)"),
            ("true && ip(\"1.1.1.1\").isLoopback()", "true && ip(\"1.1.1.1\").isLoopback()"),
            ("true && (if context.a then 1 else 2)", "true && (if context.a then 1 else 2)"),
            ("false && context.a", "false && context.a"),
            ("true || context.a", "true || context.a"),
            ("[1].contains(context.a)", "1 == context.a"),
            (
                "[1, \"b\", Agent::\"c\"].contains(context.a.b)",
                "1 == context.a.b || (\"b\" == context.a.b || Agent::\"c\" == context.a.b)",
            ),
            ("principal in [Agent::\"a\", Team::\"b\"]", "principal in Agent::\"a\" || principal in Team::\"b\""),
            // Many are a set; so is what is no literal, or is found by much work.
            ("[1, 2, 3, 4, 5].contains(context.a)", "[1, 2, 3, 4, 5].contains(context.a)"),
            ("[].contains(context.a)", "[].contains(context.a)"),
            ("[1, context.b].contains(context.a)", "[1, context.b].contains(context.a)"),
            ("[1].contains(context.a.b.c)", "[1].contains(context.a.b.c)"),
            ("[1].contains(context.a + 1)", "[1].contains(context.a + 1)"),
            ("context.set.contains(1)", "context.set.contains(1)"),
            // What may be no entity is an error, also beside nothing.
            ("context.a in [Agent::\"a\"]", "context.a in [Agent::\"a\"]"),
            ("context in [Agent::\"a\"]", "context in [Agent::\"a\"]"),
            ("principal in [Agent::\"a\", 1]", "principal in [Agent::\"a\", 1]"),
            ("principal in []", "principal in []"),
        ] {
            let expected: Expr = expected.parse().unwrap();
            let made = bare(&text.parse().unwrap());
            assert_eq!((&made, places(&made)), (&expected, 0), "{text}");
        }
        let whole = "if principal in [Agent::\"a\", context.z] then {a: [1, {b: context.c.d}], \"e f\": -context.g} == \
                     {a: 1} else resource has a.b.c || decimal(\"1.0\").lessThan(context.h) && principal.getTag(\"t\") like \"*\"";
        let parsed: Expr = whole.parse().unwrap();
        assert!(places(&parsed) > 20);
        let made = bare(&parsed);
        assert_eq!((made.clone(), places(&made)), (parsed.clone(), 0));
        assert_eq!(bared(whole), parsed.to_string());
    }
}
