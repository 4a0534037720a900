//! A copy's errand: both logs, the keys that their heads are signed by, and what is erased.

use std::sync::Arc;

use audit_verify::export::{KEYS, LOGS};
use futures::future::BoxFuture;

use super::erasing::{Erasing, Held};
use super::lane::Errand;
use super::mirror::Mirror;
use super::shelf::place;
use super::sink::{Sink, SinkError};
use crate::app::App;
use crate::random::Random;
use crate::store::Log;

/// How often in one step both logs are brought to one moment.
const ROUNDS: usize = 4;

/// Brings one copy on.
pub(super) struct Copier {
    app: App,
    name: String,
    sink: Arc<dyn Sink>,
    random: Arc<dyn Random>,
    ledger: Mirror,
    decisions: Mirror,
    erasing: Erasing,
    /// The keys that the copy names.
    keys: Option<Vec<String>>,
}

impl Copier {
    pub(super) fn new(app: App, name: String, sink: Arc<dyn Sink>, random: Arc<dyn Random>) -> Self {
        let (ledger, decisions, erasing) = Default::default();
        Self { app, name, sink, random, ledger, decisions, erasing, keys: None }
    }

    fn held(&self, log: Log) -> u64 {
        match log {
            Log::Ledger => self.ledger.done(),
            Log::Decisions => self.decisions.done(),
        }
    }
}

impl Errand for Copier {
    fn name(&self) -> &str {
        &self.name
    }

    fn step(&mut self) -> BoxFuture<'_, Result<u64, SinkError>> {
        Box::pin(async move {
            let Self { app, name, sink, random, ledger, decisions, erasing, keys } = self;
            // INVARIANT (R9): nothing is written into a copy of another record, not of one log alone either.
            ledger.look(app, &**sink, Log::Ledger, &place(name)).await?;
            decisions.look(app, &**sink, Log::Decisions, &place(name)).await?;
            let newest = app.verifier_keys();
            if keys.as_ref() != Some(&newest) {
                let lines = |texts: &[String]| texts.iter().map(|text| format!("{text}\n")).collect::<String>();
                let logs = Log::ALL.map(|log| log.name().to_owned());
                sink.put(LOGS, lines(&logs).into_bytes()).await?;
                sink.put(KEYS, lines(&newest).into_bytes()).await?;
                *keys = Some(newest);
            }
            for _ in 0..ROUNDS {
                // Of one moment: a use in the ledger and the decision that took it come together.
                let heads = app.heads();
                let of = |log: Log| heads.iter().find(|head| head.log == log);
                if let Some(head) = of(Log::Ledger) {
                    ledger.bring_ledger(app, &**sink, head).await?;
                }
                if let Some(head) = of(Log::Decisions) {
                    decisions.bring_decisions(app, &**sink, head, ledger).await?;
                }
                ledger.finish(app, &**sink).await?;
                decisions.finish(app, &**sink).await?;
                app.copied_to(name, Log::Ledger, ledger.done());
                app.copied_to(name, Log::Decisions, decisions.done());
                // What cannot be erased holds up nothing that is to be copied.
                let erased = erasing
                    .step(Held { app, sink: &**sink, ledger: &mut *ledger, decisions: &*decisions }, &**random)
                    .await;
                app.copied_to(name, Log::Ledger, ledger.done());
                if let Some(erased) = erased {
                    if let Some(error) = &erased.error {
                        tracing::error!(name, error, payloads = erased.kept, "what is erased stays in a copy");
                    }
                    app.copy_erased(name, erased);
                }
                // An erasure may have taken the ledger further than the decisions.
                if ledger.done() <= of(Log::Ledger).map_or(0, |head| head.size) {
                    break;
                }
            }
            Ok(self.app.heads().iter().map(|head| head.size.saturating_sub(self.held(head.log))).sum())
        })
    }

    fn doubt(&mut self) {
        self.ledger.doubt();
        self.decisions.doubt();
        self.erasing.doubt();
        self.keys = None;
    }
}
