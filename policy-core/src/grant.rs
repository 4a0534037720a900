//! What a yes allows: the scope that people vote on, and the grant that the votes made.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use thiserror::Error;

use crate::digest::Digest;
use crate::entity::{EntityRef, Hop};
use crate::time::{Span, Timestamp};

/// How many members a group may have when it is approved as a resource scope (R3).
pub const MOST_MEMBERS: usize = 256;
/// The most uses that a rate may count: a grant remembers this many of its last uses.
pub const MOST_RATE: u32 = 256;

/// A narrowed scope, the JSON of a vote's `grant` and of a request's `proviso.dev/scope`.
///
/// INVARIANT (R5): a scope is compared by structure alone, in [`crate::containment`]; it holds no policy text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// On what.
    pub resource: ResourceScope,
    /// With which arguments.
    pub arguments: ArgumentScope,
    /// Not usable before; absent: from approval on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Not usable at this instant or after it (R6).
    pub not_after: Timestamp,
    /// How often, at least 1.
    pub max_uses: u32,
    /// How long it is valid, counted from its start, so that the time to decide does not eat it; absent: until
    /// `not_after`. A grant has none: when it is made, its end is fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_for: Option<Span>,
    /// How many uses in how long, at most; absent: as fast as the uses last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// Sums over integer arguments that all uses together stay within.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<Budget>,
}

impl Scope {
    /// The scope with its end fixed, as it is where it is granted at this instant: after its own length or `longest`,
    /// counted from its start, and never after the end of its window.
    #[must_use]
    pub fn granted_at(&self, at: Timestamp, longest: Option<Span>) -> Self {
        let begin = self.not_before.map_or(at, |begin| begin.max(at));
        let length = [self.valid_for, longest].into_iter().flatten().min();
        let not_after = length.map_or(self.not_after, |length| self.not_after.min(begin.plus(length)));
        Self { not_after, valid_for: None, ..self.clone() }
    }
}

/// The resource dimension of a scope: `{"is": {…}}` or `{"in": {…}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceScope {
    /// Exactly this resource.
    Is(EntityRef),
    /// A member of this group, as the members were when it was approved.
    In(EntityRef),
}

/// The arguments dimension of a scope: `"exact"`, or a list of conditions.
///
/// Under a list, a top-level argument of the approved call that no condition names is open: it may have any value that
/// the schema admits. An argument that the approved call did not have stays forbidden, so that nobody adds `overwrite`
/// to a call that was approved without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArgumentScope {
    /// The same canonical arguments, compared by digest.
    Exact,
    /// All of these hold. Never empty.
    Conditions(Vec<Condition>),
}

/// One condition on one argument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Where the argument stands: member names from the top of the arguments. An argument that is absent, or that the
    /// schema does not know, is outside every condition.
    pub at: Vec<String>,
    /// What must hold of it.
    #[serde(flatten)]
    pub test: Test,
}

/// The four conditions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Test {
    /// The argument is this.
    Equals {
        /// The value.
        value: Scalar,
    },
    /// The argument is one of these, all of one type.
    OneOf {
        /// The values, at least one.
        values: Vec<Scalar>,
    },
    /// A whole number from `min` to `max`, both included.
    Between {
        /// The lower end; 0 when not given.
        #[serde(default)]
        min: i64,
        /// The upper end.
        max: i64,
    },
    /// A path (an argument that the schema marks `@path`) that is this folder or lies in it, by whole segments.
    Inside {
        /// The folder: absolute and in normal form.
        path: String,
    },
}

/// A value that a condition can compare with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// A Cedar `Bool`.
    Bool(bool),
    /// A Cedar `Long`.
    Long(i64),
    /// A Cedar `String`.
    String(String),
    /// An entity reference.
    Entity(EntityRef),
}

/// A sum that all uses of a grant stay within.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// The integer argument that is summed; never negative.
    pub at: Vec<String>,
    /// The sum that is never passed.
    pub max: i64,
}

/// A bound on speed: at most so many uses in every stretch of so long. As text `10/1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// The most uses, from 1 to [`MOST_RATE`].
    pub uses: u32,
    /// In how long, at least a second.
    pub per: Span,
}

impl Rate {
    /// Whether whoever keeps to this rate keeps to `outer`, too.
    ///
    /// A stretch of the outer length is covered by so many of this rate's, each with at most this many uses.
    pub fn is_inside(self, outer: Self) -> bool {
        let stretches = outer.per.seconds().div_ceil(self.per.seconds().max(1)).max(1);
        u64::from(self.uses).saturating_mul(stretches) <= u64::from(outer.uses)
    }

    /// A rate that keeps to both.
    #[must_use]
    pub fn strictest(self, other: Self) -> Self {
        if self.is_inside(other) {
            self
        } else if other.is_inside(self) {
            other
        } else {
            Self { uses: self.uses.min(other.uses), per: self.per.max(other.per) }
        }
    }

    /// Whether it can be kept count of: 1 to [`MOST_RATE`] uses in a second or more.
    pub const fn is_countable(self) -> bool {
        1 <= self.uses && self.uses <= MOST_RATE && self.per.seconds() >= 1
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.uses, self.per)
    }
}

/// What is no rate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a rate such as `10/1h`: 1 to {MOST_RATE} uses in a second or more")]
pub struct NoRate(String);

impl FromStr for Rate {
    type Err = NoRate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (uses, per) = text.split_once('/')?;
            let rate = Self { uses: uses.parse().ok()?, per: per.parse().ok()? };
            // One form each: no sign, no leading zero.
            (rate.uses.to_string() == uses && rate.is_countable()).then_some(rate)
        };
        read().ok_or_else(|| NoRate(text.chars().take(80).collect()))
    }
}

/// What the votes made: everything that a use is held against (R3). It compiles to one Cedar `permit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The grant's id.
    pub id: SmolStr,
    /// The exception that it belongs to.
    pub exception: SmolStr,
    /// Which version of the scope won, from 1.
    pub version: u32,
    /// The workload identity that may use it.
    pub subject: EntityRef,
    /// The task that it is for.
    pub task: SmolStr,
    /// The ordered chain that the subject acts for, from the current actor inward. Compared as a whole.
    pub chain: Vec<Hop>,
    /// The enforcement point that may use it.
    pub enforcement_point: SmolStr,
    /// The upstream server that the call goes to, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<SmolStr>,
    /// The digest of the tool's definition, where the call is a tool's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<Digest>,
    /// The action.
    pub action: SmolStr,
    /// The scope.
    pub scope: Scope,
    /// What was in the group when it was approved, where the resource scope is a group, sorted. Where it is one resource
    /// of a call with several: exactly those. At most [`MOST_MEMBERS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<EntityRef>,
    /// The digest of the approved call's canonical arguments.
    pub input_digest: Digest,
    /// The names of the approved call's top-level arguments, sorted: no other may appear in a use.
    pub input_names: Vec<SmolStr>,
}

/// The two forms of [`ArgumentScope`] on the wire.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ArgumentWire {
    Word(String),
    List(Vec<Condition>),
}

impl Serialize for ArgumentScope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Exact => serializer.serialize_str("exact"),
            Self::Conditions(conditions) => conditions.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ArgumentScope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        match ArgumentWire::deserialize(deserializer) {
            Ok(ArgumentWire::Word(word)) if word == "exact" => Ok(Self::Exact),
            Ok(ArgumentWire::List(conditions)) if !conditions.is_empty() => Ok(Self::Conditions(conditions)),
            _ => Err(D::Error::custom("`arguments` is \"exact\" or a list of at least one condition")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(uses: u32, per: u64) -> Rate {
        Rate { uses, per: Span::from_seconds(per) }
    }

    #[test]
    fn arguments_are_exact_or_some_conditions() {
        let condition = r#"{"at":["rows"],"op":"between","min":0,"max":5}"#;
        for (text, fine) in [
            (r#""exact""#.to_owned(), true),
            (format!("[{condition}]"), true),
            (r#""any""#.to_owned(), false),
            (r#""""#.to_owned(), false),
            ("[]".to_owned(), false),
            ("null".to_owned(), false),
        ] {
            let read = serde_json::from_str::<ArgumentScope>(&text);
            assert_eq!(read.is_ok(), fine, "{text}");
            if let Ok(read) = read {
                assert_eq!(
                    serde_json::to_value(&read).unwrap(),
                    serde_json::from_str::<serde_json::Value>(&text).unwrap()
                );
            }
        }
    }

    #[test]
    fn a_rate_has_one_text() {
        for (text, expected) in [("10/1h", rate(10, 3600)), ("1/1s", rate(1, 1)), ("256/1d1s", rate(256, 86_401))] {
            assert_eq!(text.parse::<Rate>(), Ok(expected));
            assert_eq!(expected.to_string(), text);
        }
        for text in ["", "10", "10/", "/1h", "0/1h", "257/1h", "+1/1h", "01/1h", "1/0s", "1/1h/1h", "1 /1h", "-1/1h"] {
            let error = text.parse::<Rate>().map_err(|error| error.to_string());
            assert!(error.is_err_and(|told| told.starts_with(&format!("`{text}` is not a rate"))), "{text}");
        }
    }

    #[test]
    fn what_keeps_to_a_rate_keeps_to_a_wider_one() {
        for (inner, outer, inside) in [
            (rate(2, 60), rate(2, 60), true),
            (rate(2, 60), rate(1, 60), false),
            (rate(2, 61), rate(2, 60), true),
            (rate(2, 60), rate(2, 61), false),
            (rate(2, 60), rate(3, 61), false),
            (rate(2, 60), rate(4, 61), true),
            (rate(2, 60), rate(4, 120), true),
            (rate(2, 60), rate(5, 121), false),
            (rate(2, 60), rate(6, 121), true),
            (rate(256, 1), rate(256, 366 * 86_400), false),
        ] {
            assert_eq!(inner.is_inside(outer), inside, "{inner} in {outer}");
        }
    }

    #[test]
    fn the_strictest_of_two_rates_keeps_to_both() {
        let rates = [rate(1, 1), rate(2, 60), rate(3, 60), rate(5, 300), rate(9, 600), rate(100, 86_400)];
        for first in rates {
            for second in rates {
                let both = first.strictest(second);
                assert!(both.is_inside(first) && both.is_inside(second), "{first} {second}: {both}");
                assert_eq!(both, second.strictest(first));
            }
            assert_eq!(first.strictest(first), first);
        }
        assert_eq!(rate(2, 60).strictest(rate(100, 86_400)), rate(2, 86_400));
        assert_eq!(rate(2, 60).strictest(rate(2, 30)), rate(2, 60));
    }

    #[test]
    fn a_rate_that_cannot_be_counted_is_none() {
        for (rate, countable) in
            [(rate(0, 1), false), (rate(1, 0), false), (rate(1, 1), true), (rate(256, 1), true), (rate(257, 1), false)]
        {
            assert_eq!(rate.is_countable(), countable, "{rate}");
        }
    }
}
