//! Taking grants away, locks, ended tasks, and who is told.

use super::{Operation, Who, get, post};

/// All of it.
pub(super) const OPERATIONS: &[Operation] = &[
    post("/api/v1/grants/{id}/revoke", "revoke", Who::Person, "RevokeRequest", "RevokeReply", "Take a grant away"),
    post(
        "/api/v1/revocations",
        "revoke_all",
        Who::Person,
        "RevocationRequest",
        "RevocationReply",
        "Take away every live grant of a task, a subject, a person, an approver or a credential",
    ),
    get("/api/v1/locks", "locks", Who::Person, "LockList", "The locks in force"),
    Operation {
        status: "201",
        ..post("/api/v1/locks", "lock", Who::Person, "LockRequest", "Locked", "Stop something at once")
    },
    Operation {
        query: &[
            ("tool", "string"),
            ("server", "string"),
            ("task", "string"),
            ("grant", "string"),
            ("subject", "string"),
            ("person", "string"),
            ("type", "string"),
        ],
        ..get("/api/v1/locks/reach", "reach", Who::Person, "ReachReply", "What a lock would stop")
    },
    Operation {
        method: "delete",
        ..post(
            "/api/v1/locks/{id}",
            "unlock",
            Who::Person,
            "LiftRequest",
            "Lifting",
            "Take a lock away, or ask for it, with what it is signed with where `presence` of the list says that",
        )
    },
    post(
        "/api/v1/locks/{id}/renew",
        "renew_lock",
        Who::Person,
        "RenewLockRequest",
        "Locked",
        "Let a lock go on that would end by itself",
    ),
    Operation {
        query: &[("wait", "integer")],
        ..get(
            "/api/v1/stops",
            "stopped_calls",
            Who::Caller,
            "StopList",
            "An enforcement point's calls that were stopped after they began",
        )
    },
    post(
        "/api/v1/tasks/{task}/end",
        "end_task",
        Who::Person,
        "EndTaskRequest",
        "TaskEnded",
        "End a task, and what hangs on it",
    ),
];
