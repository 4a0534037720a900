//! Proposals of bundles, in words, and the lines that differ.

use proviso_api::activation::{AskedAgain, ChangeList, ProposalLine, StepLine};

/// How many lines stand around a difference.
const AROUND: usize = 3;
/// How many pairs of lines are compared: beyond that all of the one stands before all of the other.
const MOST_PAIRS: usize = 4_000_000;

/// How an outcome changes, in words, and whether it is shown in red.
pub fn change(kind: &str) -> (&'static str, bool) {
    match kind {
        "new_allow" => ("newly allowed", true),
        "new_requestable" => ("can newly be asked for", true),
        "new_denial" => ("newly refused", false),
        "no_longer_requestable" => ("can no longer be asked for", false),
        "other_permit" => ("allowed by another rule", false),
        _ => ("comes out otherwise", true),
    }
}

/// An outcome, in words.
pub fn outcome(word: &str) -> &str {
    match word {
        "permitted_by_scope" => "permitted by scope",
        "permitted_by_exception" => "permitted by an exception",
        "requestable_denial" => "refused, can be asked for",
        "denial" => "refused",
        other => other,
    }
}

/// A difference between the bundles, in words.
pub fn step(step: &StepLine) -> String {
    let what = match step.kind.as_str() {
        "schema_changed" => "another schema",
        "entities_changed" => "other entities",
        "config_changed" => "another configuration",
        "console_changed" => "another rule on who may do what here",
        "forbid_removed" => "a guardrail is taken away",
        "permit_added" => "a permit is added",
        "policy_changed" => "a policy says something else",
        "terms_changed" => "terms are other ones, and not stricter throughout",
        "terms_removed" => "a permit is taken away that may have kept laxer terms from counting",
        "forbid_added" => "a guardrail is added",
        "permit_removed" => "a permit is taken away",
        "terms_stricter" => "terms are stricter",
        "request_closed" => "something can no longer be asked for",
        _ => "a difference that this page does not know",
    };
    format!("{what}: {}", step.of)
}

/// What was asked, in one sentence.
pub fn asked(asked: &AskedAgain) -> String {
    let questions = if asked.questions == 1 { "question was".to_owned() } else { "questions were".to_owned() };
    let older = if asked.older { "; older ones were not looked at" } else { "" };
    let left: u64 = asked.left_out.values().sum();
    let left = if left == 0 { String::new() } else { format!("; {left} records could not be") };
    format!("{} recorded {questions} put to both bundles{left}{older}.", asked.questions)
}

/// What comes of all of them, in one sentence.
pub fn came(list: &ChangeList) -> String {
    let changed: u64 = list.counts.values().sum();
    let new = list.counts.get("new_allow").copied().unwrap_or_default();
    match (changed, new) {
        (0, _) if list.otherwise == 0 => "None of them comes out differently.".to_owned(),
        (0, _) => format!("All have the same outcome; {} for other reasons or on other terms.", list.otherwise),
        (_, 0) => format!("{changed} come out differently; none of them is newly allowed."),
        _ => format!("{changed} come out differently; {new} of them newly allowed."),
    }
}

/// How a proposal stands, in one sentence.
pub fn stands(line: &ProposalLine) -> String {
    let votes = line.votes.iter().filter(|vote| vote.activates).count();
    match (line.state.as_str(), line.needs) {
        ("stale", _) => "Another bundle became active since: it has to be proposed again.".to_owned(),
        ("refused", _) => "Somebody is against it.".to_owned(),
        (_, 1) => "It is proved narrower: one person activates it.".to_owned(),
        (_, needs) => format!("It takes {needs} people; {votes} for it so far."),
    }
}

/// Why who looks cannot vote on it.
pub fn why_not(code: &str) -> &'static str {
    match code {
        "own_change" => "It is about you: others activate it.",
        "not_the_proposer" => "You proposed it, and two others can look at it.",
        "voted" => "You have voted on it.",
        "stale_list" => "What it changes was told against another bundle than the active one.",
        "proposal_refused" => "Somebody is against it.",
        "single_user_required" => "Your sign-in was made under the gate's own user.",
        "locked" => "A lock is on you.",
        "new_person" => "You came by an invitation less than a day ago.",
        "not_permitted_here" => "The bundle does not let you activate another.",
        _ => "Your vote on it does not count.",
    }
}

/// A line of a file, before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// In both.
    Same(&'a str),
    /// Only before.
    Gone(&'a str),
    /// Only after.
    New(&'a str),
    /// So many lines that are in both are not shown.
    Left(usize),
}

/// What differs between two texts, line by line, with a little of what is around it.
pub fn diff<'a>(before: &'a str, after: &'a str) -> Vec<Line<'a>> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (old.get(same..).unwrap_or_default(), new.get(same..).unwrap_or_default());
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
    let old_part = old_rest.get(..old_rest.len().saturating_sub(tail)).unwrap_or_default();
    let new_part = new_rest.get(..new_rest.len().saturating_sub(tail)).unwrap_or_default();
    let mut lines: Vec<Line<'a>> = old.iter().take(same).map(|line| Line::Same(line)).collect();
    lines.extend(middle(old_part, new_part));
    lines.extend(old.iter().skip(old.len().saturating_sub(tail)).map(|line| Line::Same(line)));
    shortened(lines)
}

/// The longest common lines stay, everything else is gone or new.
fn middle<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let apart = || old.iter().map(|line| Line::Gone(line)).chain(new.iter().map(|line| Line::New(line))).collect();
    if old.len().saturating_mul(new.len()) > MOST_PAIRS {
        return apart();
    }
    let width = new.len().saturating_add(1);
    let mut longest = vec![0u32; old.len().saturating_add(1).saturating_mul(width)];
    let at = |table: &[u32], row: usize, column: usize| table.get(row * width + column).copied().unwrap_or_default();
    for (row, one) in old.iter().enumerate().rev() {
        for (column, other) in new.iter().enumerate().rev() {
            let best = if one == other {
                at(&longest, row + 1, column + 1) + 1
            } else {
                at(&longest, row + 1, column).max(at(&longest, row, column + 1))
            };
            if let Some(cell) = longest.get_mut(row * width + column) {
                *cell = best;
            }
        }
    }
    let (mut row, mut column, mut lines) = (0, 0, Vec::new());
    loop {
        match (old.get(row), new.get(column)) {
            (Some(one), Some(other)) if one == other => {
                lines.push(Line::Same(one));
                (row, column) = (row + 1, column + 1);
            }
            (Some(one), other) if other.is_none() || at(&longest, row + 1, column) >= at(&longest, row, column + 1) => {
                lines.push(Line::Gone(one));
                row += 1;
            }
            (_, Some(other)) => {
                lines.push(Line::New(other));
                column += 1;
            }
            _ => return lines,
        }
    }
}

/// Without what is far from any difference.
fn shortened(lines: Vec<Line<'_>>) -> Vec<Line<'_>> {
    let differs: Vec<usize> =
        lines.iter().enumerate().filter(|(_, line)| !matches!(line, Line::Same(_))).map(|(place, _)| place).collect();
    let near = |place: usize| {
        let next = differs.partition_point(|differs| *differs < place);
        let around = [next.checked_sub(1).and_then(|before| differs.get(before)), differs.get(next)];
        around.into_iter().flatten().any(|differs| differs.abs_diff(place) <= AROUND)
    };
    let mut shown = Vec::new();
    for (place, line) in lines.into_iter().enumerate() {
        if near(place) {
            shown.push(line);
        } else if let Some(Line::Left(count)) = shown.last_mut() {
            *count += 1;
        } else {
            shown.push(Line::Left(1));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(before: &str, after: &str) -> String {
        let line = |line: &Line<'_>| match line {
            Line::Same(text) => format!(" {text}"),
            Line::Gone(text) => format!("-{text}"),
            Line::New(text) => format!("+{text}"),
            Line::Left(count) => format!("~{count}"),
        };
        diff(before, after).iter().map(line).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn what_differs_is_shown_with_a_little_around_it() {
        assert_eq!(told("", "a\nb"), "+a|+b");
        assert_eq!(told("a\nb", ""), "-a|-b");
        assert_eq!(told("a\nb\nc", "a\nx\nc"), " a|-b|+x| c");
        assert_eq!(told("a\nb\nc", "a\nb\nc"), "~3");
        assert_eq!(told("a\nb\nc\nd", "b\nd\ne"), "-a| b|-c| d|+e");
        let long: Vec<String> = (0..20).map(|line| line.to_string()).collect();
        let mut other = long.clone();
        other[10] = "x".to_owned();
        assert_eq!(told(&long.join("\n"), &other.join("\n")), "~7| 7| 8| 9|-10|+x| 11| 12| 13|~6");
    }

    #[test]
    fn every_line_of_both_stands_there_once() {
        let (before, after) = ("a\nb\na\nc\nb\nd", "c\na\nb\nb\ne\nd");
        let lines = diff(before, after);
        let of = |wanted: fn(&Line<'_>) -> bool| lines.iter().filter(|line| wanted(line)).count();
        let same = of(|line| matches!(line, Line::Same(_)));
        assert_eq!(same + of(|line| matches!(line, Line::Gone(_))), 6);
        assert_eq!(same + of(|line| matches!(line, Line::New(_))), 6);
    }

    #[test]
    fn what_is_allowed_newly_is_red_and_what_is_not_known_too() {
        assert!(change("new_allow").1 && change("new_requestable").1 && change("unheard_of").1);
        assert!(!change("new_denial").1 && !change("no_longer_requestable").1);
    }
}
