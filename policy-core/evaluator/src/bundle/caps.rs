//! Bounds on policy text, checked before Cedar sees it.
//!
//! Cedar's own recursion guard does nothing on wasm32, where text nested 100 to 200 deep would trap. The scan below knows
//! only comments, string literals, brackets and operators; it is stricter than the grammar where it is in doubt.

use super::error::BundleError;

/// How deep brackets, operators and members may nest in one policy. A host's stack must bear it: an optimised frame of
/// Cedar's evaluator takes some 8 KiB in V8, which gives a page and Node about 1 MB.
pub const DEEPEST: usize = 64;
/// How many operands one policy may have.
pub const MOST_OPERANDS: usize = 1_000;
/// The largest file, in bytes.
pub const LARGEST_FILE: usize = 1 << 20;

/// A token, as far as bounds and names need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// An identifier, a keyword or a number.
    Word(&'a str),
    /// A string literal, quotes included.
    Text(&'a str),
    /// Anything else, one character.
    Sign(char),
}

/// The tokens of a policy or schema text, each with its byte offset. Comments are left out.
pub(crate) fn tokens(text: &str) -> Vec<(usize, Token<'_>)> {
    let mut tokens = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some((start, character)) = rest.next() {
        if character == '/' && rest.peek().is_some_and(|(_, next)| *next == '/') {
            while rest.next_if(|(_, next)| *next != '\n').is_some() {}
        } else if character == '"' {
            let mut escaped = false;
            for (_, next) in rest.by_ref() {
                if next == '"' && !escaped {
                    break;
                }
                escaped = next == '\\' && !escaped;
            }
            let end = rest.peek().map_or(text.len(), |(end, _)| *end);
            tokens.push((start, Token::Text(text.get(start..end).unwrap_or_default())));
        } else if character.is_alphanumeric() || character == '_' {
            while rest.next_if(|(_, next)| next.is_alphanumeric() || *next == '_').is_some() {}
            let end = rest.peek().map_or(text.len(), |(end, _)| *end);
            tokens.push((start, Token::Word(text.get(start..end).unwrap_or_default())));
        } else if !character.is_whitespace() {
            tokens.push((start, Token::Sign(character)));
        }
    }
    tokens
}

fn close(levels: &mut Vec<usize>) {
    if levels.len() > 1 {
        levels.pop();
    }
}

/// What a text is written in: the bounds differ where `<` and `{` mean something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Policies: each ends at a `;` outside brackets.
    Policy,
    /// A schema: its `<` opens a bracket, and its size is bounded as a whole.
    Schema,
}

/// Holds a file against the bounds.
pub(crate) fn check(file: &str, text: &str, kind: Kind) -> Result<(), BundleError> {
    let refuse = |offset, message: String| {
        let help = "split the policy, or move what repeats into an attribute or an action group";
        Err(BundleError::new(file, super::error::line_of(text, offset), "too_complex", message, help))
    };
    if text.len() > LARGEST_FILE {
        return refuse(0, format!("the file has {} bytes, the most is {LARGEST_FILE}", text.len()));
    }
    // One number for each open bracket: how many operators and members hang on one another there. `a + b + c` and
    // `a.b.c` nest as deep as brackets do; lists do not. What an `if`, a `&&` or a `||` adds counts to the end of the
    // policy, and clauses hang on one another as if by `&&`.
    let (mut levels, mut operands) = (vec![0usize], 0usize);
    let (mut conditionals, mut halves, mut clauses) = (0usize, 0usize, 0usize);
    for (offset, token) in tokens(text) {
        match token {
            Token::Sign('(' | '[' | '{') => levels.push(1),
            Token::Sign('<') if kind == Kind::Schema => levels.push(1),
            Token::Sign('>') if kind == Kind::Schema => close(&mut levels),
            Token::Sign(')' | ']' | '}') => close(&mut levels),
            Token::Sign(';') if levels.len() == 1 => {
                (levels, operands, conditionals, halves, clauses) = (vec![0], 0, 0, 0, 0);
            }
            Token::Sign(sign @ ('&' | '|' | ',' | ';')) => {
                halves += usize::from(matches!(sign, '&' | '|'));
                let base = usize::from(levels.len() > 1);
                levels.last_mut().into_iter().for_each(|level| *level = base);
            }
            Token::Sign('!' | '-' | '+' | '*' | '.') => levels.last_mut().into_iter().for_each(|level| *level += 1),
            Token::Sign(_) => {}
            Token::Word("if") => conditionals += 1,
            Token::Word(word) => {
                operands += 1;
                clauses += usize::from(matches!(word, "when" | "unless"));
            }
            Token::Text(_) => operands += 1,
        }
        let joined = conditionals + halves / 2 + clauses.saturating_sub(1);
        if levels.iter().sum::<usize>() + joined > DEEPEST {
            return refuse(offset, format!("the text nests more than {DEEPEST} levels deep"));
        }
        if operands > MOST_OPERANDS && kind == Kind::Policy {
            return refuse(offset, format!("one policy has more than {MOST_OPERANDS} operands"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_and_operands_are_bounded_at_the_edge() {
        let nested = |n: usize| format!("permit(principal, action, resource) when {}", "(".repeat(n));
        let negated = |n: usize| format!("forbid(principal, action, resource) when {{ {}true }};", "!".repeat(n));
        let many = |n: usize| format!("permit {}", "a ".repeat(n - 1));
        for (text, fits) in [
            (nested(64), true),
            (nested(65), false),
            (negated(63), true),
            (negated(64), false),
            (format!("permit a{}", ".a".repeat(64)), true),
            (format!("permit a{}", ".a".repeat(65)), false),
            (format!("permit a{}", " + a".repeat(64)), true),
            (format!("permit a{}", " * a".repeat(65)), false),
            (format!("permit (a{})", " - a".repeat(64)), false),
            (format!("permit a{}", ".contains(a)".repeat(65)), false),
            (format!("permit [{}]", "a.b.c, ".repeat(100)), true),
            (format!("permit {{ {} }}", "a.b + c == d.e || ".repeat(61)), true),
            (format!("permit {{ {} }}", "a.b + c == d.e || ".repeat(62)), false),
            (format!("permit a {}", "&& a ".repeat(64)), true),
            (format!("permit a {}", "|| a ".repeat(65)), false),
            (format!("permit a {}", "&& a || a ".repeat(33)), false),
            (format!("permit a {}; {}", "&& a ".repeat(64), "a && ".repeat(64)), true),
            (format!("permit {}", "when { a } ".repeat(64)), true),
            (format!("permit {}", "when { a } unless { b } ".repeat(33)), false),
            (format!("permit {}", "(a && b) ".repeat(65)), false),
            (many(1_000), true),
            (many(1_001), false),
            (format!("{};{}", many(1_000), many(1_000)), true),
            (format!("permit {}", "a < b - c && ".repeat(63)), true),
            (format!("permit {}", "if a && b then c else ".repeat(65)), false),
            (format!("// {}\n permit", "(".repeat(500)), true),
            (format!("\"{}\\\"{}\"", "(".repeat(500), "(".repeat(500)), true),
        ] {
            assert_eq!(check("f", &text, Kind::Policy).is_ok(), fits, "{}", text.get(..60).unwrap_or(&text));
        }
    }

    #[test]
    fn tokens_are_words_texts_and_signs_outside_comments() {
        use Token::{Sign, Text, Word};
        let cases: [(&str, &[(usize, Token<'_>)]); 8] = [
            ("", &[]),
            ("a / b // c\nd", &[(0, Word("a")), (2, Sign('/')), (4, Word("b")), (11, Word("d"))]),
            ("a/b", &[(0, Word("a")), (1, Sign('/')), (2, Word("b"))]),
            ("//", &[]),
            (r#""x // y" z"#, &[(0, Text(r#""x // y""#)), (9, Word("z"))]),
            (r#""a\"b\\" c"#, &[(0, Text(r#""a\"b\\""#)), (9, Word("c"))]),
            ("_a1 ünï<2", &[(0, Word("_a1")), (4, Word("ünï")), (9, Sign('<')), (10, Word("2"))]),
            ("\"open", &[(0, Text("\"open"))]),
        ];
        for (text, expected) in cases {
            assert_eq!(tokens(text), expected, "{text}");
        }
    }

    #[test]
    fn what_closes_counts_down_and_a_stray_bracket_for_nothing() {
        let many = |n: usize| "a ".repeat(n);
        let pairs = |open: &str, close: &str, n: usize| format!("{open} {close} ").repeat(n);
        let deep = |open: &str, close: &str, n: usize| format!("{}{}", open.repeat(n), close.repeat(n));
        for (text, kind, fits) in [
            (format!(") {};{}", many(600), many(600)), Kind::Policy, true),
            (format!("({};{}", many(600), many(600)), Kind::Policy, false),
            (pairs("(", ")", 100), Kind::Policy, true),
            (pairs("[", "]", 100), Kind::Policy, true),
            (pairs("{", "}", 100), Kind::Policy, true),
            (deep("(", ")", 64), Kind::Policy, true),
            (deep("[", "]", 65), Kind::Policy, false),
            (deep("{", "}", 65), Kind::Policy, false),
            ("a < b".repeat(100), Kind::Policy, true),
            (deep("<", ">", 65), Kind::Policy, true),
            (format!("{}{}{}", "(".repeat(60), ">".repeat(60), "(".repeat(4)), Kind::Policy, true),
            (format!("{}{}{}", "(".repeat(60), ">".repeat(60), "(".repeat(5)), Kind::Policy, false),
            (format!("{}{}{}", "<".repeat(60), ">".repeat(60), "<".repeat(60)), Kind::Schema, true),
            (deep("<", ">", 64), Kind::Schema, true),
            (deep("<", ">", 65), Kind::Schema, false),
            (pairs("<", ">", 100), Kind::Schema, true),
            (many(1_001), Kind::Schema, true),
            // What hangs on one another counts inside its brackets, and begins anew after them and at a `,` or `;`.
            (format!("({}) .b", "a.".repeat(62)), Kind::Policy, true),
            (format!("(a{}", ".a".repeat(63)), Kind::Policy, true),
            (format!("(a{}", ".a".repeat(64)), Kind::Policy, false),
            (format!("(a{}, a{}", ".a".repeat(63), ".a".repeat(63)), Kind::Policy, true),
            (format!("(a{}, a{}", ".a".repeat(63), ".a".repeat(64)), Kind::Policy, false),
            (format!("a{}; a{}", ".a".repeat(64), ".a".repeat(64)), Kind::Policy, true),
            (format!("a{} && a{}", ".a".repeat(64), ".a".repeat(63)), Kind::Policy, true),
            (format!("a{} && a{}", ".a".repeat(64), ".a".repeat(64)), Kind::Policy, false),
            (format!("a{} || a{}", ".a".repeat(64), ".a".repeat(65)), Kind::Policy, false),
            ("if ".repeat(64), Kind::Policy, true),
            ("if ".repeat(65), Kind::Policy, false),
            (format!("{};{}", "if ".repeat(64), "if ".repeat(64)), Kind::Policy, true),
            (format!("{}({})", "if ".repeat(32), "if ".repeat(31)), Kind::Policy, true),
            (format!("{}({})", "if ".repeat(32), "if ".repeat(32)), Kind::Policy, false),
            (format!("- {}a", "-".repeat(63)), Kind::Policy, true),
            (format!("- {}a", "-".repeat(64)), Kind::Policy, false),
        ] {
            assert_eq!(check("f", &text, kind).is_ok(), fits, "{}", text.get(..40).unwrap_or(&text));
        }
    }

    #[test]
    fn a_refusal_names_the_line() {
        let text = format!("permit\n(\n{})", "(".repeat(64));
        let error = check("scope/a.cedar", &text, Kind::Policy).unwrap_err();
        assert_eq!((error.file.as_str(), error.line, error.code), ("scope/a.cedar", 3, "too_complex"));
    }
}
