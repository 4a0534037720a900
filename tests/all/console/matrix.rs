//! Every route of the OpenAPI document with everybody who could come: nobody, an agent, an enforcement point, each role
//! of the presets, and a person of no role. What comes of it stands in the table, and nothing else may come of it.

use std::collections::BTreeMap;

use proviso_tests::{Story, as_person};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::{folder, story, write};

/// Who comes, in the table's order.
const COMERS: [&str; 9] =
    ["nobody", "agent", "point", "approver", "auditor", "owner", "operator", "administrator", "stranger"];
/// The person of each role.
const PEOPLE: [&str; 6] = ["mara", "vera", "ines", "sol", "kit", "zoe"];

/// What each route answers each of them, in the order above: `.` is not refused for who asks, `u` is 401, `f` is 403 by
/// another rule, `p` is 403 `not_permitted_here`.
const TABLE: &[(&str, &str)] = &[
    ("act_challenge", "uff......"),
    ("activate_bundle", "uffpppp.p"),
    ("agent", "uff....pp"),
    ("agents", "uff......"),
    ("add_passkey", "uff......"),
    ("agree", "uffpppp.p"),
    ("answer", "u..pp.ppp"),
    ("appoint_deputy", "uff.ppppp"),
    ("assign_finding", "uffp.pppp"),
    ("begin_passkey", "uff......"),
    ("begin_passkey_sign_in", "........."),
    ("begin_sign_in", "........."),
    ("begin_step_up", "uff......"),
    ("bundle", "uff......"),
    ("bundle_proposal", "uffp.pp.p"),
    ("bundles", "uff......"),
    ("cancel", "u..uuuuuu"),
    ("checkpoint", "u........"),
    ("close_review", "uff.ppppp"),
    ("comment_finding", "uffp.pppp"),
    ("confirm", "uff.ppppp"),
    ("confirm_erasure", "uffpppp.p"),
    ("consistency", "u........"),
    ("declare_emergency", "uff.ppppp"),
    ("deliveries", "uffppp.pp"),
    ("demo_people", "........."),
    ("demo_sign_in", "........."),
    ("departure", "uff..pppp"),
    ("deputies", "uff..p..p"),
    ("discover", "........."),
    ("dispose", "uff.ppppp"),
    ("end_deputy", "uff......"),
    ("end_other_sessions", "uff......"),
    ("end_passkey", "uff......"),
    ("end_person", "uffppppfp"),
    ("end_session", "uff......"),
    ("end_sessions_of", "uffpppp.p"),
    ("end_task", "uff.pp.pp"),
    ("evaluate", "u..uuuuuu"),
    ("evaluate_all", "u..uuuuuu"),
    ("events", "uff......"),
    ("exception", "uff....pp"),
    ("exceptions", "uff......"),
    ("export_record", "uffp.pppp"),
    ("finding", "uff..pppp"),
    ("findings", "uff......"),
    ("finish_sign_in", "uuuuuuuuu"),
    ("give_back", "uff.ppppp"),
    ("hand_over", "uff.ppppp"),
    ("hand_over_owner", "uffpp.ppp"),
    ("invite", "uffpppp.p"),
    ("jwks", "........."),
    ("leave", "uff......"),
    ("link_account", "uffpppp.p"),
    ("live", "........."),
    ("lock", "uff.pp.pp"),
    ("lock_for_finding", "uff.pp.pp"),
    ("locks", "uff......"),
    ("logged_out", "........."),
    ("make_link", "uff......"),
    ("member", "uff..pp.p"),
    ("metrics", "........."),
    ("module", "........."),
    ("openapi", "........."),
    ("owner", "uff....pp"),
    ("ownership", "uffp.pppp"),
    ("past", "uff....pp"),
    ("pictures", "uff......"),
    ("preview_erasure", "uffpppp.p"),
    ("propose_bundle", "uffpppp.p"),
    ("propose_erasure", "uffpppp.p"),
    ("propose_module", "uffpppp.p"),
    ("passkeys", "uff......"),
    ("people", "uffp.pp.p"),
    ("questions", "uff.p.ppp"),
    ("reach", "uff.pp.pp"),
    ("ready", "........."),
    ("receipt", "uffp.pppp"),
    ("record", "u........"),
    ("record_lines", "uff...ppp"),
    ("refuse_bundle", "uffpppp.p"),
    ("renew", "u..pp.ppp"),
    ("renew_lock", "uff.pp.pp"),
    ("report_execution", "u..uuuuuu"),
    ("request", "u..uuuuuu"),
    ("request_schema", "u..uuuuuu"),
    ("request_status", "u..uuuuuu"),
    ("retention", "uffp.pp.p"),
    ("retry_delivery", "uffppp.pp"),
    ("reviews", "uff......"),
    ("revoke", "uff.p..pp"),
    ("revoke_all", "uff.pp.pp"),
    ("revoke_for_finding", "uff.pp.pp"),
    ("search_action", "u..uuuuuu"),
    ("search_resource", "u..uuuuuu"),
    ("search_subject", "u..uuuuuu"),
    ("session", "uff......"),
    ("sessions", "uff......"),
    ("set_finding_state", "uffp.pppp"),
    ("sheet", "uff.p.ppp"),
    ("sign_in", "uuuuuuuuu"),
    ("sign_in_by_passkey", "........."),
    ("sign_in_ways", "........."),
    ("sign_out", "uff......"),
    ("stop_recovery", "uff......"),
    ("stopped_calls", "uf.uuuuuu"),
    ("take_traces", "u..uuuuuu"),
    ("tile", "uffp.pppp"),
    ("undo", "uff.ppppp"),
    ("unlink_account", "uffpppp.p"),
    ("unlock", "uff.pp.pp"),
    ("vote", "uff.ppppp"),
    ("what_if", "uff.ppppp"),
    ("vote_challenge", "uff.ppppp"),
    ("whoami", "u..uuuuuu"),
    ("withdraw", "uffpppp.p"),
    ("withdraw_erasure", "uffpppp.p"),
];

/// What the routes are asked about.
struct Things {
    open: String,
    granted: String,
    grant: String,
    finding: String,
    lock: String,
    bundle: String,
}

/// A story in which there is one of everything that a route could be about.
async fn everything(story: &Story) -> Things {
    let granted = story.ask(&write("a.md", "m1"), Some(&folder())).await;
    let mara = story.gate.person("mara").await;
    let voted = story.vote(&mara, &granted, "approve", None).await.json();
    let grant = voted["grant"].as_str().unwrap_or_else(|| panic!("{voted:#}")).to_owned();
    let other = proviso_tests::write_file("report-writer", "/srv/files/elsewhere.md", "m2");
    let open = story.ask(&other, None).await;
    let evidence = json!({
        "evidence_id": "seen-1", "phase": "executed", "action": "write_file", "server": "files",
        "subject": {"type": "Agent", "id": format!("{}report-writer", proviso_tests::AGENTS)},
        "started_at": story.gate.app.record().now,
    });
    let request = story.client.request(Method::POST, "/api/v1/executions").bearer_auth(&story.point);
    let told = proviso_tests::Client::send(request.json(&evidence)).await;
    assert_eq!(told.status, StatusCode::NO_CONTENT, "{told:?}");
    story.gate.clock.advance(600);
    story.gate.app.reconcile().await.unwrap();
    let mara = story.gate.person("mara").await;
    let findings = story.client.get("/api/v1/findings", Some(&mara)).await.json();
    let finding = findings["findings"][0]["id"].as_str().unwrap_or_else(|| panic!("{findings:#}")).to_owned();
    let body = json!({"target": {"server": "deploy"}, "reason": "look first", "reach": reach(story, &mara).await});
    let lock = story.client.post("/api/v1/locks", &mara, &body).await.json();
    let lock = lock["id"].as_str().unwrap_or_else(|| panic!("{lock:#}")).to_owned();
    let sheet = story.client.get(&format!("/api/v1/exceptions/{open}/sheet"), Some(&mara)).await.json();
    let bundle = sheet["sheet"]["bundle"]["digest"].as_str().unwrap_or_else(|| panic!("{sheet:#}")).to_owned();
    Things { open, granted, grant, finding, lock, bundle }
}

async fn reach(story: &Story, person: &str) -> Value {
    story.client.get("/api/v1/locks/reach?server=deploy", Some(person)).await.json()["digest"].clone()
}

/// A route's address with what there is, and a body that it reads.
fn asked(things: &Things, id: &str, path: &str) -> (String, Value) {
    let reason = json!({"reason": "for the table"});
    let user = |id: &str| json!({"type": "User", "id": id});
    let (open, granted) = (things.open.as_str(), things.granted.as_str());
    let of = if ["give_back", "renew", "dispose"].contains(&id) { granted } else { open };
    let about = match path {
        _ if path.starts_with("/api/v1/findings") => &things.finding,
        _ if path.starts_with("/api/v1/locks") => &things.lock,
        _ if path.starts_with("/api/v1/grants") => &things.grant,
        _ => of,
    };
    let filled = path
        .replace("{id}", about)
        .replace("{task}", "weekly-report")
        // Who is said to have left comes no more: the administrator tries it of themselves.
        .replace("{user}", if id == "end_person" { "kit" } else { "mara" })
        .replace("{log}", "ledger")
        .replace("{tile}", "entries/000.p/1")
        .replace("{seq}", "1")
        .replace("{digest}", &things.bundle)
        .replace("{evaluation}", "eval_none")
        .replace("{file}", "none.wasm");
    let planner = json!({"type": "Agent", "id": format!("{}close-planner", proviso_tests::AGENTS)});
    let zero = "0".repeat(64);
    let scope = json!({
        "resource": {"is": {"type": "Volume", "id": "files"}}, "arguments": "exact",
        "not_after": "2030-01-01T00:00:00.000Z", "max_uses": 1,
    });
    let body = match id {
        "vote" => {
            json!({"decision": "refuse", "as_of": 1, "sheet": zero, "reason": "for the table", "grant": scope})
        }
        "answer" => json!({"vote": 0, "words": "for the table"}),
        "renew" => json!({"justification": "for the table"}),
        "dispose" => json!({"disposition": "one_off", "note": "for the table"}),
        "hand_over" => json!({"to": user("ola"), "reason": "for the table"}),
        "appoint_deputy" => {
            json!({"deputy": user("ola"), "until": "2030-01-01T00:00:00.000Z", "reason": "for the table"})
        }
        // What ines owns.
        "hand_over_owner" => json!({"of": {"agent": planner}, "to": user("jun"), "reason": "for the table"}),
        "close_review" => json!({"outcome": "appropriate", "note": "for the table"}),
        "revoke_all" => json!({"target": {"task": "weekly-report"}, "reason": "for the table"}),
        "lock" => json!({"target": {"task": "another"}, "reason": "for the table"}),
        "comment_finding" => json!({"words": "for the table"}),
        "assign_finding" => json!({"to": user("ola"), "reason": "for the table"}),
        "set_finding_state" => json!({"state": "acknowledged", "note": ""}),
        "preview_erasure" => json!({"older_than": "100d"}),
        "propose_erasure" => json!({"what": {"older_than": "100d"}, "reason": "for the table", "shown": zero}),
        "confirm_erasure" => json!({"what": {"older_than": "100d"}, "shown": zero}),
        "propose_bundle" => json!({"files": {"README.md": "none"}, "reason": "for the table"}),
        "propose_module" => json!({"module": "none", "reason": "for the table"}),
        "activate_bundle" | "refuse_bundle" => json!({"list": zero, "reason": "for the table"}),
        "begin_sign_in" => json!({"provider": "none"}),
        "finish_sign_in" => json!({"provider": "none", "state": "none"}),
        "begin_step_up" | "unlock" => json!({}),
        "act_challenge" => json!({"act": "confirm", "about": "none"}),
        "sign_in" => json!({"link": "none"}),
        "what_if" => json!({
            "subject": planner, "task": "t", "action": "write_file", "resource": {"type": "Volume", "id": "files"},
            "input": {"path": "/srv/files/x.md", "content": "x"},
        }),
        "add_passkey" => {
            json!({"held": "none", "label": "none", "attestation_object": "none", "client_data": "none"})
        }
        "sign_in_by_passkey" => {
            let assertion = json!({"credential": "", "authenticator_data": "", "client_data": "", "signature": ""});
            json!({"held": "none", "user": "none", "assertion": assertion})
        }
        "invite" => json!({"user": "zoe", "reason": "for the table"}),
        "link_account" | "unlink_account" => {
            json!({"provider": "none", "subject": "none", "reason": "for the table"})
        }
        "demo_sign_in" => json!({"person": user("mara")}),
        _ => reason,
    };
    let filled = match id {
        "owner" => format!("{filled}?exception={open}"),
        "agent" => format!("{filled}?type=Agent&id={}close-planner", proviso_tests::AGENTS),
        _ if path.ends_with("/reach") => format!("{filled}?server=deploy"),
        _ => filled,
    };
    (filled, body)
}

/// What came of it, as the table writes it. A stream is not read to its end.
async fn outcome(request: RequestBuilder, is_person: bool) -> char {
    let response = request.send().await.unwrap();
    match response.status() {
        StatusCode::UNAUTHORIZED => 'u',
        StatusCode::FORBIDDEN => {
            let problem: Value = response.json().await.unwrap();
            if problem["code"] == "not_permitted_here" { 'p' } else { 'f' }
        }
        status if status.is_server_error() => panic!("{status}"),
        // The body is not what the route reads: then nobody was asked.
        StatusCode::BAD_REQUEST if is_person => {
            let problem: Value = response.json().await.unwrap();
            assert!(!["bad_shape", "bad_json"].contains(&problem["code"].as_str().unwrap()), "{problem:#}");
            '.'
        }
        _ => '.',
    }
}

#[tokio::test]
async fn every_route_answers_everybody_as_the_table_says() {
    let story = story().await;
    let things = everything(&story).await;
    let document = proviso::http::openapi::document();
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut routes: Vec<(String, String, String)> = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, described) in methods.as_object().unwrap() {
            let id = described["operationId"].as_str().unwrap().to_owned();
            routes.push((id, method.to_ascii_uppercase(), path.clone()));
        }
    }
    // What ends something for others comes last.
    let last = ["revoke", "revoke_all", "unlock", "end_task"];
    routes.sort_by_key(|(id, ..)| (last.contains(&id.as_str()), id.clone()));
    for (id, method, path) in &routes {
        let method: Method = method.parse().unwrap();
        let (address, body) = asked(&things, id, path);
        let request = || story.client.request(method.clone(), &address).json(&body);
        let mut row = String::new();
        for (comer, person) in COMERS.into_iter().zip([None; 3].into_iter().chain(PEOPLE.map(Some))) {
            let request = match (comer, person) {
                (_, Some(user)) => as_person(request(), &story.gate.person(user).await),
                ("agent", _) => request().bearer_auth(&story.agent),
                ("point", _) => request().bearer_auth(&story.point).header("proviso-subject-token", &story.agent),
                _ => request(),
            };
            row.push(outcome(request, person.is_some()).await);
        }
        assert!(found.insert(id.clone(), row).is_none(), "`{id}` is the id of two");
    }
    let expected: BTreeMap<String, String> =
        TABLE.iter().map(|(id, row)| ((*id).to_owned(), (*row).to_owned())).collect();
    let lines = |rows: &BTreeMap<String, String>| -> String {
        rows.iter().map(|(id, row)| format!("    (\"{id}\", \"{row}\"),\n")).collect()
    };
    assert!(found == expected, "expected\n{}found\n{}", lines(&expected), lines(&found));
}
