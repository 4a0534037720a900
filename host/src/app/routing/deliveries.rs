//! The outbox as use cases see it: what the courier works off, and what people look at.

use std::sync::Arc;

use policy_core::time::{Span, Timestamp};
use proviso_api::routing::{DeliveryLine, DeliveryList};

use crate::app::App;
use crate::app::refusal::{Refusal, RefusalKind};
use crate::store::{Attempt, Delivery, DeliveryState, Outbox, StoreError};

/// How many deliveries a list has at most: the newest.
const MOST_LINES: usize = 200;
/// How long what is over stays to be looked at.
const KEPT: Span = Span::from_seconds(30 * 86_400);

impl App {
    /// What is due to be sent, at most one for each target, and when something is due next.
    ///
    /// # Errors
    /// When the outbox cannot be read now.
    pub async fn deliveries_due(&self) -> Result<(Vec<Delivery>, Option<Timestamp>), StoreError> {
        let now = self.now();
        self.with_outbox(move |outbox| Ok((outbox.due(now)?, outbox.next_due()?))).await
    }

    /// Writes down what became of an attempt.
    ///
    /// # Errors
    /// When the outbox cannot be written now: the delivery is tried again.
    pub async fn attempted(&self, id: String, attempt: Attempt) -> Result<(), StoreError> {
        self.with_outbox(move |outbox| outbox.attempted(&id, &attempt)).await
    }

    /// Forgets what was over long ago.
    ///
    /// # Errors
    /// When the outbox cannot be written now.
    pub async fn forget_deliveries(&self) -> Result<(), StoreError> {
        let before =
            self.now().millis().saturating_sub(i64::try_from(KEPT.seconds()).unwrap_or(0).saturating_mul(1000));
        self.with_outbox(move |outbox| outbox.forget(Timestamp::from_millis(before))).await
    }

    /// The time by which deliveries are due.
    pub fn delivery_time(&self) -> Timestamp {
        self.now()
    }

    /// The deliveries in a state, newest first. `state` is a state's word; absent: those that were given up.
    ///
    /// # Errors
    /// `bad_state`; `outbox_unavailable`.
    pub async fn deliveries(&self, state: Option<&str>) -> Result<DeliveryList, Refusal> {
        let word = state.unwrap_or(DeliveryState::Dead.word());
        let state = DeliveryState::of(word).ok_or_else(|| {
            let shown = policy_core::text::visible(word, 40);
            let words = DeliveryState::ALL.map(DeliveryState::word).join(", ");
            Refusal::bad("bad_state", format!("`{shown}` is no state of a delivery")).help(format!("one of {words}"))
        })?;
        let found = self.with_outbox(move |outbox| outbox.list(state, MOST_LINES)).await.map_err(|e| unusable(&e))?;
        Ok(DeliveryList { now: self.now(), deliveries: found.iter().map(line).collect() })
    }

    /// Has a delivery that was given up tried again.
    ///
    /// # Errors
    /// `unknown_delivery` when no such one was given up; `outbox_unavailable`.
    pub async fn retry_delivery(&self, id: String) -> Result<(), Refusal> {
        let now = self.now();
        let found = self.with_outbox(move |outbox| outbox.retry(&id, now)).await.map_err(|error| unusable(&error))?;
        if found {
            self.0.work.notify_one();
            return Ok(());
        }
        Err(Refusal::not_found("unknown_delivery", "no such delivery was given up"))
    }

    /// Ends when somebody wants a delivery tried at once.
    pub async fn more_to_deliver(&self) {
        self.0.work.notified().await;
    }

    /// The disk may be slow, and nobody else waits for it.
    pub(super) async fn with_outbox<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Outbox) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let outbox = Arc::clone(&self.0.outbox);
        let done = tokio::task::spawn_blocking(move || work(&*outbox)).await;
        done.map_err(|error| StoreError::Database(error.to_string()))?
    }
}

fn unusable(error: &StoreError) -> Refusal {
    tracing::warn!(%error, "the outbox cannot be used");
    Refusal::new(RefusalKind::Unavailable, "outbox_unavailable", "the outbox cannot be used now")
        .help("ask again; if it stays so, the operator looks at the gate's disk")
}

fn line(delivery: &Delivery) -> DeliveryLine {
    let message: Option<super::Message> = serde_json::from_slice(&delivery.message).ok();
    let (kind, exception) = message.map_or_else(Default::default, |message| (message.kind, message.exception));
    DeliveryLine {
        id: delivery.id.clone(),
        state: delivery.state.word().to_owned(),
        channel: delivery.channel.word().to_owned(),
        target: delivery.target.clone(),
        kind,
        exception,
        position: delivery.seq,
        at: delivery.at,
        attempts: delivery.attempts,
        due: (delivery.state == DeliveryState::Waiting).then_some(delivery.due),
        error: delivery.error.clone(),
    }
}
