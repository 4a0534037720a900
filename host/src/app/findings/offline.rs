//! The whole record compared without a gate: read, verified, and nothing written.

use std::path::Path;

use policy_core::json;
use policy_core::time::Timestamp;
use proviso_api::findings::{FindingLine, FindingState};

use super::book::Finding;
use super::facts::{facts_of, finding_id, grants, rules_of};
use super::run::Report;
use super::view::line_of;
use crate::app::event::BUNDLE;
use crate::app::people::STORED;
use crate::app::policy::Policy;
use crate::app::settings::OpenError;
use crate::app::state::State;
use crate::reconcile::reconcile;
use crate::store::Keys;
use crate::store::verify::each_record;

/// Compares all that is on record, however old, by the bundle that was active last.
///
/// # Errors
/// When the record cannot be read, or is not what was signed.
pub fn reconcile_offline(data: &Path, now: Timestamp) -> Result<(Report, Vec<FindingLine>), OpenError> {
    let keys = Keys::read(data)?;
    let mut state = State::new(0);
    state.accounts.keep_all();
    let mut files = None;
    each_record(data, &mut |record| {
        if let Some(bytes) = record.payload(BUNDLE) {
            files = Some(bytes.to_vec());
        }
        state.apply(record).map(drop)
    })?;
    state.accounts.settle();
    let unread = |message: &str| OpenError::Engine(message.to_owned());
    let files = files.ok_or_else(|| unread("no bundle was ever activated here"))?;
    let files = json::read_as(&files, STORED).map_err(|error| unread(&error.to_string()))?;
    let policy = Policy::accept(&files)?;
    let rules = rules_of(&policy);
    let now = state.newest.map_or(now, |newest| newest.max(now));
    let (mut report, mut lines) = (Report::default(), Vec::new());
    for (subject, account) in state.accounts.all() {
        let found = reconcile(account, &grants(&state, subject), &rules, now);
        report.add(&found);
        for drawn in found.findings.values() {
            let id = finding_id(&keys, drawn.kind, subject, &drawn.key);
            lines.push(match state.findings.get(&id) {
                Some(finding) => line_of(finding),
                None => line_of(&Finding::opened(facts_of(&policy, id, subject, drawn), now, Vec::new())),
            });
        }
    }
    lines.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    report.unresolved = lines.iter().filter(|line| line.state != FindingState::Resolved).count();
    Ok((report, lines))
}
