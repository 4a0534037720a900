//! The grant form: opens with the smallest grant, and goes no further than what was asked for.

use policy_core::containment;
use policy_core::entity::EntityRef;
use policy_core::grant::{ArgumentScope, Condition, ResourceScope, Scope};
use policy_core::lifecycle::Exception;
use policy_core::question::SealedQuestion;
use policy_core::time::{Span, Timestamp};
use proviso_api::exceptions::{QuestionsReply, ResourceGroup, SheetReply};

use super::knob::{Kind, Knob, scalars};
use super::problem::sentence;

/// What the approver has set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantForm {
    /// How long it is valid from its start; absent where what was asked for ends at an instant.
    valid_for: Option<Span>,
    /// When it ends at the latest. An instant, so that what was previewed is what is voted on however long one thinks.
    not_after: Timestamp,
    /// How often it can be used.
    pub uses: u32,
    /// Whether the arguments are fixed as they stand; else the knobs say what is.
    pub exact: bool,
    /// One for each scalar argument.
    pub knobs: Vec<Knob>,
    /// On what.
    pub resource: ResourceScope,
    bounds: Bounds,
}

/// What the form cannot leave: the version that a vote would narrow, and the terms.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bounds {
    asked: Scope,
    longest: Span,
    most_uses: u32,
    question: SealedQuestion,
    groups: Vec<ResourceGroup>,
}

impl GrantForm {
    /// The form as it opens: with the smallest grant that lets the call through, or with the version that others have
    /// approved already, since any other would void their votes.
    pub fn open(sheet: &SheetReply, questions: &QuestionsReply) -> Self {
        let exception = &sheet.sheet.exception;
        let asked = exception.versions.last().map_or(&exception.request.scope, |version| &version.scope).clone();
        let question = questions.question.clone();
        let call = &question.call;
        let opening = if has_votes(exception) {
            asked.clone()
        } else {
            // To the millisecond: an untouched form must not make a version of its own.
            sheet.smallest.clone()
        };
        let conditions = |scope: &Scope| match &scope.arguments {
            ArgumentScope::Exact => Vec::new(),
            ArgumentScope::Conditions(conditions) => conditions.clone(),
        };
        let (asked_of, set_to) = (conditions(&asked), conditions(&opening));
        let test_at = |conditions: &[Condition], at: &[String]| {
            conditions.iter().find(|condition| condition.at == at).map(|condition| condition.test.clone())
        };
        let knobs = call
            .input
            .as_ref()
            .map(scalars)
            .unwrap_or_default()
            .into_iter()
            .map(|(at, value)| {
                let is_path = call.paths.contains(&at);
                let mut knob = Knob::new(at.clone(), value, is_path, test_at(&asked_of, &at));
                match test_at(&set_to, &at) {
                    Some(test) => knob.set(&test),
                    None if set_to.is_empty() => {}
                    None => knob.kind = Kind::Open,
                }
                knob
            })
            .collect();
        Self {
            valid_for: opening.valid_for,
            not_after: opening.not_after,
            uses: opening.max_uses,
            exact: opening.arguments == ArgumentScope::Exact,
            knobs,
            resource: opening.resource,
            bounds: Bounds {
                longest: exception.terms.max_duration,
                most_uses: exception.terms.max_uses.min(asked.max_uses).max(1),
                groups: questions.groups.clone(),
                asked,
                question,
            },
        }
    }

    /// What was asked for, or the version that a vote would narrow.
    pub fn asked(&self) -> &Scope {
        &self.bounds.asked
    }

    /// Whether the arguments can be told by conditions: they can when conditions were asked for.
    pub fn can_have_conditions(&self) -> bool {
        matches!(self.bounds.asked.arguments, ArgumentScope::Conditions(_)) && !self.knobs.is_empty()
    }

    /// The most uses that can be given.
    pub fn most_uses(&self) -> u32 {
        self.bounds.most_uses
    }

    /// The window that was asked for, with what is set: what is granted is its length, counted from its start.
    fn window(&self) -> Scope {
        Scope { valid_for: self.valid_for, not_after: self.not_after, ..self.bounds.asked.clone() }
    }

    /// When the grant begins, where the last vote lands at `now`.
    fn begins(&self, now: Timestamp) -> Timestamp {
        self.bounds.asked.not_before.map_or(now, |begin| begin.max(now))
    }

    /// When the grant ends, where the last vote lands at `now`: by the rule that makes the grant.
    pub fn ends(&self, now: Timestamp) -> Timestamp {
        self.window().granted_at(now, Some(self.bounds.longest)).not_after
    }

    /// How long the grant is valid, where the last vote lands at `now`.
    pub fn length(&self, now: Timestamp) -> Span {
        self.ends(now).since(self.begins(now))
    }

    /// How long what was asked for would be valid, where the last vote lands at `now`.
    pub fn asked_length(&self, now: Timestamp) -> Span {
        self.bounds.asked.granted_at(now, None).not_after.since(self.begins(now))
    }

    /// The longest that can be given at `now`; nothing when the window is over.
    pub fn longest(&self, now: Timestamp) -> Span {
        self.bounds.longest.min(self.asked_length(now))
    }

    /// Sets the length in seconds, at most [`Self::longest`]. It counts from the grant's start, as it was asked for; where
    /// an end was asked for instead, from `now`.
    pub fn set_length(&mut self, seconds: u64, now: Timestamp) {
        let length = Span::from_seconds(seconds).min(self.longest(now));
        if length.seconds() == 0 {
            return;
        }
        if self.bounds.asked.valid_for.is_some() {
            self.valid_for = Some(length);
        } else {
            self.not_after = whole(self.begins(now).plus(length)).min(self.bounds.asked.not_after);
        }
    }

    /// Whether this opens more than another does, in any dimension.
    pub fn is_wider(&self, opening: &Self) -> bool {
        self.uses > opening.uses
            || (opening.exact && !self.exact)
            || (!self.exact && self.knobs != opening.knobs)
            || self.resource != opening.resource
            || self.valid_for > opening.valid_for
            || self.not_after > opening.not_after
    }

    /// What the resource can be set to.
    pub fn resources(&self) -> Vec<ResourceScope> {
        let mut choices: Vec<ResourceScope> =
            match (&self.bounds.asked.resource, self.bounds.question.call.resources.as_slice()) {
                (ResourceScope::In(_), [one]) => vec![ResourceScope::Is(one.clone())],
                _ => Vec::new(),
            };
        choices.extend(self.bounds.groups.iter().map(|group| ResourceScope::In(group.group.clone())));
        for scope in [&self.bounds.asked.resource, &self.resource] {
            if !choices.contains(scope) {
                choices.push(scope.clone());
            }
        }
        choices
    }

    /// The members of the group that the resource is set to, as they would stand in the grant.
    pub fn members(&self) -> Option<Vec<EntityRef>> {
        let ResourceScope::In(set) = &self.resource else { return None };
        self.bounds.groups.iter().find(|group| group.group == *set).map(|group| group.members.clone())
    }

    /// The scope that the form stands for, at `now`.
    ///
    /// # Errors
    /// One sentence about what makes no sense, or goes beyond what was asked for.
    pub fn scope(&self, now: Timestamp) -> Result<Scope, String> {
        let arguments = if self.exact {
            ArgumentScope::Exact
        } else {
            let mut conditions: Vec<Condition> =
                self.knobs.iter().map(Knob::condition).filter_map(Result::transpose).collect::<Result<_, _>>()?;
            if conditions.is_empty() {
                return Err("A grant fixes at least one argument.".into());
            }
            // In the order of what was asked, so that an untouched version stays the same version.
            if let ArgumentScope::Conditions(asked) = &self.bounds.asked.arguments {
                conditions.sort_by_key(|set| asked.iter().position(|asked| asked.at == set.at).unwrap_or(asked.len()));
            }
            ArgumentScope::Conditions(conditions)
        };
        let asked = &self.bounds.asked;
        let scope = Scope {
            resource: self.resource.clone(),
            arguments,
            not_before: asked.not_before,
            not_after: self.not_after,
            max_uses: self.uses,
            valid_for: self.valid_for,
            rate: asked.rate,
            budgets: asked.budgets.clone(),
        };
        if scope.not_after <= now {
            return Err("The window is over. Choose a later end.".into());
        }
        containment::check_scope(&scope, &self.bounds.question.call, now)
            .map_err(|error| sentence(&error.to_string()))?;
        containment::within(&scope, asked, &self.bounds.question).map_err(|error| sentence(&error.to_string()))?;
        Ok(scope)
    }
}

/// Whether somebody has approved the version that stands.
fn has_votes(exception: &Exception) -> bool {
    let current = exception.versions.last().map_or(1, |version| version.number);
    exception.votes.iter().any(|vote| vote.version == current && vote.stands_for_it())
}

/// Cut to whole seconds: nobody reads milliseconds in an end.
fn whole(instant: Timestamp) -> Timestamp {
    Timestamp::from_millis(instant.millis() - instant.millis() % 1_000)
}

#[cfg(test)]
mod tests;
