//! What is kept, held and erased.

use super::{Operation, Who, get};

/// All of them.
pub(super) const OPERATIONS: &[Operation] = &[get(
    "/api/v1/retention",
    "retention",
    Who::Person,
    "RetentionReply",
    "What is kept for how long, what is on hold, and what was erased, in numbers",
)];
