//! cedar-policy itself, natively: policies and schema read beforehand, the question read from its JSON, or built.

use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityId, EntityTypeName, EntityUid, PolicySet, Request, Schema,
};
use policy_evaluator::bundle::ENTITIES;
use serde_json::Value;

use crate::{Result, workload};

/// One engine for all policies: whoever uses cedar-policy keeps permits and forbids in one set.
pub struct Native {
    schema: Schema,
    policies: PolicySet,
}

impl Native {
    pub fn new(policies: &str) -> Result<Self> {
        // The fragment that the evaluator adds at load.
        let text = workload::SCHEMA.replace(", requested?: Proviso::Requested", "");
        let (schema, _) = Schema::from_cedarschema_str(&text)?;
        Ok(Self { schema, policies: policies.parse()? })
    }

    /// Reads the question from its JSON and answers it.
    pub fn answer(&self, json: &str) -> Result<bool> {
        let (request, entities) = self.read(json)?;
        Ok(self.permits(&request, &entities))
    }

    /// The request and the entities of a question, each held against the schema.
    pub fn read(&self, json: &str) -> Result<(Request, Entities)> {
        let mut json: Value = serde_json::from_str(json)?;
        let mut take = |name: &str| json.get_mut(name).map(Value::take).ok_or("a member is missing");
        let action = uid(&take("action")?)?;
        let context = Context::from_json_value(take("context")?, Some((&self.schema, &action)))?;
        let stem = ENTITIES.trim_end_matches(".json");
        let entities = Entities::from_json_value(take(stem)?, Some(&self.schema))?;
        let (principal, resource) = (uid(&take("principal")?)?, uid(&take("resource")?)?);
        Ok((Request::new(principal, action, resource, context, Some(&self.schema))?, entities))
    }

    /// `is_authorized` alone.
    pub fn permits(&self, request: &Request, entities: &Entities) -> bool {
        Authorizer::new().is_authorized(request, &self.policies, entities).decision() == Decision::Allow
    }
}

fn uid(json: &Value) -> Result<EntityUid> {
    let member = |name: &str| json.get(name).and_then(Value::as_str).ok_or("no reference");
    let kind: EntityTypeName = member("type")?.parse()?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(member("id")?)))
}

/// The measure of the floor: so many policies of one candidate's kind, an empty request.
pub struct Bare {
    policies: PolicySet,
    request: Request,
    entities: Entities,
}

impl Bare {
    pub fn new(policies: usize) -> Result<Self> {
        let policies = workload::bare_scope(policies).parse()?;
        let uid = |text: &str| -> Result<EntityUid> { Ok(text.parse()?) };
        let (principal, resource) = (uid("Agent::\"agent-0\"")?, uid("Dataset::\"dataset-0\"")?);
        let request = Request::new(principal, uid("Action::\"post\"")?, resource, Context::empty(), None)?;
        Ok(Self { policies, request, entities: Entities::empty() })
    }

    pub fn permits(&self) -> bool {
        let response = Authorizer::new().is_authorized(&self.request, &self.policies, &self.entities);
        response.decision() == Decision::Allow
    }
}
