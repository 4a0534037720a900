//! Signed notes (C2SP signed-note v1.0.0) with Ed25519: who vouches for a text.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use thiserror::Error;

use crate::hash::TreeHash;

/// The byte that says Ed25519.
const ED25519: u8 = 1;
/// The most signature lines that are looked at.
const MOST_SIGNATURES: usize = 64;

/// A public key with the name that it signs under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: VerifyingKey,
}

/// What is wrong with a text that should be a verifier key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a verifier key is NAME+ID+KEY: a name, eight hexadecimal digits, and base64 of an Ed25519 key")]
pub struct NoKey;

/// Why a note is not believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoteError {
    /// It is no signed note.
    #[error("it is not a signed note: a text, an empty line, and signature lines")]
    Shape,
    /// No key that is trusted has signed it.
    #[error("no key that is trusted has signed it")]
    Unsigned,
    /// A trusted key's signature is wrong.
    #[error("the signature of `{0}` is wrong")]
    Forged(String),
}

impl VerifierKey {
    /// A key under a name.
    ///
    /// # Errors
    /// When the name cannot stand in a note, or the bytes are no key.
    pub fn new(name: &str, public: &[u8; 32]) -> Result<Self, NoKey> {
        let odd = name.is_empty() || name.chars().any(|letter| letter.is_whitespace() || letter == '+');
        let key = VerifyingKey::from_bytes(public).map_err(|_| NoKey)?;
        if odd { Err(NoKey) } else { Ok(Self { name: name.to_owned(), key }) }
    }

    /// The name that it signs under: a log's origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public key's bytes.
    pub fn public(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// The key's id: the first four bytes of SHA-256 over name, line feed, the algorithm's byte and the key.
    pub fn id(&self) -> [u8; 4] {
        let hash = TreeHash::over(&[self.name.as_bytes(), &[b'\n', ED25519], self.key.as_bytes()]);
        let [a, b, c, d, ..] = *hash.as_bytes();
        [a, b, c, d]
    }

    /// A signature line of this key's, without its line feed.
    pub fn line(&self, signature: &[u8; 64]) -> String {
        let bytes: Vec<u8> = self.id().iter().chain(signature).copied().collect();
        format!("\u{2014} {} {}", self.name, STANDARD.encode(bytes))
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key: Vec<u8> = std::iter::once(ED25519).chain(*self.key.as_bytes()).collect();
        write!(f, "{}+{:08x}+{}", self.name, u32::from_be_bytes(self.id()), STANDARD.encode(key))
    }
}

impl FromStr for VerifierKey {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, rest) = text.split_once('+').ok_or(NoKey)?;
        let (_, key) = rest.split_once('+').ok_or(NoKey)?;
        let bytes = STANDARD.decode(key).map_err(|_| NoKey)?;
        let (algorithm, public) = bytes.split_first().ok_or(NoKey)?;
        let key = Self::new(name, public.try_into().map_err(|_| NoKey)?)?;
        // The id and the one form of everything.
        if *algorithm == ED25519 && key.to_string() == text { Ok(key) } else { Err(NoKey) }
    }
}

/// A text with signature lines behind it, as a note.
pub fn note(text: &str, lines: &[String]) -> String {
    let mut note = format!("{text}\n");
    for line in lines {
        note.push_str(line);
        note.push('\n');
    }
    note
}

/// The ids of the keys that a note says it was signed by. Nothing of it is checked.
pub fn signers(note: &str) -> Vec<[u8; 4]> {
    let lines = note.rsplit_once("\n\n").map_or("", |(_, lines)| lines).lines();
    let ids = lines.filter_map(|line| {
        let bytes = STANDARD.decode(line.rsplit_once(' ')?.1).ok()?;
        bytes.first_chunk::<4>().copied()
    });
    ids.collect()
}

/// The text of a note that at least one of these keys has signed, and which of them. Lines of other keys say nothing; a
/// wrong signature of one of these keys makes the note worthless.
///
/// # Errors
/// See [`NoteError`].
pub fn open<'n, 'k>(note: &'n str, keys: &'k [VerifierKey]) -> Result<(&'n str, Vec<&'k VerifierKey>), NoteError> {
    let odd = |letter: char| letter.is_ascii_control() && letter != '\n';
    let (end, signatures) = match note.rfind("\n\n") {
        Some(at) if !note.chars().any(odd) => (at.saturating_add(1), note.get(at.saturating_add(2)..)),
        _ => return Err(NoteError::Shape),
    };
    let (Some(text), Some(signatures)) = (note.get(..end), signatures) else { return Err(NoteError::Shape) };
    if signatures.is_empty() || !signatures.ends_with('\n') || signatures.lines().count() > MOST_SIGNATURES {
        return Err(NoteError::Shape);
    }
    let mut signed = Vec::new();
    for line in signatures.lines() {
        let line = line.strip_prefix("\u{2014} ").ok_or(NoteError::Shape)?;
        let (name, encoded) = line.split_once(' ').filter(|(name, _)| !name.is_empty()).ok_or(NoteError::Shape)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| NoteError::Shape)?;
        let (id, signature) = bytes.split_first_chunk::<4>().ok_or(NoteError::Shape)?;
        let Some(key) = keys.iter().find(|key| key.name == name && key.id() == *id) else { continue };
        let holds = Signature::from_slice(signature).is_ok_and(|s| key.key.verify_strict(text.as_bytes(), &s).is_ok());
        if !holds {
            return Err(NoteError::Forged(name.to_owned()));
        }
        signed.push(key);
    }
    if signed.is_empty() { Err(NoteError::Unsigned) } else { Ok((text, signed)) }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;

    fn signer(seed: u8, name: &str) -> (SigningKey, VerifierKey) {
        let signing = SigningKey::from_bytes(&[seed; 32]);
        let verifier = VerifierKey::new(name, signing.verifying_key().as_bytes()).unwrap();
        (signing, verifier)
    }

    fn line((signing, verifier): &(SigningKey, VerifierKey), text: &str) -> String {
        verifier.line(&signing.sign(text.as_bytes()).to_bytes())
    }

    #[test]
    fn the_specifications_keys_are_read() {
        // From the specification, and from Go's note package.
        for (text, name) in [
            ("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "example.com/foo"),
            ("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "PeterNeumann"),
        ] {
            let key: VerifierKey = text.parse().unwrap();
            assert_eq!((key.name(), key.to_string().as_str()), (name, text));
        }
        for text in [
            "",
            "a",
            "a+b",
            "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeuman+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        ] {
            assert_eq!(text.parse::<VerifierKey>(), Err(NoKey), "{text}");
        }
    }

    #[test]
    fn the_note_of_gos_package_is_believed() {
        let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
        let text =
            "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
        let line = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        let keys = [key];
        let (opened, by) = open(&format!("{text}\n{line}"), &keys).map(|(text, by)| (text.to_owned(), by)).unwrap();
        assert_eq!((opened.as_str(), by.len()), (text, 1));
    }

    #[test]
    fn one_trusted_key_is_enough_and_one_wrong_signature_too_much() {
        let (gate, other) = (signer(1, "gate"), signer(2, "other"));
        let text = "origin\n1\nroot\n";
        let keys = [gate.1.clone()];
        let both = note(text, &[line(&other, text), line(&gate, text)]);
        assert_eq!(open(&both, &keys), Ok((text, vec![&gate.1])));
        let foreign = note(text, &[line(&other, text)]);
        assert_eq!(open(&foreign, &keys), Err(NoteError::Unsigned));
        let wrong = note("origin\n2\nroot\n", &[line(&gate, text)]);
        assert_eq!(open(&wrong, &keys), Err(NoteError::Forged("gate".to_owned())));
        // The same key under another name is another key.
        let renamed = signer(1, "gate2");
        assert_eq!(open(&note(text, &[line(&renamed, text)]), &keys), Err(NoteError::Unsigned));
    }

    #[test]
    fn what_is_no_note_is_refused() {
        let gate = signer(1, "gate");
        let text = "a\n";
        let good = note(text, &[line(&gate, text)]);
        let keys = [gate.1.clone()];
        assert!(open(&good, &keys).is_ok());
        for bad in [
            "",
            "a\n",
            "a\n\n",
            &good.replace('\u{2014}', "-"),
            &good.replace("gate ", ""),
            good.trim_end(),
            &good.replace('a', "a\r"),
            &format!("{good}\u{2014} x !\n"),
        ] {
            assert_eq!(open(bad, &keys), Err(NoteError::Shape), "{bad:?}");
        }
    }
}
