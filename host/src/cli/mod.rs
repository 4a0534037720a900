//! The command line. Every command has `--json`; exit codes are part of the contract.

mod admin;
mod audit;
mod backup;
mod bar;
mod bundle;
mod check;
mod clock;
mod demo;
mod doctor;
mod erase;
mod export;
mod given;
mod hold;
mod key;
mod listen;
mod mcp;
mod mcp_listen;
mod output;
mod owner;
mod reconcile;
mod replay;
pub mod serve;
mod session;
mod settings;
mod shown;
mod signals;
mod task;
mod token;
mod usage;

use std::ffi::OsString;
use std::future::Future;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use output::{Done, Exit, Failure};

/// Govern exceptions for AI agents: scope, requests, approvals, a clock, and a record.
#[derive(Debug, Parser)]
#[command(name = "proviso", version, disable_help_subcommand = true)]
struct Cli {
    /// Print JSON instead of text for people.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gate.
    Serve(serve::Serve),
    /// Run a demo on loopback, with a sample bundle and a few agents. Anybody may sign in as anybody.
    Demo(demo::Demo),
    /// Ask one question offline: what would this call get from this bundle, with no grants?
    Check(check::Check),
    /// Put the gate between MCP clients and an MCP server: one client over stdio, or many over Streamable HTTP.
    Mcp(mcp::Mcp),
    /// Tell what is weak in a set-up, and how to mend it.
    Doctor(doctor::Doctor),
    /// Work on a bundle of policy.
    #[command(subcommand)]
    Bundle(bundle::BundleCommand),
    /// Work on the record.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Copy a data folder, while its gate runs, and verify the copy.
    Backup(backup::Backup),
    /// Make a data folder of a backup.
    Restore(backup::RestoreFrom),
    /// Ask the recorded questions again: do they come to the same, and what would another bundle answer?
    Replay(replay::Replay),
    /// Mint, list and revoke credentials, at the running gate.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// List and end the sessions of people, at the running gate.
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// Let administrators in, at the running gate: the first one, and another when the last one is lost.
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Work on the units of work that agents act in, at the running gate.
    #[command(subcommand)]
    Task(task::TaskCommand),
    /// Rotate and list the keys that sign binding tokens, at the running gate.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Hold what ran against what was approved.
    Reconcile(reconcile::Reconcile),
    /// Take texts out of the record for good, at the running gate: about somebody, or older than so long.
    Erase(erase::Erase),
    /// Place, lift and list legal holds, at the running gate: what they cover is not erased.
    #[command(subcommand)]
    Hold(hold::HoldCommand),
    /// Who owns an agent or an exception, handing it over, and people who leave, at the running gate.
    #[command(subcommand)]
    Owner(owner::OwnerCommand),
    /// Say, with a reason on record, that the clock can be trusted again.
    TrustClock(clock::TrustClock),
    /// The demo's tool server over stdio.
    #[command(hide = true)]
    DemoLedger,
}

/// Runs the command line.
pub fn main() -> ExitCode {
    // The proxy opens no gate, and holds checks all the same.
    #[cfg(saboteur)]
    crate::saboteur::plant();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let said = match settings::expand(&arguments, &Cli::command(), &|name| std::env::var_os(name)) {
        Ok(said) => said,
        Err(failure) => return output::finish(Err(failure), arguments.iter().any(|word| word == "--json")),
    };
    let cli = match Cli::try_parse_from(&said) {
        Ok(cli) => cli,
        Err(error) => return usage::finish(&error, &arguments),
    };
    let done = match cli.command {
        Command::Serve(serve) => block_on(serve::run(serve, cli.json)),
        Command::Demo(demo) => block_on(demo::run(demo, cli.json)),
        Command::Check(check) => check::run(&check),
        Command::Mcp(mcp) => return block_on_exit(mcp::run(mcp, cli.json)),
        Command::Doctor(doctor) => doctor::run(&doctor),
        Command::Bundle(command) => block_on(bundle::run(&command)),
        Command::Audit(command) => audit::run(&command),
        Command::Backup(command) => backup::back_up(&command),
        Command::Restore(command) => backup::restore(&command),
        Command::Replay(replay) => replay::run(&replay, cli.json),
        Command::Token(command) => block_on(token::run(command)),
        Command::Session(command) => block_on(session::run(command)),
        Command::Admin(command) => block_on(admin::run(command)),
        Command::Task(command) => block_on(task::run(command)),
        Command::Key(command) => block_on(key::run(command)),
        Command::Reconcile(command) => block_on(reconcile::run(command)),
        Command::Erase(command) => block_on(erase::run(command)),
        Command::Hold(command) => block_on(hold::run(command)),
        Command::Owner(command) => block_on(owner::run(command)),
        Command::TrustClock(command) => block_on(clock::run(command)),
        Command::DemoLedger => demo::serve_ledger(),
    };
    output::finish(done, cli.json)
}

fn block_on(work: impl Future<Output = Result<Done, Failure>>) -> Result<Done, Failure> {
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::unavailable("no_runtime", format!("the runtime did not start: {error}")))?;
    runtime.block_on(work)
}

fn block_on_exit(work: impl Future<Output = ExitCode>) -> ExitCode {
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let exit = runtime.block_on(work);
            // A read of standard input cannot be called off; the process ends without waiting for it.
            runtime.shutdown_background();
            exit
        }
        Err(_) => Exit::Unavailable.into(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        <super::Cli as clap::CommandFactory>::command().debug_assert();
    }
}
