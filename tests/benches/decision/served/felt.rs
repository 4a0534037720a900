//! How soon what a person does is felt by the agent: a vote by the one who waits for it, a revoke by the one who uses the
//! grant.

use std::time::{Duration, Instant};

use proviso_tests::{Client, Story, as_person, write_file};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::figures::Measured;
use crate::measure::now;
use crate::{Result, Run};

/// Each is a request, a vote, a permit, a revoke and a denial.
const MOST_ROUNDS: usize = 21;

pub fn measure(run: &mut Run, runtime: &Runtime, story: &Story, sync: Duration) -> Result<()> {
    let over = |taken: Duration| taken.saturating_sub(sync).as_secs_f64() * 1e3;
    let (mut permits, mut denials) = (Vec::new(), Vec::new());
    let mara = runtime.block_on(story.gate.person("mara"));
    for number in 0..run.rounds.min(MOST_ROUNDS) {
        let (permit, denial) = runtime.block_on(one(story, &mara, number))?;
        permits.push(over(permit));
        denials.push(over(denial));
        // The clock of this gate is ours: nobody asks too often.
        story.gate.clock.advance(60);
    }
    run.figure("vote_to_permit", Measured::of(permits));
    run.figure("revoke_to_denial", Measured::of(denials));
    Ok(())
}

/// From a vote to the permit of the agent that waits for it, and from a revoke to the denial.
async fn one(story: &Story, mara: &str, number: usize) -> Result<(Duration, Duration)> {
    let folder = format!("/srv/files/reports/{number}");
    let call =
        |time: &str| write_file("report-writer", &format!("{folder}/{time}.md"), &format!("felt-{number}-{time}"));
    // For more than one use: a grant that is used up cannot be revoked.
    let id = story.ask(&call("asked"), Some(&folder)).await;
    let ballot = story.ballot(mara, &id, "approve", None).await;
    let client = &story.client;
    let wait = client.request(Method::GET, &format!("/access/v1/requests/{id}?wait=60"));
    let wait = wait.bearer_auth(&story.point).header("proviso-subject-token", &story.agent);
    let waiting = async {
        wait.send().await?;
        let permitted = decided(client, story, &call("granted")).await?;
        Ok::<_, Box<dyn std::error::Error>>((permitted, now()))
    };
    let votes = as_person(client.request(Method::POST, &format!("/api/v1/exceptions/{id}/votes")), mara).json(&ballot);
    let voting = async {
        let begun: Instant = now();
        let voted = votes.send().await?.error_for_status()?;
        voted.bytes().await?;
        Ok::<_, Box<dyn std::error::Error>>(begun)
    };
    let (waited, voted) = tokio::join!(waiting, voting);
    let ((permitted, ended), begun) = (waited?, voted?);
    if !permitted {
        return Err("the agent that waited for a vote got no permit".into());
    }
    let permit = ended.duration_since(begun);
    let grant = live(client, mara, &id).await?;
    let begun = now();
    let revoke = client.request(Method::POST, &format!("/api/v1/grants/{grant}/revoke"));
    as_person(revoke, mara).json(&json!({"reason": "measured"})).send().await?.error_for_status()?;
    if decided(client, story, &call("revoked")).await? {
        return Err("a revoked grant permits".into());
    }
    Ok((permit, begun.elapsed()))
}

/// The grant of an exception, as its page tells it.
pub(super) async fn live(client: &Client, person: &str, id: &str) -> Result<String> {
    let detail = as_person(client.request(Method::GET, &format!("/api/v1/exceptions/{id}")), person);
    let detail: Value = detail.send().await?.json().await?;
    let grant = detail.pointer("/exception/phase/grant/id").and_then(Value::as_str);
    grant.map(str::to_owned).ok_or_else(|| format!("there is no grant: {detail:#}").into())
}

/// Whether a call is permitted.
async fn decided(client: &Client, story: &Story, call: &Value) -> Result<bool> {
    let request = client.request(Method::POST, "/access/v1/evaluation").bearer_auth(&story.point);
    let answer = request.header("proviso-subject-token", &story.agent).json(call).send().await?;
    let answer: Value = answer.json().await?;
    answer.get("decision").and_then(Value::as_bool).ok_or_else(|| format!("no decision: {answer}").into())
}
