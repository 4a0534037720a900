//! A scope in words, and two scopes side by side: what was asked beside what would be given.

use policy_core::grant::{ArgumentScope, Condition, ResourceScope, Scope, Test};
use policy_core::time::Timestamp;

use super::facts::{entity, scalar, uses};
use super::time::{length, zoned};

/// One dimension of a scope: what was asked for, and what would be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dimension {
    /// Its name: `valid until`, `valid for`, `uses`, `rate`, `resource`, `arguments` or an argument's path.
    pub name: String,
    /// What was asked for.
    pub asked: String,
    /// What would be given.
    pub given: String,
}

impl Dimension {
    /// Whether less is given than was asked for.
    pub fn is_narrowed(&self) -> bool {
        self.asked != self.given
    }
}

/// The resource dimension.
pub fn resource(scope: &ResourceScope) -> String {
    match scope {
        ResourceScope::Is(one) => format!("exactly {}", entity(one)),
        ResourceScope::In(group) => format!("any member of {}", entity(group)),
    }
}

/// An argument's path as one text: `input.rows`.
pub fn path(at: &[String]) -> String {
    at.join(".")
}

/// What a condition demands, without its path.
pub fn demand(test: &Test) -> String {
    match test {
        Test::Equals { value } => format!("= {}", scalar(value)),
        Test::OneOf { values } => format!("one of {}", values.iter().map(scalar).collect::<Vec<_>>().join(", ")),
        Test::Between { min, max } => format!("{min} to {max}"),
        Test::Inside { path } => format!("inside {path}"),
    }
}

/// The arguments dimension, in one line.
pub fn arguments(scope: &ArgumentScope) -> String {
    match scope {
        ArgumentScope::Exact => "exactly as in the call".into(),
        ArgumentScope::Conditions(conditions) => conditions.iter().map(condition).collect::<Vec<_>>().join(" and "),
    }
}

fn condition(condition: &Condition) -> String {
    format!("{} {}", path(&condition.at), demand(&condition.test))
}

/// A scope, dimension by dimension, in words.
pub fn lines(scope: &Scope) -> Vec<(String, String)> {
    let mut lines = vec![
        ("valid until".to_owned(), utc(scope.not_after)),
        ("uses".to_owned(), uses(scope.max_uses)),
        ("resource".to_owned(), resource(&scope.resource)),
        ("arguments".to_owned(), arguments(&scope.arguments)),
    ];
    if let Some(rate) = scope.rate {
        lines.insert(2, ("rate".to_owned(), format!("at most {} in {}", uses(rate.uses), length(rate.per))));
    }
    if let Some(valid_for) = scope.valid_for {
        lines.insert(0, ("valid for".to_owned(), format!("{} from its start", length(valid_for))));
    }
    if let Some(from) = scope.not_before {
        lines.insert(0, ("valid from".to_owned(), utc(from)));
    }
    for budget in &scope.budgets {
        lines.push((format!("sum of {}", path(&budget.at)), format!("at most {}", budget.max)));
    }
    lines
}

fn utc(instant: Timestamp) -> String {
    zoned(instant)
}

/// What was asked for beside what would be given, dimension by dimension.
pub fn compare(asked: &Scope, given: &Scope) -> Vec<Dimension> {
    let (asked, given) = (lines(asked), lines(given));
    given
        .into_iter()
        .map(|(name, words)| {
            let before = asked.iter().find(|(other, _)| *other == name).map(|(_, words)| words.clone());
            Dimension { asked: before.unwrap_or_else(|| "anything".into()), given: words, name }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use policy_core::grant::Rate;
    use policy_core::time::Span;

    use super::*;
    use crate::view_model::samples;

    #[test]
    fn a_scope_is_told_dimension_by_dimension() {
        let scope = samples::asked_scope();
        let words: Vec<String> = lines(&scope).into_iter().map(|(name, words)| format!("{name}: {words}")).collect();
        assert_eq!(
            words,
            [
                "valid until: 2026-11-22 17:00:00 UTC",
                "uses: 5 uses",
                "resource: exactly Server::\"files\"",
                "arguments: path inside /reports",
            ]
        );
    }

    #[test]
    fn a_length_and_a_rate_are_dimensions_of_their_own() {
        let asked = samples::asked_scope();
        let rate = Some(Rate { uses: 2, per: Span::from_seconds(60) });
        let given = Scope { valid_for: Some(Span::from_seconds(900)), rate, ..asked.clone() };
        let narrowed: Vec<(String, String)> = compare(&asked, &given)
            .into_iter()
            .filter(Dimension::is_narrowed)
            .map(|line| (line.name, line.given))
            .collect();
        let told = [("valid for", "15 min from its start"), ("rate", "at most 2 uses in 1 min")];
        assert_eq!(narrowed, told.map(|(name, words)| (name.to_owned(), words.to_owned())));
    }

    #[test]
    fn only_what_is_narrower_differs() {
        let asked = samples::asked_scope();
        let given = Scope { max_uses: 1, ..asked.clone() };
        let narrowed: Vec<String> =
            compare(&asked, &given).into_iter().filter(Dimension::is_narrowed).map(|line| line.name).collect();
        assert_eq!(narrowed, ["uses"]);
    }
}
