//! The tools that the proxy adds under the reserved prefix, in words for a model that knows nothing of Proviso.

use policy_core::grant::Condition;
use policy_core::time::Span;
use serde_json::{Map, Value, json};

/// Asks what a planned call would get.
pub const CHECK: &str = "proviso_check";
/// Asks people for permission.
pub const REQUEST: &str = "proviso_request";
/// Waits for their answer.
pub const WAIT: &str = "proviso_wait";

/// The longest that [`WAIT`] holds a call open, in seconds: below the minute after which common clients give up.
pub const LONGEST_WAIT: u64 = 50;

/// What a model asks of us.
#[derive(Debug, Clone, PartialEq)]
pub enum Errand {
    /// [`CHECK`].
    Check(Planned),
    /// [`REQUEST`].
    Request(Planned, Box<Asked>),
    /// [`WAIT`].
    Wait {
        /// The request's id.
        request: String,
        /// For how long at most.
        seconds: u64,
    },
}

/// A planned or a refused call.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The upstream's tool.
    pub tool: String,
    /// Its arguments.
    pub arguments: Option<Value>,
}

/// What is asked for besides the call.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Why.
    pub justification: String,
    /// For how long.
    pub duration: Option<Span>,
    /// For how many calls.
    pub uses: Option<u32>,
    /// How far other arguments may differ.
    pub conditions: Vec<Condition>,
}

/// The definitions, as they are appended to `tools/list`.
pub fn definitions() -> Vec<Value> {
    let planned = || {
        let mut properties = Map::new();
        properties.insert(
            "tool".to_owned(),
            json!({"type": "string", "description": "The name of the tool that you plan to call, as in this list."}),
        );
        properties.insert("arguments".to_owned(), json!({"type": "object", "description": "The arguments of that call, exactly as you would pass them to the tool.", "additionalProperties": true}));
        properties
    };
    let mut request = planned();
    request.insert("justification".to_owned(), json!({"type": "string", "minLength": 1, "maxLength": 2000, "description": "Why this call is needed for your task, for the person who decides. Plain text."}));
    request.insert("duration".to_owned(), json!({"type": "string", "description": "How long the permission should last from now, such as `30m` or `2h`. Leave it out for the shortest that makes sense.", "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$"}));
    request.insert("uses".to_owned(), json!({"type": "integer", "minimum": 1, "maximum": 1_000_000, "description": "How many calls the permission should cover. Leave it out for one."}));
    request.insert("conditions".to_owned(), json!({
        "type": "array",
        "maxItems": 64,
        "description": "Leave it out to ask for exactly these arguments. Otherwise what must hold of the arguments of the calls that you ask for; an argument that no condition names may then have any value. An example that covers any file below one folder: [{\"at\": [\"path\"], \"op\": \"inside\", \"path\": \"/data/reports\"}]. The smaller what you ask for, the sooner a person can say yes.",
        "items": {
            "type": "object",
            "required": ["at", "op"],
            "properties": {
                "at": {"type": "array", "items": {"type": "string"}, "minItems": 1, "description": "Where the argument stands: the names of members from the top of the arguments."},
                "op": {"enum": ["equals", "one_of", "between", "inside"], "description": "`equals` needs `value`; `one_of` needs `values`; `between` needs the whole numbers `min` and `max`; `inside` needs `path`, a folder as an absolute path."},
                "value": {"description": "For `equals`."},
                "values": {"type": "array", "description": "For `one_of`."},
                "min": {"type": "integer", "description": "For `between`."},
                "max": {"type": "integer", "description": "For `between`."},
                "path": {"type": "string", "description": "For `inside`."}
            }
        }
    }));
    let read_only = json!({"readOnlyHint": true, "openWorldHint": false});
    vec![
        json!({
            "name": CHECK,
            "title": "Check whether a call would be permitted",
            "description": "Tells whether a call that you plan would be permitted, would need a person's approval, or is forbidden. Runs nothing and uses nothing up.",
            "inputSchema": {"type": "object", "properties": planned(), "required": ["tool"], "additionalProperties": false},
            "annotations": read_only
        }),
        json!({
            "name": REQUEST,
            "title": "Ask a person to approve a call",
            "description": "Asks a person to approve a call that is not permitted: one that was refused, or one that you only plan. Runs nothing. Answers with the id of your request; pass it to proviso_wait, and when it is approved make the call itself.",
            "inputSchema": {"type": "object", "properties": request, "required": ["tool", "justification"], "additionalProperties": false},
            "annotations": {"readOnlyHint": false, "destructiveHint": false, "idempotentHint": true, "openWorldHint": false}
        }),
        json!({
            "name": WAIT,
            "title": "Wait for a person's decision",
            "description": "Waits until a person has decided on a request made with proviso_request, or until the time is over, and tells how it stands. Call it again while the request is pending.",
            "inputSchema": {"type": "object", "properties": {
                "request": {"type": "string", "description": "The id that proviso_request answered with."},
                "seconds": {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT, "description": "How long to wait at most. 20 when left out."}
            }, "required": ["request"], "additionalProperties": false},
            "annotations": read_only
        }),
    ]
}

/// Reads a call of one of our tools. `None`: there is no such tool.
///
/// # Errors
/// One sentence that says which argument is wrong.
pub fn read(tool: &str, arguments: Option<&Value>) -> Option<Result<Errand, String>> {
    let empty = Map::new();
    let arguments = match arguments {
        None => &empty,
        Some(Value::Object(arguments)) => arguments,
        Some(_) => return Some(Err("The arguments are an object.".to_owned())),
    };
    Some(match tool {
        CHECK => only(arguments, &["tool", "arguments"]).and_then(|()| planned(arguments)).map(Errand::Check),
        REQUEST => request(arguments),
        WAIT => wait(arguments),
        _ => return None,
    })
}

fn only(arguments: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    match arguments.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(_) => Err(format!("This tool takes only these arguments: {}.", known.join(", "))),
    }
}

fn planned(arguments: &Map<String, Value>) -> Result<Planned, String> {
    let tool = match arguments.get("tool") {
        Some(Value::String(tool)) if !tool.is_empty() => tool.clone(),
        _ => return Err("`tool` is the name of the tool that you plan to call.".to_owned()),
    };
    match arguments.get("arguments") {
        None => Ok(Planned { tool, arguments: None }),
        Some(value @ Value::Object(_)) => Ok(Planned { tool, arguments: Some(value.clone()) }),
        Some(_) => Err("`arguments` is an object with the arguments of the planned call.".to_owned()),
    }
}

fn request(arguments: &Map<String, Value>) -> Result<Errand, String> {
    only(arguments, &["tool", "arguments", "justification", "duration", "uses", "conditions"])?;
    let planned = planned(arguments)?;
    let justification = match arguments.get("justification") {
        Some(Value::String(text)) if !text.trim().is_empty() && text.chars().count() <= 2000 => text.clone(),
        _ => return Err("`justification` says in 1 to 2,000 characters why the call is needed.".to_owned()),
    };
    let duration = match arguments.get("duration") {
        None => None,
        Some(Value::String(text)) => {
            let span: Result<Span, _> = text.parse();
            Some(
                span.ok()
                    .filter(|span| span.seconds() > 0)
                    .ok_or("`duration` is a length of time such as `30m` or `2h`.")?,
            )
        }
        Some(_) => return Err("`duration` is a length of time such as `30m` or `2h`.".to_owned()),
    };
    let uses = match arguments.get("uses") {
        None => None,
        Some(value) => {
            let uses = value.as_u64().and_then(|uses| u32::try_from(uses).ok()).filter(|uses| *uses > 0);
            Some(uses.ok_or("`uses` is a whole number from 1.")?)
        }
    };
    let conditions = match arguments.get("conditions") {
        None => Vec::new(),
        Some(value) => serde_json::from_value(value.clone())
            .map_err(|_| "`conditions` is a list such as [{\"at\": [\"path\"], \"op\": \"inside\", \"path\": \"/data/reports\"}].")?,
    };
    Ok(Errand::Request(planned, Box::new(Asked { justification, duration, uses, conditions })))
}

fn wait(arguments: &Map<String, Value>) -> Result<Errand, String> {
    only(arguments, &["request", "seconds"])?;
    let request = match arguments.get("request") {
        Some(Value::String(id)) if !id.is_empty() && id.len() <= 256 => id.clone(),
        _ => return Err("`request` is the id that proviso_request answered with.".to_owned()),
    };
    let seconds = match arguments.get("seconds") {
        None => 20,
        Some(value) => value.as_u64().ok_or("`seconds` is a whole number from 0 to 50.")?.min(LONGEST_WAIT),
    };
    Ok(Errand::Wait { request, seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_of_ours_is_read_or_told_what_is_wrong() {
        for (tool, arguments, fine) in [
            (CHECK, json!({"tool": "t"}), true),
            (CHECK, json!({"tool": "t", "arguments": {"a": 1}}), true),
            (CHECK, json!({"tool": "t", "arguments": "a"}), false),
            (CHECK, json!({"tool": "t", "argument": {}}), false),
            (CHECK, json!({}), false),
            (REQUEST, json!({"tool": "t", "justification": "x"}), true),
            (
                REQUEST,
                json!({"tool": "t", "justification": "x", "duration": "1h", "uses": 2,
                "conditions": [{"at": ["path"], "op": "inside", "path": "/a"}]}),
                true,
            ),
            (REQUEST, json!({"tool": "t", "justification": " "}), false),
            (REQUEST, json!({"tool": "t", "justification": "x".repeat(2001)}), false),
            (REQUEST, json!({"tool": "t", "justification": "x", "duration": "soon"}), false),
            (REQUEST, json!({"tool": "t", "justification": "x", "duration": "0s"}), false),
            (REQUEST, json!({"tool": "t", "justification": "x", "uses": 0}), false),
            (REQUEST, json!({"tool": "t", "justification": "x", "uses": 1.5}), false),
            (REQUEST, json!({"tool": "t", "justification": "x", "conditions": [{"at": ["p"], "op": "like"}]}), false),
            (WAIT, json!({"request": "r"}), true),
            (WAIT, json!({"request": "r", "seconds": -1}), false),
            (WAIT, json!({}), false),
        ] {
            let read = read(tool, Some(&arguments)).expect("ours");
            assert_eq!(read.is_ok(), fine, "{tool} {arguments}: {read:?}");
        }
        assert!(read("proviso_other", None).is_none());
        let wait = read(WAIT, Some(&json!({"request": "r", "seconds": 9999}))).expect("ours");
        assert_eq!(wait, Ok(Errand::Wait { request: "r".into(), seconds: LONGEST_WAIT }));
    }

    #[test]
    fn the_definitions_are_tools_with_closed_schemas() {
        let definitions = definitions();
        let names: Vec<&str> = definitions.iter().filter_map(|d| d["name"].as_str()).collect();
        assert_eq!(names, [CHECK, REQUEST, WAIT]);
        for definition in &definitions {
            assert_eq!(definition["inputSchema"]["additionalProperties"], json!(false));
            assert!(definition["description"].as_str().is_some_and(|text| text.len() > 60));
        }
    }
}
