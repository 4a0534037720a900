//! `proviso mcp`: the proxy. Standard output is the client's; whatever is to be said to people goes to standard error.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::mcp::Options;

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

/// Runs it.
pub(super) async fn run(mcp: Mcp) -> ExitCode {
    let Mcp { gate, server, token_file, subject_token_file, roots, command } = mcp;
    crate::mcp::run(Options { gate, server, token_file, subject_token_file, roots, command }).await
}
