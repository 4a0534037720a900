//! The public keys of passkeys: COSE (RFC 9053), of ES256 and EdDSA alone.

use coset::cbor::value::Value;
use coset::iana::{self, EnumI64 as _};
use coset::{CborSerializable as _, CoseKey, Label, RegisteredLabel, RegisteredLabelWithPrivate};
use p256::ecdsa::signature::Verifier as _;

use super::AssertionFault;

/// The longest key.
const LONGEST: usize = 512;

/// A passkey's public key.
#[derive(Debug, Clone)]
pub struct PublicKey(Kind);

#[derive(Debug, Clone)]
enum Kind {
    P256(p256::ecdsa::VerifyingKey),
    Ed25519(ed25519_dalek::VerifyingKey),
}

impl PublicKey {
    /// Reads COSE in CBOR.
    ///
    /// # Errors
    /// [`AssertionFault::Key`] for any but these two kinds.
    pub fn read(cose: &[u8]) -> Result<Self, AssertionFault> {
        if cose.len() > LONGEST {
            return Err(AssertionFault::Key);
        }
        kind(cose).map(Self).ok_or(AssertionFault::Key)
    }

    /// What it signs with, as the standard calls it.
    pub const fn algorithm(&self) -> &'static str {
        match self.0 {
            Kind::P256(_) => "ES256",
            Kind::Ed25519(_) => "EdDSA",
        }
    }

    /// Whether it signed this.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Kind::P256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Kind::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
        }
    }
}

fn kind(cose: &[u8]) -> Option<Kind> {
    let key = CoseKey::from_slice(cose).ok()?;
    let Some(RegisteredLabelWithPrivate::Assigned(algorithm)) = key.alg else { return None };
    match (&key.kty, algorithm) {
        (RegisteredLabel::Assigned(iana::KeyType::EC2), iana::Algorithm::ES256) => {
            is_curve(&key, iana::Ec2KeyParameter::Crv.to_i64(), iana::EllipticCurve::P_256)?;
            let x = coordinate(&key, iana::Ec2KeyParameter::X.to_i64())?;
            let y = coordinate(&key, iana::Ec2KeyParameter::Y.to_i64())?;
            let point = p256::EncodedPoint::from_affine_coordinates(&x.into(), &y.into(), false);
            p256::ecdsa::VerifyingKey::from_encoded_point(&point).ok().map(Kind::P256)
        }
        (RegisteredLabel::Assigned(iana::KeyType::OKP), iana::Algorithm::EdDSA) => {
            is_curve(&key, iana::OkpKeyParameter::Crv.to_i64(), iana::EllipticCurve::Ed25519)?;
            let x = coordinate(&key, iana::OkpKeyParameter::X.to_i64())?;
            let key = ed25519_dalek::VerifyingKey::from_bytes(&x).ok()?;
            // A key of small order signs whatever one likes.
            (!key.is_weak()).then_some(Kind::Ed25519(key))
        }
        _ => None,
    }
}

fn member(key: &CoseKey, label: i64) -> Option<&Value> {
    let mut found = key.params.iter().filter(|(name, _)| *name == Label::Int(label)).map(|(_, value)| value);
    let value = found.next()?;
    found.next().is_none().then_some(value)
}

fn is_curve(key: &CoseKey, label: i64, curve: iana::EllipticCurve) -> Option<()> {
    (*member(key, label)? == Value::from(curve.to_i64())).then_some(())
}

fn coordinate(key: &CoseKey, label: i64) -> Option<[u8; 32]> {
    member(key, label)?.as_bytes()?.as_slice().try_into().ok()
}
