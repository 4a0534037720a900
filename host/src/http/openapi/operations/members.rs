//! Who is here, how people come in, and what ends for them.

use super::{Operation, Who, get, post};

/// All of them.
pub(super) const OPERATIONS: &[Operation] = &[
    get("/api/v1/people", "people", Who::Person, "PeopleReply", "Everybody, and what administrators have begun"),
    get(
        "/api/v1/people/{user}",
        "member",
        Who::Person,
        "MemberDetail",
        "One person: what the bundle lets them do, accounts, sessions",
    ),
    Operation {
        status: "201",
        ..post(
            "/api/v1/people/invitations",
            "invite",
            Who::Person,
            "InviteRequest",
            "MembershipReply",
            "Invite somebody who was never here",
        )
    },
    Operation {
        body: None,
        ..post(
            "/api/v1/people/proposals/{id}/agree",
            "agree",
            Who::Person,
            "Reason",
            "MembershipReply",
            "Agree to what another administrator began",
        )
    },
    Operation {
        method: "delete",
        status: "204",
        answer: None,
        ..get("/api/v1/people/proposals/{id}", "withdraw", Who::Person, "MembershipReply", "Take it back, or refuse it")
    },
    Operation {
        status: "201",
        ..post(
            "/api/v1/people/{user}/accounts",
            "link_account",
            Who::Person,
            "LinkAccountRequest",
            "MembershipReply",
            "Propose that an account of a provider is a person's way in",
        )
    },
    post(
        "/api/v1/people/{user}/accounts/unlink",
        "unlink_account",
        Who::Person,
        "UnlinkAccountRequest",
        "SessionsEnded",
        "Take such an account away again, and end its sessions",
    ),
    Operation {
        method: "delete",
        ..get(
            "/api/v1/people/{user}/sessions",
            "end_sessions_of",
            Who::Person,
            "SessionsEnded",
            "End all sessions of somebody else",
        )
    },
    Operation {
        status: "204",
        answer: None,
        ..post(
            "/api/v1/people/{user}/end",
            "end_person",
            Who::Person,
            "Reason",
            "MembershipReply",
            "Say that somebody else has left",
        )
    },
    Operation {
        status: "204",
        answer: None,
        ..post(
            "/api/v1/people/recovery/stop",
            "stop_recovery",
            Who::Person,
            "Reason",
            "MembershipReply",
            "Stop letting another administrator in",
        )
    },
];
