//! The five folders of policies: each its own policy set, never evaluated together.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Effect, Policy, PolicyId, PolicySet};
use miette::Diagnostic;
use policy_core::outcome::Terms;

use super::caps::{self, Token};
use super::config::Config;
use super::error::{BundleError, line_of};
use super::place::{self, Part};

/// The annotation of a permit in `console/` that one person alone does not use.
const PERSONS: &str = "persons";

/// One of the five folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Folder {
    /// `scope/`: permits, delegated scope.
    Scope,
    /// `guardrails/`: forbids.
    Guardrails,
    /// `approval/request/`: permits that make a denial requestable; their annotations are the terms.
    Request,
    /// `approval/approve/`: permits that let a person approve.
    Approve,
    /// `console/`: permits that let a person do something in Proviso itself.
    Console,
}

impl Folder {
    /// All five.
    pub const ALL: [Self; 5] = [Self::Scope, Self::Guardrails, Self::Request, Self::Approve, Self::Console];
    /// Those that decide about what agents do.
    pub const OF_AGENTS: [Self; 4] = [Self::Scope, Self::Guardrails, Self::Request, Self::Approve];

    /// Its path in a bundle.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Scope => "scope",
            Self::Guardrails => "guardrails",
            Self::Request => "approval/request",
            Self::Approve => "approval/approve",
            Self::Console => "console",
        }
    }

    const fn effect(self) -> Effect {
        match self {
            Self::Guardrails => Effect::Forbid,
            Self::Scope | Self::Request | Self::Approve | Self::Console => Effect::Permit,
        }
    }

    /// The folder of a policy file, by the file's path.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let (folder, name) = path.rsplit_once('/')?;
        name.strip_suffix(".cedar").filter(|stem| !stem.is_empty())?;
        Self::ALL.into_iter().find(|known| known.path() == folder)
    }
}

/// The five sets, and the terms that the permits in `approval/request/` say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policies {
    pub(crate) scope: PolicySet,
    pub(crate) guardrails: PolicySet,
    pub(crate) request: PolicySet,
    pub(crate) approve: PolicySet,
    /// `console/`; where a bundle has none, the preset that stands for it.
    pub(crate) console: PolicySet,
    /// The permits in `console/` that take two people.
    pub(crate) by_two: BTreeSet<String>,
    pub(crate) terms: BTreeMap<String, Terms>,
    /// The permits in `approval/request/` of a tier that nobody can request.
    pub(crate) closed: BTreeSet<String>,
    /// Where each policy stands, by its id.
    pub(crate) places: BTreeMap<String, Place>,
}

/// Where a policy stands.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) file: String,
    /// The line of its `@id`, from 1.
    pub(crate) line: u32,
}

impl Policies {
    #[cfg(feature = "validate")]
    pub(crate) const fn set(&self, folder: Folder) -> &PolicySet {
        match folder {
            Folder::Scope => &self.scope,
            Folder::Guardrails => &self.guardrails,
            Folder::Request => &self.request,
            Folder::Approve => &self.approve,
            Folder::Console => &self.console,
        }
    }

    fn set_mut(&mut self, folder: Folder) -> &mut PolicySet {
        match folder {
            Folder::Scope => &mut self.scope,
            Folder::Guardrails => &mut self.guardrails,
            Folder::Request => &mut self.request,
            Folder::Approve => &mut self.approve,
            Folder::Console => &mut self.console,
        }
    }

    /// Reads every policy file.
    pub(crate) fn read(files: &BTreeMap<String, String>, config: &Config) -> Result<Self, Vec<BundleError>> {
        let (mut policies, mut errors) = (Self::default(), Vec::new());
        for (path, text) in files {
            let Some(folder) = Folder::of(path) else { continue };
            if let Err(error) = caps::check(path, text, caps::Kind::Policy) {
                errors.push(error);
                continue;
            }
            match text.parse::<PolicySet>() {
                Ok(set) => policies.take(folder, path, text, &set, config, &mut errors),
                Err(parse) => errors.extend(parse.iter().map(|error| {
                    let line = first_label(error).map_or(1, |offset| line_of(text, offset));
                    let help = "see https://docs.cedarpolicy.com/policies/syntax-policy.html";
                    BundleError::new(path, line, "bad_policy", error.to_string(), help)
                })),
            }
        }
        if !files.keys().any(|path| Folder::of(path) == Some(Folder::Console)) {
            policies.console = crate::console::preset().map_err(|error| vec![error])?;
        }
        if errors.is_empty() { Ok(policies) } else { Err(errors) }
    }

    fn take(
        &mut self,
        folder: Folder,
        path: &str,
        text: &str,
        set: &PolicySet,
        config: &Config,
        errors: &mut Vec<BundleError>,
    ) {
        if set.num_of_templates() > 0 {
            let slots = ["principal", "resource"].map(|slot| [Token::Sign('?'), Token::Word(slot)]);
            let whole = Part::whole(text);
            let line = slots.iter().filter_map(|slot| whole.find(slot)).min().unwrap_or(1);
            let help = "write the entity, or `in` a group";
            errors.push(BundleError::new(path, line, "template", "a bundle holds no templates", help));
            return;
        }
        let (whole, parts) = (Part::whole(text), place::policies(text));
        let mut sorted: Vec<(usize, &Policy)> = set.policies().map(|policy| (number(policy), policy)).collect();
        sorted.sort_by_key(|(number, _)| *number);
        for (number, policy) in sorted {
            // Which policies there are is Cedar's word; the parts only say where.
            let part = parts.get(number).unwrap_or(&whole);
            match self.name(folder, path, part, policy, config) {
                Ok(policy) => {
                    let (id, line) = (policy.id().to_string(), part.annotation("id"));
                    if self.set_mut(folder).add(policy).is_ok() {
                        self.places.insert(id, Place { file: path.to_owned(), line });
                    }
                }
                Err(error) => errors.push(error),
            }
        }
    }

    /// Gives a policy its `@id`, and reads its annotations.
    fn name(
        &mut self,
        folder: Folder,
        path: &str,
        part: &Part<'_>,
        policy: &Policy,
        config: &Config,
    ) -> Result<Policy, BundleError> {
        let id = policy.annotation("id").unwrap_or_default();
        let line = part.annotation("id");
        let refuse = |code, message: String, help: &str| Err(BundleError::new(path, line, code, message, help));
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if id.is_empty() || id.len() > 128 || !id.chars().all(plain) {
            let message = "a policy has no `@id` of 1 to 128 letters, digits, `-`, `_` and `.`".to_owned();
            return refuse("no_id", message, "write `@id(\"what-it-is-for\")` before the policy");
        }
        if let Some(other) = self.places.get(id) {
            let message = format!("`{id}` is the id of two policies, here and in `{}:{}`", other.file, other.line);
            return refuse("same_id", message, "ids are unique across all files of a bundle");
        }
        if policy.effect() != folder.effect() {
            let (is, home) = match policy.effect() {
                Effect::Permit => ("permit", "scope/, approval/ or console/"),
                Effect::Forbid => ("forbid", "guardrails/"),
            };
            let message = format!("`{id}` is a {is}, and `{}/` takes none", folder.path());
            return refuse("wrong_folder", message, &format!("move it to {home}"));
        }
        if folder == Folder::Request {
            let terms = super::annotations::terms(id, policy, config);
            let terms =
                terms.map_err(|(message, help)| BundleError::new(path, line, "bad_annotation", message, help))?;
            match terms {
                Some(terms) => drop(self.terms.insert(id.to_owned(), terms)),
                None => drop(self.closed.insert(id.to_owned())),
            }
        } else {
            let known = |key: &str| ["id", "doc"].contains(&key) || (folder == Folder::Console && key == PERSONS);
            let mut unknown: Vec<&str> = policy.annotations().map(|(key, _)| key).filter(|key| !known(key)).collect();
            unknown.sort_unstable();
            if let Some(unknown) = unknown.first() {
                let message = format!("`{id}` has an unknown annotation `@{unknown}`");
                let help =
                    "`@id` and `@doc` are known here, in `console/` also `@persons`; terms go on `approval/request/`";
                return Err(BundleError::new(path, part.annotation(unknown), "bad_annotation", message, help));
            }
            match policy.annotation(PERSONS) {
                None => {}
                Some("2") => drop(self.by_two.insert(id.to_owned())),
                Some(_) => {
                    let message = format!("`{id}` says `@{PERSONS}` of another number than 2");
                    let help = "write `@persons(\"2\")` where it takes two people, and nothing where one is enough";
                    return Err(BundleError::new(path, part.annotation(PERSONS), "bad_annotation", message, help));
                }
            }
        }
        Ok(policy.new_id(PolicyId::new(id)))
    }
}

/// Where a policy stands among those of its file: Cedar numbers them in their order, from `policy0`.
fn number(policy: &Policy) -> usize {
    policy.id().to_string().strip_prefix("policy").and_then(|number| number.parse().ok()).unwrap_or(usize::MAX)
}

/// Where an error of Cedar's points, as a byte offset.
pub(crate) fn first_label(error: &impl Diagnostic) -> Option<usize> {
    error.labels()?.next().map(|label| label.offset())
}
