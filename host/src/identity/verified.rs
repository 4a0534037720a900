//! Credentials of other issuers, as the record knows them: what was believed of a token, and never the token.
//!
//! A credential here is what all tokens have in common that say the same of the same: whoever holds it shows a new token
//! every few minutes, and is one caller all the same. Which token it was each time stands with each decision.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::digest::Digest;
use policy_core::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use super::facts::TokenFacts;
use super::token::Token;
use crate::trust::Party;

/// How long a record of a credential counts: then it is recorded anew, where it is shown again.
pub const COUNTS: Span = Span::from_seconds(86_400);
/// How long after that it is known in memory, for what it did.
const REMEMBERED: Span = Span::from_seconds(8 * 86_400);
/// The number of no operating-system user.
const NOBODY: u32 = u32::MAX;

/// What was believed of whoever showed a token of another issuer. Persisted and hashed: every member is for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiedCredential {
    /// The public id: the same for all tokens that say this.
    pub id: String,
    /// Who says it.
    pub issuer: String,
    /// Everybody whom it names, in the issuer's words: who acts, and then on whose behalf.
    pub parties: Vec<Party>,
    /// What was believed, in the bundle's words.
    pub facts: TokenFacts,
    /// The names of claims that the first token carried, and that nothing here believes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// The token by which it was seen.
    pub token: TokenSeen,
    /// When.
    pub seen_at: Timestamp,
    /// Until when this record counts.
    pub counts_until: Timestamp,
}

/// Which token was shown. Persisted and hashed: every member is for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenSeen {
    /// Who issued it.
    pub issuer: String,
    /// The key that signed it.
    pub key: String,
    /// Its own id, `jti`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it is known again by here: a keyed code of issuer and `jti`, or of what is signed.
    pub token: String,
    /// What it is bound to, and was shown to be there: the thumbprint of a key, or `x5t#S256:` and that of the client's
    /// certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<String>,
    /// Until when it counts.
    pub expires_at: Timestamp,
}

/// By what a credential is known again when it is ended: what its issuer says of whom. Not how the bundle reads that, nor
/// when it was recorded, so that another bundle or a restored gate makes no other credential of it. Persisted and hashed:
/// every member is for ever.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Said {
    /// Who says it.
    pub issuer: String,
    /// Everybody whom it names, in the issuer's words.
    pub parties: Vec<Party>,
    /// The task; absent: whatever else is said of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// What the agent is built of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
}

impl Said {
    /// What is said by whoever was believed so.
    pub fn of(issuer: &str, parties: &[Party], facts: &TokenFacts) -> Self {
        let (task, build) = match facts {
            TokenFacts::Agent { task, build, .. } => (Some(task.clone()), build.clone()),
            TokenFacts::EnforcementPoint { .. } | TokenFacts::Approver { .. } => (None, None),
        };
        Self { issuer: issuer.to_owned(), parties: parties.to_vec(), task, build }
    }

    /// The same of these in any task.
    fn in_any_task(&self) -> Self {
        Self { task: None, build: None, ..self.clone() }
    }

    /// Whether an end of this is one of `other`.
    fn covers(&self, other: &Self) -> bool {
        self == other || *self == other.in_any_task()
    }
}

impl VerifiedCredential {
    /// What is said in it.
    pub fn said(&self) -> Said {
        Said::of(&self.issuer, &self.parties, &self.facts)
    }

    /// As the registry keeps credentials. No secret opens it: its id is of a kind that none is read as.
    pub(super) fn as_token(&self) -> Token {
        Token {
            id: self.id.clone(),
            hash: Digest::of(self.id.as_bytes()),
            facts: self.facts.clone(),
            minted_at: self.seen_at,
            expires_at: self.counts_until,
            by: self.issuer.clone(),
            uid: NOBODY,
            same_user: false,
            signed: false,
        }
    }
}

/// What of other issuers' credentials was ended here, before its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedParty {
    /// Whatever names this subject of that issuer, from now on.
    Subject(Party),
    /// One token, by its own id.
    Token {
        /// Its issuer.
        issuer: String,
        /// Its `jti`.
        id: String,
        /// What it is known again by here.
        token: String,
    },
    /// One credential: every token that says the same of the same.
    Credential {
        /// The public id that it had when it was ended.
        id: String,
        /// What is said in it.
        said: Said,
    },
}

/// Credentials of other issuers, and what of them was ended.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Verified {
    /// Each with when it is forgotten.
    seen: BTreeMap<String, (Said, Timestamp)>,
    by_end: BTreeSet<(Timestamp, String)>,
    subjects: BTreeSet<Party>,
    tokens: BTreeSet<String>,
    /// INVARIANT (R7): nothing takes one out again, neither time nor what is erased.
    credentials: BTreeSet<Said>,
}

impl Verified {
    /// Takes one in. Those that nobody asks for any more, which are then to be forgotten.
    pub fn see(&mut self, credential: &VerifiedCredential) -> Vec<String> {
        let (id, end) = (credential.id.clone(), credential.counts_until.plus(REMEMBERED));
        if let Some((_, before)) = self.seen.insert(id.clone(), (credential.said(), end)) {
            self.by_end.remove(&(before, id.clone()));
        }
        self.by_end.insert((end, id));
        let mut old = Vec::new();
        while self.by_end.first().is_some_and(|(end, _)| *end <= credential.seen_at)
            && let Some((_, id)) = self.by_end.pop_first()
        {
            self.seen.remove(&id);
            old.push(id);
        }
        old
    }

    /// Ends something. The credentials that end with it.
    pub fn end(&mut self, ended: &EndedParty) -> Vec<String> {
        match ended {
            EndedParty::Token { token, .. } => self.tokens.insert(token.clone()),
            EndedParty::Credential { said, .. } => self.credentials.insert(said.clone()),
            EndedParty::Subject(party) => self.subjects.insert(party.clone()),
        };
        self.named_by(ended)
    }

    /// Whether this was ended before.
    pub fn has_ended(&self, ended: &EndedParty) -> bool {
        match ended {
            EndedParty::Token { token, .. } => self.tokens.contains(token),
            EndedParty::Credential { said, .. } => self.credentials.contains(said),
            EndedParty::Subject(party) => self.subjects.contains(party),
        }
    }

    /// The credentials that end with this.
    pub fn named_by(&self, ended: &EndedParty) -> Vec<String> {
        let ends = |said: &Said| match ended {
            EndedParty::Subject(party) => said.parties.contains(party),
            EndedParty::Credential { said: ended, .. } => ended.covers(said),
            EndedParty::Token { .. } => false,
        };
        self.seen.iter().filter(|(_, (said, _))| ends(said)).map(|(id, _)| id.clone()).collect()
    }

    /// What is said in a credential that is known.
    pub fn said_in(&self, id: &str) -> Option<&Said> {
        self.seen.get(id).map(|(said, _)| said)
    }

    /// Whether this was ended, or whomever it names.
    pub fn is_ended(&self, said: &Said) -> bool {
        let over = |said: &Said| self.credentials.contains(said);
        over(said) || over(&said.in_any_task()) || said.parties.iter().any(|party| self.subjects.contains(party))
    }

    /// Whether this token was ended.
    pub fn is_token_ended(&self, token: &str) -> bool {
        self.tokens.contains(token)
    }
}
