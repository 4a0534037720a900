//! Heads to a witness (C2SP tlog-witness v1): it holds each head against the last one that it saw and vouches for it by a
//! cosignature, which is served with the checkpoint.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use reqwest::StatusCode;

use super::address::Address;
use super::cosigner::Cosigner;
use super::folder::write;
use super::heads::Keeper;
use super::shelf::place;
use super::sink::SinkError;
use crate::app::App;
use crate::store::{Head, Log};

/// How often a witness may say that it holds another size before it is left alone for a while.
const ATTEMPTS: usize = 3;

/// A witness.
pub(super) struct Witness {
    name: String,
    address: Address,
    cosigner: Cosigner,
    /// How many records the last head that it vouched for is for, by log.
    holds: BTreeMap<Log, u64>,
}

impl Witness {
    pub(super) fn new(name: &str, address: Address, cosigner: Cosigner) -> Self {
        Self { name: name.to_owned(), address, cosigner, holds: BTreeMap::new() }
    }

    /// It holds a head that this record does not lead to: how large it is, is all that a witness tells.
    async fn strange(&self, app: &App, log: Log, size: u64) -> SinkError {
        match app.size_seen(log, size, &place(&self.name)).await {
            Ok(()) => SinkError::OtherRecord,
            Err(refusal) => SinkError::of(refusal.detail),
        }
    }
}

impl Keeper for Witness {
    /// What it holds, it says when it is sent a head.
    fn look<'a>(&'a mut self, _: &'a App, _: Log) -> BoxFuture<'a, Result<u64, SinkError>> {
        Box::pin(async { Ok(0) })
    }

    fn take<'a>(&'a mut self, app: &'a App, head: &'a Head) -> BoxFuture<'a, Result<(), SinkError>> {
        Box::pin(async move {
            let log = head.log;
            for _ in 0..ATTEMPTS {
                let old = self.holds.get(&log).copied().unwrap_or(0);
                let Some((newest, proof)) = app.grown_from(log, old) else {
                    return Err(self.strange(app, log, old).await);
                };
                let lines: String = proof.iter().map(|hash| format!("{}\n", hash.to_base64())).collect();
                let request = self.address.post("add-checkpoint").body(format!("old {old}\n{lines}\n{}", newest.note));
                let answer = self.address.send(request).await?;
                let text = String::from_utf8_lossy(&answer.body).into_owned();
                match answer.status {
                    StatusCode::CONFLICT => match text.trim_end().parse::<u64>() {
                        Ok(size) if size > newest.size || size == old => {
                            return Err(self.strange(app, log, size).await);
                        }
                        Ok(size) => drop(self.holds.insert(log, size)),
                        Err(_) => return Err(SinkError::of("the witness does not say which head it holds")),
                    },
                    StatusCode::UNPROCESSABLE_ENTITY => return Err(self.strange(app, log, old).await),
                    _ => {
                        answer.good()?;
                        let body = newest.note.split_once("\n\n").map(|(body, _)| format!("{body}\n"));
                        // INVARIANT: only what the configured key has signed is handed on.
                        let line = body.as_deref().and_then(|body| self.cosigner.find(body, &text));
                        let line = line.ok_or_else(|| SinkError::of("the witness's cosignature is not its key's"))?;
                        self.holds.insert(log, newest.size);
                        let note = app.cosigned(&newest, &self.name, line);
                        let file = format!("{}.cosigned", log.name().replace('/', "-"));
                        let file = app.settings().data.join("heads").join(file);
                        return write(&file, note.as_bytes()).map_err(|error| SinkError::of(error.kind()));
                    }
                }
            }
            Err(SinkError::of("the witness says another size each time"))
        })
    }
}
