//! Text from outside (R11): shown as plain text, bounded, with every character visible as what it is.

use crate::sabotaged;

/// The longest id of a subject, person, task or server, in characters.
pub const LONGEST_IDENTIFIER: usize = 256;

/// The text with each odd character as `⟨U+202E⟩`, at most `max_chars` characters of it; how many were left out stands
/// behind an ellipsis. The marks' own brackets are odd too, so no text can imitate a mark.
pub fn visible(text: &str, max_chars: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(max_chars.saturating_mul(4)));
    for character in text.chars().take(max_chars) {
        if is_odd(character) && !sabotaged!("r11_odd_characters") {
            shown.push_str(&format!("⟨{}⟩", mark(character)));
        } else {
            shown.push(character);
        }
    }
    let left = text.chars().skip(max_chars).count();
    if left > 0 {
        shown.push_str(&format!("… ({left} more)"));
    }
    shown
}

/// The text in pieces, each with whether it is odd: plain pieces as they are, each odd character as `U+202E`.
pub fn spans(text: &str) -> Vec<(bool, String)> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    for character in text.chars() {
        if is_odd(character) {
            if !plain.is_empty() {
                pieces.push((false, std::mem::take(&mut plain)));
            }
            pieces.push((true, mark(character)));
        } else {
            plain.push(character);
        }
    }
    if !plain.is_empty() {
        pieces.push((false, plain));
    }
    pieces
}

/// Whether a text holds anything that cannot be shown as what it is: controls, characters that turn or hide others or
/// have no agreed meaning, and what stands where something could not be decoded. Whatever people write by hand is none:
/// white space, line ends, and the joiners and selectors of scripts and pictures where they stand behind such.
pub fn is_undecodable(text: &str) -> bool {
    let mut before = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let fine = match character {
            '\n' | '\t' | '\u{27e8}' | '\u{27e9}' => true,
            '\r' => characters.peek() == Some(&'\n'),
            // A line that ends where no line ends, for whoever looks.
            '\u{2028}' | '\u{2029}' => false,
            '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' => {
                before.is_some_and(|before| is_joined(before, character))
            }
            _ => !is_odd(character) || (character.is_whitespace() && !character.is_control()),
        };
        if !fine {
            return true;
        }
        before = Some(character);
    }
    false
}

/// Whether a joiner or selector has something to join or select: one of no plain letters, and none of their own kind but
/// a joiner behind a selector.
fn is_joined(before: char, character: char) -> bool {
    let selected = before == '\u{fe0f}' && character == '\u{200d}';
    !before.is_ascii() && (selected || !is_odd(before))
}

/// Whether a text can be the id of a subject, person, task or server: 1 to 256 characters, none of them odd, white
/// space, `<` (which joins a chain's hops) or `"` (which ends an id in policy text).
pub fn is_identifier(text: &str) -> bool {
    let length = text.chars().count();
    (1..=LONGEST_IDENTIFIER).contains(&length)
        && text.chars().all(|c| !is_odd(c) && !c.is_whitespace() && c != '<' && c != '"')
}

fn mark(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}

/// Whether a character does not show as what it is: it is invisible, moves or looks like a space, changes its
/// neighbours' direction, or has no agreed meaning.
pub fn is_odd(character: char) -> bool {
    let code = u32::from(character);
    character.is_control()
        || (character.is_whitespace() && character != ' ')
        || (code & 0xfffe) == 0xfffe
        || matches!(code,
            0x00ad | 0x034f | 0x061c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f
            | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0x2800 | 0x27e8..=0x27e9 | 0x3164
            | 0xe000..=0xf8ff | 0xfdd0..=0xfdef | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffd
            | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0x40000..=0x10ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_characters_are_made_visible_and_others_stay() {
        for (given, shown) in [
            ("plain text, Grüße, 日本語, ok 👍", "plain text, Grüße, 日本語, ok 👍"),
            ("a\u{202e}txt.exe", "a⟨U+202E⟩txt.exe"),
            ("a\u{200b}b\u{feff}", "a⟨U+200B⟩b⟨U+FEFF⟩"),
            ("line\nbreak\t\u{1b}[31m", "line⟨U+000A⟩break⟨U+0009⟩⟨U+001B⟩[31m"),
            ("no\u{a0}break\u{3000}", "no⟨U+00A0⟩break⟨U+3000⟩"),
            ("\u{e000}\u{fdd0}\u{ffff}\u{e0041}\u{10fffe}", "⟨U+E000⟩⟨U+FDD0⟩⟨U+FFFF⟩⟨U+E0041⟩⟨U+10FFFE⟩"),
            ("⟨U+202E⟩", "⟨U+27E8⟩U+202E⟨U+27E9⟩"),
            ("\u{50000}\u{fe0f}\u{ad}", "⟨U+50000⟩⟨U+FE0F⟩⟨U+00AD⟩"),
        ] {
            assert_eq!(visible(given, 100), shown);
        }
    }

    #[test]
    fn what_people_write_can_be_shown_and_what_hides_something_cannot() {
        for text in [
            "",
            "plain, with a tab\tand lines\nand\r\nsuch",
            "Grüße, 日本語、\u{3000}ok 👍 ❤\u{fe0f}\u{200d}🔥 ⟨quoted⟩ no\u{a0}break 12\u{202f}000",
            "می\u{200c}خواهم",
        ] {
            assert!(!is_undecodable(text), "{text:?}");
        }
        for text in [
            "not decoded: \u{fffd}",
            "a\u{0}b",
            "\u{1b}[31m",
            "over\rwritten",
            "\u{85}",
            "a\u{202e}txt.exe",
            "\u{2066}x\u{2069}",
            "a\u{200b}b",
            "a\u{200d}b",
            "\u{fe0f}x",
            "😀\u{fe0f}\u{fe0f}",
            "😀\u{fe00}",
            "a\u{2028}b",
            "\u{e0041}",
            "\u{e000}",
            "\u{ffff}",
            "\u{50000}",
            "\u{ad}",
        ] {
            assert!(is_undecodable(text), "{text:?}");
        }
    }

    #[test]
    fn what_is_left_out_is_counted() {
        assert_eq!(visible("abcdef", 6), "abcdef");
        assert_eq!(visible("abcdef", 4), "abcd… (2 more)");
        assert_eq!(visible("\u{202e}\u{202e}", 1), "⟨U+202E⟩… (1 more)");
        assert_eq!(visible("abc", 0), "… (3 more)");
    }

    #[test]
    fn spans_tell_plain_from_odd() {
        let plain = |text: &str| (false, text.to_owned());
        let odd = |text: &str| (true, text.to_owned());
        assert_eq!(spans("a\u{202e}\u{200b}b"), vec![plain("a"), odd("U+202E"), odd("U+200B"), plain("b")]);
        assert_eq!(spans(""), vec![]);
    }

    #[test]
    fn ids_are_short_plain_and_whole() {
        for id in ["a", "spiffe://demo/agent-7", "alice@example.org", "T-1/2", &"x".repeat(256), "a*b\\c'>"] {
            assert!(is_identifier(id), "{id}");
        }
        for id in ["", " a", "a b", "a\u{a0}b", "a\u{202e}", "a<b", "a\"b", "a\n", &"x".repeat(257)] {
            assert!(!is_identifier(id), "{id:?}");
        }
    }
}
