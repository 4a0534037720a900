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

/// What the record answers.
pub(super) const OPERATIONS: &[Operation] = &[Operation {
    query: EXPORT,
    answer: Some(("application/jsonl text/csv application/json", "The records, as the format says")),
    ..get("/api/v1/record/export", "export_record", Who::Person, "OpenApi", "The record, or a part of it, for others")
}];
