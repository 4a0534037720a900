//! The hands that put faults into a history.

use serde_json::{Value, json};

use super::seen::{History, Seen, Used, What};

pub fn allow(used: &mut Used) {
    used.allowed = true;
    used.reason = "scope".to_owned();
}

/// Lets one call pass that did not.
pub fn pass(history: &mut History, wanted: fn(&Used) -> bool) -> bool {
    change(history, |used| wanted(used) && !used.allowed, allow)
}

pub fn change(history: &mut History, wanted: impl Fn(&Used) -> bool, how: fn(&mut Used)) -> bool {
    let found = history.operations.iter_mut().find_map(|seen| match &mut seen.what {
        What::Used(used) if wanted(used) => Some(used),
        _ => None,
    });
    found.map(how).is_some()
}

pub fn by_grant(history: &mut History, how: fn(&mut Used)) -> bool {
    change(history, |used| used.grant.is_some() && used.allowed, how)
}

pub fn first_by_grant(history: &History) -> Option<Seen> {
    let by_grant = |what: &What| matches!(what, What::Used(used) if used.grant.is_some() && used.allowed);
    history.operations.iter().find(|seen| by_grant(&seen.what)).cloned()
}

/// The exception whose grant was used first, with that use.
pub fn exception_in_use(history: &History) -> Option<(String, Seen)> {
    let seen = first_by_grant(history)?;
    let What::Used(used) = &seen.what else { return None };
    let id = history.operations.iter().find_map(|other| match &other.what {
        What::Voted { exception, grant, .. } if *grant == used.grant => Some(exception.clone()),
        _ => None,
    });
    Some((id?, seen))
}

pub fn a_vote(history: &History) -> Option<Seen> {
    history.operations.iter().find(|seen| matches!(seen.what, What::Voted { .. })).cloned()
}

/// Person, decision and scope of each vote on an exception.
pub fn each_vote(history: &mut History, id: &str, mut how: impl FnMut(&mut String, &mut String, &mut Value)) {
    for seen in &mut history.operations {
        if let What::Voted { person, exception, decision, scope, .. } = &mut seen.what
            && exception == id
        {
            how(person, decision, scope);
        }
    }
}

/// The exception that was granted first, with the first vote that heard of it.
pub fn first_granted(history: &History) -> Option<(String, Seen)> {
    history.operations.iter().find_map(|seen| match &seen.what {
        What::Voted { exception, grant: Some(_), .. } => Some((exception.clone(), seen.clone())),
        _ => None,
    })
}

/// The same of the exception that was granted first.
pub fn on_granted(history: &mut History, how: impl FnMut(&mut String, &mut String, &mut Value)) -> bool {
    let Some((id, _)) = first_granted(history) else { return false };
    each_vote(history, &id, how);
    true
}

/// From here on the exception was asked for on what takes two people of two groups.
pub fn makes_it_the_vault(history: &mut History, id: &str) {
    for seen in &mut history.operations {
        if let What::Asked { call, id: asked, .. } = &mut seen.what
            && asked == id
        {
            call.body["resource"]["id"] = json!("vault");
        }
    }
}

/// Somebody votes on the first request whom the rules keep away.
pub fn vote_by(history: &mut History, who: fn(&Used) -> &'static str) -> bool {
    let asked = history.operations.iter().find_map(|seen| match &seen.what {
        What::Asked { call, id, .. } => Some((id.clone(), who(call))),
        _ => None,
    });
    let (Some((id, who)), Some(mut vote)) = (asked, a_vote(history)) else { return false };
    if let What::Voted { person, exception, .. } = &mut vote.what {
        (*person, *exception) = (who.to_owned(), id);
    }
    history.operations.push(vote);
    true
}

/// Changes the scope of the first approval.
pub fn widen(history: &mut History, how: fn(&mut Value)) -> bool {
    let voted = history.operations.iter_mut().find_map(|seen| match &mut seen.what {
        What::Voted { decision, scope, .. } if decision == "approve" => Some(scope),
        _ => None,
    });
    voted.map(how).is_some()
}

/// Lets a use by a grant come after a stop of it.
pub fn after(history: &mut History, stop: fn(&Used) -> What) -> bool {
    let Some(used) = first_by_grant(history) else { return false };
    let What::Used(call) = &used.what else { return false };
    let stopped = Seen { begin: 0, end: 0, what: stop(call), ..used.clone() };
    let later = Seen { begin: used.begin + 1, end: used.end + 1, ..used };
    history.operations.extend([stopped, later]);
    true
}

pub fn locked(kind: &str, target: &str) -> What {
    What::Locked { kind: kind.to_owned(), target: target.to_owned(), id: "planted".to_owned() }
}

pub fn flip(word: &str, one: &str, other: &str) -> String {
    if word == one { other } else { one }.to_owned()
}
