//! People who sign in by an identity provider: OpenID Connect 1.0, the code flow with PKCE, and nothing else of it.
//!
//! What the file of `serve --sign-in` says, where a provider is reached, and whether what it answers holds. Who a person is,
//! what a session is and what a sign-in under way is bound to stands in `app::sign_in`; no status code and no cookie here.

mod config;
mod http;
mod keeper;
mod logout;
mod metadata;
mod provider;
mod verify;

pub use config::{SignInFile, SignInFileError};
