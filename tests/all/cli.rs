//! The command line, as scripts rely on it: exit codes, one JSON value with `--json`, a remedy with each refusal.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use proviso_tests::{Binary, post_rows, write_file};
use serde_json::{Value, json};

fn sample() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundles/sample").display().to_string()
}

fn with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(Binary::path());
    let command = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn told(output: &Output) -> (i32, Value) {
    let json = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code().unwrap(), json)
}

#[test]
fn check_exits_by_the_outcome() {
    let bundle = sample();
    let delete = {
        let mut delete = post_rows("ledger-bot", "finance/sandbox", 1, "c");
        delete["action"]["name"] = json!("delete_journal");
        delete["context"]["input"] = json!({});
        delete
    };
    for (question, exit, outcome, reason) in [
        (write_file("report-writer", "/srv/files/drafts/a", "c"), 0, "permitted_by_scope", "scope"),
        (write_file("report-writer", "/srv/files/reports/a", "c"), 3, "requestable_denial", "approval_required"),
        (write_file("report-writer", "/srv/files/reports/../a", "c"), 2, "denial", "bad_input"),
        (delete, 2, "denial", "guardrail"),
    ] {
        let arguments = ["check", "--json", "--bundle", &bundle, "--for", "ines"];
        let output = with_input(&arguments, question.to_string().as_bytes());
        let (code, json) = told(&output);
        assert_eq!((code, &json["outcome"], &json["reason"]), (exit, &json!(outcome), &json!(reason)), "{output:?}");
    }
}

#[test]
fn check_tells_an_approval_that_is_over() {
    let bundle = sample();
    let approved = |call: &Value, until: &str| {
        let mut call = call.clone();
        call["context"]["approval"] = json!({"id": "gra_1", "approved_until": until});
        call
    };
    let write = write_file("report-writer", "/srv/files/reports/a", "c");
    let (over, ahead) = ("2001-01-01T00:00:00.000Z", "2999-01-01T00:00:00.000Z");
    for (question, exit, reason) in [
        (approved(&write, over), 4, "approval_expired"),
        (approved(&write, ahead), 3, "approval_required"),
        (approved(&write_file("report-writer", "/srv/files/drafts/a", "c"), over), 0, "scope"),
        (approved(&write_file("report-writer", "/srv/files/reports/../a", "c"), over), 2, "bad_input"),
    ] {
        let output = with_input(&["check", "--json", "--bundle", &bundle], question.to_string().as_bytes());
        let (code, json) = told(&output);
        assert_eq!((code, &json["reason"]), (exit, &json!(reason)), "{output:?}");
    }
    let twisted = approved(&write, "yesterday").to_string();
    let (code, json) = told(&with_input(&["check", "--json", "--bundle", &bundle], twisted.as_bytes()));
    assert_eq!((code, &json["error"]["code"]), (65, &json!("bad_shape")));
}

#[test]
fn check_reads_strictly() {
    let bundle = sample();
    for (input, code) in [
        (&b""[..], "bad_json"),
        (br#"{"subject":{},"subject":{}}"#, "duplicate_member"),
        (br#"{"subject":3}"#, "bad_shape"),
        (&[b'['; 100], "too_deep"),
        (&vec![b' '; (1 << 20) + 5], "too_large"),
    ] {
        let output = with_input(&["check", "--json", "--bundle", &bundle, "-"], input);
        let (exit, json) = told(&output);
        assert_eq!((exit, &json["error"]["code"]), (65, &json!(code)), "{output:?}");
    }
}

#[test]
fn a_bundle_that_does_not_validate_is_told_by_file_line_and_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").arg("-r").arg(sample()).arg(folder.path().join("b")).status().unwrap();
    assert!(copied.success());
    let bundle = folder.path().join("b");
    let good = Binary::run(&["bundle", "check", "--json", bundle.to_str().unwrap()]);
    let (exit, json) = told(&good);
    assert_eq!((exit, &json["valid"]), (0, &json!(true)), "{good:?}");
    assert_eq!(json["digest"].as_str().unwrap().len(), 64);

    std::fs::write(bundle.join("scope/extra.cedar"), "@id(\"extra\")\nforbid (principal, action, resource);\n")
        .unwrap();
    let bad = Binary::run(&["bundle", "check", "--json", bundle.to_str().unwrap()]);
    let (exit, json) = told(&bad);
    assert_eq!((exit, &json["valid"]), (65, &json!(false)), "{bad:?}");
    let first = &json["errors"][0];
    assert_eq!(first["file"], "scope/extra.cedar", "{json}");
    assert!(first["line"].as_u64().is_some_and(|line| line >= 1), "{json}");
    assert!(first["help"].as_str().is_some_and(|help| !help.is_empty()), "{json}");
    let text = Binary::run(&["bundle", "check", bundle.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&text.stdout).contains("scope/extra.cedar:"), "{text:?}");
}

#[test]
fn a_command_line_that_makes_no_sense_is_one_json_value_where_json_is_asked_for() {
    for (arguments, says) in [
        (&["serve", "--json"][..], "--bundle"),
        (&["--json", "nonsense"], "nonsense"),
        (&["token", "agent", "--task", "t", "--json", "--data", "d", "--subject", "bot"], "TYPE::ID"),
        (&["--json"], "a command is missing"),
    ] {
        let output = Binary::run(arguments);
        let (exit, json) = told(&output);
        assert_eq!((exit, &json["error"]["code"]), (64, &json!("usage")), "{output:?}");
        let message = json["error"]["message"].as_str().unwrap();
        assert!(message.contains(says) && !message.contains('\n') && !message.starts_with("error"), "{message}");
        assert!(json["error"]["help"].is_string() && output.stderr.is_empty(), "{output:?}");
    }
    // Without it, and where it belongs to somebody else's command, it is text for people.
    for arguments in [&["serve"][..], &["mcp", "--gate", "http://127.0.0.1:9", "--", "server", "--json"]] {
        let output = Binary::run(arguments);
        assert_eq!(output.status.code(), Some(64), "{output:?}");
        assert!(output.stdout.is_empty() && !output.stderr.starts_with(b"{"), "{output:?}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_its_code() {
    let bundle = sample();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let serve = |more: &[&str]| {
        let arguments = ["serve", "--json", "--bundle", &bundle, "--data", &data];
        told(&Binary::run(&[&arguments[..], more].concat()))
    };
    for (more, exit, code) in [
        (&["--listen", "0.0.0.0:0"][..], 64, "listen_without_tls"),
        (&["--listen", "0.0.0.0:0", "--public-url", "http://gate.example"], 64, "listen_without_tls"),
        (&["--listen", "0.0.0.0:0", "--public-url", "https://gate.example"], 64, "listen_without_tls"),
        (&["--behind-proxy", "--public-url", "http://gate.example"], 64, "public_url_without_tls"),
        (&["--public-url", "https://gate.example/path"], 64, "bad_public_url"),
        (&["--public-url", "gate.example"], 64, "bad_public_url"),
    ] {
        let (code_seen, json) = serve(more);
        assert_eq!((code_seen, &json["error"]["code"]), (exit, &json!(code)), "{more:?}");
        assert!(!Path::new(&data).exists(), "nothing was made by {more:?}");
    }
    for arguments in [&["nonsense"][..], &["serve"], &["token", "agent"], &["serve", "--listen", "here"], &[]] {
        assert_eq!(Binary::run(arguments).status.code(), Some(64), "{arguments:?}");
    }
    for arguments in
        [&["token", "list", "--json", "--data", &data][..], &["audit", "verify", "--json", "--data", &data]]
    {
        let (exit, json) = told(&Binary::run(arguments));
        assert_eq!(exit, 69, "{arguments:?}");
        assert!(json["error"]["code"].is_string(), "{arguments:?}");
    }
    let demo = Binary::run(&["demo", "--json", "--listen", "0.0.0.0:0"]);
    assert_eq!(told(&demo).1["error"]["code"], "demo_on_loopback");
    assert_eq!(Binary::run(&["--version"]).status.code(), Some(0));
}
