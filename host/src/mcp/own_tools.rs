//! The tools that the proxy adds under the reserved prefix, in words for a model that knows nothing of Proviso.

mod definitions;

use policy_core::grant::Condition;
use policy_core::time::Span;
use serde_json::{Map, Value};

pub use definitions::definitions;

/// Asks what a planned call would get.
pub const CHECK: &str = "proviso_check";
/// Asks people for permission.
pub const REQUEST: &str = "proviso_request";
/// Waits for their decision.
pub const WAIT: &str = "proviso_wait";
/// Answers what they ask before they decide.
pub const ANSWER: &str = "proviso_answer";

/// The longest that [`WAIT`] holds a call open, in seconds: below the minute after which common clients give up.
pub const LONGEST_WAIT: u64 = 50;
/// The longest justification and the longest answer, in characters.
const LONGEST_WORDS: usize = 2_000;

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
    /// [`ANSWER`].
    Answer {
        /// The request's id.
        request: String,
        /// Which question, by its number.
        question: u32,
        /// The answer.
        words: String,
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
    /// For how long, from the approval on.
    pub duration: Option<Span>,
    /// For how many calls.
    pub uses: Option<u32>,
    /// How far other arguments may differ.
    pub conditions: Vec<Condition>,
    /// Whether it asks for attention.
    pub emergency: bool,
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
        ANSWER => answer(arguments),
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
    only(arguments, &["tool", "arguments", "justification", "duration", "uses", "conditions", "emergency"])?;
    let planned = planned(arguments)?;
    let justification = match arguments.get("justification") {
        Some(Value::String(text)) if says_something(text) => text.clone(),
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
    let emergency = match arguments.get("emergency") {
        None => false,
        Some(Value::Bool(emergency)) => *emergency,
        Some(_) => return Err("`emergency` is true or false.".to_owned()),
    };
    Ok(Errand::Request(planned, Box::new(Asked { justification, duration, uses, conditions, emergency })))
}

fn says_something(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= LONGEST_WORDS
}

fn request_id(arguments: &Map<String, Value>) -> Result<String, String> {
    match arguments.get("request") {
        Some(Value::String(id)) if !id.is_empty() && id.len() <= 256 => Ok(id.clone()),
        _ => Err("`request` is the id that proviso_request answered with.".to_owned()),
    }
}

fn answer(arguments: &Map<String, Value>) -> Result<Errand, String> {
    only(arguments, &["request", "question", "answer"])?;
    let request = request_id(arguments)?;
    let question = arguments.get("question").and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    let question = question.ok_or("`question` is the number of the question, as proviso_wait tells it.")?;
    match arguments.get("answer") {
        Some(Value::String(words)) if says_something(words) => {
            Ok(Errand::Answer { request, question, words: words.clone() })
        }
        _ => Err("`answer` says in 1 to 2,000 characters what you know of it.".to_owned()),
    }
}

fn wait(arguments: &Map<String, Value>) -> Result<Errand, String> {
    only(arguments, &["request", "seconds"])?;
    let request = request_id(arguments)?;
    let seconds = match arguments.get("seconds") {
        None => 20,
        Some(value) => value.as_u64().ok_or("`seconds` is a whole number from 0 to 50.")?.min(LONGEST_WAIT),
    };
    Ok(Errand::Wait { request, seconds })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
            (REQUEST, json!({"tool": "t", "justification": "x", "emergency": true}), true),
            (REQUEST, json!({"tool": "t", "justification": "x", "emergency": "yes"}), false),
            (WAIT, json!({"request": "r"}), true),
            (WAIT, json!({"request": "r", "seconds": -1}), false),
            (WAIT, json!({}), false),
            (ANSWER, json!({"request": "r", "question": 0, "answer": "the third"}), true),
            (ANSWER, json!({"request": "r", "question": -1, "answer": "x"}), false),
            (ANSWER, json!({"request": "r", "question": 0, "answer": " "}), false),
            (ANSWER, json!({"request": "r", "question": 0, "answer": "x".repeat(2001)}), false),
            (ANSWER, json!({"question": 0, "answer": "x"}), false),
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
        assert_eq!(names, [CHECK, REQUEST, WAIT, ANSWER]);
        for definition in &definitions {
            assert_eq!(definition["inputSchema"]["additionalProperties"], json!(false));
            assert!(definition["description"].as_str().is_some_and(|text| text.len() > 60));
        }
    }
}
