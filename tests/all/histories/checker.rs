//! Whether a history kept the rules. Knows the wire's JSON and what the bundle in `tests/histories` is meant to say, and
//! nothing of how the gate comes to its answers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::seen::{History, Seen, Used, What};

/// What the bundle says of a tier, by hand: persons, groups, longest validity in milliseconds, most uses.
struct Tier {
    persons: usize,
    groups: &'static [&'static str],
    longest: i64,
    uses: u64,
}

const LOW: Tier = Tier { persons: 1, groups: &["one"], longest: 600_000, uses: 3 };
const HIGH: Tier = Tier { persons: 2, groups: &["one", "two"], longest: 300_000, uses: 2 };

/// How long a repeated call may be told the same again, in milliseconds.
const REPEAT: i64 = 10_000;

fn groups_of(person: &str) -> &'static [&'static str] {
    match person {
        "pia" | "pat" | "rita" => &["one"],
        "quin" | "otto" => &["two"],
        "olga" => &["one", "two"],
        _ => &[],
    }
}

fn owner_of(agent: &str) -> &'static str {
    if agent == "first" { "olga" } else { "otto" }
}

/// Who stands behind every agent and asks for it.
const REQUESTER: &str = "rita";

/// What was made of a request: its facts, and the votes that were accepted.
struct Made<'a> {
    call: &'a Used,
    /// What was asked for. A repeat folds into the first, and of those that were under way together any may be it.
    scopes: Vec<&'a Value>,
    /// When the first of them was answered: what began later is a repeat.
    answered: u64,
    decide_by: i64,
    votes: Vec<(&'a Seen, &'a str, &'a str, &'a Value)>,
    /// The first vote that was answered with the grant, and the narrowest scope among those that were: a vote hears of
    /// the grant, too, where another one landed before its answer left.
    granted: Option<(&'a Seen, &'a Value)>,
}

/// Every rule that this history breaks, one line each, which begins with the rule's name.
pub fn check(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    let made = exceptions(history);
    let by_grant = grants(history);
    votes(&made, &mut broken);
    for (seen, used) in history.uses().filter(|(_, used)| used.allowed) {
        forbidden(used, &mut broken);
        stopped(history, seen, used, &mut broken);
        match &used.grant {
            None if !in_scope(used) => broken.push(format!("R8: allowed without a grant: {used:?}")),
            None => {}
            Some(grant) => match by_grant.get(grant.as_str()).and_then(|id| made.get(id)) {
                None => broken.push(format!("R3: allowed by a grant that nobody made: {used:?}")),
                Some(made) => inside(made, seen, used, &mut broken),
            },
        }
    }
    counted(history, &made, &by_grant, &mut broken);
    let answered = history.uses().filter(|(_, used)| used.answered).count();
    if usize::try_from(history.recorded).is_ok_and(|recorded| recorded < answered) {
        broken.push(format!("R1: {answered} answers, {} records", history.recorded));
    }
    broken
}

fn exceptions(history: &History) -> BTreeMap<&str, Made<'_>> {
    let mut made: BTreeMap<&str, Made<'_>> = BTreeMap::new();
    for seen in &history.operations {
        if let What::Asked { call, scope, id, decide_by } = &seen.what {
            let fresh = || {
                let (scopes, answered, decide_by) = (Vec::new(), seen.end, *decide_by);
                Made { call, scopes, answered, decide_by, votes: Vec::new(), granted: None }
            };
            let made = made.entry(id).or_insert_with(fresh);
            if seen.begin <= made.answered {
                made.answered = made.answered.min(seen.end);
                made.scopes.push(scope);
            }
        }
    }
    for seen in &history.operations {
        if let What::Voted { person, exception, decision, scope, grant } = &seen.what
            && let Some(made) = made.get_mut(exception.as_str())
        {
            made.votes.push((seen, person, decision, scope));
            if grant.is_some() {
                made.granted = Some(match made.granted {
                    None => (seen, scope),
                    Some((first, narrowest)) => (first, if within(scope, narrowest) { scope } else { narrowest }),
                });
            }
        }
    }
    made
}

fn grants(history: &History) -> BTreeMap<&str, &str> {
    let voted = history.operations.iter().filter_map(|seen| match &seen.what {
        What::Voted { exception, grant: Some(grant), .. } => Some((grant.as_str(), exception.as_str())),
        _ => None,
    });
    voted.collect()
}

fn tier(call: &Used) -> &'static Tier {
    if call.volume() == "vault" { &HIGH } else { &LOW }
}

/// R4, R5, R6: who voted, on what, and in time.
fn votes(made: &BTreeMap<&str, Made<'_>>, broken: &mut Vec<String>) {
    for (id, made) in made {
        for (seen, person, decision, scope) in &made.votes {
            if [REQUESTER, owner_of(&made.call.agent)].contains(person) || groups_of(person).is_empty() {
                broken.push(format!("R4: `{person}` voted on {id}"));
            }
            if seen.from >= made.decide_by {
                broken.push(format!("R6: `{person}` voted on {id} after the time to decide"));
            }
            if *decision == "approve" && !made.scopes.iter().any(|asked| within(scope, asked)) {
                broken.push(format!("R5: `{person}` widened {id}: {scope} beyond {:?}", made.scopes));
            }
        }
        let Some((_, scope)) = &made.granted else { continue };
        let approvals =
            made.votes.iter().filter(|(_, _, decision, voted)| *decision == "approve" && same_scope(voted, scope));
        let persons: BTreeSet<&str> = approvals.map(|(_, person, _, _)| *person).collect();
        let tier = tier(made.call);
        let groups = tier.groups.iter().all(|group| persons.iter().any(|person| groups_of(person).contains(group)));
        if persons.len() < tier.persons || !groups {
            broken.push(format!("R4: {id} was granted by {persons:?}"));
        }
    }
}

fn same_scope(one: &Value, other: &Value) -> bool {
    ["resource", "arguments", "not_before", "not_after", "max_uses", "valid_for"]
        .iter()
        .all(|member| one[member] == other[member])
}

/// The folder that a scope admits; nothing where the arguments are exact.
fn folder(scope: &Value) -> Option<&str> {
    scope["arguments"].as_array()?.iter().find(|one| one["op"] == "inside")?["path"].as_str()
}

fn is_inside(path: &str, folder: &str) -> bool {
    path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn instant(value: &Value) -> i64 {
    let time = value.as_str().and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
    time.map_or(0, |time| time.timestamp_millis())
}

/// How long a scope is good from its start, in milliseconds: on the wire a text such as `1h30m`.
fn validity(scope: &Value) -> i64 {
    match &scope["valid_for"] {
        Value::Null => i64::MAX,
        // What cannot be read lasts no time at all, so that every use of it is noticed.
        other => other.as_str().and_then(length).unwrap_or(0),
    }
}

/// Milliseconds of a duration's text.
fn length(mut text: &str) -> Option<i64> {
    let mut total = 0i64;
    for (unit, milliseconds) in [('d', 86_400_000), ('h', 3_600_000), ('m', 60_000), ('s', 1_000)] {
        if let Some((number, rest)) = text.split_once(unit) {
            total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(milliseconds)?)?;
            text = rest;
        }
    }
    text.is_empty().then_some(total)
}

/// R5: whether one scope narrows another, as far as these histories vary them.
fn within(inner: &Value, outer: &Value) -> bool {
    let arguments = match (folder(inner), folder(outer)) {
        (_, None) => inner["arguments"] == outer["arguments"],
        (None, Some(_)) => inner["arguments"] == "exact",
        (Some(inner), Some(outer)) => is_inside(inner, outer),
    };
    inner["resource"] == outer["resource"]
        && arguments
        && instant(&inner["not_after"]) <= instant(&outer["not_after"])
        && validity(inner) <= validity(outer)
        && inner["max_uses"].as_u64() <= outer["max_uses"].as_u64()
}

fn in_scope(used: &Used) -> bool {
    used.action() == "write"
        && used.volume() == "files"
        && is_inside(used.path(), "/srv/drafts")
        && used.reason == "scope"
}

/// R2, R8: what no answer may ever allow.
fn forbidden(used: &Used, broken: &mut Vec<String>) {
    if used.action() == "wipe" || used.path().contains("/secret/") || used.path().contains("/odd/") {
        broken.push(format!("R2: a guardrail was crossed: {used:?}"));
    }
    let plain = used.path().split('/').skip(1).all(|part| !["", ".", ".."].contains(&part));
    let typed = used.input()["rows"].is_i64() && used.input().as_object().is_some_and(|input| input.len() == 2);
    let known = ["files", "vault"].contains(&used.volume()) && used.action() == "write";
    if !plain || !typed || !known {
        broken.push(format!("R8: what cannot be understood was allowed: {used:?}"));
    }
}

/// R7: what had been stopped, and acknowledged, before it was sent.
fn stopped(history: &History, seen: &Seen, used: &Used, broken: &mut Vec<String>) {
    for stop in history.operations.iter().filter(|stop| stop.end < seen.begin) {
        let stops = match &stop.what {
            What::Revoked { grant } => used.grant.as_ref() == Some(grant),
            What::Locked { kind, target, id } => {
                let named = match kind.as_str() {
                    "subject" => *target == used.agent,
                    "task" => *target == used.task,
                    "person" => target == REQUESTER,
                    _ => *target == used.server().as_str().unwrap_or_default(),
                };
                let lifting = |other: &Seen| matches!(&other.what, What::Unlocked { id: lifted } if lifted == id);
                named && !history.operations.iter().any(|other| lifting(other) && other.begin < seen.end)
            }
            _ => false,
        };
        if stops {
            broken.push(format!("R7: allowed after {:?} was acknowledged: {used:?}", stop.what));
        }
    }
}

/// R3, R6: whether a use lies inside what was voted.
fn inside(made: &Made<'_>, seen: &Seen, used: &Used, broken: &mut Vec<String>) {
    let Some((first, scope)) = &made.granted else { return };
    // Whichever vote made it: none that heard of it was answered later than this.
    let ended_by = made.votes.iter().map(|(seen, ..)| seen.until).max().unwrap_or(first.until);
    let asked = made.call;
    let same = asked.agent == used.agent
        && asked.task == used.task
        && asked.point == used.point
        && asked.server() == used.server()
        && asked.tool() == used.tool()
        && asked.action() == used.action()
        && asked.volume() == used.volume();
    let arguments = match folder(scope) {
        Some(folder) => is_inside(used.path(), folder),
        None => asked.input() == used.input(),
    };
    if !same || !arguments {
        broken.push(format!("R3: {used:?} lies outside {scope} for {asked:?}"));
    }
    if seen.end <= first.begin {
        broken.push(format!("R3: {used:?} was allowed before anybody voted"));
    }
    let longest = ended_by.saturating_add(tier(asked).longest.min(validity(scope)));
    if seen.from >= instant(&scope["not_after"]).min(longest) {
        broken.push(format!("R6: {used:?} was allowed after the end of {scope}"));
    }
}

/// R3: how often each grant was used. The same call within ten seconds is one use.
fn counted(
    history: &History,
    made: &BTreeMap<&str, Made<'_>>,
    by_grant: &BTreeMap<&str, &str>,
    broken: &mut Vec<String>,
) {
    let mut uses: BTreeMap<&str, Vec<(&Seen, &Used)>> = BTreeMap::new();
    for (seen, used) in history.uses().filter(|(_, used)| used.allowed && used.is_use) {
        let Some(grant) = used.grant.as_deref() else { continue };
        let of_grant = uses.entry(grant).or_default();
        let repeats = |(first, other): &(&Seen, &Used)| {
            other.body == used.body
                && other.point == used.point
                && seen.from - first.until < REPEAT
                && !used.call().is_empty()
        };
        if !of_grant.iter().any(repeats) {
            of_grant.push((seen, used));
        }
    }
    for (grant, uses) in uses {
        let Some(made) = by_grant.get(grant).and_then(|id| made.get(id)) else { continue };
        let voted = made.granted.as_ref().and_then(|(_, scope)| scope["max_uses"].as_u64()).unwrap_or(0);
        let most = voted.min(tier(made.call).uses);
        if uses.len() as u64 > most {
            broken.push(format!("R3: {grant} was used {} times, {most} were voted", uses.len()));
        }
    }
}
