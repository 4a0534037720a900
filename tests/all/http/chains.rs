//! One agent works for another: the chain between it and the human is part of every question (R3, R4, R7).

use policy_core::entity::EntityRef;
use proviso::app::Operator;
use proviso::identity::MintRequest;
use proviso_tests::{AGENTS, Parties, Setup, Story, TestGate, post_rows, sample_bundle, write_file};
use serde_json::json;

use super::{allowed, denied, exception, refusal, refused, verdict};

const APPROVED: &str = "/srv/files/reports/b.md";

fn agent(name: &str) -> EntityRef {
    EntityRef::new("Agent", format!("{AGENTS}{name}"))
}

/// A token for an agent of the weekly report that acts for others, in this order, and for ines behind them.
async fn mint(gate: &TestGate, name: &str, via: &[&str]) -> Result<String, &'static str> {
    let operator = Operator { uid: 0, name: "root".to_owned() };
    let request = MintRequest::Agent {
        subject: agent(name),
        task: "weekly-report".to_owned(),
        via: via.iter().map(|hop| agent(hop)).collect(),
        on_behalf: Some("ines".to_owned()),
        resource: None,
    };
    gate.app.mint(request, &operator).await.map(|minted| minted.secret).map_err(|refusal| refusal.code)
}

/// A grant for report-writer that acts for intern-bot that acts for ines: its id and the approver's cookie.
async fn granted(story: &Story, chained: &Parties) -> (String, String) {
    let id =
        chained.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), Some("/srv/files/reports")).await;
    let mara = story.gate.person("mara").await;
    let answer = story.vote(&mara, &id, "approve", None).await;
    assert_eq!(answer.json()["state"], "granted", "{answer:?}");
    (id, mara)
}

async fn chained(story: &Story) -> Parties {
    let agent = mint(&story.gate, "report-writer", &["intern-bot"]).await.unwrap();
    Parties { client: story.client.clone(), point: story.point.clone(), agent }
}

#[tokio::test]
async fn a_for_b_is_not_b_for_a_nor_a_alone() {
    proviso_tests::clauses!("c4-5-claimed-chain");
    let story = Story::begin().await;
    let chained = chained(&story).await;
    let (id, mara) = granted(&story, &chained).await;
    let request = exception(&story, &mara, &id).await["exception"]["request"].clone();
    let hops: Vec<_> = request["question"]["chain"].as_array().unwrap().iter().map(|hop| &hop["id"]).collect();
    assert_eq!(hops, [&json!(format!("{AGENTS}intern-bot")), &json!("ines")], "in order");

    let call = write_file("report-writer", APPROVED, "c1");
    let other_way = write_file("intern-bot", APPROVED, "c1");
    for (name, via, body) in [
        ("report-writer", &[][..], &call),
        ("report-writer", &["close-planner"], &call),
        ("report-writer", &["intern-bot", "close-planner"], &call),
        ("report-writer", &["close-planner", "intern-bot"], &call),
        ("intern-bot", &["report-writer"], &other_way),
    ] {
        let token = mint(&story.gate, name, via).await.unwrap();
        let answer = story.client.post_for("/access/v1/evaluation", &story.point, &token, body).await;
        assert!(!verdict(&answer).0, "{name} via {via:?}: {answer:?}");
    }
    // Nor does it help to claim the approved chain.
    let mut claimed = call.clone();
    claimed["context"]["chain"] = json!(format!("Agent::{AGENTS}intern-bot < User::ines"));
    assert_eq!(refusal(&story.evaluate(&claimed).await), refused(400, "claim_conflict"));
    assert_eq!(verdict(&chained.evaluate(&call).await), allowed("exception"));
}

#[tokio::test]
async fn who_owns_an_agent_of_the_chain_does_not_vote() {
    proviso_tests::clauses!("c4-1-owner");
    let story = Story::begin().await;
    // tom decides on files, and owns the agent in the middle of the first chain.
    for (via, expected) in [(&["ledger-bot"][..], Some("is_owner")), (&["close-planner"], None)] {
        let agent = mint(&story.gate, "intern-bot", via).await.unwrap();
        let chained = Parties { client: story.client.clone(), point: story.point.clone(), agent };
        let id = chained.ask(&write_file("intern-bot", APPROVED, "ask"), None).await;
        let tom = story.gate.person("tom").await;
        let answer = story.vote(&tom, &id, "approve", None).await;
        match expected {
            Some(code) => assert_eq!(refusal(&answer), refused(403, code), "{via:?}"),
            None => assert!(answer.status.is_success(), "{via:?}: {answer:?}"),
        }
    }
}

#[tokio::test]
async fn a_hop_that_a_guardrail_forbids_stops_who_acts_for_it() {
    proviso_tests::clauses!("c4-5-hops-guardrail");
    let story = Story::begin().await;
    // ledger-bot posts small batches by itself; intern-bot never posts, and neither does who acts for it.
    for (via, expected) in [(&[][..], allowed("scope")), (&["intern-bot"], denied("guardrail"))] {
        let agent = mint(&story.gate, "ledger-bot", via).await.unwrap();
        let chained = Parties { client: story.client.clone(), point: story.point.clone(), agent };
        let answer = chained.evaluate(&post_rows("ledger-bot", "finance/sandbox", 10, "c1")).await;
        assert_eq!(verdict(&answer), expected, "{via:?}");
        // And nobody can ask for what the guardrail forbids.
        assert!(answer.json()["context"]["access_request"].is_null(), "{answer:?}");
    }
}

#[tokio::test]
async fn where_the_bundle_says_so_each_hop_needs_a_permit_of_its_own() {
    proviso_tests::clauses!("c4-5-hops-scope");
    let mut bundle = sample_bundle();
    let config = bundle.get_mut("bundle.toml").unwrap();
    *config = format!("chain = \"scope\"\n{config}");
    let strict = Story::on(TestGate::with(Setup { bundle, ..Setup::default() }).await).await;
    let usual = Story::begin().await;
    let draft = write_file("report-writer", "/srv/files/drafts/a.md", "c1");
    // close-planner may write drafts itself, intern-bot may not.
    for (story, via, expected) in [
        (&strict, &["close-planner"][..], allowed("scope")),
        (&strict, &["intern-bot"], denied("chain")),
        (&strict, &["close-planner", "intern-bot"], denied("chain")),
        (&usual, &["intern-bot"], allowed("scope")),
    ] {
        let agent = mint(&story.gate, "report-writer", via).await.unwrap();
        let chained = Parties { client: story.client.clone(), point: story.point.clone(), agent };
        assert_eq!(verdict(&chained.evaluate(&draft).await), expected, "{via:?}");
    }
}

#[tokio::test]
async fn who_owns_the_agent_that_asks_for_another_does_not_vote() {
    proviso_tests::clauses!("c4-1-owner");
    // close-planner asks for report-writer, and is ola's: she is neither in the chain nor behind who asks.
    let mut bundle = sample_bundle();
    let owned = |owner: &str| {
        format!(r#"agent/close-planner"}}, "attrs": {{"owner": {{"__entity": {{"type": "User", "id": "{owner}"}}}}"#)
    };
    let entities = bundle.get_mut("entities.json").unwrap();
    assert!(entities.contains(&owned("ines")));
    *entities = entities.replace(&owned("ines"), &owned("ola"));
    let story = Story::on(TestGate::with(Setup { bundle, ..Setup::default() }).await).await;
    let planner = story.gate.agent("close-planner", "weekly-report", Some("ines")).await;
    let mut call = write_file("report-writer", "/srv/files/reports/q4", "ask");
    call["action"]["name"] = json!("create_directory");
    call["context"]["input"] = json!({"path": "/srv/files/reports/q4"});
    let refused_call = story.evaluate(&call).await.json();
    let body = story.request_body(&call, &refused_call, None);
    let answer = story.client.post_for("/access/v1/requests", &story.point, &planner, &body).await;
    let id = answer.json()["task"]["id"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned();
    for owner in ["ola", "tom"] {
        let cookie = story.gate.person(owner).await;
        assert_eq!(refusal(&story.vote(&cookie, &id, "approve", None).await), refused(403, "is_owner"), "{owner}");
    }
    let mara = story.gate.person("mara").await;
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
}

#[tokio::test]
async fn what_stops_one_of_a_chain_stops_who_acts_for_it() {
    let middle = json!({"type": "Agent", "id": format!("{AGENTS}intern-bot")});
    let ines = json!({"type": "User", "id": "ines"});
    for (path, target, reason) in [
        ("/api/v1/revocations", json!({"subject": middle}), "approval_required"),
        ("/api/v1/revocations", json!({"person": ines}), "approval_required"),
        ("/api/v1/locks", json!({"subject": middle}), "locked"),
        ("/api/v1/locks", json!({"person": ines}), "locked"),
    ] {
        let story = Story::begin().await;
        let chained = chained(&story).await;
        let (_, mara) = granted(&story, &chained).await;
        assert_eq!(
            verdict(&chained.evaluate(&write_file("report-writer", APPROVED, "c1")).await),
            allowed("exception")
        );
        let answer = story.client.post(path, &mara, &json!({"target": target, "reason": "stop"})).await;
        assert!(answer.status.is_success(), "{target}: {answer:?}");
        let answer = chained.evaluate(&write_file("report-writer", APPROVED, "c2")).await;
        assert_eq!(verdict(&answer), denied(reason), "{target}");
    }
}

#[tokio::test]
async fn a_chain_is_bounded_and_never_a_loop() {
    let gate = TestGate::start().await;
    let names: Vec<String> = (0..8).map(|n| format!("a{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // ines is a hop as well.
    assert_eq!(mint(&gate, "report-writer", &names).await, Err("chain_too_long"));
    assert!(mint(&gate, "report-writer", &names[..7]).await.is_ok());
    for via in [&["report-writer"][..], &["intern-bot", "intern-bot"]] {
        assert_eq!(mint(&gate, "report-writer", via).await, Err("chain_loops"), "{via:?}");
    }
    assert_eq!(mint(&gate, "report-writer", &["a b"]).await, Err("bad_name"));
}
