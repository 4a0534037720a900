//! Which clauses of AuthZEN 1.0 and ARAP, and which abuses, a run of the tests has covered. A test says so with
//! `clauses!` in its first line; what it says counts once it has passed. `conformance` makes the tables of it, and fails
//! for a row that no test covered.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use serde::Deserialize;

use crate::binary::scratch;

const AUTHZEN: &str = include_str!("../conformance/authzen.toml");
const ARAP: &str = include_str!("../conformance/arap.toml");
const THREATS: &str = include_str!("../conformance/threats.toml");

/// A standard's clauses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standard {
    /// Its name.
    pub title: String,
    /// Which text.
    pub version: String,
    /// What it demands.
    pub clause: Vec<Clause>,
}

/// One demand.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// The standard's short name and the section.
    pub id: String,
    /// What must be, in our words.
    pub says: String,
    /// Why no test of ours can cover it, where that is so.
    pub excused: Option<Excuse>,
}

/// What a demand is about that nothing of ours does. Whatever else a standard says has a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Excuse {
    /// The standard's authors and registrars.
    Authors,
    /// Requests for several items at once.
    Bulk,
    /// Catalogs of what can be asked for.
    Catalogs,
    /// Calls back to who asked.
    Callbacks,
    /// The connection below HTTP.
    Transport,
}

impl Excuse {
    /// The same in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Authors => "binds the standard's authors or registrars",
            Self::Bulk => "the gate takes single requests; bulk is a companion profile since September 2026",
            Self::Catalogs => "the gate publishes no catalogs; they are a companion profile since September 2026",
            Self::Callbacks => {
                "the gate takes no `callback`: routing tells whom policy names, by webhooks that an operator set up"
            }
            Self::Transport => "TLS ends before the gate; SECURITY.md says how",
        }
    }
}

/// The standards and their clauses.
#[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
pub fn standards() -> Vec<Standard> {
    [AUTHZEN, ARAP].map(|text| toml::from_str(text).expect("a list of clauses")).into()
}

/// The abuses, as a list of the same form. None is excused.
#[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
pub fn threats() -> Standard {
    toml::from_str(THREATS).expect("a list of abuses")
}

/// What the run so far has covered: tests by clause.
pub fn covered() -> BTreeMap<String, Vec<String>> {
    let mut covered: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let text = std::fs::read_to_string(kept()).unwrap_or_default();
    for (clause, test) in text.lines().filter_map(|line| line.split_once('\t')) {
        let tests = covered.entry(clause.to_owned()).or_default();
        if let Err(place) = tests.binary_search_by(|known| known.as_str().cmp(test)) {
            tests.insert(place, test.to_owned());
        }
    }
    covered
}

/// Where a run keeps what it covers. The developer's command removes it before a run.
pub fn kept() -> PathBuf {
    scratch().join("clauses.tsv")
}

/// A test's word that it covers these clauses.
pub struct Covers {
    lines: String,
}

impl Covers {
    /// Of the test that runs in this thread.
    #[expect(clippy::panic, reason = "a harness fails its test by panicking")]
    pub fn these(clauses: &[&str]) -> Self {
        let known: Vec<String> =
            standards().into_iter().chain([threats()]).flat_map(|list| list.clause).map(|clause| clause.id).collect();
        let test = std::thread::current().name().unwrap_or("unnamed").to_owned();
        let mut lines = String::new();
        for clause in clauses {
            if !known.iter().any(|id| id == clause) {
                panic!("`{clause}` is no clause of tests/conformance");
            }
            lines.push_str(&format!("{clause}\t{test}\n"));
        }
        Self { lines }
    }
}

impl Drop for Covers {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // One short write to the end of the file: tests run side by side.
            let file = OpenOptions::new().create(true).append(true).open(kept());
            let written = file.and_then(|mut file| file.write_all(self.lines.as_bytes()));
            // What is not kept is missing in the table, and red there.
            drop(written);
        }
    }
}

/// In a test's first line: the clauses that it covers, by their ids in `tests/conformance`.
#[macro_export]
macro_rules! clauses {
    ($($clause:literal),+ $(,)?) => {
        let _covers = $crate::Covers::these(&[$($clause),+]);
    };
}
