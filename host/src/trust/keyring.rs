//! An issuer's keys as they were last seen, and when they are looked at again.
//!
//! They are looked at when a token needs them: again after `refresh`, so that a key that was taken away is believed no
//! longer than that; and at once for a key that is not known, but never more often than each half minute, whatever comes.
//! Where the issuer cannot be reached, what was seen last holds until it is `keep` old, and then nothing does (R8).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use policy_core::sabotaged;
use policy_core::time::Span;

use super::certificate::Authority;
use super::fault::TokenFault;
use super::jwk::{KeySet, Use};
use super::signature::{Algorithm, PublicKey};
use super::source::Source;

/// The shortest time between two looks, in milliseconds.
const PAUSE: u64 = 30_000;
/// A trust bundle may ask to be looked at so often, and not more.
const SHORTEST_HINT: u64 = 10_000;

/// An issuer's keys.
#[derive(Debug)]
pub(super) struct Keyring {
    /// Whose they are, for the log.
    issuer: String,
    source: Source,
    wanted: Use,
    /// In milliseconds.
    refresh: u64,
    /// In milliseconds.
    keep: u64,
    kept: Mutex<Kept>,
    /// One look at a time.
    looking: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The keys, and when they were seen.
    keys: Option<(Arc<KeySet>, u64)>,
    /// When it was last tried to see them.
    tried: Option<u64>,
}

impl Keyring {
    pub fn new(issuer: String, source: Source, wanted: Use, refresh: Span, keep: Span) -> Self {
        let millis = |span: Span| span.seconds().saturating_mul(1_000);
        let (refresh, keep) = (millis(refresh), millis(keep));
        Self { issuer, source, wanted, refresh, keep, kept: Mutex::default(), looking: Arc::default() }
    }

    /// The key of this id for this algorithm.
    ///
    /// # Errors
    /// `Key` for one that the issuer does not have; `KeysUnavailable`.
    pub async fn find(self: &Arc<Self>, id: &str, algorithm: Algorithm, boot: u64) -> Result<PublicKey, TokenFault> {
        if self.is_due(boot) {
            self.look(boot).await;
        }
        if let Some(key) = self.usable(boot)?.find(id, algorithm) {
            return Ok(key.clone());
        }
        // INVARIANT (R8): whoever makes up key ids makes the gate ask the issuer once in so long, and no more.
        self.look(boot).await;
        self.usable(boot)?.find(id, algorithm).cloned().ok_or(TokenFault::Key)
    }

    /// The authorities that sign certificates. `again`: none of those that are kept signed what was shown, so they are
    /// looked at now, unless somebody did a moment ago.
    ///
    /// # Errors
    /// `KeysUnavailable`.
    pub async fn authorities(self: &Arc<Self>, again: bool, boot: u64) -> Result<Arc<[Authority]>, TokenFault> {
        if again || self.is_due(boot) {
            self.look(boot).await;
        }
        Ok(self.usable(boot)?.authorities())
    }

    /// What may still be believed.
    fn usable(&self, boot: u64) -> Result<Arc<KeySet>, TokenFault> {
        let kept = self.kept();
        let young = |seen: u64| boot.saturating_sub(seen) < self.keep || sabotaged!("r8_old_keys_believed");
        let keys = kept.keys.as_ref().filter(|(_, seen)| young(*seen));
        keys.map(|(keys, _)| Arc::clone(keys)).ok_or(TokenFault::KeysUnavailable)
    }

    fn is_due(&self, boot: u64) -> bool {
        let kept = self.kept();
        let Some((keys, seen)) = &kept.keys else { return true };
        let hint = keys.refresh_hint.map(|hint| hint.seconds().saturating_mul(1_000).max(SHORTEST_HINT));
        boot.saturating_sub(*seen) >= hint.map_or(self.refresh, |hint| hint.min(self.refresh))
    }

    /// Looks at the source, unless somebody did a moment ago. Whoever comes meanwhile waits for what is found.
    async fn look(self: &Arc<Self>, boot: u64) {
        let recently = |tried: u64| boot.saturating_sub(tried) < PAUSE;
        if self.looking.try_lock().is_ok() && self.kept().tried.is_some_and(recently) {
            return;
        }
        let looking = Arc::clone(&self.looking).lock_owned().await;
        {
            let mut kept = self.kept();
            if kept.tried.is_some_and(recently) {
                return;
            }
            kept.tried = Some(boot);
        }
        // INVARIANT (R8): a look that has begun is one of the gate's, and ends where whoever asked for it hangs up: else they
        // would keep everybody from the keys for as long as nobody looks again.
        let keyring = Arc::clone(self);
        let look = tokio::spawn(async move {
            let _looking = looking;
            match keyring.source.read(keyring.wanted).await {
                Ok(keys) => keyring.kept().keys = Some((Arc::new(keys), boot)),
                Err(why) => tracing::warn!(issuer = keyring.issuer, why, "the issuer's keys could not be looked at"),
            }
        });
        if let Err(error) = look.await {
            tracing::error!(issuer = self.issuer, %error, "a look at the issuer's keys was broken off");
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
