//! `proviso bundle propose`, `show`, `activate`, `refuse` and `revert`, as people type them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use proviso_tests::Binary;
use serde_json::Value;

use super::{files, narrower, wider};

fn lay_out(folder: &Path, files: &BTreeMap<String, String>) {
    for (path, text) in files {
        let file = folder.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
}

/// A command of somebody, by a link of their own: exit code and JSON.
fn told(gate: &Binary, user: &str, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = run(gate, user, &[arguments, &["--json"]].concat());
    let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (output.status.code(), json)
}

fn run(gate: &Binary, user: &str, arguments: &[&str]) -> Output {
    let link = gate.token(&["approver", "--user", user]);
    let mut command = Command::new(Binary::path());
    command.arg("bundle").args(arguments).env("PROVISO_LINK", link).output().unwrap()
}

#[test]
fn people_change_the_bundle_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    for (name, files) in [("first", files()), ("wider", wider()), ("narrower", narrower())] {
        lay_out(&place(name), &files);
    }
    let gate = Binary::serve_bundle(&place("data"), &place("first"), &[]);
    let wide = place("wider").display().to_string();
    let (exit, proposed) = told(&gate, "kit", &["propose", &wide, "--reason", "the report is due"]);
    // Nothing was asked yet, so nothing comes out differently.
    assert_eq!(exit, Some(0), "{proposed:#}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (bundle, list) = (text(&proposed["proposal"]["bundle"]), text(&proposed["proposal"]["list"]));
    let vote =
        |user: &str, act: &str, list: &str| told(&gate, user, &[act, &bundle, "--list", list, "--reason", "looked at"]);
    let (exit, waiting) = vote("jun", "activate", &list);
    assert_eq!((exit, waiting["state"].as_str()), (Some(3), Some("waiting")), "{waiting:#}");
    let (exit, refused) = vote("ola", "activate", &"0".repeat(64));
    assert_eq!((exit, refused["error"]["code"].as_str()), (Some(2), Some("stale_list")), "{refused:#}");
    assert!(refused["error"]["help"].as_str().is_some());
    let (exit, active) = vote("ola", "activate", &list);
    assert_eq!((exit, active["state"].as_str()), (Some(0), Some("active")), "{active:#}");

    let shown = run(&gate, "kit", &["show"]);
    let lines = String::from_utf8(shown.stdout).unwrap();
    assert!(lines.starts_with(&format!("active: {bundle}\n")), "{lines}");
    assert!(lines.contains("by User::jun, User::ola"), "{lines}");
    let first = told(&gate, "kit", &["show"]).1["history"][1]["bundle"].as_str().unwrap().to_owned();
    let (exit, back) = told(&gate, "kit", &["revert", &first, "--reason", "too wide"]);
    assert_eq!((exit, back["list"]["narrower"].as_bool()), (Some(0), Some(true)), "{back:#}");
    let list = text(&back["proposal"]["list"]);
    let (exit, refused) = told(&gate, "jun", &["refuse", &first, "--list", &list, "--reason", "it is needed"]);
    assert_eq!((exit, refused["state"].as_str()), (Some(0), Some("refused")));
    let narrow = place("narrower").display().to_string();
    let output = run(&gate, "kit", &["propose", &narrow, "--reason", "stop it"]);
    let lines = String::from_utf8(output.stdout).unwrap();
    assert!(lines.contains("new: guardrails/writing.cedar") && lines.contains("it takes"), "{lines}");

    // Without a link, and with one that was used, nothing is done.
    let mut command = Command::new(Binary::path());
    let output = command.args(["bundle", "show", "--json"]).env_remove("PROVISO_LINK").output().unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), json["error"]["code"].as_str()), (Some(64), Some("no_link")));
    let link = place("link");
    std::fs::write(&link, gate.token(&["approver", "--user", "kit"])).unwrap();
    let by_file = ["bundle", "show", "--json", "--link", link.to_str().unwrap()];
    assert!(Command::new(Binary::path()).args(by_file).output().unwrap().status.success());
    let used = Command::new(Binary::path()).args(by_file).output().unwrap();
    let json: Value = serde_json::from_slice(&used.stdout).unwrap();
    assert_eq!((used.status.code(), json["error"]["code"].as_str()), (Some(2), Some("bad_link")), "{json}");
    // Whoever may not propose is refused, on record; and the record verifies with all of it.
    let (exit, refused) = told(&gate, "zoe", &["propose", &wide, "--reason", "mine"]);
    assert_eq!((exit, refused["error"]["code"].as_str()), (Some(2), Some("not_permitted_here")), "{refused:#}");
    gate.stop();
    let verified = crate::gate::audit(&place("data"));
    assert!(verified.status.success(), "{verified:?}");
}
