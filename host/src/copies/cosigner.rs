//! A witness's key, and what it says of a head: C2SP tlog-cosignature v1 with Ed25519.

use std::str::FromStr;

use audit_verify::TreeHash;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};

/// The byte that says Ed25519 cosignature.
const COSIGNATURE: u8 = 4;

/// A witness's key under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cosigner {
    name: String,
    key: VerifyingKey,
}

/// What is wrong with a text that should be a witness's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no key `NAME+ID+KEY` of an Ed25519 cosigner")]
pub(super) struct NoCosigner;

impl FromStr for Cosigner {
    type Err = NoCosigner;

    fn from_str(text: &str) -> Result<Self, NoCosigner> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoCosigner);
        };
        let bytes = STANDARD.decode(key).map_err(|_| NoCosigner)?;
        let (algorithm, public) = bytes.split_first().ok_or(NoCosigner)?;
        let public: &[u8; 32] = public.try_into().map_err(|_| NoCosigner)?;
        let key = VerifyingKey::from_bytes(public).map_err(|_| NoCosigner)?;
        let odd = name.is_empty() || name.contains(char::is_whitespace);
        let cosigner = Self { name: name.to_owned(), key };
        let right = format!("{:08x}", u32::from_be_bytes(cosigner.id())) == id;
        if *algorithm == COSIGNATURE && right && !odd { Ok(cosigner) } else { Err(NoCosigner) }
    }
}

impl Cosigner {
    fn id(&self) -> [u8; 4] {
        let hash = TreeHash::over(&[self.name.as_bytes(), &[b'\n', COSIGNATURE], self.key.as_bytes()]);
        let [a, b, c, d, ..] = *hash.as_bytes();
        [a, b, c, d]
    }

    /// The line among these by which this witness vouches for a head's text. Lines of other keys say nothing.
    pub(super) fn find<'a>(&self, text: &str, lines: &'a str) -> Option<&'a str> {
        lines.lines().find(|line| self.vouches(text, line).unwrap_or(false))
    }

    fn vouches(&self, text: &str, line: &str) -> Option<bool> {
        let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let bytes = STANDARD.decode(encoded).ok()?;
        let (id, rest) = bytes.split_first_chunk::<4>()?;
        let (time, signature) = rest.split_first_chunk::<8>()?;
        if name != self.name || *id != self.id() {
            return None;
        }
        let time = u64::from_be_bytes(*time);
        let message = format!("cosignature/v1\ntime {time}\n{text}");
        let signature = Signature::from_slice(signature).ok()?;
        Some(i64::try_from(time).is_ok() && self.key.verify_strict(message.as_bytes(), &signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;

    fn key(seed: u8, name: &str, algorithm: u8) -> (SigningKey, String) {
        let signing = SigningKey::from_bytes(&[seed; 32]);
        let public = signing.verifying_key();
        let id = TreeHash::over(&[name.as_bytes(), &[b'\n', algorithm], public.as_bytes()]);
        let id: String = id.as_bytes().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let bytes: Vec<u8> = std::iter::once(algorithm).chain(*public.as_bytes()).collect();
        (signing, format!("{name}+{id}+{}", STANDARD.encode(bytes)))
    }

    fn line(signing: &SigningKey, cosigner: &Cosigner, time: u64, text: &str) -> String {
        let signature = signing.sign(format!("cosignature/v1\ntime {time}\n{text}").as_bytes()).to_bytes();
        let bytes: Vec<u8> = cosigner.id().into_iter().chain(time.to_be_bytes()).chain(signature).collect();
        format!("\u{2014} {} {}", cosigner.name, STANDARD.encode(bytes))
    }

    #[test]
    fn only_the_witness_itself_vouches_and_for_this_head_alone() {
        let (signing, vkey) = key(1, "witness.example/w1", COSIGNATURE);
        let cosigner: Cosigner = vkey.parse().unwrap();
        let (other, _) = key(2, "witness.example/w1", COSIGNATURE);
        let text = "example.com/log\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let good = line(&signing, &cosigner, 1_679_315_147, text);
        let lines = format!("\u{2014} somebody else\nno line\n{}\n{good}\n", line(&other, &cosigner, 1, text));
        assert_eq!(cosigner.find(text, &lines), Some(good.as_str()));
        assert_eq!(cosigner.find(&text.replace("\n3\n", "\n4\n"), &lines), None);
        assert_eq!(cosigner.find(text, &line(&signing, &cosigner, u64::MAX, text)), None, "a time that cannot be");
        assert_eq!(cosigner.find(text, &good.replace("w1", "w2")), None);
    }

    #[test]
    fn a_key_has_one_form() {
        let (_, good) = key(1, "w", COSIGNATURE);
        assert!(good.parse::<Cosigner>().is_ok());
        let (_, signer) = key(1, "w", 1);
        for bad in ["", "w", "w+00000000", &good.replace("w+", "v+"), &signer, &good.replace("w+", "w w+")] {
            assert_eq!(bad.parse::<Cosigner>(), Err(NoCosigner), "{bad}");
        }
    }
}
