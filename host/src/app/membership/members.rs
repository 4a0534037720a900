//! What the app believes of members, folded from records.

use std::collections::BTreeMap;

use policy_core::entity::EntityRef;
use policy_core::sabotaged;
use policy_core::time::{Span, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

use super::event::{EnrolledBy, MembershipEvent, Proposal, Proposed, Recovery};
use crate::pairs;

/// How long whoever came by an invitation is new.
pub(in crate::app) const NEW_FOR: Span = Span::from_seconds(86_400);
/// How long an invitation's link works.
pub(in crate::app) const INVITED_FOR: Span = Span::from_seconds(86_400);
/// How many proposals that are over are remembered.
const MOST_OVER: usize = 200;

/// Who came in how, and what is under way.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Members {
    #[serde(with = "crate::pairs")]
    enrolled: BTreeMap<EntityRef, Enrolled>,
    proposals: BTreeMap<String, HeldProposal>,
    /// What each link is for, by its public id.
    links: BTreeMap<String, LinkFor>,
    /// The link of the first administrator that was made last.
    first: Option<String>,
    /// Accounts that two administrators linked, by issuer and subject.
    #[serde(with = "crate::pairs")]
    accounts: BTreeMap<(String, String), LinkedAccount>,
    recovery: Option<HeldRecovery>,
    /// Whether an administrator ever came in by a link of this kind, whatever the bundle says now.
    had_administrator: bool,
}

/// When somebody was first here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::app) struct Enrolled {
    pub at: Timestamp,
    /// When they came by an invitation, if they did.
    pub invited: Option<Timestamp>,
    /// Whether a record of its own says so, which is never erased.
    pub recorded: bool,
}

/// What a link lets somebody in for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::app) enum LinkFor {
    First,
    Invitation(String),
    Recovery(String),
}

/// A proposal as it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::app) struct HeldProposal {
    pub proposal: Proposal,
    pub at: Timestamp,
    /// Who agreed, and when.
    pub agreed: Option<(EntityRef, Timestamp)>,
    /// Whether an agent could have taken part itself.
    pub same_user: bool,
    /// Why it is over, where somebody ended it or the invited person came.
    #[serde(deserialize_with = "over")]
    pub over: Over,
}

/// Why something is over, in a word. A name of its own, since serde would borrow such a text from what it reads.
type Over = Option<&'static str>;

fn over<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Over, D::Error> {
    pairs::known(deserializer, &["withdrawn", "used", "earlier_epoch"])
}

impl HeldProposal {
    /// In which state it is: `waits`, `agreed`, or why it is over.
    pub fn state(&self, now: Timestamp) -> &'static str {
        let linked = self.proposal.link.is_some() && !self.proposal.takes_two;
        let done = self.agreed.as_ref().map(|(_, at)| *at).or_else(|| linked.then_some(self.at));
        match (self.over, done, &self.proposal.what) {
            (Some(over), ..) => over,
            (None, None, _) if now >= self.proposal.until => "lapsed",
            (None, None, _) => "waits",
            (None, Some(at), Proposed::Invitation { .. }) if now >= at.plus(INVITED_FOR) => "lapsed",
            (None, Some(_), _) => "agreed",
        }
    }

    /// Everybody whose yes it rests on.
    pub fn behind(&self) -> impl Iterator<Item = &EntityRef> {
        std::iter::once(&self.proposal.by).chain(self.agreed.iter().map(|(by, _)| by))
    }
}

/// An account that was linked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::app) struct LinkedAccount {
    pub person: EntityRef,
    pub provider: String,
    pub by: Vec<EntityRef>,
    pub at: Timestamp,
}

/// A recovery as it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::app) struct HeldRecovery {
    pub recovery: Recovery,
    /// The link that was made last.
    pub link: Option<String>,
}

impl Members {
    /// Folds one event: the account that is somebody's for good from here on, where it says so.
    pub fn apply(&mut self, event: MembershipEvent) -> Option<(String, String, EntityRef)> {
        match event {
            MembershipEvent::EnrolmentOffered { link, .. } => {
                self.links.insert(link.clone(), LinkFor::First);
                self.first = Some(link);
            }
            MembershipEvent::PersonEnrolled { person, by, at } => self.enrol(person, &by, at),
            MembershipEvent::ProposalMade { proposal, at } => self.propose(*proposal, at),
            MembershipEvent::ProposalAgreed { id, by, link, same_user, at } => {
                let held = self.proposals.get_mut(&id)?;
                held.agreed = Some((by.clone(), at));
                held.same_user |= same_user;
                if let Some(link) = link {
                    held.proposal.link = Some(link.clone());
                    self.links.insert(link, LinkFor::Invitation(id));
                } else if let Proposed::Account { person, provider, issuer, subject } = held.proposal.what.clone() {
                    let by = vec![held.proposal.by.clone(), by];
                    let linked = LinkedAccount { person: person.clone(), provider, by, at };
                    self.accounts.insert((issuer.clone(), subject.clone()), linked);
                    return Some((issuer, subject, person));
                }
            }
            MembershipEvent::ProposalWithdrawn { id, .. } => self.end(&id, "withdrawn"),
            MembershipEvent::AccountUnlinked { issuer, subject, .. } => {
                self.accounts.remove(&(issuer, subject));
            }
            MembershipEvent::RecoveryBegun { recovery } => {
                self.recovery = Some(HeldRecovery { recovery: *recovery, link: None });
            }
            MembershipEvent::RecoveryStopped { id, .. } => {
                self.recovery.take_if(|held| held.recovery.id == id);
            }
            MembershipEvent::RecoveryOffered { id, link, .. } => {
                if let Some(held) = self.recovery.as_mut().filter(|held| held.recovery.id == id) {
                    held.link = Some(link.clone());
                    self.links.insert(link, LinkFor::Recovery(id));
                }
            }
        }
        None
    }

    /// Somebody signed in, whatever way there was.
    pub fn signed_in(&mut self, person: &EntityRef, at: Timestamp) {
        let first = Enrolled { at, invited: None, recorded: false };
        self.enrolled.entry(person.clone()).or_insert(first);
    }

    fn enrol(&mut self, person: EntityRef, by: &EnrolledBy, at: Timestamp) {
        let first = Enrolled { at, invited: None, recorded: true };
        let enrolled = self.enrolled.entry(person).or_insert(first);
        enrolled.recorded = true;
        enrolled.at = enrolled.at.min(at);
        match by {
            EnrolledBy::Invitation(id) => {
                enrolled.invited = Some(at);
                self.end(id, "used");
            }
            EnrolledBy::Recovery(id) => {
                self.had_administrator = true;
                self.recovery.take_if(|held| held.recovery.id == *id);
            }
            EnrolledBy::First => self.had_administrator = true,
            EnrolledBy::Operator => {}
        }
    }

    fn propose(&mut self, proposal: Proposal, at: Timestamp) {
        if let Some(link) = &proposal.link {
            self.links.insert(link.clone(), LinkFor::Invitation(proposal.id.clone()));
        }
        let (id, same_user) = (proposal.id.clone(), proposal.same_user);
        self.proposals.insert(id, HeldProposal { proposal, at, agreed: None, same_user, over: None });
        let mut over: Vec<(Timestamp, String)> = self
            .proposals
            .iter()
            .filter(|(_, held)| held.state(at) != "waits" && held.state(at) != "agreed")
            .map(|(id, held)| (held.at, id.clone()))
            .collect();
        over.sort();
        let surplus = over.len().saturating_sub(MOST_OVER);
        for (_, id) in over.into_iter().take(surplus) {
            self.proposals.remove(&id);
        }
    }

    fn end(&mut self, id: &str, word: &'static str) {
        if let Some(held) = self.proposals.get_mut(id) {
            held.over.get_or_insert(word);
        }
    }

    /// The record was restored: what was taken back after the backup stands in it as if it never was, so nothing that was
    /// under way goes on, and no account that was linked opens anything (R7).
    pub fn begin_epoch(&mut self) {
        for held in self.proposals.values_mut() {
            held.over.get_or_insert("earlier_epoch");
        }
        self.links.clear();
        self.accounts.clear();
        (self.first, self.recovery) = (None, None);
    }

    /// When somebody was first here.
    pub(in crate::app) fn enrolled(&self, person: &EntityRef) -> Option<&Enrolled> {
        self.enrolled.get(person)
    }

    /// Until when somebody is new.
    ///
    /// INVARIANT (R4, R6): a comparison at each vote, and nothing that must run.
    pub(in crate::app) fn new_until(&self, person: &EntityRef, now: Timestamp) -> Option<Timestamp> {
        let invited = self.enrolled.get(person)?.invited;
        // An account that was linked is a way in that nobody knows yet.
        let linked = self.accounts.values().filter(|linked| linked.person == *person).map(|linked| linked.at);
        let until = linked.chain(invited).max()?.plus(NEW_FOR);
        (now < until && !sabotaged!("r4_new_person_votes")).then_some(until)
    }

    /// What a link lets somebody in for; nothing for one that an operator minted for a person who is known.
    pub(in crate::app) fn link_for(&self, link: &str) -> Option<&LinkFor> {
        self.links.get(link)
    }

    /// The link of the first administrator that was made last.
    pub(in crate::app) fn first_link(&self) -> Option<&str> {
        self.first.as_deref()
    }

    /// Whether somebody ever came in as the first administrator, or in the place of one who was lost.
    pub(in crate::app) const fn had_administrator(&self) -> bool {
        self.had_administrator
    }

    /// Whether anybody was ever here.
    pub(in crate::app) fn nobody_was_here(&self) -> bool {
        self.enrolled.is_empty()
    }

    /// A proposal.
    pub(in crate::app) fn proposal(&self, id: &str) -> Option<&HeldProposal> {
        self.proposals.get(id)
    }

    /// All proposals that are remembered.
    pub(in crate::app) fn proposals(&self) -> impl Iterator<Item = &HeldProposal> {
        self.proposals.values()
    }

    /// Whose way in an account is, by what two administrators said.
    pub(in crate::app) fn linked(&self, issuer: &str, subject: &str) -> Option<&LinkedAccount> {
        self.accounts.get(&(issuer.to_owned(), subject.to_owned()))
    }

    /// Everybody who was ever here, sorted.
    pub(in crate::app) fn people(&self) -> impl Iterator<Item = &EntityRef> {
        self.enrolled.keys()
    }

    /// Whether a link is one of membership: a first one, an invitation's, a recovery's.
    pub(in crate::app) fn is_link(&self, link: &str) -> bool {
        self.link_for(link).is_some()
    }

    /// The accounts that were linked to a person, each with issuer and subject.
    pub(in crate::app) fn accounts_of(&self, person: &EntityRef) -> impl Iterator<Item = (&str, &str, &LinkedAccount)> {
        let all = self.accounts.iter().filter(move |(_, linked)| linked.person == *person);
        all.map(|((issuer, subject), linked)| (issuer.as_str(), subject.as_str(), linked))
    }

    /// The recovery under way.
    pub(in crate::app) fn recovery(&self) -> Option<&HeldRecovery> {
        self.recovery.as_ref()
    }
}
