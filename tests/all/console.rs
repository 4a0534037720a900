//! Who may do what in Proviso, by `console/` of the bundle: the presets as they stand, over HTTP.

mod acts;
mod bundles;
mod matrix;
mod seen;

use std::collections::BTreeMap;
use std::path::Path;

use proviso::store::bundle_folder;
use proviso_tests::{Setup, Story, TestGate, sample_bundle, write_file};
use serde_json::{Value, json};

/// What stands in the arguments, and in every text about them.
pub(crate) const CANARY: &str = "canary-7e21";

/// Who plays which role, besides whom the sample bundle has: zoe is in no group and owns nothing.
const MEMBERS: [(&str, &str); 4] =
    [("vera", "auditors"), ("sol", "operators"), ("kit", "administrators"), ("jun", "administrators")];

/// The presets, file by file as they stand.
pub(crate) fn presets() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundles/console");
    let names = ["approver", "auditor", "agent-owner", "operator", "administrator"];
    let read = |name: &str| std::fs::read_to_string(folder.join(format!("{name}.cedar"))).unwrap();
    names.into_iter().map(|name| (format!("console/{name}.cedar"), read(name))).collect()
}

/// The sample bundle with this as its `console/`, and the groups that the presets name.
pub(crate) fn bundle(console: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut files = sample_bundle();
    let mut entities: Vec<Value> = serde_json::from_str(&files["entities.json"]).unwrap();
    let group = |name: &str| json!({"type": "Group", "id": name});
    for name in ["auditors", "operators", "administrators"] {
        entities.push(json!({"uid": group(name), "attrs": {}, "parents": []}));
    }
    entities.push(json!({"uid": {"type": "User", "id": "zoe"}, "attrs": {"name": "Zoe"}, "parents": []}));
    for (user, of) in MEMBERS {
        let person = entities.iter_mut().find(|entity| entity["uid"] == json!({"type": "User", "id": user}));
        person.unwrap()["parents"].as_array_mut().unwrap().push(group(of));
    }
    files.insert("entities.json".to_owned(), serde_json::to_string_pretty(&entities).unwrap());
    files.extend(console);
    files
}

/// A gate with the presets.
async fn roles() -> TestGate {
    TestGate::with(Setup { bundle: bundle(presets()), ..Setup::default() }).await
}

/// The story there.
pub(crate) async fn story() -> Story {
    Story::on(roles().await).await
}

/// A write whose arguments hold the canary.
pub(crate) fn write(name: &str, call: &str) -> Value {
    write_file("report-writer", &format!("/srv/files/{CANARY}/{name}"), call)
}

/// The folder that everything of it lies in.
pub(crate) fn folder() -> String {
    format!("/srv/files/{CANARY}")
}

/// Whether a text quotes the arguments.
pub(crate) fn tells(text: &str) -> bool {
    text.contains(CANARY)
}

#[test]
fn the_presets_are_a_folder_that_a_bundle_takes_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in bundle(presets()) {
        let file = folder.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let read = bundle_folder::read(folder.path()).unwrap();
    assert_eq!(read, bundle(presets()));
    let accepted = policy_evaluator::Bundle::accept(&read).unwrap();
    assert!(accepted.has_console());
    let console = |warning: &&policy_evaluator::lint::Warning| warning.file.starts_with("console/");
    let warnings = policy_evaluator::lint::warnings(&accepted);
    assert_eq!(warnings.iter().filter(console).collect::<Vec<_>>(), [] as [&policy_evaluator::lint::Warning; 0]);
}
