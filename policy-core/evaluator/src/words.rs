//! A call in the bundle author's words (R11): arguments and resources stand in them as quoted values, bounded, odd
//! characters made visible.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::entity::EntityRef;
use policy_core::question::SealedQuestion;
use policy_core::record::Record;
use policy_core::sheet::Argument;
use policy_core::text::visible;
use policy_core::value::Value;
use serde_json::Value as Json;

use crate::Bundle;
use crate::bundle::types::{Member, Type};

/// How much of a value a sentence shows, and how much a sheet, in characters.
const IN_A_SENTENCE: usize = 120;
const ON_A_SHEET: usize = 4_000;

impl Bundle {
    /// What runs, as `@says` has it, with `{argument}`, `{resource}` and `{subject}` filled in. Without `@says` the
    /// action's name and the resource.
    pub fn says(&self, question: &SealedQuestion) -> String {
        let action = self.rules.actions.get(question.call.action.as_str());
        let default = format!("{} on {{resource}}", visible(&question.call.action, IN_A_SENTENCE));
        let template = action.and_then(|action| action.annotations.get("says")).unwrap_or(&default);
        let mut sentence = String::new();
        let mut rest = template.as_str();
        // INVARIANT (R11): what is filled in is never read again for places to fill.
        while let Some((before, after)) = rest.split_once('{') {
            sentence.push_str(before);
            let Some((name, behind)) = after.split_once('}') else {
                rest = after;
                break;
            };
            sentence.push_str(&self.filled(question, name));
            rest = behind;
        }
        sentence.push_str(rest);
        sentence
    }

    fn filled(&self, question: &SealedQuestion, name: &str) -> String {
        let quoted = |text: &str| visible(&Json::from(text).to_string(), IN_A_SENTENCE);
        match name {
            "resource" => {
                let resources: Vec<String> = question.call.resources.iter().map(|uid| quoted(&uid.id)).collect();
                visible(&resources.join(", "), IN_A_SENTENCE)
            }
            "subject" => quoted(&question.call.subject.id),
            name => {
                let at: Vec<String> = name.split('.').map(str::to_owned).collect();
                let lines = self.argument_lines(question);
                let found = lines.into_iter().find(|line| line.at == at);
                found.map_or_else(|| "nothing".to_owned(), |line| visible(&line.text, IN_A_SENTENCE))
            }
        }
    }

    /// What an action does, as `@effect` and `@reversible` say it, sorted.
    pub fn effects(&self, action: &str) -> Vec<String> {
        let Some(action) = self.rules.actions.get(action) else { return Vec::new() };
        let mut effects: Vec<String> = Vec::new();
        if let Some(effect) = action.annotations.get("effect") {
            effects.extend(effect.split(',').map(|effect| effect.trim().to_owned()));
        }
        match action.annotations.get("reversible").map(String::as_str) {
            Some("no") => effects.push("not reversible".to_owned()),
            Some(how) => effects.push(format!("reversible: {how}")),
            None => {}
        }
        effects.sort();
        effects.dedup();
        effects
    }

    /// The arguments one by one, records opened, as quoted values in canonical order; `@secret` ones as their length.
    pub fn argument_lines(&self, question: &SealedQuestion) -> Vec<Argument> {
        let members = self.rules.actions.get(question.call.action.as_str()).and_then(|action| action.input());
        let mut lines = Vec::new();
        if let (Some(Value::Record(record)), Some(members)) = (&question.call.input, members) {
            open(record, members, &mut Vec::new(), &mut lines);
        }
        lines
    }

    /// Where a call's `@secret` members stand, as member paths: they are committed and never stored.
    pub fn secrets(&self, action: &str) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        if let Some(members) = self.rules.actions.get(action).and_then(|action| action.input()) {
            secrets(members, &mut Vec::new(), &mut found);
        }
        found
    }

    /// The integer argument that `@sum` names, where the action has one.
    pub fn sum_argument(&self, action: &str) -> Option<Vec<String>> {
        let sum = self.rules.actions.get(action)?.annotations.get("sum")?;
        Some(sum.split('.').map(str::to_owned).collect())
    }

    /// Who owns a subject by the attribute that `bundle.toml` names, sorted.
    pub fn owners(&self, subject: &EntityRef) -> Vec<EntityRef> {
        let fact = self.facts.get(&self.shorten(subject));
        let mut owners = match fact.and_then(|fact| fact.attrs.get(&self.rules.config.owner)) {
            Some(Value::Entity(owner)) => vec![owner.clone()],
            Some(Value::Set(owners)) => owners.iter().filter_map(entity).collect(),
            _ => Vec::new(),
        };
        owners.sort();
        owners.dedup();
        owners
    }

    /// Everything that somebody owns by that attribute, each with who owns it, sorted: [`Self::owners`] of all.
    pub fn owned(&self) -> impl Iterator<Item = (&EntityRef, Vec<EntityRef>)> {
        self.facts.keys().map(|uid| (uid, self.owners(uid))).filter(|(_, owners)| !owners.is_empty())
    }

    /// Every person that the bundle knows, sorted.
    pub fn people(&self) -> Vec<EntityRef> {
        self.of_types(std::slice::from_ref(&self.rules.config.types.person))
    }

    /// Whether a person is in the group of this id, directly or through another.
    pub(crate) fn is_in(&self, person: &EntityRef, group: &str) -> bool {
        let (mut seen, mut wanted) = (BTreeSet::new(), vec![person]);
        while let Some(uid) = wanted.pop() {
            let parents = self.facts.get(uid).into_iter().flat_map(|fact| &fact.parents);
            wanted.extend(parents.filter(|parent| seen.insert(*parent)));
        }
        seen.iter().any(|parent| parent.id == group)
    }

    /// Every workload that the bundle knows, sorted.
    pub fn subjects(&self) -> Vec<EntityRef> {
        self.of_types(&self.rules.config.types.subjects)
    }

    /// The actions that the schema has for these types, sorted.
    pub fn actions_for(&self, subject: &str, resource: &str) -> Vec<String> {
        let config = &self.rules.config;
        let (subject, resource) = (config.long(config.short(subject)), config.long(config.short(resource)));
        let actions = self.rules.actions.iter();
        let fits = actions.filter(|(_, of)| of.principals.contains(&subject) && of.resources.contains(&resource));
        fits.map(|(name, _)| name.clone()).collect()
    }

    /// Everything of these types that the bundle knows, sorted.
    pub fn of_types(&self, kinds: &[String]) -> Vec<EntityRef> {
        let wanted = |uid: &&EntityRef| kinds.iter().any(|kind| self.rules.config.short(kind) == uid.kind);
        self.facts.keys().filter(wanted).cloned().collect()
    }

    /// Everything that the bundle knows to be in a group, directly or through another, sorted.
    pub fn members_of(&self, group: &EntityRef) -> Vec<EntityRef> {
        let group = self.shorten(group);
        let inside = |uid: &EntityRef| {
            let (mut seen, mut wanted) = (std::collections::BTreeSet::new(), vec![uid]);
            while let Some(uid) = wanted.pop() {
                for parent in self.facts.get(uid).into_iter().flat_map(|fact| &fact.parents) {
                    if *parent == group {
                        return true;
                    }
                    if seen.insert(parent) {
                        wanted.push(parent);
                    }
                }
            }
            false
        };
        self.facts.keys().filter(|uid| inside(uid)).cloned().collect()
    }

    /// Whether the bundle knows the entity.
    pub fn knows(&self, uid: &EntityRef) -> bool {
        self.facts.contains_key(&self.shorten(uid))
    }

    /// The tools that are mapped, as server and name, sorted.
    pub fn tools(&self) -> Vec<(String, String)> {
        let tools = self.rules.config.tool.iter().map(|tool| (tool.server.clone(), tool.name.clone()));
        let mut tools: Vec<_> = tools.collect();
        tools.sort();
        tools
    }
}

fn entity(value: &Value) -> Option<EntityRef> {
    match value {
        Value::Entity(uid) => Some(uid.clone()),
        _ => None,
    }
}

fn open(record: &Record, members: &BTreeMap<String, Member>, at: &mut Vec<String>, lines: &mut Vec<Argument>) {
    for (name, value) in record {
        let Some(member) = members.get(name.as_str()) else { continue };
        at.push(name.to_string());
        match (&member.of, value) {
            _ if member.secret || holds_secret(&member.of) && !matches!(member.of, Type::Record(_)) => {
                let length = plain(value).to_string().chars().count();
                lines.push(Argument { at: at.clone(), text: format!("secret, {length} characters as JSON") });
            }
            (Type::Record(members), Value::Record(record)) => open(record, members, at, lines),
            _ => lines.push(Argument { at: at.clone(), text: visible(&plain(value).to_string(), ON_A_SHEET) }),
        }
        at.pop();
    }
}

fn holds_secret(of: &Type) -> bool {
    match of {
        Type::Set(element) => holds_secret(element),
        Type::Record(members) => members.values().any(|member| member.secret || holds_secret(&member.of)),
        _ => false,
    }
}

fn secrets(members: &BTreeMap<String, Member>, at: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    for (name, member) in members {
        at.push(name.clone());
        match &member.of {
            Type::Record(inner) if !member.secret => secrets(inner, at, found),
            of if member.secret || holds_secret(of) => found.push(at.clone()),
            _ => {}
        }
        at.pop();
    }
}

/// A value as the JSON that it came from.
fn plain(value: &Value) -> Json {
    match value {
        Value::Bool(bool) => Json::from(*bool),
        Value::Long(long) => Json::from(*long),
        Value::String(text)
        | Value::Datetime(text)
        | Value::Duration(text)
        | Value::Decimal(text)
        | Value::Ipaddr(text) => Json::from(text.as_str()),
        Value::Entity(uid) => Json::from(uid.to_string()),
        Value::Set(items) => items.iter().map(plain).collect(),
        Value::Record(members) => {
            Json::Object(members.iter().map(|(name, value)| (name.to_string(), plain(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests;
