//! Votes on versions of one request: what counts for which, and that narrowing in turn comes to an end (R4, R5).

use proviso_tests::{Answer, Story, post_rows};
use serde_json::{Value, json};

use super::{denied, exception, refusal, refused, sizes, verdict};

/// An open request for so many uses that takes one of finance and one of security. Its id.
async fn open_for_two(story: &Story, uses: u32) -> String {
    let call = post_rows("report-writer", "finance/ledger-eu", 5, "ask");
    let body = story.evaluate(&call).await.json();
    let mut scope = body["context"]["access_request"]["display"]["scope"].clone();
    scope["max_uses"] = json!(uses);
    let answer = story.request(&story.request_body(&call, &body, Some(scope))).await.json();
    answer["task"]["id"].as_str().unwrap_or_else(|| panic!("no request was made: {answer}")).to_owned()
}

/// An approval of the newest version, narrowed to so many uses where they are said.
async fn approve(story: &Story, cookie: &str, id: &str, uses: Option<u32>, inside: bool) -> Answer {
    let mut narrowed: Option<Value> = None;
    if let Some(uses) = uses {
        let mut scope = story.ballot(cookie, id, "approve", None).await["grant"].clone();
        scope["max_uses"] = json!(uses);
        narrowed = Some(scope);
    }
    let mut ballot = story.ballot(cookie, id, "approve", narrowed).await;
    ballot["inside"] = json!(inside);
    story.gate.client.post(&format!("/api/v1/exceptions/{id}/votes"), cookie, &ballot).await
}

#[tokio::test]
async fn a_vote_on_an_older_version_counts_only_where_it_was_for_whatever_lies_inside() {
    for (inside, state) in [(false, "requested"), (true, "granted")] {
        let story = Story::begin().await;
        let id = open_for_two(&story, 3).await;
        let (mara, vera) = (story.gate.person("mara").await, story.gate.person("vera").await);
        let first = approve(&story, &mara, &id, None, inside).await;
        assert_eq!(first.json()["state"], "requested", "{first:?}");
        // vera makes a second version, on which mara has not voted.
        let second = approve(&story, &vera, &id, Some(2), false).await;
        assert_eq!(second.json()["state"], state, "inside: {inside}: {second:?}");
        let detail = exception(&story, &mara, &id).await;
        assert_eq!(detail["state"], state, "inside: {inside}");
        if inside {
            assert_eq!(detail["exception"]["phase"]["grant"]["scope"]["max_uses"], 2, "{detail}");
            continue;
        }
        let used = story.evaluate(&post_rows("report-writer", "finance/ledger-eu", 5, "use")).await;
        assert_eq!(verdict(&used), denied("approval_required"), "{used:?}");
        let third = approve(&story, &mara, &id, None, false).await;
        assert_eq!(third.json()["state"], "granted", "{third:?}");
        let detail = exception(&story, &mara, &id).await;
        assert_eq!(detail["exception"]["phase"]["grant"]["scope"]["max_uses"], 2, "{detail}");
    }
}

#[tokio::test]
async fn two_who_narrow_in_turn_come_to_an_end() {
    let story = Story::begin().await;
    // Policy gives at most five uses, and four narrower versions come after the first.
    let id = open_for_two(&story, 5).await;
    let (mara, vera) = (story.gate.person("mara").await, story.gate.person("vera").await);
    for (voter, uses) in [(&mara, 4), (&vera, 3), (&mara, 2)] {
        let answer = approve(&story, voter, &id, Some(uses), false).await;
        assert_eq!(answer.json()["state"], "requested", "{uses}: {answer:?}");
    }
    let mut shorter = story.ballot(&vera, &id, "approve", None).await["grant"].clone();
    shorter["max_uses"] = json!(1);
    let answer = story.vote(&vera, &id, "approve", Some(shorter.clone())).await;
    assert_eq!(answer.json()["state"], "requested", "{answer:?}");
    assert_eq!(exception(&story, &mara, &id).await["exception"]["versions"].as_array().map(Vec::len), Some(5));

    // A sixth version is refused in so many words, whoever makes it, and is not on record.
    let valid_for = shorter["valid_for"].clone();
    shorter["valid_for"] = json!("10m");
    assert_ne!(shorter["valid_for"], valid_for, "it would be no sixth version: {shorter}");
    for voter in [&mara, &vera] {
        let before = sizes(&story);
        let ballot = story.ballot(voter, &id, "approve", Some(shorter.clone())).await;
        let answer = story.gate.client.post(&format!("/api/v1/exceptions/{id}/votes"), voter, &ballot).await;
        assert_eq!(refusal(&answer), refused(409, "too_many_versions"));
        let help = answer.json()["help"].clone();
        assert!(help.as_str().is_some_and(|help| help.contains("newest version")), "what to do now: {help}");
        assert_eq!(sizes(&story), before);
    }
    // Five approvals, and none of another person on the newest version: nothing is granted.
    let detail = exception(&story, &mara, &id).await;
    assert_eq!(detail["state"], "requested", "{detail}");
    let used = story.evaluate(&post_rows("report-writer", "finance/ledger-eu", 5, "use")).await;
    assert_eq!(verdict(&used), denied("approval_required"), "{used:?}");

    let answer = approve(&story, &mara, &id, None, false).await;
    assert_eq!(answer.json()["state"], "granted", "the newest version can be approved: {answer:?}");
    let detail = exception(&story, &mara, &id).await;
    assert_eq!(detail["exception"]["phase"]["grant"]["scope"]["max_uses"], 1, "{detail}");
}

async fn cast(story: &Story, cookie: &str, id: &str, ballot: &Value) -> Answer {
    story.gate.client.post(&format!("/api/v1/exceptions/{id}/votes"), cookie, ballot).await
}

#[tokio::test]
async fn the_same_vote_for_whatever_lies_inside_is_another_vote() {
    let story = Story::begin().await;
    let id = open_for_two(&story, 3).await;
    let (mara, vera) = (story.gate.person("mara").await, story.gate.person("vera").await);
    let mut ballot = story.ballot(&mara, &id, "approve", None).await;
    assert_eq!(cast(&story, &mara, &id, &ballot).await.json()["state"], "requested");
    let before = sizes(&story);
    assert_eq!(cast(&story, &mara, &id, &ballot).await.status.as_u16(), 200);
    assert_eq!(sizes(&story), before, "the very same is done already");
    ballot["inside"] = json!(true);
    for _ in 0..2 {
        assert_eq!(cast(&story, &mara, &id, &ballot).await.json()["state"], "requested");
        let votes = exception(&story, &mara, &id).await["exception"]["votes"].clone();
        assert_eq!(votes.as_array().map(Vec::len), Some(2), "{votes}");
        assert_eq!(votes[1]["inside"], json!(true), "{votes}");
    }
    // So it counts on a narrower version.
    assert_eq!(approve(&story, &vera, &id, Some(2), false).await.json()["state"], "granted");
}

#[tokio::test]
async fn a_refusal_of_any_version_ends_the_request() {
    for (emergency, newest) in [(false, false), (false, true), (true, false)] {
        let story = Story::begin().await;
        let id = open_for_two(&story, 3).await;
        let (mara, vera) = (story.gate.person("mara").await, story.gate.person("vera").await);
        let mut ballot = story.ballot(&mara, &id, "refuse", None).await;
        if emergency {
            let why = json!({"reason": "the books close tonight"});
            let path = format!("/api/v1/exceptions/{id}/emergency");
            assert_eq!(story.gate.client.post(&path, &vera, &why).await.json()["state"], "requested");
        } else {
            assert_eq!(approve(&story, &vera, &id, Some(2), false).await.json()["state"], "requested");
        }
        // Nobody approves by a sheet from before.
        ballot["decision"] = json!("approve");
        let expected = if emergency { refused(409, "stale_sheet") } else { refused(400, "widens") };
        assert_eq!(refusal(&cast(&story, &mara, &id, &ballot).await), expected);
        ballot["decision"] = json!("refuse");
        if newest {
            ballot = story.ballot(&mara, &id, "refuse", None).await;
        }
        let answer = cast(&story, &mara, &id, &ballot).await;
        assert_eq!(answer.json()["state"], "denied", "emergency: {emergency}, newest: {newest}: {answer:?}");
    }
}

#[tokio::test]
async fn a_refusal_does_not_outlive_the_facts_that_it_was_shown() {
    let story = Story::begin().await;
    let id = open_for_two(&story, 3).await;
    let (mara, vera) = (story.gate.person("mara").await, story.gate.person("vera").await);
    let mut ballot = story.ballot(&mara, &id, "refuse", None).await;
    assert_eq!(approve(&story, &vera, &id, Some(2), false).await.json()["state"], "requested");
    // Any sheet will not do: it is one that this gate showed to this person.
    ballot["sheet"] = json!("0".repeat(64));
    assert_eq!(refusal(&cast(&story, &mara, &id, &ballot).await), refused(409, "stale_sheet"));
}

#[tokio::test]
async fn r5_a_range_is_the_approvers_choice_up_to_what_was_asked() {
    let story = Story::begin().await;
    let call = post_rows("report-writer", "finance/ledger-eu", 5, "ask");
    let denial = story.evaluate(&call).await.json();
    let rows = |min: i64, max: i64| json!([{"at": ["rows"], "op": "between", "min": min, "max": max}]);
    let mut scope = denial["context"]["access_request"]["display"]["scope"].clone();
    scope["arguments"] = rows(0, 50);
    scope["max_uses"] = json!(2);
    let answer = story.request(&story.request_body(&call, &denial, Some(scope))).await.json();
    let id = answer["task"]["id"].as_str().unwrap_or_else(|| panic!("no request was made: {answer}"));
    let (mara, vera) = (story.gate.person("mara").await, story.gate.person("vera").await);
    let asked = story.ballot(&mara, id, "approve", None).await["grant"].clone();
    let ranged = |arguments: Value| {
        let mut scope = asked.clone();
        scope["arguments"] = arguments;
        scope
    };
    for wider in [rows(0, 51), rows(-1, 50), json!([{"at": ["rows"], "op": "one_of", "values": [5, 51]}])] {
        let before = sizes(&story);
        let answer = story.vote(&mara, id, "approve", Some(ranged(wider.clone()))).await;
        assert_eq!(refusal(&answer), refused(400, "widens"), "{wider}");
        assert_eq!(sizes(&story), before);
    }
    let answer = story.vote(&mara, id, "approve", Some(ranged(rows(5, 10)))).await;
    assert_eq!(answer.json()["state"], "requested", "{answer:?}");
    // Nor does the next one go back to what was asked for.
    let answer = story.vote(&vera, id, "approve", Some(ranged(rows(0, 50)))).await;
    assert_eq!(refusal(&answer), refused(400, "widens"));
    let answer = story.vote(&vera, id, "approve", None).await;
    assert_eq!(answer.json()["state"], "granted", "{answer:?}");
    for (number, expected) in [(4, false), (11, false), (10, true), (5, true)] {
        let used =
            story.evaluate(&post_rows("report-writer", "finance/ledger-eu", number, &format!("u{number}"))).await;
        assert_eq!(verdict(&used).0, expected, "{number} rows: {used:?}");
    }
}
