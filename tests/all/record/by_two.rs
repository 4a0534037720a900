//! Erasures that two people decide on, over HTTP: nothing goes before the second, and both stand in the record.

use proviso_tests::{Answer, Setup, as_person};
use reqwest::Method;
use serde_json::{Value, json};

use super::erasure::{DAY, FILE, Open, WRITER, somewhere};
use crate::console;

fn setup() -> Setup {
    Setup { bundle: console::bundle(console::presets()), ..Setup::default() }
}

/// A gate with the presets, at which something can be erased: kit and jun may.
async fn gate() -> Open {
    let gate = Open::begin(setup()).await;
    gate.played().await;
    gate
}

fn writer() -> Value {
    let (kind, id) = WRITER.split_once("::").expect("a type");
    json!({"agent": {"type": kind, "id": id}})
}

async fn preview(gate: &Open, person: &str, what: &Value) -> Answer {
    gate.client.post("/api/v1/erasures/preview", person, what).await
}

/// Looks at it and proposes it.
async fn propose(gate: &Open, person: &str, what: &Value) -> Answer {
    let looked = preview(gate, person, what).await;
    if looked.status.as_u16() != 200 {
        return looked;
    }
    let body = json!({"what": what, "reason": "the agent is retired", "shown": looked.json()["digest"]});
    gate.client.post("/api/v1/erasures", person, &body).await
}

async fn confirm(gate: &Open, person: &str, proposal: &Value, what: &Value) -> Answer {
    let body = json!({"what": what, "shown": proposal["digest"]});
    let address = format!("/api/v1/erasures/{}/confirm", proposal["id"].as_str().expect("an id"));
    gate.client.post(&address, person, &body).await
}

/// How a proposal stands, as somebody sees it.
async fn line(gate: &Open, person: &str, proposal: &Value) -> Value {
    let told = gate.client.get("/api/v1/retention", Some(person)).await.json();
    let lines = told["proposals"].as_array().unwrap_or_else(|| panic!("{told:#}"));
    lines.iter().find(|line| line["id"] == proposal["id"]).unwrap_or_else(|| panic!("{told:#}")).clone()
}

fn refused(answer: &Answer) -> String {
    format!("{} {}", answer.status.as_u16(), answer.code())
}

#[tokio::test]
async fn what_two_people_agree_on_is_erased_in_the_name_of_both() {
    let gate = gate().await;
    let data = gate.gate.data().to_owned();
    let (kit, jun, vera) =
        (gate.gate.person("kit").await, gate.gate.person("jun").await, gate.gate.person("vera").await);
    let what = writer();
    let looked = preview(&gate, &kit, &what).await.json();
    assert_eq!(looked["erased"]["exceptions"], json!(1), "{looked:#}");
    assert!(!looked.to_string().contains("report-writer"), "whom it is about is a pseudonym: {looked:#}");
    // What was not looked at is not proposed, and nothing without the right or a reason.
    for (person, shown, reason, code) in [
        (&kit, json!("0".repeat(64)), "retired", "409 other_erasure"),
        (&kit, looked["digest"].clone(), " ", "400 reason_needed"),
        (&vera, looked["digest"].clone(), "retired", "403 not_permitted_here"),
    ] {
        let body = json!({"what": what, "reason": reason, "shown": shown});
        assert_eq!(refused(&gate.client.post("/api/v1/erasures", person, &body).await), code);
    }
    let proposed = propose(&gate, &kit, &what).await;
    assert_eq!(proposed.status.as_u16(), 201, "{proposed:?}");
    let (proposed, proposal) = (proposed.json(), proposed.json()["proposal"].clone());
    assert_eq!((&proposed["erased"], &proposed["run"]), (&looked["erased"], &Value::Null), "{proposed:#}");
    assert_eq!(refused(&propose(&gate, &jun, &what).await), "409 proposed_already");
    assert!(somewhere(&data, FILE), "one person erases nothing");
    assert_eq!(line(&gate, &kit, &proposal).await["you_may_confirm"], json!(false));
    assert_eq!(line(&gate, &jun, &proposal).await["you_may_confirm"], json!(true));
    assert_eq!(line(&gate, &vera, &proposal).await["you_may_confirm"], json!(false), "an auditor sees it");
    // The same person is no second one, by whatever session; nor is who may not, nor an agent.
    let again = gate.gate.person("kit").await;
    for (person, code) in [(&kit, "403 same_person"), (&again, "403 same_person"), (&vera, "403 not_permitted_here")] {
        assert_eq!(refused(&confirm(&gate, person, &proposal, &what).await), code);
    }
    let address = format!("/api/v1/erasures/{}/confirm", proposal["id"].as_str().expect("an id"));
    let request = gate.client.request(Method::POST, &address).bearer_auth(&gate.agent);
    let body = json!({"what": what, "shown": proposal["digest"]});
    assert_eq!(proviso_tests::Client::send(request.json(&body)).await.status.as_u16(), 403);
    // Who confirms knows whom it is about.
    for other in [json!({"agent": {"type": "Agent", "id": "another"}}), json!({"older_than": "9d"})] {
        assert_eq!(refused(&confirm(&gate, &jun, &proposal, &other).await), "409 other_erasure", "{other}");
    }
    let other = json!({"id": proposal["id"], "digest": "0".repeat(64)});
    assert_eq!(refused(&confirm(&gate, &jun, &other, &what).await), "409 other_erasure");
    let nothing = json!({"id": "ers_none", "digest": proposal["digest"]});
    assert_eq!(refused(&confirm(&gate, &jun, &nothing, &what).await), "404 unknown_erasure");
    assert!(somewhere(&data, FILE));
    let done = confirm(&gate, &jun, &proposal, &what).await.json();
    assert_eq!((&done["proposal"]["state"], &done["erased"]), (&json!("done"), &looked["erased"]), "{done:#}");
    assert!(!somewhere(&data, FILE), "it is in no file any more");
    assert_eq!(refused(&confirm(&gate, &jun, &proposal, &what).await), "409 erasure_over");
    let told = gate.client.get("/api/v1/retention", Some(&vera)).await.json();
    let people = json!([{"type": "User", "id": "kit"}, {"type": "User", "id": "jun"}]);
    assert_eq!((&told["erasures"][0]["people"], &told["erasures"][0]["run"]), (&people, &done["run"]), "{told:#}");
    assert_eq!(told["erasures"][0]["by"], json!("User::kit, User::jun"), "{told:#}");
    let lines = gate.client.get("/api/v1/record/lines?kind=payloads_erased", Some(&vera)).await.json();
    assert_eq!(lines["lines"][0]["by"], json!({"type": "User", "id": "jun"}), "{lines:#}");
    let table = gate.client.get("/api/v1/record/export?format=csv", Some(&vera)).await.text;
    let row = table.lines().find(|row| row.contains(",payloads_erased,")).unwrap_or_else(|| panic!("{table}"));
    assert!(row.contains(",User::kit User::jun,"), "an export names both: {row}");
    let after = gate.verified().await;
    assert_eq!((&after["verified"], &after["erased"]["grants"]), (&json!(true), &json!(1)), "{after}");
    // As after a restart.
    let gate = gate.again_of(setup()).await;
    let told = gate.app.retention();
    assert_eq!(told.erasures.first().map(|line| line.people.len()), Some(2));
}

#[tokio::test]
async fn nobody_erases_what_is_their_own_or_what_would_not_go() {
    let gate = gate().await;
    let (kit, jun) = (gate.gate.person("kit").await, gate.gate.person("jun").await);
    let intern = json!({"agent": {"type": "Agent", "id": format!("{}intern-bot", proviso_tests::AGENTS)}});
    let both = json!({"person": "ines", "record": {"log": "ledger", "seq": 1}});
    for (person, what, code) in [
        (&kit, json!({}), "400 nothing_selected"),
        (&kit, both, "400 nothing_selected"),
        (&kit, json!({"older_than": "9d", "classes": ["secrets"]}), "400 bad_class"),
        (&kit, json!({"record": {"log": "none", "seq": 1}}), "404 unknown_log"),
        (&kit, json!({"record": {"log": "ledger", "seq": 999_999}}), "404 unknown_record"),
        (&kit, json!({"record": {"log": "ledger", "seq": 0}}), "409 never_erased"),
        (&kit, json!({"person": "kit"}), "403 own_person"),
        // Nor said in another way.
        (&kit, json!({"agent": {"type": "User", "id": "kit"}}), "403 own_person"),
        // Jun owns the intern's bot.
        (&jun, intern.clone(), "403 own_person"),
        (&kit, json!({"older_than": "400d"}), "409 nothing_to_erase"),
    ] {
        assert_eq!(refused(&propose(&gate, person, &what).await), code, "{what}");
    }
    // Nor does an owner confirm it.
    let proposed = propose(&gate, &kit, &intern).await.json();
    assert_eq!(refused(&confirm(&gate, &jun, &proposed["proposal"], &intern).await), "403 own_person");
    // What a hold covers is not even proposed, and one that comes later is in time.
    let what = writer();
    let proposed = propose(&gate, &kit, &what).await.json();
    let (exit, hold) = gate.run(&["hold", "place", "--of", WRITER, "--reason", "case 12"]).await;
    assert_eq!(exit, Some(0), "{hold}");
    assert_eq!(refused(&confirm(&gate, &jun, &proposed["proposal"], &what).await), "409 on_hold");
    assert_eq!(line(&gate, &jun, &proposed["proposal"]).await["state"], json!("waits"));
    let withdrawn = format!("/api/v1/erasures/{}", proposed["proposal"]["id"].as_str().expect("an id"));
    let request = as_person(gate.client.request(Method::DELETE, &withdrawn), &kit);
    assert_eq!(proviso_tests::Client::send(request).await.status.as_u16(), 204);
    assert_eq!(refused(&propose(&gate, &kit, &what).await), "409 on_hold");
    let (exit, lifted) =
        gate.run(&["hold", "lift", hold["holds"][0]["id"].as_str().expect("an id"), "--reason", "settled"]).await;
    assert_eq!(exit, Some(0), "{lifted}");
    let proposed = propose(&gate, &kit, &what).await.json();
    let done = confirm(&gate, &jun, &proposed["proposal"], &what).await;
    assert_eq!(done.json()["proposal"]["state"], json!("done"), "{done:?}");
}

/// The first record of a log whose payload is like this.
fn first(gate: &Open, log: &str, like: &str) -> Value {
    let database = rusqlite::Connection::open(gate.gate.data().join("record.sqlite")).expect("a record");
    let select = "SELECT min(seq) FROM payload WHERE log = ?1 AND CAST(bytes AS TEXT) LIKE ?2";
    let seq: Option<i64> = database.query_row(select, [log, like], |row| row.get(0)).expect("it can be read");
    json!({"record": {"log": log, "seq": seq.unwrap_or_else(|| panic!("no record is like {like}"))}})
}

#[tokio::test]
async fn nobody_erases_one_record_that_is_their_own() {
    let gate = Open::begin(setup()).await;
    // Kit comes in and leaves, an agent acts in kit's name, and all of it grows old.
    let kit = gate.gate.person("kit").await;
    let leave = as_person(gate.client.request(Method::DELETE, "/api/v1/session"), &kit);
    assert_eq!(proviso_tests::Client::send(leave).await.status.as_u16(), 204);
    let planner = gate.gate.agent("close-planner", "for-kit", Some("kit")).await;
    let call = proviso_tests::write_file("close-planner", "/srv/files/drafts/kit.md", "k");
    assert!(gate.client.post_for("/access/v1/evaluation", &gate.point, &planner, &call).await.status.is_success());
    gate.played().await;
    let (kit, jun) = (gate.gate.person("kit").await, gate.gate.person("jun").await);
    for (log, like) in [
        ("ledger", r#"%token_minted%"id":"kit"%"#),
        ("ledger", r#"%signed_in%"id":"kit"%"#),
        ("ledger", "%signed_out%"),
        ("ledger", "%token_minted%close-planner%"),
        ("decisions/main", "%drafts/kit.md%"),
    ] {
        let what = first(&gate, log, like);
        assert_eq!(refused(&preview(&gate, &kit, &what).await), "403 own_person", "{like}");
        let proposed = propose(&gate, &jun, &what).await;
        assert_eq!(proposed.status.as_u16(), 201, "another's it is: {like}: {proposed:?}");
        assert_eq!(
            refused(&confirm(&gate, &kit, &proposed.json()["proposal"], &what).await),
            "403 own_person",
            "{like}"
        );
    }
    // A token and a call of the bot that jun owns.
    for (log, like) in [("ledger", "%token_minted%intern-bot%"), ("decisions/main", "%drafts/other.md%")] {
        let what = first(&gate, log, like);
        assert_eq!(refused(&propose(&gate, &jun, &what).await), "403 own_person", "{like}");
        let proposed = propose(&gate, &kit, &what).await;
        assert_eq!(proposed.status.as_u16(), 201, "{like}: {proposed:?}");
        assert_eq!(
            refused(&confirm(&gate, &jun, &proposed.json()["proposal"], &what).await),
            "403 own_person",
            "{like}"
        );
    }
    // What lives is theirs, too: it is refused for that, and not for what stays.
    let live = first(&gate, "ledger", r#"%signed_in%"id":"jun"%"#);
    assert_eq!(refused(&preview(&gate, &jun, &live).await), "403 own_person");
    assert!(somewhere(gate.gate.data(), "drafts/kit.md"), "nothing is gone");
}

#[tokio::test]
async fn who_came_to_own_the_agent_since_is_no_first_of_two() {
    // Of three who may, jun owns the intern's bot.
    let gate = Open::begin(Setup { bundle: crate::activation::files(), ..Setup::default() }).await;
    gate.played().await;
    let (kit, jun, ola) = (gate.gate.person("kit").await, gate.gate.person("jun").await, gate.gate.person("ola").await);
    let bot = json!({"type": "Agent", "id": format!("{}intern-bot", proviso_tests::AGENTS)});
    let (whole, token) = (json!({"agent": bot}), first(&gate, "ledger", "%token_minted%intern-bot%"));
    let proposals = [
        (propose(&gate, &kit, &whole).await.json()["proposal"].clone(), &whole),
        (propose(&gate, &kit, &token).await.json()["proposal"].clone(), &token),
    ];
    let given = json!({"of": {"agent": bot}, "to": {"type": "User", "id": "kit"}, "reason": "a new team"});
    let given = gate.client.post("/api/v1/owners/handover", &jun, &given).await;
    assert!(given.status.is_success(), "{given:?}");
    for (proposal, what) in &proposals {
        assert_eq!(refused(&confirm(&gate, &ola, proposal, what).await), "409 proposer_gone", "{what}");
        assert_eq!(refused(&confirm(&gate, &jun, proposal, what).await), "403 own_person", "{what}");
    }
    assert!(somewhere(gate.gate.data(), "drafts/other.md"), "nothing is gone");
}

#[tokio::test]
async fn erasures_proposed_and_taken_back_in_a_loop_come_to_an_end_for_an_hour() {
    let gate = gate().await;
    let (kit, jun) = (gate.gate.person("kit").await, gate.gate.person("jun").await);
    let what = writer();
    for number in 0..60 {
        let proposed = propose(&gate, &kit, &what).await;
        assert_eq!(proposed.status.as_u16(), 201, "{number}: {proposed:?}");
        // What is under way already takes nothing of the hour.
        if number < 59 {
            assert_eq!(refused(&propose(&gate, &kit, &what).await), "409 proposed_already");
        }
        let address = format!("/api/v1/erasures/{}", proposed.json()["proposal"]["id"].as_str().expect("an id"));
        let request = as_person(gate.client.request(Method::DELETE, &address), &kit);
        assert_eq!(proviso_tests::Client::send(request).await.status.as_u16(), 204, "{number}");
    }
    assert_eq!(refused(&propose(&gate, &kit, &what).await), "429 too_often");
    assert_eq!(propose(&gate, &jun, &what).await.status.as_u16(), 201, "each has an hour of their own");
}

#[tokio::test]
async fn a_proposal_that_lapsed_was_taken_back_or_lost_its_proposer_erases_nothing() {
    let gate = gate().await;
    let (kit, jun, vera) =
        (gate.gate.person("kit").await, gate.gate.person("jun").await, gate.gate.person("vera").await);
    let what = writer();
    let taken = propose(&gate, &kit, &what).await.json()["proposal"].clone();
    let take_back = async |person: &str, proposal: &Value| {
        let address = format!("/api/v1/erasures/{}", proposal["id"].as_str().expect("an id"));
        proviso_tests::Client::send(as_person(gate.client.request(Method::DELETE, &address), person)).await
    };
    assert_eq!(refused(&take_back(&vera, &taken).await), "403 not_permitted_here");
    // Any one of them keeps what is there.
    assert_eq!(take_back(&jun, &taken).await.status.as_u16(), 204);
    assert_eq!(refused(&take_back(&jun, &taken).await), "409 erasure_over");
    assert_eq!(refused(&confirm(&gate, &jun, &taken, &what).await), "409 erasure_over");
    let gone = propose(&gate, &kit, &what).await.json()["proposal"].clone();
    let lock = json!({"target": {"person": {"type": "User", "id": "kit"}}, "reason": "look first"});
    let sol = gate.gate.person("sol").await;
    let lock = gate.client.post("/api/v1/locks", &sol, &lock).await.json();
    assert_eq!(refused(&confirm(&gate, &jun, &gone, &what).await), "409 proposer_gone");
    assert_eq!(refused(&propose(&gate, &kit, &json!({"older_than": "9d"})).await), "403 locked");
    let address = format!("/api/v1/locks/{}", lock["id"].as_str().unwrap_or_else(|| panic!("{lock:#}")));
    let lifted = proviso_tests::Client::send(as_person(gate.client.request(Method::DELETE, &address), &sol)).await;
    assert_eq!(lifted.json()["lifted"], json!(true), "{lifted:?}");
    for (command, code) in [("departed", Some("409 proposer_gone")), ("returned", None)] {
        let (exit, told) = gate.run(&["owner", command, "kit", "--reason", "for a while"]).await;
        assert_eq!(exit, Some(0), "{told}");
        if let Some(code) = code {
            assert_eq!(refused(&confirm(&gate, &jun, &gone, &what).await), code);
        }
    }
    gate.gate.clock.advance(7 * DAY);
    let jun = gate.gate.person("jun").await;
    assert_eq!(line(&gate, &jun, &gone).await["state"], json!("lapsed"));
    assert_eq!(refused(&confirm(&gate, &jun, &gone, &what).await), "409 erasure_over");
    assert!(somewhere(gate.gate.data(), FILE), "nothing is gone");
    let after = gate.verified().await;
    assert_eq!(after["erased"]["payloads"], json!(0), "{after}");
}
