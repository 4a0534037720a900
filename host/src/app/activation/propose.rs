//! Proposing a bundle: validated, held against what may never come of it, put to what was asked, kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use policy_core::console::Act;
use policy_core::digest::Digest;
use policy_core::sabotaged;
use policy_core::time::Timestamp;
use proviso_api::activation::{ChangeList, ProposalReply, ProposeModuleRequest, ProposeRequest};
use tokio::task::spawn_blocking;

use super::event::{CHANGES, PolicyEvent, ProposalFact};
use super::fold::Standing;
use super::may::TWO;
use crate::app::App;
use crate::app::append::{Proposal, canonical};
use crate::app::console::About;
use crate::app::engine::EngineError;
use crate::app::event::{BUNDLE, LedgerEvent};
use crate::app::limits::Often;
use crate::app::policy::Policy;
use crate::app::refusal::{Refusal, RefusalKind};
use crate::app::state::State;
use crate::identity::PersonSession;
use crate::store::{Modules, VersionKey};

impl App {
    /// Proposes a bundle, or one that was active before.
    ///
    /// # Errors
    /// `not_permitted_here`; `bad_bundle` for one that no gate accepts; `nobody_activates`, `one_does_alone`,
    /// `too_much_to_compare` and `too_few_may_activate` for one that may not become active; `already_active`;
    /// `unknown_bundle` for a digest that never was; `single_user_required`.
    pub async fn propose_bundle(&self, person: &PersonSession, body: ProposeRequest) -> Result<ProposalReply, Refusal> {
        self.hold_session(person)?;
        self.hold_some(person, &[Act::Activate], &About::GATE).await?;
        hold_reason(&body.reason)?;
        let (files, revert) = self.proposed_files(body.files, body.revert_to)?;
        let _one = self.0.proposing.try_lock().map_err(|_| busy())?;
        self.hold_rate(person)?;
        let app = self.clone();
        let now = self.now();
        let made = spawn_blocking(move || app.compared(&files, now)).await;
        let (active, proposed, list) = made.map_err(|_| Refusal::record_unavailable())??;
        self.keep_proposal(person, &active, Some(&proposed), &list, (body.reason, revert)).await
    }

    /// Proposes another policy module than the one that runs, under the active bundle.
    ///
    /// # Errors
    /// As [`Self::propose_bundle`]; `module_unusable` for what is no policy module.
    pub async fn propose_module(
        &self,
        person: &PersonSession,
        body: ProposeModuleRequest,
    ) -> Result<ProposalReply, Refusal> {
        self.hold_session(person)?;
        self.hold_some(person, &[Act::Activate], &About::GATE).await?;
        hold_reason(&body.reason)?;
        let unreadable = |_| Refusal::bad("module_unusable", "`module` is no base64");
        let bytes = STANDARD.decode(&body.module).map_err(unreadable)?;
        let _one = self.0.proposing.try_lock().map_err(|_| busy())?;
        self.hold_rate(person)?;
        let app = self.clone();
        let now = self.now();
        let made = spawn_blocking(move || app.compared_module(&bytes, now).map(|(active, list)| (active, list, bytes)));
        let (active, list, bytes) = made.await.map_err(|_| Refusal::record_unavailable())??;
        self.hold_proposal(
            &self.state(),
            person,
            &active,
            &fact_of(&active, &list, Digest::of(&canonical(&list)?), false),
            now,
        )?;
        // What a record names is there before it; what no record comes to name is not kept.
        if let Some(module) = list.other_module {
            let kept = Modules::of(&self.settings().data).keep(&module, &bytes);
            kept.map_err(|error| self.unreadable(&error))?;
        }
        self.keep_proposal(person, &active, None, &list, (body.reason, false)).await
    }

    /// Writes a proposal down, with its bundle where it is one of a bundle.
    async fn keep_proposal(
        &self,
        person: &PersonSession,
        active: &Policy,
        proposed: Option<&Policy>,
        list: &ChangeList,
        (reason, revert): (String, bool),
    ) -> Result<ProposalReply, Refusal> {
        let bytes = canonical(list)?;
        let now = list.at;
        let fact = fact_of(active, list, Digest::of(&bytes), revert);
        let event = PolicyEvent::BundleProposed {
            by: person.person.clone(),
            reason,
            proposal: Box::new(fact.clone()),
            at: now,
        };
        let files = proposed.map(|proposed| canonical(proposed.files())).transpose()?;
        self.admit(|state| {
            self.hold_proposal(state, person, active, &fact, now)?;
            let keys = [VersionKey::Proposals, VersionKey::Bundle, VersionKey::Identity(person.id.clone())];
            let expected = keys.map(|key| state.version(key)).into_iter().chain(state.page_of(&person.id)).collect();
            let mut record = self.ledger(now, &LedgerEvent::Policy(event.clone()))?;
            record.bundle = Some(fact.base);
            record.module = Some(fact.module);
            record.payloads.extend(files.clone().map(|files| (BUNDLE, files)));
            record.payloads.push((CHANGES, bytes.clone()));
            Ok(Proposal { expected, records: vec![record], answer: () })
        })
        .await?;
        self.proposal_seen_by(person, &fact.digest()).await
    }

    /// Refuses what became stale while it was compared, and what fewer people than it takes could activate.
    fn hold_proposal(
        &self,
        state: &State,
        person: &PersonSession,
        active: &Policy,
        fact: &ProposalFact,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.still_stands(state, person, now)?;
        // INVARIANT (R4): what people look at is told against what is active.
        if self.policy().digest() != active.digest() {
            return Err(stale("another bundle became active while this one was compared"));
        }
        let (by, fact) = (person.person.clone(), fact.clone());
        let standing = Standing { seq: 0, by, reason: String::new(), at: now, fact, votes: Vec::new() };
        let needs = usize::try_from(Self::needs(&standing, self.policy().activation_persons())).unwrap_or(usize::MAX);
        if self.who_counts(state, &standing, now).len() < needs {
            let detail = "of the people who may activate it, fewer are left than it takes: the change names them";
            return Err(Refusal::conflict("too_few_may_activate", detail));
        }
        Ok(())
    }

    /// Each proposal is a bundle or a module that is kept for ever, and each that comes to nothing is put to thousands
    /// of questions all the same: both count. What is refused before that, this refusal too, counts as none.
    fn hold_rate(&self, person: &PersonSession) -> Result<(), Refusal> {
        let most = Often::Bundles.most();
        let refused = |wait| {
            let detail = format!("you have proposed {most} bundles within the hour");
            Refusal::new(RefusalKind::TooMany, "too_many_requests", detail).retry_after(wait)
        };
        // The record knows of those before a restart.
        let recorded = self.state().proposals.proposed_by(&person.person, self.now());
        if recorded >= usize::try_from(most).unwrap_or(usize::MAX) {
            return Err(refused(600));
        }
        self.slot_of_hour(Often::Bundles, &person.person).map_err(refused)?.spent();
        Ok(())
    }

    /// The files that are proposed, and whether they were active before.
    fn proposed_files(
        &self,
        files: BTreeMap<String, String>,
        revert_to: Option<Digest>,
    ) -> Result<(BTreeMap<String, String>, bool), Refusal> {
        let Some(digest) = revert_to else {
            if files.is_empty() {
                return Err(Refusal::bad("bad_request", "neither `files` nor `revert_to` names a bundle"));
            }
            return Ok((files, false));
        };
        if !files.is_empty() {
            return Err(Refusal::bad("bad_request", "`files` and `revert_to` name a bundle each"));
        }
        // INVARIANT (R9): what is gone back to is what the record holds, and was active.
        let earlier = self.state().activations.iter().rev().find(|(_, one)| one.bundle == digest).map(|(seq, _)| *seq);
        let unknown = || Refusal::not_found("unknown_bundle", "no bundle of that digest was ever active");
        let seq = earlier.ok_or_else(unknown)?;
        let files = self.files_on_record(seq).map_err(|error| self.unreadable(&error))?;
        Ok((files.ok_or_else(unknown)?, true))
    }

    /// Accepts a bundle, holds it against what may never come of it, and compares it with the active one.
    fn compared(
        &self,
        files: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<(Arc<Policy>, Policy, ChangeList), Refusal> {
        let active = self.policy();
        let proposed = Policy::read(files).map_err(|errors| match errors.first() {
            Some(first) => {
                let code = if first.code == NOBODY { NOBODY } else { "bad_bundle" };
                let detail = format!("{}:{}: {} (`{}`)", first.file, first.line, first.message, first.code);
                Refusal::bad(code, detail).help(first.help.clone())
            }
            None => Refusal::bad("bad_bundle", "the bundle is refused without a reason"),
        })?;
        if proposed.digest() == active.digest() {
            return Err(Refusal::conflict("already_active", "that is the active bundle"));
        }
        hold_next(&active, &proposed, now)?;
        let list = self.change_list(&active, &proposed, None, now)?;
        Ok((active, proposed, list))
    }

    /// Compiles another module, keeps it beside the record, and compares it with the one that runs.
    fn compared_module(&self, bytes: &[u8], now: Timestamp) -> Result<(Arc<Policy>, ChangeList), Refusal> {
        let digest = Digest::of(bytes);
        if digest == self.engine().module() && self.state().proposals.next_module().is_none() {
            return Err(Refusal::conflict("already_active", "that is the module that runs"));
        }
        let unusable = |error: EngineError| Refusal::bad("module_unusable", error.to_string());
        let other = self.engine().other(bytes).map_err(unusable)?;
        let active = self.policy();
        let list = self.change_list(&active, &active, Some((digest, other)), now)?;
        Ok((active, list))
    }
}

/// A proposal as the record holds it.
fn fact_of(active: &Policy, list: &ChangeList, digest: Digest, revert: bool) -> ProposalFact {
    ProposalFact {
        bundle: list.bundle,
        base: active.digest(),
        module: list.module,
        list: digest,
        questions: list.asked.questions,
        changed: list.counts.values().sum(),
        new_allows: list.counts.get("new_allow").copied().unwrap_or_default(),
        narrower: list.narrower,
        revert,
        other_module: list.other_module,
        named: list.named.clone(),
    }
}

fn busy() -> Refusal {
    Refusal::new(RefusalKind::TooMany, "too_many_requests", "another proposal is being compared").retry_after(10)
}

const NOBODY: &str = "nobody_activates";

/// INVARIANT (R4): the next bundle can be replaced by people, as this one can, and makes nothing one person's that
/// takes two today.
fn hold_next(active: &Policy, proposed: &Policy, at: Timestamp) -> Result<(), Refusal> {
    let two = usize::try_from(TWO).unwrap_or(usize::MAX);
    let (now, then) = (active.activators().len(), proposed.activators().len());
    if now >= two && then < two && !sabotaged!("r4_nobody_activates_next") {
        let detail = format!("under it {then} could activate the next bundle, and that takes two");
        return Err(Refusal::conflict(NOBODY, detail));
    }
    let alone = proposed.alone_after(active.files(), at);
    let alone = alone.map_err(|error| Refusal::conflict("too_much_to_compare", error.to_string()))?;
    match alone.into_iter().next() {
        Some(alone) if !sabotaged!("r4_next_bundle_by_one") => {
            let by = alone.policies.join("`, `");
            let detail = format!(
                "under it {} could {} alone, by `{by}`, and that takes two today",
                alone.person,
                alone.act.says()
            );
            Err(Refusal::conflict("one_does_alone", detail))
        }
        _ => Ok(()),
    }
}

/// What was looked at is not what stands.
pub(super) fn stale(what: &str) -> Refusal {
    Refusal::conflict("stale_list", what)
}

/// Holds a reason that is to be recorded.
pub(super) fn hold_reason(reason: &str) -> Result<(), Refusal> {
    if reason.trim().is_empty() || reason.chars().count() > 2_000 {
        return Err(Refusal::bad("reason_needed", "activating a bundle needs a reason of 1 to 2000 characters"));
    }
    Ok(())
}
