//! Links that somebody makes for themselves, on their own page, for the command line: each signs in once, as that person,
//! and what it opens ends with the session in whose page it was made.
//!
//! INVARIANT (R4): such a session is worth what a link is worth, however strongly the page's was signed in: it is nobody's
//! presence. It makes no further link and adds no passkey, so that whoever finds one has it for its hour and no longer.

use policy_core::entity::EntityRef;
use policy_core::sabotaged;
use policy_core::time::{Span, Timestamp};
use proviso_api::sessions::{LinkLine, LinkMade};

use crate::app::App;
use crate::app::append::Proposal;
use crate::app::event::LedgerEvent;
use crate::app::limits::Often;
use crate::app::ownership::hold_present;
use crate::app::refusal::Refusal;
use crate::app::state::State;
use crate::identity::{IdentityEvent, PersonSession, SecretKind, Token, TokenFacts};
use crate::store::VersionKey;

/// How long one waits to be used.
const WAITS: Span = Span::from_seconds(15 * 60);
/// How long what it opens lasts, at most.
const LASTS: Span = Span::from_seconds(3_600);
/// How many of one person may wait at once.
const MOST: usize = 8;

/// The session in whose page a link was made.
#[derive(Debug, Clone)]
pub(in crate::app) struct Page {
    /// Its public id.
    pub session: String,
    /// Until when it is there at most.
    expires_at: Timestamp,
    /// The groups that its sign-in brought.
    pub groups: Vec<EntityRef>,
}

impl Page {
    /// Until when what was made in it lasts.
    pub fn lasts_until(&self, now: Timestamp) -> Timestamp {
        self.expires_at.min(now.plus(LASTS))
    }
}

impl App {
    /// Makes a link for the command line.
    ///
    /// # Errors
    /// `own_page_needed` in a session that came by such a link; `too_many_links`; `departed_person`; `too_often`, for one
    /// who makes and ends them without end.
    pub async fn make_link(&self, person: &PersonSession) -> Result<LinkMade, Refusal> {
        hold_own_page(person)?;
        let (secret, now) = (self.draw(SecretKind::Link)?, self.now());
        let expires_at = now.plus(WAITS).min(person.expires_at);
        let token = Token {
            id: secret.id().to_owned(),
            hash: secret.hash(self.keys()),
            facts: TokenFacts::Approver { person: person.person.clone(), session: Some(person.id.clone()) },
            minted_at: now,
            expires_at,
            by: person.person.to_string(),
            uid: self.settings().operator.uid,
            // INVARIANT (R4): what a session of the gate's own user may not, neither may what it makes.
            same_user: person.same_user,
            signed: false,
        };
        let event = LedgerEvent::Identity(IdentityEvent::TokenMinted { token: Box::new(token) });
        let slot = self.slot(Often::Links, &person.person)?;
        self.admit(|state| {
            self.still_stands(state, person, now)?;
            hold_present(state, &person.person)?;
            if state.registry.own_links(&person.person, now).count() >= MOST {
                return Err(Refusal::conflict("too_many_links", format!("{MOST} links of yours wait to be used")));
            }
            let keys = [VersionKey::Identity(person.id.clone()), VersionKey::Ownership];
            let expected = keys.map(|key| state.version(key)).to_vec();
            Ok(Proposal { expected, records: vec![self.ledger(now, &event)?], answer: () })
        })
        .await?;
        slot.spent();
        let link = format!("{}/sign-in#{}", self.settings().public_url, secret.reveal());
        Ok(LinkMade { id: secret.id().to_owned(), link, expires_at })
    }

    /// The links of a person that wait to be used.
    pub(super) fn link_lines(&self, person: &PersonSession, now: Timestamp) -> Vec<LinkLine> {
        let state = self.state();
        let mut lines: Vec<LinkLine> = state
            .registry
            .own_links(&person.person, now)
            .map(|(token, page)| LinkLine {
                id: token.id.clone(),
                since: token.minted_at,
                expires_at: token.expires_at,
                here: *page == person.id,
            })
            .collect();
        lines.sort_by(|a, b| (b.since, &b.id).cmp(&(a.since, &a.id)));
        lines
    }

    /// Ends the own links that wait and that `wanted` takes, by their public ids: how many.
    pub(super) async fn end_links(
        &self,
        person: &PersonSession,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<usize, Refusal> {
        let now = self.now();
        let (ended, _) = self
            .admit(|state| {
                let links = state.registry.own_links(&person.person, now).map(|(token, _)| token.id.clone());
                let links: Vec<String> = links.filter(|id| wanted(id)).collect();
                let by = person.person.to_string();
                let event = |id: &String| IdentityEvent::TokenRevoked { id: id.clone(), by: by.clone(), at: now };
                let records = links.iter().map(|id| self.ledger(now, &LedgerEvent::Identity(event(id))));
                // INVARIANT (R7): whoever is just signing in by it conflicts with its end.
                let expected = links.iter().map(|id| state.version(VersionKey::Identity(id.clone()))).collect();
                Ok(Proposal { expected, records: records.collect::<Result<_, _>>()?, answer: links.len() })
            })
            .await?;
        Ok(ended)
    }

    /// The session in whose page a link was made, while it stands and somebody is there.
    pub(in crate::app) fn page_session(&self, state: &State, session: &str, now: Timestamp) -> Option<Page> {
        let open = state.registry.open_session(session, now)?;
        let facts = open.facts.session(now);
        let there = !self.is_idle(&facts, open.at, now);
        there.then(|| Page { session: session.to_owned(), expires_at: facts.expires_at, groups: facts.groups })
    }

    /// Whether the page's session is one that nobody was at for too long, where a session was made in one.
    pub(in crate::app) fn is_left(&self, state: &State, session: &PersonSession, now: Timestamp) -> bool {
        let gone = session.made_in.as_ref().is_some_and(|page| self.page_session(state, page, now).is_none());
        gone && !sabotaged!("r7_outlives_its_session")
    }
}

impl State {
    /// The version of the session in whose page this one was made, where one was: whatever ends that one ends this.
    pub(in crate::app) fn page_of(&self, session: &str) -> Option<(VersionKey, u64)> {
        let page = self.registry.page_of(session)?;
        Some(self.version(VersionKey::Identity(page.clone())))
    }
}

/// Refuses what belongs on the own page to a session of the command line.
pub(in crate::app) fn hold_own_page(person: &PersonSession) -> Result<(), Refusal> {
    if person.made_in.is_none() || sabotaged!("r4_link_makes_more") {
        return Ok(());
    }
    let what = "a session that came by a link for the command line makes no links and changes no passkeys";
    Err(Refusal::forbidden("own_page_needed", what))
}
