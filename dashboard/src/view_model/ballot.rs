//! The vote: whether it can be cast, and what it says. It is bound to everything that was shown.

use policy_core::entity::EntityRef;
use policy_core::grant::Scope;
use policy_core::json::CanonicalError;
use policy_core::lifecycle::{Rejection, VoteDecision};
use policy_core::sheet::{Ballot, DecisionSheet, binding};
use policy_core::time::Timestamp;
use proviso_api::exceptions::FrictionKind;

use super::preview::Shown;
use super::problem::sentence;

/// What stands in the way of a vote, in the order in which it is told.
pub struct Standing<'a> {
    /// Why this person may not vote, as the lifecycle says.
    pub refused: Option<Rejection>,
    /// Until when votes count.
    pub decide_by: Timestamp,
    /// The gate's time.
    pub now: Timestamp,
    /// Why there is no module to ask, when there is none.
    pub broken: Option<&'a str>,
    /// What the form stands for.
    pub scope: &'a Result<Scope, String>,
    /// The newest preview.
    pub shown: Option<&'a Shown>,
}

/// Why nobody can vote here and now; nothing when one can.
///
/// INVARIANT: a vote is cast on a preview of exactly the scope that the form stands for, by a module that has the
/// digest that the sheet names. Without that there is no vote, a refusal neither.
pub fn obstacle(standing: &Standing<'_>) -> Option<String> {
    match standing.refused {
        Some(Rejection::VotedAlready) => {
            return Some("You have approved this version. You can still ask or refuse.".into());
        }
        Some(rejection) => {
            return Some(format!("You cannot vote: {rejection}. {}", sentence(rejection.help())));
        }
        None => {}
    }
    if standing.now >= standing.decide_by {
        return Some(sentence(&Rejection::TooLate.to_string()));
    }
    if let Some(broken) = standing.broken {
        return Some(broken.to_owned());
    }
    let scope = match standing.scope {
        Ok(scope) => scope,
        Err(problem) => return Some(problem.clone()),
    };
    match standing.shown {
        Some(shown) if shown.scope == *scope => None,
        _ => Some("The preview of this grant is not there yet.".into()),
    }
}

/// Whether a vote needs a reason: a refusal always, an approval where several people must approve, and in every tier but
/// the weakest.
pub const fn needs_reason(decision: VoteDecision, approvals: u32, friction: FrictionKind) -> bool {
    match decision {
        VoteDecision::Approve => approvals >= 2 || !matches!(friction, FrictionKind::OneStep),
        VoteDecision::Refuse | VoteDecision::Ask => true,
    }
}

/// What a vote that counts is answered with, when the exception's state is `state` after it.
pub fn answer(decision: VoteDecision, state: &str) -> String {
    match (decision, state) {
        (VoteDecision::Ask, _) => "Your question stands in the history.".into(),
        (VoteDecision::Approve, "granted") => "Granted. The agent can repeat its call.".into(),
        (VoteDecision::Approve, "requested") => "Your approval counts. Another person has to approve, too.".into(),
        (VoteDecision::Refuse, "denied") => "Refused. The agent is told your reason.".into(),
        (_, other) => format!("Your vote counts. This request is {other} now."),
    }
}

/// What a person says with a vote.
#[derive(Debug, Clone, Copy, Default)]
pub struct Words<'a> {
    /// Why.
    pub reason: &'a str,
    /// An approval is of whatever lies inside the scope, too.
    pub inside: bool,
    /// The name of what it is on, as it was typed.
    pub confirm: &'a str,
}

/// The vote as it is sent.
///
/// # Errors
/// When what was shown has no canonical form.
pub fn ballot(
    person: &EntityRef,
    sheet: &DecisionSheet,
    shown: &Shown,
    decision: VoteDecision,
    words: &Words<'_>,
) -> Result<Ballot, CanonicalError> {
    let approves = decision == VoteDecision::Approve;
    let confirm = words.confirm.trim();
    Ok(Ballot {
        decision,
        as_of: sheet.as_of,
        sheet: binding(person, sheet, &shown.scope, &shown.previewed)?,
        reason: words.reason.trim().to_owned(),
        grant: shown.scope.clone(),
        // Said of an approval only.
        inside: words.inside && approves,
        confirm: (approves && !confirm.is_empty()).then(|| confirm.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view_model::samples;

    fn shown() -> Shown {
        Shown { scope: samples::sheet().smallest, previewed: samples::previewed(), cedar: String::new(), millis: 1.0 }
    }

    #[test]
    fn a_vote_wants_a_preview_of_exactly_this_scope() {
        let scope = Ok(samples::sheet().smallest);
        let shown = shown();
        let standing = |shown| Standing {
            refused: None,
            decide_by: samples::at(900),
            now: samples::at(0),
            broken: None,
            scope: &scope,
            shown,
        };
        assert_eq!(obstacle(&standing(Some(&shown))), None);
        assert!(obstacle(&standing(None)).is_some());
        let other = Shown { scope: samples::asked_scope(), ..shown.clone() };
        assert!(obstacle(&standing(Some(&other))).is_some(), "a preview of another scope is none of this one");
        let broken = Standing { broken: Some("The page refuses to vote."), ..standing(Some(&shown)) };
        assert!(obstacle(&broken).is_some(), "another module");
        let late = Standing { now: samples::at(900), ..standing(Some(&shown)) };
        assert!(obstacle(&late).is_some(), "at decide_by it is too late");
        let owner = Standing { refused: Some(Rejection::IsOwner), ..standing(Some(&shown)) };
        assert!(obstacle(&owner).expect("refused").contains("owns the agent"));
    }

    #[test]
    fn the_ballot_is_bound_to_person_sheet_grant_and_preview() {
        let (ines, ola) = (EntityRef::new("User", "Ines"), EntityRef::new("User", "Ola"));
        let sheet = samples::sheet().sheet;
        let digest = |person: &EntityRef, sheet: &DecisionSheet, shown: &Shown| {
            let words = Words { reason: " ok ", ..Words::default() };
            ballot(person, sheet, shown, VoteDecision::Approve, &words).expect("canonical").sheet
        };
        let one = digest(&ines, &sheet, &shown());
        assert_eq!(one, digest(&ines, &sheet, &shown()));
        assert_ne!(one, digest(&ola, &sheet, &shown()));
        let altered = DecisionSheet { says: "reads a file".into(), ..sheet.clone() };
        assert_ne!(one, digest(&ines, &altered, &shown()), "one fact altered is another digest");
        let mut other = shown();
        other.previewed.by_others = 1;
        assert_ne!(one, digest(&ines, &sheet, &other));
        let mut wider = shown();
        wider.scope.max_uses += 1;
        assert_ne!(one, digest(&ines, &sheet, &wider));
    }

    #[test]
    fn only_an_approval_is_of_whatever_lies_inside() {
        let (ines, sheet) = (EntityRef::new("User", "Ines"), samples::sheet().sheet);
        let words = Words { reason: "ok", inside: true, confirm: " files " };
        let cast = |decision| ballot(&ines, &sheet, &shown(), decision, &words).expect("canonical");
        let approved = cast(VoteDecision::Approve);
        assert_eq!((approved.inside, approved.confirm.as_deref()), (true, Some("files")));
        for other in [VoteDecision::Refuse, VoteDecision::Ask].map(cast) {
            assert_eq!((other.inside, other.confirm), (false, None));
        }
    }

    #[test]
    fn a_refusal_always_needs_a_reason() {
        use FrictionKind::{Name, OneStep, Reason};
        assert!(needs_reason(VoteDecision::Refuse, 1, OneStep));
        assert!(needs_reason(VoteDecision::Approve, 2, OneStep) && !needs_reason(VoteDecision::Approve, 1, OneStep));
        assert!(needs_reason(VoteDecision::Approve, 1, Reason) && needs_reason(VoteDecision::Approve, 1, Name));
    }
}
