//! What an address brings that signs somebody in.

use proviso_api::sign_in::FinishSignIn;

/// What a page was opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// Nothing that signs in.
    Nothing,
    /// A one-time link's secret.
    Link(String),
    /// What a provider sent the browser back with.
    Provider(FinishSignIn),
}

impl Arrival {
    /// Whether an address is one that signs in.
    pub fn is_sign_in(path: &str) -> bool {
        path == "/sign-in" || callback(path).is_some()
    }

    /// What stands in an address: its path, what is behind `#`, and the members of its query.
    pub fn at(path: &str, hash: &str, member: impl Fn(&str) -> Option<String>) -> Self {
        if let Some(provider) = callback(path) {
            let state = member("state").unwrap_or_default();
            let (code, iss, error) = (member("code"), member("iss"), member("error"));
            return Self::Provider(FinishSignIn { provider: provider.to_owned(), state, code, iss, error });
        }
        match hash.strip_prefix('#') {
            Some(secret) if path == "/sign-in" && !secret.is_empty() => Self::Link(secret.to_owned()),
            _ => Self::Nothing,
        }
    }
}

/// The provider at whose address a browser arrives.
fn callback(path: &str) -> Option<&str> {
    let provider = path.strip_prefix("/sign-in/")?.strip_suffix("/callback")?;
    (!provider.is_empty() && !provider.contains('/')).then_some(provider)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_signs_in_by_a_link_or_a_provider_or_not_at_all() {
        let brought = |name: &str| match name {
            "state" => Some("s".to_owned()),
            "code" => Some("c".to_owned()),
            _ => None,
        };
        let at = |path: &str, hash: &str| Arrival::at(path, hash, brought);
        assert_eq!(at("/sign-in", "#pvl_x"), Arrival::Link("pvl_x".to_owned()));
        let Arrival::Provider(answer) = at("/sign-in/acme/callback", "#pvl_x") else { panic!("no provider") };
        assert_eq!((answer.provider.as_str(), answer.state.as_str()), ("acme", "s"));
        assert_eq!((answer.code.as_deref(), answer.iss, answer.error), (Some("c"), None, None));
        for (path, hash) in [
            ("/", "#pvl_x"),
            ("/sign-in", ""),
            ("/sign-in", "#"),
            ("/sign-in/callback", ""),
            ("/sign-in/a/b/callback", ""),
        ] {
            assert_eq!(at(path, hash), Arrival::Nothing, "{path} {hash}");
        }
        assert!(Arrival::is_sign_in("/sign-in") && Arrival::is_sign_in("/sign-in/acme/callback"));
        assert!(!Arrival::is_sign_in("/exceptions/sign-in"));
    }
}
