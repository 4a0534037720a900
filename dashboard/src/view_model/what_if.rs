//! A made-up question as a form, and in the address: a link asks another person the same.

use policy_core::entity::EntityRef;
use proviso_api::what_if::WhatIf;

use super::queue::encoded;

/// What is typed. Everything is text until it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Form {
    /// From which record.
    pub record: String,
    /// Who, as `TYPE::ID`.
    pub subject: String,
    /// In which task.
    pub task: String,
    /// For whom, as `TYPE::ID`; may be empty.
    pub on_behalf: String,
    /// Through which server; may be empty.
    pub server: String,
    /// The action.
    pub action: String,
    /// On what, as `TYPE::ID`.
    pub resource: String,
    /// The arguments, as JSON; may be empty.
    pub input: String,
}

/// The names of the members in the address.
const NAMES: [&str; 8] = ["record", "subject", "task", "for", "server", "action", "resource", "input"];

impl Form {
    /// What an address says: `get` reads a member of its query.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let [record, subject, task, on_behalf, server, action, resource, input] =
            NAMES.map(|name| get(name).unwrap_or_default());
        Self { record, subject, task, on_behalf, server, action, resource, input }
    }

    fn members(&self) -> [&str; 8] {
        let Self { record, subject, task, on_behalf, server, action, resource, input } = self;
        [record, subject, task, on_behalf, server, action, resource, input]
    }

    /// Its address.
    pub fn address(&self) -> String {
        let said = NAMES.into_iter().zip(self.members()).filter(|(_, value)| !value.is_empty());
        let pairs: Vec<String> = said.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        if pairs.is_empty() { "/what-if".into() } else { format!("/what-if?{}", pairs.join("&")) }
    }

    /// Whether there is anything to ask.
    pub fn is_empty(&self) -> bool {
        self.members().iter().all(|value| value.is_empty())
    }

    /// The question.
    ///
    /// # Errors
    /// One sentence about what makes no sense.
    pub fn question(&self) -> Result<WhatIf, String> {
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let record = match text(&self.record) {
            None => None,
            Some(record) => Some(record.parse().map_err(|_| "The record is a whole number.".to_owned())?),
        };
        let input = match text(&self.input) {
            None => None,
            Some(input) => {
                Some(serde_json::from_str(&input).map_err(|error| format!("The arguments are no JSON: {error}."))?)
            }
        };
        Ok(WhatIf {
            record,
            subject: entity(&self.subject, "The agent")?,
            task: text(&self.task),
            on_behalf: entity(&self.on_behalf, "The person")?,
            server: text(&self.server),
            action: text(&self.action),
            resource: entity(&self.resource, "The resource")?,
            input,
        })
    }

    /// The form as the gate filled it.
    pub fn of(asked: &WhatIf) -> Self {
        let told = |entity: &Option<EntityRef>| {
            entity.as_ref().map(|of| format!("{}::{}", of.kind, of.id)).unwrap_or_default()
        };
        Self {
            record: asked.record.map(|record| record.to_string()).unwrap_or_default(),
            subject: told(&asked.subject),
            task: asked.task.clone().unwrap_or_default(),
            on_behalf: told(&asked.on_behalf),
            server: asked.server.clone().unwrap_or_default(),
            action: asked.action.clone().unwrap_or_default(),
            resource: told(&asked.resource),
            input: asked
                .input
                .as_ref()
                .and_then(|input| serde_json::to_string_pretty(input).ok())
                .map(|text| escaped(&text))
                .unwrap_or_default(),
        }
    }
}

/// JSON in which whatever is no letter, digit or plain sign is written out: a field marks nothing, and an odd character in it
/// would read as something else.
fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() || character.is_alphanumeric() {
            written.push(character);
        } else {
            let mut units = [0_u16; 2];
            for unit in character.encode_utf16(&mut units) {
                written.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    written
}

fn entity(text: &str, what: &str) -> Result<Option<EntityRef>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match text.split_once("::") {
        Some((kind, id)) if !kind.is_empty() && !id.trim_matches('"').is_empty() => {
            Ok(Some(EntityRef::new(kind, id.trim_matches('"'))))
        }
        _ => Err(format!("{what} is written TYPE::ID.")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form() -> Form {
        Form {
            record: "7".into(),
            subject: "Agent::spiffe://acme/x".into(),
            task: "T-1".into(),
            resource: "Volume::\"files\"".into(),
            action: "write_file".into(),
            input: r#"{"path": "/a&b", "n": 1}"#.into(),
            ..Form::default()
        }
    }

    #[test]
    fn what_is_typed_is_asked_and_survives_in_the_address() {
        let asked = form().question().expect("makes sense");
        assert_eq!(asked.record, Some(7));
        assert_eq!(asked.subject, Some(EntityRef::new("Agent", "spiffe://acme/x")));
        assert_eq!((asked.resource.clone(), asked.on_behalf.clone()), (Some(EntityRef::new("Volume", "files")), None));
        assert_eq!(asked.input, Some(json!({"path": "/a&b", "n": 1})));
        assert!(form().address().starts_with("/what-if?record=7&subject=Agent%3A%3Aspiffe"));
        assert!(!form().address().contains("a&b"));
        let back = Form::of(&asked);
        assert_eq!(back.question(), Ok(asked));
        assert!(Form::default().is_empty() && Form::default().address() == "/what-if");
    }

    #[test]
    fn odd_characters_are_written_out_and_mean_the_same() {
        let odd = json!({"name": "a\u{202e}txt.exe", "plain": "Zoë 漢", "face": "😀"});
        let form = Form::of(&WhatIf { input: Some(odd.clone()), ..WhatIf::default() });
        assert!(
            form.input.contains("\\u202e") && form.input.contains("Zoë 漢") && form.input.contains("\\ud83d\\ude00")
        );
        assert_eq!(form.question().expect("makes sense").input, Some(odd));
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        let told = |change: fn(&mut Form)| {
            let mut form = form();
            change(&mut form);
            form.question().expect_err("makes no sense")
        };
        assert!(told(|form| form.record = "seven".into()).contains("whole number"));
        assert!(told(|form| form.input = "{".into()).contains("no JSON"));
        assert!(told(|form| form.subject = "spiffe".into()).contains("TYPE::ID"));
        assert!(told(|form| form.resource = "::x".into()).contains("resource"));
    }
}
