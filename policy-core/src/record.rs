//! Names with their values, in the order of the names: a Cedar record, and what is made like one.

use std::fmt;

use litemap::LiteMap;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;

use crate::value::Value;

/// A Cedar record, the context of a question, the attributes of an entity. In JSON it is an object.
///
/// Most have a handful of members, which stand in one block of memory here: a tree has room for eleven in the smallest of
/// its nodes, and a gate remembers very many records.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record(LiteMap<SmolStr, Value>);

impl Record {
    /// One without members.
    pub const fn new() -> Self {
        Self(LiteMap::new())
    }

    /// Of these members, in no more room than they take; of two with one name it has the last.
    fn of(mut members: Vec<(SmolStr, Value)>) -> Self {
        members.shrink_to_fit();
        let in_order = members.is_sorted_by(|(one, _), (other, _)| one < other);
        Self(if in_order { LiteMap::from_sorted_store_unchecked(members) } else { members.into_iter().collect() })
    }

    /// How many members it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it has a member of this name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The member of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The member of this name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.0.get_mut(name)
    }

    /// Puts a member in, and returns the one that had this name.
    pub fn insert(&mut self, name: impl Into<SmolStr>, value: Value) -> Option<Value> {
        self.0.insert(name.into(), value)
    }

    /// Takes the member of this name out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// The members.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&SmolStr, &Value)> + Clone {
        self.0.iter()
    }

    /// The names of the members.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &SmolStr> + Clone {
        self.0.keys()
    }

    /// The values of the members.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> + Clone {
        self.0.values()
    }
}

/// Of two members with one name it has the last.
impl<N: Into<SmolStr>> FromIterator<(N, Value)> for Record {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(members: I) -> Self {
        Self::of(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

impl<N: Into<SmolStr>, const COUNT: usize> From<[(N, Value); COUNT]> for Record {
    fn from(members: [(N, Value); COUNT]) -> Self {
        members.into_iter().collect()
    }
}

impl<N: Into<SmolStr>> Extend<(N, Value)> for Record {
    fn extend<I: IntoIterator<Item = (N, Value)>>(&mut self, members: I) {
        self.0.extend(members.into_iter().map(|(name, value)| (name.into(), value)));
    }
}

impl IntoIterator for Record {
    type Item = (SmolStr, Value);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Record {
    type Item = (&'a SmolStr, &'a Value);
    type IntoIter = <&'a LiteMap<SmolStr, Value> as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

// Ours and not the map's own: that would write an empty one as an array, and read arrays of pairs.
impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Record;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Record, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = access.next_entry()? {
                    members.push(member);
                }
                Ok(Record::of(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Record, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_record_is_an_object_and_nothing_else() {
        let empty = Record::new();
        assert_eq!(serde_json::to_string(&empty).unwrap(), "{}");
        assert_eq!(read("{}"), Ok(empty));
        let read_back = read(r#"{"b": {"long": 1}, "": {"bool": true}, "a": {"record": {}}}"#).unwrap();
        let written = serde_json::to_string(&read_back).unwrap();
        assert_eq!(written, r#"{"":{"bool":true},"a":{"record":{}},"b":{"long":1}}"#);
        for text in ["[]", r#"[["a", {"long": 1}]]"#, r#""a""#, "null", "1"] {
            assert!(read(text).unwrap_err().contains("expected a map"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_is_what_a_tree_of_the_same_members_is(
            first in prop::collection::vec(("[a-e]{0,2}", any::<i64>()), 0..12),
            then in prop::collection::vec(("[a-e]{0,2}", any::<i64>()), 0..12),
            other in "[a-e]{0,2}",
        ) {
            let members = |of: &[(String, i64)]| of.iter().map(|(name, of)| (name.clone(), Value::Long(*of))).collect::<Vec<_>>();
            let (mut ours, mut tree) = (Record::from_iter(members(&first)), BTreeMap::from_iter(members(&first)));
            let hold = |ours: &Record, tree: &BTreeMap<String, Value>| {
                prop_assert!(ours.iter().map(|(name, value)| (name.as_str(), value)).eq(tree.iter().map(|(name, value)| (name.as_str(), value))));
                prop_assert_eq!((ours.len(), ours.is_empty()), (tree.len(), tree.is_empty()));
                prop_assert!(ours.keys().eq(tree.keys()) && ours.values().eq(tree.values()));
                prop_assert_eq!((ours.get(&other), ours.contains_key(&other)), (tree.get(&other), tree.contains_key(&other)));
                let text = serde_json::to_string(tree).unwrap();
                prop_assert_eq!(&serde_json::to_string(ours).unwrap(), &text);
                prop_assert_eq!(&read(&text).unwrap(), ours);
                Ok(())
            };
            hold(&ours, &tree)?;
            for (name, value) in members(&then) {
                prop_assert_eq!(ours.insert(name.as_str(), value.clone()), tree.insert(name, value));
            }
            hold(&ours, &tree)?;
            prop_assert_eq!(ours.get_mut(&other), tree.get_mut(&other));
            prop_assert_eq!(ours.remove(&other), tree.remove(&other));
            ours.extend(members(&first));
            tree.extend(members(&first));
            hold(&ours, &tree)?;
            prop_assert!(ours.into_iter().eq(tree.into_iter().map(|(name, value)| (SmolStr::from(name), value))));
        }
    }
}
