//! What one can ask, as a table.

mod findings;
mod ownership;
mod record;

/// Who may ask.
pub(super) enum Who {
    /// Anybody who reaches the gate.
    Anybody,
    /// A bearer token.
    Caller,
    /// A session, and its page's key.
    Person,
    /// A session's cookie alone.
    Follower,
    /// A bearer token, or a session and its page's key.
    Known,
}

/// One address and method.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) who: Who,
    pub(super) query: &'static [(&'static str, &'static str)],
    pub(super) headers: &'static [&'static str],
    pub(super) body: Option<&'static str>,
    pub(super) status: &'static str,
    /// Content type, and the schema's name, or for other than JSON and events what it is.
    pub(super) answer: Option<(&'static str, &'static str)>,
}

const SUBJECT_TOKEN: &str = "Proviso-Subject-Token";

const fn get(path: &'static str, id: &'static str, who: Who, answer: &'static str, summary: &'static str) -> Operation {
    let answer = Some(("application/json", answer));
    Operation { method: "get", path, id, summary, who, query: &[], headers: &[], body: None, status: "200", answer }
}

const fn post(
    path: &'static str,
    id: &'static str,
    who: Who,
    body: &'static str,
    answer: &'static str,
    summary: &'static str,
) -> Operation {
    Operation { method: "post", body: Some(body), ..get(path, id, who, answer, summary) }
}

/// All of them.
pub(super) fn all() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().chain(findings::OPERATIONS).chain(record::OPERATIONS).chain(ownership::OPERATIONS)
}

const OPERATIONS: &[Operation] = &[
    get(
        "/.well-known/authzen-configuration",
        "discover",
        Who::Anybody,
        "Configuration",
        "AuthZEN's discovery document",
    ),
    Operation {
        headers: &[SUBJECT_TOKEN, "X-Request-ID"],
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
        headers: &[SUBJECT_TOKEN, "X-Request-ID"],
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
        headers: &[SUBJECT_TOKEN],
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
        headers: &[SUBJECT_TOKEN],
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
        headers: &[SUBJECT_TOKEN],
        ..post(
            "/access/v1/search/action",
            "search_action",
            Who::Caller,
            "ActionSearch",
            "SearchReply",
            "What may this subject do to that?",
        )
    },
    get("/access/v1/jwks", "jwks", Who::Anybody, "JwkSet", "The public keys of what this gate signs (RFC 7517)"),
    Operation {
        headers: &[SUBJECT_TOKEN],
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
        headers: &[SUBJECT_TOKEN, "Idempotency-Key"],
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
        headers: &[SUBJECT_TOKEN],
        query: &[("wait", "integer")],
        ..get("/access/v1/requests/{id}", "request_status", Who::Caller, "TaskReply", "How a request stands")
    },
    Operation {
        headers: &[SUBJECT_TOKEN],
        ..post(
            "/access/v1/requests/{id}/cancel",
            "cancel",
            Who::Caller,
            "CancelRequest",
            "TaskReply",
            "Take a request back",
        )
    },
    get("/api/v1/session", "session", Who::Person, "Session", "Who is signed in"),
    post("/api/v1/session", "sign_in", Who::Anybody, "SignIn", "Session", "Sign in with a one-time link"),
    Operation {
        method: "delete",
        status: "204",
        answer: None,
        ..get("/api/v1/session", "sign_out", Who::Person, "Session", "Sign out")
    },
    Operation {
        headers: &[SUBJECT_TOKEN],
        ..get("/api/v1/whoami", "whoami", Who::Caller, "WhoAmI", "What the gate makes of the tokens that were sent")
    },
    Operation {
        query: &[("state", "string"), ("disposition", "string")],
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
        "Ballot",
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
    get("/api/v1/deputies", "deputies", Who::Person, "DeputyList", "Who stands in for whom, now and later"),
    Operation {
        status: "201",
        ..post(
            "/api/v1/deputies",
            "appoint_deputy",
            Who::Person,
            "DeputyRequest",
            "DeputyLine",
            "Name who stands in for you",
        )
    },
    Operation {
        method: "delete",
        status: "204",
        answer: None,
        ..get("/api/v1/deputies/{id}", "end_deputy", Who::Person, "DeputyLine", "End it before its time")
    },
    Operation {
        query: &[("state", "string")],
        ..get("/api/v1/deliveries", "deliveries", Who::Person, "DeliveryList", "What is or was to be sent to people")
    },
    Operation {
        method: "post",
        status: "202",
        answer: None,
        ..get(
            "/api/v1/deliveries/{id}/retry",
            "retry_delivery",
            Who::Person,
            "DeliveryLine",
            "Have a delivery that was given up tried again",
        )
    },
    post("/api/v1/grants/{id}/revoke", "revoke", Who::Person, "RevokeRequest", "RevokeReply", "Take a grant away"),
    post(
        "/api/v1/revocations",
        "revoke_all",
        Who::Person,
        "RevocationRequest",
        "RevocationReply",
        "Take away every live grant of a task, a subject, a person, an approver or a credential",
    ),
    Operation {
        headers: &[SUBJECT_TOKEN],
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
        headers: &[SUBJECT_TOKEN],
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
        "Reason",
        "VoteReply",
        "Declare an emergency, as somebody who may vote",
    ),
    post(
        "/api/v1/exceptions/{id}/confirm",
        "confirm",
        Who::Person,
        "Reason",
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
    post(
        "/api/v1/exceptions/{id}/uses/{evaluation}/give_back",
        "give_back",
        Who::Person,
        "Reason",
        "VoteReply",
        "Give back a use that was consumed and never reported",
    ),
    Operation {
        query: &[("state", "string")],
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
        ..get("/api/v1/locks/{id}", "unlock", Who::Person, "Lifting", "Take a lock away, or ask for it")
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
    Operation {
        answer: Some(("text/event-stream", "Change")),
        ..get("/api/v1/events", "events", Who::Follower, "Change", "Live changes")
    },
    get("/api/v1/record", "record", Who::Known, "RecordReply", "Where the logs stand, signed"),
    Operation {
        query: &[("witnessed", "boolean")],
        answer: Some(("text/plain", "A C2SP checkpoint, as a signed note")),
        ..get("/api/v1/logs/{log}/checkpoint", "checkpoint", Who::Known, "OpenApi", "The newest signed head of a log")
    },
    Operation {
        answer: Some(("application/octet-stream", "256 hashes, or 256 records behind their lengths")),
        ..get(
            "/api/v1/logs/{log}/tile/{*tile}",
            "tile",
            Who::Person,
            "OpenApi",
            "A tile of a log by its path, slashes and all (C2SP tlog-tiles)",
        )
    },
    Operation {
        query: &[("from", "integer")],
        ..get(
            "/api/v1/logs/{log}/consistency",
            "consistency",
            Who::Known,
            "ConsistencyReply",
            "The newest head, and that a head over so many records is its beginning",
        )
    },
    Operation {
        answer: Some(("text/plain", "A C2SP tlog-proof, for a file `….tlog-proof`")),
        ..get(
            "/api/v1/logs/{log}/records/{seq}/proof",
            "receipt",
            Who::Person,
            "OpenApi",
            "The receipt of one record, which is checked without the gate",
        )
    },
    get(
        "/api/v1/bundles/{digest}",
        "bundle",
        Who::Person,
        "BundleReply",
        "A bundle's policies, as the module loads them",
    ),
    get("/api/v1/openapi.json", "openapi", Who::Anybody, "OpenApi", "This document"),
    get("/demo/people", "demo_people", Who::Anybody, "DemoPeople", "Only in a demo: whom one can sign in as"),
    post("/demo/session", "demo_sign_in", Who::Anybody, "DemoSignIn", "Session", "Only in a demo: sign in as anybody"),
    Operation {
        answer: Some(("application/wasm", "policy.wasm, by its SHA-256 and `.wasm`")),
        ..get("/policy/{file}", "module", Who::Anybody, "OpenApi", "The very module that the gate runs")
    },
    Operation {
        answer: Some(("text/plain", "ok")),
        ..get("/livez", "live", Who::Anybody, "OpenApi", "The process answers")
    },
    Operation {
        answer: Some(("text/plain", "ok")),
        ..get("/readyz", "ready", Who::Anybody, "OpenApi", "The record can be written and the clock trusted")
    },
    Operation {
        answer: Some(("application/openmetrics-text", "OpenMetrics text format")),
        ..get("/metrics", "metrics", Who::Anybody, "OpenApi", "What operators look at; names nobody")
    },
];
