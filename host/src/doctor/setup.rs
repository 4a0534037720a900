//! What the flags of a gate leave weak.

use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use policy_core::time::{Span, Timestamp};

use super::Found;
use crate::copies::Record;
use crate::notify::Notify;
use crate::tls::{Pair, TlsError};

/// From when on a certificate's end is told: 30 days before.
const SOON: Span = Span::from_seconds(30 * 86_400);
/// From how many questions a second on one subject can take all the gate's time.
const MANY: u32 = 1_000;

/// What a gate would be started with.
#[derive(Default)]
pub struct Setup {
    /// Whether agents may share the gate's user.
    pub single_user: bool,
    /// Where it listens.
    pub listen: Option<SocketAddr>,
    /// Where people and agents reach it.
    pub public_url: Option<String>,
    /// Whether a proxy is declared.
    pub behind_proxy: bool,
    /// Its certificate.
    pub pair: Option<Pair>,
    /// How many evaluations a subject may ask for each second.
    pub evaluations: u32,
    /// Where people are told.
    pub notify: Notify,
    /// Whether anything is erased by age.
    pub has_retention: bool,
    /// Where the record goes besides.
    pub record: Record,
    /// Its data folder.
    pub data: Option<PathBuf>,
}

/// Looks at them.
///
/// # Errors
/// What is wrong with a certificate that no gate would start with.
pub fn look_at_setup(setup: &Setup, now: Timestamp, found: &mut Found) -> Result<(), TlsError> {
    if setup.single_user {
        found.tell("single_user", "`--single-user` is given");
    }
    ways_in(setup, found);
    if let Some(pair) = &setup.pair {
        certificate(pair, now, found)?;
    }
    if setup.evaluations > MANY {
        found.tell("asks_without_bound", format!("`--evaluations` is {}", setup.evaluations));
    }
    if setup.notify.webhooks.is_empty() && setup.notify.email.is_none() {
        found.tell("nobody_is_told", "there is neither a webhook nor mail");
    }
    if !setup.has_retention {
        found.tell("kept_for_ever", "there is no file of retention");
    }
    receivers(setup, found);
    Ok(())
}

fn ways_in(setup: &Setup, found: &mut Found) {
    if let Some(url) = setup.public_url.as_deref().filter(|url| url.starts_with("http://") && !is_here(url)) {
        found.tell("plain_http", format!("people and agents reach the gate at `{url}`"));
    }
    if let Some(listen) = setup.listen.filter(|listen| setup.behind_proxy && listen.ip().is_unspecified()) {
        found.tell("proxy_can_be_gone_round", format!("it listens on `{listen}`"));
    }
}

/// Whether an address is this machine's own.
fn is_here(url: &str) -> bool {
    let host = reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

fn certificate(pair: &Pair, now: Timestamp, found: &mut Found) -> Result<(), TlsError> {
    // One that has ended is no weakness but an outage, and the pair's own refusal.
    let loaded = pair.read(now)?;
    if now.plus(SOON) >= loaded.not_after {
        found.tell("certificate_ends", format!("`{}` ends at {}", pair.certificate.display(), loaded.not_after));
    }
    if std::fs::metadata(&pair.key).is_ok_and(|facts| facts.mode() & 0o070 != 0) {
        found.tell("tls_key_open_to_group", format!("`{}` has rights for its group", pair.key.display()));
    }
    Ok(())
}

/// Where the record goes besides, and whether that is another place.
fn receivers(setup: &Setup, found: &mut Found) {
    let places = setup.record.places();
    if places.copies.is_empty() {
        found.tell("no_second_copy", "there is no `[[copy]]`");
    }
    if places.heads.is_empty() {
        found.tell("no_held_head", "there is no `[[head]]`");
    }
    let Some(device) = setup.data.as_deref().and_then(device_of) else { return };
    // One receiver elsewhere is enough.
    let beside = |places: &[Option<PathBuf>]| {
        let all = !places.is_empty()
            && places.iter().all(|place| place.as_deref().is_some_and(|path| device_of(path) == Some(device)));
        all.then(|| places.first().cloned().flatten()).flatten()
    };
    if let Some(path) = beside(&places.copies) {
        found.tell("copy_beside_data", format!("`{}` is on the same file system", path.display()));
    }
    if let Some(path) = beside(&places.heads) {
        found.tell("head_beside_data", format!("`{}` is on the same file system", path.display()));
    }
}

/// The file system that a path lies on, or would lie on.
fn device_of(path: &Path) -> Option<u64> {
    path.ancestors().find_map(|path| std::fs::metadata(path).ok()).map(|facts| facts.dev())
}
