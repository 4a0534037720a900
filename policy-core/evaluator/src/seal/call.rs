//! The call in the bundle's words: which action, on what, with which arguments.

use std::collections::BTreeMap;

use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::outcome::Reason;
use policy_core::question::Call;
use policy_core::record::Record;
use policy_core::text::visible;
use policy_core::value::Value;
use serde_json::Value as Json;

use super::{Ask, SealError};
use crate::Bundle;
use crate::bundle::types::{Member, Type};
use crate::bundle::{ActionType, Tool};
use crate::stops::{TOOL, TOOLS_CALL};
use crate::typed::{self, Writer};

/// The most resources that one call may fan out to.
const MOST_RESOURCES: usize = 256;
/// The longest id of a resource, in bytes.
const LONGEST_ID: usize = 4096;

fn bad(message: impl Into<String>) -> SealError {
    SealError::new(Reason::BadInput, message)
}

impl Bundle {
    /// Maps the question and types its arguments.
    pub(super) fn call(&self, ask: &Ask, subject: EntityRef) -> Result<Call, SealError> {
        let tool = self.tool(ask);
        let name = tool.map_or(ask.action.as_str(), |tool| tool.action.as_str());
        let action = self.rules.actions.get(name).ok_or_else(|| {
            SealError::new(Reason::UnknownAction, format!("the schema has no action `{}`", visible(name, 80)))
        })?;
        let (input, paths) = self.arguments(ask.input.as_ref(), action)?;
        let resources = match tool {
            Some(tool) => self.tool_resources(tool, ask.input.as_ref())?,
            None => vec![resource(self.shorten(&ask.resource))?],
        };
        let input_digest = Digest::of_json(ask.input.as_ref().unwrap_or(&Json::Null))
            .map_err(|error| bad(format!("the arguments have no canonical form: {error}")))?;
        Ok(Call {
            subject,
            action: name.into(),
            resources,
            typed: input.is_some(),
            input,
            input_digest,
            paths,
            server: ask.server.clone(),
            tool: ask.tool,
        })
    }

    fn tool(&self, ask: &Ask) -> Option<&Tool> {
        if ask.action != TOOLS_CALL || ask.resource.kind != TOOL {
            return None;
        }
        let tools = &self.rules.config.tool;
        tools.iter().find(|tool| ask.server.as_deref() == Some(tool.server.as_str()) && tool.name == ask.resource.id)
    }

    /// The arguments as Cedar sees them, and where the `@path` ones stand; nothing for an untyped action.
    fn arguments(
        &self,
        input: Option<&Json>,
        action: &ActionType,
    ) -> Result<(Option<Value>, Vec<Vec<String>>), SealError> {
        let Some(members) = action.input() else { return Ok((None, Vec::new())) };
        let empty = serde_json::Map::new();
        let json = match input {
            None | Some(Json::Null) => &empty,
            Some(Json::Object(json)) => json,
            Some(_) => return Err(bad("the arguments are no object")),
        };
        let record = typed::record(json, members, Writer::Caller, &self.rules.config)
            .map_err(|misfit| bad(format!("argument `{}` {}", visible(&misfit.at.join("."), 80), misfit.what)))?;
        let mut paths = Vec::new();
        collect_paths(members, &record, &mut Vec::new(), &mut paths);
        Ok((Some(Value::Record(record)), paths))
    }

    /// The resources that a mapped tool's arguments name, sorted.
    fn tool_resources(&self, tool: &Tool, input: Option<&Json>) -> Result<Vec<EntityRef>, SealError> {
        let mut ids = Vec::new();
        ids.extend(tool.fixed.clone());
        for path in tool.id.iter().flat_map(|id| id.paths()) {
            let found = path.iter().try_fold(input.unwrap_or(&Json::Null), |json, name| json.get(name));
            match found {
                Some(Json::String(id)) => ids.push(id.clone()),
                Some(Json::Array(list)) => {
                    for id in list {
                        ids.push(id.as_str().ok_or_else(|| bad("a resource's id is no text"))?.to_owned());
                    }
                }
                _ => return Err(bad(format!("argument `{}` does not name a resource", path.join(".")))),
            }
        }
        if ids.is_empty() || ids.len() > MOST_RESOURCES {
            return Err(bad(format!("the arguments name no resource, or more than {MOST_RESOURCES}")));
        }
        let resources =
            ids.into_iter().map(|id| resource(EntityRef::new(&tool.resource, id))).collect::<Result<Vec<_>, _>>();
        let mut resources = resources?;
        resources.sort();
        resources.dedup();
        Ok(resources)
    }
}

fn resource(resource: EntityRef) -> Result<EntityRef, SealError> {
    if resource.id.len() > LONGEST_ID { Err(bad("the resource's id is too long")) } else { Ok(resource) }
}

/// Where `@path` strings stand that the call has.
fn collect_paths(
    members: &BTreeMap<String, Member>,
    record: &Record,
    at: &mut Vec<String>,
    paths: &mut Vec<Vec<String>>,
) {
    for (name, value) in record {
        let Some(member) = members.get(name.as_str()) else { continue };
        at.push(name.to_string());
        match (&member.of, value) {
            (Type::String, Value::String(_)) if member.path => paths.push(at.clone()),
            (Type::Record(members), Value::Record(record)) => collect_paths(members, record, at, paths),
            _ => {}
        }
        at.pop();
    }
}
