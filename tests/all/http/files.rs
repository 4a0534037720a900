//! The files that a gate carries go out compressed to whoever takes that, and plain to everybody else. Nothing else is
//! ever compressed: whoever measures an answer must not learn from its length what is in it.

use std::collections::BTreeSet;
use std::fs;

use policy_core::digest::Digest;
use proviso::identity::MintRequest;
use proviso_tests::{Story, TestGate, as_person, assets, module, write_file};
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

/// As browsers ask.
const BROWSER: &str = "gzip, deflate, br, zstd";

/// A file with its address, its bytes, and those of its compressed form where one was built.
struct Carried {
    path: String,
    plain: Vec<u8>,
    brotli: Option<Vec<u8>>,
}

/// The dashboard's files and the module.
fn carried() -> Vec<Carried> {
    let folder = assets().join("dashboard");
    let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: BTreeSet<String> = names.filter(|name| !name.ends_with(".br")).collect();
    let dashboard = names.into_iter().map(|name| Carried {
        path: if name == "index.html" { "/".to_owned() } else { format!("/{name}") },
        plain: fs::read(folder.join(&name)).unwrap(),
        brotli: fs::read(folder.join(format!("{name}.br"))).ok(),
    });
    let module = format!("policy/{}.wasm", module().digest());
    let module = Carried {
        path: format!("/{module}"),
        plain: fs::read(assets().join("policy.wasm")).unwrap(),
        brotli: fs::read(assets().join(format!("{module}.br"))).ok(),
    };
    dashboard.chain([module]).collect()
}

/// An answer that may be no text.
struct Got {
    status: StatusCode,
    head: HeaderMap,
    bytes: Vec<u8>,
}

impl Got {
    async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, head) = (response.status(), response.headers().clone());
        Self { status, head, bytes: response.bytes().await.unwrap().to_vec() }
    }

    fn header(&self, name: &str) -> &str {
        self.head.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

fn asked(gate: &TestGate, method: Method, path: &str, accept: &str) -> RequestBuilder {
    gate.client.request(method, path).header("accept-encoding", accept)
}

#[tokio::test]
async fn each_file_has_two_forms_that_differ_in_bytes_and_tag_alone() {
    let gate = TestGate::start().await;
    let mut compressed = BTreeSet::new();
    for Carried { path, plain, brotli } in carried() {
        let nobody = Got::of(gate.client.request(Method::GET, &path)).await;
        let browser = Got::of(asked(&gate, Method::GET, &path, BROWSER)).await;
        assert_eq!((nobody.status, browser.status), (StatusCode::OK, StatusCode::OK), "{path}");
        assert!(nobody.bytes == plain, "{path}: not as it was built");
        assert_eq!(nobody.header("content-encoding"), "", "{path}");
        for name in ["content-type", "cache-control", "content-security-policy", "x-content-type-options", "vary"] {
            assert_eq!(browser.header(name), nobody.header(name), "{path}: {name}");
        }
        for (got, bytes) in [(&nobody, &plain), (&browser, brotli.as_ref().unwrap_or(&plain))] {
            assert!(got.bytes == *bytes, "{path}");
            assert_eq!(got.header("content-length"), bytes.len().to_string(), "{path}");
            assert_eq!(got.header("etag"), format!("\"{}\"", Digest::of(bytes)), "{path}");
            assert_ne!(got.header("cache-control"), "no-store", "{path}");
        }
        let Some(brotli) = brotli else {
            assert_eq!((browser.header("content-encoding"), browser.header("vary")), ("", ""), "{path}");
            continue;
        };
        assert_eq!((browser.header("content-encoding"), browser.header("vary")), ("br", "accept-encoding"), "{path}");
        assert!(brotli.len() < plain.len(), "{path}: nothing is won");
        compressed.insert(path.rsplit_once('.').map_or("page", |(_, ending)| ending).to_owned());
    }
    for kind in ["page", "css", "js", "wasm"] {
        assert!(compressed.contains(kind), "nothing of the kind `{kind}` is compressed: {compressed:?}");
    }
}

#[tokio::test]
async fn the_page_the_code_and_the_module_are_compressed_at_every_address() {
    let gate = TestGate::start().await;
    let code = carried().into_iter().filter(|file| file.path.ends_with(".wasm")).map(|file| file.path);
    // The page stands at each address that it routes itself.
    let pages = ["/", "/index.html", "/exceptions/exc_none", "/record/log"].map(str::to_owned);
    for path in code.chain(pages) {
        let got = Got::of(asked(&gate, Method::GET, &path, "br")).await;
        assert_eq!((got.status, got.header("content-encoding")), (StatusCode::OK, "br"), "{path}");
    }
}

#[tokio::test]
async fn a_client_gets_the_form_that_it_takes() {
    let gate = TestGate::start().await;
    for path in ["/".to_owned(), format!("/policy/{}.wasm", module().digest())] {
        for (accept, encoding) in [
            ("br", "br"),
            ("BR;q=0.1", "br"),
            ("gzip;q=1.0, *;q=0.5", "br"),
            ("gzip, deflate", ""),
            ("br;q=0", ""),
            ("br;q=0, *", ""),
            ("*;q=0", ""),
            ("identity, br;q=0.5", ""),
            ("br;q=nine", ""),
            ("", ""),
        ] {
            let got = Got::of(asked(&gate, Method::HEAD, &path, accept)).await;
            let found = (got.status, got.header("content-encoding"), got.header("vary"));
            assert_eq!(found, (StatusCode::OK, encoding, "accept-encoding"), "{path} {accept}");
        }
    }
}

#[tokio::test]
async fn a_head_says_what_a_get_would_and_a_kept_form_is_not_sent_again() {
    let gate = TestGate::start().await;
    for path in ["/".to_owned(), format!("/policy/{}.wasm", module().digest())] {
        let mut tags = Vec::new();
        for accept in [BROWSER, "identity"] {
            let got = Got::of(asked(&gate, Method::GET, &path, accept)).await;
            let head = Got::of(asked(&gate, Method::HEAD, &path, accept)).await;
            let names = ["content-length", "content-type", "content-encoding", "etag", "cache-control", "vary"];
            for name in names {
                assert_eq!(head.header(name), got.header(name), "{path} {accept}: {name}");
            }
            assert!(head.bytes.is_empty() && !got.bytes.is_empty(), "{path} {accept}");
            tags.push((accept, got.header("etag").to_owned()));
        }
        for (accept, of_form) in &tags {
            for (other, tag) in &tags {
                for method in [Method::GET, Method::HEAD] {
                    let request = asked(&gate, method.clone(), &path, accept).header("if-none-match", tag);
                    let again = Got::of(request).await;
                    // The other form is none that it can use.
                    let expected = if accept == other { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
                    assert_eq!(again.status, expected, "{method} {path} {accept}, with the tag of {other}");
                    assert_eq!((again.header("etag"), again.header("vary")), (of_form.as_str(), "accept-encoding"));
                    assert!(again.bytes.is_empty() || expected == StatusCode::OK, "{path}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_compressed_form_is_no_file_of_its_own() {
    let gate = TestGate::start().await;
    let digest = module().digest();
    let forms = carried().into_iter().filter(|file| file.brotli.is_some()).map(|file| format!("{}.br", file.path));
    let forms: Vec<String> = forms.filter(|path| path != "/.br").collect();
    assert!(!forms.is_empty());
    for path in forms.into_iter().chain(["/index.html.br".to_owned(), format!("/policy/{digest}.br")]) {
        for accept in ["br", "identity"] {
            let got = Got::of(asked(&gate, Method::GET, &path, accept)).await;
            assert_eq!((got.status, got.header("content-encoding")), (StatusCode::NOT_FOUND, ""), "{path}");
        }
    }
}

/// The addresses of the API's document that can be read, with a name that nothing has where one is needed.
fn readable() -> Vec<String> {
    let document = proviso::http::openapi::document();
    let paths = document["paths"].as_object().unwrap().iter();
    let filled = paths.filter(|(_, operations)| operations.get("get").is_some()).map(|(path, _)| {
        let parts = path.split('/').map(|part| if part.starts_with('{') { "none" } else { part });
        parts.collect::<Vec<_>>().join("/")
    });
    filled.collect()
}

#[tokio::test]
async fn no_answer_that_could_hold_a_secret_is_compressed() {
    let story = Story::begin().await;
    let gate = &story.gate;
    let exception = story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), None).await;
    let mara = gate.person("mara").await;
    let mut paths = readable();
    assert!(paths.len() > 40, "{paths:?}");
    paths.extend([format!("/api/v1/exceptions/{exception}"), format!("/api/v1/exceptions/{exception}/sheet")]);
    paths.push("/demo/people".to_owned());
    let mut answered = 0;
    for path in &paths {
        let request = as_person(asked(gate, Method::GET, path, BROWSER), &mara);
        // Its head is enough: the stream of events does not end.
        let response = request.send().await.unwrap();
        answered += usize::from(response.status().is_success());
        for name in ["content-encoding", "vary"] {
            assert!(!response.headers().contains_key(name), "{path}: {name}");
        }
    }
    assert!(answered > 20, "hardly anything was answered: {answered}");

    // What is sent holds a secret in each of these answers.
    let link = gate.mint(MintRequest::Approver { user: "jun".to_owned() }).await;
    let secret = json!({"link": link.rsplit('#').next()});
    let question = write_file("report-writer", "/srv/files/reports/b.md", "ask");
    let signed_in = asked(gate, Method::POST, "/api/v1/session", BROWSER).json(&secret);
    let evaluated = asked(gate, Method::POST, "/access/v1/evaluation", BROWSER).json(&question);
    let evaluated = evaluated.bearer_auth(&story.point).header("proviso-subject-token", &story.agent);
    for (what, request) in [("a session", signed_in), ("an evaluation", evaluated)] {
        let got = Got::of(request).await;
        let body: Value = serde_json::from_slice(&got.bytes).unwrap();
        assert!(got.status.is_success(), "{what}: {body}");
        assert_eq!((got.header("content-encoding"), got.header("vary")), ("", ""), "{what}");
    }
}
