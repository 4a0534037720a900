//! The active bundle as the use cases need it: sealing, facts for people to read, who owns and who is in what.
//! Evaluating is the module's, behind [`super::engine::Engine`].

use std::collections::{BTreeMap, BTreeSet};

use policy_core::abi::Load;
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::json;
use policy_core::question::{Call, EntityFact, Purpose, Requested, SEALED_VERSION, SealedQuestion};
use policy_core::time::{Span, Timestamp};
use policy_core::value::Value;
use policy_evaluator::Bundle;
use policy_evaluator::seal::{Ask as Seal, Claimed, SealError};
use serde_json::Value as Json;

use super::asker::{Ask, Asker};
use super::settings::OpenError;

/// The bundle's facts about entities.
const ENTITIES: &str = "entities.json";
/// Where an untyped call's arguments stand in a sealed question: kept for people to read, bound by their digest.
pub(super) const UNTYPED_INPUT: &str = "context.input";
/// One more than a group in a grant may have: so many are never granted.
const TOO_MANY_MEMBERS: usize = policy_core::grant::MOST_MEMBERS + 1;

/// The active bundle.
pub(super) struct Policy {
    bundle: Bundle,
    files: BTreeMap<String, String>,
    entities: BTreeMap<EntityRef, EntityFact>,
    /// Each entity's ancestors.
    ancestors: BTreeMap<EntityRef, BTreeSet<EntityRef>>,
}

impl Policy {
    /// Accepts a bundle, strictly validated.
    pub fn accept(files: &BTreeMap<String, String>) -> Result<Self, OpenError> {
        let bundle = Bundle::accept(files).map_err(|errors| match errors.first() {
            Some(first) => OpenError::Bundle {
                code: first.code.to_owned(),
                message: format!("{}:{}: {}", first.file, first.line, first.message),
                help: first.help.clone(),
            },
            None => OpenError::Engine("the bundle is refused without a reason".to_owned()),
        })?;
        let mut every = nothing(bundle.digests.bundle);
        bundle.add_people(&mut every, &uids(files.get(ENTITIES).map_or("[]", String::as_str)));
        let entities: BTreeMap<_, _> = every.entities.into_iter().map(|fact| (fact.uid.clone(), fact)).collect();
        let ancestors = entities.keys().map(|uid| (uid.clone(), ancestors(&entities, uid))).collect();
        Ok(Self { bundle, files: files.clone(), entities, ancestors })
    }

    pub fn digest(&self) -> Digest {
        self.bundle.digests.bundle
    }

    pub fn load(&self) -> Load {
        self.bundle.load()
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
            task: asker.agent.task.clone(),
            chain: asker.chain(),
            enforcement_point: asker.point.as_ref().map(|point| point.name.clone()),
            server: ask.server.clone(),
            tool: ask.tool,
            action: ask.action.clone(),
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

    pub fn person_type(&self) -> String {
        self.bundle.rules.config.types.person.clone()
    }

    pub fn is_subject(&self, kind: &str) -> bool {
        self.bundle.rules.config.types.subjects.iter().any(|subject| subject == kind)
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
        Some(self.annotation(action, "sum")?.split('.').map(str::to_owned).collect())
    }

    /// What `@effect` and `@reversible` say, sorted.
    pub fn effects(&self, action: &str) -> Vec<String> {
        let mut effects = self.marks(action);
        effects.extend(self.annotation(action, "reversible").map(|word| format!("reversible: {word}")));
        effects.sort();
        effects
    }

    fn marks(&self, action: &str) -> Vec<String> {
        let effect = self.annotation(action, "effect");
        let words = effect.iter().flat_map(|effect| effect.split(',')).map(|word| word.trim().to_owned());
        words.filter(|word| !word.is_empty()).collect()
    }

    /// What a task is marked with when this action is permitted: the action and its effects.
    pub fn done_marks(&self, action: &str) -> Vec<String> {
        let mut marks = self.marks(action);
        marks.push(action.to_owned());
        marks.sort();
        marks.dedup();
        marks
    }

    /// The action's `@says` text, if it has one.
    pub fn says_template(&self, action: &str) -> Option<&str> {
        self.annotation(action, "says").map(String::as_str)
    }

    /// Whether the schema marks the argument at this path `@secret`.
    pub fn is_secret(&self, call: &Call, at: &[String]) -> bool {
        let action = self.bundle.rules.actions.get(&call.action);
        let member = action
            .and_then(|action| action.input())
            .and_then(|members| policy_evaluator::bundle::types::at(members, at));
        member.is_some_and(|member| member.secret)
    }

    /// Who owns a subject: the entities that its owner attribute names, sorted.
    pub fn owners(&self, subject: &EntityRef) -> Vec<EntityRef> {
        let fact = self.entities.get(subject);
        let owner = fact.and_then(|fact| fact.attrs.get(&self.bundle.rules.config.owner));
        let mut owners = match owner {
            Some(Value::Entity(owner)) => vec![owner.clone()],
            Some(Value::Set(owners)) => owners.iter().filter_map(entity).collect(),
            _ => Vec::new(),
        };
        owners.sort();
        owners.dedup();
        owners
    }

    /// Every subject that has an owner, with its owners.
    pub fn all_owners(&self) -> Vec<(EntityRef, Vec<EntityRef>)> {
        let owned = self.entities.keys().map(|uid| (uid.clone(), self.owners(uid)));
        owned.filter(|(_, owners)| !owners.is_empty()).collect()
    }

    /// Every person that the bundle knows.
    pub fn people(&self) -> Vec<EntityRef> {
        let person = &self.bundle.rules.config.types.person;
        self.entities.keys().filter(|uid| uid.kind == *person).cloned().collect()
    }

    /// The ids of what an entity is in, directly or through another, sorted.
    pub fn groups_of(&self, uid: &EntityRef) -> Vec<String> {
        let mut groups: Vec<String> =
            self.ancestors.get(uid).into_iter().flatten().map(|group| group.id.clone()).collect();
        groups.sort();
        groups.dedup();
        groups
    }

    /// Who and what is in a group, directly or through another, sorted; more than a grant may cover are cut.
    pub fn members_of(&self, group: &EntityRef) -> Vec<EntityRef> {
        let inside = self.ancestors.iter().filter(|(_, ancestors)| ancestors.contains(group));
        inside.map(|(uid, _)| uid.clone()).take(TOO_MANY_MEMBERS).collect()
    }
}

fn entity(value: &Value) -> Option<EntityRef> {
    match value {
        Value::Entity(entity) => Some(entity.clone()),
        _ => None,
    }
}

/// The references of every entity in `entities.json`, which the evaluator has accepted.
fn uids(text: &str) -> Vec<EntityRef> {
    let limits = json::Limits { max_bytes: 64 << 20, ..json::Limits::DEFAULT };
    let Ok(Json::Array(entities)) = json::read(text.as_bytes(), limits) else { return Vec::new() };
    let uid = |entity: &Json| {
        let uid = entity.get("uid")?;
        let uid = uid.get("__entity").unwrap_or(uid);
        Some(EntityRef::new(uid.get("type")?.as_str()?, uid.get("id")?.as_str()?))
    };
    entities.iter().filter_map(uid).collect()
}

fn ancestors(entities: &BTreeMap<EntityRef, EntityFact>, uid: &EntityRef) -> BTreeSet<EntityRef> {
    let mut found = BTreeSet::new();
    let mut wanted = vec![uid];
    while let Some(uid) = wanted.pop() {
        for parent in entities.get(uid).into_iter().flat_map(|fact| &fact.parents) {
            if found.insert(parent.clone()) {
                wanted.push(parent);
            }
        }
    }
    found
}

/// A question about nothing: what entities are gathered into.
fn nothing(bundle: Digest) -> SealedQuestion {
    let call = Call {
        subject: EntityRef::new("", ""),
        action: String::new(),
        resources: Vec::new(),
        input: None,
        input_digest: Digest::of(b"null"),
        typed: false,
        paths: Vec::new(),
        server: None,
        tool: None,
    };
    SealedQuestion {
        v: SEALED_VERSION,
        purpose: Purpose::Question,
        bundle,
        now: Timestamp::from_millis(0),
        call,
        task: String::new(),
        chain: Vec::new(),
        enforcement_point: None,
        context: BTreeMap::new(),
        entities: Vec::new(),
        claimed: BTreeMap::new(),
        candidates: Vec::new(),
        locks: Vec::new(),
        requested: Requested {
            duration: Span::default(),
            uses: 0,
            held_grants: 0,
            held_uses: 0,
            held_sum: 0,
            emergency: false,
        },
    }
}
