//! What people are told of proposed erasures.

use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::text;
use policy_core::time::Timestamp;
use proviso_api::erasures::{ErasureProposalLine, ErasureReply};

use super::super::report::ErasureReport;
use super::super::told::told_report;
use super::asked::kept;
use super::fold::HeldErasure;
use super::{erasure_over, unknown_erasure};
use crate::app::App;
use crate::app::refusal::Refusal;
use crate::identity::PersonSession;

/// How much of a reason is told.
const SAID: usize = 2_000;

impl App {
    /// The proposals that are remembered, newest first, as this person sees them. `may`: they may erase.
    pub(in crate::app) fn erasure_proposals(&self, person: &EntityRef, may: bool) -> Vec<ErasureProposalLine> {
        let now = self.now();
        let state = self.state();
        state.erased.proposals.all().rev().filter_map(|held| line(held, (person, may), now).ok()).collect()
    }

    pub(super) fn erasure_reply(
        &self,
        person: &PersonSession,
        id: &str,
        report: &ErasureReport,
    ) -> Result<ErasureReply, Refusal> {
        let now = self.now();
        let state = self.state();
        let held = state.erased.proposals.get(id).ok_or_else(unknown_erasure)?;
        Ok(ErasureReply {
            proposal: line(held, (&person.person, true), now)?,
            run: report.run.clone(),
            erased: told_report(report),
            kept: kept(report),
        })
    }
}

fn line(held: &HeldErasure, (person, may): (&EntityRef, bool), now: Timestamp) -> Result<ErasureProposalLine, Refusal> {
    let proposed = &held.proposed;
    let state = held.state(now);
    let open = match state {
        "waits" => proposed.by != *person,
        "confirmed" => held.is_by(person),
        _ => false,
    };
    Ok(ErasureProposalLine {
        id: proposed.id.clone(),
        plan: proposed.plan.clone(),
        digest: Digest::of_json(&proposed.plan).map_err(|_| erasure_over())?,
        reason: text::visible(&proposed.reason, SAID),
        by: proposed.by.clone(),
        at: proposed.at,
        until: proposed.until,
        state: state.to_owned(),
        confirmed_by: held.confirmed.clone(),
        you_may_confirm: may && open,
    })
}
