//! Keeps what a provider says of itself, with its keys, and asks again when it is old or a key is missing.

use std::sync::Arc;

use openidconnect::IssuerUrl;
use policy_core::time::{Span, Timestamp};
use tokio::sync::Mutex;

use super::http::Http;
use super::metadata::Metadata;

/// How long it is believed.
const LASTS: Span = Span::from_seconds(3_600);
/// How soon it is asked again, for a key that is not there or where it did not answer: a flood of forged tokens asks no
/// oftener.
const AGAIN: Span = Span::from_seconds(10);

/// One provider's metadata.
pub(super) struct Keeper {
    issuer: IssuerUrl,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// What it said, and when.
    metadata: Option<(Arc<Metadata>, Timestamp)>,
    /// When it last said nothing.
    failed_at: Option<Timestamp>,
}

/// Whether that was just now. A clock that was set back makes nothing last longer.
fn is_within(span: Span, at: Timestamp, now: Timestamp) -> bool {
    at <= now && now < at.plus(span)
}

impl Keeper {
    pub(super) fn new(issuer: IssuerUrl) -> Self {
        Self { issuer, held: Mutex::default() }
    }

    /// The metadata, asked for where it is not there or old. Whoever comes meanwhile waits for the same answer.
    pub(super) async fn metadata(&self, http: &Http, now: Timestamp) -> Option<Arc<Metadata>> {
        let mut held = self.held.lock().await;
        match &held.metadata {
            Some((metadata, at)) if is_within(LASTS, *at, now) => Some(Arc::clone(metadata)),
            _ => self.ask(&mut held, http, now).await,
        }
    }

    /// The metadata anew, after a signature by a key that is not among those that are held: keys rotate. Nothing where they
    /// were asked for just now.
    pub(super) async fn rotated(&self, http: &Http, now: Timestamp) -> Option<Arc<Metadata>> {
        let mut held = self.held.lock().await;
        let recent = held.metadata.as_ref().is_some_and(|(_, at)| is_within(AGAIN, *at, now));
        if recent { None } else { self.ask(&mut held, http, now).await }
    }

    async fn ask(&self, held: &mut Held, http: &Http, now: Timestamp) -> Option<Arc<Metadata>> {
        // INVARIANT (R8): a provider that is down is not waited for by one after the other.
        if held.failed_at.is_some_and(|at| is_within(AGAIN, at, now)) {
            return None;
        }
        match Metadata::discover_async(self.issuer.clone(), http).await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *held = Held { metadata: Some((Arc::clone(&metadata), now)), failed_at: None };
                Some(metadata)
            }
            Err(error) => {
                held.failed_at = Some(now);
                tracing::warn!(issuer = %self.issuer.as_str(), error = %error, "a provider's metadata cannot be read");
                None
            }
        }
    }
}
