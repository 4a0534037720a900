//! `proviso bundle diff`: what would change if the second bundle were active instead of the first?

use std::path::Path;

use policy_evaluator::console::{Alone, alone};
use policy_evaluator::tables::{self, Change, Kind};
use serde_json::json;

use super::super::output::{Done, Exit, Failure};
use super::test::word;
use crate::clock::{Clock as _, SystemClock};

pub(super) fn run(before: &Path, after: &Path) -> Result<Done, Failure> {
    let (old, new) = (super::accept(before)?, super::accept(after)?);
    let alone = alone(&old, &new, SystemClock.now()).map_err(|error| {
        Failure::bad_input("too_much_to_compare", error.to_string()).help(
            "say `@persons(\"2\")` on every permit in `console/` that one is on today, and let these look at no task, \
                 and at owners and requester only for whether they are the principal; or compare fewer agents",
        )
    })?;
    let mut rows = Vec::new();
    for folder in [after, before] {
        match super::rows(folder)? {
            Ok(more) => rows.extend(more),
            Err(errors) => return Ok(super::told(&errors)),
        }
    }
    if rows.is_empty() && alone.is_empty() {
        return Err(Failure::bad_input("no_tables", "neither bundle has tables in tests/")
            .help("what changes is told of the questions in tests/*.toml: write some, as docs/bundles.md shows"));
    }
    let changes = tables::compare(&old, &new, &rows);
    let allows = changes.iter().filter(|change| change.kind == Kind::NewAllow).count();
    // What one person would do alone is refused when it is activated.
    let exit = match (changes.len(), allows, alone.len()) {
        (.., 1..) => Exit::Denied,
        (0, ..) => Exit::Fine,
        (_, 0, _) => Exit::Requestable,
        _ => Exit::Denied,
    };
    let asked = tables::questions(&rows);
    let mut text: String = alone.iter().map(by_one).chain(changes.iter().map(line)).collect();
    text.push_str(&format!("{asked} questions: {} come out differently, {allows} newly allowed", changes.len()));
    let json = json!({
        "before": old.digests.bundle,
        "after": new.digests.bundle,
        "questions": asked,
        "new_allows": allows,
        "changes": changes,
        "one_does_alone": alone.iter().map(|one| {
            json!({"act": one.act, "person": one.person, "policies": one.policies})
        }).collect::<Vec<_>>(),
    });
    Ok(Done { exit, text, json })
}

/// What takes two people before and one after, for people.
fn by_one(one: &Alone) -> String {
    let Alone { act, person, policies } = one;
    format!("one does alone: {person} could {} by {}, and it takes two before\n", act.says(), policies.join(", "))
}

/// One change, for people.
fn line(change: &Change) -> String {
    let kind = json!(change.kind);
    let kind = kind.as_str().unwrap_or_default().replace('_', " ");
    let mut text = format!("{kind}: {} ({}:{})\n", change.name, change.file, change.line);
    for difference in &change.differences {
        let (before, after) = (word(&difference.before), word(&difference.after));
        text.push_str(&format!("  {}: {before} -> {after}\n", difference.member));
    }
    text
}
