//! SHA-256 digests, written as 64 lower-case hexadecimal digits.

mod digits;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::{json, parsed};

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// What is wrong with a text that should be a digest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a digest is 64 lower-case hexadecimal digits, not `{0}`")]
pub struct DigestError(String);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of a value's canonical JSON (RFC 8785).
    ///
    /// # Errors
    /// When the value has no canonical form, such as a map whose keys are not strings.
    pub fn of_json<T: Serialize>(value: &T) -> Result<Self, json::CanonicalError> {
        Ok(Self::of(&json::to_canonical_bytes(value)?))
    }

    /// A digest that was computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Hands on its digits: a digest stands in every question several times, and is written without a copy.
    fn written<T>(&self, write: impl FnOnce(&str) -> T) -> T {
        let mut text = [0_u8; 64];
        for (text, bytes) in text.as_chunks_mut().0.iter_mut().zip(self.0.as_chunks().0) {
            *text = digits::written(*bytes);
        }
        // Digits are text.
        write(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.written(|digits| f.write_str(digits))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || DigestError(text.chars().take(80).collect());
        let text: &[u8; 64] = text.as_bytes().try_into().map_err(|_| refuse())?;
        let mut bytes = [0_u8; 32];
        for (bytes, text) in bytes.as_chunks_mut().0.iter_mut().zip(text.as_chunks().0) {
            *bytes = digits::read(*text).ok_or_else(refuse)?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.written(|digits| serializer.serialize_str(digits))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed::from_text(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_written_in_lower_case_digits_and_read_from_nothing_else() {
        let bytes: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 37 % 256).unwrap());
        let written: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let digest = Digest::from_bytes(bytes);
        assert_eq!((digest.to_string(), format!("{digest:?}")), (written.clone(), written.clone()));
        assert_eq!(serde_json::to_value(digest).unwrap(), serde_json::Value::from(written.as_str()));
        assert_eq!(serde_json::from_value::<Digest>(serde_json::Value::from(written.as_str())).unwrap(), digest);
        assert_eq!(serde_json::from_str::<Digest>(&format!("\"{written}\"")).unwrap(), digest);
        for other in [written.to_uppercase(), written.replace('0', "g"), format!("{written}0"), String::new()] {
            let refused = serde_json::from_value::<Digest>(serde_json::Value::from(other.as_str())).unwrap_err();
            assert!(refused.to_string().starts_with("a digest is 64 lower-case"), "{refused}");
        }
        let refused = serde_json::from_value::<Digest>(serde_json::Value::from(7)).unwrap_err();
        assert_eq!(refused.to_string(), "invalid type: integer `7`, expected a string");
    }
}
