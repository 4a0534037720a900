//! Whole lists of addresses at once: reading changes nothing, and what is another's looks as if it were not there.

use proviso::http::openapi;
use proviso_tests::{Answer, Client, Story, as_person, write_file};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{denied, exception, granted, refusal, refused, sizes, verdict};

/// The addresses of the document that are read, with their operations' ids.
fn read_addresses() -> Vec<(String, String)> {
    let document = openapi::document();
    let paths = document["paths"].as_object().unwrap();
    let read = paths.iter().filter_map(|(path, methods)| Some((path, methods.get("get")?)));
    read.map(|(path, described)| (path.clone(), described["operationId"].as_str().unwrap().to_owned())).collect()
}

#[tokio::test]
async fn looking_decides_nothing_whoever_follows_the_link() {
    proviso_tests::clauses!("c4-8-link-decides-nothing", "c4-8-reading-changes-nothing");
    let story = Story::begin().await;
    let (live, mara) = granted(&story).await;
    let id = story.ask(&write_file("report-writer", "/srv/files/q.md", "ask"), None).await;
    let review = {
        let path = format!("/access/v1/requests/{id}");
        let request = story.client.request(Method::GET, &path).bearer_auth(&story.point);
        let told = Client::send(request.header("proviso-subject-token", &story.agent)).await.json();
        told["task"]["links"]["review"].as_str().unwrap().strip_prefix(&story.client.url).unwrap().to_owned()
    };
    let bundle = story.client.get("/api/v1/record", Some(&mara)).await.json()["bundle"].as_str().unwrap().to_owned();
    let before = (sizes(&story), exception(&story, &mara, &id).await, exception(&story, &mara, &live).await);
    // The link that mails and webhooks hold, with what a mail's scanner or an impatient hand may add to it.
    for more in ["", "?decision=approve", "?vote=approve&reason=yes", "/votes?decision=approve", "/approve"] {
        for person in [None, Some(mara.as_str())] {
            let answer = story.client.request(Method::GET, &format!("{review}{more}"));
            let answer = match person {
                Some(person) => as_person(answer, person),
                None => answer,
            };
            answer.send().await.unwrap();
        }
    }
    // Every address that is read at all, filled with what there is, as a person, an agent, and with what would decide.
    let mut looked = 0;
    for (template, operation) in read_addresses() {
        // These stay open and tell of changes, or hold the module's bytes.
        if ["events", "module"].contains(&operation.as_str()) {
            continue;
        }
        let path = template
            .replace("{id}", &id)
            .replace("{digest}", &bundle)
            .replace("{evaluation}", before.1["exception"]["request"]["evaluation"].as_str().unwrap());
        for query in ["", "?decision=approve&reason=yes"] {
            let get = || story.client.request(Method::GET, &format!("{path}{query}"));
            let agent = get().bearer_auth(&story.point).header("proviso-subject-token", &story.agent);
            for request in [as_person(get(), &mara), agent, get()] {
                let answer: Answer = Client::send(request).await;
                assert!(!answer.status.is_server_error(), "{operation}: {answer:?}");
                looked += 1;
            }
        }
    }
    assert!(looked > 100, "{looked}");
    let after = (sizes(&story), exception(&story, &mara, &id).await, exception(&story, &mara, &live).await);
    assert_eq!(after, before, "nothing was written, and nothing stands otherwise");
}

#[tokio::test]
async fn what_is_anothers_is_not_there() {
    proviso_tests::clauses!("c4-19-others-ids");
    let story = Story::begin().await;
    let (id, mara) = granted(&story).await;
    let used = story.evaluate(&write_file("report-writer", "/srv/files/reports/b.md", "u1")).await.json();
    let evaluation = used["context"]["evaluation_id"].as_str().unwrap().to_owned();
    let open = story.ask(&write_file("report-writer", "/srv/files/q.md", "ask"), None).await;
    let asking = story.ballot(&mara, &open, "ask", None).await;
    let answer = story.client.post(&format!("/api/v1/exceptions/{open}/votes"), &mara, &asking).await;
    assert!(answer.status.is_success(), "{answer:?}");
    let refused_call = story.evaluate(&write_file("report-writer", "/srv/files/z.md", "z")).await.json();
    let denial = refused_call["context"]["evaluation_id"].as_str().unwrap().to_owned();
    // Another agent behind the same enforcement point, the same agent in another task, another enforcement point.
    let planner = story.gate.agent("close-planner", "weekly-report", Some("ines")).await;
    let other_task = story.gate.agent("report-writer", "another-task", Some("ines")).await;
    let other_point = story.gate.point("other-proxy", &["files", "ledger"]).await;
    let before = sizes(&story);
    let words = json!({"vote": 0, "words": "it is fine"});
    let why = json!({"justification": "once more"});
    let report = json!({"evaluation_id": evaluation, "call": "u1", "phase": "executed"});
    let routes: [(Method, String, Option<&Value>, &str); 7] = [
        (Method::GET, format!("/access/v1/requests/{open}"), None, "unknown_task"),
        (Method::GET, format!("/access/v1/requests/{open}?wait=60"), None, "unknown_task"),
        (Method::POST, format!("/access/v1/requests/{open}/cancel"), Some(&Value::Null), "unknown_task"),
        (Method::POST, format!("/api/v1/exceptions/{open}/answer"), Some(&words), "unknown_task"),
        (Method::POST, format!("/api/v1/exceptions/{id}/renew"), Some(&why), "unknown_task"),
        (Method::GET, format!("/access/v1/denials/{denial}/schema"), None, "unknown_evaluation"),
        (Method::POST, "/api/v1/executions".to_owned(), Some(&report), "unknown_evaluation"),
    ];
    let nothing = json!({});
    for (method, path, body, code) in &routes {
        for (who, point, agent) in [
            ("another agent", &story.point, &planner),
            ("another task", &story.point, &other_task),
            ("another enforcement point", &other_point, &story.agent),
        ] {
            // Only the enforcement point's own credential says whose report it is.
            if path.ends_with("/executions") && point == &story.point {
                continue;
            }
            let request = story.client.request(method.clone(), path).bearer_auth(point);
            let request = request.header("proviso-subject-token", agent);
            let request = match body {
                Some(body) if body.is_null() => request.json(&nothing),
                Some(body) => request.json(body),
                None => request,
            };
            assert_eq!(refusal(&Client::send(request).await), refused(404, code), "{who}: {method} {path}");
        }
        // What was never there looks the same.
        let guessed = path.replace(&open, "exc_0").replace(&id, "exc_0").replace(&denial, "eval_0");
        if guessed != *path {
            let request = story.client.request(method.clone(), &guessed).bearer_auth(&story.point);
            let request = request.header("proviso-subject-token", &story.agent);
            let request = match body {
                Some(body) if body.is_null() => request.json(&nothing),
                Some(body) => request.json(body),
                None => request,
            };
            assert_eq!(refusal(&Client::send(request).await), refused(404, code), "guessed: {method} {guessed}");
        }
    }
    assert_eq!(sizes(&story), before, "and none of it is on record");
    // What people read of it no token opens.
    for path in [format!("/api/v1/exceptions/{id}"), format!("/api/v1/exceptions/{id}/sheet")] {
        for token in [&story.point, &story.agent] {
            let answer = Client::send(story.client.request(Method::GET, &path).bearer_auth(token)).await;
            assert_eq!(refusal(&answer), refused(403, "not_a_person"), "{path}");
        }
    }
}

#[tokio::test]
async fn an_address_in_a_request_is_never_called() {
    proviso_tests::clauses!("c4-20-callback");
    let story = Story::begin().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/called", listener.local_addr().unwrap());
    let call = write_file("report-writer", "/srv/files/reports/a.md", "ask");
    let denial = story.evaluate(&call).await.json();
    let mut body = story.request_body(&call, &denial, None);
    body["callback"] = json!({"endpoint": url, "authentication": {"type": "none"}});
    body["client"] = json!({"id": "proxy", "source": {"url": url}});
    body["context"]["callback"] = json!({"endpoint": url});
    body["denial"]["endpoint"] = json!(url);
    body["denial"]["request_schema_url"] = json!(url);
    let answer = story.request(&body).await;
    assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
    let id = answer.json()["task"]["id"].as_str().unwrap().to_owned();
    let mara = story.gate.person("mara").await;
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    assert!(verdict(&story.evaluate(&call).await).0);
    assert_eq!(
        verdict(&story.evaluate(&write_file("report-writer", "/srv/files/reports/a.md", "u2")).await),
        denied("approval_required")
    );
    // Nobody has knocked: from the request to the used grant, all that could be told was.
    let knocked = futures::FutureExt::now_or_never(listener.accept());
    assert!(knocked.is_none(), "{knocked:?}");
}
