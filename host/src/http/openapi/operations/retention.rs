//! What is kept, held and erased.

use super::{Operation, Who, get, post};

/// All of them.
pub(super) const OPERATIONS: &[Operation] = &[
    get(
        "/api/v1/retention",
        "retention",
        Who::Person,
        "RetentionReply",
        "What is kept for how long, what is on hold, what was erased, in numbers, and what is proposed",
    ),
    post(
        "/api/v1/erasures/preview",
        "preview_erasure",
        Who::Person,
        "ErasureWhat",
        "ErasurePreview",
        "What an erasure would come to; nothing is done",
    ),
    Operation {
        status: "201",
        ..post(
            "/api/v1/erasures",
            "propose_erasure",
            Who::Person,
            "ProposeErasure",
            "ErasureReply",
            "Propose an erasure, as it was looked at; another person confirms it within seven days, or nothing is erased",
        )
    },
    post(
        "/api/v1/erasures/{id}/confirm",
        "confirm_erasure",
        Who::Person,
        "ConfirmErasure",
        "ErasureReply",
        "Confirm what another proposed: it is carried out in the name of both",
    ),
    Operation {
        method: "delete",
        status: "204",
        answer: None,
        ..get(
            "/api/v1/erasures/{id}",
            "withdraw_erasure",
            Who::Person,
            "ErasureReply",
            "Take a proposed erasure back, or refuse it",
        )
    },
];
