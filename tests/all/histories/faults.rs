//! Faults put into a history that kept the rules: each must be found, and by the sentence that is about it.

use serde_json::json;

use super::plants::*;
use super::seen::{History, Seen, What};

/// Puts one fault in, or says that this history offers no place for it.
type Plant = fn(&mut History) -> bool;

/// The rule, words of what the checker must say, what is done, and how.
pub const ALL: [(&str, &str, &str, Plant); 42] = [
    ("R1", "records", "an answer without a record", |history| {
        history.recorded = 0;
        true
    }),
    ("R2", "a guardrail was crossed", "a wipe passes", |history| pass(history, |used| used.action() == "wipe")),
    ("R2", "a guardrail was crossed", "a secret is written", |history| {
        pass(history, |used| used.path().contains("/secret/"))
    }),
    ("R2", "a guardrail was crossed", "a write that a guardrail errs on passes", |history| {
        pass(history, |used| used.path().contains("/odd/"))
    }),
    ("R3", "lies outside", "another task uses a grant", |history| {
        by_grant(history, |used| used.task = flip(&used.task, "one", "two"))
    }),
    ("R3", "lies outside", "another agent uses a grant", |history| {
        by_grant(history, |used| used.agent = flip(&used.agent, "first", "second"))
    }),
    ("R3", "lies outside", "another point uses a grant", |history| {
        by_grant(history, |used| used.point = flip(&used.point, "left", "right"))
    }),
    ("R3", "lies outside", "a grant is used at another server", |history| {
        by_grant(history, |used| used.body["context"]["proviso.dev/server"] = json!("another"))
    }),
    ("R3", "lies outside", "a grant is used for another tool", |history| {
        by_grant(history, |used| used.body["context"]["proviso.dev/tool"] = json!("cd".repeat(32)))
    }),
    ("R3", "lies outside", "a grant is used for another action", |history| {
        by_grant(history, |used| used.body["action"]["name"] = json!(flip(used.action(), "write", "wipe")))
    }),
    ("R3", "lies outside", "a grant is used on another resource", |history| {
        by_grant(history, |used| used.body["resource"]["id"] = json!(flip(used.volume(), "files", "vault")))
    }),
    ("R3", "lies outside", "a grant is used beyond its folder", |history| {
        by_grant(history, |used| used.body["context"]["input"]["path"] = json!("/srv/elsewhere"))
    }),
    ("R3", "lies outside", "a grant for these arguments is used for others", |history| {
        let Some((id, _)) = exception_in_use(history) else { return false };
        each_vote(history, &id, |_, _, scope| scope["arguments"] = json!("exact"));
        by_grant(history, |used| used.body["context"]["input"]["rows"] = json!(7))
    }),
    ("R3", "before anybody voted", "a grant is used before there is one", |history| {
        let Some(used) = first_by_grant(history) else { return false };
        history.operations.push(Seen { begin: 0, end: 0, ..used });
        true
    }),
    ("R3", "that nobody made", "a grant comes from nowhere", |history| {
        by_grant(history, |used| used.grant = Some("grant_0".to_owned()))
    }),
    ("R3", "were voted", "a grant is used too often", |history| {
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
    ("R4", "voted on", "an owner votes", |history| {
        vote_by(history, |call| if call.agent == "first" { "olga" } else { "otto" })
    }),
    ("R4", "voted on", "who asked votes", |history| vote_by(history, |_| "rita")),
    ("R4", "voted on", "a stranger votes", |history| vote_by(history, |_| "sten")),
    ("R4", "was granted by", "nobody approved what was granted", |history| {
        on_granted(history, |_, decision, _| "ask".clone_into(decision))
    }),
    ("R4", "was granted by", "an approval of another version counts", |history| {
        let Some((id, mut vote)) = first_granted(history) else { return false };
        makes_it_the_vault(history, &id);
        each_vote(history, &id, |person, _, _| "pia".clone_into(person));
        if let What::Voted { person, scope, grant, .. } = &mut vote.what {
            (*person, *grant) = ("quin".to_owned(), None);
            scope["max_uses"] = json!(99);
        }
        history.operations.push(vote);
        true
    }),
    ("R4", "was granted by", "a group is missing", |history| {
        on_granted(history, |person, _, _| "quin".clone_into(person))
    }),
    ("R4", "was granted by", "one person grants what takes two", |history| {
        let Some((id, _)) = first_granted(history) else { return false };
        makes_it_the_vault(history, &id);
        // She is of both groups.
        on_granted(history, |person, _, _| "olga".clone_into(person))
    }),
    ("R5", "widened", "a vote adds uses", |history| widen(history, |scope| scope["max_uses"] = json!(1_000))),
    ("R5", "widened", "a vote moves the end", |history| {
        widen(history, |scope| scope["not_after"] = json!("2099-01-01T00:00:00Z"))
    }),
    ("R5", "widened", "a vote lets it last longer", |history| {
        widen(history, |scope| scope["valid_for"] = json!("366d"))
    }),
    ("R5", "widened", "a vote opens a folder", |history| {
        widen(history, |scope| scope["arguments"] = json!([{"at": ["path"], "op": "inside", "path": "/srv"}]))
    }),
    ("R5", "widened", "a vote opens another resource", |history| {
        widen(history, |scope| scope["resource"] = json!({"is": {"type": "Volume", "id": "another"}}))
    }),
    ("R6", "after the time to decide", "a vote comes late", |history| {
        let Some(Seen { from, what: What::Voted { exception, .. }, .. }) = a_vote(history) else { return false };
        for seen in &mut history.operations {
            if let What::Asked { id, decide_by, .. } = &mut seen.what
                && *id == exception
            {
                *decide_by = from;
            }
        }
        true
    }),
    ("R6", "after the end of", "a grant outlives what its tier allows", |history| {
        let Some(mut used) = first_by_grant(history) else { return false };
        used.from += 86_400_000;
        used.until += 86_400_000;
        history.operations.push(used);
        true
    }),
    ("R6", "after the end of", "a grant outlives the end that was voted", |history| {
        let Some((id, used)) = exception_in_use(history) else { return false };
        let end = chrono::DateTime::from_timestamp_millis(used.from).expect("an instant").to_rfc3339();
        each_vote(history, &id, |_, _, scope| scope["not_after"] = json!(end));
        true
    }),
    ("R6", "after the end of", "a grant outlives the validity that was voted", |history| {
        let Some((id, used)) = exception_in_use(history) else { return false };
        each_vote(history, &id, |_, _, scope| scope["valid_for"] = json!("1m30s"));
        let votes = history.operations.iter();
        let voted = votes.filter(|seen| matches!(&seen.what, What::Voted { exception, .. } if *exception == id));
        let Some(last) = voted.map(|seen| seen.until).max() else { return false };
        history.operations.push(Seen { from: last + 90_000, until: last + 90_000, ..used });
        true
    }),
    ("R7", "was acknowledged", "a grant is used after its revoke", |history| {
        after(history, |used| What::Revoked { grant: used.grant.clone().unwrap_or_default() })
    }),
    ("R7", "was acknowledged", "a locked subject acts", |history| {
        after(history, |used| locked("subject", &used.agent))
    }),
    ("R7", "was acknowledged", "a locked task goes on", |history| after(history, |used| locked("task", &used.task))),
    ("R7", "was acknowledged", "somebody acts for a locked person", |history| {
        after(history, |_| locked("person", "rita"))
    }),
    ("R7", "was acknowledged", "a locked server is used", |history| {
        after(history, |used| locked("server", used.server().as_str().unwrap_or_default()))
    }),
    ("R8", "without a grant", "what scope does not hold passes without a grant", |history| {
        by_grant(history, |used| used.grant = None)
    }),
    ("R8", "cannot be understood", "an argument of another type passes", |history| {
        pass(history, |used| used.input()["rows"].is_string())
    }),
    ("R8", "cannot be understood", "an argument that nobody declared passes", |history| {
        pass(history, |used| used.input()["force"].is_boolean())
    }),
    ("R8", "cannot be understood", "a path that climbs passes", |history| {
        pass(history, |used| used.path().contains("/../"))
    }),
    ("R8", "cannot be understood", "a resource that nobody knows passes", |history| {
        pass(history, |used| used.volume() == "nowhere")
    }),
];
