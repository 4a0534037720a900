//! The demo's cast: agents that keep the queue alive, and the tools that they call.
//!
//! The cast is outside the gate like anybody else: it mints credentials over the operators' socket and speaks HTTP and
//! MCP. INVARIANT: nothing here names the store or the use cases; a test reads these files for it.

mod agents;
mod gate;
pub mod ledger;
mod mcp_agent;
mod place;
mod roles;
mod story;

use std::ffi::OsString;
use std::time::Duration;

use tokio::sync::watch;

pub use place::Place;
pub use story::story;

use gate::Gate;

/// Plays until `stopping` turns true. `files_server` is the command of a filesystem server, where there is one: then
/// report-writer plays through the proxy and that server, else through a gateway over HTTP.
///
/// # Errors
/// When the gate mints no credentials: one sentence.
pub async fn play(
    place: Place,
    url: String,
    files_server: Option<Vec<OsString>>,
    stopping: watch::Receiver<bool>,
) -> Result<(), String> {
    let gate = Gate::enter(&place, &url).await?;
    let mut told = stopping;
    tokio::select! {
        () = async {
            tokio::join!(
                async {
                    match &files_server {
                        Some(server) => mcp_agent::report_writer(&place, &url, server).await,
                        None => agents::report_writer(&gate, &place).await,
                    }
                },
                agents::close_planner(&gate),
                agents::intern_bot(&gate),
                mcp_agent::ledger_bot(&place, &url),
            );
        } => {}
        _ = told.wait_for(|stop| *stop) => {}
    }
    Ok(())
}

/// A pause between two acts. The pace is for people to follow.
async fn pause(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}
