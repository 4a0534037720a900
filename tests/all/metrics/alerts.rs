//! `docs/alerts.yml`: every alert is on a metric that a gate tells, every metric that operators were promised has an
//! alert, and every alert has its page.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proviso_tests::{Setup, Story, TestGate, write_file};

use super::told;

/// What must have an alert: decisions by outcome, pending age, time to decide, head age, copy lag, suspended, locked; and
/// whether the gate can do its work at all.
const PROMISED: [&str; 13] = [
    "proviso_decisions_total",
    "proviso_pending_age_seconds",
    "proviso_time_to_decide_seconds_bucket",
    "proviso_head_age_seconds",
    "proviso_suspended",
    "proviso_locks",
    "proviso_ready",
    "proviso_clock_doubted",
    "proviso_record_doubted",
    "proviso_record_verified",
    "proviso_copy_lag_seconds",
    "proviso_copy_erasures_pending",
    "proviso_findings",
];

/// One alert, as its file says it.
#[derive(Debug, Default)]
pub(super) struct Alert {
    pub(super) name: String,
    fields: BTreeMap<String, String>,
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// Reads the alerts: the one layout that the file has, in which every line is known.
pub(super) fn alerts() -> Vec<Alert> {
    let text = std::fs::read_to_string(docs().join("alerts.yml")).expect("docs/alerts.yml");
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    for head in ["groups:", "  - name: proviso", "    rules:"] {
        assert_eq!(lines.next(), Some(head));
    }
    let mut alerts: Vec<Alert> = Vec::new();
    for line in lines {
        if let Some(name) = line.strip_prefix("      - alert: ") {
            alerts.push(Alert { name: name.to_owned(), fields: BTreeMap::new() });
            continue;
        }
        let alert = alerts.last_mut().expect("an alert first");
        let depth = line.len() - line.trim_start().len();
        if let ("labels:" | "annotations:", 8) = (line.trim(), depth) {
            continue;
        }
        let (name, value) = line.trim().split_once(": ").unwrap_or_else(|| panic!("`{line}` is no field"));
        let deep = matches!(name, "severity" | "summary" | "runbook");
        assert_eq!(depth, if deep { 10 } else { 8 }, "`{line}` stands elsewhere");
        // Text with a brace, a colon or a quote in it is quoted, as YAML wants it.
        let quoted = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
        assert!(
            quoted.is_some_and(|text| !text.contains('\'')) || !value.contains(['{', ':', '"', '\'', '#']),
            "{line}"
        );
        assert!(alert.fields.insert(name.to_owned(), quoted.unwrap_or(value).to_owned()).is_none(), "`{name}` twice");
    }
    alerts
}

impl Alert {
    fn field(&self, name: &str) -> &str {
        self.fields.get(name).unwrap_or_else(|| panic!("`{}` has no `{name}`", self.name))
    }

    /// Its page below `docs/`.
    pub(super) fn page(&self) -> PathBuf {
        docs().join(self.field("runbook").strip_prefix("docs/").expect("a page of ours"))
    }

    /// The metrics that it is on.
    fn metrics(&self) -> BTreeSet<&str> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        self.field("expr").split(|c| !word(c)).filter(|name| name.starts_with("proviso_")).collect()
    }
}

#[tokio::test]
async fn every_alert_is_on_what_a_gate_tells_and_every_promised_metric_has_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let copy = format!("[[copy]]\nname = \"nas\"\nfolder = \"{}\"\n", folder.path().display());
    let record = proviso::copies::Record::parse(&copy).expect("a file");
    let story = Story::on(TestGate::with(Setup { record, ..Setup::default() }).await).await;
    story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), None).await;
    let told = told(&story.client).await;
    let names: BTreeSet<&str> = told.keys().filter_map(|sample| sample.split('{').next()).collect();
    let alerts = alerts();
    let watched: BTreeSet<&str> = alerts.iter().flat_map(Alert::metrics).collect();
    for name in &watched {
        assert!(names.contains(name), "no gate tells `{name}`: {names:?}");
    }
    for name in PROMISED {
        assert!(watched.contains(name), "no alert is on `{name}`");
    }
    // What an alert compares a label with is a label that is there.
    for alert in &alerts {
        for label in alert.field("expr").split(['{', '}']).skip(1).step_by(2) {
            let (label, _) = label.split_once(['=', '~', '!']).expect("a label");
            assert!(told.keys().any(|sample| sample.contains(&format!("{label}=\""))), "{label} of {}", alert.name);
        }
    }
}

#[test]
fn every_alert_says_how_bad_it_is_and_what_to_do() {
    let alerts = alerts();
    let names: BTreeSet<&str> = alerts.iter().map(|alert| alert.name.as_str()).collect();
    assert_eq!(names.len(), alerts.len(), "a name twice");
    let index = std::fs::read_to_string(docs().join("runbooks/README.md")).expect("the list of pages");
    for alert in &alerts {
        assert!(["critical", "warning"].contains(&alert.field("severity")), "{alert:?}");
        assert!(alert.field("summary").ends_with('.'), "{alert:?}");
        let wait = alert.field("for");
        let known = wait.strip_suffix(['m', 'h']).is_some_and(|number| number.parse::<u32>().is_ok());
        assert!(known, "`{wait}` is no time");
        let page = std::fs::read_to_string(alert.page()).unwrap_or_else(|_| panic!("no page for `{}`", alert.name));
        assert_eq!(page.lines().next(), Some(format!("# {}", alert.name).as_str()));
        let file = alert.page().file_name().and_then(|name| name.to_str().map(str::to_owned)).expect("a name");
        assert!(
            index.contains(&format!("| `{}` | [{}]({file}) |", alert.name, file.trim_end_matches(".md"))),
            "{file}"
        );
    }
    let pages = std::fs::read_dir(docs().join("runbooks")).expect("the pages").count();
    assert_eq!(pages, alerts.len() + 1, "a page without an alert, or two alerts on one");
}
