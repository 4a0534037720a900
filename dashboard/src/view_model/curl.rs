//! What the page asked the gate, as a line for a shell. No secret stands in it: whoever runs it signs in by themself.

/// A line that asks the same. `path` is the address at the gate, `body` what was sent.
pub fn curl(origin: &str, method: &str, path: &str, body: Option<&str>) -> String {
    let mut line =
        "curl --silent --show-error --cookie \"$PROVISO_COOKIE\" --header \"Proviso-Session-Key: $PROVISO_KEY\""
            .to_owned();
    if method != "GET" {
        line.push_str(&format!(" --request {}", quoted(method)));
    }
    if let Some(body) = body {
        line.push_str(&format!(" --header 'content-type: application/json' --data {}", quoted(body)));
    }
    line.push_str(&format!(" {}", quoted(&format!("{origin}{path}"))));
    line
}

/// A word that a shell takes as it stands: between single quotes nothing is anything else.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_one_line_without_a_secret() {
        let line = curl("https://gate.example", "GET", "/api/v1/exceptions/exc_1", None);
        assert!(line.ends_with(" 'https://gate.example/api/v1/exceptions/exc_1'"), "{line}");
        assert!(line.contains("$PROVISO_KEY") && !line.contains("--data") && !line.contains("--request"), "{line}");
    }

    #[test]
    fn nothing_of_a_body_gets_out_of_its_quotes() {
        let body = r#"{"reason":"it's $(rm -rf /) `x` \"y\""}"#;
        let line = curl("https://gate.example", "POST", "/api/v1/locks", Some(body));
        assert!(line.contains(r#"--data '{"reason":"it'\''s $(rm -rf /) `x` \"y\""}'"#), "{line}");
    }
}
