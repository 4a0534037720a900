//! A person's passkeys in words, and bytes as browsers and gate exchange them.

use policy_core::text;
use policy_core::time::Timestamp;
use proviso_api::passkeys::PasskeyLine;

use super::time::zoned;

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Bytes in base64url without padding.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            let letter = (bits >> (18 - 6 * place)) & 63;
            text.extend(LETTERS.get(letter as usize).map(|letter| char::from(*letter)));
        }
    }
    text
}

/// What [`encode`] wrote. Absent: it is none of it.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0u32, 0u32);
    for letter in text.bytes() {
        let place = LETTERS.iter().position(|known| *known == letter)?;
        bits = (bits << 6) | u32::try_from(place).ok()?;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    (text.len() % 4 != 1).then_some(bytes)
}

/// What a passkey is called when its person gives it no name.
pub fn label(typed: &str, browser: &str) -> String {
    let typed = typed.trim();
    if typed.is_empty() { text::visible(browser, 60) } else { typed.chars().take(64).collect() }
}

/// How a passkey stands, in one line.
pub fn standing(line: &PasskeyLine, now: Timestamp) -> String {
    let added = format!("added {}, {}", zoned(line.added_at), line.algorithm);
    let synced = if line.synced { ", may be in several places" } else { "" };
    let used = line.used_at.map(|at| format!(", last used {}", zoned(at))).unwrap_or_default();
    let counts = if now < line.counts_from {
        format!("; votes on the lowest tier alone until {}", zoned(line.counts_from))
    } else {
        String::new()
    };
    format!("{added}{synced}{used}{counts}")
}

/// What is wrong with a passkey that signs nothing.
pub fn trouble(line: &PasskeyLine) -> Option<&'static str> {
    match line.state.as_str() {
        "live" => None,
        "suspended" => Some("Somebody has a copy of it. It signs nothing; end it, and find out who."),
        _ => Some("It is of before the gate was restored, and signs nothing. End it, and add it anew."),
    }
}

/// Why the browser's authenticator gave no answer, by the name of its error, and what to do about it.
pub fn refusal(name: &str) -> (&'static str, &'static str) {
    match name {
        "NotAllowedError" => (
            "No authenticator answered: it was called off, took too long, or none here holds a passkey of yours.",
            "Try again, and confirm at the authenticator.",
        ),
        "InvalidStateError" => {
            ("This authenticator holds a passkey of yours already.", "Use that one, or another authenticator.")
        }
        "SecurityError" => (
            "The browser makes no passkeys at this address.",
            "Open the gate under the name that the operator gave it.",
        ),
        "NotSupportedError" | "ConstraintError" => (
            "This authenticator cannot verify who you are.",
            "Use one with a PIN, a fingerprint or a face, or set a PIN for this one.",
        ),
        _ => ("This browser has no passkeys.", "Use a browser that has."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_there_and_back() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg"),
            (b"fo", "Zm8"),
            (b"foo", "Zm9v"),
            (b"foob", "Zm9vYg"),
            (&[0xfb, 0xff, 0xfe], "-__-"),
        ] {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text).as_deref(), Some(bytes));
        }
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&all)), Some(all));
        for bad in ["Z", "Zg==", "Zm9v+", "Zm 9"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_passkey_is_told_with_what_it_does_not_do() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        let line = PasskeyLine {
            id: "key_1".into(),
            label: "laptop".into(),
            algorithm: "ES256".into(),
            state: "live".into(),
            synced: true,
            added_at: at(0),
            used_at: None,
            counts_from: at(86_400),
        };
        let told = standing(&line, at(10));
        assert!(told.contains("lowest tier alone until") && told.contains("several places"), "{told}");
        assert!(!standing(&line, at(86_400)).contains("lowest"));
        assert_eq!(trouble(&line), None);
        for state in ["suspended", "earlier_epoch"] {
            assert!(trouble(&PasskeyLine { state: state.into(), ..line.clone() }).is_some());
        }
        assert_eq!(label("  ", "Chrome on Linux"), "Chrome on Linux");
        assert_eq!(label(" mine ", "x"), "mine");
    }

    #[test]
    fn an_authenticator_that_refuses_is_told_by_name_or_as_a_browser_without() {
        let all = ["NotAllowedError", "InvalidStateError", "SecurityError", "NotSupportedError", "TypeError"];
        let told: std::collections::BTreeSet<_> = all.map(|name| refusal(name).0).into_iter().collect();
        assert_eq!(told.len(), all.len());
    }
}
