//! What the active bundle says of what decides beside votes on requests, told from its files as the record holds them:
//! what that is shown with, and who is in which group. No policy is evaluated here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::wire::{Entity, Presence};
use super::text::{Said, permits};
use crate::hash::{TreeHash, sha256};

/// The payload that holds an activated bundle's files.
pub(in crate::grants) const BUNDLE: &str = "bundle";
const ENTITIES: &str = "entities.json";
/// Where permits say what a request's votes take.
const REQUESTS: &str = "approval/request/";

/// What is told from a bundle's files.
#[derive(Debug)]
pub(super) struct Bundle {
    /// The most that any permit demands of a vote; absent where its text cannot be read.
    pub demanded: Option<Presence>,
    /// What each entity is in, by its type and id; absent where that cannot be read.
    parents: Option<Parents>,
}

impl Bundle {
    /// Reads the files. Absent: they are not those of this digest.
    pub fn read(files: &[u8], digest: &str) -> Option<Self> {
        let files: BTreeMap<String, String> = serde_json::from_slice(files).ok()?;
        if digest_of(&files) != digest {
            return None;
        }
        let entities = files.get(ENTITIES).map_or("[]", String::as_str);
        Some(Self { demanded: demanded(&files), parents: parents(entities) })
    }

    /// Whether somebody is in one of these groups, directly or through another. Absent: nobody can tell.
    pub fn is_in(&self, person: &Entity, groups: &[String]) -> Option<bool> {
        let parents = self.parents.as_ref()?;
        let is_person = |kind: &str, id: &str| id == person.id && is_type(kind, &person.kind);
        let mut wanted: Vec<&(String, String)> = parents.keys().filter(|(kind, id)| is_person(kind, id)).collect();
        let mut seen = BTreeSet::new();
        while let Some(uid) = wanted.pop() {
            wanted.extend(parents.get(uid).into_iter().flatten().filter(|parent| seen.insert(*parent)));
        }
        Some(seen.iter().any(|(_, id)| groups.contains(id)))
    }
}

/// Whether a type of the schema is one that events call so: these leave the bundle's namespace out.
fn is_type(long: &str, short: &str) -> bool {
    long == short || long.strip_suffix(short).is_some_and(|space| space.ends_with("::"))
}

/// The digest of files: over one digest for the policies and one for the entities.
fn digest_of(files: &BTreeMap<String, String>) -> String {
    let part = |wanted: bool| {
        let part = files.iter().filter(|(path, _)| (path.as_str() == ENTITIES) == wanted);
        digest_of_members(part.map(|(path, text)| (path.as_str(), hex(text))).collect())
    };
    digest_of_members(vec![("entities", part(true)), ("policy", part(false))])
}

fn hex(text: &str) -> String {
    TreeHash::from_bytes(sha256(text.as_bytes())).to_string()
}

/// The digest of an object in canonical JSON (RFC 8785): sorted by the UTF-16 of its names.
fn digest_of_members(mut members: Vec<(&str, String)>) -> String {
    members.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
    let members: Vec<String> =
        members.into_iter().map(|(name, value)| format!("{}:{}", Value::from(name), Value::from(value))).collect();
    hex(&format!("{{{}}}", members.join(",")))
}

/// The most that any permit that offers something demands; where none offers anything, no tier is one of a session.
fn demanded(files: &BTreeMap<String, String>) -> Option<Presence> {
    let mut most: Option<Presence> = None;
    for (_, text) in files.iter().filter(|(path, _)| path.starts_with(REQUESTS) && path.ends_with(".cedar")) {
        for permit in permits(text)? {
            if !permit.contains_key("approvals") {
                // It is of a tier that nobody can request.
                continue;
            }
            let presence = match permit.get("presence") {
                None => Presence::Signature,
                Some(Said::Word(word)) => Presence::of(word)?,
                Some(Said::Escaped) => return None,
            };
            most = most.max(Some(presence));
        }
    }
    Some(most.unwrap_or(Presence::Signature))
}

type Parents = BTreeMap<(String, String), Vec<(String, String)>>;

/// What each entity is in.
fn parents(entities: &str) -> Option<Parents> {
    let entities: Vec<Value> = serde_json::from_str(entities).ok()?;
    let all = entities.iter().map(|entity| {
        let parents = entity.get("parents").and_then(Value::as_array).into_iter().flatten();
        Some((uid(entity.get("uid")?)?, parents.map(uid).collect::<Option<_>>()?))
    });
    all.collect()
}

/// A reference in either form that Cedar reads.
fn uid(value: &Value) -> Option<(String, String)> {
    let value = value.get("__entity").unwrap_or(value);
    let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
    Some((text("type")?, text("id")?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn files(requests: &str) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("bundle.toml".to_owned(), "tiers = [\"low\"]".to_owned()),
            ("approval/request/a.cedar".to_owned(), requests.to_owned()),
            // Neither is one of requests.
            ("approval/approve/a.cedar".to_owned(), permit("")),
            ("approval/request/README.md".to_owned(), permit("")),
        ])
    }

    fn permit(presence: &str) -> String {
        format!("@id(\"a\") @tier(\"low\") @approvals(\"1\") {presence} permit (principal, action, resource);\n")
    }

    #[test]
    fn a_bundle_demands_the_most_that_any_of_its_permits_does() {
        let session = permit("@presence(\"session\")");
        let authentication = permit("@presence(\"authentication\")");
        let closed = "@id(\"b\") @tier(\"sealed\") permit (principal, action, resource);\n";
        for (text, expected) in [
            (session.clone(), Some(Presence::Session)),
            (format!("{session}{authentication}"), Some(Presence::Authentication)),
            (format!("{authentication}{session}"), Some(Presence::Authentication)),
            (format!("{session}{}", permit("")), Some(Presence::Signature)),
            (format!("{session}{closed}"), Some(Presence::Session)),
            (closed.to_owned(), Some(Presence::Signature)),
            (String::new(), Some(Presence::Signature)),
            (permit("@presence(\"none\")"), None),
            (permit("@presence(\"sess\\u{69}on\")"), None),
            ("permit (principal".to_owned(), None),
        ] {
            assert_eq!(demanded(&files(&text)), expected, "{text}");
        }
    }

    #[test]
    fn files_are_those_of_their_digest_or_none() {
        // As the gate's own test of the sample's digest makes it: hashed once by another implementation.
        let files = BTreeMap::from([("b".to_owned(), "x".to_owned()), (ENTITIES.to_owned(), "[]".to_owned())]);
        let entities = format!("{{\"entities.json\":\"{}\"}}", hex("[]"));
        let policy = format!("{{\"b\":\"{}\"}}", hex("x"));
        let whole = format!("{{\"entities\":\"{}\",\"policy\":\"{}\"}}", hex(&entities), hex(&policy));
        assert_eq!(digest_of(&files), hex(&whole));
        let bytes = json!(files).to_string();
        assert!(Bundle::read(bytes.as_bytes(), &hex(&whole)).is_some());
        assert!(Bundle::read(bytes.as_bytes(), &hex("other")).is_none());
        assert!(Bundle::read(b"[]", &hex(&whole)).is_none());
        // Sorted by UTF-16, in which a letter of a later plane comes before one of the first.
        let (late, first) = ("\u{1f600}", "\u{fb01}");
        let sorted = hex(&format!("{{\"{late}\":\"1\",\"{first}\":\"2\"}}"));
        assert_eq!(digest_of_members(vec![(first, "2".to_owned()), (late, "1".to_owned())]), sorted);
    }

    #[test]
    fn who_is_in_a_group_is_in_it_through_others_too() {
        let person = |id: &str| Entity { kind: "User".to_owned(), id: id.to_owned() };
        let entities = json!([
            {"uid": {"type": "Acme::User", "id": "mara"}, "parents": [{"__entity": {"type": "Acme::Group", "id": "a"}}]},
            {"uid": {"__entity": {"type": "Acme::Group", "id": "a"}}, "attrs": {}, "parents": [{"type": "Acme::Group", "id": "b"}]},
            {"uid": {"type": "Acme::PowerUser", "id": "tom"}, "parents": [{"type": "Acme::Group", "id": "a"}]},
        ]);
        let bundle = Bundle { demanded: None, parents: parents(&entities.to_string()) };
        let is_in = |id: &str, group: &str| bundle.is_in(&person(id), &[group.to_owned(), "other".to_owned()]);
        assert_eq!((is_in("mara", "a"), is_in("mara", "b"), is_in("mara", "c")), (Some(true), Some(true), Some(false)));
        assert_eq!(is_in("tom", "a"), Some(false), "another type");
        assert_eq!(is_in("zoe", "a"), Some(false));
        let unreadable = Bundle { demanded: None, parents: parents("[{}]") };
        assert_eq!(unreadable.is_in(&person("mara"), &["a".to_owned()]), None);
    }
}
