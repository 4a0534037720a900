//! Starting the lanes, and the look that comes before a gate opens its record.

use std::sync::Arc;
use std::time::Duration;

use audit_verify::export::CHECKPOINT;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::bucket::Bucket;
use super::collector::Collector;
use super::config::{CopyTo, HeadTo, Record};
use super::copier::Copier;
use super::folder::Folder;
use super::heads::Heads;
use super::lane::{self, Errand};
use super::shelf::{Shelf, place};
use super::sink::{SHORT, Sink};
use super::webhook::Webhook;
use super::witness::Witness;
use crate::app::{App, CopyKind};
use crate::random::Random;
use crate::store::{Log, SeenHead};

/// How long a start waits for one file of a receiver that hangs.
const PATIENCE: Duration = Duration::from_secs(5);

/// The heads that receivers hold, before the gate opens its record: what it does not lead to begins an epoch at once.
/// Who cannot be asked now is asked by its lane.
pub async fn first_look(record: &Record) -> Vec<SeenHead> {
    let mut seen = Vec::new();
    for (name, to) in &record.heads {
        if let HeadTo::File(file) = to {
            let shelf = Shelf::new(name, file);
            for log in Log::ALL {
                match timeout(PATIENCE, shelf.seen(log)).await {
                    Ok(Ok(head)) => seen.extend(head),
                    Ok(Err(error)) => tracing::warn!(name, %error, "the head cannot be looked at before the start"),
                    Err(_) => tracing::warn!(name, "the head's file does not answer before the start"),
                }
            }
        }
    }
    for (name, to) in &record.copies {
        let sink = sink(to);
        for log in Log::ALL {
            let path = format!("{log}/{CHECKPOINT}");
            match timeout(PATIENCE, sink.get(&path, SHORT))
                .await
                .map(|held| held.map(|bytes| bytes.map(String::from_utf8)))
            {
                Ok(Ok(Some(Ok(note)))) => seen.push(SeenHead { place: place(name), note }),
                Ok(Ok(None)) => {}
                Ok(Ok(Some(Err(_)))) => tracing::warn!(name, "the copy's head cannot be read"),
                Ok(Err(error)) => tracing::warn!(name, %error, "the copy cannot be looked at before the start"),
                Err(_) => tracing::warn!(name, "the copy does not answer before the start"),
            }
        }
    }
    seen
}

/// Starts a lane for each receiver. The handle ends when `stopping` turns true.
pub fn start(app: &App, record: &Record, random: &Arc<dyn Random>, stopping: &watch::Receiver<bool>) -> JoinHandle<()> {
    let mut lanes = JoinSet::new();
    let mut begin = |errand: Box<dyn Errand>| {
        lanes.spawn(lane::run(app.clone(), errand, Arc::clone(random), stopping.clone()));
    };
    for (name, to) in &record.heads {
        app.expect_copy(name, CopyKind::Heads, to.word());
        let (app, name) = (app.clone(), name.clone());
        begin(match to {
            HeadTo::File(file) => Box::new(Heads::new(app, name.clone(), Shelf::new(&name, file))),
            HeadTo::Webhook(address, secrets) => {
                Box::new(Heads::new(app, name, Webhook::new(address.clone(), secrets.clone())))
            }
            HeadTo::Witness(address, key) => {
                let witness = Witness::new(&name, address.clone(), key.clone());
                Box::new(Heads::new(app, name, witness))
            }
        });
    }
    for (name, to) in &record.copies {
        app.expect_copy(name, CopyKind::Whole, to.word());
        begin(Box::new(Copier::new(app.clone(), name.clone(), sink(to), Arc::clone(random))));
    }
    tokio::spawn(async move { while lanes.join_next().await.is_some() {} })
}

fn sink(to: &CopyTo) -> Arc<dyn Sink> {
    match to {
        CopyTo::Folder(folder) => Arc::new(Folder::new(folder)),
        CopyTo::Bucket(at) => Arc::new(Bucket::new(at)),
        CopyTo::Collector(address, token) => Arc::new(Collector::new(address.clone(), token.clone())),
    }
}
