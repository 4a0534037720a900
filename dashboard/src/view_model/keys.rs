//! Single-key shortcuts. They can be switched off (WCAG 2.1.4), never fire while somebody types, and those that decide
//! something are inert for a moment after the page has changed under the hand.

/// For how many milliseconds after the page has changed nothing is decided by a key.
pub const INERT_FOR: f64 = 1_000.0;

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// The next line of a list.
    Next,
    /// The line before.
    Previous,
    /// Open the line that has the focus.
    Open,
    /// Approve; where the tier wants more than one step, to what it wants.
    Approve,
    /// Go and refuse: moves the focus to the reason.
    Refuse,
    /// Go and revoke: moves the focus to the reason.
    Revoke,
    /// Go and narrow: moves the focus to the first knob.
    Narrow,
    /// Take the decision of a moment ago back.
    Undo,
    /// Choose the line, or no more.
    Choose,
    /// To the search.
    Search,
    /// To this address.
    Go(&'static str),
    /// Judge a closed exception by the disposition at this place, from 1.
    Judge(usize),
    /// Show or hide the palette.
    Palette,
    /// Show or hide the list of keys.
    Help,
}

impl Command {
    /// Whether it decides something, or leads right before that.
    const fn decides(self) -> bool {
        matches!(
            self,
            Self::Approve | Self::Refuse | Self::Revoke | Self::Undo | Self::Choose | Self::Judge(_) | Self::Open
        )
    }
}

/// What can be gone to: the letter behind `g`, where it leads, and its name.
pub const PLACES: [(&str, &str, &str); 15] = [
    ("q", "/", "the queue"),
    ("w", "/?tab=waiting", "what waits for others"),
    ("a", "/?tab=active", "active grants"),
    ("v", "/reviews", "reviews"),
    ("h", "/?tab=history", "history"),
    ("l", "/locks", "locks"),
    ("f", "/findings", "findings"),
    ("i", "/agents", "agents"),
    ("s", "/pictures", "pictures"),
    ("t", "/what-if", "what if"),
    ("o", "/ownership", "ownership"),
    ("e", "/people", "people"),
    ("p", "/policies", "policies"),
    ("r", "/record", "the record"),
    ("y", "/you", "your own page"),
];

/// The keys with what they do, for the list of them. Behind these come the [`PLACES`].
pub const KEYS: [(&str, &str); 14] = [
    ("j  k", "next and previous line of a list"),
    ("o  Enter", "open the line"),
    ("x", "choose the line"),
    ("n", "narrow: to the first knob"),
    ("a", "approve; where the tier wants more, to what it wants"),
    ("d", "to the reason for a refusal"),
    ("r", "to the reason for a revocation"),
    ("u", "undo the decision of a moment ago"),
    ("1 … 5", "judge the closed exception: the buttons have the numbers"),
    ("/", "to the search"),
    ("Ctrl K", "everything that can be done here, by its name"),
    ("?", "this list"),
    ("Esc", "close what is open"),
    ("g", "and then a letter:"),
];

/// Where a key was pressed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Press<'a> {
    /// The key's value, as browsers name it.
    pub key: &'a str,
    /// With Ctrl, Alt or Meta: the browser's, never ours but for the palette.
    pub with_modifier: bool,
    /// With Ctrl or Meta and nothing else.
    pub with_control: bool,
    /// The focus is where text is typed.
    pub typing: bool,
    /// Milliseconds since the page changed under the hand.
    pub since_change: f64,
}

/// Keys pressed so far that may begin a longer command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    after_g: bool,
}

impl Keys {
    /// What this key does.
    pub fn press(&mut self, press: Press<'_>) -> Option<Command> {
        let after_g = std::mem::take(&mut self.after_g);
        if press.with_control && matches!(press.key, "k" | "K") {
            return Some(Command::Palette);
        }
        if press.with_modifier || press.typing {
            return None;
        }
        let command = if after_g { place(press.key) } else { self.single(press.key) };
        command.filter(|command| !command.decides() || press.since_change >= INERT_FOR)
    }

    fn single(&mut self, key: &str) -> Option<Command> {
        Some(match key {
            "g" => {
                self.after_g = true;
                return None;
            }
            "j" => Command::Next,
            "k" => Command::Previous,
            "o" => Command::Open,
            "a" => Command::Approve,
            "d" => Command::Refuse,
            "r" => Command::Revoke,
            "n" => Command::Narrow,
            "u" => Command::Undo,
            "x" => Command::Choose,
            "/" => Command::Search,
            "?" => Command::Help,
            digit @ ("1" | "2" | "3" | "4" | "5") => Command::Judge(digit.parse().ok()?),
            _ => return None,
        })
    }
}

fn place(letter: &str) -> Option<Command> {
    if letter == "?" {
        return Some(Command::Help);
    }
    PLACES.into_iter().find(|(known, ..)| *known == letter).map(|(_, address, _)| Command::Go(address))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const LATER: f64 = INERT_FOR;

    fn typed(keys: &[&str]) -> Option<Command> {
        let mut state = Keys::default();
        keys.iter().fold(None, |_, key| state.press(Press { key, since_change: LATER, ..Press::default() }))
    }

    #[test]
    fn keys_mean_what_the_list_says() {
        assert_eq!(typed(&["j"]), Some(Command::Next));
        assert_eq!(typed(&["o"]), Some(Command::Open));
        assert_eq!(typed(&["/"]), Some(Command::Search));
        assert_eq!(typed(&["g", "q"]), Some(Command::Go("/")));
        assert_eq!(typed(&["q"]), None);
        assert_eq!(typed(&["g", "v"]), Some(Command::Go("/reviews")));
        assert_eq!(typed(&["4"]), Some(Command::Judge(4)));
        assert_eq!(typed(&["6"]), None, "there are five");
        assert_eq!(typed(&["g", "a"]), Some(Command::Go("/?tab=active")), "and never an approval");
        assert_eq!(typed(&["g", "d"]), None, "a key after g is no command of its own");
        assert_eq!(typed(&["g", "x", "a"]), Some(Command::Approve));
    }

    #[test]
    fn each_place_has_a_letter_of_its_own() {
        let letters: BTreeSet<&str> = PLACES.into_iter().map(|(letter, ..)| letter).collect();
        assert_eq!(letters.len(), PLACES.len());
    }

    #[test]
    fn nothing_fires_while_somebody_types_or_holds_a_modifier() {
        let mut keys = Keys::default();
        let press =
            |key, typing, with_modifier| Press { key, typing, with_modifier, since_change: LATER, ..Press::default() };
        assert_eq!(keys.press(press("a", true, false)), None);
        assert_eq!(keys.press(press("a", false, true)), None);
        assert_eq!(keys.press(press("1", true, false)), None);
        let palette = Press { with_control: true, ..press("k", true, true) };
        assert_eq!(keys.press(palette), Some(Command::Palette), "also while one types");
    }

    #[test]
    fn nothing_is_decided_while_the_page_has_just_changed() {
        for key in ["a", "d", "r", "u", "x", "o", "3"] {
            let press = |since_change| Keys::default().press(Press { key, since_change, ..Press::default() });
            assert_eq!(press(INERT_FOR - 1.0), None, "{key}");
            assert!(press(INERT_FOR).is_some(), "{key}");
        }
        // What only looks does not wait.
        assert_eq!(Keys::default().press(Press { key: "j", ..Press::default() }), Some(Command::Next));
    }
}
