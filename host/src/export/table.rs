//! CSV after RFC 4180, for people who open it in a spreadsheet.
//!
//! INVARIANT (R11): a cell is text. What a spreadsheet would take for a formula begins with an apostrophe, and odd
//! characters are written as what they are.

use policy_core::text::visible;
use serde_json::Value;

use super::told::{Told, entity};

/// The columns.
pub(super) const COLUMNS: [&str; 18] = [
    "log",
    "seq",
    "at",
    "kind",
    "outcome",
    "reason",
    "policies",
    "subject",
    "task",
    "action",
    "resources",
    "server",
    "exception",
    "evaluation",
    "by",
    "said",
    "bundle",
    "module",
];
/// How much of a text one cell shows.
const LONGEST: usize = 2_000;

/// The first line.
pub(super) fn header() -> Vec<u8> {
    line(COLUMNS.iter().map(|column| (*column).to_owned()))
}

/// A record's line.
pub(super) fn row(told: &Told) -> Vec<u8> {
    let leaf = &told.leaf;
    let says = told.says();
    let member = |name: &str| told.text(name).unwrap_or_default().to_owned();
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let reason = says.pointer("/answer/reason").and_then(Value::as_str);
    let digest = |digest: Option<policy_core::digest::Digest>| digest.map(|one| one.to_string()).unwrap_or_default();
    let cells: [String; 18] = [
        leaf.log.clone(),
        leaf.seq.to_string(),
        leaf.at.to_string(),
        leaf.kind.clone(),
        leaf.outcome.clone().unwrap_or_default(),
        text(reason),
        leaf.policies.join(" "),
        told.subject().map(entity).unwrap_or_default(),
        text(told.task()),
        member("action"),
        told.resources().into_iter().map(entity).collect::<Vec<_>>().join(" "),
        member("server"),
        text(told.exception()),
        member("evaluation"),
        by(told),
        text(told.said()),
        digest(leaf.bundle),
        digest(leaf.module),
    ];
    line(cells.into_iter().map(|cell| safe(&cell)))
}

/// Who did it, each where it took several.
fn by(told: &Told) -> String {
    match told.people() {
        [] => told.by().map(entity).unwrap_or_default(),
        people => people.iter().map(entity).collect::<Vec<_>>().join(" "),
    }
}

/// A cell that no spreadsheet calculates.
fn safe(cell: &str) -> String {
    let shown = visible(cell, LONGEST);
    let begins = |text: &str| {
        // Also as East Asian keyboards write them, which some take for the same.
        text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '|', '%'])
            || text.starts_with(['\t', '\r'])
    };
    if begins(cell) || begins(&shown) { format!("'{shown}") } else { shown }
}

fn line(cells: impl Iterator<Item = String>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // A vector takes whatever it is given.
    let _ = writer.write_record(cells);
    writer.into_inner().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_odd_characters_are_seen() {
        for (cell, expected) in [
            ("plain", "plain"),
            ("", ""),
            ("a=b", "a=b"),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("  =1+1", "'  =1+1"),
            ("＝cmd", "'＝cmd"),
            ("|calc", "'|calc"),
            ("\t=1", "'⟨U+0009⟩=1"),
            ("\rx", "'⟨U+000D⟩x"),
            ("a\nb\u{202e}c", "a⟨U+000A⟩b⟨U+202E⟩c"),
        ] {
            assert_eq!(safe(cell), expected, "{cell:?}");
        }
    }

    #[test]
    fn a_line_is_read_back_as_it_was_written() {
        let cells = ["a,b", "say \"no\"", "", "ends here"];
        let written = line(cells.iter().map(|cell| (*cell).to_owned()));
        assert!(written.ends_with(b"\r\n"));
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(written.as_slice());
        let read = reader.records().next().unwrap().unwrap();
        assert_eq!(read.iter().collect::<Vec<_>>(), cells);
    }
}
