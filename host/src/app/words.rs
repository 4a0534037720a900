//! The arguments of a call that no schema describes, as quoted values (R11).

use policy_core::json;
use policy_core::sheet::Argument;
use policy_core::text;
use serde_json::Value;

/// How much of one value the sheet shows.
const IN_THE_SHEET: usize = 4_000;
/// How many arguments the sheet lists; the rest is counted.
const MOST_ARGUMENTS: usize = 200;

/// One line for each argument, objects opened, in order of their names.
pub(super) fn untyped(input: &Value) -> Vec<Argument> {
    let mut lines = Vec::new();
    open(input, &mut Vec::new(), &mut lines);
    if lines.len() > MOST_ARGUMENTS {
        let more = lines.split_off(MOST_ARGUMENTS).len();
        lines.push(Argument { at: Vec::new(), text: format!("and {more} more") });
    }
    lines
}

fn open(value: &Value, at: &mut Vec<String>, lines: &mut Vec<Argument>) {
    if let Value::Object(members) = value
        && !members.is_empty()
    {
        let mut members: Vec<_> = members.iter().collect();
        members.sort_by_key(|(name, _)| *name);
        for (name, member) in members {
            at.push(text::visible(name, 80));
            open(member, at, lines);
            at.pop();
        }
        return;
    }
    let written = json::to_canonical_bytes(value).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let written = written.unwrap_or_else(|| "unreadable".to_owned());
    lines.push(Argument { at: at.clone(), text: text::visible(&written, IN_THE_SHEET) });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_opened_and_odd_characters_made_visible() {
        let input = serde_json::json!({"b": [1, 2], "a": {"x": "evil\u{202e}"}, "c": {}});
        let lines: Vec<_> = untyped(&input).into_iter().map(|line| (line.at.join("."), line.text)).collect();
        let expected = [("a.x", "\"evil\u{27e8}U+202E\u{27e9}\""), ("b", "[1,2]"), ("c", "{}")];
        assert_eq!(lines, expected.map(|(at, text)| (at.to_owned(), text.to_owned())));
    }
}
