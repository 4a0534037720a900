//! The table in `docs/doctor.md` is the one that is spoken, and each row of it is made by a test.

use std::collections::BTreeSet;
use std::path::Path;

use proviso::doctor::{Severity, kinds};

fn text(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).expect("a file of the clone")
}

/// The codes of what is grave.
pub fn grave() -> BTreeSet<&'static str> {
    kinds().iter().filter(|kind| kind.severity == Severity::Grave).map(|kind| kind.code).collect()
}

#[test]
fn the_page_has_the_rows_that_are_spoken_and_no_others() {
    let page = text("docs/doctor.md");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    let spoken: Vec<String> = kinds()
        .iter()
        .map(|kind| {
            format!("| `{}` | {} | {} | {} | {} |", kind.code, kind.severity.word(), kind.what, kind.why, kind.help)
        })
        .collect();
    assert_eq!(rows, spoken);
    let codes: BTreeSet<&str> = kinds().iter().map(|kind| kind.code).collect();
    assert_eq!(codes.len(), kinds().len(), "a code twice");
    assert!(codes.len() >= 20, "{} weak set-ups", codes.len());
}

#[test]
fn each_row_is_made_by_a_test() {
    let tests = ["bundles", "flags", "records"].map(|name| text(&format!("tests/all/doctor/{name}.rs"))).concat();
    let codes = kinds().iter().map(|kind| kind.code);
    let without: Vec<&str> = codes.filter(|code| !tests.contains(&format!("\"{code}\""))).collect();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn each_code_that_is_told_has_its_row() {
    let codes: BTreeSet<&str> = kinds().iter().map(|kind| kind.code).collect();
    for name in ["bundle", "files", "processes", "record", "setup"] {
        let source = text(&format!("host/src/doctor/{name}.rs"));
        for told in source.split("found.tell(").skip(1) {
            // A code that is worked out is held by the test that makes it.
            let code = told.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
            assert!(code.is_none_or(|code| codes.contains(code)), "{name}.rs tells {code:?}");
        }
    }
}
