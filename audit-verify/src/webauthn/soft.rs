//! An authenticator of this process, for tests: it answers whatever it is told to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coset::cbor::value::Value;
use coset::{CborSerializable as _, CoseKeyBuilder, iana};
use p256::ecdsa::signature::Signer as _;

use crate::hash::sha256;

pub const RP_ID: &str = "gate.example";
pub const ORIGIN: &str = "https://gate.example";
/// Present and verified.
pub const THERE: u8 = 0x05;

/// A credential in it.
pub struct Soft {
    pub credential: Vec<u8>,
    keys: Keys,
}

enum Keys {
    P256(p256::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
}

/// An assertion, in parts that a test may twist.
#[derive(Clone)]
pub struct Parts {
    pub authenticator_data: Vec<u8>,
    pub client_data: Vec<u8>,
    pub signature: Vec<u8>,
}

impl Soft {
    pub fn es256(seed: u8) -> Self {
        let key = p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap();
        Self { credential: vec![seed; 16], keys: Keys::P256(key) }
    }

    pub fn eddsa(seed: u8) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
        Self { credential: vec![seed; 16], keys: Keys::Ed25519(key) }
    }

    /// The public key: COSE in CBOR.
    pub fn cose(&self) -> Vec<u8> {
        match &self.keys {
            Keys::P256(key) => {
                let point = key.verifying_key().to_encoded_point(false);
                let (x, y) = (point.x().unwrap().to_vec(), point.y().unwrap().to_vec());
                let key = CoseKeyBuilder::new_ec2_pub_key(iana::EllipticCurve::P_256, x, y);
                key.algorithm(iana::Algorithm::ES256).build().to_vec().unwrap()
            }
            Keys::Ed25519(key) => {
                let x = key.verifying_key().to_bytes().to_vec();
                let map = [(1, Value::from(1)), (3, Value::from(-8)), (-1, Value::from(6)), (-2, Value::Bytes(x))];
                let map = map.into_iter().map(|(label, value)| (Value::from(label), value)).collect();
                cbor(&Value::Map(map))
            }
        }
    }

    pub fn sign(&self, authenticator_data: Vec<u8>, client_data: Vec<u8>) -> Parts {
        let message = [&authenticator_data[..], &sha256(&client_data)].concat();
        let signature = match &self.keys {
            Keys::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(&message);
                signature.to_der().as_bytes().to_vec()
            }
            Keys::Ed25519(key) => ed25519_dalek::Signer::sign(key, &message).to_vec(),
        };
        Parts { authenticator_data, client_data, signature }
    }

    /// What a browser would send for this challenge.
    pub fn assert(&self, challenge: &[u8; 32], counter: u32) -> Parts {
        self.sign(authenticator_data(RP_ID, THERE, counter), client_data("webauthn.get", challenge, ORIGIN))
    }

    /// The authenticator's data of a registration.
    pub fn registering(&self, flags: u8) -> Vec<u8> {
        let mut data = authenticator_data(RP_ID, flags | 0x40, 0);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.credential.len()).unwrap().to_be_bytes());
        data.extend(&self.credential);
        data.extend(self.cose());
        data
    }
}

pub fn authenticator_data(rp_id: &str, flags: u8, counter: u32) -> Vec<u8> {
    let mut data = sha256(rp_id.as_bytes()).to_vec();
    data.push(flags);
    data.extend(counter.to_be_bytes());
    data
}

pub fn client_data(kind: &str, challenge: &[u8; 32], origin: &str) -> Vec<u8> {
    let challenge = URL_SAFE_NO_PAD.encode(challenge);
    format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}","crossOrigin":false}}"#).into_bytes()
}

/// The object of a registration.
pub fn attestation(authenticator_data: Vec<u8>, format: &str, statement: Vec<(Value, Value)>) -> Vec<u8> {
    cbor(&Value::Map(vec![
        (Value::from("fmt"), Value::from(format)),
        (Value::from("attStmt"), Value::Map(statement)),
        (Value::from("authData"), Value::Bytes(authenticator_data)),
    ]))
}

pub fn cbor(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    coset::cbor::ser::into_writer(value, &mut bytes).unwrap();
    bytes
}
