//! Owners from the bundle and from hand-overs, by those who would vote on what is theirs (R4), and people who leave.

use proviso_tests::{Answer, Binary, Setup, Story, write_file};
use serde_json::{Value, json};

use super::{exception, refusal, refused};

const WRITER: &str = "spiffe://acme.example/agent/report-writer";
const DAY: u32 = 86_400;

fn user(id: &str) -> Value {
    json!({"type": "User", "id": id})
}

fn agent() -> Value {
    json!({"agent": {"type": "Agent", "id": WRITER}})
}

async fn give(story: &Story, from: &str, of: &Value, to: &str) -> Answer {
    let cookie = story.gate.person(from).await;
    let body = json!({"of": of, "to": user(to), "reason": "another team has it now"});
    story.gate.client.post("/api/v1/owners/handover", &cookie, &body).await
}

async fn owner(story: &Story, query: &str) -> Value {
    let mara = story.gate.person("mara").await;
    let answer = story.gate.client.get(&format!("/api/v1/owners?{query}"), Some(&mara)).await;
    assert!(answer.status.is_success(), "{answer:?}");
    answer.json()
}

async fn asked(story: &Story) -> String {
    story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), None).await
}

/// What voting comes to, by the one code or the other.
async fn vote(story: &Story, person: &str, id: &str) -> Result<String, String> {
    let cookie = story.gate.person(person).await;
    let answer = story.vote(&cookie, id, "approve", None).await;
    match answer.status.is_success() {
        true => Ok(answer.json()["state"].as_str().unwrap_or_default().to_owned()),
        false => Err(answer.code()),
    }
}

/// Says that somebody left or is back, as an operator.
async fn say(story: &Story, user: &str, left: bool) {
    let by = proviso::app::Operator { uid: 4242, name: "tester".to_owned() };
    let said = match left {
        true => story.gate.app.departed(&by, user, "left the company").await,
        false => story.gate.app.returned(&by, user, "a mistake").await,
    };
    said.expect("it is said");
}

#[tokio::test]
async fn one_answer_says_who_owns_it_and_from_where() {
    let story = Story::begin().await;
    let id = asked(&story).await;
    for query in [format!("agent={WRITER}"), format!("exception={id}")] {
        let told = owner(&story, &query).await;
        assert_eq!((&told["owners"], &told["source"]), (&json!([user("tom")]), &json!("bundle")), "{told}");
    }
    let answer = give(&story, "tom", &agent(), "jun").await;
    assert!(answer.status.is_success(), "{answer:?}");
    let told = owner(&story, &format!("agent={WRITER}")).await;
    assert_eq!(
        (&told["owners"], &told["source"], &told["by"]),
        (&json!([user("jun")]), &json!("hand_over"), &user("tom"))
    );
    assert_eq!(told["bundle"], json!([user("tom")]), "where the two disagree: {told}");
    let told = owner(&story, &format!("exception={id}")).await;
    assert_eq!((&told["owners"], &told["by_agent"]), (&json!([user("jun")]), &json!(true)), "{told}");
    // The exception by itself, and its agent stays.
    let answer = give(&story, "jun", &json!({"exception": id}), "ines").await;
    assert!(answer.status.is_success(), "{answer:?}");
    let told = owner(&story, &format!("exception={id}")).await;
    assert_eq!((&told["owners"], &told["by_agent"]), (&json!([user("ines")]), &json!(false)), "{told}");
    assert_eq!(owner(&story, &format!("agent={WRITER}")).await["owners"], json!([user("jun")]));
    let mara = story.gate.person("mara").await;
    let history = exception(&story, &mara, &id).await["history"].to_string();
    assert!(history.contains("handed over from User::jun to User::ines"), "{history}");
    // The next start finds the same.
    let clock = std::sync::Arc::clone(&story.gate.clock);
    let Story { gate, .. } = story;
    let story = Story::on(gate.again(Setup { clock, ..Setup::default() }).await).await;
    assert_eq!(owner(&story, &format!("exception={id}")).await["owners"], json!([user("ines")]));
}

#[tokio::test]
async fn r4_neither_who_handed_an_agent_over_nor_who_got_it_votes_on_it() {
    let story = Story::begin().await;
    // Before: mara, ola and tom approve, and tom owns it.
    let answer = give(&story, "tom", &agent(), "mara").await;
    assert!(answer.status.is_success(), "{answer:?}");
    story.gate.clock.advance(DAY);
    let story = Story::on(story.gate).await;
    let id = asked(&story).await;
    assert_eq!(vote(&story, "tom", &id).await, Err("is_owner".to_owned()), "who owned it yesterday");
    assert_eq!(vote(&story, "mara", &id).await, Err("is_owner".to_owned()), "who owns it now");
    assert_eq!(vote(&story, "ola", &id).await, Ok("granted".to_owned()));
}

#[tokio::test]
async fn r4_a_hand_over_between_the_request_and_the_vote_counts() {
    let story = Story::begin().await;
    let id = asked(&story).await;
    let answer = give(&story, "tom", &agent(), "mara").await;
    assert!(answer.status.is_success(), "{answer:?}");
    assert_eq!(vote(&story, "mara", &id).await, Err("not_eligible".to_owned()));
    // And passed on, it still does, for 30 days.
    let answer = give(&story, "mara", &agent(), "jun").await;
    assert!(answer.status.is_success(), "{answer:?}");
    assert_eq!(vote(&story, "mara", &id).await, Err("not_eligible".to_owned()));
    story.gate.clock.advance(31 * DAY);
    let story = Story::on(story.gate).await;
    let id = asked(&story).await;
    assert_eq!(vote(&story, "mara", &id).await, Ok("granted".to_owned()), "after 30 days it is another's");
    let id = story.ask(&write_file("report-writer", "/srv/files/reports/b.md", "ask"), None).await;
    assert_eq!(vote(&story, "tom", &id).await, Err("is_owner".to_owned()), "the bundle still says that it is tom's");
    // Of one exception by itself, too.
    let answer = give(&story, "jun", &json!({"exception": id}), "ola").await;
    assert!(answer.status.is_success(), "{answer:?}");
    assert_eq!(vote(&story, "ola", &id).await, Err("not_eligible".to_owned()));
}

#[tokio::test]
async fn what_is_not_ones_own_is_handed_over_by_nobody_and_to_nobody_who_is_not_there() {
    let story = Story::begin().await;
    let id = asked(&story).await;
    say(&story, "sol", true).await;
    for (from, of, to, status, code) in [
        ("mara", agent(), "mara", 403, "not_yours"),
        ("mara", json!({"exception": id}), "mara", 403, "not_yours"),
        ("tom", json!({"agent": {"type": "Agent", "id": "none"}}), "mara", 403, "not_yours"),
        ("tom", json!({"exception": "exc_none"}), "mara", 403, "not_yours"),
        ("tom", agent(), "nobody", 400, "unknown_person"),
        ("tom", agent(), "sol", 409, "departed_person"),
        ("tom", agent(), "tom", 409, "owns_already"),
    ] {
        let answer = give(&story, from, &of, to).await;
        assert_eq!(refusal(&answer), refused(status, code), "{from} {of} {to}: {answer:?}");
    }
    let tom = story.gate.person("tom").await;
    for (body, status, code) in [
        (json!({"of": agent(), "to": user("mara"), "reason": " "}), 400, "reason_needed"),
        (json!({"of": agent(), "from": user("mara"), "to": user("jun"), "reason": "r"}), 403, "not_yours"),
        (json!({"of": {}, "to": user("mara"), "reason": "r"}), 400, "bad_shape"),
    ] {
        let answer = story.gate.client.post("/api/v1/owners/handover", &tom, &body).await;
        assert_eq!(refusal(&answer), refused(status, code), "{body}: {answer:?}");
    }
    // No agent and no enforcement point hands anything over.
    for token in [&story.agent, &story.point] {
        let body = json!({"of": agent(), "to": user("mara"), "reason": "r"});
        let request = story.client.request(reqwest::Method::POST, "/api/v1/owners/handover").bearer_auth(token);
        let answer = proviso_tests::Client::send(request.json(&body)).await;
        assert_eq!(refusal(&answer), refused(403, "not_a_person"), "{answer:?}");
    }
    assert_eq!(owner(&story, &format!("agent={WRITER}")).await["owners"], json!([user("tom")]));
    // An open request is handed to nobody who has approved it.
    let two = story.ask(&proviso_tests::post_rows("report-writer", "finance/ledger-eu", 5, "two"), None).await;
    assert_eq!(vote(&story, "mara", &two).await, Ok("requested".to_owned()));
    let answer = give(&story, "tom", &json!({"exception": two}), "mara").await;
    assert_eq!(refusal(&answer), refused(409, "voted_already"), "{answer:?}");
}

#[tokio::test]
async fn a_departure_lists_all_that_needs_another_owner() {
    let story = Story::begin().await;
    let id = asked(&story).await;
    let tom = story.gate.person("tom").await;
    let lock = json!({"target": {"task": "another-task"}, "reason": "looks odd"});
    let lock = story.gate.client.post("/api/v1/locks", &tom, &lock).await;
    let deputy = super::routing::appoint(&story, "tom", "ola").await;
    let mara = story.gate.person("mara").await;
    let list = async |user: &str| story.gate.client.get(&format!("/api/v1/people/{user}/departure"), Some(&mara)).await;
    let left = list("tom").await.json();
    let agents: Vec<&str> =
        left["agents"].as_array().expect("agents").iter().filter_map(|line| line["agent"]["id"].as_str()).collect();
    assert_eq!(agents, ["spiffe://acme.example/agent/ledger-bot", WRITER], "{left}");
    assert_eq!(
        (&left["exceptions"][0]["id"], &left["exceptions"][0]["parts"]),
        (&json!(id), &json!(["owner"])),
        "{left}"
    );
    assert_eq!(left["groups"], json!([{"group": "approvers", "source": "bundle"}]), "{left}");
    assert_eq!(
        (&left["deputies"], left["locks"].as_array().map(Vec::len)),
        (&json!([deputy]), Some(1)),
        "{left} {lock:?}"
    );
    // The human behind an agent has credentials in their name.
    let left = list("ines").await.json();
    assert_eq!(left["credentials"][0]["kind"], json!("agent"), "{left}");
    assert_eq!(left["exceptions"][0]["parts"], json!(["requester"]), "{left}");
    assert_eq!(refusal(&list("nobody").await), refused(404, "unknown_person"));
    // What was handed over is no longer theirs.
    let answer = give(&story, "tom", &agent(), "jun").await;
    assert!(answer.status.is_success(), "{answer:?}");
    let (tom, jun) = (list("tom").await.json(), list("jun").await.json());
    assert_eq!((tom["agents"].as_array().map(Vec::len), jun["agents"].as_array().map(Vec::len)), (Some(1), Some(2)));
}

#[tokio::test]
async fn who_has_left_is_signed_out_decides_nothing_and_comes_in_no_more() {
    let story = Story::begin().await;
    let id = story.ask(&proviso_tests::post_rows("report-writer", "finance/ledger-eu", 5, "two"), None).await;
    assert_eq!(vote(&story, "mara", &id).await, Ok("requested".to_owned()));
    let mara = story.gate.person("mara").await;
    say(&story, "mara", true).await;
    let answer = story.gate.client.get("/api/v1/session", Some(&mara)).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "signed_out"));
    let link = proviso::identity::MintRequest::Approver { user: "mara".to_owned() };
    let by = proviso::app::Operator { uid: 4242, name: "tester".to_owned() };
    let refused_link = story.gate.app.mint(link, &by).await.err().map(|refusal| refusal.code);
    assert_eq!(refused_link, Some("departed_person"));
    // Her vote was finance's one, and counts no more (R4): security's does not make a grant with it.
    assert_eq!(vote(&story, "vera", &id).await, Ok("requested".to_owned()));
    say(&story, "mara", false).await;
    assert!(story.gate.person("mara").await.contains('='), "she is back");
}

#[tokio::test]
async fn an_operator_hands_over_in_the_place_of_who_left_and_bundle_check_tells_where_they_disagree() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let gate = Binary::serve(&data);
    let data = data.display().to_string();
    let bundle = format!("{}/../bundles/sample", env!("CARGO_MANIFEST_DIR"));
    let run = |arguments: &[&str]| {
        let done = Binary::run(&[arguments, &["--json", "--data", &data]].concat());
        let told: Value = serde_json::from_slice(&done.stdout).unwrap_or_default();
        (done.status.code(), told)
    };
    let agent = format!("Agent::{WRITER}");
    let (exit, told) = run(&["bundle", "check", &bundle]);
    assert_eq!((exit, &told["owners"]), (Some(0), &json!({"disagreements": [], "departed": []})), "{told}");
    let (exit, _) = run(&["owner", "departed", "tom", "--reason", "left the company"]);
    assert_eq!(exit, Some(0));
    let (exit, told) = run(&["owner", "hand-over", "--agent", &agent, "--to", "User::mara", "--reason", "tom left"]);
    assert_eq!(
        (exit, &told["owners"], &told["by"]["type"]),
        (Some(0), &json!([user("mara")]), &json!("operator")),
        "{told}"
    );
    let (_, told) = run(&["owner", "show", "--agent", &agent]);
    assert_eq!((&told["source"], &told["bundle"]), (&json!("hand_over"), &json!([user("tom")])), "{told}");
    let (_, told) = run(&["owner", "leaves", "tom"]);
    assert_eq!(told["agents"][0]["agent"]["id"], json!("spiffe://acme.example/agent/ledger-bot"), "{told}");
    let (exit, told) = run(&["bundle", "check", &bundle]);
    let owners = &told["owners"];
    assert_eq!((exit, &owners["departed"]), (Some(0), &json!([user("tom")])), "{told}");
    assert_eq!(
        owners["disagreements"],
        json!([{"agent": {"type": "Agent", "id": WRITER}, "bundle": [user("tom")], "hand_over": [user("mara")]}]),
        "{told}"
    );
    for (arguments, exit, code) in [
        (vec!["owner", "show", "--exception", "exc_none"], 65, "unknown_exception"),
        (vec!["owner", "show", "--agent", "Agent::none"], 65, "unknown_agent"),
        (vec!["owner", "departed", "nobody", "--reason", "r"], 65, "unknown_person"),
        (vec!["owner", "departed", "tom", "--reason", " "], 65, "reason_needed"),
        (vec!["owner", "hand-over", "--agent", &agent, "--to", "User::tom", "--reason", "r"], 65, "departed_person"),
        (vec!["owner", "show"], 64, "usage"),
    ] {
        let (got, told) = run(&arguments);
        assert_eq!((got, &told["error"]["code"]), (Some(exit), &json!(code)), "{arguments:?}: {told}");
    }
    gate.stop();
    let (exit, told) = run(&["audit", "verify"]);
    assert_eq!(exit, Some(0), "{told}");
}

#[tokio::test]
async fn who_has_what_and_where_bundle_and_log_disagree_is_told_at_once() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let told = async || story.gate.client.get("/api/v1/ownership", Some(&mara)).await.json();
    let of = |told: &Value, id: &str| {
        let people = told["people"].as_array().cloned().unwrap_or_default();
        people.into_iter().find(|line| line["person"] == user(id)).unwrap_or_default()
    };
    let before = told().await;
    assert_eq!((&before["disagreements"], &before["gone"], &before["more"]), (&json!([]), &json!([]), &json!(0)));
    assert_eq!(of(&before, "tom")["agents"], json!(2), "{before}");
    let id = asked(&story).await;
    let answer = give(&story, "tom", &agent(), "jun").await;
    assert!(answer.status.is_success(), "{answer:?}");
    say(&story, "jun", true).await;
    let after = told().await;
    // What hangs on the agent counts for who owns it now.
    let jun = of(&after, "jun");
    assert_eq!(
        (&jun["agents"], &jun["exceptions"], &jun["groups"]),
        (&json!(2), &json!(1), &json!(["finance"])),
        "{id}"
    );
    assert_eq!(of(&after, "tom")["agents"], json!(1));
    assert_eq!(after["people"][0]["person"], user("jun"), "who left and still has something stands first: {after}");
    let line = &after["disagreements"][0];
    assert_eq!((&line["agent"]["id"], &line["by"]), (&json!(WRITER), &user("tom")), "{after}");
    assert_eq!((&line["bundle"], &line["hand_over"]), (&json!([user("tom")]), &json!([user("jun")])));
    let gone = &after["gone"];
    assert_eq!(gone.as_array().map(Vec::len), Some(1), "{gone}");
    assert_eq!((&gone[0]["person"], &gone[0]["groups"]), (&user("jun"), &json!(["finance"])));
    assert_eq!(gone[0]["agents"][0]["id"], json!("spiffe://acme.example/agent/intern-bot"), "by the bundle alone");
    // Given back, bundle and log agree again on the agent.
    say(&story, "jun", false).await;
    let answer = give(&story, "jun", &agent(), "tom").await;
    assert!(answer.status.is_success(), "{answer:?}");
    let again = told().await;
    assert_eq!((&again["disagreements"], &again["gone"]), (&json!([]), &json!([])), "{again}");
}

#[tokio::test]
async fn who_has_what_is_told_to_people_alone() {
    let story = Story::begin().await;
    for address in ["/api/v1/ownership", "/api/v1/retention"] {
        assert_eq!(refusal(&story.client.get(address, None).await), refused(401, "no_session"), "{address}");
        for token in [&story.agent, &story.point] {
            let request = story.client.request(reqwest::Method::GET, address).bearer_auth(token);
            let answer = proviso_tests::Client::send(request).await;
            assert_eq!(refusal(&answer), refused(403, "not_a_person"), "{address}");
        }
        let mara = story.gate.person("mara").await;
        let answer = story.client.post(address, &mara, &json!({"reason": "r"})).await;
        assert_eq!(refusal(&answer), refused(405, "method_not_allowed"), "{address}");
    }
}
