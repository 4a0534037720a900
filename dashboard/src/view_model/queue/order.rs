//! Which lines a view leaves, and their order.

use std::cmp::Reverse;

use policy_core::time::Timestamp;
use proviso_api::exceptions::ExceptionLine;

use super::Tab;
use super::view::View;

/// The order of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// What waits: emergencies, then the strongest tier, then where an agent waits, then the nearest deadline. Grants by
    /// their end, what is over newest first.
    #[default]
    Urgent,
    /// The nearest deadline or end first.
    Deadline,
    /// The newest first.
    Newest,
    /// The oldest first.
    Oldest,
    /// The strongest tier first.
    Tier,
    /// By the agent's id.
    Agent,
}

impl Sort {
    /// All of them, as they are offered.
    pub const ALL: [Self; 6] = [Self::Urgent, Self::Deadline, Self::Newest, Self::Oldest, Self::Tier, Self::Agent];

    /// Its word in the address.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Deadline => "deadline",
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::Tier => "tier",
            Self::Agent => "agent",
        }
    }

    /// What it says.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Urgent => "most urgent first",
            Self::Deadline => "nearest end first",
            Self::Newest => "newest first",
            Self::Oldest => "oldest first",
            Self::Tier => "strongest tier first",
            Self::Agent => "by agent",
        }
    }

    /// The order that an address names; the first for anything else.
    pub fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|sort| sort.word() == word).unwrap_or_default()
    }
}

/// The lines that a view shows, in its order. `tiers` are the bundle's from weakest to strongest: one that is not among
/// them is taken for the strongest.
pub fn shown(lines: &[ExceptionLine], view: &View, tiers: &[String]) -> Vec<ExceptionLine> {
    let words: Vec<String> = view.search.split_whitespace().map(str::to_lowercase).collect();
    let mut kept: Vec<ExceptionLine> = lines
        .iter()
        .filter(|line| view.tab.holds(line) && fits(line, view) && matches(line, &words))
        .cloned()
        .collect();
    let strength =
        |line: &ExceptionLine| Reverse(tiers.iter().position(|tier| *tier == line.tier).unwrap_or(usize::MAX));
    let newest = |line: &ExceptionLine| (Reverse(line.requested_at), line.id.clone());
    match (view.sort, view.tab) {
        (Sort::Urgent, Tab::NeedsMe | Tab::Waiting) => kept.sort_by_cached_key(|line| {
            let emergency = Reverse(line.emergency);
            (emergency, strength(line), Reverse(line.waiting), line.decide_by, line.id.clone())
        }),
        (Sort::Urgent, Tab::Active) | (Sort::Deadline, _) => {
            kept.sort_by_cached_key(|line| (end(line), line.id.clone()));
        }
        (Sort::Urgent | Sort::Newest, _) => kept.sort_by_cached_key(newest),
        (Sort::Oldest, _) => kept.sort_by_cached_key(|line| (line.requested_at, line.id.clone())),
        (Sort::Tier, _) => kept.sort_by_cached_key(|line| (strength(line), newest(line))),
        (Sort::Agent, _) => kept.sort_by_cached_key(|line| (line.subject.clone(), newest(line))),
    }
    kept
}

/// When somebody has to have done something: until then it can be decided, or used.
fn end(line: &ExceptionLine) -> Timestamp {
    line.not_after.unwrap_or(line.decide_by)
}

fn fits(line: &ExceptionLine, view: &View) -> bool {
    let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
    is(&view.tier, &line.tier)
        && is(&view.agent, &line.subject.id)
        && is(&view.task, &line.task)
        && is(&view.state, &line.state)
}

/// Every word stands in something that the line shows.
fn matches(line: &ExceptionLine, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let resources = line.resources.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let subject = line.subject.to_string();
    let text = [&line.says, &subject, &line.task, &line.action, &resources, &line.tier, &line.state, &line.id]
        .map(String::as_str);
    let text = text.join(" ").to_lowercase();
    words.iter().all(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use policy_core::time::Span;

    use super::*;
    use crate::view_model::samples::{at, line};

    fn ids(lines: &[ExceptionLine], view: &View) -> String {
        let tiers = ["low".to_owned(), "high".to_owned()];
        shown(lines, view, &tiers).into_iter().map(|line| line.id).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_urgent_comes_first() {
        let one = |id: &str| line(id, "requested", true);
        let late = ExceptionLine { decide_by: at(900).plus(Span::from_seconds(60)), ..one("late") };
        let high = ExceptionLine { tier: "high".into(), ..late.clone() };
        let high = ExceptionLine { id: "high".into(), ..high };
        let strange = ExceptionLine { id: "strange".into(), tier: "not-in-the-list".into(), ..late.clone() };
        let waits = ExceptionLine { id: "waits".into(), waiting: true, ..late.clone() };
        let burns = ExceptionLine { id: "burns".into(), emergency: true, ..late.clone() };
        let lines = [late, one("soon"), high, waits, burns, strange];
        assert_eq!(ids(&lines, &View::default()), "burns strange high waits soon late");
        assert_eq!(
            ids(&lines, &View { sort: Sort::Deadline, ..View::default() }),
            "soon burns high late strange waits"
        );
    }

    #[test]
    fn a_filter_wants_every_word_and_a_member_its_very_value() {
        let lines = [line("a", "requested", true)];
        let all = View { tab: Tab::All, ..View::default() };
        assert_eq!(ids(&lines, &View { search: "SCRIBE write".into(), ..all.clone() }), "a");
        assert_eq!(ids(&lines, &View { search: "scribe delete".into(), ..all.clone() }), "");
        assert_eq!(ids(&lines, &View { tier: Some("low".into()), ..all.clone() }), "a");
        assert_eq!(ids(&lines, &View { tier: Some("lo".into()), ..all.clone() }), "");
        assert_eq!(ids(&lines, &View { agent: Some("scribe".into()), task: Some("T-2".into()), ..all }), "");
    }

    #[test]
    fn every_order_has_a_word_of_its_own() {
        for sort in Sort::ALL {
            assert_eq!(Sort::from_word(sort.word()), sort);
            assert!(!sort.label().is_empty());
        }
        assert_eq!(Sort::from_word("nonsense"), Sort::Urgent);
    }

    #[test]
    fn thousands_are_put_in_order_at_once() {
        let lines: Vec<ExceptionLine> =
            (0..10_000).map(|number| line(&format!("x{number:05}"), "denied", false)).collect();
        let view = View { tab: Tab::History, search: "x09999".into(), ..View::default() };
        assert_eq!(ids(&lines, &view), "x09999");
    }
}
