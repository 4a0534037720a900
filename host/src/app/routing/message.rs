//! What is told: that something happened, and where to look. No text of an agent, a tool or a person stands in it (R11),
//! no argument and no secret: whoever wants to know signs in.

use policy_core::entity::EntityRef;
use policy_core::lifecycle::Event;
use policy_core::outcome::Terms;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::app::append::canonical;
use crate::app::event::LedgerEvent;
use crate::app::membership::{MembershipEvent, Proposed};
use crate::app::refusal::Refusal;
use crate::store::{Channel, Outgoing};

/// The kinds of lifecycle events that webhooks are told of: what opens or ends something, and what wants attention.
const TOLD: [&str; 14] = [
    "exception_requested",
    "exception_granted",
    "exception_denied",
    "exception_cancelled",
    "exception_lapsed",
    "emergency_declared",
    "grant_activated",
    "grant_exhausted",
    "grant_revoked",
    "grant_suspended",
    "question_answered",
    "review_opened",
    "review_closed",
    "use_given_back",
];

/// What is told, as an outbox row holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// What happened: `exception.requested`, `exception.reminder`, `grant.revoked`.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// Where to look. Signing in comes first.
    pub link: String,
    /// The exception.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// The tier, in the bundle author's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// Until when a decision is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decide_by: Option<Timestamp>,
    /// The groups that policy names for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The epoch that has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// How many exceptions wait to be confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unconfirmed: Option<u64>,
}

impl Message {
    /// That something happened, and nothing else yet.
    pub fn of(kind: &str, at: Timestamp) -> Self {
        let (link, groups) = Default::default();
        let (exception, tier, decide_by, epoch, unconfirmed) = Default::default();
        Self { kind: kind.to_owned(), at, link, exception, tier, decide_by, groups, epoch, unconfirmed }
    }
}

impl App {
    /// What a record of this event asks to be sent, by the event alone: whoever makes a record may hold the state.
    pub(in crate::app) fn outgoing(&self, now: Timestamp, event: &LedgerEvent) -> Result<Vec<Outgoing>, Refusal> {
        if let LedgerEvent::Membership(event) = event {
            return self.outgoing_of_members(now, event);
        }
        let LedgerEvent::Exception { id, event } = event else { return Ok(Vec::new()) };
        if !TOLD.contains(&event.kind()) || self.settings().channels.webhooks.is_empty() {
            return Ok(Vec::new());
        }
        let mut message = self.message(&event.kind().replacen('_', ".", 1), id, now);
        if let Event::ExceptionRequested { request, terms, .. } = &**event {
            message.tier = Some(terms.tier.clone());
            message.decide_by = Some(request.decide_by);
            message.groups = first_groups(terms).to_vec();
        }
        let body = canonical(&message)?;
        let heard = self.settings().channels.webhooks.iter().filter(|webhook| webhook.hears(&message.groups));
        Ok(heard.map(|webhook| to_webhook(&webhook.name, &body)).collect())
    }

    /// What everybody hears: that somebody is let in without an administrator's yes.
    fn outgoing_of_members(&self, now: Timestamp, event: &MembershipEvent) -> Result<Vec<Outgoing>, Refusal> {
        let link = format!("{}/people", self.settings().public_url);
        // Whose way in an account is to be hears of it before it is one.
        if let MembershipEvent::ProposalMade { proposal, .. } = event
            && let Proposed::Account { person, .. } = &proposal.what
        {
            let body = canonical(&Message { link, ..Message::of("account.proposed", now) })?;
            return Ok(self.mails(&body, std::slice::from_ref(person), &[]));
        }
        let told = matches!(
            event,
            MembershipEvent::RecoveryBegun { .. }
                | MembershipEvent::RecoveryStopped { .. }
                | MembershipEvent::RecoveryOffered { .. }
        );
        if !told {
            return Ok(Vec::new());
        }
        let body = canonical(&Message { link, ..Message::of(&event.kind().replacen('_', ".", 1), now) })?;
        let channels = &self.settings().channels;
        let groups: Vec<String> = channels.groups.iter().cloned().collect();
        let mut all = self.mails(&body, &self.policy().people(), &groups);
        all.extend(channels.webhooks.iter().map(|webhook| to_webhook(&webhook.name, &body)));
        Ok(all)
    }

    /// A message about an exception.
    pub(super) fn message(&self, kind: &str, exception: &str, at: Timestamp) -> Message {
        Message {
            link: format!("{}/exceptions/{exception}", self.settings().public_url),
            exception: Some(exception.to_owned()),
            ..Message::of(kind, at)
        }
    }

    /// The mails of a message to these people and groups, as far as the configuration knows where they read.
    pub(super) fn mails(&self, body: &[u8], people: &[EntityRef], groups: &[String]) -> Vec<Outgoing> {
        let channels = &self.settings().channels;
        let mail = |target: String| Outgoing { channel: Channel::Email, target, message: body.to_vec() };
        let people = people.iter().filter(|person| channels.people.contains(person.id.as_str()));
        let groups = groups.iter().filter(|group| channels.groups.contains(*group));
        people
            .map(|person| mail(format!("person/{}", person.id)))
            .chain(groups.map(|group| mail(format!("group/{group}"))))
            .collect()
    }
}

pub(super) fn to_webhook(name: &str, body: &[u8]) -> Outgoing {
    Outgoing { channel: Channel::Webhook, target: name.to_owned(), message: body.to_vec() }
}

/// The groups that are told first; empty: those who may approve.
pub(super) fn first_groups(terms: &Terms) -> &[String] {
    if terms.notify.is_empty() { &terms.groups } else { &terms.notify }
}

/// The groups that are told next, in order.
pub(super) fn next_groups(terms: &Terms) -> &[String] {
    &terms.escalate
}
