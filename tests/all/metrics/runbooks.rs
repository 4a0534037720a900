//! Every command of every runbook page runs against a gate, and ends as the page says.

use std::path::Path;
use std::process::{Command, Stdio};

use proviso_tests::{Binary, write_file};

use super::alerts::alerts;

/// A block of commands with how it ends: "```sh", or "```sh exit 65".
fn blocks(page: &Path) -> Vec<(String, i32)> {
    let text = std::fs::read_to_string(page).expect("a page");
    let mut found = Vec::new();
    let mut open: Option<(String, i32)> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => {
                // A block without a language is for people: it has words in it that they replace.
                let ends = match info.split(' ').collect::<Vec<_>>().as_slice() {
                    ["sh"] => 0,
                    ["sh", "exit", code] => code.parse().expect("an exit code"),
                    [""] => -1,
                    other => panic!("{}: a block of {other:?}", page.display()),
                };
                open = Some((String::new(), ends));
            }
            (Some(_), Some("")) => found.extend(open.take().filter(|(_, ends)| *ends >= 0)),
            (Some((block, _)), None) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
            (Some(_), Some(_)) => panic!("{}: a block inside a block", page.display()),
        }
    }
    assert!(open.is_none(), "{}: a block without an end", page.display());
    found
}

#[tokio::test]
async fn the_commands_of_every_page_run_against_a_gate() {
    let folder = tempfile::tempdir().expect("a folder");
    let gate = Binary::serve(&folder.path().join("data"));
    let parties = crate::gate::parties(&gate);
    // A call that is in scope, and one that waits for people.
    parties.evaluate(&write_file("report-writer", "/srv/files/drafts/a.md", "c1")).await;
    parties.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), None).await;
    // `proviso` on the path is the binary under test.
    let bin = folder.path().join("bin");
    std::fs::create_dir(&bin).expect("a folder");
    std::os::unix::fs::symlink(Binary::path(), bin.join("proviso")).expect("a link");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    for alert in alerts() {
        let blocks = blocks(&alert.page());
        assert!(!blocks.is_empty(), "`{}` says nothing to look at", alert.name);
        for (block, ends) in blocks {
            let mut shell = Command::new("sh");
            shell.args(["-e", "-u", "-c", &block]).env("PATH", &path).env("TMPDIR", folder.path());
            shell.env("URL", &gate.client.url).env("DATA", gate.data()).stdin(Stdio::null());
            let output = shell.output().expect("a shell");
            assert_eq!(output.status.code(), Some(ends), "{}: {block}{output:?}", alert.name);
        }
    }
}
