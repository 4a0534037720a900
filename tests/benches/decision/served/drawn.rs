//! How a browser bears a preview over a thousand different recorded questions: Chromium on the page as it is deployed, at
//! a gate in this process.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use proviso::identity::MintRequest;
use proviso_tests::{Story, write_file};
use serde::Deserialize;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::figures::Measured;
use crate::{Result, Run};

const QUESTIONS: usize = 1_000;
const FOLDER: &str = "/srv/files/reports";

/// What `tests/e2e/frames.bench.ts` writes down, times in milliseconds.
#[derive(Deserialize)]
struct Drawn {
    blocked: Vec<f64>,
    answered: Vec<f64>,
    shifts: Vec<f64>,
}

/// Where nobody says where the browser's tests are, no page is drawn.
pub fn measure(run: &mut Run, runtime: &Runtime) -> Result<()> {
    let Some(tests) = std::env::var_os("PROVISO_BENCH_E2E") else { return Ok(()) };
    let story = runtime.block_on(Story::begin());
    let asked = runtime.block_on(ask(&story))?;
    let link = runtime.block_on(story.gate.mint(MintRequest::Approver { user: "mara".to_owned() }));
    let folder = tempfile::tempdir()?;
    let frames = folder.path().join("frames.json");
    let tests = Path::new(&tests);
    let mut browser = Command::new(tests.join("node_modules/.bin/playwright"));
    browser.args(["test", "--project", "bench", "--reporter", "line"]).current_dir(tests);
    browser.env("PROVISO_BENCH_FRAMES", &frames).env("PROVISO_BENCH_ROUNDS", run.rounds.to_string());
    for (name, value) in [("LINK", link.as_str()), ("ASKED", asked.as_str()), ("FOLDER", FOLDER)] {
        browser.env(format!("PROVISO_BENCH_{name}"), OsStr::new(value));
    }
    // The gate serves meanwhile, on threads of its own.
    let status = browser.status()?;
    if !status.success() {
        return Err(format!("the page was not drawn: {status}").into());
    }
    let Drawn { blocked, answered, shifts } = serde_json::from_str(&fs::read_to_string(&frames)?)?;
    for (what, times) in [("kept the main thread", &blocked), ("were answered in", &answered)] {
        let Measured { median, low, high } = Measured::of(times.clone());
        println!("{median:>10.1} ms  edits over {QUESTIONS} recorded questions {what}, most {low:.1} to {high:.1}");
    }
    run.figure("preview_frame", Measured::of(blocked));
    run.figure("preview_answer", Measured::of(answered));
    run.figure("layout_shift", Measured::exactly(shifts.into_iter().fold(0.0, f64::max)));
    Ok(())
}

/// A thousand different calls that are refused, half of them in a folder of their own, and a request for all of them: its
/// id.
async fn ask(story: &Story) -> Result<String> {
    let refused = stream::iter(0..QUESTIONS).map(|number| async move {
        let folder = if number < QUESTIONS / 2 { "/half" } else { "" };
        let call = write_file("report-writer", &format!("{FOLDER}{folder}/{number}.md"), &format!("drawn-{number}"));
        let answer = story.evaluate(&call).await;
        if answer.json().get("decision") == Some(&Value::Bool(false)) {
            Ok(())
        } else {
            Err(format!("a call was not refused: {answer:?}"))
        }
    });
    refused.buffer_unordered(16).try_collect::<Vec<()>>().await?;
    // In the folder that every edit leaves open: this call passes at each.
    let call = write_file("report-writer", &format!("{FOLDER}/half/asked.md"), "drawn");
    Ok(story.ask(&call, Some(FOLDER)).await)
}
