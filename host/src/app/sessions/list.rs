//! The sessions of a person: which there are, and ending them.

use policy_core::entity::EntityRef;
use policy_core::sabotaged;
use policy_core::text;
use policy_core::time::Timestamp;
use proviso_api::sessions::{SessionLine, SessionList, SessionsEnded};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::app::append::Proposal;
use crate::app::event::LedgerEvent;
use crate::app::refusal::Refusal;
use crate::app::settings::Operator;
use crate::identity::{IdentityEvent, OpenSession, PersonSession};

/// Which sessions are to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// One, by its public id.
    One(String),
    /// All of a person, by id.
    AllOf(String),
}

impl App {
    /// Whether somebody was there lately enough. INVARIANT (R6): a comparison at use, and nothing that must run.
    pub(in crate::app) fn is_idle(&self, session: &PersonSession, since: Timestamp, now: Timestamp) -> bool {
        let last = self.presence().at(&session.id).unwrap_or(since).max(since);
        now >= last.plus(self.ways().sessions.idle) && !sabotaged!("r6_idle_session_lives")
    }

    /// Somebody is there. Called for what a person does, and not for what a page asks by itself.
    pub fn is_there(&self, session: &PersonSession) {
        self.presence().note(&session.id, self.now(), self.ways().sessions);
    }

    /// The sessions of whoever asks, the newest first.
    pub fn sessions(&self, person: &PersonSession) -> SessionList {
        let now = self.now();
        let sessions = self.session_lines(Some(&person.person), Some(&person.id), now);
        SessionList { now, sessions, links: self.link_lines(person, now) }
    }

    /// Everybody's sessions or one person's, as an operator lists them.
    ///
    /// # Errors
    /// `unknown_person`.
    pub fn sessions_as_operator(&self, user: Option<&str>) -> Result<SessionList, Refusal> {
        let now = self.now();
        let person = user.map(|user| self.somebody(user)).transpose()?;
        Ok(SessionList { now, sessions: self.session_lines(person.as_ref(), None, now), links: Vec::new() })
    }

    fn session_lines(&self, person: Option<&EntityRef>, current: Option<&str>, now: Timestamp) -> Vec<SessionLine> {
        let state = self.state();
        let open =
            state.registry.open_sessions(now).filter(|open| person.is_none_or(|person| *person == open.facts.person));
        let mut lines: Vec<SessionLine> = open
            .filter(|open| {
                let session = open.facts.session(now);
                !self.is_idle(&session, open.at, now) && !self.is_left(&state, &session, now)
            })
            .map(|open| self.session_line(open, current, now))
            .collect();
        lines.sort_by(|a, b| (b.since, &b.id).cmp(&(a.since, &a.id)));
        lines
    }

    fn session_line(&self, open: &OpenSession, current: Option<&str>, now: Timestamp) -> SessionLine {
        let facts = &open.facts;
        let last_seen = self.presence().at(&facts.id).unwrap_or(open.at).max(open.at);
        SessionLine {
            id: facts.id.clone(),
            person: facts.person.clone(),
            since: open.at,
            last_seen,
            expires_at: facts.expires_at.min(last_seen.plus(self.ways().sessions.idle)),
            assurance: facts.session(now).assurance,
            by: match (&facts.account, &facts.passkey) {
                (Some(account), _) => account.provider.clone(),
                (None, Some(_)) => "passkey".to_owned(),
                (None, None) => "link".to_owned(),
            },
            browser: facts.browser.clone(),
            current: current == Some(facts.id.as_str()),
            for_command_line: facts.made_in.is_some(),
        }
    }

    /// Ends one of the own sessions, or of the own links for the command line.
    ///
    /// # Errors
    /// `unknown_session`, also for somebody else's.
    pub async fn end_session(&self, person: &PersonSession, id: &str) -> Result<(), Refusal> {
        let ended = self.end_sessions(None, |open| open.facts.person == person.person && open.facts.id == id).await?;
        let ended = ended.max(self.end_links(person, |link| link == id).await?);
        if ended == 0 { Err(unknown_session(id)) } else { Ok(()) }
    }

    /// Ends all other own sessions, and what waits to make more.
    ///
    /// # Errors
    /// `record_unavailable`.
    pub async fn end_other_sessions(&self, person: &PersonSession) -> Result<SessionsEnded, Refusal> {
        self.end_links(person, |_| true).await?;
        let others = |open: &OpenSession| open.facts.person == person.person && open.facts.id != person.id;
        Ok(SessionsEnded { ended: self.end_sessions(None, others).await? })
    }

    /// Ends sessions as an operator.
    ///
    /// # Errors
    /// `unknown_session`; `unknown_person`.
    pub async fn end_sessions_as(&self, by: &Operator, ending: &Ending) -> Result<SessionsEnded, Refusal> {
        let person = match ending {
            Ending::AllOf(user) => Some(self.somebody(user)?),
            Ending::One(_) => None,
        };
        let wanted = |open: &OpenSession| match ending {
            Ending::One(id) => open.facts.id == *id,
            Ending::AllOf(_) => Some(&open.facts.person) == person.as_ref(),
        };
        let operator = EntityRef::new("operator", by.name.clone());
        if let Some(person) = &person {
            // All that somebody comes in by: also where they are not signed in now.
            self.end_passkeys_of(person, &operator).await?;
        }
        let ended = self.end_sessions(Some(operator), wanted).await?;
        match ending {
            Ending::One(id) if ended == 0 => Err(unknown_session(id)),
            _ => Ok(SessionsEnded { ended }),
        }
    }

    /// Ends all sessions that `wanted` takes: how many.
    pub(in crate::app) async fn end_sessions(
        &self,
        by: Option<EntityRef>,
        wanted: impl Fn(&OpenSession) -> bool,
    ) -> Result<usize, Refusal> {
        let now = self.now();
        // INVARIANT (R7): each end is a record that a vote under way in that session conflicts with.
        let (ended, _) = self
            .admit(|state| {
                let ending: Vec<_> = state.registry.open_sessions(now).filter(|open| wanted(open)).collect();
                let added = self.added_lately(state, &ending, now, by.as_ref());
                let record = |open: &OpenSession| {
                    let session = open.facts.id.clone();
                    self.ledger(
                        now,
                        &LedgerEvent::Identity(IdentityEvent::SignedOut { session, by: by.clone(), at: now }),
                    )
                };
                let mut records = ending.iter().map(|open| record(open)).collect::<Result<Vec<_>, _>>()?;
                let answer = records.len();
                for event in added {
                    records.push(self.ledger(now, &LedgerEvent::Identity(event))?);
                }
                Ok(Proposal { expected: Vec::new(), records, answer })
            })
            .await?;
        Ok(ended)
    }

    /// A person of the bundle or of a session, by id: who is gone from the bundle may still be signed in.
    pub(in crate::app) fn somebody(&self, user: &str) -> Result<EntityRef, Refusal> {
        let person = EntityRef::new(self.policy().person_type(), user);
        let signed_in = self.state().registry.open_sessions(self.now()).any(|open| open.facts.person == person);
        if signed_in { Ok(person) } else { self.known_person(&person).map(|()| person) }
    }
}

fn unknown_session(id: &str) -> Refusal {
    let shown = text::visible(id, 80);
    Refusal::not_found("unknown_session", format!("there is no session `{shown}`"))
}
