//! Credentials, links and sessions.

use std::collections::BTreeSet;

use policy_core::entity::EntityRef;
use policy_core::text;
use policy_core::time::{Span, Timestamp};
use policy_evaluator::evaluate::MOST_HOPS;
use proviso_api::session::{DemoPeople, DemoPerson, Minted, Session};

use super::App;
use super::append::Proposal;
use super::event::LedgerEvent;
use super::foreign::{is_credential, is_token};
use super::ownership::hold_present;
use super::refusal::{Refusal, RefusalKind};
use super::sessions::{Entry, Whence};
use super::settings::Operator;
use crate::identity::{
    IdentityEvent, MintRequest, MintedSecret, PersonSession, Secret, SecretKind, SubjectPattern, Token, TokenFacts,
    TokenLine,
};
use crate::store::VersionKey;

/// An agent's token lives at most a day.
const AGENT_LIFE: Span = Span::from_seconds(86_400);
/// An enforcement point's lives a month: a proxy takes the next one from the same file.
const POINT_LIFE: Span = Span::from_seconds(30 * 86_400);
/// A sign-in link waits this long.
const LINK_LIFE: Span = Span::from_seconds(15 * 60);
/// How strongly a link signs in.
pub(super) const ASSURANCE: &str = "link";

impl App {
    /// Signs in with a one-time link's secret: the session's secret, for the cookie, and the reply.
    ///
    /// # Errors
    /// `bad_link` for one that is wrong, used, revoked or too old; `link_for_command_line` for one of one's own in the
    /// browser in which it was made.
    pub async fn sign_in(&self, link: &str, whence: Whence) -> Result<(String, Session), Refusal> {
        let bad = || {
            Refusal::new(RefusalKind::Unauthenticated, "bad_link", "the sign-in link is wrong, used or too old")
                .help("ask the operator for a new one: `proviso token approver --user ID`")
        };
        let link = Secret::parse(SecretKind::Link, link).ok_or_else(bad)?;
        let (person, same_user, page) = {
            let (state, now) = (self.state(), self.now());
            let token = state.registry.token(&link, self.keys(), now).ok_or_else(|| {
                let earlier = state.registry.is_of_earlier_epoch(&link, self.keys());
                if earlier { of_earlier_epoch() } else { bad() }
            })?;
            let TokenFacts::Approver { person, session } = &token.facts else { return Err(bad()) };
            let page =
                session.as_ref().map(|session| self.page_session(&state, session, now).ok_or_else(bad)).transpose()?;
            (person.clone(), token.same_user, page)
        };
        let before = whence.session.as_deref().and_then(|secret| self.session(secret).ok());
        if page.as_ref().zip(before.as_ref()).is_some_and(|(page, before)| page.session == before.id) {
            // It would end the very session that it ends with.
            let what = "the link was made in this browser, for the command line";
            return Err(Refusal::conflict("link_for_command_line", what));
        }
        let before = before.map(|session| session.person);
        let of = person.clone();
        let own = page.as_ref().map(|page| page.session.clone());
        let entry = Entry { link: Some(&link), same_user, whence, page, ..Entry::by_link(person) };
        let hold = |state: &super::state::State| {
            let now = self.now();
            // INVARIANT (R4): a link of one's own is good while the session stands that made it, and is no door beside it.
            if let Some(page) = &own {
                return if state.registry.stands(page, now) { Ok(()) } else { Err(bad()) };
            }
            // INVARIANT (R4): what was no door when it was made is none when it is used.
            if !state.members.is_link(link.id()) {
                self.hold_door(state, &of, now)?;
            }
            self.hold_link(state, link.id(), before.as_ref(), now)
        };
        let opened = self.open_session(entry, hold).await.map_err(|refusal| match refusal.code {
            "link_used" => bad(),
            _ => refusal,
        })?;
        self.link_was_used(link.id());
        Ok(opened)
    }

    /// Whom a session's secret belongs to: enough to follow what is new, for nothing else.
    ///
    /// # Errors
    /// `signed_out` when it is wrong or over.
    pub fn session(&self, secret: &str) -> Result<PersonSession, Refusal> {
        let refuse = || {
            Refusal::new(RefusalKind::Unauthenticated, "signed_out", "you are not signed in")
                .help("open a sign-in link; the operator makes one by `proviso token approver --user ID`")
        };
        let secret = Secret::parse(SecretKind::Session, secret).ok_or_else(refuse)?;
        let (state, now) = (self.state(), self.now());
        let session = state.registry.session(&secret, self.keys(), now).ok_or_else(|| {
            let earlier = state.registry.is_of_earlier_epoch(&secret, self.keys());
            if earlier { of_earlier_epoch() } else { refuse() }
        })?;
        let since = state.registry.open_session(&session.id, now).map_or(now, |open| open.at);
        if self.is_idle(&session, since, now) || self.is_left(&state, &session, now) {
            let what = "nobody was there for too long";
            return Err(Refusal::new(RefusalKind::Unauthenticated, "session_idle", what));
        }
        Ok(session)
    }

    /// Whom a session's secret belongs to, where the page's key comes with it.
    ///
    /// # Errors
    /// `signed_out` when the secret is wrong or over; `session_key_missing` when the key is not this session's.
    pub fn session_with_key(&self, secret: &str, key: Option<&str>) -> Result<PersonSession, Refusal> {
        let session = self.session(secret)?;
        // INVARIANT (R4): a cookie is not enough. Browsers send it to every port of the host, so that other servers of
        // this machine see it; the key stays with the page that signed in.
        let parsed = Secret::parse(SecretKind::Session, secret);
        if parsed.zip(key).is_some_and(|(secret, key)| secret.is_page_key(self.keys(), key)) {
            return Ok(session);
        }
        let what = "the request does not carry the key of this session's page";
        Err(Refusal::new(RefusalKind::Unauthenticated, "session_key_missing", what)
            .help("sign in again in this browser, at this address; other clients send `Proviso-Session-Key`"))
    }

    /// What the person is shown of their session.
    pub async fn session_reply(&self, person: &PersonSession) -> Session {
        let may = self.may_anywhere(person).await;
        let now = self.now();
        let state = self.state();
        let minted = state.registry.minted_since(person).into_iter().map(|token| Minted {
            id: token.id.clone(),
            kind: token.facts.word().to_owned(),
            at: token.minted_at,
            by: token.by.clone(),
            what: token.facts.line(),
        });
        Session {
            person: person.person.clone(),
            assurance: person.assurance.clone(),
            expires_at: person.expires_at,
            now,
            demo: self.settings().is_demo(),
            single_user: self.settings().single_user,
            minted: minted.collect(),
            may,
            groups: person.groups.clone(),
            step_up: self.step_up_of(&state, person, now),
            recovery: self.recovery_line(&state, now),
            key: None,
        }
    }

    /// Ends a session.
    ///
    /// # Errors
    /// `record_unavailable`.
    pub async fn sign_out(&self, person: &PersonSession) -> Result<(), Refusal> {
        let now = self.now();
        let event = LedgerEvent::Identity(IdentityEvent::SignedOut { session: person.id.clone(), by: None, at: now });
        self.admit(|state| {
            let stands = state.registry.stands(&person.id, now);
            let records = if stands { vec![self.ledger(now, &event)?] } else { Vec::new() };
            Ok(Proposal { expected: Vec::new(), records, answer: () })
        })
        .await
        .map(drop)
    }

    /// Whom one can sign in as. Only under `proviso demo`.
    ///
    /// # Errors
    /// `not_a_demo`.
    pub fn demo_people(&self) -> Result<DemoPeople, Refusal> {
        self.only_in_a_demo()?;
        let people = self.policy().people().into_iter().map(|person| {
            let groups = self.policy().groups_of(&person);
            DemoPerson { person, groups }
        });
        Ok(DemoPeople { people: people.collect() })
    }

    /// Signs in as somebody. Only under `proviso demo`.
    ///
    /// # Errors
    /// `not_a_demo`; `unknown_person`.
    pub async fn demo_sign_in(&self, person: &EntityRef) -> Result<(String, Session), Refusal> {
        self.only_in_a_demo()?;
        self.known_person(person)?;
        self.open_session(Entry::by_link(person.clone()), |_| Ok(())).await
    }

    fn only_in_a_demo(&self) -> Result<(), Refusal> {
        if self.settings().is_demo() {
            return Ok(());
        }
        Err(Refusal::not_found("not_a_demo", "this gate is no demo"))
    }

    pub(super) fn known_person(&self, person: &EntityRef) -> Result<(), Refusal> {
        if self.policy().people().contains(person) {
            return hold_present(&self.state(), person);
        }
        let shown = text::visible(&person.id, 80);
        Err(Refusal::bad("unknown_person", format!("the bundle knows no person `{shown}`"))
            .help("add the person to `entities.json` and activate the bundle"))
    }

    /// Mints a credential for whoever sits at the Unix socket. The record names that operating-system user.
    ///
    /// # Errors
    /// When what is asked for is malformed or unknown to the bundle; for a sign-in link `single_user_required` under
    /// the gate's own user, `own_way_in` and `invitation_needed` for whoever comes in otherwise.
    pub async fn mint(&self, request: MintRequest, by: &Operator) -> Result<MintedSecret, Refusal> {
        let same_user = by.uid == self.settings().operator.uid;
        let (kind, life, facts) = self.mint_facts(request)?;
        // INVARIANT (R4): where an agent may run as the gate's own user, it could make itself an approver this way.
        if kind == SecretKind::Link && same_user && !self.settings().single_user {
            return Err(Refusal::forbidden(
                "single_user_required",
                "a sign-in link cannot be minted under the gate's own operating-system user",
            )
            .help("mint it as root, or start the gate with `--single-user` if no agent can become this user"));
        }
        let secret = self.draw(kind)?;
        let now = self.now();
        let signed = kind != SecretKind::Link;
        let token = Token {
            id: secret.id().to_owned(),
            hash: secret.hash(self.keys()),
            facts,
            minted_at: now,
            // A signed one says its end in whole seconds, and the record says the same.
            expires_at: if signed { whole_second(now).plus(life) } else { now.plus(life) },
            by: by.name.clone(),
            uid: by.uid,
            same_user,
            signed,
        };
        let minted = token.clone();
        let person = match &token.facts {
            TokenFacts::Approver { person, .. } => Some(person.clone()),
            _ => None,
        };
        let event = LedgerEvent::Identity(IdentityEvent::TokenMinted { token: Box::new(token) });
        self.admit(|state| {
            if let Some(person) = &person {
                hold_present(state, person)?;
                self.hold_door(state, person, now)?;
            }
            let keys = [VersionKey::Ownership, VersionKey::Members].map(|key| state.version(key));
            let expected = person.iter().flat_map(|_| keys.clone()).collect();
            let records = vec![self.ledger(now, &event)?];
            Ok(Proposal { expected, records, answer: () })
        })
        .await?;
        let secret = match kind {
            SecretKind::Link => format!("{}/sign-in#{}", self.settings().public_url, secret.reveal()),
            // Behind its record: whatever a key has signed is known when that key is retired.
            _ => self.signed_text(&minted, &secret)?,
        };
        Ok(MintedSecret { id: minted.id, secret, expires_at: minted.expires_at })
    }

    fn mint_facts(&self, request: MintRequest) -> Result<(SecretKind, Span, TokenFacts), Refusal> {
        let named = |what: &str, name: &str| {
            if text::is_identifier(name) {
                return Ok(());
            }
            let shown = text::visible(name, 80);
            Err(Refusal::bad("bad_name", format!("`{shown}` cannot be a {what}"))
                .help("1 to 256 characters without spaces, control characters, `<` and `\"`"))
        };
        let elsewhere = |resource: &String| {
            named("resource", resource)?;
            // INVARIANT (R8): a token for a resource opens the gate itself by no name.
            if *resource == self.keys().gate_name() {
                return Err(Refusal::bad("bad_name", "the gate itself is no resource")
                    .help("leave `--resource` away for a token that is shown to the gate"));
            }
            Ok(())
        };
        match request {
            MintRequest::Agent { subject, task, via, on_behalf, resource } => {
                named("task", &task)?;
                for agent in std::iter::once(&subject).chain(&via) {
                    named("subject", &agent.id)?;
                    if !self.policy().is_subject(&agent.kind) {
                        let shown = text::visible(&agent.kind, 80);
                        return Err(Refusal::bad(
                            "unknown_type",
                            format!("`{shown}` is no subject type of the bundle"),
                        )
                        .help("`[types] subjects` in `bundle.toml` lists them"));
                    }
                }
                hold_chain(&subject, &via, on_behalf.is_some())?;
                let on_behalf = on_behalf.map(|user| EntityRef::new(self.policy().person_type(), user));
                on_behalf.iter().try_for_each(|person| self.known_person(person))?;
                self.hold_task(&self.state(), &task)?;
                resource.iter().try_for_each(elsewhere)?;
                let facts = TokenFacts::Agent { subject, task, via, on_behalf, build: None, resource };
                Ok((SecretKind::Agent, AGENT_LIFE, facts))
            }
            MintRequest::EnforcementPoint { name, subjects, mut servers, vouches, resource } => {
                named("enforcement point", &name)?;
                servers.iter().try_for_each(|server| named("server", server))?;
                resource.iter().try_for_each(elsewhere)?;
                let subjects = SubjectPattern::parse(&subjects).ok_or_else(|| {
                    Refusal::bad("bad_name", "`--subjects` is `TYPE::PATTERN`")
                        .help("such as `Agent::spiffe://acme.example/*`")
                })?;
                servers.sort();
                servers.dedup();
                let facts = TokenFacts::EnforcementPoint { name, subjects, servers, vouches, resource };
                Ok((SecretKind::EnforcementPoint, POINT_LIFE, facts))
            }
            MintRequest::Approver { user } => {
                let person = EntityRef::new(self.policy().person_type(), user);
                self.known_person(&person)?;
                Ok((SecretKind::Link, LINK_LIFE, TokenFacts::Approver { person, session: None }))
            }
        }
    }

    /// All credentials, oldest first.
    pub fn tokens(&self) -> Vec<TokenLine> {
        let now = self.now();
        let state = self.state();
        let line = |(token, word): (&Token, &'static str)| TokenLine {
            id: token.id.clone(),
            kind: token.facts.word().to_owned(),
            what: token.facts.line(),
            minted_at: token.minted_at,
            by: token.by.clone(),
            expires_at: token.expires_at,
            state: word.to_owned(),
        };
        state.registry.list(now).into_iter().map(line).collect()
    }

    /// Revokes a credential, and with a sign-in link the session that it made. Of one of this gate's own that is over
    /// already nothing is written; one of another issuer would be believed anew, and ends for good.
    ///
    /// # Errors
    /// `unknown_token`.
    pub async fn revoke_token(&self, id: &str, by: &Operator) -> Result<(), Refusal> {
        if is_credential(id) {
            return self.end_credential(id, by).await;
        }
        let now = self.now();
        self.admit(|state| {
            let (_, word) = state.registry.find(id, now).ok_or_else(|| unknown_token(id))?;
            let event = IdentityEvent::TokenRevoked { id: id.to_owned(), by: by.name.clone(), at: now };
            let sessions = state.registry.sessions_of(id, now);
            let key = VersionKey::Identity(id.to_owned());
            let mut records = Vec::new();
            if word == "live" || !sessions.is_empty() {
                let mut record = self.ledger(now, &LedgerEvent::Identity(event))?;
                // INVARIANT (R4): a vote under way conflicts with the end of its session.
                record.touches.extend(sessions.into_iter().map(VersionKey::Identity));
                records.push(record);
            }
            Ok(Proposal { expected: vec![state.version(key)], records, answer: () })
        })
        .await
        .map(drop)
    }

    pub(super) fn draw(&self, kind: SecretKind) -> Result<Secret, Refusal> {
        Secret::draw(kind, self.random()).map_err(|_| no_randomness())
    }

    /// Whether a credential is still live: what every use expects, next to its version.
    pub(super) fn still_live(&self, state: &super::state::State, id: &str, now: Timestamp) -> Result<(), Refusal> {
        // INVARIANT (R7): a token of another issuer counts until an operator ends it, or it ends by itself.
        if is_token(id) {
            return if state.registry.is_token_ended(id) { Err(unauthenticated()) } else { Ok(()) };
        }
        match state.registry.find(id, now) {
            Some((_, "live")) => Ok(()),
            _ => Err(unauthenticated()),
        }
    }
}

/// A chain is bounded, and nobody acts on behalf of itself.
pub(super) fn hold_chain(subject: &EntityRef, via: &[EntityRef], person: bool) -> Result<(), Refusal> {
    let hops = via.len() + usize::from(person);
    if hops > MOST_HOPS {
        return Err(Refusal::bad("chain_too_long", format!("a chain of {hops} hops is longer than {MOST_HOPS}"))
            .help("let an agent nearer to the human ask"));
    }
    let seen: BTreeSet<&EntityRef> = std::iter::once(subject).chain(via).collect();
    if seen.len() <= via.len() {
        return Err(Refusal::bad("chain_loops", "an agent stands in its own chain")
            .help("`--via` names each agent between the subject and the human once"));
    }
    Ok(())
}

/// No credential has this public id.
pub(super) fn unknown_token(id: &str) -> Refusal {
    let shown = text::visible(id, 80);
    Refusal::not_found("unknown_token", format!("there is no credential `{shown}`"))
        .help("`proviso token list` shows them")
}

/// The system has no randomness to give.
pub(super) fn no_randomness() -> Refusal {
    Refusal::new(RefusalKind::Unavailable, "no_randomness", "the system gives no random bytes")
}

/// It was good until the gate was restored.
pub(super) fn of_earlier_epoch() -> Refusal {
    let what = "the credential was minted before the gate was restored, and opens nothing any more";
    Refusal::new(RefusalKind::Unauthenticated, "credential_of_earlier_epoch", what)
}

/// A moment without what is behind its second.
fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.millis().saturating_sub(at.millis().rem_euclid(1_000)))
}

/// Nobody knows who asks.
pub(super) fn unauthenticated() -> Refusal {
    Refusal::new(RefusalKind::Unauthenticated, "unauthenticated", "the bearer token is wrong, expired or revoked")
        .help("the operator mints one by `proviso token agent` or `proviso token enforcement-point`")
}
