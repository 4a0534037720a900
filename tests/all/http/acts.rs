//! What is done to an exception besides voting: renewals, answers, emergencies, uses given back, reviews, dispositions.

use proviso_tests::{Answer, Story, write_file};
use serde_json::{Value, json};

use super::{allowed, exception, granted, refusal, refused, sizes, verdict};

const FILE: &str = "/srv/files/reports/a.md";

/// `POST /api/v1/exceptions/{id}/…` as the agent behind its proxy.
pub(super) async fn as_agent(story: &Story, id: &str, act: &str, body: &Value) -> Answer {
    story.client.post_for(&format!("/api/v1/exceptions/{id}/{act}"), &story.point, &story.agent, body).await
}

/// The same as a signed-in person.
pub(super) async fn as_person(story: &Story, cookie: &str, id: &str, act: &str, body: &Value) -> Answer {
    story.client.post(&format!("/api/v1/exceptions/{id}/{act}"), cookie, body).await
}

/// An exception for exactly one write, granted by mara. Its id and her cookie.
async fn granted_once(story: &Story) -> (String, String) {
    let id = story.ask(&write_file("report-writer", FILE, "ask"), None).await;
    let mara = story.gate.person("mara").await;
    let answer = story.vote(&mara, &id, "approve", None).await;
    assert_eq!(answer.json()["state"], "granted", "{answer:?}");
    (id, mara)
}

/// `create_directory` by report-writer, which the terms let another agent ask for.
fn folder(path: &str) -> Value {
    let mut call = write_file("report-writer", path, "ask");
    call["action"] = json!({"name": "create_directory"});
    call["context"]["input"] = json!({"path": path});
    call
}

/// Renews an exception as its agent and has mara approve it. The renewal's id.
async fn renewed(story: &Story, mara: &str, id: &str) -> String {
    let answer = as_agent(story, id, "renew", &json!({"justification": "once more"})).await;
    assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
    let renewal = answer.json()["task"]["id"].as_str().unwrap_or_default().to_owned();
    let vote = story.vote(mara, &renewal, "approve", None).await;
    assert_eq!(vote.json()["state"], "granted", "{vote:?}");
    renewal
}

#[tokio::test]
async fn r5_a_renewal_is_judged_afresh_is_never_wider_and_is_asked_for_by_its_own() {
    let story = Story::begin().await;
    let (id, mara) = granted(&story).await;
    let why = json!({"justification": "once more"});
    let before = exception(&story, &mara, &id).await["exception"]["phase"]["grant"]["scope"].clone();
    let mut wider = before.clone();
    wider["arguments"] = json!([{"at": ["path"], "op": "inside", "path": "/srv/files"}]);
    let answer = as_agent(&story, &id, "renew", &json!({"justification": "more", "scope": wider})).await;
    assert_eq!(refusal(&answer), refused(400, "widens"));
    let jun = story.gate.person("jun").await;
    assert_eq!(refusal(&as_person(&story, &jun, &id, "renew", &why).await), refused(403, "not_yours"));
    let other = story.gate.agent("intern-bot", "weekly-report", Some("ines")).await;
    let path = format!("/api/v1/exceptions/{id}/renew");
    let answer = story.client.post_for(&path, &story.point, &other, &why).await;
    assert_eq!(refusal(&answer), refused(404, "unknown_task"));
    let answer = as_agent(&story, &id, "renew", &json!({"justification": " "})).await;
    assert_eq!(refusal(&answer), refused(400, "justification_needed"));

    let answer = as_agent(&story, &id, "renew", &why).await;
    let renewal = answer.json()["task"]["id"].as_str().unwrap_or_default().to_owned();
    assert_eq!(answer.json()["task"]["status"], "pending", "{answer:?}");
    let detail = exception(&story, &mara, &renewal).await;
    assert_eq!(detail["exception"]["request"]["renews"], json!({"of": id, "number": 1, "declared": true}));
    assert_eq!(detail["exception"]["votes"], json!([]), "no vote is carried over");
    // Asked again it is the same request.
    assert_eq!(as_agent(&story, &id, "renew", &why).await.json()["task"]["id"], json!(renewal));
    let sheet = story.client.get(&format!("/api/v1/exceptions/{renewal}/sheet"), Some(&mara)).await.json();
    assert_eq!(sheet["sheet"]["renews"]["id"], json!(id));
}

#[tokio::test]
async fn r5_a_chain_of_renewals_ends_at_its_cap_under_every_name() {
    let story = Story::begin().await;
    let (id, mara) = granted_once(&story).await;
    renewed(&story, &mara, &id).await;
    // The first link again is the end of the chain all the same.
    let second = renewed(&story, &mara, &id).await;
    let detail = exception(&story, &mara, &second).await;
    assert_eq!(detail["exception"]["request"]["renews"]["number"], 2);
    for link in [&id, &second] {
        let answer = as_agent(&story, link, "renew", &json!({"justification": "again"})).await;
        assert_eq!(refusal(&answer), refused(409, "renewal_cap"));
    }
    // And so is what calls itself no renewal: once its uses are gone, the very same is asked anew.
    for call in ["u1", "u2", "u3"] {
        assert!(verdict(&story.evaluate(&write_file("report-writer", FILE, call)).await).0);
    }
    let again = write_file("report-writer", FILE, "u4");
    let denied = story.evaluate(&again).await.json();
    assert_eq!(denied["context"]["proviso.dev/grant"]["state"], "exhausted", "{denied:#}");
    let answer = story.request(&story.request_body(&again, &denied, None)).await;
    assert_eq!(refusal(&answer), refused(409, "renewal_cap"));
}

#[tokio::test]
async fn r3_a_use_that_nobody_reported_is_given_back_once() {
    let story = Story::begin().await;
    let (id, mara) = granted_once(&story).await;
    let used = story.evaluate(&write_file("report-writer", FILE, "u1")).await;
    assert_eq!(verdict(&used), allowed("exception"));
    let evaluation = used.json()["context"]["evaluation_id"].as_str().unwrap_or_default().to_owned();
    let back = format!("uses/{evaluation}/give_back");
    let why = json!({"reason": "the reply was lost"});
    let detail = exception(&story, &mara, &id).await;
    assert_eq!(detail["uses"][0]["evaluation"], json!(evaluation));
    assert_eq!(detail["uses"][0]["reported"], Value::Null, "consumed, never reported");
    assert_eq!(refusal(&as_person(&story, &mara, &id, &back, &why).await), refused(409, "use_too_new"));
    story.gate.clock.advance(16);
    let ines = story.gate.person("ines").await;
    assert_eq!(refusal(&as_person(&story, &ines, &id, &back, &why).await), refused(403, "is_requester"));
    let answer = as_person(&story, &mara, &id, &back, &why).await;
    assert_eq!(answer.json()["state"], "granted", "{answer:?}");
    // Replayed it gives nothing more.
    let before = sizes(&story);
    assert_eq!(as_person(&story, &mara, &id, &back, &why).await.status.as_u16(), 200);
    assert_eq!(sizes(&story), before);
    assert_eq!(verdict(&story.evaluate(&write_file("report-writer", FILE, "u2")).await), allowed("exception"));
    assert!(!verdict(&story.evaluate(&write_file("report-writer", FILE, "u3")).await).0);
    // The second use is reported, and stays consumed.
    let detail = exception(&story, &mara, &id).await;
    let second = detail["uses"][1]["evaluation"].as_str().unwrap_or_default().to_owned();
    let report = json!({"evaluation_id": second, "call": "u2", "phase": "executed"});
    let answer = story.client.post_for("/api/v1/executions", &story.point, &story.agent, &report).await;
    assert_eq!(answer.status.as_u16(), 204, "{answer:?}");
    story.gate.clock.advance(16);
    let answer = as_person(&story, &mara, &id, &format!("uses/{second}/give_back"), &why).await;
    assert_eq!(refusal(&answer), refused(409, "use_reported"));
}

/// The evaluation of `FILE` under this call's id, which must be permitted. Whether it repeats one before.
async fn used(story: &Story, call: &str) -> (String, bool) {
    let answer = story.evaluate(&write_file("report-writer", FILE, call)).await;
    assert_eq!(verdict(&answer), allowed("exception"), "{answer:?}");
    let context = answer.json()["context"].clone();
    let evaluation = context["evaluation_id"].as_str().unwrap_or_default().to_owned();
    (evaluation, context["proviso.dev/repeated"] == json!(true))
}

#[tokio::test]
async fn r3_a_use_is_given_back_only_when_nothing_can_come_of_a_repeat() {
    let why = json!({"reason": "the reply was lost"});
    // The first reply was lost, and what the repeat came to is reported under its own evaluation.
    let story = Story::begin().await;
    let (id, mara) = granted_once(&story).await;
    let (first, _) = used(&story, "c1").await;
    let (second, repeats) = used(&story, "c1").await;
    assert!(repeats && first != second);
    let report = json!({"evaluation_id": second, "call": "c1", "phase": "executed"});
    let answer = story.client.post_for("/api/v1/executions", &story.point, &story.agent, &report).await;
    assert_eq!(answer.status.as_u16(), 204, "{answer:?}");
    story.gate.clock.advance(16);
    let detail = exception(&story, &mara, &id).await;
    assert_eq!((&detail["uses"][0]["evaluation"], &detail["uses"][0]["reported"]), (&json!(first), &json!("executed")));
    assert_eq!(detail["uses"].as_array().map(Vec::len), Some(1), "a repeat is no use");
    let back = as_person(&story, &mara, &id, &format!("uses/{first}/give_back"), &why).await;
    assert_eq!(refusal(&back), refused(409, "use_reported"));
    let back = as_person(&story, &mara, &id, &format!("uses/{second}/give_back"), &why).await;
    assert_eq!(refusal(&back), refused(404, "no_such_use"));

    // The allow of a repeat at nine seconds is good until the fourteenth.
    let story = Story::begin().await;
    let (id, mara) = granted_once(&story).await;
    let (first, _) = used(&story, "c1").await;
    story.gate.clock.advance(9);
    assert!(used(&story, "c1").await.1);
    let back = format!("uses/{first}/give_back");
    for seconds in [2, 3] {
        story.gate.clock.advance(seconds);
        assert_eq!(refusal(&as_person(&story, &mara, &id, &back, &why).await), refused(409, "use_too_new"));
    }
    story.gate.clock.advance(1);
    let answer = as_person(&story, &mara, &id, &back, &why).await;
    assert_eq!(answer.json()["state"], "granted", "{answer:?}");
}

#[tokio::test]
async fn a_question_reaches_the_agent_as_data_and_its_answer_the_approver() {
    let story = Story::begin().await;
    let id = story.ask(&write_file("report-writer", FILE, "ask"), None).await;
    let mara = story.gate.person("mara").await;
    let mut ballot = story.ballot(&mara, &id, "ask", None).await;
    ballot["reason"] = json!("which quarter?\u{202e}");
    assert_eq!(as_person(&story, &mara, &id, "votes", &ballot).await.json()["state"], "requested");
    let status = story.client.request(reqwest::Method::GET, &format!("/access/v1/requests/{id}"));
    let status = status.bearer_auth(&story.point).header("proviso-subject-token", &story.agent);
    let asked = proviso_tests::Client::send(status).await;
    let question = &asked.json()["task"]["display"]["questions"][0];
    assert_eq!((question["vote"].clone(), question["answered"].clone()), (json!(0), json!(false)), "{asked:?}");
    assert!(!asked.text.contains("mara") && !asked.text.contains('\u{202e}'), "{asked:?}");
    let words = json!({"vote": 0, "words": "the third"});
    let jun = story.gate.person("jun").await;
    assert_eq!(refusal(&as_person(&story, &jun, &id, "answer", &words).await), refused(403, "not_yours"));
    let none = json!({"vote": 7, "words": "what?"});
    assert_eq!(refusal(&as_agent(&story, &id, "answer", &none).await), refused(404, "no_question"));
    let answer = as_agent(&story, &id, "answer", &words).await;
    assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
    let detail = exception(&story, &mara, &id).await;
    assert_eq!(detail["exception"]["answers"][0]["words"], "the third");
}

#[tokio::test]
async fn an_emergency_is_a_persons_act_and_somebody_else_reviews_it() {
    proviso_tests::clauses!("c4-23-review");
    let story = Story::begin().await;
    let id = story.ask(&write_file("report-writer", FILE, "ask"), None).await;
    let why = json!({"reason": "the board meets in ten minutes"});
    for (user, code) in [("ines", "is_requester"), ("tom", "is_owner"), ("jun", "not_eligible")] {
        let cookie = story.gate.person(user).await;
        assert_eq!(refusal(&as_person(&story, &cookie, &id, "emergency", &why).await), refused(403, code), "{user}");
    }
    assert_eq!(refusal(&as_agent(&story, &id, "emergency", &why).await), refused(403, "not_a_person"));
    let mara = story.gate.person("mara").await;
    let answer = as_person(&story, &mara, &id, "emergency", &json!({"reason": " "})).await;
    assert_eq!(refusal(&answer), refused(400, "reason_needed"));
    let answer = as_person(&story, &mara, &id, "emergency", &why).await;
    assert_eq!(answer.json()["state"], "requested", "{answer:?}");
    let answer = story.vote(&mara, &id, "approve", None).await;
    assert_eq!(answer.json()["state"], "granted", "{answer:?}");

    let open = story.client.get("/api/v1/reviews?state=open", Some(&mara)).await.json();
    let review = open["reviews"][0]["id"].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (open["reviews"][0]["kind"].clone(), open["reviews"][0]["exception"].clone()),
        (json!("emergency"), json!(id))
    );
    let path = format!("/api/v1/reviews/{review}/close");
    let closing = json!({"outcome": "appropriate", "note": ""});
    for (user, status, code) in [("mara", 409, "has_voted"), ("ines", 403, "is_requester"), ("tom", 403, "is_owner")] {
        let cookie = story.gate.person(user).await;
        let (said, told) = refusal(&story.client.post(&path, &cookie, &closing).await);
        assert_eq!(told, code, "{user}");
        assert!(said == status || said == 403, "{user} {said}");
    }
    // Past its date it stops further emergencies of this subject and this approver.
    story.gate.clock.advance(2 * 86_400);
    let late = story.gate.agent("report-writer", "weekly-report", Some("ines")).await;
    let point = story.gate.point("proxy", &["files", "ledger"]).await;
    let parties = proviso_tests::Parties { client: story.gate.client.clone(), point, agent: late };
    // Nor is there another exception of its tier.
    let call = write_file("report-writer", "/srv/files/reports/b.md", "ask");
    let denied = parties.evaluate(&call).await.json();
    let answer = parties.request(&parties.request_body(&call, &denied, None)).await;
    assert_eq!(refusal(&answer), refused(409, "review_overdue"));
    let other = parties.ask(&folder("/srv/files/reports/q4"), None).await;
    let mara = story.gate.person("mara").await;
    let answer = as_person(&story, &mara, &other, "emergency", &why).await;
    assert_eq!(refusal(&answer).1, "emergency_blocked");
}

#[tokio::test]
async fn every_closed_exception_is_judged_by_somebody_else() {
    let story = Story::begin().await;
    let (id, mara) = granted_once(&story).await;
    let judge = json!({"disposition": "one_off"});
    assert_eq!(refusal(&as_person(&story, &mara, &id, "disposition", &judge).await), refused(409, "not_closed"));
    assert!(verdict(&story.evaluate(&write_file("report-writer", FILE, "u1")).await).0);
    let missing = async || {
        let list = story.client.get("/api/v1/exceptions?disposition=missing", Some(&mara)).await.json();
        list["exceptions"].as_array().map(Vec::len)
    };
    assert_eq!(missing().await, Some(1));
    let ines = story.gate.person("ines").await;
    assert_eq!(refusal(&as_person(&story, &ines, &id, "disposition", &judge).await), refused(403, "is_requester"));
    let answer = as_person(&story, &mara, &id, "disposition", &judge).await;
    assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
    assert_eq!(missing().await, Some(0));
    // The last judgement stands, and nobody turns it round and round for ever.
    for number in 1..300 {
        let judge = json!({"disposition": if number % 2 == 0 { "one_off" } else { "policy_too_narrow" }});
        let answer = as_person(&story, &mara, &id, "disposition", &judge).await;
        assert_eq!(answer.status.as_u16(), 200, "{number}: {answer:?}");
    }
    let before = super::sizes(&story);
    let more = as_person(&story, &mara, &id, "disposition", &json!({"disposition": "abuse"})).await;
    assert_eq!((refusal(&more), super::sizes(&story)), (refused(429, "too_often"), before));
    let ola = story.gate.person("ola").await;
    assert_eq!(as_person(&story, &ola, &id, "disposition", &judge).await.status.as_u16(), 200, "another's own hour");
}

#[tokio::test]
async fn one_agent_asks_for_another_only_where_the_terms_say_so() {
    let story = Story::begin().await;
    let planner = story.gate.agent("close-planner", "weekly-report", Some("ola")).await;
    let intern = story.gate.agent("intern-bot", "weekly-report", Some("ola")).await;
    let elsewhere = story.gate.agent("close-planner", "another-task", Some("ola")).await;
    let call = folder("/srv/files/reports/q4");
    let denied = story.evaluate(&call).await.json();
    let body = story.request_body(&call, &denied, None);
    let ask = async |agent: &str| story.client.post_for("/access/v1/requests", &story.point, agent, &body).await;
    assert_eq!(refusal(&ask(&intern).await), refused(403, "not_for_another"));
    assert_eq!(refusal(&ask(&elsewhere).await), refused(400, "invalid_denial_binding"));
    let answer = ask(&planner).await;
    let id = answer.json()["task"]["id"].as_str().unwrap_or_default().to_owned();
    let mara = story.gate.person("mara").await;
    let request = exception(&story, &mara, &id).await["exception"]["request"].clone();
    assert_eq!(request["asker"]["id"], json!("spiffe://acme.example/agent/close-planner"), "{answer:?}");
    assert_eq!(request["question"]["call"]["subject"]["id"], json!("spiffe://acme.example/agent/report-writer"));
    // Who stands behind either agent votes on neither.
    for (user, code) in [("ola", "is_requester"), ("ines", "in_chain"), ("tom", "is_owner")] {
        let cookie = story.gate.person(user).await;
        assert_eq!(refusal(&story.vote(&cookie, &id, "approve", None).await), refused(403, code), "{user}");
    }
    let answer = story.vote(&mara, &id, "approve", None).await;
    assert_eq!(answer.json()["state"], "granted", "{answer:?}");
}
