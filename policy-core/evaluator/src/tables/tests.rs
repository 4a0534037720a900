//! The sample's own tables are green; a table that could lie is refused; a change is told from what needs most looking.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use policy_core::grant::Rate;
use policy_core::outcome::Terms;
use policy_core::presence::Presence;
use policy_core::time::Span;

use super::*;
use crate::Bundle;
use crate::bundle::tests::sample;

fn bundle(change: impl FnOnce(&mut BTreeMap<String, String>)) -> Bundle {
    let mut files = sample();
    change(&mut files);
    Bundle::accept(&files).unwrap()
}

fn rows() -> Vec<Row> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bundles/sample/tests");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: &Path| read(path.to_str().unwrap(), &fs::read_to_string(path).unwrap()).unwrap();
    paths.iter().flat_map(|path| read(path)).collect()
}

#[test]
fn the_sample_answers_its_own_tables() {
    let (bundle, rows) = (bundle(|_| ()), rows());
    assert!(rows.len() >= 30, "{} rows", rows.len());
    for row in &rows {
        assert_eq!(misnamed(&bundle, row), []);
        let answer = answer(&bundle, &row.ask);
        let found = differences(&bundle, row, &answer);
        assert!(found.is_empty(), "{}: {found:#?} {answer:#?}", row.name);
    }
}

const TABLE: &str = r#"[ask]
subject = "Agent::spiffe://acme.example/agent/report-writer"
chain = ["User::ines"]
action = "write_file"
resource = "Volume::files"
input = { path = "/srv/files/reports/a", content = "" }

[[row]]
name = "one"
expect = { outcome = "requestable_denial", reason = "approval_required", terms = { approvals = 1 } }
"#;

#[test]
fn a_twisted_table_is_refused_by_line() {
    let swap = |from: &str, to: &str| TABLE.replacen(from, to, 1);
    for (text, line, says) in [
        (String::new(), 1, "no `[[row]]`"),
        ("[[row".to_owned(), 1, ""),
        (format!("colour = 1\n{TABLE}"), 1, "colour"),
        (swap("name = ", "nam = "), 9, "nam"),
        (swap("subject = ", "subjet = "), 9, "subjet"),
        (swap("chain = ", "chian = "), 9, "chian"),
        (swap("\"requestable_denial\"", "\"permited\""), 10, "permited"),
        (swap("\"approval_required\"", "\"because\""), 10, "because"),
        (swap("\"requestable_denial\"", "\"denial\""), 9, "only a requestable denial"),
        (swap("approvals = 1", "aprovals = 1"), 9, "aprovals"),
        (swap("expect =", "requested = { uses = -1 }\nexpect ="), 9, "-1"),
        (swap("expect =", "requested = { duration = \"1 hour\" }\nexpect ="), 9, "1 hour"),
        (swap("expect =", "requested = { urgent = true }\nexpect ="), 9, "urgent"),
        (format!("{TABLE}[[row]]{}", TABLE.split_once("[[row]]").unwrap().1), 12, "another row"),
    ] {
        let errors = read("t.toml", &text).unwrap_err();
        let first = &errors[0];
        assert!(
            first.message.contains(says) && first.code == "bad_table" && !first.help.is_empty(),
            "{says}: {first:?}"
        );
        assert_eq!(first.line, line, "{says}: {first:?}");
    }
    assert_eq!(read("t.toml", TABLE).unwrap().len(), 1);
}

#[test]
fn a_name_that_the_bundle_does_not_know_is_a_slip_and_no_answer() {
    let bundle = bundle(|_| ());
    for (from, to, says) in [
        ("chain = [\"User::ines\"]", "chain = [\"User::innes\"]", "`User::innes`"),
        ("terms = { approvals = 1 }", "approvers = [\"mara\", \"olaf\"]", "`User::olaf`"),
        ("reason = \"approval_required\"", "policies = [\"writing-needs-one\"]", "`writing-needs-one`"),
    ] {
        let rows = read("t.toml", &TABLE.replacen(from, to, 1)).unwrap();
        let errors = misnamed(&bundle, &rows[0]);
        assert_eq!((errors.len(), errors[0].code, errors[0].line), (1, "unknown_name", 9), "{errors:?}");
        assert!(errors[0].message.contains(says), "{errors:?}");
    }
}

#[test]
fn a_row_that_differs_says_what_and_how() {
    let bundle = bundle(|_| ());
    let told = |from: &str, to: &str| {
        let rows = read("t.toml", &TABLE.replacen(from, to, 1)).unwrap();
        let found = differences(&bundle, &rows[0], &answer(&bundle, &rows[0].ask));
        found.iter().map(|one| format!("{} {} {}", one.member, one.expected, one.got)).collect::<Vec<_>>()
    };
    assert_eq!(told("approvals = 1", "approvals = 1, max_duration = \"240m\", step_up = \"none\""), [""; 0]);
    assert_eq!(told("approvals = 1", "approvals = 2"), ["terms.approvals 2 1"]);
    assert_eq!(told("approvals = 1", "tier = \"none\""), ["terms.tier \"none\" \"medium\""]);
    assert_eq!(told("approvals = 1", "review_within = \"1d\""), ["terms.review_within \"1d\" null"]);
    assert_eq!(
        told("terms = { approvals = 1 }", "approvers = [\"ola\"]"),
        ["approvers [\"User::ola\"] [\"User::mara\",\"User::ola\"]"]
    );
    let outcome = "outcome = \"requestable_denial\", reason = \"approval_required\", terms = { approvals = 1 }";
    assert_eq!(
        told(outcome, "outcome = \"permitted_by_scope\""),
        ["outcome \"permitted_by_scope\" \"requestable_denial\""]
    );
}

#[test]
fn a_row_may_expect_every_member_of_terms() {
    let (span, rate) = (Some(Span::from_seconds(1)), Some(Rate { uses: 1, per: Span::from_seconds(1) }));
    let all = Terms {
        tier: String::new(),
        approvals: 1,
        groups: Vec::new(),
        max_duration: Span::from_seconds(1),
        max_uses: 1,
        step_up: Some(String::new()),
        presence: Presence::Signature,
        review_within: span,
        decide_within: span,
        lead_time: span,
        max_rate: rate,
        max_renewals: Some(1),
        renewal_period: span,
        notify: vec![String::new()],
        escalate: vec![String::new()],
        emergency_approvals: Some(1),
        silence: span,
        for_another: true,
        binding: true,
        raised_from: Some(String::new()),
        policies: Vec::new(),
    };
    let json = serde_json::to_value(all).unwrap();
    let mut names: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, read::TERMS);
}

#[test]
fn a_change_is_told_and_a_new_allow_first() {
    let (before, rows) = (bundle(|_| ()), rows());
    assert_eq!(compare(&before, &bundle(|_| ()), &rows), []);
    let renamed = bundle(|files| {
        let file = files.get_mut("approval/request/files.cedar").unwrap();
        *file = file.replace("writing-a-file-needs-one", "writing-needs-one");
    });
    assert_eq!(compare(&before, &renamed, &rows), []);

    let after = bundle(|files| {
        let swap = |file: &mut String, from: &str, to: &str| {
            assert!(file.contains(from), "{from}");
            *file = file.replacen(from, to, 1);
        };
        swap(files.get_mut("scope/files.cedar").unwrap(), "/srv/files/drafts/*", "/srv/files/public/*");
        swap(files.get_mut("scope/ledger.cedar").unwrap(), "<= 25", "<= 60");
        swap(files.get_mut("approval/request/services.cedar").unwrap(), "@approvals(\"2\")", "@approvals(\"3\")");
        swap(files.get_mut("guardrails/files.cedar").unwrap(), "\"/srv/files/*/.*\"", "\"/srv/files/*/.git*\"");
        swap(files.get_mut("approval/request/ledger.cedar").unwrap(), "resource.regulated", "!resource.regulated");
    });
    let kinds: Vec<Kind> = compare(&before, &after, &rows).iter().map(|change| change.kind).collect();
    assert!(kinds.is_sorted());
    for kind in [Kind::NewAllow, Kind::NewRequestable, Kind::Terms, Kind::NewDenial] {
        assert!(kinds.contains(&kind), "{kind:?} of {kinds:?}");
    }
    let back: Vec<Kind> = compare(&after, &before, &rows).iter().map(|change| change.kind).collect();
    for kind in [Kind::NewAllow, Kind::NoLongerRequestable, Kind::Terms, Kind::NewDenial] {
        assert!(back.contains(&kind), "{kind:?} of {back:?}");
    }
    assert_eq!(kinds.len(), back.len());
}
