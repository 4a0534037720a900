//! The record, for those who check it or read it elsewhere.

use super::{Operation, Who, get};

/// Which records, as what, and whether to go on.
const EXPORT: &[(&str, &str)] = &[
    ("format", "string"),
    ("since", "string"),
    ("until", "string"),
    ("agent", "string"),
    ("approver", "string"),
    ("exception", "string"),
    ("follow", "boolean"),
];

/// Which records a list is of.
const LINES: &[(&str, &str)] = &[
    ("log", "string"),
    ("seq", "integer"),
    ("kind", "string"),
    ("person", "string"),
    ("agent", "string"),
    ("task", "string"),
    ("exception", "string"),
    ("grant", "string"),
    ("since", "string"),
    ("until", "string"),
    ("limit", "integer"),
    ("page", "string"),
];

/// What the record answers.
pub(super) const OPERATIONS: &[Operation] = &[
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
        query: LINES,
        ..get(
            "/api/v1/record/lines",
            "record_lines",
            Who::Person,
            "RecordLines",
            "The log as a list, newest first: what one may read of it",
        )
    },
    Operation {
        query: &[("size", "integer")],
        answer: Some(("text/plain", "A C2SP tlog-proof, for a file `….tlog-proof`")),
        ..get(
            "/api/v1/logs/{log}/records/{seq}/proof",
            "receipt",
            Who::Person,
            "OpenApi",
            "The receipt of one record, which is checked without the gate",
        )
    },
    Operation {
        query: EXPORT,
        answer: Some(("application/jsonl text/csv application/json", "The records, as the format says")),
        ..get(
            "/api/v1/record/export",
            "export_record",
            Who::Person,
            "OpenApi",
            "The record, or a part of it, for others",
        )
    },
];
