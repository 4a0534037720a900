//! Makes `docs/conformance.md` of what a whole run of the tests has covered, and fails where the table is another than
//! the one that is kept, or a clause has no test that ran. `PROVISO_BLESS=1` keeps the new table. It fails as well where
//! an operation of the OpenAPI document answered well to no test: then nothing was held against its schema.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use proviso_tests::{contract, covered, standards};

fn main() -> ExitCode {
    let covered = covered();
    let mut table = String::from(
        "# Conformance\n\nWhich test covers which clause; generated from the tests that ran by `cargo run -p proviso-tests --bin conformance`.\n",
    );
    let mut bare = Vec::new();
    for standard in standards() {
        table.push_str(&format!(
            "\n## {}\n\n{}\n\n| clause | demand | tests |\n|---|---|---|\n",
            standard.title, standard.version
        ));
        for clause in standard.clause {
            let tests =
                covered.get(&clause.id).map(|tests| tests.iter().map(|test| format!("`{test}`")).collect::<Vec<_>>());
            let told = match (&tests, &clause.excused) {
                (Some(tests), _) => tests.join("<br>"),
                (None, Some(why)) => format!("none: {why}"),
                (None, None) => {
                    bare.push(clause.id.clone());
                    "**none that ran**".to_owned()
                }
            };
            // A `String` takes every line.
            let _ = writeln!(table, "| {} | {} | {told} |", clause.id, clause.says);
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/conformance.md");
    if std::env::var_os("PROVISO_BLESS").is_some() && std::fs::write(&path, &table).is_err() {
        eprintln!("docs/conformance.md cannot be written");
        return ExitCode::FAILURE;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    if !bare.is_empty() {
        eprintln!("no test that ran covers: {}", bare.join(", "));
        return ExitCode::FAILURE;
    }
    if kept != table {
        eprintln!("docs/conformance.md is not what the tests cover; PROVISO_BLESS=1 makes it so");
        return ExitCode::FAILURE;
    }
    let unanswered = contract::unanswered();
    if !unanswered.is_empty() {
        eprintln!("operations of openapi.json that answered well to no test that ran: {}", unanswered.join(", "));
        return ExitCode::FAILURE;
    }
    println!("every clause has a test that ran, and every operation has answered as the document says");
    ExitCode::SUCCESS
}
