//! What the schema says of actions, arguments and entities, with every name resolved.

use std::collections::{BTreeMap, BTreeSet};

/// A type that an argument, a context member or an attribute has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// `Bool`.
    Bool,
    /// `Long`.
    Long,
    /// `String`.
    String,
    /// `datetime`.
    Datetime,
    /// `duration`.
    Duration,
    /// `decimal`.
    Decimal,
    /// `ipaddr`.
    Ipaddr,
    /// An entity of this type.
    Entity(String),
    /// A set.
    Set(Box<Type>),
    /// A record.
    Record(BTreeMap<String, Member>),
}

/// A member of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its type.
    pub of: Type,
    /// Whether it must be there.
    pub required: bool,
    /// `@path`: a path in the one normal form.
    pub path: bool,
    /// `@secret`: never shown and never stored.
    pub secret: bool,
}

/// What the schema says of an action.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActionType {
    /// Who may take it, by type as Cedar has it, sorted.
    pub principals: BTreeSet<String>,
    /// On what.
    pub resources: BTreeSet<String>,
    /// The members of its context.
    pub context: BTreeMap<String, Member>,
    /// Its annotations: `effect`, `reversible`, `says`, `sum`.
    pub annotations: BTreeMap<String, String>,
}

/// What the schema says of an entity type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntityShape {
    /// Its attributes.
    pub attributes: BTreeMap<String, Member>,
    /// What it may be a member of.
    pub member_of: BTreeSet<String>,
    /// Whether the schema lists the ids that there are.
    pub listed: bool,
}

impl ActionType {
    /// What the action declares of its arguments; nothing for an untyped action.
    pub fn input(&self) -> Option<&BTreeMap<String, Member>> {
        match self.context.get("input") {
            Some(Member { of: Type::Record(members), .. }) => Some(members),
            _ => None,
        }
    }

    /// Whether the context declares this member with exactly this type.
    pub fn declares(&self, name: &str, of: &Type) -> bool {
        self.context.get(name).is_some_and(|member| member.of == *of)
    }
}

impl EntityShape {
    /// Whether an entity of this type that nobody knows cannot be imagined.
    pub fn needs_facts(&self) -> bool {
        self.attributes.values().any(|member| member.required)
    }
}

/// The type of a member at a path of member names.
pub fn at<'a>(members: &'a BTreeMap<String, Member>, path: &[String]) -> Option<&'a Member> {
    let (first, rest) = path.split_first()?;
    let member = members.get(first)?;
    match (&member.of, rest) {
        (_, []) => Some(member),
        (Type::Record(inner), rest) => at(inner, rest),
        _ => None,
    }
}
