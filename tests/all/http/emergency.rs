//! What an emergency changes, what it never changes, and what it leaves behind.

use policy_core::time::{Span, Timestamp};
use proviso_tests::{AGENTS, Answer, Parties, Setup, Story, TestGate, post_rows, sample_bundle, write_file};
use serde_json::{Value, json};

use super::{allowed, denied, exception, refusal, refused, verdict};

async fn behind(gate: &TestGate, agent: &str, task: &str) -> Parties {
    let point = gate.point("proxy", &["files", "ledger", "deploy"]).await;
    let agent = gate.agent(agent, task, Some("ines")).await;
    Parties { client: gate.client.clone(), point, agent }
}

fn restart(id: &str) -> Value {
    restart_by("release-bot", id)
}

fn restart_by(agent: &str, id: &str) -> Value {
    json!({
        "subject": {"type": "Agent", "id": format!("{AGENTS}{agent}")},
        "action": {"name": "restart_service"},
        "resource": {"type": "Service", "id": "storefront"},
        "context": {"input": {"service": "storefront"}, "proviso.dev/server": "deploy", "proviso.dev/call": id},
    })
}

async fn declare(story: &Story, user: &str, id: &str) -> Answer {
    let cookie = story.gate.person(user).await;
    let body = json!({"reason": "customers cannot pay"});
    story.client.post(&format!("/api/v1/exceptions/{id}/emergency"), &cookie, &body).await
}

async fn approve(story: &Story, user: &str, id: &str) -> Value {
    let cookie = story.gate.person(user).await;
    let vote = story.vote(&cookie, id, "approve", None).await;
    assert!(vote.status.is_success(), "{user}: {vote:?}");
    vote.json()["state"].clone()
}

#[tokio::test]
async fn r4_fewer_people_only_where_that_policy_says_so() {
    proviso_tests::clauses!("c4-23-guardrail");
    let story = Story::begin().await;
    // Two of finance, whatever happens.
    let bot = behind(&story.gate, "ledger-bot", "month-end").await;
    let id = bot.ask(&post_rows("ledger-bot", "finance/sandbox", 100, "ask"), None).await;
    assert_eq!(declare(&story, "mara", &id).await.status.as_u16(), 200);
    assert_eq!(approve(&story, "mara", &id).await, "requested");
    assert_eq!(approve(&story, "jun", &id).await, "granted");

    // Two of operations, and one in an emergency that a person has declared.
    let bot = behind(&story.gate, "release-bot", "release").await;
    let id = bot.ask(&restart("ask"), None).await;
    assert_eq!(approve(&story, "sol", &id).await, "requested");
    // The vote that stands is the one that it takes now.
    assert_eq!(declare(&story, "kit", &id).await.json()["state"], "granted");
    assert_eq!(verdict(&bot.evaluate(&restart("use")).await), allowed("exception"));
}

#[tokio::test]
async fn the_agents_mark_asks_for_attention_and_no_more() {
    proviso_tests::clauses!("c4-23-agent-declares");
    let story = Story::begin().await;
    let bot = behind(&story.gate, "release-bot", "release").await;
    let refused_call = bot.evaluate(&restart("ask")).await.json();
    let mut body = bot.request_body(&restart("ask"), &refused_call, None);
    body["requested_access"] = json!({"emergency": true});
    let answer = bot.request(&body).await;
    let id = answer.json()["task"]["id"].as_str().expect("a request").to_owned();
    let sol = story.gate.person("sol").await;
    let found = exception(&story, &sol, &id).await;
    assert_eq!(found["exception"]["request"]["emergency"], json!(true));
    assert_eq!(found["exception"]["terms"]["approvals"], json!(2));
    assert_eq!(approve(&story, "sol", &id).await, "requested", "two, as without the mark");
    // Nor does it declare one, for whoever calls the gate.
    let path = format!("/api/v1/exceptions/{id}/emergency");
    let declared = story.client.post_for(&path, &bot.point, &bot.agent, &json!({"reason": "now"})).await;
    assert_eq!(refusal(&declared), refused(403, "not_a_person"));
    let list = story.client.get("/api/v1/reviews?state=open", Some(&sol)).await.json();
    assert_eq!(list["reviews"], json!([]), "what nobody declared is not reviewed as one");
}

#[tokio::test]
async fn r2_no_emergency_crosses_a_guardrail() {
    proviso_tests::clauses!("c4-23-guardrail");
    let story = Story::begin().await;
    let id =
        story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), Some("/srv/files/reports")).await;
    assert_eq!(declare(&story, "mara", &id).await.status.as_u16(), 200);
    assert_eq!(approve(&story, "mara", &id).await, "granted");
    let hidden = write_file("report-writer", "/srv/files/reports/.env", "c1");
    assert_eq!(verdict(&story.evaluate(&hidden).await), denied("guardrail"));
    let open = write_file("report-writer", "/srv/files/reports/b.md", "c2");
    assert_eq!(verdict(&story.evaluate(&open).await), allowed("exception"));
}

#[tokio::test]
async fn an_emergency_is_over_when_its_time_is_and_leaves_a_review() {
    proviso_tests::clauses!("c4-23-ends", "c4-23-review");
    let story = Story::begin().await;
    let id =
        story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), Some("/srv/files/reports")).await;
    assert_eq!(declare(&story, "mara", &id).await.status.as_u16(), 200);
    assert_eq!(approve(&story, "mara", &id).await, "granted");
    let during = write_file("report-writer", "/srv/files/reports/b.md", "c1");
    assert_eq!(verdict(&story.evaluate(&during).await), allowed("exception"));
    let ola = story.gate.person("ola").await;
    let open = story.client.get("/api/v1/reviews?state=open", Some(&ola)).await.json();
    assert_eq!((&open["reviews"][0]["exception"], &open["reviews"][0]["kind"]), (&json!(id), &json!("emergency")));
    // It lasts no longer than the same without an emergency, and its end waits for nobody's review.
    story.gate.clock.advance(4 * 3_600);
    let late = story.evaluate(&write_file("report-writer", "/srv/files/reports/c.md", "c2")).await;
    assert_eq!(verdict(&late), denied("approval_required"));
    assert_eq!(late.json()["context"]["proviso.dev/grant"]["state"], "expired", "{late:?}");
    let open = story.client.get("/api/v1/reviews?state=open", Some(&ola)).await.json();
    assert_eq!(open["reviews"].as_array().map(Vec::len), Some(1), "{open}");
}

#[tokio::test]
async fn an_overdue_review_stops_that_approver_and_that_subject_until_it_is_closed() {
    proviso_tests::clauses!("c4-23-review");
    let story = Story::begin().await;
    let id = story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), None).await;
    assert_eq!(declare(&story, "mara", &id).await.status.as_u16(), 200);
    assert_eq!(approve(&story, "mara", &id).await, "granted");
    story.gate.clock.advance(2 * 86_400);

    let folder = |agent: &str| {
        let path = "/srv/files/reports/q4";
        let mut call = write_file(agent, path, "ask");
        call["action"] = json!({"name": "create_directory"});
        call["context"]["input"] = json!({"path": path});
        call
    };
    let writer = behind(&story.gate, "report-writer", "weekly-report").await;
    let same_subject = writer.ask(&folder("report-writer"), None).await;
    let intern = behind(&story.gate, "intern-bot", "filing").await;
    let other_subject = intern.ask(&folder("intern-bot"), None).await;
    for (user, id, expected) in [
        ("mara", &same_subject, Some("emergency_blocked")),
        ("ola", &same_subject, Some("emergency_blocked")),
        ("mara", &other_subject, Some("emergency_blocked")),
        ("ola", &other_subject, None),
    ] {
        let answer = declare(&story, user, id).await;
        match expected {
            Some(code) => assert_eq!(refusal(&answer).1, code, "{user}"),
            None => assert_eq!(answer.status.as_u16(), 200, "{user}: {answer:?}"),
        }
    }

    // Whoever declared it: nor does that approver vote for one, but may refuse it.
    let mara = story.gate.person("mara").await;
    assert_eq!(refusal(&story.vote(&mara, &other_subject, "approve", None).await), refused(409, "emergency_blocked"));
    let allowed = exception(&story, &mara, &other_subject).await["allowed"].clone();
    assert_eq!(allowed["approve"], json!({"no": "emergency_blocked"}));
    assert_eq!(allowed["refuse"], "yes");
    let seen = exception(&story, &mara, &same_subject).await["allowed"].clone();
    assert_eq!((&seen["approve"], &seen["declare_emergency"]), (&json!("yes"), &json!({"no": "emergency_blocked"})));
    assert_eq!(approve(&story, "ola", &other_subject).await, "granted");

    let ola = story.gate.person("ola").await;
    let open = story.client.get("/api/v1/reviews?state=open", Some(&ola)).await.json();
    let review = open["reviews"].as_array().into_iter().flatten().find(|review| review["exception"] == json!(id));
    let review = review.and_then(|review| review["id"].as_str()).expect("an open review");
    let closing = json!({"outcome": "appropriate", "note": "payments were down"});
    let answer = story.client.post(&format!("/api/v1/reviews/{review}/close"), &ola, &closing).await;
    assert!(answer.status.is_success(), "{answer:?}");
    assert_eq!(declare(&story, "mara", &same_subject).await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_vote_from_before_the_declaration_is_none_where_its_voter_is_stopped() {
    let story = Story::begin().await;
    let bot = behind(&story.gate, "release-bot", "release").await;
    let first = bot.ask(&restart("ask"), None).await;
    assert_eq!(approve(&story, "sol", &first).await, "requested");
    assert_eq!(declare(&story, "kit", &first).await.json()["state"], "granted");
    story.gate.clock.advance(2 * 86_400);

    // Two of operations, or one in an emergency. sol votes while it is none, and somebody else declares it.
    let other = behind(&story.gate, "ledger-bot", "month-end").await;
    let id = other.ask(&restart_by("ledger-bot", "ask"), None).await;
    assert_eq!(approve(&story, "sol", &id).await, "requested");
    assert_eq!(declare(&story, "ola", &id).await.json()["state"], "requested", "sol's yes grants no emergency");
    assert!(!verdict(&other.evaluate(&restart_by("ledger-bot", "use")).await).0);
    let kit = story.gate.person("kit").await;
    assert_eq!(refusal(&story.vote(&kit, &id, "approve", None).await), refused(409, "emergency_blocked"));

    let vera = story.gate.person("vera").await;
    let open = story.client.get("/api/v1/reviews?state=overdue", Some(&vera)).await.json();
    let review = open["reviews"][0]["id"].as_str().expect("an overdue review");
    let closing = json!({"outcome": "appropriate", "note": "customers could not pay"});
    let closed = story.client.post(&format!("/api/v1/reviews/{review}/close"), &vera, &closing).await;
    assert!(closed.status.is_success(), "{closed:?}");
    assert_eq!(approve(&story, "kit", &id).await, "granted");
}

/// The sample bundle, in which an emergency leaves ten minutes to decide and five to act.
async fn short() -> (Story, Parties, String) {
    let mut bundle = sample_bundle();
    let policies = bundle.get_mut("approval/request/services.cedar").unwrap();
    policies.push_str(
        "\n@id(\"an-emergency-is-short\")\n@tier(\"high\")\n@approvals(\"2\")\n@max_duration(\"5m\")\n@max_uses(\"3\")\n@presence(\"session\")\n\
         @decide_within(\"10m\")\n@emergency_approvals(\"1\")\n\
         permit (principal is Agent, action == Action::\"restart_service\", resource is Service)\n\
         when { resource.production && context has requested && context.requested.emergency };\n",
    );
    let story = Story::on(TestGate::with(Setup { bundle, ..Setup::default() }).await).await;
    let bot = behind(&story.gate, "release-bot", "release").await;
    let denied = bot.evaluate(&restart("ask")).await.json();
    let mut scope = denied["context"]["access_request"]["display"]["scope"].clone();
    scope["max_uses"] = json!(2);
    scope["valid_for"] = json!("30m");
    let answer = bot.request(&bot.request_body(&restart("ask"), &denied, Some(scope))).await;
    let id =
        answer.json()["task"]["id"].as_str().unwrap_or_else(|| panic!("no request was made: {answer:?}")).to_owned();
    (story, bot, id)
}

fn instant(value: &Value) -> Timestamp {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

#[tokio::test]
async fn r6_terms_for_an_emergency_shorten_the_time_to_decide_and_the_validity() {
    let minutes = |minutes: u64| Span::from_seconds(minutes * 60);
    let (story, bot, id) = short().await;
    let declared = declare(&story, "kit", &id).await;
    assert_eq!(declared.json()["state"], "requested", "{declared:?}");
    let sol = story.gate.person("sol").await;
    let found = exception(&story, &sol, &id).await["exception"].clone();
    let (asked, emergency) = (instant(&found["request"]["requested_at"]), &found["emergency"]);
    assert_eq!(instant(&found["request"]["decide_by"]), asked.plus(minutes(60)), "what was asked stands");
    assert_eq!(instant(&emergency["decide_by"]), instant(&emergency["at"]).plus(minutes(10)));
    story.gate.clock.advance(599);
    assert_eq!(approve(&story, "sol", &id).await, "granted");
    let grant = exception(&story, &sol, &id).await["exception"]["phase"].clone();
    let end = instant(&grant["grant"]["scope"]["not_after"]);
    assert_eq!(end, instant(&grant["granted_at"]).plus(minutes(5)), "half an hour without an emergency");
    assert_eq!(verdict(&bot.evaluate(&restart("u1")).await), allowed("exception"));
    story.gate.clock.advance(300);
    let late = bot.evaluate(&restart("u2")).await;
    assert!(!verdict(&late).0, "{late:?}");
    assert_eq!(late.json()["context"]["proviso.dev/grant"]["state"], "expired", "{late:?}");

    // Nobody decides after the shorter time.
    let (story, bot, id) = short().await;
    assert!(declare(&story, "kit", &id).await.status.is_success());
    let sol = story.gate.person("sol").await;
    let ballot = story.ballot(&sol, &id, "approve", None).await;
    story.gate.clock.advance(600);
    let answer = story.client.post(&format!("/api/v1/exceptions/{id}/votes"), &sol, &ballot).await;
    assert_eq!(answer.status.as_u16(), 409, "{answer:?}");
    assert_eq!(exception(&story, &sol, &id).await["state"], "lapsed");
    assert!(!verdict(&bot.evaluate(&restart("u1")).await).0);
}
