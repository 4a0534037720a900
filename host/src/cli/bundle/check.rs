//! `proviso bundle check`: would a gate accept this folder, and what in it is hardly meant?

use std::path::Path;

use policy_core::entity::EntityRef;
use policy_evaluator::{Bundle, lint};
use serde_json::json;

use super::super::output::{Done, Failure};
use crate::app::{Disagreement, disagreements};

pub(super) fn run(folder: &Path, data: Option<&Path>) -> Result<Done, Failure> {
    let files = super::read(folder)?;
    let bundle = match Bundle::accept(&files) {
        Ok(bundle) => bundle,
        Err(errors) => return Ok(super::told(&errors)),
    };
    let warnings = lint::warnings(&bundle);
    let (disagreements, departed) = match data {
        Some(data) => disagreements(data, &bundle).map_err(|error| super::super::audit::failure(error.into()))?,
        None => Default::default(),
    };
    let digests = bundle.digests;
    let owners = data.map(|_| json!({"disagreements": disagreements, "departed": departed}));
    let json = json!({
        "valid": true,
        "digest": digests.bundle,
        "policy_digest": digests.policy,
        "entities_digest": digests.entities,
        "policies": bundle.rules.policy_count(),
        "warnings": warnings,
        "owners": owners,
        "console": bundle.has_console(),
    });
    let lines = warnings.iter().map(|warning| {
        let lint::Warning { file, line, code, message, help } = warning;
        format!("{file}:{line}: warning: {message} ({code})\n  help: {help}\n")
    });
    let owned = disagreements.iter().map(|Disagreement { agent, bundle, hand_over }| {
        let (bundle, hand_over) = (names(bundle), names(hand_over));
        format!("{agent} is owned by {hand_over} since a hand-over, and by {bundle} in the bundle\n  help: let entities.json say who owns it now\n")
    });
    let left = departed.iter().map(|person| format!("{person} has left, and owns something by the bundle\n  help: `proviso owner hand-over`, and let entities.json say so\n"));
    let console = (!bundle.has_console()).then(|| {
        "there is no console/: whoever entities.json knows may do all that the gate lets people do\n  help: docs/console.md has presets for approvers, auditors, owners, operators and administrators\n".to_owned()
    });
    let lines = lines.chain(owned).chain(left).chain(console);
    // The digest stands alone on the last line, so that a script finds it.
    let text: String = lines.chain([digests.bundle.to_string()]).collect();
    Ok(Done::fine(text, json))
}

fn names(people: &[EntityRef]) -> String {
    let names: Vec<String> = people.iter().map(ToString::to_string).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}
