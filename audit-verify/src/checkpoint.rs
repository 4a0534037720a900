//! The text of a tree's head: a C2SP checkpoint (tlog-checkpoint v1.0.0).

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::hash::TreeHash;

/// What a head says: which log, how many records, which root. Its text is what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name, unique among all logs; no line break.
    pub origin: String,
    /// How many leaves.
    pub size: u64,
    /// The root over them.
    pub root: TreeHash,
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
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root.to_base64())
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
        let root = TreeHash::from_base64(root).ok_or(CheckpointError::Root)?;
        Ok(Self { origin: (*origin).to_owned(), size: number, root })
    }
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
}
