//! `GET /api/v1/openapi.json`: the document, OpenAPI 3.1. `tests/openapi.json` is its snapshot.

mod operations;
mod schemas;

use std::collections::BTreeMap;

use axum::Json;
use serde_json::{Map, Value, json};

use operations::{Operation, Who, all};

/// Serves the document.
pub(super) async fn get() -> Json<Value> {
    Json(document())
}

/// The document.
pub fn document() -> Value {
    // By their addresses: in which file an operation stands is nobody's business outside.
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for operation in all() {
        // The router says with a star that slashes belong to what stands there.
        let methods = paths.entry(operation.path.replace("{*", "{")).or_default();
        methods.insert(operation.method.to_owned(), describe(operation));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Proviso",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Exceptions for AI agents: AuthZEN 1.0, its Access Request and Approval Profile, and what the dashboard does. Errors are problem+json with a stable code.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas::schemas(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An agent's or an enforcement point's token."},
                "certificate": {"type": "mutualTLS", "description": "An enforcement point's X.509-SVID, over TLS of the gate's own."},
                "session": {"type": "apiKey", "in": "cookie", "name": "proviso_session", "description": "A person's session. Behind TLS its name is `__Host-proviso_session`."},
                "session_key": {"type": "apiKey", "in": "header", "name": "Proviso-Session-Key", "description": "The `key` of the reply to signing in. Browsers send cookies to every port of a host, and this to none but the page's own."},
            },
        },
    })
}

fn describe(operation: &Operation) -> Value {
    let mut parameters: Vec<Value> = Vec::new();
    for segment in operation.path.split('/') {
        if let Some(name) = segment.split(['{', '}']).nth(1) {
            let name = name.trim_start_matches('*');
            parameters.push(json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
        }
    }
    for (name, kind) in operation.query {
        parameters.push(json!({"name": name, "in": "query", "required": false, "schema": {"type": kind}}));
    }
    for name in operation.headers {
        parameters.push(json!({"name": name, "in": "header", "required": false, "schema": {"type": "string"}}));
    }
    let mut responses = Map::new();
    let answer = match operation.answer {
        Some(("application/json", schema)) => {
            json!({"description": "Done.", "content": {"application/json": {"schema": reference(schema)}}})
        }
        Some(("text/event-stream", schema)) => {
            // What stands in each event's `data`.
            let data =
                json!({"type": "string", "contentMediaType": "application/json", "contentSchema": reference(schema)});
            json!({"description": "Done.", "content": {"text/event-stream": {"schema": data}}})
        }
        Some((kinds, title)) => {
            // Where there are several, the caller says which.
            let schema = |kind: &str| (kind.to_owned(), json!({"schema": {"type": "string", "title": title}}));
            json!({"description": "Done.", "content": kinds.split(' ').map(schema).collect::<Map<_, _>>()})
        }
        None => json!({"description": "Done."}),
    };
    responses.insert(operation.status.to_owned(), answer);
    responses.insert(
        "default".to_owned(),
        json!({
            "description": "Refused.",
            "content": {"application/problem+json": {"schema": reference("Problem")}},
        }),
    );
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "responses": responses,
        "security": match operation.who {
            Who::Anybody => json!([{}]),
            Who::Caller => json!([{"bearer": []}, {"certificate": []}]),
            Who::Person => json!([{"session": [], "session_key": []}]),
            Who::Follower => json!([{"session": []}]),
            Who::Known => json!([{"bearer": []}, {"certificate": []}, {"session": [], "session_key": []}]),
        },
    });
    if let Value::Object(members) = &mut described {
        if !parameters.is_empty() {
            members.insert("parameters".to_owned(), parameters.into());
        }
        if let Some(body) = operation.body {
            let content = json!({"application/json": {"schema": reference(body)}});
            // What takes something away does so by its address: a body adds to it.
            let required = operation.method != "delete";
            members.insert("requestBody".to_owned(), json!({"required": required, "content": content}));
        }
    }
    described
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every name behind a `$ref`, anywhere.
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match (name.as_str(), member) {
                        ("$ref", Value::String(target)) => {
                            found.insert(target.rsplit('/').next().unwrap().to_owned());
                        }
                        _ => references(member, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_schema_is_described_and_used() {
        let document = document();
        let mut used = BTreeSet::new();
        references(&document, &mut used);
        let described: BTreeSet<String> =
            document["components"]["schemas"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(used, described);
    }

    #[test]
    fn the_document_names_the_routers_addresses_and_no_others() {
        let source = include_str!("router.rs");
        let routed: BTreeSet<&str> = source
            .lines()
            .filter_map(|line| line.trim().strip_prefix(".route(\""))
            .filter_map(|rest| rest.split('"').next())
            .collect();
        let described: BTreeSet<&str> = all().map(|operation| operation.path).collect();
        assert_eq!(routed, described);
    }
}
