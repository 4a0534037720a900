//! `bundle.toml`: how questions become Cedar's, what a caller may claim, and the scales that terms are written in.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use policy_core::entity::EntityRef;
use policy_core::time::Span;
use serde::Deserialize;

use super::caps::{Token, tokens};
use super::error::{BundleError, line_of, line_with};
use super::issuers::{self, Issuers};
use super::place::tool_line;

/// The file.
pub const FILE: &str = "bundle.toml";

/// `bundle.toml` as it is read. An unknown member does not load.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// A Cedar namespace that every type and action of a question lies in.
    #[serde(default)]
    pub namespace: Option<String>,
    /// `chain = "scope"`: a hop of the chain whose type the action admits needs a permit of its own.
    #[serde(default)]
    pub chain: Option<ChainRule>,
    /// The attribute that names a subject's owner or owners.
    #[serde(default = "owner")]
    pub owner: String,
    /// Tiers from weakest to strongest.
    pub tiers: Vec<String>,
    /// Tiers that nobody can request, the last ones of `tiers`: what a permit of such a tier matches stays refused.
    #[serde(default)]
    pub not_requestable: Vec<String>,
    /// Ways to sign in from weakest to strongest.
    pub step_ups: Vec<String>,
    /// Entity types of which a change is never a light one.
    #[serde(default)]
    pub sensitive: Vec<String>,
    /// Which types are people and workloads.
    pub types: Types,
    /// What a caller may say of entities of a type: believed, where the bundle itself is silent.
    #[serde(default)]
    pub claims: BTreeMap<String, Claims>,
    /// Which context members a caller may supply.
    #[serde(default)]
    pub context_claims: Option<Claims>,
    /// How tools become actions.
    #[serde(default)]
    pub tool: Vec<Tool>,
    /// What is done about what ran otherwise than it was approved.
    #[serde(default)]
    pub reconcile: Option<Reconcile>,
    /// What the record must do before an answer leaves.
    #[serde(default)]
    pub record: RecordRules,
    /// Who the subjects of other issuers are.
    #[serde(default)]
    pub issuers: Issuers,
}

/// What the record must do before an answer leaves.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordRules {
    /// Tiers of which an allow by an exception waits until a copy of the record holds it.
    #[serde(default)]
    pub wait_for_copy: Vec<String>,
}

/// What is done about what ran otherwise than it was approved. No question reads it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reconcile {
    /// What a finding of a kind stops by itself, where its evidence is observed or a system of record's.
    #[serde(default)]
    pub on: BTreeMap<String, ReconcileAct>,
    /// The enforcement points that declare to report whatever they let through, each with its delay.
    #[serde(default)]
    pub reports_within: BTreeMap<String, Span>,
}

/// What a finding stops by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReconcileAct {
    /// Nothing: it is opened.
    Open,
    /// The grant that it is about.
    Revoke,
    /// Whoever acted.
    LockSubject,
}

/// The kinds of findings.
pub const FINDINGS: [&str; 12] = [
    "ran_without_decision",
    "ran_after_denial",
    "outside_conditions",
    "after_expiry",
    "after_revocation",
    "more_often",
    "never_ran",
    "grant_never_used",
    "outcome_unknown",
    "several_tasks",
    "several_hosts",
    "cloned_passkey",
];

/// What the hops of a chain must pass besides guardrails and locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChainRule {
    /// A permit in `scope/` of their own.
    Scope,
}

/// Which types are people and workloads.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Types {
    /// The type of people, who approve.
    pub person: String,
    /// The types of workloads, who ask.
    pub subjects: Vec<String>,
}

/// What may be claimed, and who is believed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The names of attributes or context members.
    pub names: Vec<String>,
    /// The enforcement points that are believed, by name.
    pub enforcement_points: Vec<String>,
}

/// How a tool becomes an action.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// The server's configured name.
    pub server: String,
    /// The tool's name on that server.
    pub name: String,
    /// The action.
    pub action: String,
    /// The resource's type.
    pub resource: String,
    /// Where in the arguments the resource's id stands: one dotted path or several. A list there fans out.
    #[serde(default)]
    pub id: Option<Places>,
    /// The resource's id where no argument names it.
    #[serde(default)]
    pub fixed: Option<String>,
}

/// One place or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Places {
    /// One.
    One(String),
    /// Several: one resource each.
    Many(Vec<String>),
}

impl Places {
    /// Each place as member names.
    pub fn paths(&self) -> Vec<Vec<String>> {
        let texts = match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts.as_slice(),
        };
        texts.iter().map(|text| text.split('.').map(str::to_owned).collect()).collect()
    }
}

fn owner() -> String {
    "owner".to_owned()
}

impl Config {
    /// Reads the file.
    pub(crate) fn read(text: &str) -> Result<Self, BundleError> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            let help = "see policy-core/ABI.md for the members of bundle.toml";
            BundleError::new(FILE, line, "bad_config", error.message().to_owned(), help)
        })?;
        config.check(text)?;
        Ok(config)
    }

    fn check(&self, text: &str) -> Result<(), BundleError> {
        let refuse = |near: &str, message: String, help: &str| {
            Err(BundleError::new(FILE, line_with(text, near), "bad_config", message, help))
        };
        for (name, scale) in [("tiers", &self.tiers), ("step_ups", &self.step_ups)] {
            if scale.is_empty() || scale.iter().collect::<BTreeSet<_>>().len() != scale.len() {
                let help = "list each once, from weakest to strongest";
                return refuse(name, format!("`{name}` is empty or names one twice"), help);
            }
        }
        // INVARIANT: what nobody can request is stronger than all that somebody can, so that no tier raises out of it.
        let open = self.tiers.len().saturating_sub(self.not_requestable.len());
        let closed: BTreeSet<&String> = self.tiers.iter().skip(open).collect();
        if open == 0 || self.not_requestable.iter().collect::<BTreeSet<_>>() != closed {
            let message = "`not_requestable` does not list the last of `tiers`, each once".to_owned();
            return refuse("not_requestable", message, "put the tiers that nobody can request last, after others");
        }
        let kinds = self.reconcile.iter().flat_map(|reconcile| reconcile.on.keys());
        if let Some(kind) = kinds.into_iter().find(|kind| !FINDINGS.contains(&kind.as_str())) {
            return refuse(kind, format!("`{kind}` is no kind of finding"), "docs/reconcile.md lists the kinds");
        }
        if let Some(tier) = self.record.wait_for_copy.iter().find(|tier| !self.tiers.contains(tier)) {
            return refuse("wait_for_copy", format!("`{tier}` is no tier"), "name tiers that `tiers` lists");
        }
        if let Some((near, message, help)) = issuers::fault(&self.issuers, &self.types) {
            return refuse(&near, message, help);
        }
        let mut known = BTreeSet::new();
        for (number, tool) in self.tool.iter().enumerate() {
            let refuse = |message: String, help: &str| {
                Err(BundleError::new(FILE, tool_line(text, number, "name"), "bad_config", message, help))
            };
            if !known.insert((&tool.server, &tool.name)) {
                let message = format!("tool `{}` of server `{}` is mapped twice", tool.name, tool.server);
                return refuse(message, "keep one `[[tool]]` for each tool");
            }
            if tool.id.is_some() == tool.fixed.is_some() || tool.id.as_ref().is_some_and(|id| id.paths().is_empty()) {
                let message = format!("tool `{}` says neither or both of `id` and `fixed`", tool.name);
                return refuse(message, "say where the resource's id stands, or what it always is");
            }
        }
        Ok(())
    }

    /// Who a subject of another issuer is, where `[issuers]` says it.
    pub fn entity_of(&self, issuer: &str, subject: &str) -> Option<EntityRef> {
        issuers::entity_of(&self.issuers, &self.types, issuer, subject)
    }

    /// The name as the sealed question has it: without the bundle's namespace.
    pub fn short<'a>(&self, kind: &'a str) -> &'a str {
        let namespace = self.namespace.as_deref();
        namespace.and_then(|namespace| kind.strip_prefix(namespace)?.strip_prefix("::")).unwrap_or(kind)
    }

    /// The name as Cedar has it: with the bundle's namespace, where it names none.
    pub(crate) fn long(&self, kind: &str) -> String {
        self.full(kind).into_owned()
    }

    /// The same without a copy, where it is the name itself.
    pub(crate) fn full<'a>(&self, kind: &'a str) -> Cow<'a, str> {
        match &self.namespace {
            Some(namespace) if !kind.contains("::") => Cow::Owned(format!("{namespace}::{kind}")),
            _ => Cow::Borrowed(kind),
        }
    }

    /// INVARIANT (design 4): a name that occurs in `guardrails/` or `approval/` can never be claimed by a caller.
    pub(crate) fn check_claims(&self, text: &str, files: &BTreeMap<String, String>) -> Vec<BundleError> {
        let listed = self.claims.values().chain(&self.context_claims).flat_map(|claims| &claims.names);
        let listed: BTreeSet<&str> = listed.map(String::as_str).collect();
        let judged = files.iter().filter(|(path, _)| path.starts_with("guardrails/") || path.starts_with("approval/"));
        let mut errors = Vec::new();
        for (path, policy) in judged {
            let named: BTreeSet<&str> = tokens(policy)
                .into_iter()
                .filter_map(|(_, token)| match token {
                    Token::Word(word) => Some(word),
                    Token::Text(text) => Some(text.trim_matches('"')),
                    Token::Sign(_) => None,
                })
                .collect();
            for name in listed.intersection(&named) {
                let message = format!("`{name}` occurs in `{path}` and can therefore never be claimed by a caller");
                let help = "state it in entities.json, or judge by something that no caller supplies";
                errors.push(BundleError::new(FILE, line_with(text, name), "claim_in_guardrail", message, help));
            }
        }
        errors
    }
}
