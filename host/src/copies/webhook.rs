//! Heads by webhook: a CloudEvent for each head that is sent, signed as Standard Webhooks says.

use futures::future::BoxFuture;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;

use super::address::Address;
use super::heads::Keeper;
use super::sink::SinkError;
use crate::app::App;
use crate::notify::{Secret, signatures};
use crate::store::{Head, Log};

/// A receiver.
pub(super) struct Webhook {
    address: Address,
    secrets: Vec<Secret>,
}

impl Webhook {
    pub(super) const fn new(address: Address, secrets: Vec<Secret>) -> Self {
        Self { address, secrets }
    }
}

impl Keeper for Webhook {
    /// Nobody can ask a webhook what it holds. It gets the newest head again after each start.
    fn look<'a>(&'a mut self, _: &'a App, _: Log) -> BoxFuture<'a, Result<u64, SinkError>> {
        Box::pin(async { Ok(0) })
    }

    fn take<'a>(&'a mut self, app: &'a App, head: &'a Head) -> BoxFuture<'a, Result<(), SinkError>> {
        Box::pin(async move {
            let now = app.delivery_time();
            let id = format!("head-{}-{}", head.log.name().replace('/', "-"), head.size);
            let body = json!({
                "specversion": "1.0",
                "id": id,
                "source": app.settings().public_url,
                "type": "dev.proviso.record.head",
                "time": now,
                "datacontenttype": "application/json",
                "data": {"log": head.log.name(), "size": head.size, "note": head.note},
            });
            let body = body.to_string().into_bytes();
            let seconds = now.millis().div_euclid(1000);
            let request = self
                .address
                .post("")
                .header(CONTENT_TYPE, "application/cloudevents+json")
                .header("webhook-id", &id)
                .header("webhook-timestamp", seconds.to_string())
                .header("webhook-signature", signatures(&self.secrets, &id, seconds, &body))
                .body(body);
            self.address.send(request).await.and_then(|answer| answer.good()).map(drop)
        })
    }
}
