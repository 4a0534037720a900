//! Makes `docs/conformance.md` and `docs/threats.md` of what a whole run of the tests has covered, and fails where a table
//! is another than the one that is kept, or a row has no test that ran. `PROVISO_BLESS=1` keeps the new tables. It fails
//! as well where an operation of the OpenAPI document answered well to no test: then nothing was held against its schema.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use proviso_tests::{Standard, contract, covered, standards, threats};

/// How a table is made.
const BY: &str = "generated from the tests that ran by `cargo run -p proviso-tests --bin conformance`.";

/// A page of tables.
struct Page {
    path: &'static str,
    text: String,
}

fn main() -> ExitCode {
    let covered = covered();
    let mut bare = Vec::new();
    let mut conformance = format!("# Conformance\n\nWhich test covers which clause; {BY}\n");
    for standard in standards() {
        tell(&mut conformance, &standard, &covered, &mut bare);
    }
    let mut abuses = format!(
        "# Threats\n\nWhich test plays which abuse; {BY}\nWhat holds against whom, and what does not, is in SECURITY.md.\n"
    );
    let listed = threats();
    bare.extend(listed.clause.iter().filter(|row| row.excused.is_some()).map(|row| format!("{} (excused)", row.id)));
    tell(&mut abuses, &listed, &covered, &mut bare);
    let pages =
        [Page { path: "docs/conformance.md", text: conformance }, Page { path: "docs/threats.md", text: abuses }];
    let bless = std::env::var_os("PROVISO_BLESS").is_some();
    let mut stale = Vec::new();
    for Page { path, text } in pages {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
        if bless && std::fs::write(&file, &text).is_err() {
            eprintln!("{path} cannot be written");
            return ExitCode::FAILURE;
        }
        if std::fs::read_to_string(&file).unwrap_or_default() != text {
            stale.push(path);
        }
    }
    if !bare.is_empty() {
        eprintln!("no test that ran covers: {}", bare.join(", "));
        return ExitCode::FAILURE;
    }
    if !stale.is_empty() {
        eprintln!("{} is not what the tests cover; PROVISO_BLESS=1 makes it so", stale.join(" and "));
        return ExitCode::FAILURE;
    }
    let unanswered = contract::unanswered();
    if !unanswered.is_empty() {
        eprintln!("operations of openapi.json that answered well to no test that ran: {}", unanswered.join(", "));
        return ExitCode::FAILURE;
    }
    println!("every row has a test that ran, and every operation has answered as the document says");
    ExitCode::SUCCESS
}

/// Writes a list's table, and names the rows that no test covered.
fn tell(table: &mut String, list: &Standard, covered: &BTreeMap<String, Vec<String>>, bare: &mut Vec<String>) {
    table.push_str(&format!("\n## {}\n\n{}\n\n| row | what | tests |\n|---|---|---|\n", list.title, list.version));
    for clause in &list.clause {
        let tests = covered.get(&clause.id).map(|tests| tests.iter().map(|test| format!("`{test}`")));
        let told = match (tests, &clause.excused) {
            (Some(tests), _) => tests.collect::<Vec<_>>().join("<br>"),
            (None, Some(excuse)) => format!("none: {}", excuse.words()),
            (None, None) => {
                bare.push(clause.id.clone());
                "**none that ran**".to_owned()
            }
        };
        // A `String` takes every line.
        let _ = writeln!(table, "| {} | {} | {told} |", clause.id, clause.says);
    }
}
