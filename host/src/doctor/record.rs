//! What the record tells of a gate: how it was started, who left, which tokens are for everybody, what waits.

use std::path::Path;

use policy_core::time::Timestamp;
use policy_evaluator::Bundle;

use super::Found;
use crate::app::{OpenError, disagreements, read_record};

/// Reads and verifies the record, and looks at it. `bundle`: what lies in the bundle's folder, where one was given.
///
/// # Errors
/// When the record is not what was signed, or cannot be read.
pub fn look_at_record(
    data: &Path,
    bundle: Option<&Bundle>,
    now: Timestamp,
    found: &mut Found,
) -> Result<(), OpenError> {
    let told = read_record(data, now)?;
    if told.single_user {
        found.tell("single_user", "the gate was last started with `--single-user`");
    }
    if told.clock_doubted {
        found.tell("clock_doubted", "the record says so, and no operator has trusted it since");
    }
    if told.unconfirmed > 0 {
        found.tell("restore_unconfirmed", format!("{} of them", told.unconfirmed));
    }
    for point in &told.points_for_everybody {
        found.tell("point_for_everybody", format!("`{point}` may ask for every agent"));
    }
    for person in &told.by_link_alone {
        found.tell("link_alone", format!("`{person}`"));
    }
    let Some(bundle) = bundle else { return Ok(()) };
    let given = bundle.digests.bundle;
    if let Some(active) = told.bundle.filter(|active| *active != given) {
        found.tell("other_bundle_active", format!("the folder has the digest `{given}`, and `{active}` is active"));
    }
    let (disagree, left) = disagreements(data, bundle)?;
    for line in &disagree {
        found.tell("owners_disagree", format!("on `{}`", line.agent));
    }
    for person in left.iter().chain(&told.left) {
        found.tell("owner_left", format!("`{person}`"));
    }
    Ok(())
}
