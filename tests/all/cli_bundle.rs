//! `proviso bundle check`, `test` and `diff`, as a pipeline relies on them: exit codes, one JSON value, file and line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use proviso_tests::Binary;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A copy of the sample bundle that a test may change.
struct Copy {
    folder: TempDir,
}

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&sample(), &folder.path().join("bundle"));
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("bundle")
    }

    /// Changes a file, which must hold what is replaced.
    fn swap(&self, file: &str, from: &str, to: &str) {
        let path = self.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file}: {from}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundles/sample")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn run(command: &str, folders: &[&Path]) -> (i32, Value, String) {
    let folders: Vec<&str> = folders.iter().map(|folder| folder.to_str().unwrap()).collect();
    let told = |more: &[&str]| Binary::run(&[&["bundle", command], more, &folders].concat());
    let json: Output = told(&["--json"]);
    let text = told(&[]);
    assert_eq!(json.status.code(), text.status.code(), "{json:?} {text:?}");
    let value = serde_json::from_slice(&json.stdout).unwrap_or_else(|error| panic!("{error}: {json:?}"));
    let both = [text.stdout, text.stderr].concat();
    (json.status.code().unwrap(), value, String::from_utf8(both).unwrap())
}

#[test]
fn the_sample_is_checked_tested_and_the_same_as_itself() {
    let sample = sample();
    let (exit, json, text) = run("check", &[&sample]);
    assert_eq!((exit, &json["valid"], &json["warnings"]), (0, &json!(true), &json!([])), "{json}");
    assert_eq!(text.trim().lines().last(), json["digest"].as_str());
    assert!(text.contains("there is no console/") && json["console"] == false, "{text}");

    let (exit, json, text) = run("test", &[&sample]);
    assert_eq!((exit, &json["failed"]), (0, &json!(0)), "{text}");
    assert!(json["passed"].as_u64().unwrap() >= 30, "{json}");
    assert!(text.contains("rows: "), "{text}");

    let (exit, json, _) = run("diff", &[&sample, &sample]);
    assert_eq!((exit, &json["changes"], &json["new_allows"]), (0, &json!([]), &json!(0)));
    assert_eq!(json["before"], json["after"]);
}

#[test]
fn tables_are_in_no_digest_and_no_gate_reads_them() {
    let copy = Copy::new();
    let digest = |copy: &Copy| run("check", &[&copy.path()]).1["digest"].clone();
    let before = digest(&copy);
    copy.write("tests/more.toml", "this is no table");
    assert_eq!(digest(&copy), before);
    copy.swap("scope/files.cedar", "drafts/*", "draft/*");
    assert_ne!(digest(&copy), before);
}

#[test]
fn check_warns_with_file_line_and_remedy_and_the_bundle_still_loads() {
    let copy = Copy::new();
    copy.swap("approval/request/ledger.cedar", "@approvals(\"2\")", "@approvals(\"1\")");
    copy.swap("approval/approve/people.cedar", "Group::\"operations\"", "Group::\"operation\"");
    let (exit, json, text) = run("check", &[&copy.path()]);
    assert_eq!((exit, &json["valid"]), (0, &json!(true)));
    let warnings = json["warnings"].as_array().unwrap();
    for (file, code) in [
        ("approval/request/ledger.cedar", "single_approver"),
        ("approval/approve/people.cedar", "unreachable_rule"),
        ("approval/request/services.cedar", "no_eligible_approver"),
    ] {
        let found = warnings.iter().find(|warning| warning["file"] == file && warning["code"] == code);
        let found = found.unwrap_or_else(|| panic!("no {code} in {json:#}"));
        assert!(found["line"].as_u64().unwrap() >= 1 && !found["help"].as_str().unwrap().is_empty(), "{found}");
        assert!(text.contains(&format!("{file}:{}: warning: ", found["line"])), "{text}");
    }
    assert_eq!(text.lines().last(), json["digest"].as_str());
}

#[test]
fn test_tells_a_row_that_is_not_as_expected() {
    let copy = Copy::new();
    copy.swap("approval/request/files.cedar", "@max_duration(\"4h\")", "@max_duration(\"3h\")");
    let (exit, json, text) = run("test", &[&copy.path()]);
    assert_eq!((exit, &json["failed"]), (2, &json!(1)), "{text}");
    let red = json["rows"].as_array().unwrap().iter().find(|row| row["passed"] == false).unwrap();
    let difference = json!([{"member": "terms.max_duration", "expected": "4h", "got": "3h"}]);
    assert_eq!((&red["file"], &red["differences"]), (&json!("tests/files.toml"), &difference));
    assert!(text.contains(&format!("tests/files.toml:{}: ", red["line"])), "{text}");
    assert!(text.contains("terms.max_duration: expected 4h, got 3h"), "{text}");
}

#[test]
fn a_table_that_could_lie_is_refused_by_file_and_line() {
    const ROW: &str = "[[row]]\nname = \"a\"\nask = { subject = \"Agent::spiffe://acme.example/agent/report-writer\", \
                       action = \"read_file\", resource = \"Volume::files\", input = { path = \"/srv/files/a\" } }\n";
    let cases = [
        (format!("{ROW}expect = {{ outcome = \"permited\" }}"), "bad_table", 4),
        (format!("{ROW}expect = {{ reason = \"scope\" }}"), "bad_table", 4),
        (format!("{ROW}expect = {{ outcome = \"denial\", approvers = [] }}"), "bad_table", 2),
        (format!("{ROW}expect = {{ outcome = \"requestable_denial\", terms = {{ approval = 2 }} }}"), "bad_table", 2),
        (format!("{ROW}expect = {{ outcome = \"requestable_denial\", approvers = [\"nobody\"] }}"), "unknown_name", 2),
        (format!("{ROW}expect = {{ outcome = \"denial\", policies = [\"no-such-rule\"] }}"), "unknown_name", 2),
        ("name = \"a\"".to_owned(), "bad_table", 1),
        (String::new(), "bad_table", 1),
        ("[[row]\nname".to_owned(), "bad_table", 1),
        (format!("{ROW}expect = {{ outcome = \"denial\" }}\n{ROW}expect = {{ outcome = \"denial\" }}"), "bad_table", 6),
    ];
    let copy = Copy::new();
    for (table, code, line) in cases {
        copy.write("tests/twisted.toml", &table);
        let (exit, json, text) = run("test", &[&copy.path()]);
        let first = &json["errors"][0];
        let found = (&first["file"], &first["code"], &first["line"]);
        assert_eq!((exit, found), (65, (&json!("tests/twisted.toml"), &json!(code), &json!(line))), "{table}: {json}");
        assert!(!first["help"].as_str().unwrap().is_empty() && text.contains("tests/twisted.toml:"), "{text}");
    }
    // A question that the bundle cannot make sense of is a denial with its reason, and no slip.
    copy.write("tests/twisted.toml", &format!("{ROW}expect = {{ outcome = \"denial\", reason = \"unknown_type\" }}"));
    copy.swap("tests/twisted.toml", "Volume::files", "Nothing::files");
    assert_eq!(run("test", &[&copy.path()]).0, 0);
}

#[test]
fn what_is_no_table_is_refused() {
    let copy = Copy::new();
    for (file, text) in [("tests/rule.cedar", "permit (principal, action, resource);"), ("tests/deep/a.toml", "")] {
        copy.write(file, text);
        let (exit, json, _) = run("test", &[&copy.path()]);
        assert_eq!((exit, &json["error"]["code"]), (65, &json!("tables_unreadable")), "{file}: {json}");
        let path = copy.path().join(file);
        fs::remove_file(&path).unwrap();
        let _ = fs::remove_dir(path.parent().unwrap());
    }
    fs::write(copy.folder.path().join("secret.toml"), "").unwrap();
    std::os::unix::fs::symlink(copy.folder.path().join("secret.toml"), copy.path().join("tests/link.toml")).unwrap();
    assert_eq!(run("test", &[&copy.path()]).1["error"]["code"], "tables_unreadable");
    fs::remove_dir_all(copy.path().join("tests")).unwrap();
    for (command, folders) in [("test", vec![copy.path()]), ("diff", vec![copy.path(), copy.path()])] {
        let folders: Vec<&Path> = folders.iter().map(PathBuf::as_path).collect();
        let (exit, json, _) = run(command, &folders);
        assert_eq!((exit, &json["error"]["code"]), (65, &json!("no_tables")), "{json}");
    }
    std::os::unix::fs::symlink(sample().join("tests"), copy.path().join("tests")).unwrap();
    for command in ["check", "test"] {
        assert_eq!(run(command, &[&copy.path()]).0, 65, "{command} followed a link");
    }
    let (exit, json, _) = run("test", &[&copy.folder.path().join("nowhere")]);
    assert_eq!((exit, &json["error"]["code"]), (65, &json!("bundle_unreadable")));
}

#[test]
fn diff_lists_new_allows_first_and_exits_by_what_it_found() {
    let (before, after) = (sample(), Copy::new());
    after.swap("approval/request/ledger.cedar", "@max_uses(\"20\")", "@max_uses(\"10\")");
    let (exit, json, text) = run("diff", &[&before, &after.path()]);
    assert_eq!((exit, &json["new_allows"]), (3, &json!(0)), "{text}");
    assert!(json["changes"].as_array().unwrap().iter().all(|change| change["kind"] == "terms"), "{json:#}");
    assert!(text.contains("terms.max_uses: 20 -> 10"), "{text}");

    after.swap("scope/ledger.cedar", "<= 25", "<= 26");
    after.swap("approval/approve/people.cedar", "Group::\"approvers\"", "Group::\"security\"");
    let (exit, json, text) = run("diff", &[&before, &after.path()]);
    assert_eq!((exit, &json["new_allows"]), (2, &json!(1)), "{text}");
    let kinds: Vec<&str> =
        json["changes"].as_array().unwrap().iter().map(|change| change["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.first(), Some(&"new_allow"), "{kinds:?}");
    assert!(kinds.contains(&"approvers") && kinds.contains(&"terms"), "{kinds:?}");
    assert!(text.starts_with("new allow: one row more takes two of finance"), "{text}");

    // The other way round nothing is allowed that was not; a question that only one side asks counts for both.
    let (exit, json, _) = run("diff", &[&after.path(), &before]);
    assert_eq!((exit, &json["new_allows"], &json["changes"][0]["kind"]), (3, &json!(0), &json!("terms")), "{json:#}");
    fs::remove_dir_all(after.path().join("tests")).unwrap();
    assert_eq!(run("diff", &[&before, &after.path()]).0, 2);
    assert_eq!(run("diff", &[&after.path(), &before]).0, 3);

    after.write("scope/broken.cedar", "permit (");
    let (exit, json, _) = run("diff", &[&before, &after.path()]);
    assert_eq!((exit, &json["error"]["code"]), (65, &json!("bad_bundle")));
}
