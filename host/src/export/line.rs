//! A record as a list on a page tells of it, with whom it is about.

use audit_verify::source::StoredRecord;
use policy_core::entity::EntityRef;
use policy_core::text::visible;
use proviso_api::record::RecordLine;
use serde_json::Value;

use super::matter::{Matter, matter_of};
use super::told::Told;

/// How much of somebody's words a line shows.
const SAID: usize = 500;
/// How many of what a call is on a line names.
const MOST_RESOURCES: usize = 8;
/// The type under which a line names an operating-system user.
const OPERATOR: &str = "operator";

/// A record's line, and what it is about. Nothing of one whose leaf this release cannot read.
pub fn line(record: &StoredRecord) -> Option<(Matter, RecordLine)> {
    let told = Told::open(record)?;
    let matter = matter_of(record, &told);
    let leaf = &told.leaf;
    let says = told.says();
    let text = |place: &str| says.pointer(place).and_then(Value::as_str).map(str::to_owned);
    let decided = |name: &str| told.decision().and_then(|decision| decision.get(name)?.as_str()).map(str::to_owned);
    let bundle = ["/activation/bundle", "/proposal/bundle", "/bundle"].iter().find_map(|place| text(place));
    let line = RecordLine {
        log: leaf.log.clone(),
        seq: leaf.seq,
        at: leaf.at,
        kind: leaf.kind.clone(),
        outcome: leaf.outcome.clone(),
        reason: text("/answer/reason"),
        policies: leaf.policies.clone(),
        by: told.by().and_then(who),
        subject: matter.subject.clone(),
        task: told.task().map(str::to_owned),
        action: matter.action.clone().or_else(|| text("/request/question/call/action")),
        resources: told.resources().into_iter().take(MOST_RESOURCES).filter_map(entity).collect(),
        // Of what was erased the leaf still says where it belongs.
        exception: matter.exception.clone().or_else(|| leaf.stream.strip_prefix("exception/").map(str::to_owned)),
        finding: matter.finding.clone(),
        bundle: bundle.filter(|_| of_policies(&leaf.kind)),
        evaluation: decided("evaluation").or_else(|| text("/evaluation")),
        said: told.said().map(|said| visible(said, SAID)),
        hidden: false,
        erased: record.payloads.iter().filter(|p| p.is_erased()).map(|p| p.name.clone()).collect(),
    };
    Some((matter, line))
}

/// Takes out of a line what it may not tell who may not see what calls are made with.
pub fn withhold(line: &mut RecordLine) {
    line.said = None;
    line.hidden = true;
}

/// Whether a kind is of bundles: others name the bundle that was active.
fn of_policies(kind: &str) -> bool {
    ["bundle_activated", "bundle_proposed", "activation_voted"].contains(&kind)
}

/// Who: an entity; an operating-system user by its name.
fn who(value: &Value) -> Option<EntityRef> {
    value.as_str().map(|name| EntityRef::new(OPERATOR, name)).or_else(|| entity(value))
}

fn entity(value: &Value) -> Option<EntityRef> {
    let part = |name: &str| value.get(name).and_then(Value::as_str);
    Some(EntityRef::new(part("type")?, part("id")?))
}
