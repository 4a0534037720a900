//! Locks and revokes: what is to be set, and what they caught, in words.

use policy_core::entity::EntityRef;
use policy_core::question::LockTarget;

/// What a lock can be on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// An agent.
    #[default]
    Subject,
    /// All that acts for a person.
    Person,
    /// A task.
    Task,
    /// A grant.
    Grant,
    /// A tool, for everybody.
    Tool,
    /// A server, for everybody.
    Server,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Subject, Self::Person, Self::Task, Self::Grant, Self::Tool, Self::Server];

    /// Its word in the address.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Person => "person",
            Self::Task => "task",
            Self::Grant => "grant",
            Self::Tool => "tool",
            Self::Server => "server",
        }
    }

    /// What it is called.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Subject => "an agent",
            Self::Person => "all that acts for a person",
            Self::Task => "a task",
            Self::Grant => "a grant",
            Self::Tool => "a tool, for everybody",
            Self::Server => "a server, for everybody",
        }
    }

    /// What an address or a field names; the first for anything else.
    pub fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|kind| kind.word() == word).unwrap_or_default()
    }

    /// Whether its reach is to be looked at before it is set.
    pub const fn is_wide(self) -> bool {
        matches!(self, Self::Tool | Self::Server)
    }
}

/// What is named. An entity is written `TYPE::ID`, as the record tells it.
///
/// # Errors
/// One sentence about what is missing.
pub fn target(kind: Kind, named: &str) -> Result<LockTarget, &'static str> {
    let named = named.trim();
    if named.is_empty() {
        return Err("Say what is to be locked.");
    }
    let entity = || {
        let (kind, id) =
            named.split_once("::").ok_or("Write it as TYPE::ID, such as Agent::spiffe://acme.example/agent/x.")?;
        let id = id.trim_matches('"');
        if kind.is_empty() || id.is_empty() { Err("Write it as TYPE::ID.") } else { Ok(EntityRef::new(kind, id)) }
    };
    Ok(match kind {
        Kind::Subject => LockTarget::Subject(entity()?),
        Kind::Person => LockTarget::Person(entity()?),
        Kind::Task => LockTarget::Task(named.to_owned()),
        Kind::Grant => LockTarget::Grant(named.to_owned()),
        Kind::Tool => LockTarget::Tool(named.to_owned()),
        Kind::Server => LockTarget::Server(named.to_owned()),
    })
}

/// A target in words.
pub fn says(target: &LockTarget) -> String {
    match target {
        LockTarget::Subject(entity) => format!("agent {entity}"),
        LockTarget::Person(entity) => format!("all that acts for {entity}"),
        LockTarget::Task(task) => format!("task {task}"),
        LockTarget::Grant(grant) => format!("grant {grant}"),
        LockTarget::Tool(tool) => format!("tool {tool}, for everybody"),
        LockTarget::Server(server) => format!("server {server}, for everybody"),
    }
}

/// The members of the query that asks for the reach.
pub fn query(target: &LockTarget) -> Vec<(&'static str, String)> {
    match target {
        LockTarget::Subject(entity) => vec![("subject", entity.id.to_string()), ("type", entity.kind.to_string())],
        LockTarget::Person(entity) => vec![("person", entity.id.to_string()), ("type", entity.kind.to_string())],
        LockTarget::Task(task) => vec![("task", task.clone())],
        LockTarget::Grant(grant) => vec![("grant", grant.clone())],
        LockTarget::Tool(tool) => vec![("tool", tool.clone())],
        LockTarget::Server(server) => vec![("server", server.clone())],
    }
}

/// `1 grant`, `3 grants`.
pub fn several(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// What a stop caught in the middle.
pub fn caught(calls: usize) -> String {
    match calls {
        0 => "Nothing honours it any more, and no call was under way.".into(),
        1 => "Nothing honours it any more; 1 call was under way and is told to stop.".into(),
        more => format!("Nothing honours it any more; {more} calls were under way and are told to stop."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_what_is_locked() {
        let agent = LockTarget::Subject(EntityRef::new("Agent", "spiffe://acme/x"));
        assert_eq!(target(Kind::Subject, " Agent::spiffe://acme/x "), Ok(agent.clone()));
        assert_eq!(target(Kind::Subject, "Agent::\"spiffe://acme/x\""), Ok(agent.clone()));
        assert!(target(Kind::Person, "mara").is_err() && target(Kind::Task, " ").is_err());
        assert!(target(Kind::Subject, "::x").is_err() && target(Kind::Subject, "Agent::").is_err());
        assert_eq!(target(Kind::Task, "close-q3"), Ok(LockTarget::Task("close-q3".into())));
        assert_eq!(query(&agent), [("subject", "spiffe://acme/x".to_owned()), ("type", "Agent".to_owned())]);
    }

    #[test]
    fn every_kind_has_a_word_and_says_what_it_is() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_word(kind.word()), kind);
            let named = if matches!(kind, Kind::Subject | Kind::Person) { "User::x" } else { "x" };
            let target = target(kind, named).expect("named");
            assert!(says(&target).contains('x'));
            assert_eq!(query(&target)[0].0, kind.word());
        }
        assert!(Kind::Tool.is_wide() && Kind::Server.is_wide() && !Kind::Grant.is_wide());
    }

    #[test]
    fn what_was_under_way_is_told() {
        assert!(caught(0).contains("no call"));
        assert!(caught(1).contains("1 call was") && caught(2).contains("2 calls were"));
        assert_eq!((several(1, "grant"), several(0, "grant")), ("1 grant".to_owned(), "0 grants".to_owned()));
    }
}
