//! Where a webhook may go: the open network, and what the operator allowed besides.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;

/// Which addresses a receiver may have.
#[derive(Debug, Clone)]
pub struct Guard {
    /// Private networks that the operator allowed for this receiver.
    allow: Vec<IpNet>,
    /// Without TLS nothing goes beyond the allowed networks.
    plain: bool,
}

/// An address that a receiver may not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the receiver's name leads to a private address, which is not allowed for it")]
pub struct PrivateAddress;

impl Guard {
    /// The open network and these networks; with `plain` these networks alone.
    pub const fn new(allow: Vec<IpNet>, plain: bool) -> Self {
        Self { allow, plain }
    }

    /// Whether a connection to this address may be made.
    pub fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allow.iter().any(|net| net.contains(&address)) || (!self.plain && is_public(address))
    }
}

/// INVARIANT: the connection is made to the very addresses that were looked at here, so a name that answers differently
/// the second time (DNS rebinding) gains nothing. One address that is not permitted refuses all.
impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if found.iter().all(|address| guard.permits(address.ip())) {
                Ok(Box::new(found.into_iter()) as Addrs)
            } else {
                Err(PrivateAddress.into())
            }
        })
    }
}

/// Whether an address is one of the open network: none that loops back, is private, local to a link, shared, reserved,
/// for documentation, for many at once, or that leads to such a one through a translation.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = matches!(
        (a, b, c),
        (0 | 10 | 127, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            | (224..=255, _, _)
    );
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // Only 2000::/3 is given out; of that not 2001::/23 (protocols, Teredo), documentation, and 6to4, which leads anywhere.
    let given_out = (a & 0xe000) == 0x2000;
    let special = (a == 0x2001 && (b < 0x0200 || b == 0x0db8)) || a == 0x2002 || (a == 0x3fff && b < 0x1000);
    given_out && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_open_network_is_public() {
        for address in ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001::64", "172.32.0.1"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "::7f00:1",
        ] {
            let guard = Guard::new(Vec::new(), false);
            assert!(!guard.permits(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn what_is_allowed_is_allowed_for_that_network_alone() {
        let guard = Guard::new(vec!["127.0.0.1/32".parse().unwrap(), "fd00::/8".parse().unwrap()], false);
        for (address, permitted) in [
            ("127.0.0.1", true),
            ("::ffff:127.0.0.1", true),
            ("127.0.0.2", false),
            ("fd12::1", true),
            ("fc12::1", false),
            ("1.1.1.1", true),
        ] {
            assert_eq!(guard.permits(address.parse().unwrap()), permitted, "{address}");
        }
        let plain = Guard::new(vec!["127.0.0.1/32".parse().unwrap()], true);
        assert!(!plain.permits("1.1.1.1".parse().unwrap()), "nothing without TLS beyond what is allowed");
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused_where_the_connection_is_made() {
        let name = || "localhost".parse::<Name>().unwrap();
        assert!(Guard::new(Vec::new(), false).resolve(name()).await.is_err());
        let allowed = Guard::new(vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()], false);
        assert!(allowed.resolve(name()).await.is_ok());
    }
}
