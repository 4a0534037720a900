//! The two loops: one tells what is due, one sends what is told. Both end with the gate; what was not sent then is sent
//! after the next start.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use policy_core::time::{Span, Timestamp};
use tokio::sync::broadcast::Receiver as Changes;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::watch;
use tokio::task::{Id, JoinHandle, JoinSet};

use super::backoff::{Failed, outcome};
use super::config::Notify;
use super::mail::Postbox;
use super::webhook::Receiver;
use crate::app::App;
use crate::random::Random;
use crate::store::{Attempt, Channel, Delivery};

/// How often the gate's clock is compared with what is due next.
const TICK: Duration = Duration::from_millis(500);
/// How long after a look the next one begins at the earliest, however much happens.
const PAUSE: Duration = Duration::from_millis(50);
/// How often what is over is forgotten, in ticks.
const FORGET: u32 = 7_200;

/// Starts telling and sending. The handle ends when `stopping` turns true.
///
/// # Errors
/// When no client can be made, such as for TLS.
pub fn start(
    app: App,
    notify: &Notify,
    random: Arc<dyn Random>,
    stopping: watch::Receiver<bool>,
) -> Result<JoinHandle<()>, String> {
    let mut receivers = BTreeMap::new();
    for webhook in &notify.webhooks {
        let receiver = Receiver::new(webhook).map_err(|error| error.without_url().to_string())?;
        receivers.insert(webhook.name.clone(), receiver);
    }
    let postbox = notify.email.as_ref().map(Postbox::new).transpose().map_err(|error| error.to_string())?;
    let source = app.settings().public_url.clone();
    let courier = Arc::new(Courier { app, receivers, postbox, source, random });
    let telling = tell(courier.app.clone(), stopping.clone());
    Ok(tokio::spawn(async move {
        tokio::join!(telling, deliver(courier, stopping));
    }))
}

/// Waits for news, for the next look at the clock, or for the end. Whether something is new; absent: it is the end.
async fn news(
    changes: &mut Changes<proviso_api::operations::Change>,
    stopping: &mut watch::Receiver<bool>,
) -> Option<bool> {
    let changed = tokio::select! {
        change = changes.recv() => match change {
            Ok(_) | Err(RecvError::Lagged(_)) => true,
            Err(RecvError::Closed) => return None,
        },
        () = tokio::time::sleep(TICK) => false,
        // A sender that is gone stops the gate as well.
        _ = stopping.wait_for(|stop| *stop) => return None,
    };
    if changed {
        tokio::time::sleep(PAUSE).await;
        // One look sees all of it.
        while !matches!(changes.try_recv(), Err(TryRecvError::Empty | TryRecvError::Closed)) {}
    }
    Some(changed)
}

async fn tell(app: App, mut stopping: watch::Receiver<bool>) {
    let mut changes = app.subscribe();
    let mut next = app.tell_due().await;
    while let Some(changed) = news(&mut changes, &mut stopping).await {
        if changed || next.is_some_and(|next| next <= app.delivery_time()) {
            next = app.tell_due().await;
        }
    }
}

/// What is sent one after the other: a receiver that hangs holds up its own lane.
type Lane = (Channel, String);

fn lane(delivery: &Delivery) -> Lane {
    match delivery.channel {
        Channel::Webhook => (Channel::Webhook, delivery.target.clone()),
        Channel::Email => (Channel::Email, String::new()),
    }
}

async fn deliver(courier: Arc<Courier>, mut stopping: watch::Receiver<bool>) {
    let app = &courier.app;
    let mut changes = app.subscribe();
    let mut lanes: JoinSet<()> = JoinSet::new();
    let mut busy: BTreeMap<Id, Lane> = BTreeMap::new();
    let mut ticks = 0u32;
    let mut next = Some(app.delivery_time());
    loop {
        if next.is_some_and(|next| next <= app.delivery_time()) {
            next = courier.begin(&mut lanes, &mut busy).await;
        }
        let more = tokio::select! {
            news = news(&mut changes, &mut stopping) => match news {
                None => break,
                Some(changed) => changed,
            },
            Some(done) = lanes.join_next_with_id() => {
                let id = match &done {
                    Ok((id, ())) => *id,
                    Err(error) => error.id(),
                };
                busy.remove(&id);
                true
            }
            () = app.more_to_deliver() => true,
        };
        if more {
            next = Some(app.delivery_time());
        }
        ticks = ticks.wrapping_add(1);
        if ticks.is_multiple_of(FORGET)
            && let Err(error) = app.forget_deliveries().await
        {
            tracing::warn!(%error, "what was delivered long ago could not be forgotten");
        }
    }
    // What is under way is called off: its row still waits, and is sent after the next start under the same id.
    lanes.shutdown().await;
}

/// Whoever brings what is in the outbox to where the configuration says.
struct Courier {
    app: App,
    receivers: BTreeMap<String, Receiver>,
    postbox: Option<Postbox>,
    source: String,
    random: Arc<dyn Random>,
}

impl Courier {
    /// Begins what is due and whose lane is free. Answers when something is due next.
    async fn begin(self: &Arc<Self>, lanes: &mut JoinSet<()>, busy: &mut BTreeMap<Id, Lane>) -> Option<Timestamp> {
        let now = self.app.delivery_time();
        let (due, next) = match self.app.deliveries_due().await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "the outbox cannot be read");
                return Some(self.app.delivery_time());
            }
        };
        let mut taken: BTreeSet<Lane> = busy.values().cloned().collect();
        for delivery in due {
            let lane = lane(&delivery);
            if taken.insert(lane.clone()) {
                let courier = Arc::clone(self);
                let id = lanes.spawn(async move { courier.attempt(delivery).await }).id();
                busy.insert(id, lane);
            }
        }
        // What is under way hides what is due after it: whoever is not under way must not wait for that.
        next.map(|next| next.max(now.plus(Span::from_seconds(1))))
    }

    /// Tries one delivery once, and writes down what became of it.
    async fn attempt(&self, delivery: Delivery) {
        let now = self.app.delivery_time();
        let sent = self.send(&delivery, now).await;
        let outcome = outcome(sent, delivery.attempts, self.app.delivery_time(), &*self.random);
        let (id, target) = (delivery.id, delivery.target);
        match &outcome {
            Attempt::Delivered => tracing::info!(id, target, "delivered"),
            Attempt::Again { due, error } => tracing::warn!(id, target, error, %due, "not delivered; tried again"),
            Attempt::Dead { error } => tracing::error!(id, target, error, "not delivered; given up"),
        }
        if let Err(error) = self.app.attempted(id.clone(), outcome).await {
            tracing::warn!(id, %error, "what became of a delivery could not be written down; it is sent again");
            // Not at once: a disk that is full would have it sent without end.
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    }

    async fn send(&self, delivery: &Delivery, now: Timestamp) -> Result<(), Failed> {
        match delivery.channel {
            Channel::Webhook => match self.receivers.get(&delivery.target) {
                Some(receiver) => {
                    let id = event_id(self.app.epoch_of(delivery.seq), delivery.seq);
                    receiver.send((&self.source, &id), delivery, now).await
                }
                None => Err(Failed::for_good("no receiver of that name is configured")),
            },
            Channel::Email => match &self.postbox {
                Some(postbox) => postbox.send(delivery, now).await,
                None => Err(Failed::for_good("no mail server is configured")),
            },
        }
    }
}

/// The id of what a record of the ledger tells: after a restore other records come to the same positions.
fn event_id(epoch: u64, seq: u64) -> String {
    if epoch <= 1 { format!("ledger-{seq}") } else { format!("epoch-{epoch}-ledger-{seq}") }
}
