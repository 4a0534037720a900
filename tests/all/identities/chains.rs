//! Task and chain from signed claims: what a grant is bound to, who asks for it, and who therefore cannot approve it.

use proviso_tests::{AGENTS, Parties, post_rows, write_file};
use serde_json::{Value, json};

use super::{LOGIN_ISS, MESH, MESH_ISS, World, access_token, with};

#[tokio::test]
async fn a_grant_is_for_the_task_the_chain_and_the_human_that_the_token_says() {
    let world = World::begin().await;
    let token = |task: &str, user: &str, jti: &str| access_token(&world.access("report-writer", task, user, jti));
    let (first, second) = (token("weekly-report", "5f0c1e", "j1"), token("weekly-report", "5f0c1e", "j2"));
    let (other_task, other_human) = (token("another", "5f0c1e", "j3"), token("weekly-report", "77aa01", "j4"));
    let other_subject = access_token(&world.access("ledger-bot", "weekly-report", "5f0c1e", "j5"));
    let svid = MESH.sign(None, &world.svid("report-writer", "weekly-report"));
    let via = with(
        &world.access("report-writer", "weekly-report", "5f0c1e", "j6"),
        "act",
        json!({
            "iss": MESH_ISS, "sub": format!("{AGENTS}report-writer"),
            "act": {"iss": MESH_ISS, "sub": format!("{AGENTS}close-planner")},
        }),
    );
    let via = access_token(&via);
    let point = world.gate.point("proxy", &["files", "ledger"]).await;
    let by = |agent: &str| Parties { client: world.gate.client.clone(), point: point.clone(), agent: agent.to_owned() };

    let call = write_file("report-writer", "/srv/files/reports/a.md", "c1");
    let id = by(&first).ask(&call, Some("/srv/files/reports")).await;
    let mara = world.gate.person("mara").await;
    let detail = world.gate.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await.json();
    assert_eq!(detail["exception"]["request"]["requester"]["id"], "ines", "{detail}");
    let chain = &detail["exception"]["request"]["question"]["chain"];
    assert_eq!(*chain, json!([{"type": "User", "id": "ines", "issuer": LOGIN_ISS}]), "{chain}");
    // INVARIANT (R4): whoever is behind the agent does not approve what it asks for.
    let ines = world.gate.person("ines").await;
    let own = by(&first).vote(&ines, &id, "approve", None).await;
    assert_eq!(own.status.as_u16(), 403, "{own:?}");
    assert_eq!(by(&first).vote(&mara, &id, "approve", None).await.json()["state"], "granted");

    // The next token of the same says the same, and is allowed.
    for (what, agent, expected) in [
        ("a new token", &second, json!(true)),
        ("another task", &other_task, json!(false)),
        ("another human", &other_human, json!(false)),
        ("nobody behind it", &svid, json!(false)),
        ("another agent between", &via, json!(false)),
    ] {
        let mut call = call.clone();
        call["context"]["proviso.dev/call"] = json!(what.replace(' ', "-"));
        let answer = by(agent).evaluate(&call).await;
        assert_eq!(answer.json()["decision"], expected, "{what}: {answer:?}");
    }
    // Another subject's token is for that subject alone, whatever the body says.
    let answer = by(&other_subject).evaluate(&call).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (400, "claim_conflict".to_owned()));
}

#[tokio::test]
async fn each_agent_of_a_chain_has_a_name() {
    let world = World::begin().await;
    let claims = world.access("report-writer", "weekly-report", "5f0c1e", "j1");
    let through = |name: &str| {
        let between = json!({"sub": format!("agent|{name}")});
        let act = json!({"iss": MESH_ISS, "sub": format!("{AGENTS}report-writer"), "act": between});
        access_token(&with(&claims, "act", act))
    };
    assert_eq!(world.code(&through("planner")).await, (200, String::new()));
    for name in ["two words", "a < b", "x\u{202e}y", "x\u{1b}[2J", "\""] {
        assert_eq!(world.code(&through(name)).await, (403, "bad_name".to_owned()), "{name:?}");
    }
}

#[tokio::test]
async fn what_a_body_says_of_task_or_chain_is_held_against_the_token() {
    let world = World::begin().await;
    let token = access_token(&world.access("report-writer", "weekly-report", "5f0c1e", "j1"));
    let call = post_rows("report-writer", "finance/sandbox", 10, "c1");
    let said = |context: (&str, Value)| {
        let mut call = call.clone();
        call["context"][context.0] = context.1;
        call
    };
    assert_eq!(world.ask(&token, &call).await.status.as_u16(), 200);
    for (name, right, wrong) in
        [("task", json!("weekly-report"), json!("another")), ("chain", json!("User::ines"), json!("User::mara"))]
    {
        assert_eq!(world.ask(&token, &said((name, right))).await.status.as_u16(), 200, "{name}");
        let answer = world.ask(&token, &said((name, wrong))).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, "claim_conflict".to_owned()), "{name}");
    }
    let mut claimed = call.clone();
    claimed["subject"]["properties"] = json!({"act": {"sub": "ines", "iss": LOGIN_ISS}});
    assert_eq!(world.ask(&token, &claimed).await.status.as_u16(), 200);
    claimed["subject"]["properties"] = json!({"act": {"sub": "ines", "iss": "proviso"}});
    assert_eq!(world.ask(&token, &claimed).await.code(), "claim_conflict", "vouched for by somebody else");
}

#[tokio::test]
async fn a_chain_is_as_long_as_the_token_says_or_it_is_refused() {
    let world = World::begin().await;
    let nested = |agents: usize| {
        let act = (0..agents).rev().fold(Value::Null, |inner, index| {
            let mut act = json!({"iss": MESH_ISS, "sub": format!("{AGENTS}bot-{index}")});
            if !inner.is_null() {
                act["act"] = inner;
            }
            act
        });
        access_token(&with(&world.access("x", "weekly-report", "5f0c1e", "j1"), "act", act))
    };
    // The current actor, seven between, and the human: eight hops.
    assert_eq!(world.code(&nested(8)).await, (200, String::new()));
    assert_eq!(world.code(&nested(9)).await, (403, "chain_too_long".to_owned()));
    assert_eq!(world.code(&nested(10)).await, (401, "chain_too_long".to_owned()));
    let own = |inner: Value| {
        let act = json!({"iss": MESH_ISS, "sub": format!("{AGENTS}bot-0"), "act": inner});
        access_token(&with(&world.access("x", "weekly-report", "5f0c1e", "j1"), "act", act))
    };
    let again = own(json!({"iss": MESH_ISS, "sub": format!("{AGENTS}bot-0")}));
    assert_eq!(world.code(&again).await, (403, "chain_loops".to_owned()));
    let person = own(json!({"sub": "77aa01"}));
    assert_eq!(world.code(&person).await, (403, "chain_unclear".to_owned()));
    // An agent of the login's own, by its own names.
    let mixed = own(json!({"sub": "agent|ledger-bot"}));
    assert_eq!(world.code(&mixed).await, (200, String::new()));
}
