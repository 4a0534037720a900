//! Secrets as they are handed out: `KIND_ID_SECRET`, or for agents and enforcement points within a signed token. Nothing
//! but their keyed hash is ever kept.

use std::io;

use policy_core::digest::Digest;

use crate::random::{self, Random};
use crate::store::Keys;

/// What a secret is for. The kind stands in front, so that no secret is ever taken for another kind's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// An agent's bearer token.
    Agent,
    /// An enforcement point's bearer token.
    EnforcementPoint,
    /// A one-time sign-in link.
    Link,
    /// A person's session.
    Session,
}

impl SecretKind {
    /// The prefix.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Agent => "pva",
            Self::EnforcementPoint => "pve",
            Self::Link => "pvl",
            Self::Session => "pvs",
        }
    }
}

/// A secret. `Debug` shows its public id only.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// The public id: prefix and 32 hexadecimal digits.
    id: String,
    /// 64 hexadecimal digits.
    secret: String,
}

impl Secret {
    /// Draws a new one.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn draw(kind: SecretKind, random: &dyn Random) -> io::Result<Self> {
        let id = random::id(random, kind.prefix())?;
        let secret = Digest::from_bytes(random::key(random)?).to_string();
        Ok(Self { id, secret })
    }

    /// Reads what a caller presents as this kind.
    pub fn parse(kind: SecretKind, text: &str) -> Option<Self> {
        let rest = text.strip_prefix(kind.prefix())?.strip_prefix('_')?;
        let (id, secret) = rest.split_once('_')?;
        let hex = |text: &str, length: usize| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        (hex(id, 32) && hex(secret, 64))
            .then(|| Self { id: format!("{}_{id}", kind.prefix()), secret: secret.to_owned() })
    }

    /// Reads what a caller presents in two parts, the public id and what is secret.
    pub fn of(id: &str, secret: &str) -> Option<Self> {
        let kinds = [SecretKind::Agent, SecretKind::EnforcementPoint];
        kinds.into_iter().find_map(|kind| Self::parse(kind, &format!("{id}_{secret}")))
    }

    /// What is secret of it, without the id.
    pub(crate) fn bare(&self) -> &str {
        &self.secret
    }

    /// The public id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The whole, as it is handed out once.
    pub fn reveal(&self) -> String {
        format!("{}_{}", self.id, self.secret)
    }

    /// What is kept. Under a key outside the database, bound to the id.
    pub fn hash(&self, keys: &Keys) -> Digest {
        keys.code(b"proviso-secret-v1\0", self.reveal().as_bytes())
    }

    /// What a session's page shows besides the cookie. Whoever has the secret alone cannot make it, and nothing is kept.
    pub fn page_key(&self, keys: &Keys) -> Digest {
        keys.code(b"proviso-page-key-v1\0", self.reveal().as_bytes())
    }

    /// Whether this is the session's page key. How long the answer takes tells nothing of the key.
    pub fn is_page_key(&self, keys: &Keys, shown: &str) -> bool {
        let Ok(shown) = shown.parse::<Digest>() else { return false };
        let right = self.page_key(keys);
        right.as_bytes().iter().zip(shown.as_bytes()).fold(0, |odd, (a, b)| odd | (a ^ b)) == 0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;
    use crate::store::{DataFolder, DataKind};

    #[test]
    fn a_page_key_belongs_to_one_session_and_one_gate() {
        let open = |folder: &tempfile::TempDir| {
            let data = DataFolder::open(&folder.path().join("data"), DataKind::Gate).unwrap();
            Keys::open(&data, &SystemRandom).unwrap()
        };
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (keys, others) = (open(&here), open(&there));
        let draw = || Secret::draw(SecretKind::Session, &SystemRandom).unwrap();
        let (session, other) = (draw(), draw());
        let key = session.page_key(&keys).to_string();
        assert!(session.is_page_key(&keys, &key));
        assert!(!other.is_page_key(&keys, &key) && !session.is_page_key(&others, &key));
        let mut almost = key.clone();
        let last = almost.pop();
        almost.push(if last == Some('0') { '1' } else { '0' });
        for shown in ["", &session.hash(&keys).to_string(), &almost] {
            assert!(!session.is_page_key(&keys, shown), "{shown}");
        }
    }

    #[test]
    fn a_secret_is_read_as_its_own_kind_only() {
        let secret = Secret::draw(SecretKind::Agent, &SystemRandom).unwrap();
        let text = secret.reveal();
        assert_eq!(Secret::parse(SecretKind::Agent, &text), Some(secret.clone()));
        for other in [SecretKind::EnforcementPoint, SecretKind::Link, SecretKind::Session] {
            assert_eq!(Secret::parse(other, &text), None);
        }
        assert_eq!(Secret::parse(SecretKind::Agent, &format!("{text}0")), None);
        assert!(!format!("{secret:?}").contains(&text));
    }
}
