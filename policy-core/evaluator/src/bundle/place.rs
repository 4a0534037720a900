//! Where in a file something stands, so that an error names the line that has to change.
//!
//! Texts are found as tokens and within their own part of a file: what a comment, a condition or another entity says
//! of the same name is no place of it.

use super::caps::{Token, tokens};
use super::error::line_of;

/// A part of a file: a policy, an entity, or all of it.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    text: &'a str,
    tokens: Vec<(usize, Token<'a>)>,
}

impl<'a> Part<'a> {
    /// The whole file.
    pub(crate) fn whole(text: &'a str) -> Self {
        Self { text, tokens: tokens(text) }
    }

    /// The line, from 1, that it begins on; 1 for one that is empty.
    pub(crate) fn line(&self) -> u32 {
        self.tokens.first().map_or(1, |(offset, _)| line_of(self.text, *offset))
    }

    /// The line on which these tokens first stand one after the other, where they do.
    pub(crate) fn find(&self, wanted: &[Token<'_>]) -> Option<u32> {
        let fits = |found: &&[(usize, Token<'_>)]| found.iter().map(|(_, token)| token).eq(wanted);
        let found = self.tokens.windows(wanted.len().max(1)).find(fits)?;
        found.first().map(|(offset, _)| line_of(self.text, *offset))
    }

    /// The line of an annotation, and where it has none, the line that the part begins on.
    pub(crate) fn annotation(&self, key: &str) -> u32 {
        self.find(&[Token::Sign('@'), Token::Word(key)]).unwrap_or_else(|| self.line())
    }

    /// The line of a string literal, and where it has none, the line that the part begins on.
    #[cfg(feature = "validate")]
    pub(crate) fn literal(&self, text: &str) -> u32 {
        self.find(&[Token::Text(&format!("\"{text}\""))]).unwrap_or_else(|| self.line())
    }

    /// The line of a name, as a word or as a string literal, where it has one.
    pub(crate) fn name(&self, name: &str) -> Option<u32> {
        // A name in a namespace is several words.
        let last = name.rsplit("::").next().unwrap_or(name);
        let quoted = format!("\"{last}\"");
        self.find(&[Token::Word(last)]).or_else(|| self.find(&[Token::Text(&quoted)]))
    }
}

/// The line, from 1, on which the `[[tool]]` of this number in `bundle.toml` has a member; where the tool begins, when it
/// has none; 1 where there is no such tool.
pub(crate) fn tool_line(text: &str, number: usize, member: &str) -> u32 {
    let lines = || text.lines().map(str::trim_start).zip(1u32..);
    let Some((_, begin)) = lines().filter(|(line, _)| line.starts_with("[[tool]]")).nth(number) else { return 1 };
    let own = lines().skip_while(|(_, at)| *at <= begin).take_while(|(line, _)| !line.starts_with('['));
    let is_member = |line: &str| line.strip_prefix(member).is_some_and(|rest| rest.trim_start().starts_with('='));
    own.filter(|(line, _)| is_member(line)).map(|(_, at)| at).next().unwrap_or(begin)
}

/// The policies of a file, in order: each ends at a `;` outside brackets.
pub(crate) fn policies(text: &str) -> Vec<Part<'_>> {
    parts(text, ';', 0)
}

/// The elements of a JSON array, in order.
#[cfg(feature = "validate")]
pub(crate) fn elements(text: &str) -> Vec<Part<'_>> {
    parts(text, ',', 1)
}

/// What stands between separators this deep in brackets.
fn parts(text: &str, separator: char, at: usize) -> Vec<Part<'_>> {
    let (mut parts, mut part, mut depth) = (Vec::new(), Vec::new(), 0usize);
    for (offset, token) in tokens(text) {
        let (before, opens) = (depth, matches!(token, Token::Sign('(' | '[' | '{')));
        if opens {
            depth = depth.saturating_add(1);
        } else if matches!(token, Token::Sign(')' | ']' | '}')) {
            depth = depth.saturating_sub(1);
        }
        if before == at && token == Token::Sign(separator) {
            parts.push(Part { text, tokens: std::mem::take(&mut part) });
        } else if before >= at && depth >= at {
            part.push((offset, token));
        }
    }
    if !part.is_empty() {
        parts.push(Part { text, tokens: part });
    }
    parts
}

#[cfg(test)]
#[cfg(feature = "validate")]
mod tests {
    use super::*;

    #[test]
    fn policies_begin_at_their_first_token_and_end_at_their_semicolon() {
        let text = "// \"b\"; first\n\n@id(\"a\")\npermit (a, b, c)\nwhen { \"b\" == \";\" };\nforbid (x, y, z); @doc(\"b\")\n@id(\"b\")\npermit(k)";
        let lines = |key: &str| policies(text).iter().map(|part| part.annotation(key)).collect::<Vec<_>>();
        assert_eq!(policies(text).iter().map(Part::line).collect::<Vec<_>>(), [3, 6, 6]);
        assert_eq!(lines("id"), [3, 6, 7]);
        assert_eq!(lines("doc"), [3, 6, 6]);
        assert_eq!(policies(text).last().map(|part| part.literal("b")), Some(6));
        assert!(policies(" // nothing\n").is_empty());
    }

    #[test]
    fn elements_are_those_of_the_outermost_array() {
        let text = "[\n {\"a\": [1, 2]},\n\n {\"b\":\n  \"x, [\"}\n ,3\n]\n";
        assert_eq!(elements(text).iter().map(Part::line).collect::<Vec<_>>(), [2, 4, 6]);
        assert_eq!(elements(text).get(1).map(|part| part.literal("x, [")), Some(5));
        assert_eq!(elements(text).first().map(|part| part.literal("b")), Some(2), "not another element's");
        assert!(elements("[]").is_empty() && elements("").is_empty());
    }

    #[test]
    fn a_tool_is_found_by_its_number() {
        let text =
            "name = \"a\"\n[[tool]]\nname = \"a\"\n\n [[tool]]\nnames = 1\nname= \"b\"\n[[tool]]\n[x]\nname = 1\n";
        let lines: Vec<u32> = (0..4).map(|number| tool_line(text, number, "name")).collect();
        assert_eq!(lines, [3, 7, 8, 1]);
    }

    #[test]
    fn a_name_is_a_word_or_a_literal_and_never_a_comment() {
        let text = "// Disk\nentity Disks;\naction \"Disk\" appliesTo { principal: [Acme::Disk] };";
        let whole = Part::whole(text);
        assert_eq!((whole.name("Acme::Disk"), whole.name("Disks"), whole.name("Tape")), (Some(3), Some(2), None));
        assert_eq!(Part::whole("").line(), 1);
    }
}
