//! `proviso bundle check`: does this folder hold a bundle that a gate would accept?

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use policy_evaluator::Bundle;
use serde_json::json;

use super::output::{Done, Exit, Failure};
use crate::store::bundle_folder;

/// What to do with a bundle.
#[derive(Debug, Subcommand)]
pub(super) enum BundleCommand {
    /// Validate a bundle strictly and print its digest.
    Check {
        /// The bundle's folder.
        folder: PathBuf,
    },
}

/// Runs it.
pub(super) fn run(command: &BundleCommand) -> Result<Done, Failure> {
    let BundleCommand::Check { folder } = command;
    let files = read(folder)?;
    match Bundle::accept(&files) {
        Ok(bundle) => {
            let digests = bundle.digests;
            let json = json!({
                "valid": true,
                "digest": digests.bundle,
                "policy_digest": digests.policy,
                "entities_digest": digests.entities,
                "policies": bundle.rules.policy_count(),
            });
            Ok(Done::fine(digests.bundle.to_string(), json))
        }
        Err(errors) => {
            let lines = errors.iter().map(|error| format!("{error} ({})\n  help: {}", error.code, error.help));
            Ok(Done {
                exit: Exit::BadInput,
                text: lines.collect::<Vec<_>>().join("\n"),
                json: json!({"valid": false, "errors": errors}),
            })
        }
    }
}

/// Every file of a bundle's folder, read once.
pub(super) fn read(folder: &Path) -> Result<BTreeMap<String, String>, Failure> {
    bundle_folder::read(folder).map_err(|error| {
        Failure::bad_input("bundle_unreadable", error.to_string())
            .help("give the folder that holds bundle.toml, schema.cedarschema and entities.json")
    })
}
