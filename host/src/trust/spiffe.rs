//! SPIFFE IDs, as strictly as the specification has them: one spelling each, so that comparing texts compares ids.

/// The longest id, in bytes.
const LONGEST: usize = 2048;
/// The longest name of a trust domain.
const LONGEST_DOMAIN: usize = 255;

/// Whether this may be the name of a trust domain.
pub(super) fn is_trust_domain(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_');
    !name.is_empty() && name.len() <= LONGEST_DOMAIN && name.bytes().all(allowed)
}

/// The trust domain of a workload's SPIFFE ID in its canonical form. Absent: it is none.
///
/// Scheme and trust domain in capitals are allowed by the specification for readers, and refused here: whoever issues
/// writes the one form, and a second spelling of a name serves nobody but who wants to be taken for another.
pub(super) fn trust_domain(id: &str) -> Option<&str> {
    let rest = id.strip_prefix("spiffe://").filter(|_| id.len() <= LONGEST)?;
    let (domain, path) = rest.split_once('/')?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let segment = |text: &str| !matches!(text, "" | "." | "..") && text.bytes().all(allowed);
    (is_trust_domain(domain) && path.split('/').all(segment)).then_some(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        for (id, domain) in [
            ("spiffe://acme.example/agent/a", Some("acme.example")),
            ("spiffe://a_b-1.example/Ns/x.y/z_1", Some("a_b-1.example")),
            ("spiffe://acme.example", None),
            ("spiffe://acme.example/", None),
            ("spiffe://acme.example/a/", None),
            ("spiffe://acme.example/a//b", None),
            ("spiffe://acme.example/a/../b", None),
            ("spiffe://acme.example/./b", None),
            ("spiffe://acme.example/a%2fb", None),
            ("spiffe://acme.example/a?b", None),
            ("spiffe://acme.example/a#b", None),
            ("spiffe://acme.example:443/a", None),
            ("spiffe://user@acme.example/a", None),
            ("spiffe://ACME.example/a", None),
            ("SPIFFE://acme.example/a", None),
            ("spiffe:///a", None),
            ("https://acme.example/a", None),
            ("spiffe://acme.example/ä", None),
        ] {
            assert_eq!(trust_domain(id), domain, "{id}");
        }
        assert_eq!(trust_domain(&format!("spiffe://a.example/{}", "x".repeat(2048))), None);
    }
}
