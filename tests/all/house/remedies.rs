//! Whatever the command line fails with has a remedy: in the one table, or said where it fails.

use policy_core::outcome::Reason;

use super::{read, root, rust_files};

#[test]
fn every_failure_of_the_command_line_has_a_remedy() {
    let (mut codes, mut without) = (0, Vec::new());
    for path in rust_files("host/src/cli") {
        let text = read(&root().join(&path));
        for call in text.split("Failure::").skip(1) {
            let makes = ["new(", "unavailable(", "bad_input(", "usage("].iter().any(|name| call.starts_with(name));
            let Some((before, rest)) = call.split_once('"').filter(|_| makes) else { continue };
            // A code that another boundary gives has that one's remedy.
            if before.contains([')', ';', '.']) {
                continue;
            }
            let code = rest.split('"').next().unwrap_or_default();
            let said_here = rest.split(';').next().is_some_and(|statement| statement.contains(".help("));
            codes += 1;
            if proviso::remedies::remedy(code).is_none() && !said_here {
                without.push(format!("{path}: {code}"));
            }
        }
    }
    assert!(without.is_empty(), "{without:#?}");
    assert!(codes > 15, "only {codes} were found");
}

#[test]
fn the_table_of_reasons_in_api_md_is_the_one_that_is_spoken() {
    let api = read(&root().join("API.md"));
    for reason in Reason::ALL {
        let (sentence, help) = (reason.sentence(), reason.help().unwrap_or_default());
        let row = format!("| `{}` | {sentence} | {help} |", reason.code());
        assert!(api.lines().any(|line| line == row), "API.md lacks the row\n{row}");
    }
}
