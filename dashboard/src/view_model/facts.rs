//! The facts of a request in words: outcomes, reasons, terms, values. All of it comes from the decision sheet.

use policy_core::entity::EntityRef;
use policy_core::grant::Scalar;
use policy_core::outcome::{Outcome, Reason, Terms};
use policy_core::presence::Presence;
use policy_core::question::SealedQuestion;
use policy_core::value::Value;
use proviso_api::ownership::{OwnerReply, OwnerSource};

use super::problem::sentence;
use super::time::{length, zoned};

/// An entity as policy writes it: `File::"/reports/x"`, the id quoted as JSON quotes it.
pub fn entity(entity: &EntityRef) -> String {
    format!("{}::{}", entity.kind, quoted(&entity.id))
}

/// Who owns it now, and from where that is known.
pub fn owned(owner: &OwnerReply) -> String {
    let ids = |people: &[EntityRef]| people.iter().map(|person| person.id.clone()).collect::<Vec<_>>().join(", ");
    let source = match (owner.source, owner.since) {
        (OwnerSource::HandOver, Some(since)) => format!("by a hand-over of {}", zoned(since)),
        (OwnerSource::HandOver, None) => "by a hand-over".to_owned(),
        (OwnerSource::Bundle, _) => "by the bundle".to_owned(),
    };
    let bundle = owner.bundle.as_ref().map(|bundle| match bundle.is_empty() {
        true => "; the bundle names nobody".to_owned(),
        false => format!("; the bundle says {}", ids(bundle)),
    });
    format!("{}, {source}{}", ids(&owner.owners), bundle.unwrap_or_default())
}

/// Text in quotes, with quotes, backslashes and control characters escaped.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A value that a condition compares with.
pub fn scalar(value: &Scalar) -> String {
    match value {
        Scalar::Bool(value) => value.to_string(),
        Scalar::Long(value) => value.to_string(),
        Scalar::String(text) => quoted(text),
        Scalar::Entity(reference) => entity(reference),
    }
}

/// A value of an attribute.
pub fn value(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Long(value) => value.to_string(),
        Value::String(text) => quoted(text),
        Value::Entity(reference) => entity(reference),
        Value::Datetime(text) | Value::Duration(text) | Value::Decimal(text) | Value::Ipaddr(text) => text.clone(),
        Value::Set(values) => {
            format!("[{}]", values.iter().map(self::value).collect::<Vec<_>>().join(", "))
        }
        Value::Record(members) => {
            let members: Vec<String> =
                members.iter().map(|(name, member)| format!("{name}: {}", self::value(member))).collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

/// What the question knows of an entity: its attributes by name, and where they are from.
pub fn known_of(question: &SealedQuestion, uid: &EntityRef) -> Vec<(String, String)> {
    question
        .entities
        .iter()
        .filter(|fact| fact.uid == *uid)
        .flat_map(|fact| fact.attrs.iter().map(|(name, attribute)| (name.to_string(), value(attribute))))
        .collect()
}

/// What an outcome lets a call do, in one word.
pub const fn verdict(outcome: Outcome) -> &'static str {
    if outcome.permits() { "allow" } else { "deny" }
}

/// Why an outcome is what it is, in one sentence: the same that the API says.
pub fn reason(reason: Reason) -> String {
    sentence(reason.sentence())
}

/// What the agent is told to do about it.
pub fn remedy(reason: Reason) -> Option<String> {
    reason.help().map(sentence)
}

/// What policy demands, one line for each demand.
pub fn terms(terms: &Terms) -> Vec<(&'static str, String)> {
    let mut lines = vec![
        ("tier", terms.tier.clone()),
        ("approvals", people(terms.approvals)),
        ("at most", format!("{}, {}", length(terms.max_duration), uses(terms.max_uses))),
    ];
    if let Some(why) = raised(terms) {
        lines.push(("why that tier", why));
    }
    if !terms.groups.is_empty() {
        lines.push(("one from each of", terms.groups.join(", ")));
    }
    match terms.presence {
        Presence::Session => {}
        Presence::Authentication => lines.push(("presence", "an authentication just now".to_owned())),
        Presence::Signature => lines.push(("presence", "each approval is signed by a passkey".to_owned())),
    }
    if let Some(step_up) = &terms.step_up {
        lines.push(("sign-in", step_up.clone()));
    }
    if terms.binding {
        lines.push(("credential", "bound to a key of the agent's".into()));
    }
    if let Some(within) = terms.review_within {
        lines.push(("review", format!("within {} after the end", length(within))));
    }
    lines
}

/// Why the tier is one more than policy says, where it is.
pub fn raised(terms: &Terms) -> Option<String> {
    let from = terms.raised_from.as_ref()?;
    Some(format!("a tier higher than {from}, because the arguments hold what cannot be shown as what it is"))
}

/// What a hop of a chain stands on: a credential that was verified, or the word of an enforcement point.
pub fn vouched(issuer: &str) -> String {
    match issuer.strip_prefix("point:") {
        Some(point) => format!("vouched · {point}"),
        None => format!("verified · {issuer}"),
    }
}

/// What the subject of a question stands on.
pub fn shown_by(question: &SealedQuestion) -> String {
    match (question.vouched, question.bound) {
        (true, _) => format!("vouched · {}", question.enforcement_point.as_deref().unwrap_or_default()),
        (false, true) => "verified · its own credential, bound to a key".into(),
        (false, false) => "verified · its own credential".into(),
    }
}

/// `1 person` or `2 people`.
pub fn people(count: u32) -> String {
    if count == 1 { "1 person".into() } else { format!("{count} different people") }
}

/// `1 use` or `5 uses`.
pub fn uses(count: u32) -> String {
    if count == 1 { "1 use".into() } else { format!("{count} uses") }
}

/// A digest, short: its first and last four digits.
pub fn short(digest: &str) -> String {
    match (digest.get(..4), digest.len().checked_sub(4).and_then(|from| digest.get(from..))) {
        (Some(first), Some(last)) if digest.len() > 12 => format!("{first}…{last}"),
        _ => digest.to_owned(),
    }
}

/// Text cut into pieces, each with whether it is odd: a character that does not show as what it is, or the mark
/// `⟨U+202E⟩` by which the gate has already written one.
pub fn marked(text: &str) -> Vec<(bool, String)> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, mark, after)) = next_mark(rest) {
        pieces.extend(policy_core::text::spans(before));
        pieces.push((true, mark.to_owned()));
        rest = after;
    }
    pieces.extend(policy_core::text::spans(rest));
    pieces
}

/// The first mark with what stands before and behind it.
fn next_mark(text: &str) -> Option<(&str, &str, &str)> {
    text.match_indices('⟨').find_map(|(at, bracket)| {
        let (before, from) = text.split_at_checked(at)?;
        let (mark, after) = from.strip_prefix(bracket)?.split_once('⟩')?;
        let digits = mark.strip_prefix("U+")?;
        let is_mark = (4..=6).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_mark.then_some((before, mark, after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view_model::samples;

    #[test]
    fn ids_are_quoted_so_that_nothing_in_them_reads_as_more() {
        assert_eq!(entity(&EntityRef::new("File", "a\"::\"b\n")), "File::\"a\\\"::\\\"b\\n\"");
    }

    #[test]
    fn an_owner_is_told_with_where_that_is_known_from() {
        let user = |id: &str| EntityRef::new("User", id);
        let declared = OwnerReply {
            of: proviso_api::ownership::Owned::Exception("exc_1".into()),
            owners: vec![user("jun"), user("tom")],
            source: OwnerSource::Bundle,
            by_agent: true,
            since: None,
            by: None,
            bundle: None,
        };
        assert_eq!(owned(&declared), "jun, tom, by the bundle");
        let given = OwnerReply {
            owners: vec![user("mara")],
            source: OwnerSource::HandOver,
            since: "2026-11-22T12:00:00Z".parse().ok(),
            by: Some(user("tom")),
            bundle: Some(vec![user("tom")]),
            ..declared.clone()
        };
        let told = owned(&given);
        assert!(told.starts_with("mara, by a hand-over of ") && told.ends_with("; the bundle says tom"), "{told}");
        let nobody = OwnerReply { bundle: Some(Vec::new()), ..given };
        assert!(owned(&nobody).ends_with("; the bundle names nobody"));
    }

    #[test]
    fn a_tier_that_was_raised_is_told_with_the_one_that_policy_says_and_why() {
        let policy_says = samples::sheet().sheet.exception.terms;
        assert_eq!(raised(&policy_says), None);
        assert!(terms(&policy_says).iter().all(|(name, _)| *name != "why that tier"));
        let higher = Terms { tier: "high".into(), raised_from: Some("medium".into()), ..policy_says };
        let why = "a tier higher than medium, because the arguments hold what cannot be shown as what it is";
        assert_eq!(raised(&higher).as_deref(), Some(why));
        assert!(terms(&higher).contains(&("why that tier", why.to_owned())));
    }

    #[test]
    fn a_reason_is_told_in_the_words_of_the_api_with_its_remedy() {
        assert_eq!((reason(Reason::Scope).as_str(), remedy(Reason::Scope)), ("Delegated scope permits this.", None));
        assert_eq!(reason(Reason::Locked), "A lock stops this.");
        assert_eq!(remedy(Reason::Locked).as_deref(), Some("Leave it until the lock is lifted."));
    }

    #[test]
    fn marks_of_odd_characters_stand_out() {
        assert_eq!(
            marked("a⟨U+202E⟩b"),
            [(false, "a".to_owned()), (true, "U+202E".to_owned()), (false, "b".to_owned())]
        );
        assert_eq!(marked("plain"), [(false, "plain".to_owned())]);
        assert!(marked("a\u{202e}b").iter().any(|(odd, _)| *odd), "a raw override stands out too");
    }

    #[test]
    fn a_digest_is_told_by_its_ends() {
        assert_eq!(short(&"ab".repeat(32)), "abab…abab");
        assert_eq!(short("main"), "main");
    }

    #[test]
    fn values_are_written_like_policy_writes_them() {
        let given = Value::Set(vec![Value::Long(3), Value::String("x".into())]);
        assert_eq!(value(&given), "[3, \"x\"]");
    }
}
