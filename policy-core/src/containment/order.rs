//! Which of several grants is the narrowest: it is tried first and consumed.

use std::borrow::Borrow;

use smol_str::SmolStr;

use crate::grant::{ArgumentScope, Grant, ResourceScope, Test};
use crate::question::Candidate;

use super::arguments::conditions;

/// Sorts the narrowest first: fewest open dimensions, then earliest end, then fewest uses left, then id.
pub fn order<C: Borrow<Candidate>>(candidates: &mut [C]) {
    candidates.sort_by_cached_key(|candidate| {
        let candidate: &Candidate = candidate.borrow();
        let grant = &candidate.grant;
        (open_dimensions(grant).len(), grant.scope.not_after, candidate.uses_left, grant.id.clone())
    });
}

/// The dimensions that a grant does not fix to one value, by name, sorted: `resource`, and an argument's path such as
/// `input.rows`. An argument of the approved call that no condition names is open as a whole.
pub fn open_dimensions(grant: &Grant) -> Vec<String> {
    let mut open = Vec::new();
    if matches!(grant.scope.resource, ResourceScope::In(_)) {
        open.push("resource".to_owned());
    }
    if matches!(grant.scope.arguments, ArgumentScope::Conditions(_)) {
        let conditions = conditions(&grant.scope);
        let ranging = conditions.iter().filter(|condition| !is_fixed(&condition.test));
        open.extend(ranging.map(|condition| format!("input.{}", condition.at.join("."))));
        // A condition inside an argument leaves the rest of that argument open.
        let named = |name: &SmolStr| conditions.iter().any(|condition| condition.at.as_slice() == [name.as_str()]);
        open.extend(grant.input_names.iter().filter(|name| !named(name)).map(|name| format!("input.{name}")));
    }
    open.sort();
    open.dedup();
    open
}

fn is_fixed(test: &Test) -> bool {
    match test {
        Test::Equals { .. } => true,
        Test::OneOf { values } => values.len() == 1,
        Test::Between { min, max } => min == max,
        Test::Inside { .. } => false,
    }
}
