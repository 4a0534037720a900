//! How people sign in by a provider.

use super::{Operation, Who, get, post};

/// All of it.
pub(super) const OPERATIONS: &[Operation] = &[
    get("/api/v1/sign-in", "sign_in_ways", Who::Anybody, "SignInWays", "By which providers people sign in"),
    post(
        "/api/v1/sign-in/begin",
        "begin_sign_in",
        Who::Anybody,
        "BeginSignIn",
        "SignInBegun",
        "Begin a sign-in by a provider: where the browser goes; a cookie binds the answer to it",
    ),
    post(
        "/api/v1/sign-in/finish",
        "finish_sign_in",
        Who::Anybody,
        "FinishSignIn",
        "SignInFinished",
        "End a sign-in by a provider, with what it sent the browser back with",
    ),
];
