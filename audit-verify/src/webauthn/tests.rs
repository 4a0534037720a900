//! Each check with an answer in which only that one is wrong, and answers that are twisted anyhow.

use coset::cbor::value::Value;
use proptest::prelude::*;

use super::soft::{ORIGIN, Parts, RP_ID, Soft, THERE, attestation, authenticator_data, cbor, client_data};
use super::*;

const CHALLENGE: [u8; 32] = [7; 32];

fn expected() -> Expected<'static> {
    Expected { challenge: &CHALLENGE, origin: ORIGIN, rp_id: RP_ID }
}

fn check(parts: &Parts, cose: &[u8]) -> Result<Verified, AssertionFault> {
    let Parts { authenticator_data, client_data, signature } = parts;
    verify(&Assertion { authenticator_data, client_data, signature }, &expected(), &PublicKey::read(cose)?)
}

fn soft() -> [Soft; 2] {
    [Soft::es256(3), Soft::eddsa(4)]
}

#[test]
fn an_assertion_of_either_kind_of_key_holds() {
    for (soft, algorithm) in soft().iter().zip(["ES256", "EdDSA"]) {
        let verified = check(&soft.assert(&CHALLENGE, 9), &soft.cose()).unwrap();
        assert_eq!(verified, Verified { counter: 9, backup_eligible: false, backed_up: false });
        assert_eq!(PublicKey::read(&soft.cose()).unwrap().algorithm(), algorithm);
        let synced = soft.sign(authenticator_data(RP_ID, THERE | 0x18, 0), soft.assert(&CHALLENGE, 0).client_data);
        assert!(check(&synced, &soft.cose()).unwrap().backed_up);
        // Extensions are one map behind the rest.
        let mut extended = authenticator_data(RP_ID, THERE | 0x80, 0);
        extended.extend(cbor(&Value::Map(vec![(Value::from("credProps"), Value::from(true))])));
        assert!(check(&soft.sign(extended, soft.assert(&CHALLENGE, 0).client_data), &soft.cose()).is_ok());
    }
}

#[test]
fn each_check_refuses_an_assertion_in_which_only_it_is_wrong() {
    for soft in soft() {
        let there = || authenticator_data(RP_ID, THERE, 1);
        let client = |kind: &str, challenge: u8, origin: &str| client_data(kind, &[challenge; 32], origin);
        let said = |more: &str| {
            let whole = String::from_utf8(client("webauthn.get", 7, ORIGIN)).unwrap();
            whole.replace(r#""crossOrigin":false"#, more).into_bytes()
        };
        let good = || client("webauthn.get", 7, ORIGIN);
        let mut trailing = there();
        trailing.push(0);
        let mut extension = authenticator_data(RP_ID, THERE | 0x80, 1);
        extension.push(0x01);
        let padded = String::from_utf8(good()).unwrap().replace("BwcHBwcHBwc\"", "BwcHBwcHBwc=\"").into_bytes();
        assert_ne!(padded, good());
        for (authenticator, client, fault) in [
            (there(), client("webauthn.create", 7, ORIGIN), AssertionFault::Type),
            (there(), client("payment.get", 7, ORIGIN), AssertionFault::Type),
            (there(), client("webauthn.get", 8, ORIGIN), AssertionFault::Challenge),
            (there(), padded, AssertionFault::Challenge),
            (there(), client("webauthn.get", 7, "https://evil.example"), AssertionFault::Origin),
            (there(), client("webauthn.get", 7, "http://gate.example"), AssertionFault::Origin),
            (there(), client("webauthn.get", 7, "https://gate.example:8443"), AssertionFault::Origin),
            (there(), client("webauthn.get", 7, "https://sub.gate.example"), AssertionFault::Origin),
            (there(), said(r#""crossOrigin":true"#), AssertionFault::CrossOrigin),
            (there(), said(r#""topOrigin":"https://evil.example""#), AssertionFault::CrossOrigin),
            (there(), said(r#""origin":"https://gate.example""#), AssertionFault::ClientData),
            (there(), b"[]".to_vec(), AssertionFault::ClientData),
            (there(), [good(), b" x".to_vec()].concat(), AssertionFault::ClientData),
            (there(), [good(), vec![b' '; LONGEST_CLIENT_DATA]].concat(), AssertionFault::TooLong),
            (authenticator_data("evil.example", THERE, 1), good(), AssertionFault::RpId),
            (authenticator_data(RP_ID, 0x04, 1), good(), AssertionFault::UserAbsent),
            (authenticator_data(RP_ID, 0x01, 1), good(), AssertionFault::UserUnverified),
            (authenticator_data(RP_ID, THERE | 0x10, 1), good(), AssertionFault::Backup),
            (there()[..36].to_vec(), good(), AssertionFault::AuthenticatorData),
            (trailing, good(), AssertionFault::AuthenticatorData),
            (extension, good(), AssertionFault::AuthenticatorData),
            (authenticator_data(RP_ID, THERE | 0x40, 1), good(), AssertionFault::AuthenticatorData),
            (soft.registering(THERE), good(), AssertionFault::AuthenticatorData),
            ([there(), vec![0; LONGEST_AUTHENTICATOR_DATA]].concat(), good(), AssertionFault::TooLong),
        ] {
            assert_eq!(check(&soft.sign(authenticator, client), &soft.cose()), Err(fault), "{fault:?}");
        }
        let good = soft.assert(&CHALLENGE, 1);
        let other = Soft::es256(9);
        assert_eq!(check(&good, &other.cose()), Err(AssertionFault::Signature), "another's key");
        let counted = Parts { authenticator_data: authenticator_data(RP_ID, THERE, 2), ..good.clone() };
        assert_eq!(check(&counted, &soft.cose()), Err(AssertionFault::Signature), "a counter set forward");
        let spaced = Parts { client_data: [good.client_data.clone(), b" ".to_vec()].concat(), ..good.clone() };
        assert_eq!(check(&spaced, &soft.cose()), Err(AssertionFault::Signature), "the same words in other bytes");
        let long = Parts { signature: vec![0; LONGEST_SIGNATURE + 1], ..good.clone() };
        assert_eq!(check(&long, &soft.cose()), Err(AssertionFault::TooLong));
        let none = Parts { signature: Vec::new(), ..good };
        assert_eq!(check(&none, &soft.cose()), Err(AssertionFault::Signature));
    }
}

#[test]
fn keys_of_other_kinds_are_none() {
    let [p256, ed25519] = soft().map(|soft| soft.cose());
    let swap = |cose: &[u8], label: i64, to: Value| {
        let Value::Map(mut map) = coset::cbor::de::from_reader(cose).unwrap() else { unreachable!("a map") };
        for (key, value) in &mut map {
            if *key == Value::from(label) {
                *value = to.clone();
            }
        }
        cbor(&Value::Map(map))
    };
    for (what, cose) in [
        ("nothing", Vec::new()),
        ("no map", cbor(&Value::from(1))),
        ("another algorithm", swap(&p256, 3, Value::from(-257))),
        ("EdDSA on P-256", swap(&p256, 3, Value::from(-8))),
        ("another curve", swap(&p256, -1, Value::from(2))),
        ("not on the curve", swap(&p256, -3, Value::Bytes(vec![1; 32]))),
        ("a short coordinate", swap(&p256, -2, Value::Bytes(vec![1; 31]))),
        ("no number", swap(&p256, -2, Value::from(1))),
        ("X25519", swap(&ed25519, -1, Value::from(4))),
        ("a key of small order", swap(&ed25519, -2, Value::Bytes([vec![1], vec![0; 31]].concat()))),
        ("more behind it", [p256.clone(), vec![0]].concat()),
        ("a long one", vec![0; 600]),
    ] {
        assert_eq!(PublicKey::read(&cose).err(), Some(AssertionFault::Key), "{what}");
    }
}

#[test]
fn a_registration_holds_and_each_check_refuses_one_in_which_only_it_is_wrong() {
    for soft in soft() {
        let client = client_data("webauthn.create", &CHALLENGE, ORIGIN);
        let whole = || attestation(soft.registering(THERE | 0x08), "none", Vec::new());
        let registered = register(&whole(), &client, &expected()).unwrap();
        assert_eq!((&registered.credential, &registered.key), (&soft.credential, &soft.cose()));
        assert!(registered.verified.backup_eligible && !registered.verified.backed_up);
        // What an authenticator says of itself is not looked at.
        let vouched = vec![(Value::from("sig"), Value::Bytes(vec![1]))];
        assert!(
            register(&attestation(soft.registering(THERE), "packed", vouched.clone()), &client, &expected()).is_ok()
        );
        let mut cut = soft.registering(THERE);
        cut.pop();
        let mut none = authenticator_data(RP_ID, THERE | 0x40, 0);
        none.extend([0; 18]);
        let unattested = authenticator_data(RP_ID, THERE, 0);
        let unknown = attestation(
            [&soft.registering(THERE)[..37 + 16 + 2 + 16], &cbor(&Value::from(1))].concat(),
            "none",
            Vec::new(),
        );
        for (object, fault) in [
            (attestation(soft.registering(0x41), "none", Vec::new()), AssertionFault::UserUnverified),
            (attestation(soft.registering(0x44), "none", Vec::new()), AssertionFault::UserAbsent),
            (attestation(soft.registering(THERE), "none", vouched), AssertionFault::AuthenticatorData),
            (attestation(cut, "none", Vec::new()), AssertionFault::AuthenticatorData),
            (attestation(none, "none", Vec::new()), AssertionFault::AuthenticatorData),
            (attestation(unattested, "none", Vec::new()), AssertionFault::AuthenticatorData),
            (unknown, AssertionFault::Key),
            ([whole(), vec![0]].concat(), AssertionFault::AuthenticatorData),
            (cbor(&Value::from(1)), AssertionFault::AuthenticatorData),
            (vec![0; 9000], AssertionFault::TooLong),
        ] {
            assert_eq!(register(&object, &client, &expected()), Err(fault), "{fault:?}");
        }
        for (client, fault) in [
            (client_data("webauthn.get", &CHALLENGE, ORIGIN), AssertionFault::Type),
            (client_data("webauthn.create", &[8; 32], ORIGIN), AssertionFault::Challenge),
            (client_data("webauthn.create", &CHALLENGE, "https://evil.example"), AssertionFault::Origin),
        ] {
            assert_eq!(register(&whole(), &client, &expected()), Err(fault), "{fault:?}");
        }
        let elsewhere = Expected { rp_id: "evil.example", ..expected() };
        assert_eq!(register(&whole(), &client, &elsewhere), Err(AssertionFault::RpId));
    }
}

/// Bytes with one changed, put in or taken out.
fn twisted(bytes: &[u8], place: usize, how: u8, byte: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let place = place % bytes.len().max(1);
    match how % 3 {
        0 => bytes[place] ^= byte.max(1),
        1 => bytes.insert(place, byte),
        _ => drop(bytes.remove(place)),
    }
    bytes
}

proptest! {
    #[test]
    fn nothing_that_was_twisted_holds(which in 0..3u8, place in 0..600usize, how in 0..3u8, byte: u8, kind in 0..2usize) {
        let soft = &soft()[kind];
        let good = soft.assert(&CHALLENGE, 5);
        let mut bad = good.clone();
        let part = match which {
            0 => &mut bad.authenticator_data,
            1 => &mut bad.client_data,
            _ => &mut bad.signature,
        };
        *part = twisted(part, place, how, byte);
        let same = bad.authenticator_data == good.authenticator_data
            && bad.client_data == good.client_data
            && bad.signature == good.signature;
        prop_assert!(same || check(&bad, &soft.cose()).is_err());
    }

    #[test]
    fn whatever_is_sent_is_answered(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let parts = Parts { authenticator_data: bytes.clone(), client_data: bytes.clone(), signature: bytes.clone() };
        prop_assert!(check(&parts, &soft()[0].cose()).is_err());
        prop_assert!(PublicKey::read(&bytes).is_err());
        prop_assert!(register(&bytes, &client_data("webauthn.create", &CHALLENGE, ORIGIN), &expected()).is_err());
    }

    #[test]
    fn a_twisted_registration_is_another_credential_or_none(place in 0..300usize, how in 0..3u8, byte: u8) {
        let soft = Soft::es256(3);
        let object = attestation(soft.registering(THERE), "none", Vec::new());
        let client = client_data("webauthn.create", &CHALLENGE, ORIGIN);
        if let Ok(registered) = register(&twisted(&object, place, how, byte), &client, &expected()) {
            prop_assert!(PublicKey::read(&registered.key).is_ok());
            prop_assert!(registered.credential.len() <= LONGEST_CREDENTIAL);
        }
    }
}
