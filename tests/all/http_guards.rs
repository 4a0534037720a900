//! What every answer has, and what no request passes: hosts, origins, methods, headers, the page's policy.

use std::sync::Arc;

use proviso_tests::{Client, Setup, TestGate, as_person, cookie_of, module};
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn an_unknown_host_or_origin_is_refused_everywhere() {
    let gate = TestGate::start().await;
    let port = gate.client.url.rsplit(':').next().unwrap().to_owned();
    for path in ["/", "/livez", "/api/v1/session", "/policy/x.wasm", "/api/v1/openapi.json", "/metrics"] {
        for (header, value, code) in [
            ("host", "evil.example".to_owned(), "unknown_host"),
            ("host", format!("evil.example:{port}"), "unknown_host"),
            ("host", "127.0.0.1".to_owned(), "unknown_host"),
            ("host", String::new(), "unknown_host"),
            ("origin", "https://evil.example".to_owned(), "unknown_origin"),
            ("origin", "null".to_owned(), "unknown_origin"),
            ("origin", format!("https://127.0.0.1:{port}"), "unknown_origin"),
        ] {
            let answer = Client::send(gate.client.request(Method::GET, path).header(header, &value)).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (StatusCode::FORBIDDEN, code),
                "{path} {header} {value}"
            );
        }
        for host in [format!("localhost:{port}"), format!("LOCALHOST:{port}"), format!("127.0.0.1:{port}")] {
            let answer = Client::send(gate.client.request(Method::GET, path).header("host", &host)).await;
            assert_ne!(answer.code(), "unknown_host", "{path} {host}");
        }
    }
}

#[tokio::test]
async fn another_sites_page_cannot_write() {
    let gate = TestGate::start().await;
    let cookie = gate.person("mara").await;
    for (header, value, code) in [
        ("sec-fetch-site", "cross-site", "cross_site"),
        ("sec-fetch-site", "same-site", "cross_site"),
        ("sec-fetch-site", "none", "cross_site"),
        ("origin", "http://evil.example", "unknown_origin"),
    ] {
        let request = as_person(gate.client.request(Method::POST, "/api/v1/locks"), &cookie);
        let body = json!({"target": {"task": "t"}, "reason": "stop"});
        let answer = Client::send(request.header(header, value).json(&body)).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, code), "{header} {value}");
    }
    assert_eq!(gate.client.get("/api/v1/locks", Some(&cookie)).await.json(), json!({"locks": []}));
    let request = as_person(gate.client.request(Method::POST, "/api/v1/locks"), &cookie);
    let body = json!({"target": {"task": "t"}, "reason": "stop"});
    let answer = Client::send(request.header("sec-fetch-site", "same-origin").json(&body)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
}

#[tokio::test]
async fn every_answer_is_sealed_off() {
    let gate = TestGate::start().await;
    for path in ["/", "/api/v1/session", "/access/v1/requests/x", "/livez", "/nothing.txt", "/api/v1/openapi.json"] {
        let answer = gate.client.get(path, None).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
        if path.starts_with("/api") || path.starts_with("/access") {
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        }
    }
}

#[tokio::test]
async fn no_text_becomes_markup_or_code_on_a_page_or_in_its_worker() {
    let gate = TestGate::start().await;
    for path in ["/", "/exceptions/exc_none", "/preview_worker_loader.js", "/preview_worker.js"] {
        let answer = gate.client.get(path, None).await;
        let policy = answer.header("content-security-policy");
        let directives: Vec<&str> = policy.split("; ").collect();
        assert!(directives.contains(&"require-trusted-types-for 'script'"), "{path}: {policy}");
        // One name, and nobody makes a policy of that name twice.
        assert!(directives.contains(&"trusted-types proviso"), "{path}: {policy}");
    }
}

#[tokio::test]
async fn a_request_id_comes_back() {
    let gate = TestGate::start().await;
    for id in ["abc-123", &"x".repeat(300)] {
        let answer = Client::send(gate.client.request(Method::GET, "/livez").header("x-request-id", id)).await;
        assert_eq!(answer.header("x-request-id"), id);
    }
}

#[tokio::test]
async fn a_method_that_an_address_does_not_take_is_405() {
    let gate = TestGate::start().await;
    for (method, path) in [
        (Method::GET, "/access/v1/evaluation"),
        (Method::PUT, "/access/v1/evaluation"),
        (Method::DELETE, "/api/v1/exceptions"),
        (Method::POST, "/livez"),
        (Method::POST, "/some/page"),
    ] {
        let answer = Client::send(gate.client.request(method.clone(), path)).await;
        let got = (answer.status, answer.code());
        assert_eq!(got, (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed".to_owned()), "{method} {path}");
    }
}

#[tokio::test]
async fn the_served_module_is_the_one_that_runs() {
    let gate = TestGate::start().await;
    let digest = module().digest();
    let request = gate.client.request(Method::GET, &format!("/policy/{digest}.wasm"));
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/wasm");
    assert!(response.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    let bytes = response.bytes().await.unwrap();
    assert_eq!(policy_core::digest::Digest::of(&bytes), digest);
    let other = policy_core::digest::Digest::of(b"other");
    for path in [format!("/policy/{other}.wasm"), format!("/policy/{digest}"), "/policy/latest.wasm".to_owned()] {
        assert_eq!(gate.client.get(&path, None).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn cookies_are_host_only_and_secure_behind_tls() {
    let plain = TestGate::start().await;
    let link = json!({"link": "x"});
    assert_eq!(plain.client.post("/api/v1/session", "", &link).await.header("set-cookie"), "");
    let cookie = plain.person("mara").await;
    assert!(cookie.starts_with("proviso_session="), "{cookie}");

    let setup = Setup { public_url: Some("https://gate.example".to_owned()), ..Setup::default() };
    let tls = TestGate::with(Setup { clock: Arc::clone(&setup.clock), ..setup }).await;
    let cookie = tls.person("mara").await;
    assert!(cookie.starts_with("__Host-proviso_session="), "{cookie}");
    // The name without the prefix, which a page of another port could plant, is nobody's.
    let planted = cookie.replace("__Host-", "");
    assert_eq!(tls.client.get("/api/v1/session", Some(&planted)).await.code(), "no_session");
    // And two of the name are none.
    let twice = format!("{0}; {0}", cookie_of(&cookie));
    assert_eq!(tls.client.get("/api/v1/session", Some(&twice)).await.code(), "no_session");
    let known = Client::send(tls.client.request(Method::GET, "/livez").header("host", "gate.example")).await;
    assert_eq!(known.status, StatusCode::OK);
}

#[tokio::test]
async fn a_gate_that_is_no_demo_signs_nobody_in_without_a_link() {
    let gate = TestGate::start().await;
    let people = gate.client.get("/demo/people", None).await;
    assert_eq!((people.status, people.code().as_str()), (StatusCode::NOT_FOUND, "not_a_demo"));
    let body = json!({"person": {"type": "User", "id": "mara"}});
    let signed = gate.client.post("/demo/session", "", &body).await;
    assert_eq!((signed.code().as_str(), signed.header("set-cookie")), ("not_a_demo", ""));
}
