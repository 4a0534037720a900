//! `proviso bundle`: does a gate accept this folder, does it answer as its author means, and what would another answer?
//! Offline, and nothing is recorded; but for what people do at a running gate to make another bundle the active one.

mod activate;
mod check;
mod diff;
mod person;
mod test;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use policy_evaluator::tables::{self, Row};
use policy_evaluator::{Bundle, BundleError};
use serde_json::json;

use super::output::{Done, Exit, Failure};
use crate::store::bundle_folder;

/// What to do with a bundle.
#[derive(Debug, Subcommand)]
pub(super) enum BundleCommand {
    /// Validate a bundle strictly, print its digest, and warn of what is hardly meant.
    Check {
        /// The bundle's folder.
        folder: PathBuf,
        /// A gate's data folder: tells where its record knows other owners than the bundle.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
    },
    /// Ask a bundle the questions of its own tables, `tests/*.toml`, and compare. Exits with 0 when every row is as
    /// expected, with 2 when one is not.
    Test {
        /// The bundle's folder.
        folder: PathBuf,
    },
    /// Ask two bundles the questions of both their tables, and list what they answer differently, new allows first.
    /// Exits with 0 when nothing differs, with 2 when the second allows what the first does not, else with 3.
    Diff {
        /// The folder of the bundle that is.
        before: PathBuf,
        /// The folder of the bundle that would be.
        after: PathBuf,
    },
    #[command(flatten)]
    Activation(activate::ActivationCommand),
}

/// Runs it.
pub(super) async fn run(command: &BundleCommand) -> Result<Done, Failure> {
    match command {
        BundleCommand::Activation(command) => activate::run(command).await,
        BundleCommand::Check { folder, data } => check::run(folder, data.as_deref()),
        BundleCommand::Test { folder } => test::run(folder),
        BundleCommand::Diff { before, after } => diff::run(before, after),
    }
}

/// Every file of a bundle's folder, read once.
pub(super) fn read(folder: &Path) -> Result<BTreeMap<String, String>, Failure> {
    bundle_folder::read(folder).map_err(|error| {
        Failure::bad_input("bundle_unreadable", error.to_string())
            .help("give the folder that holds bundle.toml, schema.cedarschema and entities.json")
    })
}

/// A bundle that loads.
pub(super) fn accept(folder: &Path) -> Result<Bundle, Failure> {
    Bundle::accept(&read(folder)?).map_err(|errors| {
        let first = errors.first().map(ToString::to_string).unwrap_or_default();
        Failure::bad_input("bad_bundle", format!("the bundle `{}` does not load: {first}", folder.display()))
    })
}

/// The rows of a bundle's tables, or what is wrong with them. A folder without tables has no rows.
fn rows(folder: &Path) -> Result<Result<Vec<Row>, Vec<BundleError>>, Failure> {
    let files = bundle_folder::read_tables(folder).map_err(|error| {
        Failure::bad_input("tables_unreadable", error.to_string()).help("a bundle's tables are the files tests/*.toml")
    })?;
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    for (path, text) in &files {
        match tables::read(path, text) {
            Ok(more) => rows.extend(more),
            Err(wrong) => errors.extend(wrong),
        }
    }
    Ok(if errors.is_empty() { Ok(rows) } else { Err(errors) })
}

/// What is wrong with a bundle or its tables: file, line, code and remedy.
fn told(errors: &[BundleError]) -> Done {
    let lines = errors.iter().map(|error| format!("{error} ({})\n  help: {}", error.code, error.help));
    let text = lines.collect::<Vec<_>>().join("\n");
    Done { exit: Exit::BadInput, text, json: json!({"valid": false, "errors": errors}) }
}
