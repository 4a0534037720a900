//! `proviso bundle check`: would a gate accept this folder, and what in it is hardly meant?

use std::path::Path;

use policy_evaluator::{Bundle, lint};
use serde_json::json;

use super::super::output::{Done, Failure};

pub(super) fn run(folder: &Path) -> Result<Done, Failure> {
    let files = super::read(folder)?;
    let bundle = match Bundle::accept(&files) {
        Ok(bundle) => bundle,
        Err(errors) => return Ok(super::told(&errors)),
    };
    let warnings = lint::warnings(&bundle);
    let digests = bundle.digests;
    let json = json!({
        "valid": true,
        "digest": digests.bundle,
        "policy_digest": digests.policy,
        "entities_digest": digests.entities,
        "policies": bundle.rules.policy_count(),
        "warnings": warnings,
    });
    let lines = warnings.iter().map(|warning| {
        let lint::Warning { file, line, code, message, help } = warning;
        format!("{file}:{line}: warning: {message} ({code})\n  help: {help}\n")
    });
    // The digest stands alone on the last line, so that a script finds it.
    let text: String = lines.chain([digests.bundle.to_string()]).collect();
    Ok(Done::fine(text, json))
}
