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

#[cfg(test)]
mod tests {
    use policy_core::record::Record;

    use super::*;
    use crate::Bundle;
    use crate::bundle::tests::sample;

    /// The parents that somebody of this kind and source has, whose sign-in is said to have brought this group. In this
    /// schema agents may be in groups, too.
    fn parents(kind: &str, source: &str, group: (&str, &str, &str)) -> Vec<EntityRef> {
        let mut files = sample();
        let schema = files.get_mut("schema.cedarschema").unwrap();
        *schema = schema.replace("entity Agent =", "entity Agent in [Group] =");
        let bundle = Bundle::accept(&files).unwrap();
        let fact = |uid: &EntityRef, source: &str| EntityFact {
            uid: uid.clone(),
            attrs: Record::new(),
            parents: Vec::new(),
            source: source.into(),
        };
        let (person, group_known) = (EntityRef::new(kind, "one"), group.2);
        let group = EntityRef::new(group.0, group.1);
        let mut voter = Voter::new(person.clone(), "oidc".to_owned());
        voter.groups = vec![group.clone(), group.clone()];
        let facts = [fact(&person, source), fact(&group, group_known)];
        with_brought(&bundle.rules, &facts, &[voter]).first().map(|fact| fact.parents.clone()).unwrap()
    }

    #[test]
    fn people_whom_the_bundle_knows_get_groups_that_it_knows_and_nobody_else_gets_any() {
        let known = ("Group", "finance", "bundle");
        assert_eq!(parents("User", "bundle", known), [EntityRef::new("Group", "finance")]);
        for (kind, source, group) in [
            ("Agent", "bundle", known),
            ("User", UNKNOWN, known),
            ("User", "bundle", ("Group", "finance", UNKNOWN)),
            ("User", "bundle", ("Volume", "files", "bundle")),
            ("User", "bundle", ("User", "two", "bundle")),
        ] {
            assert!(parents(kind, source, group).is_empty(), "{kind} of {source} in {group:?}");
        }
    }
}
