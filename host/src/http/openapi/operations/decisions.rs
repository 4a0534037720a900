//! What agents and enforcement points ask, by AuthZEN and its request profile, and report.

use super::{Operation, SUBJECT_TOKEN, VOUCHED, Who, get, post};

/// All of it.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        headers: &[SUBJECT_TOKEN, VOUCHED, "X-Request-ID"],
        ..post(
            "/access/v1/evaluation",
            "evaluate",
            Who::Caller,
            "EvaluationRequest",
            "EvaluationReply",
            "May this call run? A denial is an answer, with status 200",
        )
    },
    Operation {
        headers: &[SUBJECT_TOKEN, VOUCHED, "X-Request-ID"],
        ..post(
            "/access/v1/evaluations",
            "evaluate_all",
            Who::Caller,
            "EvaluationsRequest",
            "EvaluationsReply",
            "May these calls run? A decision for each, in their order",
        )
    },
    Operation {
        headers: &[SUBJECT_TOKEN, VOUCHED],
        ..post(
            "/access/v1/search/subject",
            "search_subject",
            Who::Caller,
            "SubjectSearch",
            "SearchReply",
            "Who of the caller's subjects may do this to that?",
        )
    },
    Operation {
        headers: &[SUBJECT_TOKEN, VOUCHED],
        ..post(
            "/access/v1/search/resource",
            "search_resource",
            Who::Caller,
            "ResourceSearch",
            "SearchReply",
            "On what may this subject do that?",
        )
    },
    Operation {
        headers: &[SUBJECT_TOKEN, VOUCHED],
        ..post(
            "/access/v1/search/action",
            "search_action",
            Who::Caller,
            "ActionSearch",
            "SearchReply",
            "What may this subject do to that?",
        )
    },
    Operation {
        headers: &[SUBJECT_TOKEN, VOUCHED],
        answer: Some(("application/schema+json", "JSON Schema of a request")),
        ..get(
            "/access/v1/denials/{evaluation}/schema",
            "request_schema",
            Who::Caller,
            "OpenApi",
            "The smallest request that can succeed, for whom the denial was given to",
        )
    },
    Operation {
        headers: &[SUBJECT_TOKEN, VOUCHED, "Idempotency-Key"],
        status: "201",
        ..post(
            "/access/v1/requests",
            "request",
            Who::Caller,
            "AccessRequest",
            "TaskReply",
            "Ask for an exception to a denial that offered it",
        )
    },
    Operation {
        headers: &[SUBJECT_TOKEN, VOUCHED],
        query: &[("wait", "integer")],
        ..get("/access/v1/requests/{id}", "request_status", Who::Caller, "TaskReply", "How a request stands")
    },
    Operation {
        headers: &[SUBJECT_TOKEN, VOUCHED],
        ..post(
            "/access/v1/requests/{id}/cancel",
            "cancel",
            Who::Caller,
            "CancelRequest",
            "TaskReply",
            "Take a request back",
        )
    },
    Operation {
        status: "204",
        answer: None,
        ..post(
            "/api/v1/executions",
            "report_execution",
            Who::Caller,
            "ExecutionReport",
            "Problem",
            "Evidence that something ran",
        )
    },
];
