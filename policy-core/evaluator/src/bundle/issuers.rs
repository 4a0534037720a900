//! `[issuers]` of `bundle.toml`: how a verified `(iss, sub)` becomes `TYPE::id`.
//!
//! ```toml
//! [issuers."spiffe://acme.example"]
//! "spiffe://acme.example/agent/*" = "Agent::spiffe://acme.example/agent/*"
//!
//! [issuers."https://login.acme.example"]
//! "agent|*" = "Agent::spiffe://acme.example/agent/*"
//! "5f0c1e" = "User::ines"
//! ```
//!
//! It stands in the bundle, so that an agent keeps the meaning of its grants when its credential's kind changes, and so
//! that a change of it is an activation like any other. Who is an issuer at all, and by which keys, is the operator's.

use std::collections::BTreeMap;

use policy_core::entity::EntityRef;

use super::config::Types;

/// Patterns of subjects and what they become, by issuer.
pub type Issuers = BTreeMap<String, BTreeMap<String, String>>;

/// Stands for the rest, at the end of a pattern and of what it becomes.
const REST: char = '*';

/// Who a subject of this issuer is. The longest pattern that fits decides; absent: nobody.
pub fn entity_of(issuers: &Issuers, types: &Types, issuer: &str, subject: &str) -> Option<EntityRef> {
    let patterns = issuers.get(issuer)?;
    if let Some(target) = patterns.get(subject).filter(|_| !subject.contains(REST)) {
        return target_of(types, target);
    }
    let fits = patterns.iter().filter_map(|(pattern, target)| {
        let before = pattern.strip_suffix(REST)?;
        let rest = subject.strip_prefix(before).filter(|rest| !rest.is_empty())?;
        Some((before.len(), rest, target))
    });
    let (_, rest, target) = fits.max_by_key(|(length, ..)| *length)?;
    let target = target_of(types, target.strip_suffix(REST)?)?;
    Some(EntityRef::new(target.kind, format!("{}{rest}", target.id)))
}

/// `TYPE::id`, where the type is one of people or workloads. The id may be empty: the rest follows.
fn target_of(types: &Types, target: &str) -> Option<EntityRef> {
    let mut kinds = types.subjects.iter().chain([&types.person]);
    kinds.find_map(|kind| Some(EntityRef::new(kind, target.strip_prefix(kind.as_str())?.strip_prefix("::")?)))
}

/// The first pattern that says nothing clear, with what is wrong and what to do about it.
pub(super) fn fault(issuers: &Issuers, types: &Types) -> Option<(String, String, &'static str)> {
    for (issuer, patterns) in issuers {
        for (pattern, target) in patterns {
            let before = pattern.strip_suffix(REST);
            let (fixed, into) = match (before, target.strip_suffix(REST)) {
                (Some(before), Some(into)) => (before, into),
                (None, None) => (pattern.as_str(), target.as_str()),
                _ => {
                    let help = "let both end with `*`, or neither";
                    return Some((pattern.clone(), format!("`{pattern}` and `{target}` do not end alike"), help));
                }
            };
            if fixed.contains(REST) || into.contains(REST) || (fixed.is_empty() && before.is_none()) {
                let help = "write one `*`, at the end";
                return Some((pattern.clone(), format!("`{pattern}` has a `*` before its end, or is empty"), help));
            }
            if target_of(types, into).is_none_or(|target| target.id.is_empty() && before.is_none()) {
                let help = "write `TYPE::id` with a type of `[types]`";
                return Some((target.clone(), format!("`{target}` is no person and no workload"), help));
            }
            // INVARIANT (R3): a pattern ends where a segment of a SPIFFE ID does: `/agent*` would mean `/agent-of-others`.
            let trusted = issuer.starts_with("spiffe://");
            let below = fixed.strip_prefix(issuer.as_str()).is_some_and(|path| path.starts_with('/'));
            if trusted && !(below && (before.is_none() || fixed.ends_with('/'))) {
                let help = "write ids of the issuer's own trust domain, and `*` behind a `/`";
                return Some((pattern.clone(), format!("`{pattern}` is no path of `{issuer}`"), help));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types() -> Types {
        Types { person: "User".to_owned(), subjects: vec!["Agent".to_owned(), "Acme::Job".to_owned()] }
    }

    fn issuers(text: &str) -> Issuers {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_subject_becomes_what_the_longest_pattern_of_its_own_issuer_says() {
        let issuers = issuers(
            r#"
            ["spiffe://acme.example"]
            "spiffe://acme.example/agent/*" = "Agent::spiffe://acme.example/agent/*"
            "spiffe://acme.example/agent/batch/*" = "Acme::Job::*"
            "spiffe://acme.example/agent/odd" = "Agent::even"
            ["https://login.acme.example"]
            "agent|*" = "Agent::spiffe://acme.example/agent/*"
            "5f0c1e" = "User::ines"
            "#,
        );
        assert_eq!(fault(&issuers, &types()), None);
        let mesh = "spiffe://acme.example";
        let login = "https://login.acme.example";
        for (issuer, subject, expected) in [
            (mesh, "spiffe://acme.example/agent/a", Some("Agent::spiffe://acme.example/agent/a")),
            (mesh, "spiffe://acme.example/agent/batch/7", Some("Acme::Job::7")),
            (mesh, "spiffe://acme.example/agent/odd", Some("Agent::even")),
            (mesh, "spiffe://acme.example/agent/", None),
            (mesh, "spiffe://acme.example/agents/a", None),
            (login, "agent|a", Some("Agent::spiffe://acme.example/agent/a")),
            (login, "agent|*", Some("Agent::spiffe://acme.example/agent/*")),
            (login, "5f0c1e", Some("User::ines")),
            (login, "5f0c1e0", None),
            // The same subject of another issuer is somebody else, or nobody.
            (login, "spiffe://acme.example/agent/a", None),
            (mesh, "5f0c1e", None),
            ("https://elsewhere.example", "5f0c1e", None),
        ] {
            let found = entity_of(&issuers, &types(), issuer, subject).map(|entity| entity.to_string());
            assert_eq!(found.as_deref(), expected, "{issuer} {subject}");
        }
    }

    #[test]
    fn a_pattern_that_could_be_read_in_two_ways_does_not_load() {
        for (issuer, pattern, target) in [
            ("https://a.example", "x*", "Agent::x"),
            ("https://a.example", "x", "Agent::x*"),
            ("https://a.example", "x*y*", "Agent::*"),
            ("https://a.example", "x*", "Agent::*y*"),
            ("https://a.example", "", "Agent::x"),
            ("https://a.example", "x", "Volume::x"),
            ("https://a.example", "x", "Agent::"),
            ("https://a.example", "x", "x"),
            ("spiffe://a.example", "spiffe://a.example/agent*", "Agent::*"),
            ("spiffe://a.example", "spiffe://b.example/agent/*", "Agent::*"),
            ("spiffe://a.example", "spiffe://a.example.evil/x", "Agent::x"),
            ("spiffe://a.example", "*", "Agent::*"),
        ] {
            let issuers =
                BTreeMap::from([(issuer.to_owned(), BTreeMap::from([(pattern.to_owned(), target.to_owned())]))]);
            assert!(fault(&issuers, &types()).is_some(), "{issuer} {pattern} {target}");
        }
    }
}
