//! Single-key shortcuts. They can be switched off (WCAG 2.1.4) and never fire while somebody types.

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// The next line of a list.
    Next,
    /// The line before.
    Previous,
    /// Go and approve: moves the focus there, `Enter` then does it.
    Approve,
    /// Go and refuse: moves the focus to the reason.
    Refuse,
    /// Go and revoke: moves the focus to the reason.
    Revoke,
    /// Go and narrow: moves the focus to the first knob.
    Narrow,
    /// To the queue.
    Queue,
    /// To what is looked at afterwards.
    Afterwards,
    /// Judge a closed exception by the disposition at this place, from 1.
    Judge(usize),
    /// Show or hide the list of keys.
    Help,
}

/// The keys with what they do, for the page that lists them.
pub const KEYS: [(&str, &str); 11] = [
    ("j  k", "next and previous line of the queue"),
    ("Enter", "open the line, press the button"),
    ("n", "narrow: to the first knob"),
    ("a", "to Approve"),
    ("d", "to the reason for a refusal"),
    ("r", "to the reason for a revocation"),
    ("1 … 5", "judge the closed exception: the buttons have the numbers"),
    ("g q", "to the queue"),
    ("g v", "to the reviews"),
    ("?", "this list"),
    ("Esc", "close this list"),
];

/// Where a key was pressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Press<'a> {
    /// The key's value, as browsers name it.
    pub key: &'a str,
    /// With Ctrl, Alt or Meta: the browser's, never ours.
    pub with_modifier: bool,
    /// The focus is where text is typed.
    pub typing: bool,
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
        if press.with_modifier || press.typing {
            return None;
        }
        match (press.key, after_g) {
            ("q", true) => Some(Command::Queue),
            ("v", true) => Some(Command::Afterwards),
            ("g", false) => {
                self.after_g = true;
                None
            }
            ("j", false) => Some(Command::Next),
            ("k", false) => Some(Command::Previous),
            ("a", false) => Some(Command::Approve),
            ("d", false) => Some(Command::Refuse),
            ("r", false) => Some(Command::Revoke),
            ("n", false) => Some(Command::Narrow),
            ("?", _) => Some(Command::Help),
            (digit @ ("1" | "2" | "3" | "4" | "5"), false) => digit.parse().ok().map(Command::Judge),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[&str]) -> Option<Command> {
        let mut state = Keys::default();
        keys.iter().fold(None, |_, key| state.press(Press { key, ..Press::default() }))
    }

    #[test]
    fn keys_mean_what_the_list_says() {
        assert_eq!(typed(&["j"]), Some(Command::Next));
        assert_eq!(typed(&["g", "q"]), Some(Command::Queue));
        assert_eq!(typed(&["q"]), None);
        assert_eq!(typed(&["g", "v"]), Some(Command::Afterwards));
        assert_eq!(typed(&["4"]), Some(Command::Judge(4)));
        assert_eq!(typed(&["6"]), None, "there are five");
        assert_eq!(typed(&["g", "a"]), None, "a key after g is no command of its own");
        assert_eq!(typed(&["g", "a", "a"]), Some(Command::Approve));
    }

    #[test]
    fn nothing_fires_while_somebody_types_or_holds_a_modifier() {
        let mut keys = Keys::default();
        assert_eq!(keys.press(Press { key: "a", typing: true, with_modifier: false }), None);
        assert_eq!(keys.press(Press { key: "a", typing: false, with_modifier: true }), None);
        assert_eq!(keys.press(Press { key: "1", typing: true, with_modifier: false }), None);
    }
}
