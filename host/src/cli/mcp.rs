//! `proviso mcp`: the proxy. Standard output is the client's; whatever is to be said to people goes to standard error.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::output::{Exit, Failure};
use crate::mcp::{Options, StartError};

/// Put the gate between an MCP client and an MCP server.
#[derive(Debug, Args)]
pub(super) struct Mcp {
    /// The gate's URL. Beyond loopback only https.
    #[arg(long, value_name = "URL")]
    gate: String,
    /// The server's name, as credentials and grants hold it.
    #[arg(long, value_name = "NAME")]
    server: String,
    /// A file with the enforcement point's token; without it PROVISO_TOKEN.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A file with the agent's token; without it PROVISO_SUBJECT_TOKEN.
    #[arg(long, value_name = "FILE")]
    subject_token_file: Option<PathBuf>,
    /// What the server learns when it asks for the client's roots: a folder or a `file:` URI. May be repeated.
    #[arg(long = "root", value_name = "FOLDER")]
    roots: Vec<String>,
    /// The server's command and its arguments, behind `--`.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Runs it. `as_json`: why it did not start is one JSON value, on standard error all the same.
pub(super) async fn run(mcp: Mcp, as_json: bool) -> ExitCode {
    let Mcp { gate, server, token_file, subject_token_file, roots, command } = mcp;
    let options = Options { gate, server, token_file, subject_token_file, roots, command };
    crate::mcp::run(options).await.unwrap_or_else(|error| not_started(&error, as_json))
}

fn not_started(error: &StartError, as_json: bool) -> ExitCode {
    let exit = match error {
        StartError::Options(_) => Exit::Usage,
        StartError::System | StartError::Server(_) => Exit::Unavailable,
    };
    if as_json {
        eprintln!("{}", Failure::new(exit, error.code(), error.to_string()).help(error.help()).json());
    } else {
        eprintln!("proviso mcp: {error} ({})\n  help: {}", error.code(), error.help());
    }
    exit.into()
}
