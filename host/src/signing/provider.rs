//! Ed25519 for `jsonwebtoken`, and nothing else.

use std::sync::Once;

use ed25519_dalek::ed25519::signature::{Error, Signer, Verifier};
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};

/// The only provider of this process.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    // For keys in other forms than the two that stand here; nothing asks for them.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes `jsonwebtoken` usable. Before anything is signed or verified.
pub(super) fn install() {
    static INSTALLED: Once = Once::new();
    // Somebody else in this process may have been first; theirs knows EdDSA, too.
    INSTALLED.call_once(|| {
        let _ = PROVIDER.install_default();
    });
}

struct Ed25519Signer(SigningKey);

impl Signer<Vec<u8>> for Ed25519Signer {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        let signature: Signature = self.0.try_sign(message)?;
        Ok(signature.to_vec())
    }
}

impl JwtSigner for Ed25519Signer {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct Ed25519Verifier(VerifyingKey);

impl Verifier<Vec<u8>> for Ed25519Verifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        // Strictly: a weak key or a second form of the same signature is none.
        self.0.verify_strict(message, &Signature::from_slice(signature)?)
    }
}

impl JwtVerifier for Ed25519Verifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    let secret: [u8; 32] = key.as_bytes().try_into().map_err(|_| ErrorKind::InvalidKeyFormat)?;
    match algorithm {
        Algorithm::EdDSA => Ok(Box::new(Ed25519Signer(SigningKey::from_bytes(&secret)))),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    let public: [u8; 32] = key.try_get_as_bytes()?.try_into().map_err(|_| ErrorKind::InvalidKeyFormat)?;
    match algorithm {
        Algorithm::EdDSA => {
            let public = VerifyingKey::from_bytes(&public).map_err(|_| ErrorKind::InvalidKeyFormat)?;
            Ok(Box::new(Ed25519Verifier(public)))
        }
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}
