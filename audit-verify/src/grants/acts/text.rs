//! The text of Cedar policies, as far as it is needed to read the annotations before each: comments, texts, and where one
//! policy ends.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

/// What an annotation says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// This.
    Word(String),
    /// Something that is written with an escape, which is not read here.
    Escaped,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    Text(Said),
    Mark(char),
}

/// The annotations of each policy, in their order. Absent: it is no text of policies.
pub(super) fn permits(text: &str) -> Option<Vec<BTreeMap<String, Said>>> {
    let mut tokens = tokens(text)?.into_iter().peekable();
    let mut all = Vec::new();
    while tokens.peek().is_some() {
        let mut annotations = BTreeMap::new();
        while tokens.next_if_eq(&Token::Mark('@')).is_some() {
            let Some(Token::Name(name)) = tokens.next() else { return None };
            let mut said = Said::Word(String::new());
            if tokens.next_if_eq(&Token::Mark('(')).is_some() {
                let Some(Token::Text(text)) = tokens.next() else { return None };
                said = text;
                tokens.next_if_eq(&Token::Mark(')'))?;
            }
            annotations.insert(name, said);
        }
        match tokens.next() {
            Some(Token::Name(effect)) if effect == "permit" || effect == "forbid" => {}
            _ => return None,
        }
        loop {
            match tokens.next()? {
                Token::Mark(';') => break,
                Token::Mark(_) | Token::Name(_) | Token::Text(_) => {}
            }
        }
        all.push(annotations);
    }
    Some(all)
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let (mut chars, mut tokens) = (text.chars().peekable(), Vec::new());
    while let Some(one) = chars.next() {
        match one {
            _ if one.is_whitespace() => {}
            '/' if chars.peek() == Some(&'/') => {
                // A comment ends with its line, and for Cedar a carriage return ends one, too.
                while chars.next_if(|one| *one != '\n' && *one != '\r').is_some() {}
            }
            '"' => tokens.push(Token::Text(quoted(&mut chars)?)),
            _ if one.is_alphanumeric() || one == '_' => {
                let mut name = String::from(one);
                while let Some(more) = chars.next_if(|one| one.is_alphanumeric() || *one == '_') {
                    name.push(more);
                }
                tokens.push(Token::Name(name));
            }
            _ => tokens.push(Token::Mark(one)),
        }
    }
    Some(tokens)
}

/// What stands up to the closing mark. Absent: there is none.
fn quoted(chars: &mut Peekable<Chars<'_>>) -> Option<Said> {
    let (mut word, mut escaped) = (String::new(), false);
    loop {
        match chars.next()? {
            '"' => return Some(if escaped { Said::Escaped } else { Said::Word(word) }),
            '\\' => {
                escaped = true;
                chars.next()?;
            }
            one => word.push(one),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_annotations_before_each_policy_are_read_and_nothing_else() {
        let text = r#"
            // @presence("in a comment") permit (principal, action, resource);
            @id("one") @presence("session") // behind it
            permit (principal == User::"@presence(\"x\");", action, resource is Volume)
            when { context.text like "; @presence(\"y\") *" && 10/2 > 1 } unless { false };
            @id("two")
            @empty
            @escaped("a\tb")
            forbid (principal, action in [Action::"a"], resource);
            permit (principal, action, resource);
        "#;
        let word = |word: &str| Said::Word(word.to_owned());
        let told = permits(text).unwrap();
        assert_eq!(told.len(), 3);
        assert_eq!(told[0], BTreeMap::from([("id".into(), word("one")), ("presence".into(), word("session"))]));
        let two = [("id".into(), word("two")), ("empty".into(), word("")), ("escaped".into(), Said::Escaped)];
        assert_eq!(told[1], BTreeMap::from(two));
        assert_eq!(told[2], BTreeMap::new());
        assert_eq!(permits(" // nothing\n"), Some(Vec::new()));
        let told = permits("// a comment\r@presence(\"session\") permit (principal, action, resource);");
        assert_eq!(told, Some(vec![BTreeMap::from([("presence".into(), word("session"))])]));
    }

    #[test]
    fn what_is_no_text_of_policies_is_none() {
        for text in [
            "permit (principal, action, resource)",
            "@id(\"a\" permit (principal, action, resource);",
            "@id(a) permit (principal, action, resource);",
            "@(\"a\") permit (principal, action, resource);",
            "allow (principal, action, resource);",
            "permit (principal == User::\"a);",
            "permit (principal == User::\"a\\",
            "@id(\"a\")",
            ";",
        ] {
            assert_eq!(permits(text), None, "{text}");
        }
    }
}
