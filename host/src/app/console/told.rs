//! What a person is told of what they may do.

use policy_core::abi::Voter;
use policy_core::console::Act;
use policy_core::lifecycle::{Allowed, Exception, May, Rejection};
use policy_core::time::Timestamp;

use super::About;
use super::look::alone;
use crate::app::App;
use crate::app::refusal::Refusal;
use crate::identity::PersonSession;

/// What is about the gate and never about one agent.
const OF_THE_GATE: [Act; 5] = [Act::Export, Act::Operate, Act::Activate, Act::Erase, Act::Administer];
/// About how many agents it is asked whether somebody may do anything at all.
const MOST_AGENTS: usize = 64;

/// What of one exception somebody may see and do, of what was asked.
#[derive(Debug, Clone, Default)]
pub(in crate::app) struct Rights {
    asked: &'static [Act],
    may: Vec<Act>,
}

impl Rights {
    /// What a line of the queue needs to know.
    pub const OF_A_LINE: &'static [Act] = &[Act::View, Act::ViewArguments, Act::Vote, Act::Revoke];
    /// What a review needs to know.
    pub const OF_A_REVIEW: &'static [Act] = &[Act::View, Act::ViewArguments, Act::Review];
    /// All that can be done with an exception.
    pub const ALL: &'static [Act] =
        &[Act::View, Act::ViewArguments, Act::ViewRecord, Act::Vote, Act::Answer, Act::Review, Act::Revoke];

    /// Whether they may.
    pub fn has(&self, act: Act) -> bool {
        self.may.contains(&act)
    }

    /// Whether they decide on it: who may not see what it is called with decides on nothing.
    pub fn decides(&self) -> bool {
        self.has(Act::Vote) && self.has(Act::ViewArguments)
    }

    /// What is not shown.
    pub fn hidden(&self) -> Vec<Act> {
        let looks = [Act::ViewArguments, Act::ViewRecord].into_iter();
        looks.filter(|act| self.asked.contains(act) && !self.has(*act)).collect()
    }

    /// What the lifecycle lets a person do, without what the bundle does not. Taking one's own request back needs
    /// nobody's leave.
    pub fn limit(&self, allowed: &mut Allowed) {
        let limit = |may: bool, of: &mut May| {
            if !may && of.is_yes() {
                *of = May::No(Rejection::NotPermittedHere);
            }
        };
        let decides = self.decides();
        for of in deciding(allowed) {
            limit(decides, of);
        }
        limit(self.has(Act::Answer), &mut allowed.answer);
        limit(self.has(Act::Review), &mut allowed.close_review);
        limit(self.has(Act::Review), &mut allowed.dispose);
        limit(self.has(Act::Revoke), &mut allowed.revoke);
    }
}

/// What of it is deciding.
pub(in crate::app) fn deciding(allowed: &mut Allowed) -> [&mut May; 6] {
    [
        &mut allowed.approve,
        &mut allowed.refuse,
        &mut allowed.ask,
        &mut allowed.declare_emergency,
        &mut allowed.give_back,
        &mut allowed.confirm,
    ]
}

impl App {
    /// What of each of these a person may see and do; nothing of what they may not see at all. `acts` begins with
    /// [`Act::View`].
    pub(in crate::app) async fn rights(
        &self,
        person: &PersonSession,
        exceptions: &[Exception],
        acts: &'static [Act],
        now: Timestamp,
    ) -> Result<Vec<Option<Rights>>, Refusal> {
        let about = exceptions.iter().map(About::exception);
        let asked: Vec<(Act, About)> =
            about.flat_map(|about| acts.iter().map(move |act| (*act, about.clone()))).collect();
        let answers = self.may_each(person, &asked, now).await?;
        let each = answers.chunks_exact(acts.len()).map(|answers| {
            let may = acts.iter().zip(answers).filter(|(_, answer)| alone(answer)).map(|(act, _)| *act);
            Some(Rights { asked: acts, may: may.collect() }).filter(|rights| rights.has(Act::View))
        });
        Ok(each.collect())
    }

    /// What a person may do about the gate, or about any agent that the bundle knows, sorted. A page that offers more
    /// than that would offer what is refused. Where the module gives no answer, nothing.
    pub(in crate::app) async fn may_anywhere(&self, person: &PersonSession) -> Vec<Act> {
        self.may_anywhere_as(&person.voter()).await
    }

    /// The same of somebody who need not be signed in now.
    pub(in crate::app) async fn may_anywhere_as(&self, person: &Voter) -> Vec<Act> {
        let now = self.now();
        let gate: Vec<(Act, About)> = Act::ALL.into_iter().map(|act| (act, About::GATE)).collect();
        let Ok(answers) = self.may_voter(person, &gate, now).await else { return Vec::new() };
        let mut may: Vec<Act> =
            Act::ALL.into_iter().zip(answers).filter(|(_, a)| a.permitted).map(|(act, _)| act).collect();
        let left: Vec<Act> =
            Act::ALL.into_iter().filter(|act| !may.contains(act) && !OF_THE_GATE.contains(act)).collect();
        let agents = self.policy().subjects();
        let asked = agents.iter().take(MOST_AGENTS).map(About::agent);
        let asked: Vec<(Act, About)> =
            asked.flat_map(|about| left.iter().map(move |act| (*act, about.clone()))).collect();
        // About more agents than can be asked about: offered, and refused where it is not theirs.
        let more = if agents.len() > MOST_AGENTS { left.clone() } else { Vec::new() };
        let answers = self.may_voter(person, &asked, now).await.unwrap_or_default();
        may.extend(asked.iter().zip(answers).filter(|(_, answer)| answer.permitted).map(|((act, _), _)| *act));
        may.extend(more);
        may.sort_unstable();
        may.dedup();
        may
    }
}
