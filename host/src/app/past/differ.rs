//! In what a call differs from the last one of its shape that people approved.

use std::collections::BTreeMap;

use policy_core::lifecycle::Exception;
use policy_core::text;
use proviso_api::past::Difference;

use crate::app::policy::Policy;

/// How much of a value is told.
const LONGEST: usize = 160;
/// How many differences are told.
const MOST: usize = 12;

/// The differences, what differs most first: numbers by how many times more, then what is new, then texts by how much of
/// them is another.
pub(super) fn differences(policy: &Policy, before: &Exception, now: &Exception) -> Vec<Difference> {
    let lines = |exception: &Exception| -> BTreeMap<String, String> {
        let question = &exception.request.question;
        let mut lines: BTreeMap<String, String> =
            policy.argument_lines(question).into_iter().map(|line| (line.at.join("."), line.text)).collect();
        lines.insert("agent".to_owned(), question.call.subject.id.to_string());
        lines.insert("task".to_owned(), question.task.to_string());
        lines
    };
    let (before, now) = (lines(before), lines(now));
    let names = before.keys().chain(now.keys()).collect::<std::collections::BTreeSet<_>>();
    let mut found: Vec<(u64, Difference)> = Vec::new();
    for name in names {
        let (was, is) = (before.get(name).cloned().unwrap_or_default(), now.get(name).cloned().unwrap_or_default());
        if was != is {
            let told = |text: &str| text::visible(text, LONGEST);
            found.push((weight(name, &was, &is), Difference { at: name.clone(), before: told(&was), now: told(&is) }));
        }
    }
    found.sort_by(|(a, first), (b, second)| b.cmp(a).then_with(|| first.at.cmp(&second.at)));
    found.into_iter().take(MOST).map(|(_, difference)| difference).collect()
}

fn weight(name: &str, was: &str, is: &str) -> u64 {
    // Every task has a name of its own.
    if name == "task" {
        return 0;
    }
    if let (Ok(was), Ok(is)) = (was.parse::<i64>(), is.parse::<i64>()) {
        let (small, large) = (was.unsigned_abs().min(is.unsigned_abs()), was.unsigned_abs().max(is.unsigned_abs()));
        return (large / small.max(1)).saturating_mul(1_000).max(1_000);
    }
    if was.is_empty() || is.is_empty() {
        return 900;
    }
    let same = was.chars().zip(is.chars()).take_while(|(a, b)| a == b).count();
    let most = was.chars().count().max(is.chars().count()).max(1);
    let other = most.saturating_sub(same).saturating_mul(800) / most;
    u64::try_from(other).unwrap_or(800).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_times_more_weighs_more_than_another_name_and_a_task_weighs_nothing() {
        assert!(weight("rows", "5", "50000") > weight("rows", "5", "50"));
        assert!(weight("rows", "5", "6") > weight("path", "\"/a/b\"", "\"/z\""));
        assert!(weight("force", "", "true") > weight("path", "\"/a/b/c\"", "\"/a/b/d\""));
        assert!(weight("path", "\"/a/b/c\"", "\"/etc/passwd\"") > weight("path", "\"/a/b/c\"", "\"/a/b/d\""));
        assert_eq!(weight("task", "T-1", "T-2"), 0);
        assert!(weight("rows", "0", "9223372036854775807") > 1_000, "nothing is divided by nothing");
    }
}
