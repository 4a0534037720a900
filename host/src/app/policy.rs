//! The active bundle as the use cases need it: sealing, facts for people to read, who owns and who is in what.
//! Evaluating is the module's, behind [`super::engine::Engine`].

mod administrators;
mod owners;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use policy_core::abi::{Console, ConsoleAct, Load, Voter};
use policy_core::console::Act;
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::presence::Presence;
use policy_core::question::{EntityFact, LockTarget, Requested, SealedQuestion};
use policy_core::sheet::Argument;
use policy_core::time::Timestamp;
use policy_core::value::Value;
use policy_evaluator::bundle::Config;
use policy_evaluator::console::{Alone, TooMuch, alone};
use policy_evaluator::lint::about::{self, Mention};
use policy_evaluator::seal::{Ask as Seal, Claimed, SealError};
use policy_evaluator::{Bundle, BundleError};

use super::asker::{Ask, Asker};
use super::ownership::Belongings;
use super::settings::OpenError;
use crate::store::Keys;
use administrators::Administrators;

/// Where an untyped call's arguments stand in a sealed question: kept for people to read, bound by their digest.
pub(super) const UNTYPED_INPUT: &str = "context.input";
/// One more than a group in a grant may have: so many are never granted.
const TOO_MANY_MEMBERS: usize = policy_core::grant::MOST_MEMBERS + 1;

/// The active bundle.
pub(super) struct Policy {
    bundle: Bundle,
    files: BTreeMap<String, String>,
    /// Who may activate another bundle, and how many people `console/` demands of each.
    activators: BTreeMap<EntityRef, u32>,
    administrators: Administrators,
    belongings: Belongings,
}

impl Policy {
    /// Accepts a bundle, strictly validated.
    pub fn accept(files: &BTreeMap<String, String>) -> Result<Self, OpenError> {
        Self::read(files).map_err(|errors| match errors.first() {
            Some(first) => OpenError::Bundle {
                code: first.code.to_owned(),
                message: format!("{}:{}: {}", first.file, first.line, first.message),
                help: first.help.clone(),
            },
            None => OpenError::Engine("the bundle is refused without a reason".to_owned()),
        })
    }

    /// The same, with all that is wrong.
    pub fn read(files: &BTreeMap<String, String>) -> Result<Self, Vec<BundleError>> {
        let bundle = Bundle::accept(files)?;
        let activators = bundle.activators();
        let belongings = owners::belongings(&bundle);
        Ok(Self { bundle, files: files.clone(), activators, administrators: Administrators::default(), belongings })
    }

    /// Who may activate another bundle, sorted.
    pub fn activators(&self) -> Vec<EntityRef> {
        self.activators.keys().cloned().collect()
    }

    /// Whether people activate the next bundle: two of them may. One whose rules on that look at the time is theirs also
    /// where no hour was found at which they may.
    pub fn is_activated_by_people(&self) -> bool {
        self.activators.len() > 1 || self.bundle.console_looks_at_the_time()
    }

    /// How many people `console/` demands at least of who activates another bundle.
    pub fn activation_persons(&self) -> u32 {
        self.activators.values().copied().min().unwrap_or(1)
    }

    pub fn config(&self) -> &Config {
        &self.bundle.rules.config
    }

    pub fn digest(&self) -> Digest {
        self.bundle.digests.bundle
    }

    pub fn load(&self) -> Load {
        self.bundle.load()
    }

    /// Its files by path.
    pub const fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }

    /// The bundle, for who compares it with another.
    pub const fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// The digest of each file.
    pub fn file_digests(&self) -> BTreeMap<String, Digest> {
        self.files.iter().map(|(path, text)| (path.clone(), Digest::of(text.as_bytes()))).collect()
    }

    /// Seals a question in the bundle's words.
    pub fn seal(
        &self,
        asker: &Asker,
        ask: &Ask,
        now: Timestamp,
        done: Vec<String>,
    ) -> Result<SealedQuestion, SealError> {
        let mut question = self.bundle.seal(&Seal {
            purpose: ask.purpose,
            subject: asker.agent.subject.clone(),
            task: asker.agent.task.as_str().into(),
            chain: asker.chain(),
            enforcement_point: asker.point.as_ref().map(|point| point.name.as_str().into()),
            bound: asker.agent.is_bound(),
            vouched: asker.agent.is_vouched(),
            server: ask.server.as_deref().map(Into::into),
            tool: ask.tool,
            action: ask.action.as_str().into(),
            resource: ask.resource.clone(),
            input: ask.input.clone(),
            claims: Claimed {
                subject: ask.subject_properties.clone(),
                resource: ask.resource_properties.clone(),
                action: ask.action_properties.clone(),
                context: ask.context.clone(),
            },
            now,
            done: done.into_iter().collect(),
        })?;
        if let Some(input) = ask.input.as_ref().filter(|_| !question.call.typed) {
            question.claimed.insert(UNTYPED_INPUT.to_owned(), input.clone());
        }
        Ok(question)
    }

    /// The same call as the active bundle sees it at this time: its facts taken anew, these people's with them. What an
    /// enforcement point was believed of stays.
    pub fn refresh(
        &self,
        question: &SealedQuestion,
        people: &[EntityRef],
        now: Timestamp,
        requested: Requested,
    ) -> SealedQuestion {
        let uids: Vec<EntityRef> = question.entities.iter().map(|fact| &fact.uid).chain(people).cloned().collect();
        let believed = |fact: &&EntityFact| question.enforcement_point.as_ref() == Some(&fact.source);
        let mut context = question.context.clone();
        if let Some(Value::Datetime(set)) = context.get_mut("now") {
            *set = now.to_string();
        }
        let mut fresh = SealedQuestion {
            bundle: self.digest(),
            now,
            context,
            entities: question.entities.iter().filter(believed).cloned().collect(),
            candidates: Vec::new(),
            locks: Vec::new(),
            requested,
            ..question.clone()
        };
        self.bundle.add_people(&mut fresh, &uids);
        fresh
    }

    /// The question what somebody may do in Proviso itself.
    pub fn console_question(&self, person: &Voter, now: Timestamp, acts: Vec<ConsoleAct>) -> Console {
        self.bundle.console_question(person, now, acts)
    }

    /// An act without what no policy looks at.
    pub fn lean_act(&self, act: ConsoleAct) -> ConsoleAct {
        self.bundle.lean_act(act)
    }

    /// What one person could do alone here from now on that takes two under the bundle of these files; an error where that
    /// is more than can be told. One that this release does not read demanded nothing that it could check.
    pub fn alone_after(&self, before: &BTreeMap<String, String>, now: Timestamp) -> Result<Vec<Alone>, TooMuch> {
        match Bundle::accept(before) {
            Ok(before) => alone(&before, &self.bundle, now),
            Err(errors) => {
                tracing::warn!(errors = errors.len(), "the bundle before does not load any more; nothing is compared");
                Ok(Vec::new())
            }
        }
    }

    /// What decides on every tier is at least shown with.
    pub fn acts_presence(&self) -> Presence {
        self.bundle.strongest_presence()
    }

    /// Whether the bundle says who may do what in Proviso.
    pub fn has_console(&self) -> bool {
        self.bundle.has_console()
    }

    /// Whom `console/` lets look after people in the week from now: nobody where there is none.
    pub fn administrators(&self, now: Timestamp) -> Arc<BTreeSet<EntityRef>> {
        self.administrators.get(now, || self.bundle.who_may(Act::Administer, now))
    }

    /// Works that out before it is asked, where it is not known.
    pub fn know_administrators(&self, now: Timestamp) {
        self.administrators.renew(now, || self.bundle.who_may(Act::Administer, now));
    }

    /// Whether somebody could ever vote, or say who else does.
    pub fn weighs(&self, person: &EntityRef) -> bool {
        self.bundle.may_ever(person, &[Act::Vote, Act::Administer, Act::Activate, Act::Erase])
    }

    /// Every workload that the bundle knows, sorted.
    pub fn subjects(&self) -> Vec<EntityRef> {
        self.bundle.subjects()
    }

    /// Everything of a type that the bundle knows, sorted.
    pub fn of_type(&self, kind: &str) -> Vec<EntityRef> {
        self.bundle.of_types(&[kind.to_owned()])
    }

    /// The actions that the schema has for a subject and a resource of these types, sorted.
    pub fn actions_for(&self, subject: &str, resource: &str) -> Vec<String> {
        self.bundle.actions_for(subject, resource)
    }

    pub fn person_type(&self) -> String {
        self.bundle.rules.config.types.person.clone()
    }

    pub fn is_subject(&self, kind: &str) -> bool {
        self.subject_types().iter().any(|subject| subject == kind)
    }

    /// Whether a lock stops anything that this question names. A locked grant is no candidate instead.
    pub fn stops(&self, target: &LockTarget, question: &SealedQuestion) -> bool {
        self.bundle.rules.stops(target, question)
    }

    /// Whether a call of this action, on these tools, is one of the tool's.
    pub fn is_call_of(&self, tool: &str, action: &str, on: &[String]) -> bool {
        self.bundle.rules.config.is_call_of(tool, action, on.iter().map(String::as_str))
    }

    /// Whether there is anything that a lock on this tool could stop.
    pub fn may_call(&self, tool: &str) -> bool {
        self.bundle.rules.may_call(tool)
    }

    /// Whether `[[tool]]` maps anything of this server.
    pub fn maps_server(&self, server: &str) -> bool {
        self.bundle.rules.config.tool.iter().any(|tool| tool.server == server)
    }

    /// The types of workloads.
    pub fn subject_types(&self) -> &[String] {
        &self.bundle.rules.config.types.subjects
    }

    /// Whether an allow of this tier leaves only when a copy of the record holds it.
    pub fn waits_for_copy(&self, tier: &str) -> bool {
        self.bundle.rules.config.record.wait_for_copy.iter().any(|waits| waits == tier)
    }

    pub fn tiers(&self) -> Vec<String> {
        self.bundle.rules.config.tiers.clone()
    }

    pub fn step_ups(&self) -> Vec<String> {
        self.bundle.rules.config.step_ups.clone()
    }

    pub fn mentions_done(&self) -> bool {
        self.bundle.rules.mentions_done()
    }

    fn annotation(&self, action: &str, name: &str) -> Option<&String> {
        self.bundle.rules.actions.get(action)?.annotations.get(name)
    }

    /// The one integer argument that `@sum` names.
    pub fn sum_path(&self, action: &str) -> Option<Vec<String>> {
        self.bundle.sum_argument(action)
    }

    /// What `@effect` and `@reversible` say, sorted.
    pub fn effects(&self, action: &str) -> Vec<String> {
        self.bundle.effects(action)
    }

    /// What a task is marked with when this action is permitted: the action and its effects.
    pub fn done_marks(&self, action: &str) -> Vec<String> {
        let effect = self.annotation(action, "effect");
        let words = effect.iter().flat_map(|effect| effect.split(',')).map(|word| word.trim().to_owned());
        let mut marks: Vec<String> = words.filter(|word| !word.is_empty()).chain([action.to_owned()]).collect();
        marks.sort();
        marks.dedup();
        marks
    }

    /// Seals a question as it stands, whoever made it up.
    pub fn seal_alone(&self, ask: &Seal) -> Result<SealedQuestion, SealError> {
        let mut question = self.bundle.seal(ask)?;
        if let Some(input) = ask.input.as_ref().filter(|_| !question.call.typed) {
            question.claimed.insert(UNTYPED_INPUT.to_owned(), input.clone());
        }
        Ok(question)
    }

    /// The policies that could decide about somebody.
    pub fn about(&self, who: &EntityRef) -> Vec<Mention> {
        about::about(&self.bundle, who)
    }

    /// What the bundle says of an entity.
    pub fn attributes(&self, of: &EntityRef) -> Vec<(String, Value)> {
        about::attributes(&self.bundle, of)
    }

    /// What runs, in the bundle author's words.
    pub fn says(&self, question: &SealedQuestion) -> String {
        self.bundle.says(question)
    }

    /// The arguments as quoted values, in canonical order; those of an untyped call as they were sent.
    pub fn argument_lines(&self, question: &SealedQuestion) -> Vec<Argument> {
        match question.claimed.get(UNTYPED_INPUT).filter(|_| !question.call.typed) {
            Some(input) => super::words::untyped(input),
            None => self.bundle.argument_lines(question),
        }
    }

    /// Takes the `@secret` arguments out of a question that is to be stored: a keyed code stands for a text, nothing
    /// for the rest. The digest of the arguments stays that of the call.
    pub fn redact(&self, question: &mut SealedQuestion, keys: &Keys) {
        for at in self.bundle.secrets(&question.call.action) {
            if let Some(secret) = question.call.input.as_mut().and_then(|input| member(input, &at)) {
                let code = |text: &str| keys.code(b"proviso-argument-v1\0", text.as_bytes()).to_string();
                *secret = redacted(secret, &code);
            }
        }
    }

    /// Whether any action takes a `@secret` argument.
    pub fn has_secrets(&self) -> bool {
        self.bundle.rules.actions.keys().any(|action| !self.bundle.secrets(action).is_empty())
    }

    /// Whether the bundle knows the entity.
    pub fn knows(&self, uid: &EntityRef) -> bool {
        self.bundle.knows(uid)
    }

    /// Whether the bundle knows this group, and lets such a person be in it.
    pub fn may_be_in(&self, person: &EntityRef, group: &EntityRef) -> bool {
        self.bundle.may_be_in(person, group)
    }

    /// Every person that the bundle knows.
    pub fn people(&self) -> Vec<EntityRef> {
        self.bundle.people()
    }

    /// The ids of what an entity is in, directly or through another, sorted.
    pub fn groups_of(&self, uid: &EntityRef) -> Vec<String> {
        self.bundle.groups_of(uid)
    }

    /// Who and what is in a group, directly or through another, sorted; more than a grant may cover are cut.
    pub fn members_of(&self, group: &EntityRef) -> Vec<EntityRef> {
        let mut members = self.bundle.members_of(group);
        members.truncate(TOO_MANY_MEMBERS);
        members
    }
}

/// The member at a path of names.
fn member<'a>(value: &'a mut Value, at: &[String]) -> Option<&'a mut Value> {
    let Some((first, rest)) = at.split_first() else { return Some(value) };
    match value {
        Value::Record(members) => member(members.get_mut(first)?, rest),
        _ => None,
    }
}

/// What a record keeps of a secret: a text's keyed code, and of everything else its type alone.
fn redacted(secret: &Value, code: &impl Fn(&str) -> String) -> Value {
    match secret {
        Value::String(text) => Value::String(code(text)),
        Value::Entity(of) => Value::Entity(EntityRef::new(of.kind.clone(), code(&of.id))),
        Value::Bool(_) => Value::Bool(false),
        Value::Long(_) => Value::Long(0),
        Value::Set(_) => Value::Set(Vec::new()),
        Value::Record(members) => {
            Value::Record(members.iter().map(|(name, value)| (name.clone(), redacted(value, code))).collect())
        }
        Value::Datetime(_) => Value::Datetime("1970-01-01T00:00:00.000Z".into()),
        Value::Duration(_) => Value::Duration("0ms".into()),
        Value::Decimal(_) => Value::Decimal("0.0".into()),
        Value::Ipaddr(_) => Value::Ipaddr("0.0.0.0".into()),
    }
}

#[cfg(test)]
mod tests {
    use policy_core::record::Record;

    use super::*;

    #[test]
    fn nothing_of_a_secret_is_kept_but_its_type() {
        let code = |_: &str| "coded".to_owned();
        let texts = ["5s", "1.25", "10.0.0.7", "2026-11-22T16:00:00.000Z", "pin"].map(str::to_owned);
        let [duration, decimal, address, instant, pin] = texts;
        let secret = Value::Record(Record::from([
            ("a", Value::Duration(duration.clone())),
            ("b", Value::Decimal(decimal.clone())),
            ("c", Value::Ipaddr(address.clone())),
            ("d", Value::Datetime(instant.clone())),
            ("e", Value::Set(vec![Value::String(pin.clone())])),
            ("f", Value::Entity(EntityRef::new("Account", &pin))),
            ("g", Value::Record(Record::from([("h", Value::String(pin.clone()))]))),
            ("i", Value::Long(4711)),
        ]));
        let kept = serde_json::to_string(&redacted(&secret, &code)).unwrap();
        for text in [duration, decimal, address, instant, pin, "4711".to_owned()] {
            assert!(!kept.contains(&text), "{text} in {kept}");
        }
    }
}
