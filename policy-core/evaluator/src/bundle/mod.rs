//! A bundle: a folder of policy as code, with one digest.
//!
//! [`Rules`] is what the module loads: everything but `entities.json`. [`Bundle`] is what a host accepts: the rules,
//! strictly validated, and what is true of entities. Nothing here evaluates.

mod annotations;
pub(crate) mod caps;
mod config;
mod digest;
#[cfg(feature = "validate")]
mod entities;
pub(crate) mod error;
mod issuers;
mod place;
pub(crate) mod policies;
mod schema;
pub mod types;
#[cfg(feature = "validate")]
mod validate;

use std::collections::BTreeMap;

use cedar_policy::{Entity, Schema};
use policy_core::digest::Digest;

use crate::kept::Kept;
use crate::names::Names;
use crate::sliced::Sets;

pub use config::{ChainRule, Claims, Config, FINDINGS, Places, Reconcile, ReconcileAct, Tool, Types};
pub use digest::{Digests, ENTITIES, digests};
pub use error::BundleError;
pub use policies::Folder;
pub use schema::APPROVE;
pub use types::ActionType;
use types::EntityShape;
#[cfg(feature = "validate")]
pub use validate::Bundle;

/// What evaluates: configuration, schemas and the five policy sets. Entities arrive with each question.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The digest of the bundle that these rules are of.
    pub digest: Digest,
    /// `bundle.toml`.
    pub config: Config,
    /// What the schema says of actions, by name.
    pub actions: BTreeMap<String, ActionType>,
    pub(crate) types: BTreeMap<String, EntityShape>,
    pub(crate) schema: Schema,
    #[cfg(feature = "validate")]
    judged: Schema,
    pub(crate) console: Schema,
    pub(crate) action_entities: Vec<Entity>,
    pub(crate) policies: policies::Policies,
    /// The same, sliced: what is evaluated.
    pub(crate) sets: Sets,
    pub(crate) names: Names,
    pub(crate) kept: Kept,
}

impl Rules {
    /// Reads every file but `entities.json`, without validating: the host has validated what has this digest.
    ///
    /// # Errors
    /// Everything that is wrong, sorted by file and line.
    pub fn read(files: &BTreeMap<String, String>, digest: Digest) -> Result<Self, Vec<BundleError>> {
        let one = |error| vec![error];
        layout(files)?;
        let missing = |file: &str| {
            let help = "a bundle has schema.cedarschema, entities.json, bundle.toml, scope/, guardrails/ and approval/";
            vec![BundleError::new(file, 1, "missing_file", format!("`{file}` is missing"), help)]
        };
        let config_text = files.get(config::FILE).ok_or_else(|| missing(config::FILE))?;
        let config = Config::read(config_text).map_err(one)?;
        let schema = files.get(schema::FILE).ok_or_else(|| missing(schema::FILE))?;
        let model = schema::read(schema, &config, config_text).map_err(one)?;
        let policies = policies::Policies::read(files, &config)?;
        let claims = config.check_claims(config_text, files);
        if !claims.is_empty() {
            return Err(claims);
        }
        let action_entities = model.schema.action_entities().map_err(|error| {
            one(BundleError::new(schema::FILE, 1, "bad_schema", error.to_string(), "check the action groups"))
        })?;
        let action_entities = action_entities.iter().cloned().collect();
        let names = Names::new(&config, &model.types);
        Ok(Self {
            digest,
            config,
            actions: model.actions,
            types: model.types,
            schema: model.schema,
            #[cfg(feature = "validate")]
            judged: model.judged,
            console: model.console,
            action_entities,
            sets: Sets::of(&policies),
            names,
            kept: Kept::default(),
            policies,
        })
    }

    /// The same rules, of which Cedar evaluates every policy, whole: what slices are held against.
    #[cfg(test)]
    pub(crate) fn unsliced(&self) -> Self {
        Self { sets: Sets::whole(&self.policies), ..self.clone() }
    }

    /// How many policies there are.
    pub fn policy_count(&self) -> u32 {
        u32::try_from(self.policies.places.len()).unwrap_or(u32::MAX)
    }

    /// Whether any policy or the schema mentions `done`: only then does a task's past decide an outcome.
    pub fn mentions_done(&self) -> bool {
        self.actions.values().any(|action| action.context.contains_key("done"))
    }

    /// The schema that a folder is validated against.
    #[cfg(feature = "validate")]
    pub(crate) fn validator(&self, folder: Folder) -> cedar_policy::Validator {
        let schema = match folder {
            Folder::Approve => &self.schema,
            Folder::Console => &self.console,
            Folder::Scope | Folder::Guardrails | Folder::Request => &self.judged,
        };
        cedar_policy::Validator::new(schema.clone())
    }

    /// The file that a policy stands in, by its `@id`.
    pub fn file_of(&self, policy: &str) -> Option<&str> {
        self.policies.places.get(policy).map(|place| place.file.as_str())
    }

    /// The line of a policy's `@id` in its file, from 1.
    #[cfg(feature = "validate")]
    pub(crate) fn line_of(&self, policy: &str) -> u32 {
        self.policies.places.get(policy).map_or(1, |place| place.line)
    }
}

/// Refuses files that are no part of a bundle: what does not decide must not look as if it did.
fn layout(files: &BTreeMap<String, String>) -> Result<(), Vec<BundleError>> {
    let mut errors = Vec::new();
    for path in files.keys().filter(|path| path.as_str() != ENTITIES) {
        let known = path == config::FILE || path == schema::FILE || path.ends_with(".md");
        if !known && Folder::of(path).is_none() {
            let help =
                "policies lie in scope/, guardrails/, approval/request/, approval/approve/ and console/, as *.cedar";
            errors.push(BundleError::new(path, 1, "unknown_file", format!("`{path}` is no part of a bundle"), help));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

#[cfg(test)]
#[cfg(feature = "validate")]
pub(crate) mod tests;
