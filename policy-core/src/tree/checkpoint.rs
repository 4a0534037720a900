//! The text of a tree's head: a C2SP checkpoint (tlog-checkpoint v1.0.0) inside a C2SP signed note (signed-note v1.0.0).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::digest::Digest;

/// What a head says: which log, how many records, which root. Its text is what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name, unique among all logs; no line break.
    pub origin: String,
    /// How many leaves.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
}

/// What is wrong with a text that should be a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CheckpointError {
    /// Not three lines, each ended by a line feed.
    #[error("a checkpoint has three lines: origin, size and root")]
    Lines,
    /// The origin is empty.
    #[error("the checkpoint names no origin")]
    Origin,
    /// The size is no decimal number without leading zeros.
    #[error("the checkpoint's size is not a whole number in its one form")]
    Size,
    /// The root is not the base64 of 32 bytes.
    #[error("the checkpoint's root is not the base64 of 32 bytes")]
    Root,
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, STANDARD.encode(self.root.as_bytes()))
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    /// Reads the three lines; extension lines are refused, since nothing here knows what they would mean.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lines: Vec<&str> = text.split('\n').collect();
        let [origin, size, root, ""] = lines.as_slice() else { return Err(CheckpointError::Lines) };
        if origin.is_empty() {
            return Err(CheckpointError::Origin);
        }
        let number: u64 = size.parse().map_err(|_| CheckpointError::Size)?;
        if number.to_string() != **size {
            return Err(CheckpointError::Size);
        }
        let bytes = STANDARD.decode(root).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let root = Digest::from_bytes(bytes.ok_or(CheckpointError::Root)?);
        Ok(Self { origin: (*origin).to_owned(), size: number, root })
    }
}

/// A signed note: the text, an empty line, and the signature lines.
pub fn note_text(checkpoint: &Checkpoint, signatures: &[String]) -> String {
    let mut note = format!("{checkpoint}\n");
    for line in signatures {
        note.push_str(line);
        note.push('\n');
    }
    note
}

/// A signature line of a note, without its line feed: an em dash, the key's name, and base64 of key id and signature.
pub fn signature_line(key_name: &str, key_id: [u8; 4], signature: &[u8]) -> String {
    let bytes: Vec<u8> = key_id.iter().chain(signature).copied().collect();
    format!("\u{2014} {key_name} {}", STANDARD.encode(bytes))
}

/// The id of an Ed25519 key: the first four bytes of SHA-256 over name, line feed, the algorithm's byte and the key.
pub fn key_id(key_name: &str, public_key: &[u8; 32]) -> [u8; 4] {
    let mut hash = Sha256::new();
    hash.update(key_name.as_bytes());
    hash.update(b"\n\x01");
    hash.update(public_key);
    let bytes: [u8; 32] = hash.finalize().into();
    let [a, b, c, d, ..] = bytes;
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "example.org/log\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn a_checkpoint_is_three_lines_and_is_read_back() {
        let checkpoint: Checkpoint = EXAMPLE.parse().unwrap();
        assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("example.org/log", 20_852_163));
        assert_eq!(checkpoint.to_string(), EXAMPLE);
    }

    #[test]
    fn what_is_no_checkpoint_is_refused() {
        let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
        for (text, error) in [
            (format!("a\n1\n{root}"), CheckpointError::Lines),
            (format!("a\n1\n{root}\nextension\n"), CheckpointError::Lines),
            (format!("\n1\n{root}\n"), CheckpointError::Origin),
            (format!("a\n01\n{root}\n"), CheckpointError::Size),
            (format!("a\n+1\n{root}\n"), CheckpointError::Size),
            (format!("a\n-1\n{root}\n"), CheckpointError::Size),
            ("a\n1\nCsUYapGGPo4=\n".to_owned(), CheckpointError::Root),
            ("a\n1\n!\n".to_owned(), CheckpointError::Root),
        ] {
            assert_eq!(text.parse::<Checkpoint>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_note_has_an_empty_line_before_its_signatures() {
        // The example key of Go's note package, `PeterNeumann+c74f20a3+ARpc…`.
        let key: [u8; 32] = STANDARD
            .decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
            .ok()
            .and_then(|bytes| bytes.get(1..).and_then(|key| key.try_into().ok()))
            .unwrap();
        assert_eq!(key_id("PeterNeumann", &key), [0xc7, 0x4f, 0x20, 0xa3]);
        let checkpoint: Checkpoint = EXAMPLE.parse().unwrap();
        let line = signature_line("gate", [1, 2, 3, 4], &[5]);
        assert_eq!(line, "\u{2014} gate AQIDBAU=");
        assert_eq!(note_text(&checkpoint, &[line]), format!("{EXAMPLE}\n\u{2014} gate AQIDBAU=\n"));
    }
}
