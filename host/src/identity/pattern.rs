//! For which subjects an enforcement point may ask: `TYPE::PATTERN`.

use policy_core::entity::EntityRef;
use serde::{Deserialize, Serialize};

/// A subject type and a pattern for ids, in which `*` stands for any characters, also none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectPattern {
    /// The type, compared as a whole.
    #[serde(rename = "type")]
    kind: String,
    /// The pattern.
    pattern: String,
}

impl SubjectPattern {
    /// Reads `TYPE::PATTERN`; the type may hold `::` itself, the pattern may not.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, pattern) = text.rsplit_once("::")?;
        let fits = !kind.is_empty() && !pattern.is_empty() && text.len() <= 512 && !text.chars().any(char::is_control);
        fits.then(|| Self { kind: kind.to_owned(), pattern: pattern.to_owned() })
    }

    /// Whether every subject of the type is meant.
    pub fn is_for_all(&self) -> bool {
        self.pattern.chars().all(|character| character == '*')
    }

    /// Whether this subject is meant.
    pub fn matches(&self, subject: &EntityRef) -> bool {
        self.kind == subject.kind && matches(&self.pattern, &subject.id)
    }
}

impl std::fmt::Display for SubjectPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}::{}", self.kind, self.pattern)
    }
}

/// The literal pieces between the stars must occur in order, the first at the start and the last at the end.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for piece in middle.split('*') {
        match left.split_once(piece) {
            Some((_, after)) => left = after,
            None => return false,
        }
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything_and_all_else_for_itself() {
        for (pattern, subject, expected) in [
            ("Agent::a", "a", true),
            ("Agent::a", "ab", false),
            ("Agent::*", "", true),
            ("Agent::spiffe:/acme/*", "spiffe:/acme/x/y", true),
            ("Agent::spiffe:/acme/*", "spiffe:/other/x", false),
            ("Agent::a*b*c", "a-b-c", true),
            ("Agent::a*b*c", "a-c-b", false),
            ("Agent::a*a", "a", false),
            ("Agent::.*", "x", false),
        ] {
            let pattern = SubjectPattern::parse(pattern).unwrap();
            assert_eq!(pattern.matches(&EntityRef::new("Agent", subject)), expected, "{pattern} {subject}");
            assert!(!pattern.matches(&EntityRef::new("User", subject)));
        }
        for text in ["Agent", "::x", "Agent::", "Agent::a\nb"] {
            assert_eq!(SubjectPattern::parse(text), None, "{text}");
        }
    }
}
