//! Which names and pages a request may come by: a page that made its name point here says so in `Host` and `Origin`.

use axum::http::{HeaderMap, header};
use reqwest::Url;

use crate::mcp::options::is_loopback;

/// The names of the proxy, and the origins whose pages may call it.
#[derive(Debug, Clone)]
pub struct Doors {
    hosts: Vec<String>,
    origins: Vec<String>,
}

/// Why a request does not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// Under a name that is not the proxy's.
    Host,
    /// From another site's page.
    Origin,
}

impl Doors {
    /// For a proxy that is reached at this URL.
    ///
    /// # Errors
    /// The text that is no origin.
    pub fn new(resource: &Url, others: &[String]) -> Result<Self, String> {
        let authority = |host: &str| match resource.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let own = resource.host_str().unwrap_or_default();
        let mut hosts = vec![authority(own)];
        if is_loopback(own) {
            // This machine under its other names.
            hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(authority));
        }
        let mut origins: Vec<String> = hosts.iter().map(|host| format!("{}://{host}", resource.scheme())).collect();
        for text in others {
            let url: Url = text.parse().map_err(|_| text.clone())?;
            let plain = url.origin().ascii_serialization();
            if !url.origin().is_tuple() || plain != text.trim_end_matches('/') {
                return Err(text.clone());
            }
            origins.push(plain);
        }
        Ok(Self { hosts, origins })
    }

    /// Whether a request comes by a name of ours, and from no page that is not let in.
    ///
    /// # Errors
    /// Why not.
    pub fn hold(&self, headers: &HeaderMap) -> Result<(), Closed> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok()).filter(|_| hosts.next().is_none());
        if !host.is_some_and(|host| self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host))) {
            return Err(Closed::Host);
        }
        let known = |origin: &str| self.origins.iter().any(|known| known.eq_ignore_ascii_case(origin));
        if headers.get_all(header::ORIGIN).iter().all(|origin| origin.to_str().is_ok_and(known)) {
            Ok(())
        } else {
            Err(Closed::Origin)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_name_or_page_stays_outside() {
        let doors = |url: &str| Doors::new(&url.parse().expect("a URL"), &["https://page.example".to_owned()]);
        let (here, there) = (doors("http://127.0.0.1:8740/mcp"), doors("https://mcp.example/mcp"));
        let (here, there) = (here.expect("doors"), there.expect("doors"));
        for (doors, host, origin, answer) in [
            (&here, "127.0.0.1:8740", None, Ok(())),
            (&here, "localhost:8740", Some("http://localhost:8740"), Ok(())),
            (&here, "127.0.0.1:8740", Some("https://page.example"), Ok(())),
            (&here, "127.0.0.1:8740", Some("https://evil.example"), Err(Closed::Origin)),
            (&here, "127.0.0.1:8740", Some("null"), Err(Closed::Origin)),
            (&here, "127.0.0.1:8740", Some("http://localhost:9999"), Err(Closed::Origin)),
            (&here, "evil.example:8740", None, Err(Closed::Host)),
            (&here, "127.0.0.1", None, Err(Closed::Host)),
            (&there, "mcp.example", Some("https://mcp.example"), Ok(())),
            (&there, "mcp.example", Some("http://mcp.example"), Err(Closed::Origin)),
            (&there, "localhost", None, Err(Closed::Host)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().expect("a value"));
            origin.map(|origin| headers.insert(header::ORIGIN, origin.parse().expect("a value")));
            assert_eq!(doors.hold(&headers), answer, "{host} {origin:?}");
        }
        assert_eq!(here.hold(&HeaderMap::new()), Err(Closed::Host));
        let mut twice = HeaderMap::new();
        twice.append(header::HOST, "127.0.0.1:8740".parse().expect("a value"));
        twice.append(header::HOST, "evil.example".parse().expect("a value"));
        assert_eq!(here.hold(&twice), Err(Closed::Host));
    }
}
