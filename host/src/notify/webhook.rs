//! Webhooks: a CloudEvent in structured mode, signed as Standard Webhooks says.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use policy_core::time::Timestamp;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use super::address::{Guard, PrivateAddress};
use super::backoff::Failed;
use super::config::Webhook;
use super::signature::signatures;
use crate::app::Message;
use crate::store::Delivery;

/// How long a receiver may take, from the name's look-up to the answer's head.
const PATIENCE: Duration = Duration::from_secs(15);
/// What every type begins with.
const PREFIX: &str = "dev.proviso.";

/// A receiver with its client.
pub(super) struct Receiver {
    webhook: Webhook,
    guard: Guard,
    client: Client,
}

impl Receiver {
    /// A client that goes nowhere but to this receiver: no redirects, no proxy of the environment, no connection that was
    /// made for an earlier message.
    pub(super) fn new(webhook: &Webhook) -> Result<Self, reqwest::Error> {
        let guard = webhook.guard();
        let client = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .dns_resolver(Arc::new(guard.clone()))
            .pool_max_idle_per_host(0)
            .timeout(PATIENCE)
            .user_agent(concat!("proviso/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { webhook: webhook.clone(), guard, client })
    }

    /// Sends a delivery once, as an event of this gate's (`source`) that has this id.
    pub(super) async fn send(
        &self,
        (source, id): (&str, &str),
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<(), Failed> {
        // A name is looked at where it is resolved; an address in the URL is resolved by nobody.
        if self.webhook.address().is_some_and(|address| !self.guard.permits(address)) {
            return Err(Failed::of(PrivateAddress.to_string()));
        }
        let message: Message =
            serde_json::from_slice(&delivery.message).map_err(|_| Failed::for_good("the message cannot be read"))?;
        let body = event((source, id), &message).to_string().into_bytes();
        let seconds = now.millis().div_euclid(1000);
        let request = self
            .client
            .post(self.webhook.url.clone())
            .header(CONTENT_TYPE, "application/cloudevents+json")
            .header("webhook-id", &delivery.id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", signatures(&self.webhook.secrets, &delivery.id, seconds, &body))
            .body(body);
        let response = request.send().await.map_err(|error| Failed::of(reason(&error)))?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let error = if status.is_redirection() {
            format!("the receiver answered {}: redirects are not followed", status.as_u16())
        } else {
            format!("the receiver answered {}", status.as_u16())
        };
        Err(Failed { error, for_good: status == StatusCode::GONE, retry_after })
    }
}

/// The CloudEvent. INVARIANT (R11): a link and what policy's author wrote, and no word of anybody else.
fn event((source, id): (&str, &str), message: &Message) -> Value {
    let mut data = json!({"link": message.link});
    if let Value::Object(members) = &mut data {
        let optional = [
            ("exception", message.exception.as_ref().map(|id| json!(id))),
            ("tier", message.tier.as_ref().map(|tier| json!(tier))),
            ("decide_by", message.decide_by.map(|until| json!(until))),
            ("groups", (!message.groups.is_empty()).then(|| json!(message.groups))),
            ("epoch", message.epoch.map(|epoch| json!(epoch))),
            ("unconfirmed", message.unconfirmed.map(|count| json!(count))),
        ];
        members.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    }
    let mut event = json!({
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": format!("{PREFIX}{}", message.kind),
        "time": message.at,
        "datacontenttype": "application/json",
        "data": data,
    });
    if let (Value::Object(members), Some(exception)) = (&mut event, &message.exception) {
        members.insert("subject".to_owned(), json!(exception));
    }
    event
}

/// Why there was no answer, without the address: its path may be a secret of its own.
fn reason(error: &reqwest::Error) -> String {
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.is::<PrivateAddress>() {
            return PrivateAddress.to_string();
        }
        source = cause.source();
    }
    if error.is_timeout() {
        "the receiver did not answer in time".to_owned()
    } else if error.is_connect() {
        "there is no connection to the receiver".to_owned()
    } else {
        "the receiver broke off".to_owned()
    }
}
