//! The queue: which exceptions a tab shows, in which order, what a filter leaves, and what stays where it is while one
//! looks.

mod book;
mod held;
mod order;
mod together;
mod view;
mod window;

pub use book::{Book, Over};
pub use held::{Row, arrange};
pub use order::{Sort, shown};
pub use together::together;
pub use view::{Saved, View, named};
pub use window::{Window, window};

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
    /// What is to be looked at afterwards.
    Reviews,
    /// Over.
    History,
    /// Everything.
    All,
}

impl Tab {
    /// The tabs in their order.
    pub const ALL: [Self; 6] = [Self::NeedsMe, Self::Waiting, Self::Active, Self::Reviews, Self::History, Self::All];

    /// The tab's word in the address.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NeedsMe => "needs-me",
            Self::Waiting => "waiting",
            Self::Active => "active",
            Self::Reviews => "reviews",
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
            Self::Reviews => "Reviews due",
            Self::History => "History",
            Self::All => "All",
        }
    }

    /// What an empty tab says: what would stand there, and what brings it there.
    pub const fn empty(self) -> &'static str {
        match self {
            Self::NeedsMe => "Nothing waits for you. A request that you may vote on appears here by itself.",
            Self::Waiting => "No request waits for somebody else.",
            Self::Active => "No grant is live. What people approve stands here until it ends.",
            Self::Reviews => {
                "Nothing is to be reviewed. A review opens after an emergency, and after use where policy says so."
            }
            Self::History => "Nothing has been closed yet.",
            Self::All => "No agent has asked for anything yet.",
        }
    }

    /// Whether what is over is shown, too: that is fetched page by page.
    pub const fn shows_what_is_over(self) -> bool {
        matches!(self, Self::History | Self::All)
    }

    fn holds(self, line: &ExceptionLine) -> bool {
        // What was granted before a restore is decided on once more.
        let open = matches!(line.state.as_str(), "requested" | "unconfirmed");
        match self {
            Self::NeedsMe => open && line.needs_me,
            Self::Waiting => open && !line.needs_me,
            Self::Active => is_live(line),
            Self::Reviews => false,
            Self::History => !open && !is_live(line),
            Self::All => true,
        }
    }
}

/// Whether a grant stands, begun or not.
fn is_live(line: &ExceptionLine) -> bool {
    matches!(line.state.as_str(), "granted" | "not_active")
}

/// How many exceptions a tab holds.
pub fn count(lines: &[ExceptionLine], tab: Tab) -> usize {
    lines.iter().filter(|line| tab.holds(line)).count()
}

/// The address of a tab without a filter.
pub fn address(tab: Tab) -> String {
    View { tab, ..View::default() }.address()
}

/// Percent-encoding of everything but unreserved characters.
pub fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
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
        let ids = |tab| {
            let view = View { tab, ..View::default() };
            shown(&lines, &view, &[]).into_iter().map(|line| line.id).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(ids(Tab::NeedsMe), "a");
        assert_eq!(ids(Tab::Waiting), "b");
        assert_eq!(ids(Tab::Active), "c");
        assert_eq!(ids(Tab::History), "d e");
        assert_eq!(ids(Tab::All), "a b c d e");
        let parts: usize = Tab::ALL.into_iter().filter(|tab| *tab != Tab::All).map(|tab| count(&lines, tab)).sum();
        assert_eq!(parts, count(&lines, Tab::All));
    }

    #[test]
    fn a_tab_survives_in_the_address() {
        assert_eq!(address(Tab::NeedsMe), "/");
        for tab in Tab::ALL {
            assert_eq!(Tab::from_word(tab.word()), tab);
        }
        assert_eq!(Tab::from_word("nonsense"), Tab::NeedsMe);
    }
}
