//! Who acts and on whose behalf, as a token's claims say it: `sub`, and `act` nested as in RFC 8693.
//!
//! The outermost `act` is who acts now; what is nested in it acted before, and `sub` is on whose behalf all of them act.
//! A token without `act` is its subject's own.

use policy_core::sabotaged;
use policy_evaluator::evaluate::MOST_HOPS;
use serde_json::{Map, Value};

use super::config::{ActorRule, Issuer};
use super::fault::TokenFault;
use super::spiffe;
use super::verify::Party;

/// What stands before a client's id where a client is who acts: clients and subjects are no one namespace.
const CLIENT: &str = "client_id:";
/// The longest name of anybody, in bytes.
const LONGEST: usize = 2048;

/// Who acts, and on whose behalf, from the current actor inward.
pub(super) fn parties(issuer: &Issuer, claims: &Map<String, Value>) -> Result<(Party, Vec<Party>), TokenFault> {
    let subject = own_subject(issuer, text(claims, "sub").ok_or(TokenFault::Claim("sub"))?)?;
    match claims.get("act") {
        Some(act) => {
            let mut acting = actors(issuer, act)?.into_iter();
            let actor = acting.next().ok_or(TokenFault::Chain)?;
            Ok((actor, acting.chain([subject]).collect()))
        }
        None if issuer.actor == ActorRule::ClientId => {
            let client = text(claims, "client_id").ok_or(TokenFault::Claim("client_id"))?;
            let behind = if client == subject.subject { Vec::new() } else { vec![subject] };
            let actor = Party { issuer: issuer.name.clone(), subject: format!("{CLIENT}{client}") };
            Ok((actor, behind))
        }
        None => Ok((subject, Vec::new())),
    }
}

/// The nested actors, outermost first. INVARIANT (R4): one too many is refused, never cut off.
fn actors(issuer: &Issuer, act: &Value) -> Result<Vec<Party>, TokenFault> {
    let (mut found, mut next) = (Vec::new(), Some(act));
    while let Some(act) = next {
        let act = act.as_object().ok_or(TokenFault::Chain)?;
        if found.len() > MOST_HOPS {
            return Err(TokenFault::Depth);
        }
        found.push(named(issuer, act)?);
        next = act.get("act");
    }
    Ok(found)
}

/// Somebody whom `act` names, by an issuer that this one may speak for.
fn named(issuer: &Issuer, act: &Map<String, Value>) -> Result<Party, TokenFault> {
    let subject = text(act, "sub").ok_or(TokenFault::Chain)?;
    let of = match act.get("iss") {
        None => issuer.name.as_str(),
        Some(Value::String(of)) => of,
        Some(_) => return Err(TokenFault::Chain),
    };
    if of == issuer.name {
        return own_subject(issuer, subject);
    }
    // INVARIANT (R4): whom an issuer may name besides its own is the operator's to say, or anybody could be named.
    if !issuer.may_name.iter().any(|named| named == of) && !sabotaged!("r4_anybody_named") {
        return Err(TokenFault::Chain);
    }
    let foreign = of.strip_prefix("spiffe://");
    if foreign.is_some_and(|domain| spiffe::trust_domain(subject) != Some(domain)) || subject.starts_with(CLIENT) {
        return Err(TokenFault::Chain);
    }
    Ok(Party { issuer: of.to_owned(), subject: subject.to_owned() })
}

/// A subject of the issuer's own: of its trust domain, where it has one.
fn own_subject(issuer: &Issuer, subject: &str) -> Result<Party, TokenFault> {
    if let Some(domain) = &issuer.trust_domain
        && spiffe::trust_domain(subject) != Some(domain)
    {
        return Err(TokenFault::TrustDomain);
    }
    if subject.starts_with(CLIENT) {
        return Err(TokenFault::Claim("sub"));
    }
    Ok(Party { issuer: issuer.name.clone(), subject: subject.to_owned() })
}

/// A claim that is a text of some length.
pub(super) fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let text = claims.get(name)?.as_str()?;
    (!text.is_empty() && text.len() <= LONGEST).then_some(text)
}
