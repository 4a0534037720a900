//! Who is signed in, who stands in for whom, and what is sent to them.

use super::{Operation, SUBJECT_TOKEN, VOUCHED, Who, get, post};

/// All of it.
pub(super) const OPERATIONS: &[Operation] = &[
    get("/api/v1/session", "session", Who::Person, "Session", "Who is signed in"),
    post("/api/v1/session", "sign_in", Who::Anybody, "SignIn", "Session", "Sign in with a one-time link"),
    Operation {
        method: "delete",
        status: "204",
        answer: None,
        ..get("/api/v1/session", "sign_out", Who::Person, "Session", "Sign out")
    },
    Operation {
        headers: &[SUBJECT_TOKEN, VOUCHED],
        ..get("/api/v1/whoami", "whoami", Who::Caller, "WhoAmI", "What the gate makes of the tokens that were sent")
    },
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
    get("/demo/people", "demo_people", Who::Anybody, "DemoPeople", "Only in a demo: whom one can sign in as"),
    post("/demo/session", "demo_sign_in", Who::Anybody, "DemoSignIn", "Session", "Only in a demo: sign in as anybody"),
];
