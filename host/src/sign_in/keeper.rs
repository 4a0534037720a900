//! Keeps what a provider says of itself, with its keys, and asks again when it is old or a key is missing.

use std::sync::Arc;

use openidconnect::IssuerUrl;
use policy_core::time::{Span, Timestamp};
use tokio::sync::Mutex;

use super::http::Http;
use super::metadata::Metadata;

/// How long it is believed.
const LASTS: Span = Span::from_seconds(3_600);
/// How soon it is asked again for a key that is not there: a flood of forged tokens asks no oftener.
const AGAIN: Span = Span::from_seconds(10);

/// One provider's metadata.
pub(super) struct Keeper {
    issuer: IssuerUrl,
    held: Mutex<Option<(Arc<Metadata>, Timestamp)>>,
}

impl Keeper {
    pub(super) fn new(issuer: IssuerUrl) -> Self {
        Self { issuer, held: Mutex::default() }
    }

    /// The metadata, asked for where it is not there or old. Whoever comes meanwhile waits for the same answer.
    pub(super) async fn metadata(&self, http: &Http, now: Timestamp) -> Option<Arc<Metadata>> {
        let mut held = self.held.lock().await;
        // A clock that was set back makes nothing last longer.
        match &*held {
            Some((metadata, at)) if *at <= now && now < at.plus(LASTS) => Some(Arc::clone(metadata)),
            _ => self.ask(&mut held, http, now).await,
        }
    }

    /// The metadata anew, after a signature by a key that is not among those that are held: keys rotate. Nothing where they
    /// were asked for just now.
    pub(super) async fn rotated(&self, http: &Http, now: Timestamp) -> Option<Arc<Metadata>> {
        let mut held = self.held.lock().await;
        let recent = held.as_ref().is_some_and(|(_, at)| *at <= now && now < at.plus(AGAIN));
        if recent { None } else { self.ask(&mut held, http, now).await }
    }

    async fn ask(
        &self,
        held: &mut Option<(Arc<Metadata>, Timestamp)>,
        http: &Http,
        now: Timestamp,
    ) -> Option<Arc<Metadata>> {
        match Metadata::discover_async(self.issuer.clone(), http).await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *held = Some((Arc::clone(&metadata), now));
                Some(metadata)
            }
            Err(error) => {
                tracing::warn!(issuer = %self.issuer.as_str(), error = %error, "a provider's metadata cannot be read");
                None
            }
        }
    }
}
