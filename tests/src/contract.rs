//! Whatever a gate answers to a test is held against its OpenAPI document: the status, the content type, the schema,
//! and that no member is there which the document does not tell. Which operations answered well is kept; `conformance`
//! fails for one that never did.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use boon::{Compiler, SchemaIndex, Schemas};
use reqwest::Method;
use serde_json::{Value, json};

use crate::binary::scratch;
use crate::client::Answer;

/// Operations that no test through HTTP has answer well, each with the reason.
const EXCUSED: [(&str, &str); 1] = [(
    "retry_delivery",
    "answers with nothing, and takes a delivery that failed for a day: the host's own tests play it",
)];

/// The document, its schemas closed: in an answer nothing may stand that they do not name.
fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let mut document = proviso::http::openapi::document();
        if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
            for schema in schemas.values_mut().filter(|schema| schema.get("properties").is_some()) {
                schema["additionalProperties"] = json!(false);
            }
        }
        document
    })
}

/// The document's schemas, ready to be asked.
struct Checks {
    schemas: Schemas,
    by_name: BTreeMap<String, SchemaIndex>,
}

#[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
fn checks() -> &'static Checks {
    const ADDRESS: &str = "https://proviso.example/api/v1/openapi.json";
    static CHECKS: OnceLock<Checks> = OnceLock::new();
    CHECKS.get_or_init(|| {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.enable_format_assertions();
        compiler.add_resource(ADDRESS, document().clone()).expect("the document is JSON Schema where it says so");
        let names = document()["components"]["schemas"].as_object().into_iter().flat_map(|schemas| schemas.keys());
        let compile = |name: &String| {
            let at = format!("{ADDRESS}#/components/schemas/{name}");
            (name.clone(), compiler.compile(&at, &mut schemas).expect("a schema"))
        };
        let by_name = names.map(compile).collect();
        Checks { schemas, by_name }
    })
}

/// What is wrong with a value by the schema of this name; nothing where it fits.
pub fn faults(name: &str, value: &Value) -> String {
    let checks = checks();
    match checks.by_name.get(name) {
        Some(index) => checks.schemas.validate(value, *index).err().map_or_else(String::new, |error| error.to_string()),
        None => format!("the document has no schema `{name}`"),
    }
}

/// Whether a value fits a schema of its own, as anybody who compiles it finds.
#[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
pub fn fits(schema: &Value, value: &Value) -> bool {
    const ADDRESS: &str = "https://proviso.example/schema.json";
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.enable_format_assertions();
    // Where it says that it is, nobody is asked.
    let mut schema = schema.clone();
    schema.as_object_mut().and_then(|schema| schema.remove("$id"));
    compiler.add_resource(ADDRESS, schema).expect("a schema");
    let index = compiler.compile(ADDRESS, &mut schemas).expect("a schema that compiles");
    schemas.validate(value, index).is_ok()
}

/// The operation behind a method and a path: its id and its description.
pub fn operation(method: &Method, path: &str) -> Option<(String, &'static Value)> {
    let segments: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let expected: Vec<&str> = template.split('/').collect();
        // A tile's path has slashes of its own.
        let open = expected.last() == Some(&"{tile}") && expected.len() < segments.len();
        (open || expected.len() == segments.len())
            && expected
                .iter()
                .zip(&segments)
                .all(|(expected, segment)| expected.starts_with('{') || expected == segment)
    };
    let paths = document()["paths"].as_object()?;
    let (_, methods) = paths.iter().find(|(template, _)| fits(template))?;
    let described = methods.get(method.as_str().to_ascii_lowercase())?;
    Some((described["operationId"].as_str()?.to_owned(), described))
}

/// Fails the test where an answer is not what the document says of it.
pub(crate) fn hold(method: &Method, path: &str, answer: &Answer) {
    let kind = answer.header("content-type").split(';').next().unwrap_or_default().trim();
    let problem = kind == "application/problem+json";
    if answer.status.is_client_error() || answer.status.is_server_error() {
        // What is no operation may be any page, but the gate's own refusals have one form.
        if problem || operation(method, path).is_some() {
            assert!(problem, "{method} {path}: {} is told as `{kind}`", answer.status);
            assert_fits("Problem", method, path, answer);
            let told = answer.json();
            assert_eq!(told["status"], answer.status.as_u16(), "{method} {path}");
            assert!(told["help"].as_str().is_some_and(|help| !help.is_empty()), "{method} {path}: no remedy: {told}");
        }
        return;
    }
    let Some((id, described)) = operation(method, path) else { return };
    answered(&id);
    let told = &described["responses"][answer.status.as_str()];
    assert!(told.is_object(), "{method} {path}: the document does not tell of {}", answer.status);
    // Also what is only accepted may say nothing more.
    if told.get("content").is_none() {
        assert_eq!(answer.text, "", "{method} {path}");
        return;
    }
    let content = &told["content"][kind];
    assert!(content.is_object(), "{method} {path}: the document does not tell of `{kind}`: {told}");
    if let Some(name) = content["schema"]["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        assert_fits(name, method, path, answer);
    }
}

fn assert_fits(name: &str, method: &Method, path: &str, answer: &Answer) {
    let faults = faults(name, &answer.json());
    assert!(faults.is_empty(), "{method} {path} is no `{name}`: {faults}\n{}", answer.text);
}

/// Keeps that an operation answered well, in this run of the tests.
pub fn answered(id: &str) {
    static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned()) {
        // One short write to the end of the file: tests run side by side.
        let file = OpenOptions::new().create(true).append(true).open(kept());
        let written = file.and_then(|mut file| file.write_all(format!("{id}\n").as_bytes()));
        // What is not kept never answered, and is red for it.
        drop(written);
    }
}

/// The operations of the document that answered well to no test of the run so far, and are not excused.
pub fn unanswered() -> Vec<String> {
    let text = std::fs::read_to_string(kept()).unwrap_or_default();
    let known = |id: &str| text.lines().chain(EXCUSED.map(|(id, _)| id)).any(|line| line == id);
    let paths = document()["paths"].as_object().into_iter().flat_map(|paths| paths.values());
    let described = paths.filter_map(Value::as_object).flat_map(|methods| methods.values());
    described.filter_map(|one| one["operationId"].as_str()).filter(|id| !known(id)).map(str::to_owned).collect()
}

/// Where a run keeps which operations answered. The developer's command removes it before a run.
fn kept() -> PathBuf {
    scratch().join("operations.tsv")
}
