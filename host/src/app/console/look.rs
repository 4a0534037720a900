//! What a person may look at, each list without what they may not see.

use policy_core::abi::ConsoleAnswer;
use policy_core::console::Act;
use policy_core::question::LockTarget;
use proviso_api::findings::{FindingDetail, FindingLine, FindingList};
use proviso_api::operations::Change;
use proviso_api::ownership::{Departure, Owned, OwnerReply, OwnershipReply};
use proviso_api::retention::RetentionReply;
use proviso_api::routing::{DeliveryList, DeputyList};
use proviso_api::stops::{LockList, ReachReply};

use super::{About, Seen};
use crate::app::App;
use crate::app::findings::FindingFilter;
use crate::app::listing::PageWanted;
use crate::app::refusal::Refusal;
use crate::identity::PersonSession;

impl App {
    /// The locks in force that this person may see.
    ///
    /// # Errors
    /// `limit` where the module gives no answer.
    pub async fn locks_seen_by(&self, person: &PersonSession) -> Result<LockList, Refusal> {
        let LockList { locks, presence } = self.locks(person);
        let about: Vec<About> = {
            let state = self.state();
            locks.iter().map(|line| About::target(&state, &line.lock.target)).collect()
        };
        let seen = self.may_see(person, Act::View, about.into_iter(), self.now()).await?;
        let locks = locks.into_iter().zip(seen).filter_map(|(line, seen)| seen.then_some(line)).collect();
        Ok(LockList { locks, presence })
    }

    /// What a lock would stop, for who may set it.
    ///
    /// # Errors
    /// `not_permitted_here`; as [`Self::reach`].
    pub async fn reach_seen_by(&self, person: &PersonSession, target: &LockTarget) -> Result<ReachReply, Refusal> {
        let about = About::target(&self.state(), target);
        // Who may set it without an answer of the module's may not look without one.
        if self.may_see(person, Act::Lock, [about.clone()].into_iter(), self.now()).await? != [true] {
            self.hold_act(person, Act::Lock, &about).await?;
        }
        self.reach(target)
    }

    /// Who stands in for whom.
    ///
    /// # Errors
    /// `not_permitted_here`.
    pub async fn deputies_seen_by(&self, person: &PersonSession) -> Result<DeputyList, Refusal> {
        // Whoever decides on requests sees who stands in for whom, and whoever sees the gate as a whole.
        let asked = [(Act::View, About::GATE), (Act::Vote, About::GATE)];
        let answers = self.may_each(person, &asked, self.now()).await?;
        if !answers.iter().any(alone) {
            self.hold_act(person, Act::View, &About::GATE).await?;
        }
        Ok(self.deputies())
    }

    /// Who owns something.
    ///
    /// # Errors
    /// `not_permitted_here`; as [`Self::owner`].
    pub async fn owner_seen_by(&self, person: &PersonSession, of: &Owned) -> Result<OwnerReply, Refusal> {
        let about = About::owned(&self.state(), of);
        self.hold_act(person, Act::View, &about).await?;
        self.owner(of)
    }

    /// What somebody leaves behind: their own, or with the right to read the record anybody's.
    ///
    /// # Errors
    /// `not_permitted_here`; as [`Self::departure`].
    pub async fn departure_seen_by(&self, person: &PersonSession, user: &str) -> Result<Departure, Refusal> {
        if person.person.id != user {
            self.hold_act(person, Act::ViewRecord, &About::GATE).await?;
        }
        self.departure(user)
    }

    /// Who has what, and where bundle and log disagree.
    ///
    /// # Errors
    /// `not_permitted_here`.
    pub async fn ownership_seen_by(&self, person: &PersonSession) -> Result<OwnershipReply, Refusal> {
        self.hold_act(person, Act::ViewRecord, &About::GATE).await?;
        Ok(self.ownership())
    }

    /// What is kept, held and erased.
    ///
    /// # Errors
    /// `not_permitted_here`.
    pub async fn retention_seen_by(&self, person: &PersonSession) -> Result<RetentionReply, Refusal> {
        // Whoever reads the record sees it, and whoever erases: as one of two, too.
        let erase = [(Act::Erase, About::GATE)];
        let you_may_erase = self.may_each(person, &erase, self.now()).await?.iter().all(|answer| answer.permitted);
        if !you_may_erase {
            self.hold_act(person, Act::ViewRecord, &About::GATE).await?;
        }
        let proposals = self.erasure_proposals(&person.person, you_may_erase);
        Ok(RetentionReply { proposals, you_may_erase, ..self.retention() })
    }

    /// What was or is to be sent.
    ///
    /// # Errors
    /// `not_permitted_here`; as [`Self::deliveries`].
    pub async fn deliveries_seen_by(
        &self,
        person: &PersonSession,
        state: Option<&str>,
    ) -> Result<DeliveryList, Refusal> {
        self.hold_act(person, Act::Operate, &About::GATE).await?;
        self.deliveries(state).await
    }

    /// Has a delivery that was given up tried again.
    ///
    /// # Errors
    /// `not_permitted_here`; as [`Self::retry_delivery`].
    pub async fn retry_delivery_by(&self, person: &PersonSession, id: String) -> Result<(), Refusal> {
        self.hold_act(person, Act::Operate, &About::GATE).await?;
        self.retry_delivery(id).await
    }

    /// The findings of whom this person may read the record of.
    ///
    /// # Errors
    /// As [`Self::findings`]; `bad_page_token`; `limit` where the module gives no answer.
    pub async fn findings_seen_by(
        &self,
        person: &PersonSession,
        filter: &FindingFilter,
        page: &PageWanted,
    ) -> Result<FindingList, Refusal> {
        let (now, position) = (self.now(), self.position());
        let about = |line: &FindingLine| About::agent(&line.subject);
        let all = self.findings(&person.person, filter)?;
        let mut walk = self.walk(all, page, &person.person, &("findings", filter))?;
        let mut findings = Vec::new();
        while let Some(some) = walk.some() {
            let seen = self.may_see(person, Act::ViewRecord, some.iter().map(about), now).await?;
            let before = findings.len();
            findings.extend(some.into_iter().zip(seen).filter_map(|(line, seen)| seen.then_some(line)));
            walk.saw(findings.len().saturating_sub(before));
        }
        // Also of those that the filter leaves out: how many are not resolved is told of what one may see.
        let open = self.unresolved_findings(None);
        let seen = self.may_see(person, Act::ViewRecord, open.iter().map(about), now).await?;
        let unresolved = seen.into_iter().filter(|seen| *seen).count();
        Ok(FindingList { now, position, unresolved, findings, next: self.next_page(walk)? })
    }

    /// One finding, with evidence and decisions side by side.
    ///
    /// # Errors
    /// `not_permitted_here`; as [`Self::finding`].
    pub async fn finding_seen_by(&self, person: &PersonSession, id: &str) -> Result<FindingDetail, Refusal> {
        let about = self.about_finding(id)?;
        self.hold_act(person, Act::ViewRecord, &about).await?;
        let mut detail = self.finding(id)?;
        let sees = self.may_see(person, Act::ViewArguments, [about].into_iter(), self.now()).await?;
        if sees != [true] {
            // A digest of arguments that anybody could guess tells them.
            detail.evidence.iter_mut().for_each(|evidence| evidence.input_digest = None);
            detail.decisions.iter_mut().for_each(|decision| decision.input_digest = None);
        }
        Ok(detail)
    }

    /// Whose finding it is.
    pub(in crate::app) fn about_finding(&self, id: &str) -> Result<About, Refusal> {
        self.finding_line(id).map(|line| About::agent(&line.subject))
    }

    /// A change as this person hears of it: of an exception that they may not see, nothing.
    pub async fn change_seen_by(
        &self,
        person: &PersonSession,
        known: &mut Seen<String>,
        change: Change,
    ) -> Option<Change> {
        let Some(id) = change.exception.as_deref() else { return Some(change) };
        let now = self.now();
        let owner = change.kind.contains("owner");
        if let Some(seen) = known.get(&id.to_owned(), now).filter(|_| !owner) {
            return seen.then_some(change);
        }
        let about = About::exception_of(&self.state(), id);
        let seen = self.may_see(person, Act::View, [about].into_iter(), now).await.is_ok_and(|seen| seen == [true]);
        known.keep(id.to_owned(), seen);
        seen.then_some(change)
    }
}

/// Whether one person does it alone.
pub(super) fn alone(answer: &ConsoleAnswer) -> bool {
    answer.permitted && answer.persons < 2
}
