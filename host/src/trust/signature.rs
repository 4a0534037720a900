//! Algorithms and the keys that fit them. The mathematics is `ring`'s, which the gate's TLS stands on, too.

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaPublicKeyComponents, UnparsedPublicKey,
};

use super::fault::TokenFault;

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PublicKey {
    /// RSA: modulus and exponent, without zeros in front.
    Rsa(Vec<u8>, Vec<u8>),
    /// A point on P-256, uncompressed.
    P256(Vec<u8>),
    /// A point on P-384, uncompressed.
    P384(Vec<u8>),
    /// Ed25519.
    Ed25519(Vec<u8>),
}

/// An algorithm that an issuer may be configured for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

impl Algorithm {
    const NAMES: [(&'static str, Self); 9] = [
        ("RS256", Self::Rs256),
        ("RS384", Self::Rs384),
        ("RS512", Self::Rs512),
        ("PS256", Self::Ps256),
        ("PS384", Self::Ps384),
        ("PS512", Self::Ps512),
        ("ES256", Self::Es256),
        ("ES384", Self::Es384),
        ("EdDSA", Self::EdDsa),
    ];

    /// By its name (RFC 7518, RFC 8037). No symmetric one and no `none` has one here.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find_map(|(known, algorithm)| (*known == name).then_some(*algorithm))
    }

    /// Whether a key is of the family that this algorithm signs with.
    pub const fn fits(self, key: &PublicKey) -> bool {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => {
                matches!(key, PublicKey::Rsa(..))
            }
            Self::Es256 => matches!(key, PublicKey::P256(_)),
            Self::Es384 => matches!(key, PublicKey::P384(_)),
            Self::EdDsa => matches!(key, PublicKey::Ed25519(_)),
        }
    }

    /// Whether this signature over these bytes is the key's.
    ///
    /// INVARIANT (R8): the algorithm is the one that the issuer's entry and the key both admit; the token only says which
    /// of those it used.
    pub fn verify(self, key: &PublicKey, signed: &[u8], signature: &[u8]) -> Result<(), TokenFault> {
        let rsa = match self {
            Self::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
            Self::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
            Self::Ps384 => Some(&RSA_PSS_2048_8192_SHA384),
            Self::Ps512 => Some(&RSA_PSS_2048_8192_SHA512),
            Self::Es256 | Self::Es384 | Self::EdDsa => None,
        };
        let verified = match (self, key, rsa) {
            (_, PublicKey::Rsa(n, e), Some(rsa)) => RsaPublicKeyComponents { n, e }.verify(rsa, signed, signature),
            (Self::Es256, PublicKey::P256(point), _) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature)
            }
            (Self::Es384, PublicKey::P384(point), _) => {
                UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).verify(signed, signature)
            }
            (Self::EdDsa, PublicKey::Ed25519(public), _) => {
                UnparsedPublicKey::new(&ED25519, public).verify(signed, signature)
            }
            _ => return Err(TokenFault::Signature),
        };
        verified.map_err(|_| TokenFault::Signature)
    }
}
