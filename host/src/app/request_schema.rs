//! What a request must hold, as a JSON Schema: the smallest that can succeed for one denial, and nothing of any other
//! tier's limits.

use policy_core::outcome::Terms;
use serde_json::{Map, Value, json};

use super::App;
use super::asker::Asker;
use super::denial::Denied;
use super::denial::too_old;
use super::refusal::{Refusal, RefusalKind};
use super::request::JUSTIFICATION;
use crate::identity::Credential;

/// The longest justification.
const LONGEST_JUSTIFICATION: usize = 2_000;

impl App {
    /// The schema of a request that answers this denial, for whom it was given to.
    ///
    /// # Errors
    /// `unknown_evaluation`, the same for another's; `expired_denial`.
    pub fn request_schema(
        &self,
        caller: &Credential,
        subject: Option<&Credential>,
        evaluation: &str,
    ) -> Result<Value, Refusal> {
        let asker = Asker::of(caller, subject)?;
        let unknown = || Refusal::new(RefusalKind::NotFound, "unknown_evaluation", "there is no such denial");
        let denial = self.own_denial(&asker, evaluation).map_err(|_| unknown())?;
        let question = denial.question().map_err(|_| unknown())?;
        if asker.point.is_none_or(|point| question.enforcement_point.as_deref() != Some(point.name.as_str())) {
            return Err(unknown());
        }
        let (Some(until), Some(terms)) = (denial.record.requestable_until, &denial.record.answer.terms) else {
            return Err(unknown());
        };
        if self.now() >= until {
            return Err(too_old());
        }
        Ok(schema(&self.schema_url(evaluation), &denial, terms, until.to_string()))
    }

    /// Where the schema of a request for this denial is.
    pub(super) fn schema_url(&self, evaluation: &str) -> String {
        format!("{}/access/v1/denials/{evaluation}/schema", self.settings().public_url)
    }
}

fn schema(url: &str, denial: &Denied, terms: &Terms, until: String) -> Value {
    let unchanged = "As in the denied question, unchanged.";
    let text = || json!({"type": "string", "minLength": 1});
    let entity = || {
        json!({
            "type": "object",
            "description": unchanged,
            "required": ["type", "id"],
            "properties": {"type": text(), "id": text()},
        })
    };
    let members = denial.record.binding_members.as_deref().unwrap_or_default();
    let mut context: Map<String, Value> =
        members.iter().map(|name| (name.clone(), json!({"description": unchanged}))).collect();
    context.insert(
        JUSTIFICATION.to_owned(),
        json!({
            "type": "string",
            "description": "Why this call is needed, for the person who decides. Plain text.",
            "minLength": 1,
            "maxLength": LONGEST_JUSTIFICATION,
            "pattern": "\\S",
        }),
    );
    let needed: Vec<&str> = members.iter().map(String::as_str).chain([JUSTIFICATION]).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": url,
        "title": "Request for one refused call",
        "type": "object",
        "required": ["subject", "resource", "action", "context", "denial"],
        "properties": {
            "subject": entity(),
            "resource": entity(),
            "action": {"type": "object", "description": unchanged, "required": ["name"], "properties": {"name": text()}},
            "context": {"type": "object", "required": needed, "properties": context},
            "denial": {
                "type": "object",
                "required": ["expires_at"],
                "anyOf": [{"required": ["binding_token"]}, {"required": ["evaluation_id"]}],
                "properties": {
                    "evaluation_id": {"const": denial.record.evaluation},
                    "expires_at": {"const": until},
                    "binding_token": {"type": "string", "description": "As the denial gave it, byte for byte."},
                },
            },
            "requested_access": {
                "type": "object",
                "description": "Left out: the smallest scope that lets the call through.",
                "properties": {
                    "requested_until": {
                        "type": "string",
                        "format": "date-time",
                        "description": format!("At most {} after the permission begins.", terms.max_duration),
                    },
                    "emergency": {"type": "boolean", "description": "Asks people for attention, and changes nothing else."},
                    "proviso.dev/scope": {
                        "type": "object",
                        "required": ["resource", "arguments", "not_after", "max_uses"],
                        "properties": {
                            "max_uses": {"type": "integer", "minimum": 1, "maximum": terms.max_uses},
                            "not_after": {"type": "string", "format": "date-time"},
                        },
                    },
                },
            },
        },
    })
}
