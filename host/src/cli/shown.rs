//! What a terminal is shown: it obeys control characters, and text that turns its direction reads as something else. Every
//! command's last words go through here, whatever they were made of.

use std::fmt::Write as _;

use policy_core::text::is_odd;

/// How much of one word from outside a line is shown of.
const LONGEST_WORD: usize = 500;

/// A word of somebody else's as a part of a line: it begins no line of its own, and its odd characters stand out.
pub(super) fn word(text: &str) -> String {
    let start: String = text.chars().take(LONGEST_WORD).collect();
    let shown = marked(&start, &[], code_point);
    match text.chars().skip(LONGEST_WORD).count() {
        0 => shown,
        left => format!("{shown}… ({left} more)"),
    }
}

/// Lines for people, with what no line should hold any more made visible.
///
/// INVARIANT (R11): no terminal obeys what somebody else wrote, also where a command forgot to make it visible.
pub(super) fn lines(text: &str) -> String {
    marked(text, &['\n'], code_point)
}

/// JSON that reads the same to whoever parses it, and that a terminal shows without obeying it.
pub(super) fn json(text: &str) -> String {
    marked(text, &[], |out, character| {
        let mut units = [0; 2];
        character.encode_utf16(&mut units).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))
    })
}

fn code_point(out: &mut String, character: char) -> std::fmt::Result {
    write!(out, "⟨U+{:04X}⟩", u32::from(character))
}

/// The text with each odd character but `kept` as `mark` writes it. The brackets of marks that stand there already stay.
fn marked(text: &str, kept: &[char], mark: impl Fn(&mut String, char) -> std::fmt::Result) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if !is_odd(character) || matches!(character, '⟨' | '⟩') || kept.contains(&character) {
            out.push(character);
        } else if mark(&mut out, character).is_err() {
            // Nothing is shown of what cannot be written down.
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOUD: &str = "q4\u{202e}gnp\u{1b}[2J\u{9b}31m\u{7f}\r\u{10ffff}";

    #[test]
    fn lines_for_people_hold_no_character_that_a_terminal_obeys() {
        assert_eq!(
            lines(&format!("first\n{LOUD}")),
            "first\nq4⟨U+202E⟩gnp⟨U+001B⟩[2J⟨U+009B⟩31m⟨U+007F⟩⟨U+000D⟩⟨U+10FFFF⟩"
        );
        // What is visible already is not marked twice, and plain text of any script stays.
        assert_eq!(lines(&policy_core::text::visible("a\u{202e}", 10)), "a⟨U+202E⟩");
        assert_eq!(lines("Grüße, 日本語 👍"), "Grüße, 日本語 👍");
    }

    #[test]
    fn a_word_begins_no_line_and_is_marked_once() {
        assert_eq!(word("case 12\nhold_9  User::mara"), "case 12⟨U+000A⟩hold_9  User::mara");
        assert_eq!(word(&word("a\u{202e}\u{1b}")), "a⟨U+202E⟩⟨U+001B⟩");
        assert!(word(&"x".repeat(LONGEST_WORD + 1)).ends_with("… (1 more)"));
    }

    #[test]
    fn json_says_the_same_and_is_obeyed_by_no_terminal() {
        let value = serde_json::json!({"reason": LOUD, "other": "Grüße"});
        let shown = json(&value.to_string());
        assert!(shown.is_ascii() || !shown.chars().any(is_odd), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }
}
