//! How much memory a command had.

use std::process::{Command, Output, Stdio};

use proviso_tests::until;

/// Runs a command to its end: the most memory that it had, in KiB, and what it said.
pub(super) async fn peak(command: &mut Command) -> (u64, Output) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the command runs");
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    until("the end of the command", async || {
        // The mark only rises, so the last look is as good as the end.
        let told = std::fs::read_to_string(&status).unwrap_or_default();
        let line = told.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let mark = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        most = mark.unwrap_or(0).max(most);
        child.try_wait().expect("its state")
    })
    .await;
    assert!(most > 1_000, "nothing was measured: {most} KiB");
    (most, child.wait_with_output().expect("its output"))
}
