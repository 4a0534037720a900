//! A command line that makes no sense: told as text for people, or as the one JSON value where `--json` stands in it.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;

use super::output::{self, Exit, Failure};

/// Prints what the command line's reader says of these arguments, the program's name first, and exits.
pub(super) fn finish(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    if !error.use_stderr() {
        // Help or a version, as it was asked for. Nobody is left to tell when standard output is closed.
        let _ = error.print();
        return Exit::Fine.into();
    }
    if !arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == "--json") {
        // As above, of standard error.
        let _ = error.print();
        return Exit::Usage.into();
    }
    let failure = Failure::usage("usage", message(error));
    // The proxy's standard output is its client's.
    let is_proxy = arguments.iter().skip(1).find(|argument| *argument != "--json").is_some_and(|first| first == "mcp");
    if is_proxy {
        eprintln!("{}", failure.json());
        return failure.exit.into();
    }
    output::finish(Err(failure), true)
}

/// What is wrong, in one line.
fn message(error: &clap::Error) -> String {
    if matches!(error.kind(), ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand) {
        return "a command is missing".to_owned();
    }
    let text = error.render().to_string();
    // Behind it stand a usage and a hint at `--help`, which the remedy gives.
    let told = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = told.trim_start_matches("error: ").split_whitespace().collect();
    words.join(" ")
}
