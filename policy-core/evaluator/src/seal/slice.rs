//! The entities that policies may look at: who acts, on what, for whom, with their ancestors, and what their attributes
//! refer to, one level deep.

use std::collections::BTreeMap;

use policy_core::digest::Digest;
use policy_core::entity::{EntityRef, Hop};
use policy_core::outcome::Reason;
use policy_core::question::{Call, EntityFact, Purpose, Requested, SEALED_VERSION, SealedQuestion};
use policy_core::record::Record;
use policy_core::sabotaged;
use policy_core::time::Timestamp;
use policy_core::value::Value;
use serde_json::Value as Json;
use smol_str::SmolStr;

use super::{Ask, SealError};
use crate::Bundle;
use crate::cedar::UNKNOWN;

/// The most entities that one question may need.
const LARGEST_SLICE: usize = 4096;

type Facts = BTreeMap<EntityRef, EntityFact>;

impl Bundle {
    pub(super) fn slice(
        &self,
        ask: &Ask,
        call: &Call,
        chain: &[Hop],
        context: &Record,
        claimed: &mut BTreeMap<String, Json>,
    ) -> Result<Vec<EntityFact>, SealError> {
        let mut facts = Facts::new();
        let mut referred = Vec::new();
        call.input.iter().chain(context.values()).for_each(|value| references(value, &mut referred));
        for hop in chain {
            self.add_tree(&hop.entity, &mut facts);
        }
        for (word, said, uid) in std::iter::once(("subject", &ask.claims.subject, &call.subject))
            .chain(call.resources.iter().map(|resource| ("resource", &ask.claims.resource, resource)))
        {
            let shape = self.rules.types.get(&self.rules.config.long(&uid.kind));
            let shape = shape
                .ok_or_else(|| SealError::new(Reason::UnknownType, format!("the schema has no type for the {word}")))?;
            self.add_tree(uid, &mut facts);
            let fact = facts.entry(uid.clone()).or_insert_with(|| nobody_knows(uid));
            self.entity_claims(ask, word, said, fact, claimed)?;
            // INVARIANT (R8): what nobody knows and must be known is refused.
            let lacks = shape.attributes.iter().any(|(name, member)| member.required && !fact.attrs.contains_key(name));
            if lacks && !sabotaged!("r8_unknown_entity") {
                let message = format!("the bundle does not know the {word}, and its type has a required attribute");
                return Err(SealError::new(Reason::UnknownEntity, message));
            }
        }
        self.add_references(referred, &mut facts);
        if facts.len() > LARGEST_SLICE {
            return Err(SealError::new(
                Reason::Limit,
                format!("the question needs more than {LARGEST_SLICE} entities"),
            ));
        }
        Ok(facts.into_values().collect())
    }

    /// Adds what is known of these people to a question, for who may approve it. People that no bundle knows are left
    /// out: they are eligible for nothing.
    pub fn add_people(&self, question: &mut SealedQuestion, people: &[EntityRef]) {
        let mut facts: Facts = question.entities.drain(..).map(|fact| (fact.uid.clone(), fact)).collect();
        for person in people {
            self.add_tree(&self.shorten(person), &mut facts);
        }
        self.add_references(Vec::new(), &mut facts);
        question.entities = facts.into_values().collect();
    }

    /// A question about nothing: what entities are gathered into.
    pub fn nothing(&self) -> SealedQuestion {
        let call = Call {
            subject: EntityRef::new("", ""),
            action: SmolStr::default(),
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
            bundle: self.digests.bundle,
            now: Timestamp::from_millis(0),
            call,
            task: SmolStr::default(),
            chain: Vec::new(),
            enforcement_point: None,
            bound: false,
            vouched: false,
            context: Record::new(),
            entities: Vec::new(),
            claimed: BTreeMap::new(),
            candidates: Vec::new(),
            locks: Vec::new(),
            requested: Requested::default(),
        }
    }

    /// The ids of what an entity is in, directly or through another, sorted.
    pub fn groups_of(&self, uid: &EntityRef) -> Vec<String> {
        let mut around = self.nothing();
        self.add_people(&mut around, std::slice::from_ref(uid));
        crate::eligible::groups(&around.entities, uid)
    }

    /// Adds what the attributes of the facts so far refer to, and these.
    fn add_references(&self, mut referred: Vec<EntityRef>, facts: &mut Facts) {
        for fact in facts.values() {
            fact.attrs.values().for_each(|value| references(value, &mut referred));
        }
        for uid in referred {
            self.add_tree(&uid, facts);
        }
    }

    /// Adds an entity and its ancestors. One that nobody knows and whose type needs facts is added only as unknown when
    /// it is asked about itself; as a mere ancestor or reference it stays out, and policies that read it err.
    fn add_tree(&self, uid: &EntityRef, facts: &mut Facts) {
        let mut wanted = vec![uid.clone()];
        while let Some(uid) = wanted.pop() {
            if facts.contains_key(&uid) || facts.len() > LARGEST_SLICE {
                continue;
            }
            if let Some(fact) = self.fact(&uid) {
                wanted.extend(fact.parents.iter().cloned());
                facts.insert(uid, fact);
            }
        }
    }

    pub(crate) fn fact(&self, uid: &EntityRef) -> Option<EntityFact> {
        let shape = self.rules.types.get(&self.rules.config.long(&uid.kind))?;
        match self.facts.get(uid) {
            Some(known) => Some(known.clone()),
            None if shape.needs_facts() => None,
            None => Some(nobody_knows(uid)),
        }
    }
}

fn nobody_knows(uid: &EntityRef) -> EntityFact {
    EntityFact { uid: uid.clone(), attrs: Record::new(), parents: Vec::new(), source: UNKNOWN.into() }
}

fn references(value: &Value, into: &mut Vec<EntityRef>) {
    match value {
        Value::Entity(uid) => into.push(uid.clone()),
        Value::Set(items) => items.iter().for_each(|item| references(item, into)),
        Value::Record(members) => members.values().for_each(|member| references(member, into)),
        _ => {}
    }
}
