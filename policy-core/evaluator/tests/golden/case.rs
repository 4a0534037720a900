//! What a case file holds.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use policy_core::json::to_canonical_bytes;
use policy_evaluator::Bundle;
use serde::Deserialize;
use serde_json::Value;

use crate::repeat::Repeat;

/// What the cases of a file share.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The folder below `tests/golden/bundles`.
    pub bundle: String,
    /// The question that each case's own is laid over, member by member.
    #[serde(default)]
    pub ask: BTreeMap<String, Value>,
    /// The grant that each case's own are laid over.
    #[serde(default)]
    pub grant: BTreeMap<String, Value>,
    /// What `requested` of the sealed question is, member by member.
    #[serde(default)]
    pub requested: BTreeMap<String, Value>,
}

/// One case. Members that its operation does not take stay empty.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    #[serde(default)]
    pub op: Op,
    #[serde(default)]
    pub ask: BTreeMap<String, Value>,
    /// Live grants, or for `compile` and `preview` the one grant.
    #[serde(default)]
    pub grants: Vec<BTreeMap<String, Value>>,
    /// Locks: an id and one target.
    #[serde(default)]
    pub locks: Vec<BTreeMap<String, String>>,
    #[serde(default)]
    pub requested: BTreeMap<String, Value>,
    /// For `preview`: recorded denials.
    #[serde(default)]
    pub others: Vec<BTreeMap<String, Value>>,
    /// For `preview`: when the grant is tried.
    pub at: Option<String>,
    /// For `eligible`: who would vote, as `TYPE::id assurance`.
    #[serde(default)]
    pub people: Vec<String>,
    /// For `eligible`: `tier`, `requester`, `owners`, `voted`, `votes`.
    #[serde(default)]
    pub vote: BTreeMap<String, Value>,
    /// For `console`: who, as `TYPE::id assurance`.
    #[serde(default)]
    pub person: String,
    /// For `console`: what they would do: `act`, and perhaps `about` (`TYPE::id`), `owners`, `requester`, `action`, `tier`, `task`.
    #[serde(default)]
    pub acts: Vec<ActSpec>,
    /// For `load`: files laid over the bundle's.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Changes of the input after it was sealed: JSON pointer to JSON text, nothing to take the member away.
    #[serde(default)]
    pub patch: BTreeMap<String, String>,
    /// What stands for a mark, so many times: see [`crate::repeat`].
    #[serde(default)]
    pub repeat: BTreeMap<String, Repeat>,
    /// The input as text, instead of everything above.
    pub raw: Option<String>,
    /// The operation's number, where it is none of the seven.
    pub number: Option<i32>,
    /// Whether the instance holds no bundle.
    #[serde(default)]
    pub empty: bool,
    /// What it comes to, as `summary` writes it.
    pub expect: Value,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    Load,
    #[default]
    Evaluate,
    Terms,
    Eligible,
    Compile,
    Preview,
    Console,
}

/// One thing that somebody would do, as case files write it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActSpec {
    pub act: policy_core::console::Act,
    pub about: Option<String>,
    #[serde(default)]
    pub owners: Vec<String>,
    pub requester: Option<String>,
    pub action: Option<String>,
    pub tier: Option<String>,
    pub task: Option<String>,
}

/// One file.
pub struct CaseFile {
    pub stem: String,
    pub head: Head,
    pub cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Text {
    #[serde(flatten)]
    head: toml::Table,
    case: Vec<Case>,
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden")
}

/// Every case file, by name.
pub fn load_all() -> Vec<CaseFile> {
    let entries = fs::read_dir(folder()).expect("tests/golden is there");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("a case file");
            let text: Text = toml::from_str(&text).unwrap_or_else(|error| panic!("{stem}.toml: {error}"));
            let head = text.head.try_into().unwrap_or_else(|error| panic!("{stem}.toml: {error}"));
            CaseFile { stem, head, cases: text.case }
        })
        .collect()
}

/// A bundle of the cases, accepted, with what the module is given to load it.
pub struct Loaded {
    pub bundle: Bundle,
    pub load: String,
}

/// The bundle in this folder.
pub fn bundle(name: &str) -> &'static Loaded {
    static LOADED: OnceLock<BTreeMap<String, Loaded>> = OnceLock::new();
    let loaded = LOADED.get_or_init(|| {
        let folders = fs::read_dir(folder().join("bundles")).expect("tests/golden/bundles is there");
        let names = folders.map(|entry| entry.expect("a folder").file_name().to_string_lossy().into_owned());
        names.map(|name| (name.clone(), accept(&name))).collect()
    });
    loaded.get(name).unwrap_or_else(|| panic!("no bundle `{name}`"))
}

fn accept(name: &str) -> Loaded {
    let home = folder().join("bundles").join(name);
    let mut files = BTreeMap::new();
    read_into(&home, "", &mut files);
    let bundle = Bundle::accept(&files).unwrap_or_else(|errors| panic!("the bundle `{name}`: {errors:#?}"));
    let load = to_canonical_bytes(&bundle.load()).expect("a bundle has a canonical form");
    Loaded { bundle, load: String::from_utf8(load).expect("JSON is text") }
}

fn read_into(folder: &Path, before: &str, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("a bundle's folder") {
        let path = entry.expect("an entry").path();
        let name = format!("{before}{}", path.file_name().expect("a name").to_string_lossy());
        if path.is_dir() {
            read_into(&path, &format!("{name}/"), files);
        } else {
            files.insert(name, fs::read_to_string(&path).expect("a bundle's file is text"));
        }
    }
}
