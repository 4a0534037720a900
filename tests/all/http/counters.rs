//! What a grant counts: its rate, its budgets, how many there may be; and what a revoke takes of one that is used up.

use proviso_tests::{Story, post_rows, write_file};
use serde_json::{Value, json};

use super::{allowed, denied, exception, granted, refusal, refused, verdict};

const FILE: &str = "/srv/files/reports/a.md";

/// `post_journal` on the sandbox by report-writer, granted by finance with this change to the offered scope.
async fn posting(story: &Story, change: impl Fn(&mut Value)) -> String {
    let call = post_rows("report-writer", "finance/sandbox", 100, "ask");
    let denied = story.evaluate(&call).await.json();
    let mut scope = denied["context"]["access_request"]["display"]["scope"].clone();
    change(&mut scope);
    let answer = story.request(&story.request_body(&call, &denied, Some(scope))).await;
    let id = answer.json()["task"]["id"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned();
    for user in ["mara", "jun"] {
        let cookie = story.gate.person(user).await;
        let vote = story.vote(&cookie, &id, "approve", None).await;
        assert!(vote.status.is_success(), "{vote:?}");
    }
    id
}

fn rows(rows: i64, call: &str) -> Value {
    post_rows("report-writer", "finance/sandbox", rows, call)
}

#[tokio::test]
async fn r3_a_rate_is_held_over_its_window_and_no_refusal_costs_a_use() {
    let story = Story::begin().await;
    let id = posting(&story, |scope| {
        scope["max_uses"] = json!(6);
        scope["rate"] = json!({"uses": 2, "per": "10m"});
        scope["arguments"] = json!([{"at": ["rows"], "op": "between", "max": 100}]);
    })
    .await;
    let mara = story.gate.person("mara").await;
    let over = async |call: &str| {
        let answer = story.evaluate(&rows(50, call)).await;
        assert!(!verdict(&answer).0, "{answer:?}");
        assert_eq!(answer.json()["context"]["proviso.dev/grant"]["state"], "over_rate", "{answer:?}");
    };
    assert_eq!(verdict(&story.evaluate(&rows(50, "u1")).await), allowed("exception"));
    story.gate.clock.advance(300);
    assert_eq!(verdict(&story.evaluate(&rows(50, "u2")).await), allowed("exception"));
    over("u3").await;
    story.gate.clock.advance(299);
    over("u4").await;
    // Ten minutes after the first use one is free again, and one only.
    story.gate.clock.advance(1);
    assert_eq!(verdict(&story.evaluate(&rows(50, "u5")).await), allowed("exception"));
    over("u6").await;
    assert_eq!(proviso_tests::uses(&exception(&story, &mara, &id).await), Some(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r3_a_budget_is_checked_before_it_is_consumed_and_never_passed_also_at_once() {
    let story = std::sync::Arc::new(Story::begin().await);
    let id = posting(&story, |scope| {
        scope["max_uses"] = json!(20);
        scope["arguments"] = json!([{"at": ["rows"], "op": "between", "max": 100}]);
        scope["budgets"] = json!([{"at": ["rows"], "max": 250}]);
    })
    .await;
    let spent = async |story: &Story| {
        let mara = story.gate.person("mara").await;
        exception(story, &mara, &id).await["exception"]["phase"]["spent"][0].as_i64()
    };
    assert_eq!(verdict(&story.evaluate(&rows(100, "u0")).await), allowed("exception"));
    // Sixteen at once for 50 each: three fit, and each of the others is refused whole.
    let calls = (1..=16).map(|number| {
        let story = std::sync::Arc::clone(&story);
        tokio::spawn(async move { verdict(&story.evaluate(&rows(50, &format!("u{number}"))).await).0 })
    });
    let mut fitted = 0;
    for call in calls.collect::<Vec<_>>() {
        fitted += i64::from(call.await.unwrap());
    }
    assert!((1..=3).contains(&fitted), "{fitted}");
    assert_eq!(spent(&story).await, Some(100 + 50 * fitted));
    for number in fitted..3 {
        assert_eq!(verdict(&story.evaluate(&rows(50, &format!("more{number}"))).await), allowed("exception"));
    }
    let over = story.evaluate(&rows(1, "over")).await;
    assert_eq!(over.json()["context"]["proviso.dev/grant"]["state"], "over_budget", "{over:?}");
    assert_eq!(spent(&story).await, Some(250), "what is refused takes nothing");
    // Nothing gives anything back to a budget, and nothing runs over its end.
    for number in [-1, -100, i64::from(i32::MIN), (1 << 53) - 1, i64::MIN, i64::MAX] {
        let answer = story.evaluate(&rows(number, "odd")).await;
        assert!(answer.json()["decision"] != json!(true), "{number}: {answer:?}");
    }
    assert_eq!(spent(&story).await, Some(250));
    assert_eq!(verdict(&story.evaluate(&rows(0, "nothing")).await), allowed("exception"), "nothing fits into nothing");
}

#[tokio::test]
async fn r3_a_budget_that_is_no_bound_cannot_be_asked_for() {
    let story = Story::begin().await;
    let call = rows(100, "ask");
    for budgets in [
        json!([{"at": ["rows"], "max": -1}]),
        json!([{"at": ["rows"], "max": 9_007_199_254_740_993_u64}]),
        json!([{"at": ["rows"], "max": 1.5}]),
        json!([{"at": ["rows"], "max": "250"}]),
        json!([{"at": ["columns"], "max": 250}]),
        json!([{"at": [], "max": 250}]),
        json!([{"at": ["rows"], "max": 250}, {"at": ["rows"], "max": 900}]),
    ] {
        let denied = story.evaluate(&call).await.json();
        let mut scope = denied["context"]["access_request"]["display"]["scope"].clone();
        scope["budgets"] = budgets.clone();
        let answer = story.request(&story.request_body(&call, &denied, Some(scope))).await;
        assert!(answer.status.is_client_error(), "{budgets}: {answer:?}");
    }
}

#[tokio::test]
async fn r7_what_is_used_up_can_be_taken_away_and_no_use_of_it_comes_back() {
    let story = Story::begin().await;
    let why = json!({"reason": "the agent is off the rails"});
    for (number, target) in [
        None,
        Some(json!({"subject": {"type": "Agent", "id": format!("{}report-writer", proviso_tests::AGENTS)}})),
        Some(json!({"approver": {"type": "User", "id": "mara"}})),
        Some(json!({"person": {"type": "User", "id": "ines"}})),
    ]
    .into_iter()
    .enumerate()
    {
        let file = format!("/srv/files/reports/{number}.md");
        let id = story.ask(&write_file("report-writer", &file, "ask"), None).await;
        let mara = story.gate.person("mara").await;
        assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
        let used = story.evaluate(&write_file("report-writer", &file, &format!("u{number}"))).await;
        assert_eq!(verdict(&used), allowed("exception"));
        let detail = exception(&story, &mara, &id).await;
        assert_eq!(detail["state"], "exhausted");
        assert_eq!(detail["allowed"]["revoke"], "yes");
        let grant = detail["exception"]["phase"]["grant"]["grant"]["id"].as_str().unwrap().to_owned();
        let one = format!("/api/v1/grants/{grant}/revoke");
        match target {
            None => {
                let answer = story.client.post(&one, &mara, &why).await;
                assert_eq!(answer.json()["state"], "revoked", "{answer:?}");
            }
            Some(target) => {
                let all = json!({"target": target, "reason": why["reason"]});
                let answer = story.client.post("/api/v1/revocations", &mara, &all).await;
                assert!(answer.json()["grants"].to_string().contains(&grant), "{answer:?}");
            }
        }
        // Again it is the same answer, and nothing is written.
        let before = super::sizes(&story);
        assert_eq!(story.client.post(&one, &mara, &why).await.json()["state"], "revoked");
        assert_eq!(super::sizes(&story), before);
        let evaluation = used.json()["context"]["evaluation_id"].as_str().unwrap().to_owned();
        story.gate.clock.advance(16);
        let back = format!("/api/v1/exceptions/{id}/uses/{evaluation}/give_back");
        assert_eq!(refusal(&story.client.post(&back, &mara, &why).await), refused(409, "closed"));
        assert!(!verdict(&story.evaluate(&write_file("report-writer", &file, "revived")).await).0);
        assert_eq!(exception(&story, &mara, &id).await["state"], "revoked");
    }
}

#[tokio::test]
async fn r7_the_end_of_a_task_takes_what_is_used_up_and_past_its_window_nothing_is_left_to_take() {
    let story = Story::begin().await;
    let id = story.ask(&write_file("report-writer", FILE, "ask"), None).await;
    let mara = story.gate.person("mara").await;
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    let used = story.evaluate(&write_file("report-writer", FILE, "u1")).await.json();
    let evaluation = used["context"]["evaluation_id"].as_str().unwrap().to_owned();
    let why = json!({"reason": "it is done"});
    let ended = story.client.post("/api/v1/tasks/weekly-report/end", &mara, &why).await;
    assert!(ended.status.is_success(), "{ended:?}");
    story.gate.clock.advance(16);
    let back = format!("/api/v1/exceptions/{id}/uses/{evaluation}/give_back");
    assert_eq!(refusal(&story.client.post(&back, &mara, &why).await), refused(409, "closed"));

    let story = Story::begin().await;
    let (id, mara) = granted(&story).await;
    let grant = exception(&story, &mara, &id).await["exception"]["phase"]["grant"]["id"].as_str().unwrap().to_owned();
    story.gate.clock.advance(4 * 3_600);
    let path = format!("/api/v1/grants/{grant}/revoke");
    for _ in 0..2 {
        let answer = story.client.post(&path, &mara, &why).await;
        assert_eq!(refusal(&answer), refused(409, "closed"));
        assert!(answer.json()["help"].as_str().unwrap().contains("nothing is left to take away"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_subject_holds_at_most_sixty_grants_and_gets_room_when_one_ends() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let file = |number: usize| write_file("report-writer", &format!("/srv/files/reports/{number}.md"), "c");
    let mut grants = Vec::new();
    for number in 0..60 {
        let id = story.ask(&file(number), None).await;
        let vote = story.vote(&mara, &id, "approve", None).await;
        assert_eq!(vote.json()["state"], "granted", "{vote:?}");
        grants.push(id);
    }
    let denial = story.evaluate(&file(60)).await.json();
    let body = story.request_body(&file(60), &denial, None);
    let answer = story.request(&body).await;
    assert_eq!(refusal(&answer), refused(429, "too_many_grants"));
    assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|wait| wait >= 1), "{answer:?}");
    // Another agent in another task is not held up.
    let planner = story.gate.agent("close-planner", "another-task", Some("jun")).await;
    let call = write_file("close-planner", FILE, "c1");
    let refused_call = story.client.post_for("/access/v1/evaluation", &story.point, &planner, &call).await;
    assert_eq!(verdict(&refused_call), denied("approval_required"));
    let theirs = story.request_body(&call, &refused_call.json(), None);
    let answer = story.client.post_for("/access/v1/requests", &story.point, &planner, &theirs).await;
    assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
    // One that is used up makes room for one.
    assert_eq!(verdict(&story.evaluate(&file(0)).await), allowed("exception"));
    assert_eq!(story.request(&body).await.status.as_u16(), 201);
}
