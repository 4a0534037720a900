//! Faults put into a history that kept the rules: each must be found.

use serde_json::json;

use super::seen::{History, Seen, Used, What};

/// Puts one fault in, or says that this history offers no place for it.
type Plant = fn(&mut History) -> bool;

/// The rule, what is done, and how.
pub const ALL: [(&str, &str, Plant); 14] = [
    ("R1", "an answer without a record", |history| {
        history.recorded = 0;
        true
    }),
    ("R2", "a wipe passes", |history| change(history, |used| used.action() == "wipe" && !used.allowed, allow)),
    ("R2", "a write that a guardrail errs on passes", |history| {
        change(history, |used| used.path().contains("/odd/") && !used.allowed, allow)
    }),
    ("R3", "another task uses a grant", |history| by_grant(history, |used| used.task = flip(&used.task, "one", "two"))),
    ("R3", "another agent uses a grant", |history| {
        by_grant(history, |used| used.agent = flip(&used.agent, "first", "second"))
    }),
    ("R3", "another point uses a grant", |history| {
        by_grant(history, |used| used.point = flip(&used.point, "left", "right"))
    }),
    ("R3", "a grant is used at another server", |history| {
        by_grant(history, |used| used.body["context"]["proviso.dev/server"] = json!("another"))
    }),
    ("R3", "a grant is used beyond its folder", |history| {
        by_grant(history, |used| used.body["context"]["input"]["path"] = json!("/srv/elsewhere"))
    }),
    ("R3", "a grant is used too often", |history| {
        let Some(used) = first_by_grant(history) else { return false };
        for number in 0..5 {
            let mut again = used.clone();
            if let What::Used(used) = &mut again.what {
                used.is_use = true;
                used.body["context"]["proviso.dev/call"] = json!(format!("planted-{number}"));
            }
            history.operations.push(again);
        }
        true
    }),
    ("R4", "an owner votes", |history| {
        let owner = history.operations.iter().find_map(|seen| match &seen.what {
            What::Asked { call, id, .. } => Some((id.clone(), if call.agent == "first" { "olga" } else { "otto" })),
            _ => None,
        });
        let Some((id, owner)) = owner else { return false };
        let Some(mut vote) = a_vote(history) else { return false };
        if let What::Voted { person, exception, .. } = &mut vote.what {
            (*person, *exception) = (owner.to_owned(), id);
        }
        history.operations.push(vote);
        true
    }),
    ("R5", "a vote widens", |history| {
        let voted = history.operations.iter_mut().find_map(|seen| match &mut seen.what {
            What::Voted { decision, scope, .. } if decision == "approve" => Some(scope),
            _ => None,
        });
        let Some(scope) = voted else { return false };
        scope["max_uses"] = json!(1_000);
        true
    }),
    ("R6", "a grant outlives its end", |history| {
        let Some(mut used) = first_by_grant(history) else { return false };
        used.from += 86_400_000;
        used.until += 86_400_000;
        history.operations.push(used);
        true
    }),
    ("R7", "a grant is used after its revoke", |history| {
        let Some(used) = first_by_grant(history) else { return false };
        let What::Used(Used { grant: Some(grant), .. }) = &used.what else { return false };
        let revoked = Seen { begin: 0, end: 0, what: What::Revoked { grant: grant.clone() }, ..used.clone() };
        let later = Seen { begin: used.begin + 1, end: used.end + 1, ..used };
        history.operations.extend([revoked, later]);
        true
    }),
    ("R8", "an argument of another type passes", |history| {
        change(history, |used| used.input()["rows"].is_string() && !used.allowed, allow)
    }),
];

fn allow(used: &mut Used) {
    used.allowed = true;
    used.reason = "scope".to_owned();
}

fn change(history: &mut History, wanted: fn(&Used) -> bool, how: fn(&mut Used)) -> bool {
    let found = history.operations.iter_mut().find_map(|seen| match &mut seen.what {
        What::Used(used) if wanted(used) => Some(used),
        _ => None,
    });
    found.map(how).is_some()
}

fn by_grant(history: &mut History, how: fn(&mut Used)) -> bool {
    change(history, |used| used.grant.is_some() && used.allowed, how)
}

fn first_by_grant(history: &History) -> Option<Seen> {
    history.operations.iter().find(|seen| matches!(&seen.what, What::Used(used) if used.grant.is_some())).cloned()
}

fn a_vote(history: &History) -> Option<Seen> {
    history.operations.iter().find(|seen| matches!(seen.what, What::Voted { .. })).cloned()
}

fn flip(word: &str, one: &str, other: &str) -> String {
    if word == one { other } else { one }.to_owned()
}
