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
    /// Show or hide the list of keys.
    Help,
}

/// The keys with what they do, for the page that lists them.
pub const KEYS: [(&str, &str); 9] = [
    ("j  k", "next and previous line of the queue"),
    ("Enter", "open the line, press the button"),
    ("n", "narrow: to the first knob"),
    ("a", "to Approve"),
    ("d", "to the reason for a refusal"),
    ("r", "to the reason for a revocation"),
    ("g q", "to the queue"),
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
        assert_eq!(typed(&["g", "a"]), None, "a key after g is no command of its own");
        assert_eq!(typed(&["g", "a", "a"]), Some(Command::Approve));
    }

    #[test]
    fn nothing_fires_while_somebody_types_or_holds_a_modifier() {
        let mut keys = Keys::default();
        assert_eq!(keys.press(Press { key: "a", typing: true, with_modifier: false }), None);
        assert_eq!(keys.press(Press { key: "a", typing: false, with_modifier: true }), None);
    }
}
