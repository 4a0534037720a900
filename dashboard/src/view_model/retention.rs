//! What is kept, held and erased, in words.

use proviso_api::retention::{Erased, ErasureLine, HoldLine, KeptFor};

use super::time::length;

/// A class of texts, as people say it.
pub fn class(word: &str) -> &str {
    match word {
        "arguments" => "arguments of calls",
        "decisions" => "decisions",
        "executions" => "reports of what ran",
        "searches" => "searches",
        "exceptions" => "exceptions",
        "credentials" => "credentials and sessions",
        other => other,
    }
}

/// How long a class is kept.
pub fn kept(line: &KeptFor) -> String {
    format!("{}, then erased", length(line.age))
}

/// What a hold covers.
pub fn covers(line: &HoldLine) -> String {
    match (&line.of, &line.exception) {
        (Some(entity), _) => format!("whatever speaks of {entity}"),
        (None, Some(_)) => "an exception, with what its grant permitted".to_owned(),
        (None, None) => "something that this page does not know".to_owned(),
    }
}

/// What an erasure was about. Whom is kept by nobody.
pub fn about(line: &ErasureLine) -> String {
    let what = match line.what.as_str() {
        "person" => "of a person",
        "agent" => "of an agent",
        "record" => "of one record",
        _ => "by age",
    };
    match line.older_than {
        Some(age) => format!("{what}, older than {}", length(age)),
        None => what.to_owned(),
    }
}

/// How many payloads of which class, in one line.
pub fn payloads(erased: &Erased) -> String {
    let told: Vec<String> =
        erased.payloads.iter().map(|line| format!("{} {}", line.count, class(&line.class))).collect();
    if told.is_empty() { "nothing".to_owned() } else { told.join(", ") }
}

/// What is lost with it, each with its number; what is not lost is not told.
pub fn lost(erased: &Erased) -> Vec<(u64, &'static str)> {
    [
        (erased.replays, "outcomes that no replay proves any more"),
        (erased.previews, "recorded denials that no preview tries any more"),
        (erased.exceptions, "exceptions whose decision sheets cannot be built again"),
        (erased.findings, "calls and reports that no finding can rest on any more"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .collect()
}

#[cfg(test)]
mod tests {
    use policy_core::entity::EntityRef;
    use policy_core::time::{Span, Timestamp};
    use proviso_api::retention::ClassCount;

    use super::*;

    #[test]
    fn what_is_gone_is_told_in_numbers() {
        let count = |class: &str, count| ClassCount { class: class.into(), count };
        let erased = Erased { payloads: vec![count("decisions", 3), count("new", 1)], replays: 3, ..Erased::default() };
        assert_eq!(payloads(&erased), "3 decisions, 1 new");
        assert_eq!(lost(&erased), [(3, "outcomes that no replay proves any more")]);
        assert_eq!((payloads(&Erased::default()), lost(&Erased::default()).len()), ("nothing".to_owned(), 0));
    }

    #[test]
    fn a_hold_says_what_it_covers_and_an_erasure_what_kind_of_thing_it_was_about() {
        let hold = |of: Option<EntityRef>, exception: Option<&str>| HoldLine {
            id: "hold_1".into(),
            of,
            exception: exception.map(str::to_owned),
            reason: "r".into(),
            by: "root".into(),
            at: Timestamp::from_millis(0),
        };
        assert_eq!(covers(&hold(Some(EntityRef::new("User", "ines")), None)), "whatever speaks of User::ines");
        assert!(covers(&hold(None, Some("exc_1"))).starts_with("an exception"));
        let line = |what: &str, days: Option<u64>| ErasureLine {
            run: "era_1".into(),
            what: what.into(),
            older_than: days.map(|days| Span::from_seconds(days * 86_400)),
            by: "root".into(),
            people: Vec::new(),
            reason: "r".into(),
            at: Timestamp::from_millis(0),
            erased: Erased::default(),
        };
        assert_eq!(about(&line("person", None)), "of a person");
        assert_eq!(about(&line("age", Some(90))), "by age, older than 90 d");
        assert_eq!(
            kept(&KeptFor { class: "decisions".into(), age: Span::from_seconds(400 * 86_400) }),
            "400 d, then erased"
        );
    }
}
