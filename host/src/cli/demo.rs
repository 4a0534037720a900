//! `proviso demo`: the same gate on loopback, marked as a demo, with a cast of agents.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use policy_evaluator::Bundle;
use serde_json::json;
use tokio::sync::watch;

use super::given::Files;
use super::listen::Listen;
use super::output::{Done, Failure, say};
use super::serve::{Start, start_log};
use super::signals::Signals;
use crate::app::{Activation, Allowance};
use crate::demo::{self, Place};
use crate::random::{self, SystemRandom};
use crate::store::{DataFolder, DataKind};

/// Run a demo on loopback.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Where to listen: loopback only, since anybody may sign in as anybody.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8731")]
    listen: SocketAddr,
    /// A folder to play in and to keep. Without it a temporary one, removed at the end.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The script of `@modelcontextprotocol/server-filesystem`: Node runs it, and report-writer plays through it.
    #[arg(long, value_name = "FILE")]
    files_server: Option<PathBuf>,
}

/// Runs it.
pub(super) async fn run(demo: Demo, as_json: bool) -> Result<Done, Failure> {
    start_log();
    if !demo.listen.ip().is_loopback() {
        return Err(Failure::usage(
            "demo_on_loopback",
            "a demo listens on loopback only: anybody may sign in as anybody",
        )
        .help("run a gate with `proviso serve` to let others in"));
    }
    let (base, is_temporary) = match demo.data {
        Some(folder) => (folder, false),
        None => (temporary()?, true),
    };
    hold_marks(&base)?;
    let place = Place::open(&base)
        .map_err(|error| Failure::unavailable("no_folder", format!("`{}` cannot be made: {error}", base.display())))?;
    let files_server = demo
        .files_server
        .map(|script| vec![OsString::from("node"), script.into_os_string(), place.files().into_os_string()]);
    let played = play(&place, demo.listen, files_server, as_json).await;
    if is_temporary && let Err(error) = std::fs::remove_dir_all(&base) {
        tracing::warn!(%error, folder = %base.display(), "the demo's folder could not be removed");
    }
    played
}

/// INVARIANT: a demo makes and writes nothing in a gate's data folder, and none of its own around one.
fn hold_marks(base: &Path) -> Result<(), Failure> {
    DataFolder::hold_unmarked(base)
        .and_then(|()| DataFolder::hold_mark(&base.join(Place::DATA), DataKind::Demo))
        .map_err(|error| Failure::unavailable(error.code(), error.to_string()).help(error.help()))
}

async fn play(
    place: &Place,
    listen: SocketAddr,
    files_server: Option<Vec<OsString>>,
    as_json: bool,
) -> Result<Done, Failure> {
    let bundle = place.bundle();
    let accepted = Bundle::accept(&bundle).map_err(|errors| {
        let first = errors.first().map(ToString::to_string).unwrap_or_default();
        Failure::bad_input("bad_bundle", format!("the sample bundle does not load: {first}"))
    })?;
    let start = Start {
        data: place.data(),
        kind: DataKind::Demo,
        activate: Some(Activation { digest: accepted.digests.bundle, reason: "the demo's own bundle".to_owned() }),
        bundle,
        listen: Listen::plain(listen),
        single_user: false,
        allowance: Allowance::default(),
        attention: None,
        files: Files::default(),
    };
    let running = start.open().await?;
    let signals = Signals::listen()?;
    let (stop, stopping) = watch::channel(false);
    let cast = tokio::spawn(demo::play(place.clone(), running.url.clone(), files_server, stopping));
    if as_json {
        say(&json!({"ready": true, "url": running.url, "data": place.data()}).to_string());
    } else {
        say(&demo::story(place, &running.url));
    }
    let ended = tokio::select! {
        () = signals.stop() => Ok(()),
        played = cast => match played {
            Ok(Err(message)) => Err(Failure::unavailable("no_cast", message)),
            _ => Err(Failure::unavailable("no_cast", "the demo's agents have stopped")),
        },
    };
    // The receiver is gone when the cast has ended by itself.
    let _ = stop.send(true);
    let stopped = running.stop().await;
    ended.and(stopped)
}

fn temporary() -> Result<PathBuf, Failure> {
    let name = random::id(&SystemRandom, "proviso-demo")
        .map_err(|error| Failure::unavailable("no_randomness", error.to_string()))?;
    Ok(std::env::temp_dir().join(name))
}

/// Runs the demo's tool server until its client has gone.
pub(super) fn serve_ledger() -> Result<Done, Failure> {
    demo::ledger::serve().map_err(|error| Failure::unavailable("client_gone", error.to_string()))?;
    Ok(Done::fine("", json!({"ended": true})))
}
