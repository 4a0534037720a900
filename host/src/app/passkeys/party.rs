//! For which name this gate's passkeys are, and which page may ask for them.

use crate::app::App;

/// Name and page. Taken from the address that the operator gave, and from nothing that a request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Party {
    /// The name: the host of the address.
    pub rp_id: String,
    /// The page's origin, as browsers write it.
    pub origin: String,
}

impl Party {
    /// Of a gate at this address: scheme, host and port. Browsers make passkeys for names, and for pages that came over
    /// TLS or from this very machine.
    pub fn of(public_url: &str) -> Option<Self> {
        let url = public_url.to_ascii_lowercase();
        let (scheme, place) = url.split_once("://")?;
        let (host, port) = place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port)));
        let is_local = host == "localhost" || host.ends_with(".localhost");
        let named = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
        // An address of four numbers is no name.
        let last = host.rsplit('.').next().unwrap_or_default();
        let is_number = last.is_empty() || last.bytes().all(|byte| byte.is_ascii_digit());
        let usual = match scheme {
            "https" => "443",
            "http" if is_local => "80",
            _ => return None,
        };
        let port = port.filter(|port| *port != usual).map(|port| format!(":{port}")).unwrap_or_default();
        let party = Self { rp_id: host.to_owned(), origin: format!("{scheme}://{host}{port}") };
        (named && !is_number).then_some(party)
    }
}

impl App {
    /// For which name, where there is one.
    pub(super) fn party(&self) -> Option<Party> {
        Party::of(&self.settings().public_url)
    }

    /// Whether people can have passkeys here.
    pub(in crate::app) fn takes_passkeys(&self) -> bool {
        self.party().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_are_for_names_over_tls_and_for_this_machine() {
        let party = |url| Party::of(url).map(|party| (party.rp_id, party.origin));
        let some = |id: &str, origin: &str| Some((id.to_owned(), origin.to_owned()));
        assert_eq!(party("https://Gate.Example"), some("gate.example", "https://gate.example"));
        assert_eq!(party("https://gate.example:443"), some("gate.example", "https://gate.example"));
        assert_eq!(party("https://gate.example:8443"), some("gate.example", "https://gate.example:8443"));
        assert_eq!(party("http://gate.localhost:80"), some("gate.localhost", "http://gate.localhost"));
        assert_eq!(party("http://localhost:7777"), some("localhost", "http://localhost:7777"));
        for none in [
            "http://gate.example",
            "http://127.0.0.1:7777",
            "https://127.0.0.1",
            "https://[::1]:7777",
            "https://gate.example.",
            "https://",
            "gate.example",
        ] {
            assert_eq!(party(none), None, "{none}");
        }
    }
}
