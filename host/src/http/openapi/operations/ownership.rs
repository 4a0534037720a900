//! Who owns what, and people who leave.

use super::{Operation, Who, get, post};

/// All of them.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        query: &[("agent", "string"), ("agent_type", "string"), ("exception", "string")],
        ..get("/api/v1/owners", "owner", Who::Person, "OwnerReply", "Who owns an agent or an exception, from where")
    },
    post(
        "/api/v1/owners/handover",
        "hand_over_owner",
        Who::Person,
        "HandOwnerRequest",
        "OwnerReply",
        "Hand over an agent or an exception that one owns",
    ),
    get(
        "/api/v1/ownership",
        "ownership",
        Who::Person,
        "OwnershipReply",
        "Who has what, and where bundle and log disagree on it",
    ),
    get(
        "/api/v1/people/{user}/departure",
        "departure",
        Who::Person,
        "Departure",
        "All that needs another owner when somebody leaves",
    ),
];
