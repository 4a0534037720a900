//! How the gate's own certificate stands, for `/metrics`.

use policy_core::time::Span;

use super::openmetrics::Exposition;
use super::site::Site;
use crate::tls::Keeper;

/// When it is time to look why nobody has renewed it: 7 days.
const SOON: Span = Span::from_seconds(7 * 86_400);

/// When it ends, and whether something is wrong with it. A gate without one has no trouble with it.
pub(super) fn certificate(text: &mut Exposition, site: &Site) {
    let standing = site.tls().map(Keeper::standing);
    text.family("proviso_tls_not_after_seconds", "gauge", "When the gate's own certificate ends, in Unix time.");
    if let Some(standing) = &standing {
        text.sample("", &[], standing.not_after.millis() / 1000);
    }
    let now = site.app().now();
    let is_ending = standing.as_ref().is_some_and(|standing| now.plus(SOON) >= standing.not_after);
    let is_failing = standing.as_ref().is_some_and(|standing| standing.fault.is_some());
    text.family("proviso_tls_trouble", "gauge", "Newer files of the certificate are not served, or it ends in a week.");
    text.sample("", &[("of", "reload")], u8::from(is_failing));
    text.sample("", &[("of", "ending")], u8::from(is_ending));
}
