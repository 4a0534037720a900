//! The gate itself: what it is, its module and bundles, how it is.

use super::{Operation, Who, get, post};

/// All of it.
pub(super) const OPERATIONS: &[Operation] = &[
    get(
        "/.well-known/authzen-configuration",
        "discover",
        Who::Anybody,
        "Configuration",
        "AuthZEN's discovery document",
    ),
    get("/access/v1/jwks", "jwks", Who::Anybody, "JwkSet", "The public keys of what this gate signs (RFC 7517)"),
    Operation {
        answer: Some(("text/event-stream", "Change")),
        ..get("/api/v1/events", "events", Who::Follower, "Change", "Live changes")
    },
    get(
        "/api/v1/bundles/{digest}",
        "bundle",
        Who::Person,
        "BundleReply",
        "A bundle's policies, as the module loads them",
    ),
    get("/api/v1/bundles", "bundles", Who::Person, "BundleList", "The active bundle, those before it, and proposals"),
    Operation {
        status: "201",
        ..post(
            "/api/v1/bundles",
            "propose_bundle",
            Who::Person,
            "ProposeRequest",
            "ProposalReply",
            "Propose a bundle, or one that was active before",
        )
    },
    Operation {
        status: "201",
        ..post(
            "/api/v1/modules",
            "propose_module",
            Who::Person,
            "ProposeModuleRequest",
            "ProposalReply",
            "Propose another policy module",
        )
    },
    get(
        "/api/v1/bundles/{digest}/proposal",
        "bundle_proposal",
        Who::Person,
        "ProposalReply",
        "What a proposed bundle changes",
    ),
    post(
        "/api/v1/bundles/{digest}/activate",
        "activate_bundle",
        Who::Person,
        "BundleVoteRequest",
        "ActivationReply",
        "Vote for a proposed bundle",
    ),
    post(
        "/api/v1/bundles/{digest}/refuse",
        "refuse_bundle",
        Who::Person,
        "BundleVoteRequest",
        "ActivationReply",
        "Vote against a proposed bundle",
    ),
    get("/api/v1/openapi.json", "openapi", Who::Anybody, "OpenApi", "This document"),
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
