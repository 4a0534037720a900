//! What the gate writes into its ledger, the verifier reads: it shares no code with the gate, so the names are compared.

use std::collections::BTreeSet;

use super::{read, root};

/// The names of an enum's variants, as they stand at its first depth.
fn variants(path: &str, head: &str) -> BTreeSet<String> {
    let text = read(&root().join(path));
    let (_, rest) = text.split_once(head).unwrap_or_else(|| panic!("{path} has no `{head}`"));
    let (body, _) = rest.split_once("\n}").expect("its end");
    let lines = body.lines().filter_map(|line| line.strip_prefix("    "));
    let names = lines.filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()));
    names.filter_map(|line| line.split([' ', '(', ',', '{']).next()).map(str::to_owned).collect()
}

#[test]
fn every_kind_of_the_ledger_is_one_that_the_verifier_knows() {
    let written = variants("host/src/app/event.rs", "pub enum LedgerEvent {");
    let read = variants("audit-verify/src/grants/wire.rs", "pub(super) enum Event {");
    assert!(written.len() >= 7, "{written:?}");
    assert_eq!(written, read, "a record that the verifier cannot read is one that it calls bad");
}
