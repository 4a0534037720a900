//! Cedar text cut into pieces for colour. It decides nothing: a piece that is coloured wrongly is still the same text.

/// What a piece of policy text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// A word of the language.
    Keyword,
    /// A quoted text.
    Text,
    /// Everything else.
    Plain,
}

const KEYWORDS: [&str; 11] = ["permit", "forbid", "when", "unless", "in", "has", "like", "is", "true", "false", "if"];

/// The text in pieces. Together they are the text again.
pub fn pieces(text: &str) -> Vec<(Ink, String)> {
    let mut pieces: Vec<(Ink, String)> = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(first) = characters.next() {
        let mut piece = String::from(first);
        let ink = if first == '"' {
            while let Some(next) = characters.next() {
                piece.push(next);
                match next {
                    '"' => break,
                    '\\' => piece.extend(characters.next()),
                    _ => {}
                }
            }
            Ink::Text
        } else if is_word(first) {
            while let Some(next) = characters.next_if(|next| is_word(*next)) {
                piece.push(next);
            }
            if KEYWORDS.contains(&piece.as_str()) { Ink::Keyword } else { Ink::Plain }
        } else {
            Ink::Plain
        };
        match pieces.last_mut() {
            Some((Ink::Plain, last)) if ink == Ink::Plain => last.push_str(&piece),
            _ => pieces.push((ink, piece)),
        }
    }
    pieces
}

const fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_texts_are_told_apart_and_nothing_is_lost() {
        let text = r#"permit(principal == Agent::"a \" when", action) when { context.within < 3 };"#;
        let cut = pieces(text);
        assert_eq!(cut.iter().map(|(_, piece)| piece.as_str()).collect::<String>(), text);
        let words: Vec<&str> =
            cut.iter().filter(|(ink, _)| *ink == Ink::Keyword).map(|(_, piece)| piece.as_str()).collect();
        assert_eq!(words, ["permit", "when"], "neither the word in the text nor `within` is a keyword");
    }
}
