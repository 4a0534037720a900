//! Sending heads, and nothing else of the record: whoever holds one can tell later whether anything before it was changed.

use std::collections::BTreeMap;

use futures::future::BoxFuture;

use super::lane::Errand;
use super::sink::SinkError;
use crate::app::App;
use crate::store::{Head, Log};

/// Who takes heads.
pub(super) trait Keeper: Send + Sync + 'static {
    /// Looks at what it holds, before the first head is sent and after each failure. How many records that covers.
    fn look<'a>(&'a mut self, app: &'a App, log: Log) -> BoxFuture<'a, Result<u64, SinkError>>;
    /// Takes a head that is newer than the last.
    fn take<'a>(&'a mut self, app: &'a App, head: &'a Head) -> BoxFuture<'a, Result<(), SinkError>>;
}

/// A keeper's errand.
pub(super) struct Heads<K> {
    app: App,
    name: String,
    keeper: K,
    /// How many records the newest head is for that it has, by log.
    sent: BTreeMap<Log, u64>,
}

impl<K: Keeper> Heads<K> {
    pub(super) fn new(app: App, name: String, keeper: K) -> Self {
        Self { app, name, keeper, sent: BTreeMap::new() }
    }
}

impl<K: Keeper> Errand for Heads<K> {
    fn name(&self) -> &str {
        &self.name
    }

    fn step(&mut self) -> BoxFuture<'_, Result<u64, SinkError>> {
        Box::pin(async move {
            for head in self.app.heads() {
                let sent = match self.sent.get(&head.log) {
                    Some(sent) => *sent,
                    None => self.keeper.look(&self.app, head.log).await?,
                };
                if head.size > sent {
                    self.keeper.take(&self.app, &head).await?;
                }
                self.sent.insert(head.log, head.size.max(sent));
            }
            Ok(0)
        })
    }

    fn doubt(&mut self) {
        self.sent.clear();
    }
}
