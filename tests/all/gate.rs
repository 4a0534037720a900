//! The gate as a process: what an operator, an agent with a shell, or a bad disk can do to it.

mod alone;
mod bundles;
mod courier;
mod crash;
mod disk;
mod failing_disk;
mod folder;
mod forged;
mod logged;
mod mail;
mod own_user;
mod private;
mod recipe;
mod reconcile;
mod soak;
mod task;
mod tls;

use std::path::Path;
use std::process::Output;

use proviso_tests::{AGENTS, Binary, Parties, signed_in};
use serde_json::{Value, json};

/// What a command printed with `--json`, and how it exited.
fn told(output: &Output) -> (Option<i32>, Value) {
    let text = String::from_utf8_lossy(&output.stdout);
    (output.status.code(), serde_json::from_str(text.trim()).unwrap_or(Value::Null))
}

/// A failure's exit code and stable code. It carries a remedy, too.
fn failure(output: &Output) -> (Option<i32>, String) {
    let (exit, json) = told(output);
    let error = &json["error"];
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{output:?}");
    assert!(error["help"].as_str().is_some_and(|help| !help.is_empty()), "{output:?}");
    (exit, error["code"].as_str().unwrap_or_default().to_owned())
}

/// Runs `proviso audit verify`.
pub fn audit(data: &Path) -> Output {
    Binary::run(&["audit", "verify", "--json", "--data", &data.display().to_string()])
}

/// The story's credentials at a real gate, minted by the command line.
pub fn parties(gate: &Binary) -> Parties {
    let subjects = format!("Agent::{AGENTS}*");
    let point = gate.token(&["enforcement-point", "--name", "proxy", "--subjects", &subjects, "--servers", "files"]);
    let subject = format!("Agent::{AGENTS}report-writer");
    let agent = gate.token(&["agent", "--subject", &subject, "--task", "weekly-report", "--for", "ines"]);
    Parties { client: gate.client.clone(), point, agent }
}

/// Signs in by a link from the command line: cookie and key.
pub async fn sign_in(gate: &Binary, user: &str) -> String {
    let link = gate.token(&["approver", "--user", user]);
    let secret = link.rsplit('#').next().unwrap_or_default();
    let answer = gate.client.post("/api/v1/session", "", &json!({"link": secret})).await;
    signed_in(&answer).unwrap_or_else(|| panic!("{answer:?}"))
}
