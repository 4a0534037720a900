//! Erasures that people propose and confirm: what was filled in, and how a proposal stands, in words.

use policy_core::entity::EntityRef;
use proviso_api::erasures::{ErasureProposalLine, ErasureWhat, RecordPlace};

use super::retention::class;
use super::time::{length, zoned};

/// What an erasure can be about: the word, as plans have it, what it is called, and how it is written.
pub const KINDS: [(&str, &str, &str); 4] = [
    ("person", "a person", "a person's id"),
    ("agent", "an agent", "TYPE::ID"),
    ("record", "one record", "LOG/POSITION, such as ledger/12"),
    ("age", "whatever is older", "nothing: only the age counts"),
];

/// What is to be erased, as it was filled in.
///
/// # Errors
/// What to fill in otherwise.
pub fn what(kind: &str, of: &str, older_than: &str) -> Result<ErasureWhat, &'static str> {
    let (of, older_than) = (of.trim(), older_than.trim());
    let mut what = ErasureWhat::default();
    if !older_than.is_empty() {
        what.older_than = Some(older_than.parse().map_err(|_| "Write the age like 90d.")?);
    }
    match kind {
        "person" if !of.is_empty() => what.person = Some(of.to_owned()),
        "person" => return Err("Say of whom: a person's id."),
        "agent" => {
            let (kind, id) = of
                .split_once("::")
                .filter(|(kind, id)| !kind.is_empty() && !id.is_empty())
                .ok_or("Say of which agent, as TYPE::ID.")?;
            what.agent = Some(EntityRef::new(kind, id));
        }
        "record" => {
            let place = of.rsplit_once('/').and_then(|(log, seq)| Some((log, seq.parse().ok()?)));
            let (log, seq) = place.ok_or("Say which record, as LOG/POSITION.")?;
            what.record = Some(RecordPlace { log: log.to_owned(), seq });
        }
        _ if what.older_than.is_none() => return Err("Say how old what is erased has to be, like 400d."),
        _ => {}
    }
    Ok(what)
}

/// What somebody confirms: as it was proposed, with whom it is about as they say it.
///
/// # Errors
/// What to fill in otherwise.
pub fn confirmed(line: &ErasureProposalLine, of: &str) -> Result<ErasureWhat, &'static str> {
    let plan = &line.plan;
    let mut said = match &plan.record {
        Some(place) => ErasureWhat { record: Some(place.clone()), ..ErasureWhat::default() },
        None if is_about_somebody(line) => what(&plan.what, of, "")?,
        None => ErasureWhat::default(),
    };
    (said.older_than, said.classes) = (plan.older_than, plan.classes.clone());
    Ok(said)
}

/// Whether the record keeps from everybody whom it is about.
pub fn is_about_somebody(line: &ErasureProposalLine) -> bool {
    line.plan.of.is_some()
}

/// What is to be erased, without whom it is about.
pub fn says(line: &ErasureProposalLine) -> String {
    let plan = &line.plan;
    let what = match (&plan.record, plan.what.as_str()) {
        (Some(place), _) => format!("The record {} of the log {}", place.seq, place.log),
        (None, "person") => "What is about a person".to_owned(),
        (None, "agent") => "What is about an agent".to_owned(),
        (None, _) => "Whatever there is".to_owned(),
    };
    let older = plan.older_than.map(|age| format!(", older than {}", length(age))).unwrap_or_default();
    let classes: Vec<&str> = plan.classes.iter().map(|word| class(word)).collect();
    let classes = if classes.is_empty() { String::new() } else { format!(": {} alone", classes.join(", ")) };
    format!("{what}{older}{classes}")
}

/// How it stands.
pub fn standing(line: &ErasureProposalLine) -> String {
    let by = line.confirmed_by.as_ref().map(|by| by.id.as_str()).unwrap_or_default();
    match line.state.as_str() {
        "waits" => format!("waits for a second person until {}, or nothing is erased", zoned(line.until)),
        "confirmed" => format!("confirmed by {by}, and not carried out to its end: one of the two confirms it again"),
        "done" => format!("carried out; {by} confirmed it"),
        "withdrawn" => "taken back: nothing was erased".to_owned(),
        "earlier_epoch" => "over: the gate was restored since".to_owned(),
        "lapsed" if line.confirmed_by.is_some() => {
            format!("lapsed: {by} confirmed it, and it was not carried out to its end in time")
        }
        _ => "lapsed: nobody confirmed it, and nothing was erased".to_owned(),
    }
}

/// Whether it is under way.
pub fn is_open(line: &ErasureProposalLine) -> bool {
    ["waits", "confirmed"].contains(&line.state.as_str())
}

#[cfg(test)]
mod tests {
    use policy_core::digest::Digest;
    use policy_core::time::{Span, Timestamp};
    use proviso_api::erasures::ErasurePlan;

    use super::*;

    fn line(what: &str, state: &str) -> ErasureProposalLine {
        let somebody = ["person", "agent"].contains(&what);
        let place = RecordPlace { log: "ledger".into(), seq: 12 };
        let plan = ErasurePlan {
            what: what.into(),
            of: somebody.then(|| Digest::of(b"whom")),
            record: (what == "record").then_some(place),
            older_than: (what == "age").then(|| Span::from_seconds(90 * 86_400)),
            classes: if what == "age" { vec!["decisions".into()] } else { Vec::new() },
        };
        ErasureProposalLine {
            id: "ers_1".into(),
            plan,
            digest: Digest::of(b"plan"),
            reason: "old".into(),
            by: EntityRef::new("User", "kit"),
            at: Timestamp::from_millis(0),
            until: Timestamp::from_millis(1_000),
            state: state.into(),
            confirmed_by: ["confirmed", "done"].contains(&state).then(|| EntityRef::new("User", "jun")),
            you_may_confirm: true,
        }
    }

    #[test]
    fn what_was_filled_in_is_read_or_said_otherwise() {
        let person = ErasureWhat { person: Some("ines".into()), ..ErasureWhat::default() };
        assert_eq!(what("person", " ines ", ""), Ok(person));
        let agent = what("agent", "Agent::spiffe://a/b", "90d").unwrap();
        assert_eq!(agent.agent, Some(EntityRef::new("Agent", "spiffe://a/b")));
        assert_eq!(agent.older_than, Some(Span::from_seconds(90 * 86_400)));
        let record = what("record", "decisions/main/7", "").unwrap();
        assert_eq!(record.record, Some(RecordPlace { log: "decisions/main".into(), seq: 7 }));
        assert_eq!(what("age", "", "400d").unwrap().older_than, Some(Span::from_seconds(400 * 86_400)));
        for (kind, of, older) in [
            ("person", " ", ""),
            ("agent", "spiffe", ""),
            ("agent", "::x", ""),
            ("agent", "Agent::", ""),
            ("record", "ledger", ""),
            ("record", "ledger/x", ""),
            ("age", "", ""),
            ("person", "ines", "old"),
        ] {
            assert!(what(kind, of, older).is_err(), "{kind} {of} {older}");
        }
    }

    #[test]
    fn who_confirms_says_whom_it_is_about_and_nothing_else() {
        assert_eq!(confirmed(&line("person", "waits"), "ines").unwrap().person.as_deref(), Some("ines"));
        assert!(confirmed(&line("person", "waits"), "").is_err() && confirmed(&line("agent", "waits"), "x").is_err());
        assert_eq!(confirmed(&line("record", "waits"), "").unwrap().record.map(|place| place.seq), Some(12));
        let age = confirmed(&line("age", "waits"), "").unwrap();
        assert_eq!(
            (age.older_than, age.classes),
            (Some(Span::from_seconds(90 * 86_400)), vec!["decisions".to_owned()])
        );
        assert!(is_about_somebody(&line("agent", "waits")) && !is_about_somebody(&line("age", "waits")));
    }

    #[test]
    fn a_proposal_says_what_it_is_and_how_it_stands() {
        for (what, told) in [
            ("person", "What is about a person"),
            ("agent", "What is about an agent"),
            ("record", "The record 12 of the log ledger"),
            ("age", "Whatever there is, older than 90 d: decisions alone"),
        ] {
            assert_eq!(says(&line(what, "waits")), told);
        }
        for (state, words, open) in [
            ("waits", "or nothing is erased", true),
            ("confirmed", "confirmed by jun", true),
            ("done", "jun confirmed it", false),
            ("withdrawn", "taken back", false),
            ("earlier_epoch", "restored since", false),
            ("lapsed", "nobody confirmed it", false),
        ] {
            let line = line("age", state);
            assert!(standing(&line).contains(words), "{}", standing(&line));
            assert_eq!(is_open(&line), open, "{state}");
        }
        let late = ErasureProposalLine { state: "lapsed".into(), ..line("age", "confirmed") };
        assert!(standing(&late).contains("jun confirmed it") && !is_open(&late), "{}", standing(&late));
    }
}
