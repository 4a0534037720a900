//! What a yes would allow, as rows to draw.

use policy_core::abi::{Edge, Previewed};
use policy_core::digest::Digest;
use policy_core::grant::{Grant, Scope};
use policy_core::outcome::Outcome;
use policy_core::question::SealedQuestion;
use policy_core::time::Timestamp;
use proviso_api::exceptions::QuestionsReply;
use serde::{Deserialize, Serialize};

use super::facts::{entity, verdict};
use super::grant_form::GrantForm;
use super::time::ago;

/// What the worker is asked to try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// The scope that is voted on.
    pub scope: Scope,
    /// The grant as it would be.
    pub grant: Grant,
}

/// A preview that arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// What it is of.
    pub scope: Scope,
    /// What the module answered.
    pub previewed: Previewed,
    /// The grant as policy.
    pub cedar: String,
    /// How long the module took for it, in milliseconds.
    pub millis: f64,
}

/// The grant that a scope would make: as the server renders it, with the scope in it and the group's members.
pub fn trial(form: &GrantForm, scope: Scope, questions: &QuestionsReply) -> Trial {
    let mut grant = Grant { scope: scope.clone(), ..questions.grant.clone() };
    if let Some(members) = form.members() {
        grant.members = members;
    }
    Trial { scope, grant }
}

/// One recorded denial that would pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flip {
    /// The call, in one line.
    pub call: String,
    /// By whom, when it is another agent.
    pub other_agent: Option<String>,
    /// When it was refused.
    pub when: String,
}

/// How many of the recorded denials that would pass are listed at first, and more at each step: a thousand rows are not
/// drawn anew within a frame at each edit.
pub const LISTED: usize = 20;

/// What would become of recorded denials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flips {
    /// Those that would pass, by their place among the denials; those of other agents first.
    passing: Vec<usize>,
    /// How many were tried.
    pub tried: usize,
}

/// What would become of recorded denials, the refusals of this very call left out: they are what is asked for.
pub fn flips(previewed: &Previewed, others: &[SealedQuestion], this: &SealedQuestion) -> Flips {
    let is_this = |other: &SealedQuestion| other.call == this.call && other.task == this.task;
    let is_listed = |at: &usize| others.get(*at).is_some_and(|other| !is_this(other));
    let mut passing: Vec<usize> =
        previewed.flips.iter().filter_map(|at| usize::try_from(*at).ok()).filter(is_listed).collect();
    passing.sort_by_key(|at| others.get(*at).is_some_and(|other| other.call.subject == this.call.subject));
    Flips { passing, tried: others.iter().filter(|other| !is_this(other)).count() }
}

impl Flips {
    /// How many would pass.
    pub fn would_pass(&self) -> usize {
        self.passing.len()
    }

    /// The first of those that would pass, at most so many.
    pub fn rows(&self, others: &[SealedQuestion], this: &SealedQuestion, now: Timestamp, most: usize) -> Vec<Flip> {
        let listed = self.passing.iter().take(most).filter_map(|at| others.get(*at));
        listed
            .map(|question| Flip {
                call: call(question),
                other_agent: (question.call.subject != this.call.subject).then(|| entity(&question.call.subject)),
                when: ago(now, question.now),
            })
            .collect()
    }
}

/// A call in one line: the action on its resources.
pub fn call(question: &SealedQuestion) -> String {
    let resources: Vec<String> = question.call.resources.iter().map(entity).collect();
    let input = question.call.input.as_ref().map(super::facts::value);
    match input {
        Some(input) => format!("{} {} {}", question.call.action, resources.join(", "), bounded(&input)),
        None => format!("{} {}", question.call.action, resources.join(", ")),
    }
}

fn bounded(text: &str) -> String {
    policy_core::text::visible(text, 120)
}

/// One side of an edge: a call that was tried on the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The call, in words of the dimension; empty where there is none.
    pub words: String,
    /// `allow` or `deny`, as the module answered.
    pub verdict: &'static str,
    /// Whether the module answered what the edge promises. When not, something is wrong and the page says so.
    pub as_promised: bool,
}

/// Where a grant ends in one dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Border {
    /// The dimension.
    pub dimension: String,
    /// The largest call that passes.
    pub passes: Side,
    /// The nearest that does not.
    pub fails: Side,
}

/// Where a grant ends in each dimension.
pub fn borders(edges: &[Edge]) -> Vec<Border> {
    let side = |words: &str, outcome: Outcome, should_pass: bool| Side {
        words: words.to_owned(),
        verdict: verdict(outcome),
        as_promised: words.is_empty() || outcome.permits() == should_pass,
    };
    edges
        .iter()
        .map(|edge| Border {
            dimension: edge.dimension.clone(),
            passes: side(&edge.passes, edge.passes_outcome, true),
            fails: side(&edge.fails, edge.fails_outcome, false),
        })
        .collect()
}

/// How many questions the module answered for a preview: before and after, both sides of each edge, each denial.
pub fn questions_asked(previewed: &Previewed) -> usize {
    let sides = previewed.edges.iter().flat_map(|edge| [&edge.passes, &edge.fails]).filter(|words| !words.is_empty());
    2 + sides.count() + usize::try_from(previewed.tried).unwrap_or(0)
}

/// Whether these bytes are the module that the sheet names.
///
/// # Errors
/// The digest that they have instead.
pub fn check_module(bytes: &[u8], expected: Digest) -> Result<(), Digest> {
    let found = Digest::of(bytes);
    if found == expected { Ok(()) } else { Err(found) }
}

#[cfg(test)]
mod tests {
    use policy_core::entity::EntityRef;

    use super::*;
    use crate::view_model::samples;

    #[test]
    fn one_changed_byte_is_another_module() {
        let mut bytes = vec![0, 97, 115, 109, 1, 0, 0, 0];
        let digest = Digest::of(&bytes);
        assert_eq!(check_module(&bytes, digest), Ok(()));
        bytes[7] ^= 1;
        assert!(check_module(&bytes, digest).is_err());
    }

    #[test]
    fn a_flip_of_another_agent_is_named_and_this_call_is_none() {
        let this = samples::question();
        let mut stranger = samples::question();
        stranger.call.subject = EntityRef::new("Agent", "stranger");
        let mut sibling = samples::question();
        sibling.call.input_digest = Digest::of(b"another input");
        let others = [this.clone(), sibling, stranger];
        let previewed = Previewed { flips: vec![0, 1, 2, 7], ..samples::previewed() };
        let flips = flips(&previewed, &others, &this);
        let rows = flips.rows(&others, &this, samples::at(0), LISTED);
        let agents: Vec<Option<&str>> = rows.iter().map(|row| row.other_agent.as_deref()).collect();
        assert_eq!(
            agents,
            [Some("Agent::\"stranger\""), None],
            "neither this call nor a position outside the list, and another agent's first"
        );
        assert_eq!((flips.tried, flips.would_pass()), (2, 2));
    }

    #[test]
    fn of_a_thousand_that_would_pass_all_are_counted_and_as_many_are_drawn_as_are_asked_for() {
        let this = samples::question();
        let others: Vec<SealedQuestion> = (0..1_000_u32)
            .map(|number| {
                let mut other = samples::question();
                other.call.input_digest = Digest::of(&number.to_be_bytes());
                other
            })
            .collect();
        let previewed = Previewed { flips: (0..1_000).collect(), tried: 1_000, ..samples::previewed() };
        let flips = flips(&previewed, &others, &this);
        assert_eq!((flips.would_pass(), flips.tried), (1_000, 1_000));
        for (most, drawn) in [(0, 0), (LISTED, LISTED), (1_000, 1_000), (5_000, 1_000)] {
            assert_eq!(flips.rows(&others, &this, samples::at(0), most).len(), drawn);
        }
    }

    #[test]
    fn an_edge_that_does_not_hold_is_seen() {
        let edge = Edge {
            dimension: "uses".into(),
            passes: "1st use".into(),
            passes_outcome: Outcome::PermittedByException,
            fails: "2nd use".into(),
            fails_outcome: Outcome::PermittedByException,
        };
        let rows = borders(&[edge]);
        assert_eq!(rows.len(), 1);
        assert!(rows[0].passes.as_promised && !rows[0].fails.as_promised);
    }

    #[test]
    fn the_tried_grant_holds_the_voted_scope() {
        let (sheet, questions) = (samples::sheet(), samples::questions());
        let form = GrantForm::open(&sheet, &questions);
        let scope = form.scope(samples::at(0)).expect("makes sense");
        let tried = trial(&form, scope.clone(), &questions);
        assert_eq!(tried.grant.scope, scope);
        assert_eq!(tried.grant.id, questions.grant.id);
    }
}
