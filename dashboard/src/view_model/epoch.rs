//! What is said of an epoch.

use policy_core::lifecycle::Exception;
use proviso_api::operations::{EpochLine, Gap};

use super::time::zoned;

/// When it began, and why.
pub fn told(epoch: &EpochLine) -> String {
    let why = match epoch.cause.as_str() {
        "restored" => format!("{} restored a backup", epoch.by),
        _ => "somebody holds a signed head that this record does not lead to".to_owned(),
    };
    format!(
        "Epoch {} began at {}: {why}. Grants of before permit nothing until they are confirmed; one may have been \
         revoked or used since. Credentials of before open nothing.",
        epoch.epoch,
        zoned(epoch.at)
    )
}

/// What is missing of a log.
pub fn gap(gap: &Gap) -> String {
    match gap.missing {
        0 => format!("{}: restored with {} records; how many came after is not known", gap.log, gap.from),
        1 => format!("{}: restored with {} records, 1 more is known to be missing", gap.log, gap.from),
        more => format!("{}: restored with {} records, {more} more are known to be missing", gap.log, gap.from),
    }
}

/// How far an exception of before is confirmed, and by whom.
pub fn confirmed(exception: &Exception) -> String {
    let by: Vec<&str> = exception
        .unconfirmed
        .iter()
        .flat_map(|unconfirmed| &unconfirmed.confirmations)
        .map(|confirmation| confirmation.by.id.as_str())
        .collect();
    let wanted = exception.terms.approvals;
    if by.is_empty() { format!("0 of {wanted}") } else { format!("{} of {wanted}: {}", by.len(), by.join(", ")) }
}

/// How many wait.
pub fn waiting(count: u64) -> String {
    match count {
        1 => "1 exception of before waits to be confirmed.".to_owned(),
        more => format!("{more} exceptions of before wait to be confirmed."),
    }
}

#[cfg(test)]
mod tests {
    use policy_core::lifecycle::{Confirmation, Unconfirmed};
    use policy_core::time::Timestamp;

    use super::*;
    use crate::view_model::samples;

    #[test]
    fn who_has_confirmed_is_told_beside_how_many_must() {
        let mut exception = samples::sheet().sheet.exception;
        assert_eq!(confirmed(&exception), "0 of 1");
        let confirmation = Confirmation {
            by: policy_core::entity::EntityRef::new("User", "mara"),
            reason: "still due".into(),
            assurance: "link".into(),
            groups: vec![],
            proof: policy_core::presence::Proof::Session,
            at: Timestamp::from_millis(0),
        };
        exception.unconfirmed = Some(Unconfirmed { epoch: 2, confirmations: vec![confirmation] });
        assert_eq!(confirmed(&exception), "1 of 1: mara");
    }

    #[test]
    fn an_epoch_is_told_with_its_gap() {
        let log = |missing| Gap { log: "ledger".into(), from: 12, missing };
        assert_eq!(gap(&log(0)), "ledger: restored with 12 records; how many came after is not known");
        assert_eq!(gap(&log(1)), "ledger: restored with 12 records, 1 more is known to be missing");
        assert_eq!(gap(&log(7)), "ledger: restored with 12 records, 7 more are known to be missing");
        let epoch = |cause: &str| EpochLine {
            epoch: 2,
            cause: cause.into(),
            by: "root".into(),
            reason: "r".into(),
            at: Timestamp::from_millis(0),
            seq: 12,
            gaps: vec![],
            unconfirmed: 1,
        };
        assert!(told(&epoch("restored")).starts_with("Epoch 2 began at "));
        assert!(told(&epoch("restored")).contains("root restored a backup"));
        assert!(told(&epoch("newer_head_seen")).contains("signed head"));
        assert_eq!((waiting(1).starts_with("1 exception of"), waiting(2).starts_with("2 exceptions of")), (true, true));
    }
}
