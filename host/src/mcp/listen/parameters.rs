//! Arguments that a tool wants mirrored in headers (`x-mcp-header` in its schema): computed from the body that was judged,
//! and never taken from a caller, who could say something else there than what was judged.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use serde_json::{Map, Value};

use super::headers::{decoded, encoded};

/// What such headers begin with.
pub const PREFIX: &str = "mcp-param-";
/// How many tools are remembered.
const MOST_TOOLS: usize = 4_096;
/// How many headers a tool has at most.
const MOST_HEADERS: usize = 16;
/// How deep a schema is looked into.
const DEEPEST: usize = 8;

/// For each tool, where in its arguments stands what goes into which header.
#[derive(Debug, Default)]
pub struct Parameters(BTreeMap<String, Vec<(Vec<String>, String)>>);

/// The caller's headers say something else than the body, or something that nobody can hold against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Differs;

impl Parameters {
    /// Takes up a list of tools, as an upstream gave it.
    pub fn learn(&mut self, tools: &[Value]) {
        if self.0.len().saturating_add(tools.len()) > MOST_TOOLS {
            // Whoever lists so many is listed anew.
            self.0.clear();
        }
        for tool in tools.iter().take(MOST_TOOLS) {
            let Some(name) = tool.get("name").and_then(Value::as_str) else { continue };
            let mut found = Vec::new();
            if let Some(schema) = tool.get("inputSchema") {
                annotations(schema, &mut Vec::new(), &mut found);
            }
            self.0.insert(name.to_owned(), found);
        }
    }

    /// The headers that go with a call.
    pub fn of_call(&self, params: &Map<String, Value>) -> Vec<(String, String)> {
        let name = params.get("name").and_then(Value::as_str).unwrap_or_default();
        let arguments = params.get("arguments").unwrap_or(&Value::Null);
        let wanted = self.0.get(name).into_iter().flatten();
        wanted.filter_map(|(path, header)| Some((header.clone(), encoded(&told(at(arguments, path)?)?)))).collect()
    }

    /// Holds what a caller sent of them against the body.
    ///
    /// # Errors
    /// Where it differs, is missing, or is for no argument that is known here.
    pub fn hold(&self, headers: &HeaderMap, params: &Map<String, Value>) -> Result<(), Differs> {
        let name = params.get("name").and_then(Value::as_str).unwrap_or_default();
        let wanted = self.of_call(params);
        let said: Vec<(&str, Option<String>)> = headers
            .iter()
            .filter(|(name, _)| name.as_str().starts_with(PREFIX))
            .map(|(name, value)| (name.as_str(), value.to_str().ok().and_then(decoded)))
            .collect();
        let fits = |(header, value): &(&str, Option<String>)| {
            let wanted = wanted.iter().find(|(name, _)| name == header).and_then(|(_, value)| decoded(value));
            wanted.is_some() && wanted == *value
        };
        let all_said = wanted.iter().all(|(header, _)| said.iter().filter(|(name, _)| name == header).count() == 1);
        // Of a tool that nobody has listed here, nothing can be missing, and nothing can be right.
        if said.iter().all(fits) && (all_said || !self.0.contains_key(name)) { Ok(()) } else { Err(Differs) }
    }
}

fn annotations(schema: &Value, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, String)>) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    for (name, property) in properties {
        path.push(name.clone());
        if let Some(header) = property.get("x-mcp-header").and_then(Value::as_str)
            && !header.is_empty()
            && header.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
            && found.len() < MOST_HEADERS
        {
            found.push((path.clone(), format!("{PREFIX}{}", header.to_ascii_lowercase())));
        }
        if path.len() < DEEPEST {
            annotations(property, path, found);
        }
        path.pop();
    }
}

fn at<'a>(arguments: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(arguments, |value, name| value.get(name))
}

fn told(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_mirrored_comes_from_the_body_alone() {
        let mut parameters = Parameters::default();
        parameters.learn(&[json!({"name": "query", "inputSchema": {"type": "object", "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "where": {"type": "object", "properties": {"row": {"type": "integer", "x-mcp-header": "Row"}}},
            "bad": {"type": "string", "x-mcp-header": "a b"}
        }}})]);
        let params = json!({"name": "query", "arguments": {"region": "eu ", "where": {"row": 7}, "bad": "x"}});
        let params = params.as_object().cloned().unwrap_or_default();
        let computed = parameters.of_call(&params);
        let (region, row) = ("mcp-param-region", "mcp-param-row");
        assert_eq!(computed, [(region.to_owned(), "=?base64?ZXUg?=".to_owned()), (row.to_owned(), "7".to_owned())]);
        let good: Vec<(&str, &str)> = computed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        for (said, fine) in [
            (good.clone(), true),
            (vec![good[0]], false),
            (vec![good[0], (row, "8")], false),
            (vec![good[0], good[1], (row, "7")], false),
            (vec![good[0], good[1], ("mcp-param-other", "x")], false),
            (vec![], false),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in said {
                headers
                    .append(name.parse::<axum::http::HeaderName>().expect("a name"), value.parse().expect("a value"));
            }
            assert_eq!(parameters.hold(&headers, &params).is_ok(), fine, "{headers:?}");
        }
        let unknown = json!({"name": "other", "arguments": {}}).as_object().cloned().unwrap_or_default();
        assert!(parameters.hold(&HeaderMap::new(), &unknown).is_ok());
        let mut headers = HeaderMap::new();
        headers.insert(region, "eu".parse().expect("a value"));
        assert!(parameters.hold(&headers, &unknown).is_err(), "nothing can be held against what is not known");
    }
}
