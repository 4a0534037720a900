//! Bundles that would let nobody activate the next one, or one person do what takes two: refused by the gate and by the
//! command line, with the same code.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use proviso::app::OpenError;
use proviso_tests::{Binary, Setup, TestGate, copy_folder};
use serde_json::{Value, json};

use super::{bundle, presets};

/// The bundle in a folder of its own.
fn laid_out(files: &BTreeMap<String, String>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let file = folder.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    folder
}

/// `proviso bundle COMMAND --json`: the exit code and what it says.
fn told(command: &str, folders: &[&Path]) -> (Option<i32>, Value) {
    let mut process = Command::new(Binary::path());
    let output = process.args(["bundle", command, "--json"]).args(folders).output().unwrap();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

fn without_two(console: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    console.iter().map(|(path, text)| (path.clone(), text.replace("@persons(\"2\")\n", ""))).collect()
}

#[tokio::test]
async fn a_bundle_under_which_one_person_does_what_takes_two_is_not_activated() {
    let (old, new) = (bundle(presets()), bundle(without_two(&presets())));
    let first = TestGate::with(Setup { bundle: old.clone(), ..Setup::default() }).await;
    // Each on a copy of its record: as after a restart.
    let open = async |bundle: &BTreeMap<String, String>, activate: bool| {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        copy_folder(first.data(), &data).unwrap();
        let setup = Setup { bundle: bundle.clone(), activate, ..Setup::default() };
        TestGate::open(setup, &data).await.map(drop)
    };
    let refused = open(&new, true).await.unwrap_err();
    assert!(matches!(&refused, OpenError::Alone { .. }), "{refused}");
    assert_eq!(refused.code(), "one_does_alone");
    assert!(refused.to_string().contains("administrators-erase"), "{refused}");
    open(&old, false).await.unwrap();
    // What still takes two is activated, and what took one may take two.
    let other = bundle(presets().into_iter().filter(|(path, _)| !path.contains("auditor")).collect());
    open(&other, true).await.unwrap();

    let (old, new) = (laid_out(&old), laid_out(&new));
    let (exit, json) = told("diff", &[old.path(), new.path()]);
    assert_eq!(exit, Some(2), "{json:#}");
    assert_eq!(json["one_does_alone"][0]["act"], "erase", "{json:#}");
    assert_eq!(json["one_does_alone"].as_array().unwrap().len(), 1, "{json:#}");
}

#[tokio::test]
async fn a_rule_on_one_sign_in_lets_nobody_do_alone_what_takes_two() {
    let old = bundle(presets());
    let first = TestGate::with(Setup { bundle: old.clone(), ..Setup::default() }).await;
    let split = |condition: &str| {
        let mut console = presets();
        let text = console.get_mut("console/administrator.cedar").unwrap();
        let at = "action == Proviso::Action::\"erase\",\n  resource is Proviso::ThisGate\n)";
        assert!(text.contains(at), "{text}");
        let one = format!(
            "@id(\"one\") permit (principal in Group::\"administrators\", action == Proviso::Action::\"erase\", resource) \
             when {{ {condition} }};"
        );
        *text = format!("{}\n{one}", text.replace(at, &format!("{at} unless {{ {condition} }}")));
        bundle(console)
    };
    for (condition, code) in [
        ("context.assurance == \"link\"", "one_does_alone"),
        ("context has tier && context.tier == \"low\"", "one_does_alone"),
        ("context has task && context.task like \"T-*\"", "too_much_to_compare"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        copy_folder(first.data(), &data).unwrap();
        let new = split(condition);
        let setup = Setup { bundle: new.clone(), activate: true, ..Setup::default() };
        let refused = TestGate::open(setup, &data).await.map(drop).unwrap_err();
        assert_eq!(refused.code(), code, "{condition}");
        let (before, after) = (laid_out(&old), laid_out(&new));
        let (_, json) = told("diff", &[before.path(), after.path()]);
        assert!(json.to_string().contains(code), "{condition}: {json:#}");
    }
}

#[test]
fn a_bundle_that_nobody_could_replace_does_not_load() {
    let mut console = presets();
    console.remove("console/administrator.cedar");
    let folder = laid_out(&bundle(console));
    let (exit, json) = told("check", &[folder.path()]);
    assert_eq!(exit, Some(65), "{json:#}");
    assert!(json.to_string().contains("nobody_activates"), "{json:#}");

    let folder = laid_out(&bundle(presets()));
    let (exit, json) = told("check", &[folder.path()]);
    assert_eq!((exit, &json["console"]), (Some(0), &json!(true)), "{json:#}");
    let folder = laid_out(&bundle(BTreeMap::new()));
    let (exit, json) = told("check", &[folder.path()]);
    assert_eq!((exit, &json["console"]), (Some(0), &json!(false)), "{json:#}");
}
