//! Credentials, links and sessions, folded from the ledger.
//!
//! INVARIANT (R9): a row that somebody writes into the database is not here, so it opens nothing.

use std::collections::BTreeMap;

use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::sabotaged;
use policy_core::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use super::brought::Brought;
use super::event::IdentityEvent;
use super::facts::TokenFacts;
use super::passkey::{Passkeys, Standing};
use super::verified::{EndedParty, Said, Verified};
use super::{Account, PersonSession, Secret, Stronger, Token};
use crate::pairs;
use crate::store::Keys;

/// A session as it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonSessionFacts {
    /// The public id.
    pub id: String,
    /// The secret's keyed hash.
    pub hash: Digest,
    /// Who.
    pub person: EntityRef,
    /// How strongly they signed in.
    pub assurance: String,
    /// Until when.
    pub expires_at: Timestamp,
    /// Whether the link was minted under the gate's own user.
    pub same_user: bool,
    /// The account at a provider that signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Box<Account>>,
    /// The passkey that signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passkey: Option<String>,
    /// How much more strongly, and until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stronger: Option<Stronger>,
    /// What the browser said of itself: text from outside, shown to its person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    /// The bundle's groups that the provider's claim was mapped to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<EntityRef>,
    /// The session in whose page its person made the link, for the command line: it ends with that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_in: Option<String>,
}

/// The state's word of a credential that opens something.
const LIVE: &str = "live";
/// The state's word of a credential that was minted before the gate was restored.
const EARLIER: &str = "earlier_epoch";

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Held {
    token: Token,
    #[serde(deserialize_with = "over")]
    over: Over,
}

/// Why something is over, in a word. A name of its own, since serde would borrow such a text from what it reads.
type Over = Option<&'static str>;

fn over<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Over, D::Error> {
    pairs::known(deserializer, &["revoked", "used", EARLIER])
}

/// A session that nobody has ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OpenSession {
    /// As it was made.
    pub facts: PersonSessionFacts,
    /// When.
    pub at: Timestamp,
    /// The link that made it.
    link: Option<String>,
    /// The person's sign-in before this one.
    since: Option<Timestamp>,
}

/// All credentials.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Registry {
    tokens: BTreeMap<String, Held>,
    sessions: BTreeMap<String, OpenSession>,
    /// The sessions of an earlier epoch, by their ids.
    void: BTreeMap<String, Digest>,
    #[serde(with = "crate::pairs")]
    last_sign_in: BTreeMap<EntityRef, Timestamp>,
    /// Whose each account is, by issuer and subject: the person's that it signed in as first.
    #[serde(with = "crate::pairs")]
    accounts: BTreeMap<(String, String), EntityRef>,
    verified: Verified,
    brought: Brought,
    passkeys: Passkeys,
}

impl Registry {
    /// Folds one event.
    pub fn apply(&mut self, event: &IdentityEvent) {
        match event {
            IdentityEvent::TokenMinted { token } => {
                self.tokens.insert(token.id.clone(), Held { token: (**token).clone(), over: None });
            }
            IdentityEvent::TokenRevoked { id, .. } => {
                self.end(id, "revoked");
                // INVARIANT (R7): so were credentials of other issuers ended once, and they stay it.
                if let Some(said) = self.verified.said_in(id).cloned() {
                    self.verified.end(&EndedParty::Credential { id: id.clone(), said });
                }
                self.sessions.retain(|_, open| open.link.as_deref() != Some(id));
            }
            IdentityEvent::CredentialVerified { credential } => {
                for old in self.verified.see(credential) {
                    self.tokens.remove(&old);
                }
                let ended = self.verified.is_ended(&credential.said()).then_some("revoked");
                let over = ended.or_else(|| self.tokens.get(&credential.id).and_then(|held| held.over));
                self.tokens.insert(credential.id.clone(), Held { token: credential.as_token(), over });
            }
            IdentityEvent::CredentialEnded { ended, .. } => {
                for id in self.verified.end(ended) {
                    self.end(&id, "revoked");
                }
            }
            IdentityEvent::SignedIn { link, session, replaces, at } => {
                if let Some(link) = link {
                    self.end(link, "used");
                }
                let before = replaces.as_ref().and_then(|before| self.sessions.remove(before));
                if let Some(account) = &session.account {
                    let account = (account.issuer.clone(), account.subject.clone());
                    self.accounts.entry(account).or_insert_with(|| session.person.clone());
                }
                let since = match before {
                    // Whoever authenticates anew was not away.
                    Some(before) if before.facts.person == session.person => before.since,
                    // Nor is a command of theirs a sign-in by which they were shown anything.
                    _ if session.made_in.is_some() => self.last_sign_in.get(&session.person).copied(),
                    _ => self.last_sign_in.insert(session.person.clone(), *at),
                };
                let mut facts = (**session).clone();
                // INVARIANT (R4): nor has it a group that the page's session lost while it was opened.
                if let Some(page) = &facts.made_in {
                    let of_page = self.sessions.get(page).map(|open| open.facts.groups.clone()).unwrap_or_default();
                    facts.groups.retain(|group| of_page.contains(group));
                }
                if facts.account.is_some() {
                    self.brought.signed_in(&facts.person, &facts.groups, *at);
                    // INVARIANT (R4): what the provider says no more, no older session of theirs has either.
                    let older = self.sessions.values_mut().filter(|open| open.facts.person == facts.person);
                    older.for_each(|open| open.facts.groups.retain(|group| facts.groups.contains(group)));
                }
                let open = OpenSession { facts, at: *at, link: link.clone(), since };
                self.sessions.insert(session.id.clone(), open);
            }
            IdentityEvent::SignInUsed { session, person, exception, spent, groups, at } => {
                self.brought.used(person, exception, groups, *at);
                if let Some(open) = self.sessions.get_mut(session).filter(|_| *spent) {
                    // INVARIANT (R4): a fresh authentication is good for one vote.
                    open.facts.stronger = open.facts.stronger.take().filter(|_| sabotaged!("r4_step_up_twice"));
                }
            }
            IdentityEvent::SignedOut { session, .. } => {
                self.sessions.remove(session);
            }
            IdentityEvent::PasskeyAdded { passkey } => self.passkeys.add(passkey),
            IdentityEvent::PasskeyUsed { id, counter, at } => self.passkeys.used(id, *counter, *at),
            IdentityEvent::PasskeySuspended { id, at, .. } => self.end_passkey(id, Standing::Suspended, *at),
            IdentityEvent::PasskeyEnded { id, at, .. } => self.end_passkey(id, Standing::Ended, *at),
        }
    }

    /// INVARIANT (R7): whoever signed in by a passkey that is over is signed in no more.
    fn end_passkey(&mut self, id: &str, standing: Standing, at: Timestamp) {
        self.passkeys.over(id, standing, at);
        self.sessions.retain(|_, open| open.facts.passkey.as_deref() != Some(id));
    }

    /// Whether somebody has a passkey that signs, or an account that signed in once.
    pub fn has_own_way(&self, person: &EntityRef) -> bool {
        let signs = self.passkeys.of(person).into_iter().any(|held| held.standing == Standing::Live);
        signs || self.accounts.values().any(|of| of == person)
    }

    /// The passkeys.
    pub const fn passkeys(&self) -> &Passkeys {
        &self.passkeys
    }

    /// The sessions that a passkey made and that still stand, by their public ids.
    pub fn sessions_of_passkey(&self, passkey: &str) -> Vec<String> {
        let made = self.sessions.values().filter(|open| open.facts.passkey.as_deref() == Some(passkey));
        made.map(|open| open.facts.id.clone()).collect()
    }

    /// The gate was restored: a credential may have been revoked after the backup was made, so none of before opens
    /// anything (R7).
    pub fn begin_epoch(&mut self) {
        if sabotaged!("r7_old_credential_believed") {
            return;
        }
        for held in self.tokens.values_mut() {
            held.over.get_or_insert(EARLIER);
        }
        self.passkeys.begin_epoch();
        let sessions = std::mem::take(&mut self.sessions);
        self.void.extend(sessions.into_iter().map(|(id, open)| (id, open.facts.hash)));
    }

    /// Whether this secret was good until the epoch began: whoever holds it is told so.
    pub fn is_of_earlier_epoch(&self, secret: &Secret, keys: &Keys) -> bool {
        let token = self.tokens.get(secret.id()).filter(|held| held.over == Some(EARLIER));
        let hash = token.map(|held| &held.token.hash).or_else(|| self.void.get(secret.id()));
        hash.is_some_and(|hash| *hash == secret.hash(keys))
    }

    /// The ids of all that is not over but by time.
    pub fn standing(&self) -> impl Iterator<Item = String> {
        let tokens = self.tokens.iter().filter(|(_, held)| held.over.is_none());
        tokens.map(|(id, _)| id.clone()).chain(self.sessions.keys().cloned()).chain(self.passkeys.live().cloned())
    }

    /// An account belongs to this person from here on, where it belongs to nobody yet.
    pub fn bind_account(&mut self, issuer: String, subject: String, person: EntityRef) {
        self.accounts.entry((issuer, subject)).or_insert(person);
    }

    /// Ends the sign-in links and the sessions of somebody who left.
    pub fn depart(&mut self, person: &EntityRef, at: Timestamp) {
        for held in self.tokens.values_mut().filter(|held| held.over.is_none()) {
            if matches!(&held.token.facts, TokenFacts::Approver { person: of, .. } if of == person) {
                held.over = Some("revoked");
            }
        }
        self.sessions.retain(|_, open| open.facts.person != *person);
        self.passkeys.depart(person, at);
    }

    /// Forgets credentials and sessions, by their public ids: what was erased of them is not there at the next start.
    pub fn forget(&mut self, ids: &[String]) {
        for id in ids {
            self.tokens.remove(id);
            self.sessions.remove(id);
            self.void.remove(id);
        }
    }

    fn end(&mut self, id: &str, word: &'static str) {
        if let Some(held) = self.tokens.get_mut(id) {
            held.over = Some(word);
        }
    }

    /// Forgets with which groups of a provider people decided on what is over.
    pub fn forget_brought(&mut self, is_needed: impl Fn(&str) -> bool) {
        self.brought.forget(is_needed);
    }

    /// Whether a person decided on this with groups of a provider before.
    pub fn has_brought(&self, about: &str, person: &EntityRef) -> bool {
        self.brought.has(about, person)
    }

    /// The groups of a provider that count for what a person decided on an exception.
    pub fn brought_for(&self, exception: &str, person: &EntityRef) -> Vec<EntityRef> {
        self.brought.of_decision(exception, person)
    }

    /// The live credential that this secret proves, if any.
    pub fn token(&self, secret: &Secret, keys: &Keys, now: Timestamp) -> Option<&Token> {
        let held = self.tokens.get(secret.id())?;
        let live = self.word(held, now) == LIVE && held.token.hash == secret.hash(keys);
        live.then_some(&held.token)
    }

    /// When the last of the signed credentials ends that live; absent: none does.
    pub fn last_signed_ends(&self, now: Timestamp) -> Option<Timestamp> {
        let live = self.tokens.values().filter(|held| held.over.is_none() && held.token.signed);
        live.map(|held| held.token.expires_at).filter(|end| now < *end).max()
    }

    /// Whether an operator ended a credential that says this, or somebody whom it names.
    pub fn is_ended(&self, said: &Said) -> bool {
        self.verified.is_ended(said)
    }

    /// Whether an operator ended this token of another issuer.
    pub fn is_token_ended(&self, token: &str) -> bool {
        self.verified.is_token_ended(token)
    }

    /// What is said in a credential of another issuer, by its public id.
    pub fn said_in(&self, id: &str) -> Option<&Said> {
        self.verified.said_in(id)
    }

    /// Whether this was ended before.
    pub fn has_ended(&self, ended: &EndedParty) -> bool {
        self.verified.has_ended(ended)
    }

    /// The credentials of other issuers that end with this.
    pub fn named_by(&self, ended: &EndedParty) -> Vec<String> {
        self.verified.named_by(ended)
    }

    /// A credential by its public id, with its state's word.
    pub fn find(&self, id: &str, now: Timestamp) -> Option<(&Token, &'static str)> {
        self.tokens.get(id).map(|held| (&held.token, self.word(held, now)))
    }

    /// All credentials, oldest first, each with its state's word.
    pub fn list(&self, now: Timestamp) -> Vec<(&Token, &'static str)> {
        let mut list: Vec<_> = self.tokens.values().map(|held| (&held.token, self.word(held, now))).collect();
        list.sort_by(|(a, _), (b, _)| (a.minted_at, &a.id).cmp(&(b.minted_at, &b.id)));
        list
    }

    /// Who acts, or has acted, in a task: each agent, and whoever it does so for.
    pub fn actors_in(&self, task: &str) -> impl Iterator<Item = &EntityRef> {
        self.tokens
            .values()
            .filter_map(move |held| match &held.token.facts {
                TokenFacts::Agent { subject, task: given, via, on_behalf, .. } if given == task => {
                    Some(std::iter::once(subject).chain(via).chain(on_behalf))
                }
                _ => None,
            })
            .flatten()
    }

    /// The live session that this secret proves, if any.
    pub fn session(&self, secret: &Secret, keys: &Keys, now: Timestamp) -> Option<PersonSession> {
        let open = self.sessions.get(secret.id())?;
        let live = self.is_open(open, now) && open.facts.hash == secret.hash(keys);
        live.then(|| open.facts.session(now))
    }

    /// The sessions that a link made and that still stand, by their public ids.
    pub fn sessions_of(&self, link: &str, now: Timestamp) -> Vec<String> {
        let made = self.sessions.values().filter(|open| open.link.as_deref() == Some(link));
        made.filter(|open| self.is_open(open, now)).map(|open| open.facts.id.clone()).collect()
    }

    /// The sessions that nobody has ended and whose time is not over.
    pub fn open_sessions(&self, now: Timestamp) -> impl Iterator<Item = &OpenSession> {
        self.sessions.values().filter(move |open| self.is_open(open, now))
    }

    /// A session by its public id, while it stands.
    pub fn open_session(&self, id: &str, now: Timestamp) -> Option<&OpenSession> {
        self.sessions.get(id).filter(|open| self.is_open(open, now))
    }

    /// INVARIANT (R7): what was made in the page of a session ends with that session, however it ends.
    fn is_open(&self, open: &OpenSession, now: Timestamp) -> bool {
        let with = open.facts.made_in.as_ref().is_none_or(|page| self.is_page(page, now));
        now < open.facts.expires_at && (with || sabotaged!("r7_outlives_its_session"))
    }

    fn is_page(&self, session: &str, now: Timestamp) -> bool {
        self.sessions.get(session).is_some_and(|open| now < open.facts.expires_at)
    }

    /// The session in whose page another one was made, whether it stands or not.
    pub fn page_of(&self, session: &str) -> Option<&String> {
        self.sessions.get(session)?.facts.made_in.as_ref()
    }

    /// The links for the command line that this person made, that nobody has used and that still open something.
    pub fn own_links(&self, person: &EntityRef, now: Timestamp) -> impl Iterator<Item = (&Token, &String)> {
        let live = self.tokens.values().filter(move |held| self.word(held, now) == LIVE);
        live.filter_map(move |held| match &held.token.facts {
            TokenFacts::Approver { person: of, session: Some(page) } if of == person => Some((&held.token, page)),
            _ => None,
        })
    }

    /// A credential's state in a word.
    fn word(&self, held: &Held, now: Timestamp) -> &'static str {
        let page = match &held.token.facts {
            TokenFacts::Approver { session, .. } => session.as_ref(),
            _ => None,
        };
        match held.over {
            Some(word) => word,
            None if now >= held.token.expires_at => "expired",
            None if page.is_some_and(|page| !self.is_page(page, now)) => "revoked",
            None => LIVE,
        }
    }

    /// Whose account it is, where it has signed in before.
    pub fn person_of(&self, issuer: &str, subject: &str) -> Option<&EntityRef> {
        self.accounts.get(&(issuer.to_owned(), subject.to_owned()))
    }

    /// Whether this session still stands, by its public id.
    pub fn stands(&self, session: &str, now: Timestamp) -> bool {
        self.open_session(session, now).is_some()
    }

    /// What was minted in this person's name since the sign-in before this session.
    pub fn minted_since(&self, session: &PersonSession) -> Vec<&Token> {
        let since = self.sessions.get(&session.id).and_then(|open| open.since);
        let mut minted: Vec<_> = self
            .tokens
            .values()
            .map(|held| &held.token)
            .filter(|token| token.facts.person() == Some(&session.person))
            .filter(|token| since.is_none_or(|since| token.minted_at > since))
            .collect();
        // However many somebody makes for themselves, what others minted is told.
        let own = session.person.to_string();
        minted.sort_by_key(|token| (token.by == own, std::cmp::Reverse(token.minted_at)));
        minted.truncate(50);
        minted.sort_by_key(|token| std::cmp::Reverse(token.minted_at));
        minted
    }
}

impl PersonSessionFacts {
    /// As use cases see it at this time.
    pub fn session(&self, now: Timestamp) -> PersonSession {
        // INVARIANT (R4): what was a strong sign-in a while ago is none now.
        let stronger = self.stronger.as_ref().filter(|stronger| now < stronger.until || sabotaged!("r4_step_up_lasts"));
        let is_fresh = stronger.is_some();
        PersonSession {
            id: self.id.clone(),
            person: self.person.clone(),
            assurance: stronger.map_or(&self.assurance, |stronger| &stronger.assurance).clone(),
            expires_at: self.expires_at,
            same_user: self.same_user,
            groups: self.groups.clone(),
            is_fresh,
            made_in: self.made_in.clone(),
        }
    }
}
