//! One exception from the queue to its review, as people act on it.

use super::{Operation, SUBJECT_TOKEN, VOUCHED, Who, get, post};

/// All of it.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        query: &[
            ("state", "string"),
            ("stage", "string"),
            ("disposition", "string"),
            ("since", "integer"),
            ("limit", "integer"),
            ("page", "string"),
        ],
        ..get("/api/v1/exceptions", "exceptions", Who::Person, "ExceptionList", "The queue, newest first")
    },
    get("/api/v1/exceptions/{id}", "exception", Who::Person, "ExceptionDetail", "One exception, with its history"),
    Operation {
        query: &[("as_of", "integer")],
        ..get(
            "/api/v1/exceptions/{id}/sheet",
            "sheet",
            Who::Person,
            "SheetReply",
            "Every fact that an approver is shown, at one ledger position",
        )
    },
    Operation {
        query: &[("as_of", "integer")],
        ..get(
            "/api/v1/exceptions/{id}/questions",
            "questions",
            Who::Person,
            "QuestionsReply",
            "The sealed questions that the preview evaluates",
        )
    },
    post(
        "/api/v1/exceptions/{id}/votes",
        "vote",
        Who::Person,
        "CastVote",
        "VoteReply",
        "Approve, refuse or ask, bound to what was shown",
    ),
    post(
        "/api/v1/exceptions/{id}/handover",
        "hand_over",
        Who::Person,
        "HandoverRequest",
        "HandoverReply",
        "Hand a request to somebody else who may decide it",
    ),
    Operation {
        headers: &[SUBJECT_TOKEN, VOUCHED],
        ..post(
            "/api/v1/exceptions/{id}/answer",
            "answer",
            Who::Known,
            "AnswerRequest",
            "VoteReply",
            "Answer a vote that asks: as the agent, who stands behind it, or its owner",
        )
    },
    Operation {
        headers: &[SUBJECT_TOKEN, VOUCHED],
        status: "201",
        ..post(
            "/api/v1/exceptions/{id}/renew",
            "renew",
            Who::Known,
            "RenewRequest",
            "TaskReply",
            "Ask for the same again, under today's policy and with fresh votes",
        )
    },
    post(
        "/api/v1/exceptions/{id}/emergency",
        "declare_emergency",
        Who::Person,
        "ShownReason",
        "VoteReply",
        "Declare an emergency, as somebody who may vote",
    ),
    post(
        "/api/v1/exceptions/{id}/confirm",
        "confirm",
        Who::Person,
        "ShownReason",
        "VoteReply",
        "After a restore: it still stands",
    ),
    post(
        "/api/v1/exceptions/{id}/disposition",
        "dispose",
        Who::Person,
        "DispositionRequest",
        "VoteReply",
        "Judge a closed exception",
    ),
    get(
        "/api/v1/exceptions/{id}/past",
        "past",
        Who::Person,
        "PastReply",
        "What became of the like, and of one's own last decisions",
    ),
    Operation {
        query: &[("days", "integer")],
        ..get("/api/v1/pictures", "pictures", Who::Person, "PicturesReply", "Counts over time, of what one may see")
    },
    Operation {
        query: &[("limit", "integer"), ("page", "string")],
        ..get("/api/v1/agents", "agents", Who::Person, "AgentList", "Who acts, by id")
    },
    Operation {
        query: &[("type", "string"), ("id", "string")],
        ..get(
            "/api/v1/agent",
            "agent",
            Who::Person,
            "AgentReply",
            "What an agent may do today, and what gave it each part",
        )
    },
    post(
        "/api/v1/what-if",
        "what_if",
        Who::Person,
        "WhatIf",
        "WhatIfReply",
        "A made-up question, sealed as it would be now: for the page to evaluate",
    ),
    Operation {
        method: "post",
        ..get(
            "/api/v1/exceptions/{id}/undo",
            "undo",
            Who::Person,
            "UndoReply",
            "Take one's own decision back within a minute",
        )
    },
    post(
        "/api/v1/exceptions/{id}/uses/{evaluation}/give_back",
        "give_back",
        Who::Person,
        "Reason",
        "VoteReply",
        "Give back a use that was consumed and never reported",
    ),
    Operation {
        query: &[("state", "string"), ("limit", "integer"), ("page", "string")],
        ..get("/api/v1/reviews", "reviews", Who::Person, "ReviewList", "What is to be looked at afterwards")
    },
    post(
        "/api/v1/reviews/{id}/close",
        "close_review",
        Who::Person,
        "CloseReview",
        "ReviewLine",
        "Close a review, as somebody who neither asked nor voted",
    ),
];
