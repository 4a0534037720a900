//! Who has what, and what somebody who leaves leaves behind, in words; and the operator's commands for it.

use policy_core::entity::EntityRef;
use proviso_api::ownership::{Departure, LeftException, OwnerSource, Part, PersonLine, StillNamed};

use super::queue::encoded;

/// The page of what somebody leaves behind.
pub fn departure_address(person: &EntityRef) -> String {
    format!("/departures/{}", encoded(&person.id))
}

/// How much somebody has, in a line.
pub fn has(line: &PersonLine) -> String {
    let parts = [
        (line.agents, "agent", "agents"),
        (line.exceptions, "open request or grant", "open requests and grants"),
        (line.findings, "finding", "findings"),
        (line.deputies, "deputyship", "deputyships"),
    ];
    let told: Vec<String> = parts
        .into_iter()
        .filter(|(count, _, _)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
        .collect();
    if told.is_empty() { "nothing".to_owned() } else { told.join(", ") }
}

/// As what the bundle still names somebody who left.
pub fn still_named(line: &StillNamed) -> String {
    let agents = (!line.agents.is_empty()).then(|| format!("the owner of {}", names(&line.agents)));
    let groups = (!line.groups.is_empty()).then(|| format!("a member of {}", line.groups.join(", ")));
    let named: Vec<String> = agents.into_iter().chain(groups).collect();
    format!(" left, and the bundle still has them as {}.", named.join(" and as "))
}

/// Whether what they have needs somebody now.
pub const fn is_orphaned(line: &PersonLine) -> bool {
    line.departed_at.is_some() && (line.agents > 0 || line.exceptions > 0 || line.findings > 0)
}

/// From where an answer is known.
pub const fn source(source: OwnerSource) -> &'static str {
    match source {
        OwnerSource::Bundle => "by the bundle",
        OwnerSource::HandOver => "by a hand-over",
    }
}

/// The parts that somebody has in an exception.
pub fn parts(line: &LeftException) -> String {
    let word = |part: &Part| match part {
        Part::Owner => "owns it",
        Part::Requester => "it was asked for them",
        Part::Voter => "voted on it",
    };
    line.parts.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// Whether there is nothing that somebody else has to take.
pub const fn is_nothing(departure: &Departure) -> bool {
    departure.agents.is_empty()
        && departure.exceptions.is_empty()
        && departure.findings.is_empty()
        && departure.locks.is_empty()
        && departure.deputies.is_empty()
        && departure.credentials.is_empty()
}

/// Names, for a line.
pub fn names(entities: &[EntityRef]) -> String {
    let told: Vec<String> = entities.iter().map(|entity| entity.id.to_string()).collect();
    if told.is_empty() { "nobody".to_owned() } else { told.join(", ") }
}

/// What the operator runs in the place of somebody who cannot any more. `WHO`, `WHY` and `DIR` are for them to fill in.
pub fn commands(departure: &Departure) -> Vec<String> {
    let from = quoted(&departure.person.to_string());
    let mut commands = Vec::new();
    if departure.departed_at.is_none() {
        commands.push(format!("proviso owner departed {} --reason WHY --data DIR", quoted(&departure.person.id)));
    }
    let hand_over = |of: &str, what: &str| {
        format!("proviso owner hand-over {of} {} --from {from} --to WHO --reason WHY --data DIR", quoted(what))
    };
    commands.extend(departure.agents.iter().map(|line| hand_over("--agent", &line.agent.to_string())));
    let of_agents = !departure.agents.is_empty();
    // What hangs on an agent goes with it.
    let by_itself = departure.exceptions.iter().filter(|line| line.parts.contains(&Part::Owner) && !of_agents);
    commands.extend(by_itself.map(|line| hand_over("--exception", &line.id)));
    let revoke = |id: &String| format!("proviso token revoke {} --data DIR", quoted(id));
    commands.extend(departure.credentials.iter().map(|line| revoke(&line.id)));
    commands
}

/// A word of a shell, whatever stands in it: ids are text from outside (R11).
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:@%+=,".contains(&byte);
    let is_plain = !text.is_empty() && !text.starts_with('-') && text.bytes().all(plain);
    if is_plain { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use policy_core::time::Timestamp;
    use proviso_api::ownership::{LeftAgent, LeftCredential};

    use super::*;

    fn person(id: &str) -> EntityRef {
        EntityRef::new("User", id)
    }

    fn departure(agents: &[&str], departed: bool) -> Departure {
        let at = Timestamp::from_millis(0);
        let agent = |id: &&str| LeftAgent {
            agent: EntityRef::new("Agent", *id),
            owners: vec![person("tom")],
            source: OwnerSource::Bundle,
        };
        let exception = LeftException {
            id: "exc_1".into(),
            state: "granted".into(),
            says: "writes".into(),
            parts: vec![Part::Owner, Part::Voter],
        };
        Departure {
            person: person("tom"),
            now: at,
            departed_at: departed.then_some(at),
            groups: vec![],
            agents: agents.iter().map(agent).collect(),
            exceptions: vec![exception],
            findings: vec![],
            locks: vec![],
            deputies: vec![],
            credentials: vec![LeftCredential {
                id: "tok_1".into(),
                kind: "agent".into(),
                what: "w".into(),
                expires_at: at,
            }],
        }
    }

    #[test]
    fn the_operators_commands_quote_whatever_an_id_holds() {
        let one = commands(&departure(&["a'; rm -rf ~ #"], true));
        assert_eq!(
            one,
            [
                r"proviso owner hand-over --agent 'Agent::a'\''; rm -rf ~ #' --from User::tom --to WHO --reason WHY --data DIR",
                "proviso token revoke tok_1 --data DIR",
            ]
        );
        assert_eq!((quoted("-x"), quoted(""), quoted("$(id)")), ("'-x'".into(), "''".into(), "'$(id)'".into()));
    }

    #[test]
    fn what_hangs_on_an_agent_goes_with_it_and_who_is_still_here_leaves_first() {
        let none = commands(&departure(&[], false));
        assert_eq!(none.first().map(String::as_str), Some("proviso owner departed tom --reason WHY --data DIR"));
        assert!(none.iter().any(|line| line.contains("--exception exc_1")), "{none:?}");
        assert!(!commands(&departure(&["a"], true)).iter().any(|line| line.contains("--exception")));
    }

    #[test]
    fn what_somebody_has_is_told_with_its_numbers() {
        let line = |agents, findings, departed_at| PersonLine {
            person: person("tom"),
            departed_at,
            groups: vec![],
            agents,
            exceptions: 0,
            findings,
            deputies: 0,
        };
        assert_eq!(has(&line(1, 2, None)), "1 agent, 2 findings");
        assert_eq!(has(&line(0, 0, None)), "nothing");
        let left = Some(Timestamp::from_millis(0));
        assert_eq!(
            [is_orphaned(&line(1, 0, None)), is_orphaned(&line(0, 0, left)), is_orphaned(&line(0, 1, left))],
            [false, false, true]
        );
        assert_eq!(departure_address(&person("o'hara/x")), "/departures/o%27hara%2Fx");
        assert_eq!(names(&[person("a"), person("b")]), "a, b");
        assert_eq!(names(&[]), "nobody");
        assert!(!is_nothing(&departure(&[], true)));
        let named = StillNamed {
            person: person("tom"),
            departed_at: Timestamp::from_millis(0),
            groups: vec!["finance".into()],
            agents: vec![EntityRef::new("Agent", "w")],
        };
        assert_eq!(
            still_named(&named),
            " left, and the bundle still has them as the owner of w and as a member of finance."
        );
    }
}
