//! What is to be erased.

use policy_core::entity::EntityRef;
use policy_core::time::Span;
use serde::{Deserialize, Serialize};

use crate::app::refusal::Refusal;
use crate::store::Log;

/// What kind of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// What was asked, with its arguments, of each evaluation: sealed questions, and what could not be sealed.
    Arguments,
    /// Evaluations whole: who was answered what, and what was asked.
    Decisions,
    /// Reports of what ran.
    Executions,
    /// Searches, with what they looked at.
    Searches,
    /// Exceptions whole: requests with their justifications, votes with their reasons, grants, reviews.
    Exceptions,
    /// Credentials, sign-in links and sessions.
    Credentials,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Arguments, Self::Decisions, Self::Executions, Self::Searches, Self::Exceptions, Self::Credentials];

    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Arguments => "arguments",
            Self::Decisions => "decisions",
            Self::Executions => "executions",
            Self::Searches => "searches",
            Self::Exceptions => "exceptions",
            Self::Credentials => "credentials",
        }
    }
}

impl std::str::FromStr for Class {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|class| class.word() == word);
        found.ok_or_else(|| format!("one of {}", Self::ALL.map(Self::word).join(", ")))
    }
}

/// What an operator wants erased.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureRequest {
    /// What is about this person, by id: asked for them, in their name, or by their sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// What is about this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<EntityRef>,
    /// This one record, by log and position; of the ledger with all that hangs together with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<(String, u64)>,
    /// Only what is older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older_than: Option<Span>,
    /// Only these classes; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<Class>,
    /// Why.
    pub reason: String,
    /// Only says what would be erased.
    #[serde(default)]
    pub dry_run: bool,
}

/// The same, as the gate understands it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selection {
    pub who: Who,
    pub older_than: Option<Span>,
    pub classes: Vec<Class>,
}

/// About whom or what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Who {
    Person(EntityRef),
    Agent(EntityRef),
    Record(Log, u64),
    Anybody,
}

impl Selection {
    /// Reads a request. `person_type` is the bundle's type of people.
    pub fn of(request: &ErasureRequest, person_type: &str) -> Result<Self, Refusal> {
        let who = match (&request.person, &request.agent, &request.record) {
            (Some(id), None, None) => Who::Person(EntityRef::new(person_type, id)),
            (None, Some(agent), None) => Who::Agent(agent.clone()),
            (None, None, Some((log, seq))) => {
                let found = Log::ALL.into_iter().find(|known| known.name() == log);
                let unknown = || Refusal::not_found("unknown_log", "there is no such log");
                Who::Record(found.ok_or_else(unknown)?, *seq)
            }
            (None, None, None) if request.older_than.is_some() => Who::Anybody,
            (None, None, None) => {
                return Err(Refusal::bad("nothing_selected", "nothing says what is to be erased"));
            }
            _ => return Err(Refusal::bad("nothing_selected", "one person, one agent or one record at a time")),
        };
        Ok(Self { who, older_than: request.older_than, classes: request.classes.clone() })
    }

    /// Whether this very record is meant.
    pub fn is_record(&self, log: Log, seq: u64) -> bool {
        self.who == Who::Record(log, seq)
    }

    /// Whether a class is meant.
    pub fn has(&self, class: Class) -> bool {
        self.classes.is_empty() || self.classes.contains(&class)
    }

    /// About what, in a word.
    pub const fn word(&self) -> &'static str {
        match self.who {
            Who::Person(_) => "person",
            Who::Agent(_) => "agent",
            Who::Record(..) => "record",
            Who::Anybody => "age",
        }
    }

    /// The person or agent.
    pub const fn entity(&self) -> Option<&EntityRef> {
        match &self.who {
            Who::Person(entity) | Who::Agent(entity) => Some(entity),
            Who::Record(..) | Who::Anybody => None,
        }
    }
}
