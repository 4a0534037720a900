//! The definitions of our tools: all that a model knows of them.

use serde_json::{Map, Value, json};

use super::{ANSWER, CHECK, LONGEST_WAIT, LONGEST_WORDS, REQUEST, WAIT};

/// The definitions, as they are appended to `tools/list`.
pub fn definitions() -> Vec<Value> {
    let read_only = json!({"readOnlyHint": true, "openWorldHint": false});
    let asks = json!({"readOnlyHint": false, "destructiveHint": false, "idempotentHint": true, "openWorldHint": false});
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
            "inputSchema": {"type": "object", "properties": request(), "required": ["tool", "justification"], "additionalProperties": false},
            "annotations": asks
        }),
        json!({
            "name": WAIT,
            "title": "Wait for a person's decision",
            "description": "Waits until a person has decided on a request made with proviso_request, or asks you something before deciding, or until the time is over, and tells how it stands. Call it again while the request is pending.",
            "inputSchema": {"type": "object", "properties": {
                "request": request_id(),
                "seconds": {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT, "description": "How long to wait at most. 20 when left out."}
            }, "required": ["request"], "additionalProperties": false},
            "annotations": read_only
        }),
        json!({
            "name": ANSWER,
            "title": "Answer a person's question about a request",
            "description": "Answers a question that a person asks about your request before deciding; proviso_wait tells the questions. Your answer is shown to whoever decides, as what you claim. It runs nothing and gives nobody more time.",
            "inputSchema": {"type": "object", "properties": {
                "request": request_id(),
                "question": {"type": "integer", "minimum": 0, "description": "The number of the question, as proviso_wait tells it."},
                "answer": {"type": "string", "minLength": 1, "maxLength": LONGEST_WORDS, "description": "What you know of it. Plain text."}
            }, "required": ["request", "question", "answer"], "additionalProperties": false},
            "annotations": asks
        }),
    ]
}

fn request_id() -> Value {
    json!({"type": "string", "description": "The id that proviso_request answered with."})
}

fn planned() -> Map<String, Value> {
    let tool = json!({"type": "string", "description": "The name of the tool that you plan to call, as in this list."});
    let arguments = json!({"type": "object", "description": "The arguments of that call, exactly as you would pass them to the tool.", "additionalProperties": true});
    Map::from_iter([("tool".to_owned(), tool), ("arguments".to_owned(), arguments)])
}

fn request() -> Map<String, Value> {
    let mut request = planned();
    let mut add = |name: &str, schema| drop(request.insert(name.to_owned(), schema));
    add(
        "justification",
        json!({"type": "string", "minLength": 1, "maxLength": LONGEST_WORDS, "description": "Why this call is needed for your task, for the person who decides. Plain text."}),
    );
    add(
        "duration",
        json!({"type": "string", "description": "How long the permission should last, counted from the approval and not from now, such as `30m` or `2h`. Leave it out for the longest that the policy allows.", "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$"}),
    );
    add(
        "uses",
        json!({"type": "integer", "minimum": 1, "maximum": 1_000_000, "description": "How many calls the permission should cover. Leave it out for one."}),
    );
    add("conditions", conditions());
    add(
        "emergency",
        json!({"type": "boolean", "description": "Say true only where harm comes of waiting: it asks people for attention. It changes no rule: who must approve, how long and how much stay as they are."}),
    );
    request
}

fn conditions() -> Value {
    json!({
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
    })
}
