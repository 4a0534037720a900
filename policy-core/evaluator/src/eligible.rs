//! Who may approve: `approval/approve/`. Separation of duty is the lifecycle's, not this answer's.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::Entities;
use policy_core::abi::{Eligibility, Eligible, Voter, chain_text};
use policy_core::entity::EntityRef;
use policy_core::outcome::Reason;
use policy_core::question::EntityFact;
use policy_core::value::Value;

use crate::Rules;
use crate::brought::with_brought;
use crate::bundle::APPROVE;
use crate::cedar::{self, Verdict};

/// Who of these people may approve, in the order that they were given.
///
/// # Errors
/// The reason why the question does not fit the bundle.
pub fn eligible(rules: &Rules, input: &Eligible) -> Result<Vec<Eligibility>, Reason> {
    cedar::action_type(rules, &input.question)?;
    let facts = with_brought(rules, &input.question.entities, &input.people);
    let entities = cedar::entities(rules, &facts).map_err(|unfit| unfit.reason)?;
    Ok(input.people.iter().map(|voter| one(rules, input, (&facts, &entities), voter)).collect())
}

fn one(rules: &Rules, input: &Eligible, (facts, entities): (&[EntityFact], &Entities), voter: &Voter) -> Eligibility {
    let groups = groups(facts, &voter.person);
    let nobody =
        Eligibility { person: voter.person.clone(), eligible: false, groups, policies: Vec::new(), errors: Vec::new() };
    // INVARIANT (R4): a person that the bundle does not know approves nothing.
    let known = |fact: &EntityFact| fact.uid == voter.person && fact.source != cedar::UNKNOWN;
    if !facts.iter().any(known) {
        return nobody;
    }
    match asked(rules, input, entities, voter) {
        Ok((eligible, verdict)) => {
            Eligibility { eligible, policies: verdict.satisfied, errors: verdict.errors, ..nobody }
        }
        Err(_) => nobody,
    }
}

fn asked(rules: &Rules, input: &Eligible, entities: &Entities, voter: &Voter) -> Result<(bool, Verdict), Reason> {
    let question = &input.question;
    let text = |text: &str| Value::String(text.to_owned());
    let people = |people: &[EntityRef]| {
        // INVARIANT: the context's sets hold people only; an owner of another type is a matter of the lifecycle.
        let people = people.iter().filter(|owner| owner.kind == rules.config.short(&rules.config.types.person));
        Value::Set(people.cloned().map(Value::Entity).collect())
    };
    let members = BTreeMap::from([
        ("action", Value::Entity(EntityRef::new("Action", question.call.action.clone()))),
        ("task", text(&question.task)),
        ("tier", text(&input.tier)),
        ("owners", people(&input.owners)),
        ("voted", people(&input.voted)),
        ("requester", Value::Entity(input.requester.clone())),
        ("chain", text(&chain_text(&question.chain))),
        ("now", Value::Datetime(question.now.to_string())),
        ("assurance", text(&voter.assurance)),
        ("votes", Value::Long(i64::from(input.votes))),
    ]);
    let context = cedar::context(rules, members.iter().map(|(name, value)| (*name, value)))?;
    let (mut all, mut verdict) = (!question.call.resources.is_empty(), Verdict::default());
    for resource in &question.call.resources {
        let request = cedar::request(rules, &voter.person, APPROVE, resource, context.clone(), false)?;
        let one = rules.sets.approve.ask(&request, entities);
        all &= !one.satisfied.is_empty();
        verdict.join(one);
    }
    Ok((all, verdict))
}

/// The ids of everything that the person is in, sorted.
pub(crate) fn groups(facts: &[EntityFact], person: &EntityRef) -> Vec<String> {
    let (mut seen, mut wanted) = (BTreeSet::new(), vec![person]);
    while let Some(uid) = wanted.pop() {
        let fact = facts.iter().find(|fact| fact.uid == *uid);
        for parent in fact.into_iter().flat_map(|fact| &fact.parents) {
            if seen.insert(parent) {
                wanted.push(parent);
            }
        }
    }
    let ids: BTreeSet<String> = seen.into_iter().map(|group| group.id.to_string()).collect();
    ids.into_iter().collect()
}
