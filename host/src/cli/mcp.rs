//! `proviso mcp`: the proxy. Over stdio, standard output is the client's; whatever is to be said to people goes to standard
//! error. With `--listen` it serves many clients, see `mcp_listen`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::mcp_listen::{self, Common, Listening};
use super::output::{self, Exit, Failure};
use super::shown;
use crate::mcp::{Options, StartError};

/// Put the gate between an MCP client and an MCP server.
#[derive(Debug, Args)]
pub(super) struct Mcp {
    /// The gate's URL. Beyond loopback only https.
    #[arg(long, value_name = "URL")]
    gate: String,
    /// Authorities in PEM that the gate's certificate is held against, in place of the public ones.
    #[arg(long, value_name = "FILE")]
    gate_ca: Option<PathBuf>,
    /// The server's name, as credentials and grants hold it.
    #[arg(long, value_name = "NAME")]
    server: String,
    /// A file with the enforcement point's token; without it PROVISO_TOKEN.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A file with the agent's token; without it PROVISO_SUBJECT_TOKEN.
    #[arg(long, value_name = "FILE", conflicts_with = "listen")]
    subject_token_file: Option<PathBuf>,
    /// What the server learns when it asks for the client's roots: a folder or a `file:` URI. May be repeated. With
    /// `--listen` and none, clients are asked.
    #[arg(long = "root", value_name = "FOLDER")]
    roots: Vec<String>,
    /// The folder in which the newest heads of the gate's record are kept; without it the user's own folder for state.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    #[command(flatten)]
    listening: Listening,
    /// The server's command and its arguments, behind `--`.
    #[arg(last = true, required_unless_present = "listen", conflicts_with = "listen", value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Runs it. `as_json`: why it did not start is one JSON value, on standard error all the same.
pub(super) async fn run(mcp: Mcp, as_json: bool) -> ExitCode {
    let Mcp { gate, gate_ca, server, token_file, subject_token_file, roots, state, listening, command } = mcp;
    let state = state.or_else(|| own_state(|name| std::env::var_os(name)));
    if let Some(address) = listening.listen {
        let common = Common { gate, gate_ca, server, token_file, state, roots };
        return output::finish(mcp_listen::run(address, listening, common, as_json).await, as_json);
    }
    let options = Options { gate, gate_ca, server, token_file, subject_token_file, roots, state, command };
    crate::mcp::run(options).await.unwrap_or_else(|error| not_started(&error, as_json))
}

fn not_started(error: &StartError, as_json: bool) -> ExitCode {
    let exit = match error {
        StartError::Options(_) => Exit::Usage,
        StartError::System | StartError::Server(_) => Exit::Unavailable,
    };
    if as_json {
        let failure = Failure::new(exit, error.code(), error.to_string()).help(error.help());
        eprintln!("{}", shown::json(&failure.json().to_string()));
    } else {
        let told = format!("proviso mcp: {error} ({})\n  help: {}", error.code(), error.help());
        eprintln!("{}", shown::lines(&told));
    }
    exit.into()
}

/// Where a user's programs keep what should outlive them (XDG base directories).
fn own_state(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let named = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = named("XDG_STATE_HOME").or_else(|| named("HOME").map(|home| home.join(".local/state")));
    state.map(|state| state.join("proviso"))
}
