//! What one can ask of findings.

use super::{Operation, Who, get, post};

/// All of it.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        headers: &[super::SUBJECT_TOKEN, super::VOUCHED],
        ..post(
            "/v1/traces",
            "take_traces",
            Who::Caller,
            "OtlpTraces",
            "OtlpTaken",
            "OpenTelemetry traces (OTLP/HTTP, also as `application/x-protobuf`): spans of tools, as the word of whoever was traced",
        )
    },
    Operation {
        query: &[
            ("state", "string"),
            ("kind", "string"),
            ("owner", "string"),
            ("limit", "integer"),
            ("page", "string"),
        ],
        ..get("/api/v1/findings", "findings", Who::Person, "FindingList", "What ran otherwise than it was approved")
    },
    get(
        "/api/v1/findings/{id}",
        "finding",
        Who::Person,
        "FindingDetail",
        "One finding, with evidence and decisions side by side",
    ),
    post(
        "/api/v1/findings/{id}/comments",
        "comment_finding",
        Who::Person,
        "CommentRequest",
        "FindingLine",
        "Say something of a finding",
    ),
    post(
        "/api/v1/findings/{id}/assign",
        "assign_finding",
        Who::Person,
        "AssignRequest",
        "FindingLine",
        "Hand a finding to somebody",
    ),
    post(
        "/api/v1/findings/{id}/state",
        "set_finding_state",
        Who::Person,
        "FindingStateRequest",
        "FindingLine",
        "Say how a finding stands",
    ),
    post(
        "/api/v1/findings/{id}/revoke",
        "revoke_for_finding",
        Who::Person,
        "FindingActRequest",
        "FindingLine",
        "Take away the grant that a finding is about",
    ),
    post(
        "/api/v1/findings/{id}/lock",
        "lock_for_finding",
        Who::Person,
        "FindingActRequest",
        "FindingLine",
        "Lock the subject of a finding",
    ),
];
