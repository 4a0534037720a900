//! An authenticator of this process: one key, a counter where it counts, and whatever a test wants it to say.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use policy_core::digest::Digest;
use serde_json::{Value, json};

/// An authenticator with one passkey, and the browser that it is asked by.
#[derive(Clone)]
pub(super) struct Authenticator {
    key: SigningKey,
    credential: Vec<u8>,
    /// Whom it is for, as it was told.
    user: String,
    /// What it counts. Nothing: it does not count.
    pub(super) counter: u32,
    /// Whether it counts.
    pub(super) counts: bool,
    /// Present, verified.
    pub(super) flags: u8,
    /// Whose credential it says it is.
    pub(super) rp_id: String,
    /// The page that asks it.
    pub(super) origin: String,
}

impl Authenticator {
    pub(super) fn new(seed: u8) -> Self {
        Self {
            key: SigningKey::from_slice(&[seed; 32]).unwrap(),
            credential: vec![seed; 24],
            user: String::new(),
            counter: 0,
            counts: false,
            flags: 0x05,
            rp_id: "gate.example".to_owned(),
            origin: "https://gate.example".to_owned(),
        }
    }

    /// One that counts.
    pub(super) fn counting(seed: u8) -> Self {
        Self { counts: true, ..Self::new(seed) }
    }

    /// What the credential is called.
    pub(super) fn credential(&self) -> String {
        text(&self.credential)
    }

    /// Makes its passkey for this challenge.
    pub(super) fn create(&mut self, challenge: &Value) -> Value {
        self.user = challenge["user"].as_str().unwrap_or_default().to_owned();
        let point = self.key.verifying_key().to_encoded_point(false);
        let mut data = self.data(0x40);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.credential.len()).unwrap().to_be_bytes());
        data.extend(&self.credential);
        // {1: 2, 3: -7, -1: 1, -2: x, -3: y}
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(point.x().unwrap());
        data.extend([0x22, 0x58, 0x20]);
        data.extend(point.y().unwrap());
        // {"fmt": "none", "attStmt": {}, "authData": data}
        let mut object = vec![0xa3];
        object.extend(b"\x63fmt\x64none\x67attStmt\xa0\x68authData\x58");
        object.push(u8::try_from(data.len()).unwrap());
        object.extend(data);
        let challenge = digest(challenge);
        json!({
            "attestation_object": text(&object),
            "client_data": text(&self.client_data("webauthn.create", &challenge)),
        })
    }

    /// Answers a challenge.
    pub(super) fn get(&mut self, challenge: &Digest) -> Value {
        self.counter += u32::from(self.counts);
        let data = self.data(0);
        let client_data = self.client_data("webauthn.get", challenge);
        let message = [&data[..], Digest::of(&client_data).as_bytes()].concat();
        let signature: Signature = self.key.sign(&message);
        json!({
            "credential": self.credential(),
            "authenticator_data": text(&data),
            "client_data": text(&client_data),
            "signature": text(signature.to_der().as_bytes()),
        })
    }

    /// Answers the challenge of a sign-in.
    pub(super) fn sign_in(&mut self, begun: &Value) -> Value {
        let assertion = self.get(&digest(begun));
        json!({"held": begun["held"], "user": self.user, "assertion": assertion})
    }

    fn data(&self, more: u8) -> Vec<u8> {
        let mut data = Digest::of(self.rp_id.as_bytes()).as_bytes().to_vec();
        data.push(self.flags | more);
        data.extend(self.counter.to_be_bytes());
        data
    }

    fn client_data(&self, kind: &str, challenge: &Digest) -> Vec<u8> {
        let challenge = text(challenge.as_bytes());
        json!({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false})
            .to_string()
            .into_bytes()
    }
}

fn digest(challenge: &Value) -> Digest {
    challenge["challenge"].as_str().unwrap().parse().unwrap()
}

pub(super) fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
