//! Maps whose keys are no text, as JSON: a list of keys with their values, in the order of the keys.
//!
//! For what this gate writes for itself. What others read has members of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) fn serialize<K, V, S>(map: &BTreeMap<K, V>, serializer: S) -> Result<S::Ok, S::Error>
where
    K: Serialize,
    V: Serialize,
    S: Serializer,
{
    serializer.collect_seq(map)
}

pub(crate) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
where
    K: Deserialize<'de> + Ord,
    V: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
}

/// The same where the values are shared with others. Whoever reads it shares them with nobody yet.
pub(crate) mod shared {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<K, V, S>(map: &BTreeMap<K, Arc<V>>, serializer: S) -> Result<S::Ok, S::Error>
    where
        K: Serialize,
        V: Serialize,
        S: Serializer,
    {
        serializer.collect_seq(map.iter().map(|(key, value)| (key, &**value)))
    }

    pub(crate) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, Arc<V>>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        let pairs = Vec::<(K, V)>::deserialize(deserializer)?;
        Ok(pairs.into_iter().map(|(key, value)| (key, Arc::new(value))).collect())
    }
}

/// The same where the values are such maps themselves.
pub(crate) mod nested {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<K, L, V, S>(map: &BTreeMap<K, BTreeMap<L, V>>, serializer: S) -> Result<S::Ok, S::Error>
    where
        K: Serialize,
        L: Serialize,
        V: Serialize,
        S: Serializer,
    {
        serializer.collect_seq(map.iter().map(|(key, inner)| (key, inner.iter().collect::<Vec<_>>())))
    }

    pub(crate) fn deserialize<'de, K, L, V, D>(deserializer: D) -> Result<BTreeMap<K, BTreeMap<L, V>>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        L: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        let pairs = Vec::<(K, Vec<(L, V)>)>::deserialize(deserializer)?;
        Ok(pairs.into_iter().map(|(key, inner)| (key, inner.into_iter().collect())).collect())
    }
}

/// A word of a few that the program itself gives, as in `Option<&'static str>`: one that it does not know is refused.
pub(crate) fn known<'de, D: Deserializer<'de>>(
    deserializer: D,
    words: &[&'static str],
) -> Result<Option<&'static str>, D::Error> {
    let Some(word) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let known = words.iter().copied().find(|known| *known == word);
    known.map(Some).ok_or_else(|| serde::de::Error::custom("a word that nobody gives"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Maps {
        #[serde(with = "super")]
        plain: BTreeMap<(String, u8), u64>,
        #[serde(with = "super::shared")]
        shared: BTreeMap<(u8, u8), Arc<String>>,
        #[serde(with = "super::nested")]
        nested: BTreeMap<(u8, u8), BTreeMap<(u8, u8), bool>>,
        #[serde(deserialize_with = "word")]
        word: Word,
    }

    type Word = Option<&'static str>;

    fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
        known(deserializer, &["one", "two"])
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let maps = Maps {
            plain: [(("a".to_owned(), 2), 3), (("a".to_owned(), 1), 4)].into(),
            shared: [((1, 2), Arc::new("x".to_owned()))].into(),
            nested: [((1, 1), [((2, 2), true)].into())].into(),
            word: Some("two"),
        };
        let text = serde_json::to_string(&maps).unwrap();
        assert_eq!(
            text,
            r#"{"plain":[[["a",1],4],[["a",2],3]],"shared":[[[1,2],"x"]],"nested":[[[1,1],[[[2,2],true]]]],"word":"two"}"#
        );
        assert_eq!(serde_json::from_str::<Maps>(&text).unwrap(), maps);
        let other = text.replace(r#""two""#, r#""three""#);
        assert!(serde_json::from_str::<Maps>(&other).is_err(), "a word that nobody gives");
    }
}
