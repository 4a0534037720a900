//! What the queue is narrowed to, as it stands in the address: a link shows another person the same.

use serde::{Deserialize, Serialize};

use super::order::Sort;
use super::{Tab, encoded};

/// What is shown, and in which order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct View {
    /// Which tab.
    pub tab: Tab,
    /// Words that each line must have.
    pub search: String,
    /// The tier.
    pub tier: Option<String>,
    /// The agent's id.
    pub agent: Option<String>,
    /// The task.
    pub task: Option<String>,
    /// The state's word.
    pub state: Option<String>,
    /// The order.
    pub sort: Sort,
}

impl View {
    /// The view that an address names: `get` reads a member of its query.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let said = |name: &str| get(name).filter(|text| !text.is_empty());
        Self {
            tab: said("tab").map_or_else(Tab::default, |word| Tab::from_word(&word)),
            search: get("q").unwrap_or_default(),
            tier: said("tier"),
            agent: said("agent"),
            task: said("task"),
            state: said("state"),
            sort: said("sort").map_or_else(Sort::default, |word| Sort::from_word(&word)),
        }
    }

    /// Its address.
    pub fn address(&self) -> String {
        let mut pairs = Vec::new();
        if self.tab != Tab::default() {
            pairs.push(format!("tab={}", self.tab.word()));
        }
        if !self.search.is_empty() {
            pairs.push(format!("q={}", encoded(&self.search)));
        }
        let members = [("tier", &self.tier), ("agent", &self.agent), ("task", &self.task), ("state", &self.state)];
        for (name, value) in members {
            pairs.extend(value.iter().map(|value| format!("{name}={}", encoded(value))));
        }
        if self.sort != Sort::default() {
            pairs.push(format!("sort={}", self.sort.word()));
        }
        if pairs.is_empty() { "/".into() } else { format!("/?{}", pairs.join("&")) }
    }

    /// Whether it leaves lines out that the tab has.
    pub const fn narrows(&self) -> bool {
        !self.search.is_empty()
            || self.tier.is_some()
            || self.agent.is_some()
            || self.task.is_some()
            || self.state.is_some()
    }

    /// The same of another tab: a filter goes along, but for the state, which the tab has said.
    pub fn on(&self, tab: Tab) -> Self {
        Self { tab, state: None, ..self.clone() }
    }
}

/// The longest name of a saved view, and how many there are.
const LONGEST_NAME: usize = 40;
const MOST_SAVED: usize = 20;

/// A view under a name, kept in this browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: String,
}

/// The saved views with one more, or another in the place of the one with that name; newest last. Nothing is added
/// without a name.
pub fn named(mut saved: Vec<Saved>, name: &str, address: String) -> Vec<Saved> {
    let name: String = name.trim().chars().take(LONGEST_NAME).collect();
    if name.is_empty() || !address.starts_with('/') || address.starts_with("//") {
        return saved;
    }
    saved.retain(|known| known.name != name);
    saved.push(Saved { name, address });
    let too_many = saved.len().saturating_sub(MOST_SAVED);
    saved.drain(..too_many);
    saved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(address: &str) -> View {
        let query = address.split_once('?').map(|(_, query)| query).unwrap_or_default();
        View::read(|name| {
            let pair = query.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name));
            // Only what these tests put in.
            pair.map(|(_, value)| value.replace("%20", " ").replace("%26", "&").replace("%3A", ":").replace("%2F", "/"))
        })
    }

    #[test]
    fn everything_that_narrows_survives_in_the_address() {
        let view = View {
            tab: Tab::History,
            search: "a b&c".into(),
            tier: Some("high".into()),
            agent: Some("spiffe://acme/x".into()),
            task: Some("T-1".into()),
            state: Some("revoked".into()),
            sort: Sort::Newest,
        };
        assert_eq!(read(&view.address()), view);
        assert!(view.narrows() && view.address().contains("q=a%20b%26c"));
        assert_eq!(View::default().address(), "/");
        assert_eq!(read("/?tab=nonsense&sort=nonsense&tier="), View::default());
        assert_eq!(view.on(Tab::Active).state, None);
    }

    #[test]
    fn a_saved_view_is_a_name_and_an_address_of_this_page() {
        let one = named(Vec::new(), "  mine ", "/?tab=all".into());
        assert_eq!(one, [Saved { name: "mine".into(), address: "/?tab=all".into() }]);
        let again = named(one.clone(), "mine", "/".into());
        assert_eq!(again.len(), 1);
        assert_eq!(named(one.clone(), "", "/".into()), one);
        assert_eq!(named(one.clone(), "away", "https://evil.example/".into()), one);
        assert_eq!(named(one.clone(), "away", "//evil.example/".into()), one);
        let many = (0..40).fold(Vec::new(), |saved, number| named(saved, &format!("v{number}"), "/".into()));
        assert_eq!((many.len(), many[0].name.as_str()), (20, "v20"));
    }
}
