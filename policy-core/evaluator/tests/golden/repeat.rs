//! What is too long to be written into a case file: a mark stands for it, such as `«fill»`.
//!
//! In `ask` the mark is replaced before the question is sealed. Everywhere else it stays in the input, also in
//! `vectors.json`, and whoever makes the call replaces it by its text, so many times.

use std::collections::BTreeMap;

use policy_core::json::to_canonical_bytes;
use serde::Deserialize;
use serde_json::Value;

/// What a mark stands for.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Repeat {
    /// A text inside a text.
    Text { text: String, times: usize },
    /// More of an item that the input holds, by its JSON pointer; the mark is an item behind it.
    Item { item: String, times: usize },
}

/// A mark in an input, the text for it and how often it is there.
pub type Run = (String, String, usize);

/// Replaces marks in the texts of a question.
pub fn in_texts(members: &BTreeMap<String, Value>, repeat: &BTreeMap<String, Repeat>) -> BTreeMap<String, Value> {
    let mut members = members.clone();
    for value in members.values_mut() {
        let Value::String(text) = value else { continue };
        for (mark, repeat) in repeat {
            if let Repeat::Text { text: part, times } = repeat {
                *text = text.replace(mark.as_str(), &part.repeat(*times));
            }
        }
    }
    members
}

/// What an input's marks stand for, as it is written there.
pub fn runs(input: &Value, text: &str, repeat: &BTreeMap<String, Repeat>) -> Vec<Run> {
    let runs = repeat.iter().map(|(mark, repeat)| match repeat {
        Repeat::Text { text, times } => {
            let quoted = canonical(&Value::from(text.as_str()));
            let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).expect("quotes");
            (mark.clone(), inner.to_owned(), *times)
        }
        Repeat::Item { item, times } => {
            let item = input.pointer(item).unwrap_or_else(|| panic!("`{item}` points to nothing"));
            (format!(",\"{mark}\""), format!(",{}", canonical(item)), *times)
        }
    });
    runs.filter(|(mark, ..)| text.contains(mark.as_str())).collect()
}

/// The input as it is sent.
pub fn expanded(input: &str, runs: &[Run]) -> String {
    runs.iter().fold(input.to_owned(), |input, (mark, text, times)| input.replace(mark.as_str(), &text.repeat(*times)))
}

fn canonical(value: &Value) -> String {
    String::from_utf8(to_canonical_bytes(value).expect("a canonical form")).expect("JSON is text")
}
