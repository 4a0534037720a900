//! What a method asks of the gate: COAZ-MCP's default mapping. The gate's bundle may say it better (`[[tool]]`).

use policy_core::digest::Digest;
use policy_core::json::{self, CanonicalError};
use proviso_api::authzen::{Action, Entity, EvaluationRequest};
use serde_json::{Map, Value};

/// A question without its subject, which the gate's answer to `whoami` fills in.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The action's name.
    pub action: String,
    /// The resource's type.
    pub kind: &'static str,
    /// The resource's id.
    pub id: String,
    /// The arguments, where there are any.
    pub input: Option<Value>,
    /// The upstream server, as configured and not as it calls itself.
    pub server: String,
    /// The digest of the tool's definition, as the upstream listed it.
    pub tool: Option<Digest>,
    /// The call's id: one for the whole exchange.
    pub call: String,
    /// Asks and consumes nothing.
    pub ask: bool,
    /// The evaluation that the call began under, where this continues one: with its grant ends what continues it.
    pub continues: Option<String>,
}

impl Question {
    /// The body of `POST /access/v1/evaluation`.
    pub fn body(&self, subject: Entity) -> EvaluationRequest {
        let mut context = Map::new();
        if let Some(input) = &self.input {
            context.insert("input".to_owned(), input.clone());
        }
        context.insert("proviso.dev/server".to_owned(), self.server.clone().into());
        context.insert("proviso.dev/call".to_owned(), self.call.clone().into());
        if let Some(tool) = &self.tool {
            context.insert("proviso.dev/tool".to_owned(), tool.to_string().into());
        }
        if let Some(continues) = &self.continues {
            context.insert("proviso.dev/continues".to_owned(), continues.clone().into());
        }
        if self.ask {
            context.insert("proviso.dev/ask".to_owned(), true.into());
        }
        EvaluationRequest {
            subject,
            action: Action { name: self.action.clone(), properties: Map::new() },
            resource: Entity { kind: self.kind.to_owned(), id: self.id.clone(), properties: Map::new() },
            context,
        }
    }

    /// The digest of the canonical arguments, `null` where there are none: what the record must hold.
    ///
    /// # Errors
    /// When the arguments have no canonical form.
    pub fn input_digest(&self) -> Result<Digest, CanonicalError> {
        Ok(Digest::of(&json::to_canonical_bytes(&self.input)?))
    }
}

/// A request that cannot be told as a question: JSON-RPC's -32602.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unmapped(pub &'static str);

/// What a request is about: the resource's type and id, and the arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// The resource's type.
    pub kind: &'static str,
    /// The resource's id.
    pub id: String,
    /// The arguments.
    pub input: Option<Value>,
}

/// Maps a method and its parameters.
///
/// # Errors
/// When the member that names the resource is missing or no string, or a tool's arguments are no object.
pub fn subject_of(method: &str, params: &Map<String, Value>, server: &str) -> Result<Subject, Unmapped> {
    let text = |member: &str, remedy| match params.get(member) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        _ => Err(Unmapped(remedy)),
    };
    if method == "tools/call" {
        let id = text("name", "`name` says which tool, as a string")?;
        return match params.get("arguments") {
            None => Ok(Subject { kind: "tool", id, input: None }),
            Some(input @ Value::Object(_)) => Ok(Subject { kind: "tool", id, input: Some(input.clone()) }),
            Some(_) => Err(Unmapped("`arguments` is an object")),
        };
    }
    let (kind, id) = match method {
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => {
            ("resource", text("uri", "`uri` says which resource, as a string")?)
        }
        "prompts/get" => ("prompt", text("name", "`name` says which prompt, as a string")?),
        "tasks/get" | "tasks/result" | "tasks/cancel" | "tasks/update" => {
            ("task", text("taskId", "`taskId` says which task, as a string")?)
        }
        // Lists, levels, subscriptions and what nobody has heard of: the server as a whole.
        _ => ("mcp_server", server.to_owned()),
    };
    let rest: Map<String, Value> =
        params.iter().filter(|(name, _)| *name != "_meta").map(|(n, v)| (n.clone(), v.clone())).collect();
    Ok(Subject { kind, id, input: (!rest.is_empty()).then_some(Value::Object(rest)) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn params(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn methods_become_questions_by_the_default_mapping() {
        for (method, given, kind, id, input) in [
            ("tools/call", json!({"name": "t", "arguments": {"a": 1}}), "tool", "t", Some(json!({"a": 1}))),
            ("tools/call", json!({"name": "t", "_meta": {}}), "tool", "t", None),
            ("tools/list", json!({}), "mcp_server", "files", None),
            ("tools/list", json!({"cursor": "2", "_meta": {}}), "mcp_server", "files", Some(json!({"cursor": "2"}))),
            ("resources/read", json!({"uri": "a:b"}), "resource", "a:b", Some(json!({"uri": "a:b"}))),
            ("prompts/get", json!({"name": "p"}), "prompt", "p", Some(json!({"name": "p"}))),
            ("tasks/get", json!({"taskId": "7"}), "task", "7", Some(json!({"taskId": "7"}))),
            ("made/up", json!({"x": 1}), "mcp_server", "files", Some(json!({"x": 1}))),
        ] {
            let subject = subject_of(method, &params(given), "files").expect(method);
            assert_eq!((subject.kind, subject.id.as_str(), subject.input), (kind, id, input), "{method}");
        }
    }

    #[test]
    fn what_names_no_resource_is_no_question() {
        for (method, given) in [
            ("tools/call", json!({})),
            ("tools/call", json!({"name": 7})),
            ("tools/call", json!({"name": ""})),
            ("tools/call", json!({"name": "t", "arguments": [1]})),
            ("tools/call", json!({"name": "t", "arguments": null})),
            ("resources/read", json!({"uri": ["a"]})),
            ("prompts/get", json!({})),
            ("tasks/cancel", json!({})),
        ] {
            assert!(subject_of(method, &params(given.clone()), "files").is_err(), "{method} {given}");
        }
    }

    #[test]
    fn the_body_holds_our_members_and_the_digest_is_that_of_the_canonical_arguments() {
        let question = Question {
            action: "tools/call".into(),
            kind: "tool",
            id: "t".into(),
            input: Some(json!({"b": 1, "a": 1.0})),
            server: "files".into(),
            tool: Some(Digest::of(b"x")),
            call: "call_1".into(),
            ask: true,
            continues: None,
        };
        assert_eq!(question.input_digest().ok(), Some(Digest::of(br#"{"a":1,"b":1}"#)));
        assert_eq!(Question { input: None, ..question.clone() }.input_digest().ok(), Some(Digest::of(b"null")));
        let body = question.body(Entity { kind: "Agent".into(), id: "a".into(), properties: Map::new() });
        assert_eq!(
            serde_json::to_value(body.context).ok(),
            Some(json!({
                "input": {"a": 1.0, "b": 1}, "proviso.dev/server": "files", "proviso.dev/call": "call_1",
                "proviso.dev/ask": true, "proviso.dev/tool": Digest::of(b"x").to_string(),
            }))
        );
    }
}
