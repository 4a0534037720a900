//! What a caller says: believed only where `bundle.toml` lists the name and the enforcement point, else kept as claimed.

use std::collections::BTreeMap;

use policy_core::outcome::Reason;
use policy_core::question::EntityFact;
use policy_core::record::Record;
use policy_core::value::Value;
use serde_json::{Map, Value as Json};

use super::{Ask, SealError};
use crate::Bundle;
use crate::bundle::types::Member;
use crate::bundle::{ActionType, Claims};
use crate::typed::{self, Writer};

/// The context member that believed `action.properties` arrive as.
const ACTION_PROPERTIES: &str = "action_properties";

/// INVARIANT (design 4): an agent's own credential supplies nothing but the tool's arguments.
fn believed(claims: Option<&Claims>, name: &str, ask: &Ask) -> bool {
    claims.is_some_and(|claims| {
        let asks = ask.enforcement_point.as_deref();
        claims.names.iter().any(|known| known == name)
            && asks.is_some_and(|asks| claims.enforcement_points.iter().any(|point| point == asks))
    })
}

impl Bundle {
    fn claim(&self, name: &str, json: &Json, member: &Member) -> Result<Value, SealError> {
        typed::value(json, &member.of, Writer::Caller, &self.rules.config)
            .map_err(|misfit| SealError::new(Reason::BadInput, format!("claimed `{name}` {}", misfit.what)))
    }

    /// Sorts what is said of the context and of the action into believed and only claimed.
    pub(super) fn context_claims(
        &self,
        ask: &Ask,
        action: &ActionType,
        context: &mut Record,
        claimed: &mut BTreeMap<String, Json>,
    ) -> Result<(), SealError> {
        let listed = self.rules.config.context_claims.as_ref();
        let properties = Json::Object(ask.claims.action.clone());
        let properties = (!ask.claims.action.is_empty()).then_some((ACTION_PROPERTIES, &properties));
        for (name, json) in ask.claims.context.iter().map(|(name, json)| (name.as_str(), json)).chain(properties) {
            let ours = context.contains_key(name) || name == "input" || name == "requested";
            match action.context.get(name).filter(|_| !ours && believed(listed, name, ask)) {
                Some(member) => {
                    context.insert(name.to_owned(), self.claim(name, json, member)?);
                }
                None => {
                    claimed.insert(format!("context.{name}"), json.clone());
                }
            }
        }
        Ok(())
    }

    /// Adds what is believed of an entity to its facts. INVARIANT: what `entities.json` says stands.
    pub(super) fn entity_claims(
        &self,
        ask: &Ask,
        word: &str,
        said: &Map<String, Json>,
        fact: &mut EntityFact,
        claimed: &mut BTreeMap<String, Json>,
    ) -> Result<(), SealError> {
        let listed = self.rules.config.claims.get(fact.uid.kind.as_str());
        let shape = self.rules.types.get(&self.rules.config.long(&fact.uid.kind));
        for (name, json) in said {
            let member = shape.and_then(|shape| shape.attributes.get(name));
            match member.filter(|_| !fact.attrs.contains_key(name) && believed(listed, name, ask)) {
                Some(member) => {
                    fact.attrs.insert(name.clone(), self.claim(name, json, member)?);
                    fact.source = ask.enforcement_point.clone().unwrap_or_default();
                }
                None => {
                    claimed.insert(format!("{word}.{name}"), json.clone());
                }
            }
        }
        Ok(())
    }
}
