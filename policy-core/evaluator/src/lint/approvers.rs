//! Who could approve what a rule makes requestable.

use std::collections::BTreeMap;

use cedar_policy::EntityUid;
use policy_core::abi::{ABI_VERSION, Eligible, Voter};
use policy_core::entity::EntityRef;
use policy_core::question::{Call, Requested, SealedQuestion};
use policy_core::time::Timestamp;

use super::Lint;
use crate::bundle::Folder;
use crate::eligible::eligible;

/// Monday, 2026-11-23, 00:00 UTC: where a rule looks at the hour, a week of hours is tried from here.
const MONDAY: i64 = 1_795_392_000_000;
const HOUR: i64 = 3_600_000;
const WEEK: i64 = 7 * 24;

/// What eligibility depends on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Case {
    action: String,
    resource: EntityRef,
    tier: String,
    owners: Vec<EntityRef>,
}

/// Everybody who could approve, each with the groups that they are in, by case.
#[derive(Debug, Default)]
pub(super) struct Approvers {
    found: BTreeMap<Case, BTreeMap<EntityRef, Vec<String>>>,
}

impl Lint<'_> {
    /// Everybody who could approve this at this tier: eligible by policy, and no owner of the subject (R4). `None` when
    /// too much has been tried.
    pub(super) fn approvers(
        &self,
        memory: &mut Approvers,
        who: &EntityUid,
        action: &str,
        what: &EntityUid,
        tier: &str,
    ) -> Option<BTreeMap<EntityRef, Vec<String>>> {
        let owners = self.bundle.owners(&self.reference(who));
        let case = Case {
            action: action.to_owned(),
            resource: self.reference(what),
            tier: tier.to_owned(),
            owners: if self.looks_at("owners") || self.looks_at("requester") { owners.clone() } else { Vec::new() },
        };
        if !memory.found.contains_key(&case) {
            let found = self.ask(&case, who)?;
            memory.found.insert(case.clone(), found);
        }
        let mut found = memory.found.get(&case).cloned().unwrap_or_default();
        found.retain(|person, _| !owners.contains(person));
        Some(found)
    }

    fn reference(&self, uid: &EntityUid) -> EntityRef {
        let kind = uid.type_name().to_string();
        EntityRef::new(self.bundle.rules.config.short(&kind), uid.id().unescaped())
    }

    /// Whether a rule about approvers reads this member of its context.
    fn looks_at(&self, member: &str) -> bool {
        let member = format!("\"attr\":\"{member}\"");
        self.of(Folder::Approve).any(|(_, rule)| rule.mentions(&member))
    }

    fn ask(&self, case: &Case, who: &EntityUid) -> Option<BTreeMap<EntityRef, Vec<String>>> {
        let people = self.bundle.people();
        let hours = if self.looks_at("now") { WEEK } else { 1 };
        let asked = people.len().saturating_mul(usize::try_from(hours).unwrap_or(usize::MAX));
        if !self.facts.take(asked) {
            return None;
        }
        let mut all = BTreeMap::new();
        for hour in 0..hours {
            // The middle of the day first: most people work then.
            let now = Timestamp::from_millis(MONDAY + ((hour + 12) % WEEK) * HOUR);
            for one in eligible(&self.bundle.rules, &self.question(case, who, &people, now)).unwrap_or_default() {
                if one.eligible {
                    all.insert(one.person, one.groups);
                }
            }
            if all.len() == people.len() {
                break;
            }
        }
        Some(all)
    }

    /// The question about approvers, as an agent's owner would have it asked.
    fn question(&self, case: &Case, who: &EntityUid, people: &[EntityRef], now: Timestamp) -> Eligible {
        let subject = self.reference(who);
        let owners = self.bundle.owners(&subject);
        let config = &self.bundle.rules.config;
        let nobody = || EntityRef::new(config.short(&config.types.person), "(requester)");
        let nothing = self.bundle.nothing();
        let mut question = SealedQuestion {
            now,
            call: Call {
                subject,
                action: case.action.as_str().into(),
                resources: vec![case.resource.clone()],
                ..nothing.call
            },
            task: "check".into(),
            requested: Requested { uses: 1, ..nothing.requested },
            ..nothing
        };
        self.bundle.add_people(&mut question, std::slice::from_ref(&case.resource));
        self.bundle.add_people(&mut question, people);
        let assurance = config.step_ups.last().cloned().unwrap_or_default();
        let voter = |person: &EntityRef| Voter::new(person.clone(), assurance.clone());
        Eligible {
            v: ABI_VERSION,
            question,
            people: people.iter().map(voter).collect(),
            tier: case.tier.clone(),
            requester: owners.first().cloned().unwrap_or_else(nobody),
            owners,
            voted: Vec::new(),
            votes: 0,
        }
    }
}
