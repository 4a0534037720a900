//! What people may do in Proviso itself: `console/`. Nothing here decides about what an agent does, and no answer here
//! lets anybody cross what the lifecycle refuses (R4).

mod preset;
mod schema;

#[cfg(feature = "validate")]
mod alone;
#[cfg(feature = "validate")]
mod check;
#[cfg(feature = "validate")]
mod matters;
#[cfg(feature = "validate")]
mod people;
#[cfg(feature = "validate")]
mod question;
#[cfg(feature = "validate")]
mod reads;

use cedar_policy::{Entities, EntityId, EntityTypeName, EntityUid, Request};
use cedar_policy_core::ast::Context;
use policy_core::abi::{Console, ConsoleAct, ConsoleAnswer};
use policy_core::entity::EntityRef;
use policy_core::outcome::Reason;
use policy_core::sabotaged;
use policy_core::value::Value;
use std::borrow::Cow;
use std::str::FromStr as _;

use crate::Rules;
use crate::brought::with_brought;
use crate::cedar::{self, Verdict};

#[cfg(feature = "validate")]
pub use alone::{Alone, TooMuch, alone};
pub(crate) use preset::preset;
#[cfg(feature = "validate")]
pub(crate) use reads::Reads;
pub(crate) use schema::{GATE, schema};

/// The id of the one gate that there is.
const THIS: &str = "gate";

/// What of this one person may do, in the order that it was asked in.
///
/// # Errors
/// The reason why the question does not fit the bundle.
pub fn console(rules: &Rules, input: &Console) -> Result<Vec<ConsoleAnswer>, Reason> {
    let entities = cedar::entities(rules, &input.entities).map_err(|unfit| unfit.reason)?;
    let brought = match with_brought(rules, &input.entities, std::slice::from_ref(&input.person)) {
        Cow::Borrowed(_) => None,
        Cow::Owned(facts) => Some(cedar::entities(rules, &facts).map_err(|unfit| unfit.reason)?),
    };
    let entities = |act: &ConsoleAct| brought.as_ref().filter(|_| act.act.takes_brought_groups()).unwrap_or(&entities);
    // INVARIANT (R8): a person that the bundle does not know may do nothing.
    let known =
        |fact: &policy_core::question::EntityFact| fact.uid == input.person.person && fact.source != cedar::UNKNOWN;
    let known = input.entities.iter().any(known);
    let nothing = || ConsoleAnswer { permitted: false, persons: 1, policies: Vec::new(), errors: Vec::new() };
    input.acts.iter().map(|act| if known { one(rules, input, entities(act), act) } else { Ok(nothing()) }).collect()
}

fn one(rules: &Rules, input: &Console, entities: &Entities, act: &ConsoleAct) -> Result<ConsoleAnswer, Reason> {
    let text = |text: &str| Value::String(text.to_owned());
    // INVARIANT: the context's set holds people only, as its type says.
    let person = rules.config.short(&rules.config.types.person);
    let owners = act.owners.iter().filter(|owner| rules.config.short(&owner.kind) == person);
    let requester = act.requester.clone().filter(|requester| rules.config.short(&requester.kind) == person);
    let members = [
        ("now", Some(Value::Datetime(input.now.to_string()))),
        ("assurance", Some(text(&input.person.assurance))),
        ("owners", Some(Value::Set(owners.cloned().map(Value::Entity).collect()))),
        ("requester", requester.map(Value::Entity)),
        ("action", act.action.as_deref().map(text)),
        ("tier", act.tier.as_deref().map(text)),
        ("task", act.task.as_deref().map(text)),
    ];
    let members = members.iter().filter_map(|(name, value)| Some((*name, value.as_ref()?)));
    let context = cedar::context(rules, members)?;
    let request = request(rules, &input.person.person, act, context)?;
    let Verdict { satisfied, errors } = rules.sets.console.ask(&request, entities);
    let by_two = satisfied.iter().any(|policy| rules.policies.by_two.contains(policy));
    Ok(ConsoleAnswer {
        permitted: !satisfied.is_empty(),
        // INVARIANT (R4): where several permit it, the one that demands more counts.
        persons: if by_two && !sabotaged!("r4_one_does_what_takes_two") { 2 } else { 1 },
        policies: satisfied,
        errors,
    })
}

fn request(rules: &Rules, person: &EntityRef, act: &ConsoleAct, context: Context) -> Result<Request, Reason> {
    let named = |kind: &str, id: &str| {
        let kind = EntityTypeName::from_str(kind).map_err(|_| Reason::UnknownType)?;
        Ok::<_, Reason>(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
    };
    let resource = match &act.about {
        Some(agent) => cedar::uid(rules, agent)?,
        None => named(GATE, THIS)?,
    };
    let action = named("Proviso::Action", act.act.word())?;
    cedar::checked(&rules.console, cedar::uid(rules, person)?, action, resource, context).map_err(|_| Reason::BadInput)
}

#[cfg(test)]
#[cfg(feature = "validate")]
mod tests;
