//! The queue: which exceptions a tab shows, in which order, and what a filter leaves.

use proviso_api::exceptions::ExceptionLine;

/// A tab of the queue, split by what the person looking has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tab {
    /// This person may vote now.
    #[default]
    NeedsMe,
    /// Open, but not for this person.
    Waiting,
    /// Grants that can be used now or later.
    Active,
    /// Over.
    History,
    /// Everything.
    All,
}

impl Tab {
    /// The tabs in their order.
    pub const ALL: [Self; 5] = [Self::NeedsMe, Self::Waiting, Self::Active, Self::History, Self::All];

    /// The tab's word in the address.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NeedsMe => "needs-me",
            Self::Waiting => "waiting",
            Self::Active => "active",
            Self::History => "history",
            Self::All => "all",
        }
    }

    /// The tab that an address names; the first for anything else.
    pub fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|tab| tab.word() == word).unwrap_or_default()
    }

    /// What the tab says.
    pub const fn label(self) -> &'static str {
        match self {
            Self::NeedsMe => "Needs me",
            Self::Waiting => "Waiting on others",
            Self::Active => "Active grants",
            Self::History => "History",
            Self::All => "All",
        }
    }

    /// What an empty tab says.
    pub const fn empty(self) -> &'static str {
        match self {
            Self::NeedsMe => "Nothing waits for you. A request that you may vote on appears here by itself.",
            Self::Waiting => "No request waits for somebody else.",
            Self::Active => "No grant is live. What people approve stands here until it ends.",
            Self::History => "Nothing has been closed yet.",
            Self::All => "No agent has asked for anything yet.",
        }
    }

    fn holds(self, line: &ExceptionLine) -> bool {
        // What was granted before a restore is decided on once more.
        let open = matches!(line.state.as_str(), "requested" | "unconfirmed");
        match self {
            Self::NeedsMe => open && line.needs_me,
            Self::Waiting => open && !line.needs_me,
            Self::Active => is_live(line),
            Self::History => !open && !is_live(line),
            Self::All => true,
        }
    }
}

/// Whether a grant stands, begun or not.
fn is_live(line: &ExceptionLine) -> bool {
    matches!(line.state.as_str(), "granted" | "not_active")
}

/// The address of a tab with a filter.
pub fn address(tab: Tab, filter: &str) -> String {
    let mut pairs = Vec::new();
    if tab != Tab::default() {
        pairs.push(format!("tab={}", tab.word()));
    }
    if !filter.is_empty() {
        pairs.push(format!("q={}", encoded(filter)));
    }
    if pairs.is_empty() { "/".into() } else { format!("/?{}", pairs.join("&")) }
}

/// Percent-encoding of everything but unreserved characters.
pub(super) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// How many exceptions a tab holds.
pub fn count(lines: &[ExceptionLine], tab: Tab) -> usize {
    lines.iter().filter(|line| tab.holds(line)).count()
}

/// The lines of a tab that a filter leaves. What waits comes by the nearest deadline, grants by the nearest end, the
/// rest as the gate sent it: newest first.
pub fn shown(lines: &[ExceptionLine], tab: Tab, filter: &str) -> Vec<ExceptionLine> {
    let words: Vec<String> = filter.split_whitespace().map(str::to_lowercase).collect();
    let mut kept: Vec<ExceptionLine> =
        lines.iter().filter(|line| tab.holds(line) && matches(line, &words)).cloned().collect();
    match tab {
        Tab::NeedsMe | Tab::Waiting => kept.sort_by_key(|line| line.decide_by),
        Tab::Active => kept.sort_by_key(|line| line.not_after),
        Tab::History | Tab::All => {}
    }
    kept
}

/// Every word stands in something that the line shows.
fn matches(line: &ExceptionLine, words: &[String]) -> bool {
    let resources = line.resources.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let text = [
        line.says.as_str(),
        &line.subject.to_string(),
        &line.task,
        &line.action,
        &resources,
        &line.tier,
        &line.state,
        &line.id,
    ]
    .join(" ")
    .to_lowercase();
    words.iter().all(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view_model::samples::line;

    #[test]
    fn each_exception_stands_in_one_tab_and_in_all() {
        let lines = [
            line("a", "requested", true),
            line("b", "requested", false),
            line("c", "granted", false),
            line("d", "lapsed", false),
            line("e", "revoked", false),
        ];
        let ids = |tab| shown(&lines, tab, "").into_iter().map(|line| line.id).collect::<Vec<_>>().join(" ");
        assert_eq!(ids(Tab::NeedsMe), "a");
        assert_eq!(ids(Tab::Waiting), "b");
        assert_eq!(ids(Tab::Active), "c");
        assert_eq!(ids(Tab::History), "d e");
        assert_eq!(ids(Tab::All), "a b c d e");
        let parts: usize = Tab::ALL.into_iter().filter(|tab| *tab != Tab::All).map(|tab| count(&lines, tab)).sum();
        assert_eq!(parts, count(&lines, Tab::All));
    }

    #[test]
    fn what_waits_comes_by_the_nearest_deadline() {
        let mut late = line("late", "requested", true);
        late.decide_by = late.decide_by.plus(policy_core::time::Span::from_seconds(60));
        let lines = [late, line("soon", "requested", true)];
        let first = shown(&lines, Tab::NeedsMe, "").into_iter().next().map(|line| line.id);
        assert_eq!(first.as_deref(), Some("soon"));
    }

    #[test]
    fn a_filter_wants_every_word() {
        let lines = [line("a", "requested", true)];
        assert_eq!(shown(&lines, Tab::All, "SCRIBE write").len(), 1);
        assert_eq!(shown(&lines, Tab::All, "scribe delete").len(), 0);
    }

    #[test]
    fn tab_and_filter_survive_in_the_address() {
        assert_eq!(address(Tab::NeedsMe, ""), "/");
        assert_eq!(address(Tab::Active, "a b&c"), "/?tab=active&q=a%20b%26c");
        for tab in Tab::ALL {
            assert_eq!(Tab::from_word(tab.word()), tab);
        }
        assert_eq!(Tab::from_word("nonsense"), Tab::NeedsMe);
    }
}
