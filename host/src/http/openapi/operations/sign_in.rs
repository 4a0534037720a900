//! How people sign in by a provider, and their sessions.

use super::{Operation, Who, get, post};

/// All of it.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        method: "post",
        ..get(
            "/api/v1/session/sign_out",
            "leave",
            Who::Person,
            "SignedOut",
            "Sign out, and be told where one signs out of the provider, too",
        )
    },
    post(
        "/api/v1/session/step_up",
        "begin_step_up",
        Who::Person,
        "StepUp",
        "SignInBegun",
        "Begin to authenticate anew at the provider, in the same session: where the browser goes",
    ),
    get("/api/v1/sessions", "sessions", Who::Person, "SessionList", "Where one is signed in, and which links wait"),
    Operation {
        method: "post",
        status: "201",
        ..get(
            "/api/v1/sessions/links",
            "make_link",
            Who::Person,
            "LinkMade",
            "Make a link for the command line, which signs in once and ends with this session",
        )
    },
    Operation {
        method: "delete",
        ..get("/api/v1/sessions", "end_other_sessions", Who::Person, "SessionsEnded", "End all other own sessions")
    },
    Operation {
        method: "delete",
        status: "204",
        answer: None,
        ..get(
            "/api/v1/sessions/{id}",
            "end_session",
            Who::Person,
            "SessionsEnded",
            "End one of the own sessions or links",
        )
    },
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
    Operation {
        method: "post",
        answer: None,
        ..get(
            "/api/v1/sign-in/{provider}/logged_out",
            "logged_out",
            Who::Anybody,
            "SignedOut",
            "A provider's back-channel logout: a form with `logout_token`",
        )
    },
];
