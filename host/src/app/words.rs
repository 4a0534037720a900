//! What runs, told in the bundle author's words with the arguments as quoted values (R11). No text from outside stands
//! outside its quotes, and odd characters are made visible.

use policy_core::json;
use policy_core::question::{Call, SealedQuestion};
use policy_core::sheet::Argument;
use policy_core::text;
use policy_core::value::Value;
use serde_json::Value as Json;

use super::policy::{Policy, UNTYPED_INPUT};

/// How much of one value a sentence shows.
const IN_A_SENTENCE: usize = 120;
/// How much of one value the sheet shows.
const IN_THE_SHEET: usize = 16_000;
/// How many arguments the sheet lists; the rest is counted.
const MOST_ARGUMENTS: usize = 500;

impl Policy {
    /// The action's `@says` text with `{resource}` and `{argument}` filled in; without one, action and resources.
    pub fn says(&self, question: &SealedQuestion) -> String {
        let call = &question.call;
        let Some(template) = self.says_template(&call.action) else {
            return format!("{} on {}", call.action, resources(call));
        };
        let mut said = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            said.push_str(before);
            said.push_str(&match name {
                "resource" => resources(call),
                name => self.argument(question, name),
            });
            rest = after;
        }
        said.push_str(rest);
        said
    }

    fn argument(&self, question: &SealedQuestion, name: &str) -> String {
        let at: Vec<String> = name.split('.').map(str::to_owned).collect();
        let lines = self.argument_lines(question);
        let line = lines.into_iter().find(|line| line.at == at);
        line.map_or_else(|| "nothing".to_owned(), |line| text::visible(&line.text, IN_A_SENTENCE))
    }

    /// The arguments as quoted values, in canonical order.
    pub fn argument_lines(&self, question: &SealedQuestion) -> Vec<Argument> {
        let call = &question.call;
        let arguments = match &call.input {
            Some(input) => Some(plain(input)),
            None => question.claimed.get(UNTYPED_INPUT).cloned(),
        };
        let mut lines = Vec::new();
        if let Some(arguments) = arguments {
            self.lines(call, &arguments, &mut Vec::new(), &mut lines);
        }
        if lines.len() > MOST_ARGUMENTS {
            let more = lines.split_off(MOST_ARGUMENTS).len();
            lines.push(Argument { at: Vec::new(), text: format!("and {more} more") });
        }
        lines
    }

    fn lines(&self, call: &Call, value: &Json, at: &mut Vec<String>, lines: &mut Vec<Argument>) {
        match value {
            Json::Object(members) if !members.is_empty() && !self.is_secret(call, at) => {
                let mut names: Vec<&String> = members.keys().collect();
                names.sort();
                for name in names {
                    if let Some(member) = members.get(name) {
                        at.push(name.clone());
                        self.lines(call, member, at, lines);
                        at.pop();
                    }
                }
            }
            value => lines.push(Argument { at: at.clone(), text: self.shown(call, value, at) }),
        }
    }

    fn shown(&self, call: &Call, value: &Json, at: &[String]) -> String {
        let written = json::to_canonical_bytes(value).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let written = written.unwrap_or_else(|| "unreadable".to_owned());
        if self.is_secret(call, at) {
            return format!("secret, {} characters", written.chars().count());
        }
        text::visible(&written, IN_THE_SHEET)
    }
}

fn resources(call: &Call) -> String {
    let shown = call.resources.iter().take(5).map(|resource| {
        let id = serde_json::to_string(&resource.id).unwrap_or_default();
        format!("{} {}", resource.kind, text::visible(&id, IN_A_SENTENCE))
    });
    let shown: Vec<String> = shown.collect();
    match call.resources.len().saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A tagged value as the JSON that a person reads.
fn plain(value: &Value) -> Json {
    match value {
        Value::Bool(bool) => Json::from(*bool),
        Value::Long(long) => Json::from(*long),
        Value::String(text)
        | Value::Datetime(text)
        | Value::Duration(text)
        | Value::Decimal(text)
        | Value::Ipaddr(text) => Json::from(text.clone()),
        Value::Entity(entity) => Json::from(entity.to_string()),
        Value::Set(items) => Json::Array(items.iter().map(plain).collect()),
        Value::Record(members) => {
            Json::Object(members.iter().map(|(name, member)| (name.clone(), plain(member))).collect())
        }
    }
}
