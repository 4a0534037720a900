//! Passkeys of people, and what a vote is signed with.

use super::{Operation, Who, get, post};

/// All of it.
pub(super) const OPERATIONS: &[Operation] = &[
    get("/api/v1/passkeys", "passkeys", Who::Person, "PasskeyList", "The own passkeys"),
    Operation {
        status: "201",
        ..post(
            "/api/v1/passkeys",
            "add_passkey",
            Who::Person,
            "AddPasskey",
            "PasskeyList",
            "Add a passkey, with what the authenticator answered; in the session that asked for the challenge",
        )
    },
    Operation {
        method: "post",
        ..get(
            "/api/v1/passkeys/challenge",
            "begin_passkey",
            Who::Person,
            "PasskeyChallenge",
            "What `navigator.credentials.create` is asked with: good once, for five minutes",
        )
    },
    Operation {
        method: "delete",
        status: "204",
        answer: None,
        ..get("/api/v1/passkeys/{id}", "end_passkey", Who::Person, "PasskeyList", "End one of the own passkeys")
    },
    Operation {
        method: "post",
        ..get(
            "/api/v1/passkeys/sign_in/challenge",
            "begin_passkey_sign_in",
            Who::Anybody,
            "PasskeySignInChallenge",
            "What `navigator.credentials.get` is asked with to sign in: good once, for five minutes",
        )
    },
    post(
        "/api/v1/passkeys/sign_in",
        "sign_in_by_passkey",
        Who::Anybody,
        "PasskeySignIn",
        "Session",
        "Sign in by a passkey; the cookie comes with the reply",
    ),
    Operation {
        method: "post",
        ..get(
            "/api/v1/exceptions/{id}/votes/challenge",
            "vote_challenge",
            Who::Person,
            "VoteChallenge",
            "What the page makes the challenge of a signed vote of: good once, for five minutes",
        )
    },
    post(
        "/api/v1/acts/challenge",
        "act_challenge",
        Who::Person,
        "ActChallengeRequest",
        "VoteChallenge",
        "What the page makes the challenge of another signed act of: good once, for five minutes",
    ),
];
