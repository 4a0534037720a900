//! Forty small requests are one large one: at once, where they are held, and in turn, where each is used up first.

use proviso_tests::{Story, post_rows};
use serde_json::{Value, json};

use super::{allowed, denied, verdict};

const DATASET: &str = "finance/sandbox";
/// Forty of these are 44,000 rows. Policy lets nobody ask for more than 5,000 in sum.
const ROWS: i64 = 1_100;
const PIECES: usize = 40;

fn piece(number: usize, call: &str) -> Value {
    // Each piece is another call, or the next would fold or count as used up.
    post_rows("report-writer", DATASET, ROWS + i64::try_from(number).unwrap(), call)
}

/// Asks for one piece. Its exception, or nothing where nobody may ask for it.
async fn asked(story: &Story, number: usize) -> Option<String> {
    let call = piece(number, &format!("ask-{number}"));
    let answer = story.evaluate(&call).await;
    if verdict(&answer) == denied("not_permitted") {
        assert_eq!(answer.json()["context"]["access_request"], Value::Null);
        return None;
    }
    assert_eq!(verdict(&answer), denied("approval_required"));
    let mut scope = answer.json()["context"]["access_request"]["display"]["scope"].clone();
    scope["max_uses"] = json!(1);
    let request = story.request(&story.request_body(&call, &answer.json(), Some(scope))).await;
    Some(request.json()["task"]["id"].as_str().unwrap_or_else(|| panic!("{request:?}")).to_owned())
}

#[tokio::test]
async fn a_refused_request_split_into_forty_stays_refused_while_they_are_held() {
    proviso_tests::clauses!("c4-15-split");
    let story = Story::begin().await;
    let mut open = Vec::new();
    for number in 0..PIECES {
        open.extend(asked(&story, number).await);
    }
    assert_eq!(open.len(), 4, "four are 4,406 rows, and one more would be above 5,000");
    // Taken back, they count no more.
    let cancel = format!("/access/v1/requests/{}/cancel", open[0]);
    assert!(story.client.post_for(&cancel, &story.point, &story.agent, &json!({})).await.status.is_success());
    assert!(asked(&story, PIECES).await.is_some());
    assert!(asked(&story, PIECES + 1).await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refused_request_split_into_forty_at_once_is_granted_no_more_than_policy_lets_anybody_have() {
    let story = std::sync::Arc::new(Story::begin().await);
    let asking = (0..PIECES).map(|number| {
        let story = std::sync::Arc::clone(&story);
        tokio::spawn(async move {
            let call = piece(number, &format!("ask-{number}"));
            let answer = story.evaluate(&call).await.json();
            let mut scope = answer["context"]["access_request"]["display"]["scope"].clone();
            scope["max_uses"] = json!(1);
            let request = story.request(&story.request_body(&call, &answer, Some(scope))).await.json();
            request["task"]["id"].as_str().map(str::to_owned)
        })
    });
    let mut open = Vec::new();
    for asked in asking.collect::<Vec<_>>() {
        open.extend(asked.await.unwrap());
    }
    // However many came through before any of them stood, people can grant what policy lets one have and no more: terms
    // are asked again at each vote, with all that is held.
    let (mara, vera) = (story.gate.person("mara").await, story.gate.person("vera").await);
    let mut granted = 0;
    for id in &open {
        for cookie in [&mara, &vera] {
            let detail = story.client.get(&format!("/api/v1/exceptions/{id}"), Some(cookie)).await.json();
            let position = detail["position"].as_u64().unwrap();
            if let Some(ballot) = story.ballot_at(cookie, id, position, "approve", None).await {
                let votes = format!("/api/v1/exceptions/{id}/votes");
                let answer = story.client.post(&votes, cookie, &ballot).await;
                granted += usize::from(answer.json()["state"] == "granted");
            }
        }
    }
    assert!(granted <= 4, "{granted} of {} are more than 5,000 rows", open.len());
}

#[tokio::test]
async fn a_refused_request_split_into_forty_stays_refused_where_each_is_used_up_before_the_next() {
    let story = Story::begin().await;
    let (mara, vera) = (story.gate.person("mara").await, story.gate.person("vera").await);
    let mut posted = 0;
    for number in 0..PIECES {
        let Some(id) = asked(&story, number).await else { continue };
        for cookie in [&mara, &vera] {
            let answer = story.vote(cookie, &id, "approve", None).await;
            assert!(answer.status.is_success(), "{answer:?}");
        }
        assert_eq!(verdict(&story.evaluate(&piece(number, &format!("use-{number}"))).await), allowed("exception"));
        posted += 1;
        // Neither a minute nor a day makes room in the same task.
        story.gate.clock.advance(60);
    }
    assert_eq!(posted, 4, "four are 4,406 rows, and one more would be above 5,000");
    story.gate.clock.advance(3 * 3_600);
    assert_eq!(verdict(&story.evaluate(&piece(PIECES, "late")).await), denied("not_permitted"));
    // Nor does another task of the same owner's agents, on the same day.
    let other = story.gate.agent("report-writer", "another-task", Some("ines")).await;
    let ask = async |agent: &str, call: &Value| {
        verdict(&story.client.post_for("/access/v1/evaluation", &story.point, agent, call).await)
    };
    assert_eq!(ask(&other, &piece(PIECES, "other-task")).await, denied("not_permitted"));
    let bot = story.gate.agent("ledger-bot", "another-task", Some("ines")).await;
    assert_eq!(ask(&bot, &post_rows("ledger-bot", DATASET, ROWS, "bot")).await, denied("not_permitted"));
    // Another owner's agent has its own sum.
    let planner = story.gate.agent("close-planner", "another-task", Some("jun")).await;
    assert_eq!(ask(&planner, &post_rows("close-planner", DATASET, ROWS, "p")).await, denied("approval_required"));
}
