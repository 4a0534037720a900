//! Who is here and what is under way, in words.

use policy_core::console::Act;
use policy_core::entity::EntityRef;
use proviso_api::people::{AccountLine, Member, PeopleReply, ProposalKind, ProposalLine};

use super::queue::encoded;
use super::time::zoned;

/// The page of a person.
pub fn member_address(person: &EntityRef) -> String {
    format!("/people/{}", encoded(&person.id))
}

/// How somebody is here, in a line.
pub fn standing(member: &Member) -> String {
    let sessions = match member.sessions {
        0 => "signed in nowhere".to_owned(),
        1 => "signed in once".to_owned(),
        count => format!("signed in {count} times"),
    };
    match (member.departed_at, member.enrolled_at) {
        (Some(at), _) => format!("left at {}", zoned(at)),
        (None, None) => "was never here".to_owned(),
        (None, Some(at)) => format!("here since {}, {sessions}", zoned(at)),
    }
}

/// What is wanted, in a sentence without its end.
pub fn wanted(line: &ProposalLine) -> String {
    let person = &line.person.id;
    match (line.kind, &line.provider, &line.subject) {
        (ProposalKind::Account, Some(provider), Some(subject)) => {
            format!("{person} comes in by the account {subject} of {provider}, too")
        }
        _ => format!("{person} comes in for the first time"),
    }
}

/// How it stands.
pub fn proposal_state(line: &ProposalLine) -> String {
    match (line.state.as_str(), &line.agreed_by) {
        ("waits", _) => format!("waits for a second administrator until {}", zoned(line.until)),
        ("agreed", Some(by)) if line.kind == ProposalKind::Account => format!("linked; {} agreed", by.id),
        ("agreed", Some(by)) => format!("{} agreed; the link was not used yet", by.id),
        ("agreed", None) => "the link was not used yet".to_owned(),
        ("used", _) => "has come in".to_owned(),
        ("withdrawn", _) => "taken back".to_owned(),
        ("earlier_epoch", _) => "over: the gate was restored since".to_owned(),
        _ => "lapsed".to_owned(),
    }
}

/// Whether it can be taken back.
pub fn is_under_way(line: &ProposalLine) -> bool {
    line.state == "waits" || (line.state == "agreed" && line.kind == ProposalKind::Invitation)
}

/// What is wrong with how many administrators are here; nothing where there are enough.
pub fn too_few(people: &PeopleReply) -> Option<&'static str> {
    match (people.has_console, people.administrators.len()) {
        (false, _) => Some(
            "The bundle has no `console/`: it lets nobody look after people, and the host's operator lets everybody in.",
        ),
        (true, 0) => Some("No administrator is here. What takes two approvers is not granted before two are."),
        (true, 1) => Some("One administrator is here. What takes two approvers is not granted before a second one is."),
        (true, _) => None,
    }
}

/// From where an account is known.
pub fn account_source(account: &AccountLine) -> String {
    let by: Vec<&str> = account.linked_by.iter().map(|person| person.id.as_str()).collect();
    match account.linked_at {
        Some(at) => format!("linked by {} at {}", by.join(" and "), zoned(at)),
        None => "by the operator's file".to_owned(),
    }
}

/// What somebody may do, in a line.
pub fn rights(may: &[Act]) -> String {
    let told: Vec<&str> = may.iter().map(|act| act.says()).collect();
    if told.is_empty() { "nothing".to_owned() } else { told.join(", ") }
}

#[cfg(test)]
mod tests {
    use policy_core::time::Timestamp;

    use super::*;

    fn somebody() -> Member {
        Member {
            person: EntityRef::new("User", "a/b"),
            groups: Vec::new(),
            administrator: false,
            enrolled_at: None,
            new_until: None,
            departed_at: None,
            sessions: 0,
        }
    }

    fn line(state: &str, agreed_by: Option<&str>) -> ProposalLine {
        ProposalLine {
            id: "prp_1".to_owned(),
            kind: ProposalKind::Invitation,
            person: EntityRef::new("User", "nia"),
            provider: None,
            subject: None,
            by: EntityRef::new("User", "jun"),
            reason: "joins".to_owned(),
            at: Timestamp::from_millis(0),
            until: Timestamp::from_millis(0),
            state: state.to_owned(),
            agreed_by: agreed_by.map(|by| EntityRef::new("User", by)),
            you_may_agree: false,
        }
    }

    #[test]
    fn who_is_here_is_told_by_the_record() {
        let at = Some(Timestamp::from_millis(0));
        assert_eq!(member_address(&somebody().person), "/people/a%2Fb");
        assert_eq!(standing(&somebody()), "was never here");
        let here = Member { enrolled_at: at, sessions: 2, ..somebody() };
        assert!(standing(&here).ends_with("signed in 2 times"), "{}", standing(&here));
        assert!(standing(&Member { departed_at: at, ..here }).starts_with("left at"));
    }

    #[test]
    fn a_proposal_is_told_as_it_stands() {
        for (state, agreed, told, under_way) in [
            ("waits", None, "waits for a second administrator", true),
            ("agreed", Some("kit"), "kit agreed; the link was not used yet", true),
            ("agreed", None, "the link was not used yet", true),
            ("used", Some("kit"), "has come in", false),
            ("withdrawn", None, "taken back", false),
            ("lapsed", None, "lapsed", false),
            ("earlier_epoch", None, "over: the gate was restored since", false),
        ] {
            let line = line(state, agreed);
            assert!(proposal_state(&line).starts_with(told), "{}", proposal_state(&line));
            assert_eq!(is_under_way(&line), under_way, "{state}");
        }
        let account = ProposalLine {
            kind: ProposalKind::Account,
            provider: Some("acme".to_owned()),
            subject: Some("7".to_owned()),
            ..line("agreed", Some("kit"))
        };
        assert_eq!(wanted(&account), "nia comes in by the account 7 of acme, too");
        assert_eq!(proposal_state(&account), "linked; kit agreed");
        assert!(!is_under_way(&account), "it is taken away on the person's page");
    }

    #[test]
    fn too_few_administrators_are_told() {
        let people = |has_console: bool, administrators: usize| PeopleReply {
            now: Timestamp::from_millis(0),
            position: 0,
            administrators: vec![EntityRef::new("User", "kit"); administrators],
            has_console,
            people: Vec::new(),
            more: 0,
            proposals: Vec::new(),
            recovery: None,
        };
        assert!(too_few(&people(true, 1)).unwrap().starts_with("One"));
        assert!(too_few(&people(true, 0)).unwrap().starts_with("No administrator"));
        assert!(too_few(&people(false, 0)).is_some());
        assert_eq!(too_few(&people(true, 2)), None);
        assert_eq!(rights(&[]), "nothing");
    }
}
