//! What of its context a bundle's `console/` looks at: what nobody looks at need not be told, and what is alike without
//! it is asked once.

use std::collections::BTreeSet;

use cedar_policy::{Policy, PolicySet};
use policy_core::abi::ConsoleAct;
use policy_core::question::EntityFact;
use policy_core::time::Timestamp;
use policy_core::value::Value as Said;
use serde_json::Value;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * 24;

/// The members of the context that a policy set reads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reads {
    members: BTreeSet<String>,
    /// A policy takes the context as a whole, or cannot be looked into.
    all: bool,
    /// Those that it reads otherwise than held against the principal: of these there are more cases than two.
    beyond: BTreeSet<String>,
    /// The texts that a policy names; of a pattern, what it has beside its wildcards, which it matches.
    words: BTreeSet<String>,
    /// The instants that a policy names, in milliseconds.
    instants: BTreeSet<i64>,
    /// The lengths of time that a policy names, in milliseconds.
    lengths: BTreeSet<i64>,
    /// The whole numbers that a policy names.
    numbers: BTreeSet<i64>,
    /// The units in which a policy takes a length of time for a number, in milliseconds.
    units: BTreeSet<i64>,
    /// The attributes of entities, and members of these, that a policy reads.
    attributes: BTreeSet<String>,
}

impl Reads {
    pub(crate) fn of(policies: &PolicySet) -> Self {
        Self::among(policies.policies())
    }

    /// The same of some policies.
    pub(crate) fn among<'a>(policies: impl Iterator<Item = &'a Policy>) -> Self {
        let mut reads = Self::default();
        for policy in policies {
            match policy.to_json() {
                Ok(tree) => reads.look(&tree),
                Err(_) => reads.all = true,
            }
        }
        reads
    }

    /// The same with what entities say where a policy reads it: it may hold its context against that, too.
    pub(crate) fn told<'a>(mut self, facts: impl Iterator<Item = &'a EntityFact>) -> Self {
        for (name, said) in facts.flat_map(|fact| &fact.attrs) {
            if self.attributes.contains(name.as_str()) {
                self.take(said);
            }
        }
        self
    }

    fn take(&mut self, said: &Said) {
        match said {
            Said::String(text) => self.words.extend([text.clone()]),
            Said::Datetime(text) => self.instants.extend(instant(text)),
            Said::Duration(text) => self.lengths.extend(length(text)),
            Said::Long(number) => self.numbers.extend([*number]),
            Said::Set(items) => items.iter().for_each(|item| self.take(item)),
            Said::Record(members) => members.values().for_each(|member| self.take(member)),
            Said::Bool(_) | Said::Entity(_) | Said::Decimal(_) | Said::Ipaddr(_) => {}
        }
    }

    fn look(&mut self, tree: &Value) {
        match tree {
            Value::Object(members) => {
                for (name, inner) in members {
                    let literal = inner.get(0).and_then(|one| one.get("Value")).and_then(Value::as_str);
                    match (name.as_str(), literal) {
                        ("datetime", Some(text)) => self.instants.extend(instant(text)),
                        ("duration", Some(text)) => self.lengths.extend(length(text)),
                        ("Value", _) => {
                            self.numbers.extend(inner.as_i64());
                            self.words.extend(inner.as_str().map(str::to_owned));
                        }
                        ("pattern", _) => self.words.extend(beside_wildcards(inner)),
                        (method, _) => self.units.extend(unit(method)),
                    }
                    let of_principal = with_principal(name, inner);
                    let member = member_of_context(inner).filter(|_| name == "." || name == "has");
                    if name == "." && member.is_none() {
                        self.attributes.extend(inner.get("attr").and_then(Value::as_str).map(str::to_owned));
                    }
                    match of_principal.or(member) {
                        Some(member) => {
                            self.members.insert(member.to_owned());
                            if name == "." {
                                self.beyond.insert(member.to_owned());
                            }
                        }
                        None if is_context(Some(inner)) => self.all = true,
                        // No text of its own.
                        None if matches!((name.as_str(), literal), ("datetime" | "duration", Some(_))) => {}
                        None => self.look(inner),
                    }
                }
            }
            Value::Array(items) if items.iter().any(|item| is_context(Some(item))) => self.all = true,
            Value::Array(items) => items.iter().for_each(|item| self.look(item)),
            _ => {}
        }
    }

    /// Whether it reads this member.
    pub(crate) fn has(&self, member: &str) -> bool {
        self.all || self.members.contains(member)
    }

    /// Whether it reads this member otherwise than by whether it is there, and whether it is, or has, the principal.
    pub(crate) fn is_beyond(&self, member: &str) -> bool {
        self.all || self.beyond.contains(member)
    }

    /// The texts that it names.
    pub(crate) const fn words(&self) -> &BTreeSet<String> {
        &self.words
    }

    /// The moments from here on at which a policy may say something else than a moment before: one where none reads the
    /// time. Each hour of a week; the same from each instant that a policy names; and around each length of time that
    /// one names, before and after each of these and each midnight of their weeks.
    pub(crate) fn moments(&self, from: Timestamp) -> BTreeSet<Timestamp> {
        let mut moments = BTreeSet::from([from]);
        if !self.has("now") {
            return moments;
        }
        let (from, lengths) = (from.millis(), self.both_ways());
        for start in std::iter::once(from).chain(self.instants.iter().copied()) {
            let hours = (0..WEEK).map(|hour| start.saturating_add(hour.saturating_mul(HOUR)));
            let midnight = start.saturating_sub(start.rem_euclid(DAY));
            let days = (0..7).map(|day| midnight.saturating_add(DAY.saturating_mul(day)));
            let bases = days.chain([start]);
            let around = bases.flat_map(|base| lengths.iter().map(move |length| base.saturating_add(*length)));
            let around = around.chain([start]).flat_map(|at| [-1, 0, 1].map(|by: i64| at.saturating_add(by)));
            moments.extend(hours.chain(around).filter(|at| *at >= from).map(Timestamp::from_millis));
        }
        moments
    }

    /// The lengths of time that a policy names, also as numbers of a unit, forwards and back: what is set off against
    /// an instant turns as long before it.
    fn both_ways(&self) -> BTreeSet<i64> {
        let of = |unit: &i64| self.numbers.iter().map(|number| number.saturating_mul(*unit)).collect::<Vec<_>>();
        let lengths = self.units.iter().flat_map(of).chain(self.lengths.iter().copied());
        lengths.flat_map(|length| [length, length.saturating_neg()]).collect()
    }

    /// How many these are at most: policies may name any number of instants and lengths.
    pub(crate) fn most_moments(&self) -> usize {
        if !self.has("now") {
            return 1;
        }
        let lengths = self.units.len().saturating_mul(self.numbers.len()).saturating_add(self.lengths.len());
        // Each hour of a week, the start and the moments beside it, and as many beside each length, both ways, from it
        // and from each of seven midnights.
        let around = lengths.saturating_mul(48).saturating_add(171);
        self.instants.len().saturating_add(1).saturating_mul(around)
    }

    /// An act without what nobody reads.
    pub(crate) fn lean(&self, act: ConsoleAct) -> ConsoleAct {
        let ConsoleAct { act, about, owners, requester, action, tier, task } = act;
        ConsoleAct {
            act,
            about,
            owners: if self.has("owners") { owners } else { Vec::new() },
            requester: requester.filter(|_| self.has("requester")),
            action: action.filter(|_| self.has("action")),
            tier: tier.filter(|_| self.has("tier")),
            task: task.filter(|_| self.has("task")),
        }
    }
}

/// An instant as Cedar writes it: a day, or RFC 3339 with an offset without a colon.
fn instant(text: &str) -> Option<i64> {
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        _ if text.ends_with('Z') => text.to_owned(),
        length => format!("{}:{}", text.get(..length.checked_sub(2)?)?, text.get(length.checked_sub(2)?..)?),
    };
    // What lies before 1970 is over.
    whole.parse().map(Timestamp::millis).ok()
}

/// A length of time as Cedar writes it: `-1d2h3m4s5ms`.
fn length(text: &str) -> Option<i64> {
    let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (mut total, mut left) = (0_i64, rest);
    while !left.is_empty() {
        let digits = left.find(|one: char| !one.is_ascii_digit())?;
        let (number, unit) = left.split_at_checked(digits)?;
        let after = unit.find(|one: char| one.is_ascii_digit()).unwrap_or(unit.len());
        let (unit, more) = unit.split_at_checked(after)?;
        let millis = match unit {
            "d" => DAY,
            "h" => HOUR,
            "m" => 60_000,
            "s" => 1_000,
            "ms" => 1,
            _ => return None,
        };
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(millis)?)?;
        left = more;
    }
    Some(total.saturating_mul(sign))
}

/// What a length of time is told in by this method, in milliseconds.
fn unit(method: &str) -> Option<i64> {
    match method {
        "toMilliseconds" => Some(1),
        "toSeconds" => Some(1_000),
        "toMinutes" => Some(60_000),
        "toHours" => Some(HOUR),
        "toDays" => Some(DAY),
        _ => None,
    }
}

fn is_context(tree: Option<&Value>) -> bool {
    is_variable(tree, "context")
}

fn is_variable(tree: Option<&Value>, name: &str) -> bool {
    tree.and_then(|tree| tree.get("Var")).and_then(Value::as_str) == Some(name)
}

/// The member of the context that an access, or a question whether it is there, names.
fn member_of_context(access: &Value) -> Option<&str> {
    access.get("attr").and_then(Value::as_str).filter(|_| is_context(access.get("left")))
}

/// The member that is held against the principal here, and against nothing else: it is them, or has them, or not.
fn with_principal(operator: &str, sides: &Value) -> Option<&'static str> {
    let (left, right) = (sides.get("left"), sides.get("right"));
    let is = |side: Option<&Value>, member: &str| {
        side.and_then(|side| side.get(".")).and_then(member_of_context) == Some(member)
    };
    let of_principal = |one, other| is(one, "requester") && is_variable(other, "principal");
    match operator {
        "==" | "!=" if of_principal(left, right) || of_principal(right, left) => Some("requester"),
        "contains" if is(left, "owners") && is_variable(right, "principal") => Some("owners"),
        _ => None,
    }
}

/// What a pattern has beside its wildcards.
fn beside_wildcards(pattern: &Value) -> Option<String> {
    let literals = pattern.as_array()?.iter().filter_map(|part| part.get("Literal")?.as_str());
    Some(literals.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_moment_at_which_a_rule_may_turn_is_one() {
        let reads = |text: &str| {
            Reads::of(&format!("permit (principal, action, resource) when {{ {text} }};").parse().unwrap())
        };
        let from: Timestamp = "2026-11-29T13:20:00Z".parse().unwrap();
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        assert_eq!(reads("principal in resource").moments(from), BTreeSet::from([from]));
        let day = reads("context.now >= datetime(\"2027-03-01\")").moments(from);
        for instant in
            ["2026-11-29T13:20:00Z", "2026-12-06T12:20:00Z", "2027-02-28T23:59:59.999Z", "2027-03-01T00:00:00Z"]
        {
            assert!(day.contains(&at(instant)), "{instant}");
        }
        let zone = reads("context.now < datetime(\"2027-03-01T08:00:00+0130\")").moments(from);
        assert!(zone.contains(&at("2027-03-01T06:30:00Z")));
        let hours = reads("context.now.toTime() >= duration(\"18h5m\") && context.now.toTime() < duration(\"18h6m\")");
        let hours = hours.moments(from);
        assert!(hours.contains(&at("2026-11-29T18:05:00Z")) && hours.contains(&at("2026-12-04T18:05:59.999Z")));
        assert!(hours.iter().all(|moment| *moment >= from), "what is over is over");
        let minutes = reads("context.now.toTime().toMinutes() == 1085").moments(from);
        assert!(minutes.contains(&at("2026-11-29T18:05:00Z")) && minutes.contains(&at("2026-12-04T18:05:00Z")));
        let ahead = reads("context.now.offset(duration(\"36h\")) >= datetime(\"2027-05-01T10:30:00Z\")").moments(from);
        assert!(ahead.contains(&at("2027-04-29T22:30:00Z")));
        let since = reads("context.now.durationSince(datetime(\"2027-05-01T10:30:00Z\")) >= duration(\"100d5m\")");
        assert!(since.moments(from).contains(&at("2027-08-09T10:35:00Z")));
        assert_eq!(length("-1d2h3m4s5ms"), Some(-93_784_005));
        assert_eq!((length("1x"), length("1")), (None, None));
        assert_eq!(reads("context.now < datetime(\"1969-01-01\")").instants, BTreeSet::new());
    }

    #[test]
    fn how_many_moments_there_are_at_most_is_told_before_they_are_made() {
        let from: Timestamp = "2026-11-29T13:20:00Z".parse().unwrap();
        for (text, most) in [
            ("principal in resource", 1),
            ("context has now", 171),
            ("context.now >= datetime(\"2027-03-01\")", 2 * 171),
            ("context.now.toTime() >= duration(\"18h5m\")", 48 + 171),
            ("context.now.toTime().toMinutes() == 1085", 48 + 171),
            (
                "context.now < datetime(\"2027-03-01\") && context.now.toTime().toHours() > 8
                    && context.now.toTime().toHours() < 17",
                2 * (2 * 48 + 171),
            ),
        ] {
            let text = format!("permit (principal, action, resource) when {{ {text} }};");
            let reads = Reads::of(&text.parse().unwrap());
            assert_eq!(reads.most_moments(), most, "{text}");
            assert!(reads.moments(from).len() <= most, "{text}");
        }
    }

    #[test]
    fn what_is_read_is_found_however_it_is_read() {
        let reads = |text: &str| Reads::of(&text.parse().unwrap());
        let found = |text: &str| {
            let reads = reads(&format!("permit (principal, action, resource) when {{ {text} }};"));
            (reads.members.into_iter().collect::<Vec<_>>().join(" "), reads.all)
        };
        for (text, members, all) in [
            ("true", "", false),
            ("resource.tier == \"low\"", "", false),
            ("context.tier == \"low\"", "tier", false),
            ("context has task && context[\"task\"] like \"T*\"", "task", false),
            (
                "if context.now > datetime(\"2026-01-01\") then context.owners.contains(principal) else false",
                "now owners",
                false,
            ),
            ("[context.requester].contains(principal)", "requester", false),
            ("principal.name == context.action", "action", false),
            ("context == resource.facts", "", true),
            ("[context].contains(resource.facts)", "", true),
            ("{a: context} == resource.facts", "", true),
        ] {
            assert_eq!(found(text), (members.to_owned(), all), "{text}");
        }
        assert!(reads("permit (principal, action, resource) unless { context.tier == \"x\" };").has("tier"));
        assert!(!reads("permit (principal, action, resource);").is_beyond("tier"));
        assert!(!reads("permit (principal, action, resource);").has("tier"));
    }

    #[test]
    fn what_an_entity_says_where_a_rule_reads_it_is_a_word_or_a_moment_too() {
        let text = "permit (principal, action, resource) when { context.assurance == principal.by && context.now >= \
                    resource.since.from };";
        let [by, since, name] = ["by", "since", "name"].map(str::to_owned);
        let from = Said::Record([("from".to_owned(), Said::Datetime("2027-06-01T10:30:00.000Z".to_owned()))].into());
        let fact = EntityFact {
            uid: policy_core::entity::EntityRef::new("User", "a"),
            attrs: [
                (by, Said::Set(vec![Said::String("badge".to_owned())])),
                (since, from),
                (name, Said::String("mara".to_owned())),
            ]
            .into(),
            parents: Vec::new(),
            source: "bundle".into(),
        };
        let reads = Reads::of(&text.parse().unwrap()).told([&fact].into_iter());
        assert_eq!(reads.words().iter().collect::<Vec<_>>(), ["badge"]);
        let moments = reads.moments("2026-11-29T13:20:00Z".parse().unwrap());
        assert!(moments.contains(&"2027-06-01T10:30:00Z".parse().unwrap()));
    }

    #[test]
    fn what_is_held_against_the_principal_alone_has_two_cases_and_everything_else_more() {
        let found = |text: &str| {
            let text = format!("permit (principal, action, resource) when {{ {text} }};");
            let reads = Reads::of(&text.parse().unwrap());
            let (members, beyond) = (reads.members, reads.beyond);
            [members, beyond].map(|some| some.into_iter().collect::<Vec<_>>().join(" "))
        };
        for (text, members, beyond) in [
            ("context has requester", "requester", ""),
            ("context.requester == principal", "requester", ""),
            ("principal != context.requester", "requester", ""),
            ("context.requester == resource.owner", "requester", "requester"),
            ("resource.requester == principal", "", ""),
            ("context.requester in Group::\"a\"", "requester", "requester"),
            ("context.requester.name == \"a\"", "requester", "requester"),
            ("context.owners.contains(principal)", "owners", ""),
            ("context.owners.contains(resource.owner)", "owners", "owners"),
            ("context.owners.containsAny([principal])", "owners", "owners"),
            ("[principal].containsAll(context.owners)", "owners", "owners"),
            ("resource.owners.contains(principal)", "", ""),
            ("context.tier == principal.tier", "tier", "tier"),
            ("context.task == principal.name", "task", "task"),
            ("context has task", "task", ""),
        ] {
            assert_eq!(found(text), [members, beyond], "{text}");
        }
        let whole = Reads::of(&"permit (principal, action, resource) when { context == resource.a };".parse().unwrap());
        assert!(whole.is_beyond("owners"));
    }

    #[test]
    fn each_text_that_a_rule_names_is_a_word_and_a_pattern_without_its_wildcards() {
        let reads = Reads::of(
            &"permit (principal == User::\"a\", action, resource) when { [\"low\", \"mid\"].contains(context.tier) && \
              context.action like \"re*ad_*\" && context.now < datetime(\"2027-01-01\") && \
              context.now.toTime() > duration(\"1h\") };"
                .parse()
                .unwrap(),
        );
        assert_eq!(reads.words().iter().collect::<Vec<_>>(), ["low", "mid", "read_"]);
        assert!(reads.has("now") && !reads.lengths.is_empty() && !reads.instants.is_empty());
    }
}
