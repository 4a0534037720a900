//! When the last administrator is lost: the host's operator says so, everybody hears of it, a day passes, and then another
//! one comes in. Anybody stops it meanwhile.

use policy_core::entity::EntityRef;
use policy_core::sabotaged;
use policy_core::text;
use policy_core::time::{Span, Timestamp};
use proviso_api::people::RecoveryLine;

use super::enrol::LaidLink;
use super::event::{MembershipEvent, Recovery};
use super::links::ENROL_WITHIN;
use super::members::HeldRecovery;
use crate::app::App;
use crate::app::ownership::hold_present;
use crate::app::refusal::{Refusal, RefusalKind};
use crate::app::settings::Operator;
use crate::app::state::State;
use crate::app::stops::check_reason;
use crate::app::tasks::OPERATOR;
use crate::identity::PersonSession;

/// How long everybody has to stop it.
pub(super) const WAIT: Span = Span::from_seconds(86_400);
/// How long after its wait a recovery can be made use of.
const READY_FOR: Span = Span::from_seconds(7 * 86_400);

/// How far a recovery is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecoveryStep {
    /// Its wait has begun, or goes on.
    Waits(RecoveryLine),
    /// Its wait is over, and its link lies in a file.
    Ready(LaidLink),
}

impl App {
    /// Begins a recovery, or goes on with the one under way: once its day has passed, with a link.
    ///
    /// # Errors
    /// `administrator_exists`; `enrol_instead` at a gate that never had an administrator; `not_an_administrator`,
    /// `no_administrators`; `departed_person`; `recovery_under_way` for another person; `clock_doubted`;
    /// `reason_needed`.
    pub async fn recover(
        &self,
        by: &Operator,
        user: Option<&str>,
        reason: Option<&str>,
    ) -> Result<RecoveryStep, Refusal> {
        let now = self.now();
        let under_way = {
            let state = self.state();
            self.hold_none_here(&state)?;
            self.hold_had_one(&state)?;
            under_way(&state, now).map(|held| held.recovery.clone())
        };
        let Some(recovery) = under_way else { return self.begin_recovery(by, user, reason).await };
        if user.is_some_and(|user| user != recovery.person.id) {
            return Err(Refusal::conflict("recovery_under_way", "a recovery for somebody else is under way"));
        }
        if now < recovery.ready_at && !sabotaged!("r4_recovered_at_once") {
            return Ok(RecoveryStep::Waits(line(&recovery)));
        }
        // INVARIANT (R6): a day that no clock can vouch for has not passed.
        if !self.time().await.safe {
            let what = "the clock cannot be trusted, so nobody knows whether the day has passed";
            return Err(Refusal::new(RefusalKind::Conflict, "clock_doubted", what));
        }
        self.end_recovery(by, &recovery).await.map(RecoveryStep::Ready)
    }

    async fn begin_recovery(
        &self,
        by: &Operator,
        user: Option<&str>,
        reason: Option<&str>,
    ) -> Result<RecoveryStep, Refusal> {
        let reason = reason.unwrap_or_default();
        check_reason(reason, "a recovery")?;
        let now = self.now();
        let recovery = Recovery {
            id: self.member_id("rcv")?,
            person: self.coming_administrator(&self.state(), user)?,
            by: EntityRef::new(OPERATOR, &by.name),
            reason: text::visible(reason, 2_000),
            at: now,
            ready_at: now.plus(WAIT),
        };
        self.admit(|state| {
            self.hold_none_here(state)?;
            hold_present(state, &recovery.person)?;
            if under_way(state, now).is_some() {
                return Err(Refusal::conflict("recovery_under_way", "a recovery is under way"));
            }
            let event = MembershipEvent::RecoveryBegun { recovery: Box::new(recovery.clone()) };
            Ok(Self::member_proposal(state, None, vec![self.member_record(event)?], ()))
        })
        .await?;
        Ok(RecoveryStep::Waits(line(&recovery)))
    }

    async fn end_recovery(&self, by: &Operator, recovery: &Recovery) -> Result<LaidLink, Refusal> {
        let operator = EntityRef::new(OPERATOR, &by.name);
        let own_user = self.is_own_user(by);
        let link = self.draw_link(&recovery.person, (&by.name, by.uid), ENROL_WITHIN, own_user)?;
        let now = self.now();
        self.admit(|state| {
            self.hold_none_here(state)?;
            hold_present(state, &recovery.person)?;
            // INVARIANT (R4): whoever stopped it meanwhile is not passed over.
            let held = under_way(state, now).filter(|held| held.recovery.id == recovery.id);
            let held = held.ok_or_else(no_recovery)?;
            let event = MembershipEvent::RecoveryOffered {
                id: recovery.id.clone(),
                link: link.id().to_owned(),
                by: operator.clone(),
                at: now,
            };
            self.with_link(state, &link, held.link.as_deref(), (&operator, event))
        })
        .await?;
        let file = self.lay_link(&link)?;
        Ok(LaidLink { person: recovery.person.clone(), file, expires_at: link.expires_at() })
    }

    /// Stops a recovery. Whoever is signed in may.
    ///
    /// # Errors
    /// `no_recovery`; `reason_needed`.
    pub async fn stop_recovery(&self, person: &PersonSession, reason: &str) -> Result<(), Refusal> {
        self.stop_recovery_by(&person.person, Some(person), reason).await
    }

    /// The same for the host's operator.
    ///
    /// # Errors
    /// As [`Self::stop_recovery`].
    pub async fn stop_recovery_as(&self, by: &Operator, reason: &str) -> Result<(), Refusal> {
        self.stop_recovery_by(&EntityRef::new(OPERATOR, &by.name), None, reason).await
    }

    async fn stop_recovery_by(
        &self,
        by: &EntityRef,
        session: Option<&PersonSession>,
        reason: &str,
    ) -> Result<(), Refusal> {
        check_reason(reason, "stopping a recovery")?;
        let now = self.now();
        self.admit(|state| {
            if let Some(person) = session {
                self.still_stands(state, person, now)?;
            }
            let held = under_way(state, now).ok_or_else(no_recovery)?;
            let link = self.end_link(state, held.link.as_deref(), by)?;
            let event = MembershipEvent::RecoveryStopped {
                id: held.recovery.id.clone(),
                by: by.clone(),
                reason: text::visible(reason, 2_000),
                at: now,
            };
            let records = link.into_iter().chain([self.member_record(event)?]).collect();
            Ok(Self::member_proposal(state, session, records, ()))
        })
        .await?;
        Ok(())
    }

    fn hold_had_one(&self, state: &State) -> Result<(), Refusal> {
        let had = |person: &EntityRef| state.members.enrolled(person).is_some();
        if state.members.had_administrator() || self.policy().administrators(self.now()).iter().any(had) {
            return Ok(());
        }
        Err(Refusal::conflict("enrol_instead", "this gate never had an administrator, so none was lost"))
    }

    /// The recovery under way, as everybody is told of it.
    pub(in crate::app) fn recovery_line(&self, state: &State, now: Timestamp) -> Option<RecoveryLine> {
        under_way(state, now).map(|held| line(&held.recovery))
    }
}

/// INVARIANT (R6): what nobody made use of in time is over, by comparison.
fn under_way(state: &State, now: Timestamp) -> Option<&HeldRecovery> {
    state.members.recovery().filter(|held| now < held.recovery.ready_at.plus(READY_FOR))
}

fn line(recovery: &Recovery) -> RecoveryLine {
    RecoveryLine {
        person: recovery.person.clone(),
        by: recovery.by.clone(),
        reason: recovery.reason.clone(),
        at: recovery.at,
        ready_at: recovery.ready_at,
    }
}

fn no_recovery() -> Refusal {
    Refusal::not_found("no_recovery", "no recovery is under way")
}
