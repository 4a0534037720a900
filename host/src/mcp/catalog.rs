//! The tools as the upstream listed them: the digest of each definition stands in record and grant (R3).

use std::collections::BTreeMap;

use policy_core::digest::Digest;
use serde_json::Value;
use thiserror::Error;

/// The prefix of the tools that the proxy adds.
pub const RESERVED: &str = "proviso_";

/// A list that ends the session.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadList {
    /// A tool under the reserved prefix would stand where the model looks for ours.
    #[error("the server lists a tool under the reserved prefix `proviso_`")]
    ReservedPrefix,
    /// Two tools of one name: nobody could say which one was approved.
    #[error("the server lists two tools of one name")]
    SameName,
    /// Not a list of tools with names.
    #[error("the server's list of tools cannot be read")]
    Unreadable,
}

impl BadList {
    /// A stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ReservedPrefix => "reserved_tool_prefix",
            Self::SameName => "duplicate_tool",
            Self::Unreadable => "tool_list_unreadable",
        }
    }
}

/// What is known of the upstream's tools.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    tools: BTreeMap<String, Digest>,
    /// Whether the list was read whole and nothing was said of a change since.
    fresh: bool,
}

/// One page of `tools/list`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Names and the digests of their definitions.
    pub tools: Vec<(String, Digest)>,
    /// Where the list goes on.
    pub next: Option<String>,
}

/// Reads a page.
///
/// # Errors
/// See [`BadList`].
pub fn page(result: &Value) -> Result<Page, BadList> {
    let tools = result.get("tools").and_then(Value::as_array).ok_or(BadList::Unreadable)?;
    let mut read: Vec<(String, Digest)> = Vec::new();
    for tool in tools {
        let name = tool.get("name").and_then(Value::as_str).ok_or(BadList::Unreadable)?;
        if is_reserved(name) {
            return Err(BadList::ReservedPrefix);
        }
        if read.iter().any(|(known, _)| known == name) {
            return Err(BadList::SameName);
        }
        read.push((name.to_owned(), Digest::of_json(tool).map_err(|_| BadList::Unreadable)?));
    }
    let next = match result.get("nextCursor") {
        None | Some(Value::Null) => None,
        Some(Value::String(cursor)) => Some(cursor.clone()),
        Some(_) => return Err(BadList::Unreadable),
    };
    Ok(Page { tools: read, next })
}

/// Whether a tool's name is under the reserved prefix, or would be taken for one that is: case and odd characters do not
/// count.
pub fn is_reserved(name: &str) -> bool {
    let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    plain.trim_start_matches('_').to_ascii_lowercase().starts_with(RESERVED)
}

impl Catalog {
    /// Takes a page of the client's own listing. Answers the tools whose definition changed.
    pub fn learn(&mut self, page: &Page, first: bool) -> Vec<String> {
        let changed = self.changed(&page.tools);
        if first && page.next.is_none() {
            self.tools = page.tools.iter().cloned().collect();
            self.fresh = true;
        } else {
            self.tools.extend(page.tools.iter().cloned());
        }
        changed
    }

    /// Takes the whole list. Answers the tools whose definition changed.
    pub fn replace(&mut self, tools: Vec<(String, Digest)>) -> Vec<String> {
        let changed = self.changed(&tools);
        self.tools = tools.into_iter().collect();
        self.fresh = true;
        changed
    }

    /// The list may have changed: it is read again before the next call.
    pub const fn stale(&mut self) {
        self.fresh = false;
    }

    /// Whether the list was read whole, and nothing was said of a change since. If not, it is read before a call is
    /// judged.
    pub const fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// The digest of a tool's definition.
    pub fn digest(&self, tool: &str) -> Option<Digest> {
        self.tools.get(tool).copied()
    }

    fn changed(&self, tools: &[(String, Digest)]) -> Vec<String> {
        tools
            .iter()
            .filter(|(name, digest)| self.tools.get(name).is_some_and(|known| known != digest))
            .map(|(name, _)| name.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_under_our_prefix_is_refused() {
        for name in ["proviso_wait", "Proviso_Request", "proviso_x", "_proviso_check", "\u{200b}proviso_check"] {
            assert_eq!(page(&json!({"tools": [{"name": name}]})), Err(BadList::ReservedPrefix), "{name}");
        }
        for name in ["proviso", "improviso_x", "provisos", "my_proviso_x"] {
            assert!(page(&json!({"tools": [{"name": name}]})).is_ok(), "{name}");
        }
        assert_eq!(page(&json!({"tools": [{"name": "a"}, {"name": "a"}]})), Err(BadList::SameName));
        for bad in [json!({}), json!({"tools": [{}]}), json!({"tools": [], "nextCursor": 1})] {
            assert_eq!(page(&bad), Err(BadList::Unreadable), "{bad}");
        }
    }

    #[test]
    fn a_changed_definition_changes_the_digest_and_is_told() {
        let list = |text: &str| page(&json!({"tools": [{"name": "a", "description": text}]})).expect("a list");
        let mut catalog = Catalog::default();
        assert!(!catalog.is_fresh());
        assert!(catalog.learn(&list("x"), true).is_empty());
        let first = catalog.digest("a");
        assert!(first.is_some() && catalog.is_fresh());
        assert!(catalog.learn(&list("x"), true).is_empty());
        assert_eq!(catalog.replace(list("y").tools), ["a"]);
        assert_ne!(catalog.digest("a"), first);
        catalog.stale();
        assert!(!catalog.is_fresh());
    }

    #[test]
    fn a_part_of_a_list_is_not_the_list() {
        let mut catalog = Catalog::default();
        let part = page(&json!({"tools": [{"name": "a"}], "nextCursor": "2"})).expect("a page");
        catalog.learn(&part, true);
        assert!(!catalog.is_fresh() && catalog.digest("a").is_some());
    }
}
