//! What a host accepts: rules strictly validated, with what is true of entities. Never linked into the module.

use std::collections::BTreeMap;

use cedar_policy::ValidationMode;
use policy_core::abi::{ABI_VERSION, Load};
use policy_core::entity::EntityRef;
use policy_core::json::to_canonical_bytes;
use policy_core::presence::Presence;
use policy_core::question::EntityFact;

use super::digest::{Digests, ENTITIES, digests};
use super::error::{BundleError, line_of, line_with};
use super::place::tool_line;
use super::policies::{Folder, first_label};
use super::{Rules, entities};
use crate::abi::LARGEST_INPUT;
use crate::console::Reads;

/// An accepted bundle.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// What evaluates.
    pub rules: Rules,
    /// The bundle's digests.
    pub digests: Digests,
    pub(crate) facts: BTreeMap<EntityRef, EntityFact>,
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) console_reads: Reads,
}

impl Bundle {
    /// The strongest presence that any permit in `approval/request/` demands of a vote. A bundle by which nothing can
    /// be asked for marks no tier as one of a session.
    pub fn strongest_presence(&self) -> Presence {
        let demanded = self.rules.policies.terms.values().map(|terms| terms.presence);
        demanded.max().unwrap_or(Presence::Signature)
    }

    /// Reads and strictly validates a bundle: every file by its path with `/`.
    ///
    /// # Errors
    /// Everything that is wrong, sorted by file and line, each with its remedy.
    pub fn accept(files: &BTreeMap<String, String>) -> Result<Self, Vec<BundleError>> {
        let digests = digests(files).map_err(|error| {
            vec![BundleError::new("bundle.toml", 1, "bad_config", error.to_string(), "rename the file")]
        })?;
        let given = files.iter().filter(|(path, _)| path.as_str() != ENTITIES);
        let given: BTreeMap<String, String> = given.map(|(path, text)| (path.clone(), text.clone())).collect();
        let load = Load { v: ABI_VERSION, files: given, bundle: digests.bundle };
        check_size(&load).map_err(|error| vec![error])?;
        let rules = Rules::read(files, digests.bundle).map_err(sorted)?;
        let text = files.get(ENTITIES).map_or("[]", String::as_str);
        let mut errors = policy_errors(&rules, files);
        errors.extend(config_errors(&rules, files));
        match entities::facts(text, &rules) {
            Ok(facts) if errors.is_empty() => {
                let console_reads = Reads::of(&rules.policies.console);
                let bundle = Self { rules, digests, facts, files: load.files, console_reads };
                let errors = bundle.console_errors();
                if errors.is_empty() { Ok(bundle) } else { Err(sorted(errors)) }
            }
            facts => {
                errors.extend(facts.err());
                Err(sorted(errors))
            }
        }
    }

    /// What the module is given to load this bundle.
    pub fn load(&self) -> Load {
        Load { v: ABI_VERSION, files: self.files.clone(), bundle: self.digests.bundle }
    }
}

/// Refuses what the module would not read: a bundle that is accepted can be loaded.
fn check_size(load: &Load) -> Result<(), BundleError> {
    let refuse = |message| Err(BundleError::new("bundle.toml", 1, "too_large", message, "split it between gates"));
    match to_canonical_bytes(load).map(|bytes| bytes.len()) {
        Ok(size) if size <= LARGEST_INPUT => Ok(()),
        Ok(size) => {
            refuse(format!("the bundle has {size} bytes as the module is given it, the most is {LARGEST_INPUT}"))
        }
        Err(error) => refuse(format!("the bundle cannot be given to the module: {error}")),
    }
}

fn sorted(mut errors: Vec<BundleError>) -> Vec<BundleError> {
    errors.sort();
    errors.dedup();
    errors
}

fn policy_errors(rules: &Rules, files: &BTreeMap<String, String>) -> Vec<BundleError> {
    let mut errors = Vec::new();
    for folder in Folder::ALL {
        let result = rules.validator(folder).validate(rules.policies.set(folder), ValidationMode::Strict);
        let found = result
            .validation_errors()
            .map(|error| (error.policy_id().to_string(), first_label(error), error.to_string()));
        for (id, label, message) in found {
            let file = rules.file_of(&id).unwrap_or_default();
            let text = files.get(file).map_or("", String::as_str);
            let line = label.map_or_else(|| rules.line_of(&id), |offset| line_of(text, offset));
            let help = "make the policy fit schema.cedarschema; an optional attribute needs `has` before it is read";
            errors.push(BundleError::new(file, line, "invalid_policy", message, help));
        }
    }
    errors
}

/// Holds what `bundle.toml` names against the schema.
fn config_errors(rules: &Rules, files: &BTreeMap<String, String>) -> Vec<BundleError> {
    let text = files.get("bundle.toml").map_or("", String::as_str);
    let config = &rules.config;
    let mut errors = Vec::new();
    let mut refuse = |line: u32, message: String| {
        let help = "name what schema.cedarschema declares";
        errors.push(BundleError::new("bundle.toml", line, "bad_config", message, help));
    };
    for kind in config.sensitive.iter().chain(config.claims.keys()) {
        if !rules.types.contains_key(&config.long(kind)) {
            refuse(line_with(text, kind), format!("`{kind}` is no entity type of the schema"));
        }
    }
    for (number, tool) in config.tool.iter().enumerate() {
        let (action, resource) = (&tool.action, &tool.resource);
        match rules.actions.get(action) {
            None => refuse(tool_line(text, number, "action"), format!("`{action}` is no action of the schema")),
            Some(known) if !known.resources.contains(&config.long(resource)) => {
                let line = tool_line(text, number, "resource");
                refuse(line, format!("action `{action}` does not apply to `{resource}`"));
            }
            Some(_) => {}
        }
    }
    for (kind, claims) in &config.claims {
        let shape = rules.types.get(&config.long(kind));
        let unknown = claims.names.iter().find(|name| !shape.is_some_and(|shape| shape.attributes.contains_key(*name)));
        if let Some(name) = unknown {
            refuse(line_with(text, name), format!("`{name}` is no attribute of `{kind}`"));
        }
    }
    errors
}
