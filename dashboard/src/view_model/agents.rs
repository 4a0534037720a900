//! Agents: the addresses of their pages, and what one may do today in rows to draw.

use policy_core::entity::EntityRef;
use policy_core::outcome::Outcome;
use proviso_api::agents::{AgentLine, CallToday, PolicyMention};

use super::facts::entity;
use super::queue::encoded;

/// The address of an agent's page.
pub fn address(agent: &EntityRef) -> String {
    format!("/agents?type={}&id={}", encoded(&agent.kind), encoded(&agent.id))
}

/// The agents that a search leaves, those with something open or live first.
pub fn shown(agents: &[AgentLine], search: &str) -> Vec<AgentLine> {
    let words: Vec<String> = search.split_whitespace().map(str::to_lowercase).collect();
    let mut kept: Vec<AgentLine> = agents
        .iter()
        .filter(|line| {
            let owners = line.owners.iter().map(|owner| owner.id.as_str()).collect::<Vec<_>>().join(" ");
            let text = format!("{} {owners}", line.agent).to_lowercase();
            words.iter().all(|word| text.contains(word))
        })
        .cloned()
        .collect();
    kept.sort_by_key(|line| (!line.locked, line.grants == 0 && line.requests == 0, line.agent.clone()));
    kept
}

/// What one of the four outcomes lets a call do today, in words.
pub const fn today(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::PermittedByScope => "allowed, by delegated scope",
        Outcome::PermittedByException => "allowed, by a grant",
        Outcome::RequestableDenial => "may be asked for",
        Outcome::Denial => "denied",
    }
}

/// Whether today's answer is another than it was then.
pub const fn differs(call: &CallToday) -> bool {
    call.permitted_then != call.outcome.permits()
}

/// What a folder's policies do about an agent.
pub fn folder(folder: &str) -> &'static str {
    match folder {
        "guardrails" => "Never, whatever anybody grants",
        "scope" => "By delegated scope",
        _ => "May be asked for",
    }
}

/// What a policy is about, in one line: its actions, and the resources that the bundle knows.
pub fn about(mention: &PolicyMention) -> String {
    let mut on: Vec<String> = mention.resources.iter().take(4).map(entity).collect();
    let more = (mention.resources_in_all as usize).saturating_sub(on.len());
    if more > 0 {
        on.push(format!("{more} more"));
    }
    format!("{} on {}", mention.actions.join(", "), on.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: &str, grants: u32, locked: bool) -> AgentLine {
        AgentLine {
            agent: EntityRef::new("Agent", id),
            known: true,
            owners: vec![EntityRef::new("User", "tom")],
            grants,
            requests: 0,
            locked,
            asked_at: None,
        }
    }

    #[test]
    fn what_is_locked_or_live_comes_first() {
        let agents = [line("a", 0, false), line("b", 1, false), line("c", 0, true)];
        let ids = |search| shown(&agents, search).into_iter().map(|line| line.agent.id).collect::<Vec<_>>().join(" ");
        assert_eq!(ids(""), "c b a");
        assert_eq!(ids("TOM agent"), "c b a");
        assert_eq!(ids("nobody"), "");
    }

    #[test]
    fn an_id_with_slashes_is_one_member_of_the_address() {
        let agent = EntityRef::new("Agent", "spiffe://acme/x&y");
        assert_eq!(address(&agent), "/agents?type=Agent&id=spiffe%3A%2F%2Facme%2Fx%26y");
    }

    #[test]
    fn many_resources_are_counted() {
        let mention = PolicyMention {
            policy: "p".into(),
            folder: "scope".into(),
            file: "scope/a.cedar".into(),
            line: 1,
            actions: vec!["read".into(), "write".into()],
            resources: (0..6).map(|number| EntityRef::new("File", number.to_string())).collect(),
            resources_in_all: 9,
            looks_at_the_call: false,
            text: String::new(),
        };
        assert!(about(&mention).starts_with("read, write on File::") && about(&mention).ends_with(", 5 more"));
        for word in ["guardrails", "scope", "approval/request"] {
            assert!(!folder(word).is_empty());
        }
    }
}
