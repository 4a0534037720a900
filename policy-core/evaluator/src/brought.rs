//! Groups that people's sign-ins brought: parents of their own entities, besides those that the bundle says.

use std::borrow::Cow;

use policy_core::abi::Voter;
use policy_core::entity::EntityRef;
use policy_core::question::EntityFact;

use crate::Rules;
use crate::cedar::UNKNOWN;

/// The facts with what the sign-ins of these people brought.
///
/// INVARIANT (R4): a group that the bundle does not know, or that no person may be in by its schema, is nobody's; and only
/// the people who act get any, never an agent and never somebody who is only named.
pub(crate) fn with_brought<'a>(rules: &Rules, facts: &'a [EntityFact], people: &[Voter]) -> Cow<'a, [EntityFact]> {
    if people.iter().all(|voter| voter.groups.is_empty()) {
        return Cow::Borrowed(facts);
    }
    let known = |group: &&EntityRef| facts.iter().any(|fact| fact.uid == **group && fact.source != UNKNOWN);
    let mut all = facts.to_vec();
    for voter in people.iter().filter(|voter| is_person(rules, &voter.person)) {
        let Some(fact) = all.iter_mut().find(|fact| fact.uid == voter.person && fact.source != UNKNOWN) else {
            continue;
        };
        let may = voter.groups.iter().filter(|group| may_be_in(rules, &voter.person, group));
        fact.parents.extend(may.filter(known).cloned());
        fact.parents.sort();
        fact.parents.dedup();
    }
    Cow::Owned(all)
}

/// Whether the schema lets somebody of this type be in something of that.
pub(crate) fn may_be_in(rules: &Rules, person: &EntityRef, group: &EntityRef) -> bool {
    let shape = rules.types.get(&rules.config.long(&person.kind));
    shape.is_some_and(|shape| shape.member_of.iter().any(|kind| *kind == rules.config.long(&group.kind)))
}

fn is_person(rules: &Rules, entity: &EntityRef) -> bool {
    rules.config.long(&entity.kind) == rules.config.long(&rules.config.types.person)
}
