//! How hard a yes is to say: the stronger the tier, the more a person does for it. What the page asks for is checked here,
//! so that no other client makes it easier.

use policy_core::grant::{ArgumentScope, ResourceScope};
use policy_core::lifecycle::{Exception, Rejection, VoteDecision};
use policy_core::sheet::Ballot;
use proviso_api::exceptions::{Friction, FrictionKind};

use super::App;
use super::people::rejected;
use super::refusal::Refusal;

impl App {
    /// What an approval of this takes besides the vote: in the weakest tier nothing, in the strongest that can be asked for
    /// the name of what it is on, between them a reason.
    pub(super) fn friction(&self, exception: &Exception) -> Friction {
        let policy = self.policy();
        let not_requestable = &policy.config().not_requestable;
        let mut tiers = policy.tiers();
        tiers.retain(|tier| !not_requestable.contains(tier));
        let tier = &exception.terms.tier;
        let kind = match tiers.iter().position(|known| known == tier) {
            Some(0) => FrictionKind::OneStep,
            Some(place) if place.saturating_add(1) < tiers.len() => FrictionKind::Reason,
            // One that the bundle does not know any more is nobody's weakest.
            _ => FrictionKind::Name,
        };
        let resources = exception.request.question.call.resources.iter().map(|resource| resource.id.as_str());
        let name = (kind == FrictionKind::Name).then(|| resources.collect::<Vec<_>>().join(", "));
        Friction { kind, name }
    }

    /// Refuses an approval that was easier to say than its tier wants it.
    ///
    /// # Errors
    /// `reason_needed`; `name_needed`.
    pub(super) fn hold_friction(&self, exception: &Exception, ballot: &Ballot) -> Result<(), Refusal> {
        if ballot.decision != VoteDecision::Approve {
            return Ok(());
        }
        let Friction { kind, name } = self.friction(exception);
        let opened = ballot.grant.max_uses > 1
            || ballot.grant.arguments != ArgumentScope::Exact
            || matches!(ballot.grant.resource, ResourceScope::In(_));
        if (opened || kind != FrictionKind::OneStep) && ballot.reason.trim().is_empty() {
            return Err(rejected(Rejection::ReasonNeeded));
        }
        let typed = ballot.confirm.as_deref().map(str::trim);
        match name {
            Some(name) if typed != Some(name.as_str()) => {
                Err(Refusal::bad("name_needed", "an approval of this tier names what it is on, letter by letter")
                    .help("send the resource's id as `confirm`; several are joined by `, `"))
            }
            _ => Ok(()),
        }
    }
}
