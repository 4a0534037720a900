//! The log as a list: what is in it comes out again newest first, narrowed and in pages; what somebody may not read, or
//! was erased, does not; and no list, however it is asked for, reads without bound.

use std::collections::BTreeSet;

use proviso_tests::{AGENTS, Answer, Story, write_file};
use serde_json::{Value, json};

use super::played;
use crate::console::{CANARY, folder, story as story_with_roles, tells, write};

/// Which lines a filter leaves.
type Fits<'a> = Box<dyn Fn(&Value) -> bool + 'a>;

/// What a person gets of the list.
async fn asked(story: &Story, person: &str, query: &str) -> Answer {
    story.client.get(&format!("/api/v1/record/lines?{query}"), Some(person)).await
}

async fn list(story: &Story, person: &str, query: &str) -> Value {
    let answer = asked(story, person, query).await;
    assert!(answer.status.is_success(), "{query}: {answer:?}");
    answer.json()
}

fn lines(list: &Value) -> Vec<Value> {
    list["lines"].as_array().expect("lines").clone()
}

/// Where lines stand: log and number.
fn places(lines: &[Value]) -> Vec<(String, u64)> {
    lines
        .iter()
        .map(|line| (line["log"].as_str().unwrap_or_default().to_owned(), line["seq"].as_u64().unwrap_or(u64::MAX)))
        .collect()
}

/// The whole list, page by page.
async fn whole(story: &Story, person: &str, query: &str, limit: u32) -> Vec<Value> {
    let (mut all, mut page) = (Vec::new(), String::new());
    loop {
        let some = list(story, person, &format!("{query}&limit={limit}{page}")).await;
        assert!(lines(&some).len() <= limit as usize, "{some:#}");
        all.extend(lines(&some));
        match some["next"].as_str() {
            Some(token) => page = format!("&page={token}"),
            None => return all,
        }
    }
}

#[tokio::test]
async fn every_record_is_a_line_newest_first_and_pages_neither_lose_nor_repeat_one() {
    let story = Story::begin().await;
    let (mara, _) = played(&story).await;
    let all = whole(&story, &mara, "", 200).await;
    let sizes: u64 = story.gate.app.record().logs.iter().map(|log| log.size).sum();
    assert_eq!(all.len() as u64, sizes, "each record is a line");
    let times: Vec<&str> = all.iter().map(|line| line["at"].as_str().unwrap_or_default()).collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older), "{times:?}");
    for limit in [1, 3, 7] {
        assert_eq!(places(&whole(&story, &mara, "", limit).await), places(&all), "{limit} a page");
    }
    // What is recorded meanwhile comes before the first page, and moves nothing behind it.
    let first = list(&story, &mara, "limit=3").await;
    story.evaluate(&write_file("report-writer", "/srv/files/elsewhere/b.md", "later")).await;
    let next = first["next"].as_str().expect("more");
    let second = list(&story, &mara, &format!("limit=3&page={next}")).await;
    assert_eq!(places(&lines(&second)), places(&all)[3..6]);
    // Past the end there is nothing, and no page behind it.
    let last = list(&story, &mara, "limit=200&log=ledger&seq=100000").await;
    assert_eq!((&last["lines"], &last["next"], &last["looked"]), (&json!([]), &Value::Null, &json!(0)), "{last:#}");
}

#[tokio::test]
async fn the_list_is_of_what_was_asked_for_by_each_filter_and_by_several() {
    let story = Story::begin().await;
    let (mara, id) = played(&story).await;
    let other = story.gate.agent("close-planner", "close", Some("ines")).await;
    let call = write_file("close-planner", "/srv/files/reports/z.md", "z1");
    story.client.post_for("/access/v1/evaluation", &story.point, &other, &call).await;
    let ola = story.gate.person("ola").await;
    let body =
        json!({"target": {"subject": {"type": "Agent", "id": format!("{AGENTS}close-planner")}}, "reason": "wait"});
    assert!(story.client.post("/api/v1/locks", &ola, &body).await.status.is_success());
    story.gate.clock.advance(3_600);
    story.evaluate(&write_file("report-writer", "/srv/files/drafts/late.md", "late")).await;
    // Whoever looks at it has it written down that the grant is over.
    let receipt = story.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await.json();
    let all = whole(&story, &mara, "", 200).await;
    let late = all[0]["at"].as_str().expect("a time").to_owned();
    let granted = all.iter().find(|line| line["kind"] == "exception_granted").expect("a grant").clone();
    // An hour later it is over, and its phase holds how far it came.
    let grant = receipt.pointer("/exception/phase/grant/grant/id").and_then(Value::as_str).map(str::to_owned);
    let grant = grant.unwrap_or_else(|| panic!("{:#}", receipt["exception"]["phase"]));
    let (writer, planner) = (format!("Agent::{AGENTS}report-writer"), format!("{AGENTS}close-planner"));
    let subject = |line: &Value, agent: &str| line["subject"]["id"].as_str() == Some(agent);
    let (seq, refused) = (granted["seq"].as_u64().expect("a position"), json!("evaluation"));
    let rows: Vec<(String, Fits<'_>)> = vec![
        ("log=ledger".to_owned(), Box::new(|line: &Value| line["log"] == "ledger")),
        ("log=decisions/main".to_owned(), Box::new(|line: &Value| line["log"] == "decisions/main")),
        ("kind=vote_cast".to_owned(), Box::new(|line| line["kind"] == "vote_cast")),
        (
            "kind=vote_cast,%20locked,".to_owned(),
            Box::new(|line| line["kind"] == "vote_cast" || line["kind"] == "locked"),
        ),
        ("person=mara".to_owned(), Box::new(|line| line["by"]["id"] == "mara")),
        ("person=User::ola".to_owned(), Box::new(|line| line["by"]["id"] == "ola")),
        (format!("agent={planner}"), Box::new(|line| subject(line, &planner))),
        (
            format!("exception={id}"),
            Box::new(|line| line["exception"].as_str() == Some(&id) || (line["kind"] == refused && line["seq"] == 0)),
        ),
        (
            format!("grant={grant}"),
            Box::new(|line| line["exception"].as_str() == Some(&id) || (line["kind"] == refused && line["seq"] == 0)),
        ),
        (format!("since={late}"), Box::new(|line| line["at"].as_str() == Some(&late))),
        (format!("until={late}"), Box::new(|line| line["at"].as_str() != Some(&late))),
        (
            format!("log=ledger&seq={seq}"),
            Box::new(|line| line["log"] == "ledger" && line["seq"].as_u64() == Some(seq)),
        ),
        (format!("exception={id}&kind=vote_cast&person=mara"), Box::new(|line| line["kind"] == "vote_cast")),
        (format!("exception={id}&person=ola"), Box::new(|_| false)),
        ("exception=exc_none".to_owned(), Box::new(|_| false)),
        ("grant=grant_none".to_owned(), Box::new(|_| false)),
        ("kind=never_heard_of".to_owned(), Box::new(|_| false)),
    ];
    for (query, fits) in rows {
        let expected: Vec<Value> = all.iter().filter(|line| fits(line)).cloned().collect();
        let found = whole(&story, &mara, &query, 4).await;
        assert_eq!(places(&found), places(&expected), "{query}");
    }
    // An agent's are also those of its exception that name it nowhere themselves, and a task's likewise.
    let of_writer = places(&whole(&story, &mara, &format!("agent={writer}"), 50).await);
    let of_task = places(&whole(&story, &mara, "task=weekly-report", 50).await);
    for line in all.iter().filter(|line| line["exception"].as_str() == Some(&id)) {
        let place = places(std::slice::from_ref(line)).remove(0);
        assert!(of_writer.contains(&place) && of_task.contains(&place), "{line:#}");
    }
    assert!(
        all.iter()
            .filter(|line| subject(line, &planner))
            .all(|line| !of_writer.contains(&places(std::slice::from_ref(line))[0]))
    );
}

#[tokio::test]
async fn hostile_filters_and_tokens_are_refused_or_find_nothing() {
    let story = Story::begin().await;
    let (mara, id) = played(&story).await;
    let long = "x".repeat(513);
    let many = (0..33).map(|n| format!("k{n}")).collect::<Vec<_>>().join(",");
    let first = list(&story, &mara, "limit=1").await;
    let token = first["next"].as_str().expect("more").to_owned();
    let ola = story.gate.person("ola").await;
    for (person, query, status, code) in [
        (&mara, format!("task={long}"), 400, "bad_request"),
        (&mara, format!("kind={many}"), 400, "bad_request"),
        (&mara, "limit=0".to_owned(), 400, "bad_request"),
        (&mara, "seq=1".to_owned(), 400, "bad_request"),
        (&mara, "log=../ledger".to_owned(), 404, "unknown_log"),
        (&mara, "since=yesterday".to_owned(), 400, "bad_time"),
        (&mara, "page=e30.AAAA".to_owned(), 400, "bad_page_token"),
        // Another search's, and another person's.
        (&mara, format!("limit=1&kind=vote_cast&page={token}"), 400, "bad_page_token"),
        (&ola, format!("limit=1&page={token}"), 400, "bad_page_token"),
    ] {
        let answer = asked(&story, person, &query).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{query}");
    }
    for query in [
        "task=' OR 1=1 --",
        "person=%25",
        "agent=Agent::*",
        "exception=%00",
        "kind=%E2%80%AE",
        "exception=../../etc/passwd",
        "since=2026-11-29&until=2020-01-01",
    ] {
        assert_eq!(lines(&list(&story, &mara, &query.replace(' ', "%20")).await), [] as [Value; 0], "{query}");
    }
    // More than the most is the most, and what is repeated narrows twice: the same token gives the same page.
    assert!(lines(&list(&story, &mara, "limit=4000000").await).len() <= 200);
    let again = format!("limit=1&page={token}");
    assert_eq!(list(&story, &mara, &again).await["lines"], list(&story, &mara, &again).await["lines"]);
    assert_eq!(story.client.get("/api/v1/record/lines", None).await.status.as_u16(), 401);
    assert!(!lines(&list(&story, &mara, &format!("exception={id}")).await).is_empty());
}

#[tokio::test]
async fn who_may_not_see_arguments_reads_lines_without_them_and_who_reads_no_record_reads_none() {
    let story = story_with_roles().await;
    let id = story.ask(&write("a.md", "l1"), Some(&folder())).await;
    let mara = story.gate.person("mara").await;
    let mut ballot = story.ballot(&mara, &id, "approve", None).await;
    ballot["reason"] = json!(format!("fine for {CANARY}"));
    let voted = story.client.post(&format!("/api/v1/exceptions/{id}/votes"), &mara, &ballot).await;
    assert_eq!(voted.json()["state"], "granted", "{voted:?}");
    // An approver of this agent sees what was said; an auditor that it was said.
    let vera = story.gate.person("vera").await;
    let query = format!("exception={id}");
    let (hers, audited) = (asked(&story, &mara, &query).await, asked(&story, &vera, &query).await);
    assert!(tells(&hers.text), "{}", hers.text);
    assert!(!tells(&audited.text), "{}", audited.text);
    let vote = |answer: &Answer| {
        let all = lines(&answer.json());
        all.iter().find(|line| line["kind"] == "vote_cast").cloned().unwrap_or_else(|| panic!("{all:#?}"))
    };
    assert_eq!((&vote(&audited)["hidden"], &vote(&audited)["said"]), (&json!(true), &Value::Null));
    assert_eq!((&vote(&audited)["by"]["id"], &vote(&hers)["hidden"]), (&json!("mara"), &Value::Null));
    assert_eq!(places(&lines(&hers.json())), places(&lines(&audited.json())));
    // What is of the gate is the auditor's; an approver reads of those whom they decide on.
    let kinds = |list: Vec<Value>| -> BTreeSet<String> {
        list.iter().filter_map(|line| line["kind"].as_str().map(str::to_owned)).collect()
    };
    let (of_mara, of_vera) = (whole(&story, &mara, "", 200).await, whole(&story, &vera, "", 200).await);
    assert!(kinds(of_vera).is_superset(&BTreeSet::from(["gate_started".to_owned(), "signed_in".to_owned()])));
    assert!(kinds(of_mara.clone()).is_disjoint(&BTreeSet::from(["gate_started".to_owned(), "signed_in".to_owned()])));
    assert!(kinds(of_mara).contains("exception_granted"));
    for user in ["sol", "zoe"] {
        let nobody = story.gate.person(user).await;
        let answer = asked(&story, &nobody, &query).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "not_permitted_here"), "{user}");
    }
}

#[tokio::test]
async fn a_receipt_is_under_the_head_that_somebody_holds_or_there_is_none() {
    let story = Story::begin().await;
    let (mara, _) = played(&story).await;
    let held = story.client.get("/api/v1/logs/ledger/consistency?from=0", Some(&mara)).await.json();
    let size = held["size"].as_u64().expect("a size");
    // Signing in is a record: the log goes on.
    story.gate.person("ola").await;
    let receipt = super::get(&story, &mara, &format!("ledger/records/1/proof?size={size}")).await;
    assert!(receipt.text.ends_with(held["note"].as_str().expect("a note")), "{}", receipt.text);
    let newest = super::get(&story, &mara, "ledger/records/1/proof").await;
    assert!(!newest.text.ends_with(held["note"].as_str().expect("a note")), "the log has grown");
    for query in ["0", "1", "18446744073709551615"] {
        let answer = super::get(&story, &mara, &format!("ledger/records/1/proof?size={query}")).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "no_such_head"), "{query}");
    }
}
