//! What commands print of somebody else's words: no terminal obeys them, they begin no line of their own, and whoever
//! parses `--json` reads what was said.

use std::fs;
use std::path::Path;
use std::process::Output;

use policy_core::text::is_odd;
use proviso_tests::{Binary, Story, sample_bundle, write_file};
use serde_json::{Value, json};
use tokio::sync::watch;

/// Turns a line around, clears a screen in two ways, goes back to the start of the line, and begins one that looks like
/// another hold.
const LOUD: &str = "case 12\u{202e}gnp\u{1b}[2J\u{9b}31m\r\nhold_made_up  User::mara";

/// Runs a command at a gate of this process.
async fn run(data: &Path, arguments: &[&str]) -> Output {
    let data = data.display().to_string();
    let all: Vec<String> = [arguments, &["--data", &data]].concat().into_iter().map(str::to_owned).collect();
    let done = tokio::task::spawn_blocking(move || Binary::run(&all.iter().map(String::as_str).collect::<Vec<_>>()));
    done.await.expect("it ran")
}

/// What it printed, on both ways out, where nothing of it is obeyed by a terminal.
fn printed(what: &str, done: &Output) -> String {
    let text = [&done.stdout, &done.stderr].map(|bytes| String::from_utf8(bytes.clone()).expect("UTF-8")).concat();
    let obeyed = text.chars().find(|character| is_odd(*character) && !matches!(character, '\n' | '⟨' | '⟩'));
    assert_eq!(obeyed, None, "{what}: {text}");
    text
}

#[tokio::test]
async fn no_terminal_obeys_what_somebody_else_wrote_and_json_says_it_whole() {
    let story = Story::begin().await;
    let data = story.gate.data();
    let (_stop, stopping) = watch::channel(false);
    proviso::socket::listen(data, story.gate.app.clone(), stopping).expect("a socket");

    // A lock, a request and a hold, each with loud words of somebody's.
    let mara = story.gate.person("mara").await;
    let lock = json!({"target": {"task": "close-q3"}, "reason": LOUD});
    let locked = story.client.post("/api/v1/locks", &mara, &lock).await;
    assert!(locked.status.is_success(), "{locked:?}");
    let call = write_file("report-writer", "/srv/files/reports/a.md", "c1");
    let denied = story.evaluate(&call).await.json();
    let mut body = story.request_body(&call, &denied, None);
    body["context"]["business_justification"] = json!(LOUD);
    let asked = story.request(&body).await;
    assert!(asked.status.is_success(), "{asked:?}");
    let placed = run(data, &["hold", "place", "--of", "User::ines", "--reason", LOUD, "--json"]).await;
    printed("hold place", &placed);

    for (arguments, loud) in [
        (vec!["hold", "list"], true),
        (vec!["owner", "leaves", "mara"], true),
        (vec!["owner", "show", "--agent", "Agent::spiffe://acme.example/agent/report-writer"], false),
        (vec!["owner", "show", "--exception", LOUD], false),
        (vec!["token", "list"], false),
        (vec!["session", "list"], false),
        (vec!["session", "list", "--user", LOUD], false),
        (vec!["hold", "lift", LOUD, "--reason", "x"], false),
        (vec!["audit", "verify"], false),
        (vec!["replay"], false),
    ] {
        let what = arguments.join(" ");
        let text = printed(&what, &run(data, &arguments).await);
        if loud {
            assert!(text.contains("U+202E") && text.contains("U+001B") && text.contains("U+009B"), "{what}: {text}");
            // What was said stands in the line that says it.
            assert!(!text.lines().any(|line| line.starts_with("hold_made_up")), "{what}: {text}");
        }
        let json = run(data, &[&arguments[..], &["--json"]].concat()).await;
        let text = printed(&what, &json);
        assert!(serde_json::from_str::<Value>(text.trim()).is_ok(), "{what}: {text}");
    }
    let holds = run(data, &["hold", "list", "--json"]).await;
    let holds: Value = serde_json::from_slice(&holds.stdout).expect("JSON");
    let reason = holds["holds"][0]["reason"].as_str().expect("a reason");
    assert_eq!(reason, LOUD, "what a program reads is whole");
}

#[test]
fn a_bundle_of_somebody_else_s_is_told_of_without_its_control_characters() {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in sample_bundle() {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().expect("a folder of it")).expect("a folder");
        fs::write(file, text).expect("a file");
    }
    let bundle = folder.path().display().to_string();
    let check = |what: &str| {
        for more in [&[][..], &["--json"]] {
            let done = Binary::run(&[&["bundle", "check", &bundle], more].concat());
            assert!(!done.status.success(), "{what}: {done:?}");
            printed(what, &done);
        }
    };
    let loud = "\u{202e}gnp\u{1b}[2J\u{9b}31m";
    let policy = folder.path().join("guardrails/loud.cedar");
    fs::write(&policy, format!("@id(\"{loud}\")\n@{loud}\nforbid (principal, action, resource);\n")).expect("a file");
    check("a policy");
    fs::write(&policy, format!("@id(\"plain\")\nforbid (principal == Nobody::\"{loud}\", action, resource);\n"))
        .expect("a file");
    check("a type");
    fs::remove_file(&policy).expect("it is there");
    fs::write(folder.path().join(format!("guardrails/{loud}.cedar")), "forbid").expect("a file");
    check("a name of a file");
}

#[test]
fn what_a_check_is_asked_is_told_without_its_control_characters() {
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundles/sample").display().to_string();
    for loud in [LOUD, "\u{9b}31m"] {
        let done = Binary::run(&["check", "--bundle", &bundle, "--for", loud]);
        printed("check", &done);
        let done = Binary::run(&["check", "--bundle", loud]);
        printed("check", &done);
    }
}
