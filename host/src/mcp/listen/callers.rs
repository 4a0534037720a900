//! Who calls, as the gate knows it: asked with the proxy's own credential, and believed for a few seconds.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use policy_core::digest::Digest;
use policy_core::sabotaged;
use proviso_api::authzen::Entity;
use proviso_api::session::WhoAmI;
use serde_json::{Map, json};
use tokio::sync::Semaphore;

use super::bounds::{KNOWN, MOST_LOOKED_FOR, MOST_LOOKS};
use super::metadata::Metadata;
use super::refusal::Refused;
use crate::clock::Clock;
use crate::mcp::gate::Gate;
use crate::mcp::sentences::Failure;

/// How many callers are remembered at once.
const MOST_KNOWN: usize = 4_096;

/// Somebody who calls.
#[derive(Debug, Clone, PartialEq)]
pub struct Caller {
    /// Who, in which task, for whom: the same for every token that says the same.
    pub key: Digest,
    /// The agent.
    pub subject: Entity,
}

/// What the gate said of a token, and until when that is believed.
type Known = (Result<Caller, Refused>, u64);

/// Knows callers apart.
pub struct Callers {
    gate: Gate,
    metadata: Arc<Metadata>,
    clock: Arc<dyn Clock>,
    /// By the digest of the token: until when, by the boot clock.
    known: Mutex<BTreeMap<Digest, Known>>,
    /// Until when the gate is believed to know this proxy itself.
    itself: AtomicU64,
    looks: Semaphore,
    waiting: AtomicUsize,
}

impl Callers {
    /// Nobody is known yet.
    pub fn new(gate: Gate, metadata: Arc<Metadata>, clock: Arc<dyn Clock>) -> Self {
        let looks = Semaphore::new(MOST_LOOKS);
        Self {
            gate,
            metadata,
            clock,
            known: Mutex::default(),
            itself: AtomicU64::new(0),
            looks,
            waiting: AtomicUsize::new(0),
        }
    }

    /// The gate, asked for nobody.
    pub const fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Who shows this token.
    ///
    /// # Errors
    /// Whatever the gate says of it; that it is away; that this proxy is not the resource that its credential says.
    pub async fn identify(&self, token: &str) -> Result<Caller, Refused> {
        let digest = Digest::of(token.as_bytes());
        if let Some(known) = self.remembered(&digest) {
            return known;
        }
        let _place = Place::take(&self.waiting)?;
        // A semaphore that nobody closes gives.
        let _turn = self.looks.acquire().await;
        // Somebody else may have asked meanwhile.
        if let Some(known) = self.remembered(&digest) {
            return known;
        }
        let who = self.gate.for_agent(token, None).who().await;
        if who.is_err() && sabotaged!("r8_unknown_caller_let_in") {
            let subject = Entity { kind: "Agent".to_owned(), id: "anybody".to_owned(), properties: Map::new() };
            return Ok(Caller { key: digest, subject });
        }
        let who = match who {
            Ok(who) => who,
            Err(failure) => {
                let refused = self.refuse(&failure).await;
                if refused.is_of_caller() {
                    self.remember(digest, Err(refused.clone()));
                }
                return Err(refused);
            }
        };
        let caller = self.caller(&who)?;
        self.remember(digest, Ok(caller.clone()));
        Ok(caller)
    }

    /// Why somebody is not known. Where it is this proxy that the gate does not know, no caller is to blame.
    async fn refuse(&self, failure: &Failure) -> Refused {
        let blamed = matches!(failure, Failure::Refused(problem) if problem.status == 401);
        if blamed && self.clock.boot() >= self.itself.load(Ordering::Acquire) {
            match self.gate.who().await {
                Err(Failure::Refused(problem)) if problem.status == 401 => {
                    return Refused::new(
                        StatusCode::SERVICE_UNAVAILABLE,
                        "proxy_not_known",
                        "the gate does not know this proxy's own credential any more",
                    );
                }
                Err(_) => {}
                Ok(_) => self.itself.store(self.soon(), Ordering::Release),
            }
        }
        Refused::of_gate(failure, &self.metadata)
    }

    fn caller(&self, who: &WhoAmI) -> Result<Caller, Refused> {
        // INVARIANT (R3): the gate held the token against the resource that the record says this proxy is. If that is
        // not the one that clients are told of, they were told of another.
        if who.resource.as_deref() != Some(self.metadata.resource.as_str()) {
            return Err(Refused::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "resource_differs",
                "the proxy's credential is not for the resource that this proxy says it is",
            ));
        }
        let Some(subject) = &who.subject else {
            return Err(Refused::challenge(&self.metadata, "no_subject", "the token is no agent's", true));
        };
        let says = json!({"subject": subject, "task": who.task, "chain": who.chain, "build": who.build});
        let key = Digest::of_json(&says).map_err(|_| {
            Refused::challenge(&self.metadata, "no_subject", "the token's subject cannot be read", true)
        })?;
        // Whoever takes two agents for one gives the one's session to the other.
        let key = if sabotaged!("r3_session_of_anybody") { Digest::of(b"anybody") } else { key };
        let subject = Entity { kind: subject.kind.to_string(), id: subject.id.to_string(), properties: Map::new() };
        Ok(Caller { key, subject })
    }

    /// Until when what is learnt now is believed.
    fn soon(&self) -> u64 {
        self.clock.boot().saturating_add(u64::try_from(KNOWN.as_millis()).unwrap_or(0))
    }

    fn remembered(&self, token: &Digest) -> Option<Result<Caller, Refused>> {
        let now = self.clock.boot();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(token).filter(|(_, until)| now < *until).map(|(caller, _)| caller.clone())
    }

    fn remember(&self, token: Digest, caller: Result<Caller, Refused>) {
        let now = self.clock.boot();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN {
            known.retain(|_, (_, until)| now < *until);
        }
        // Where too many come at once, the gate is asked each time.
        if known.len() < MOST_KNOWN {
            known.insert(token, (caller, self.soon()));
        }
    }
}

/// A place in the queue of those who are to be known.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    /// Whoever comes with made-up tokens holds up nobody for long: a queue has an end.
    fn take(waiting: &'a AtomicUsize) -> Result<Self, Refused> {
        let place = Self(waiting);
        if waiting.fetch_add(1, Ordering::AcqRel) < MOST_LOOKED_FOR {
            return Ok(place);
        }
        let detail = "too many callers wait to be known";
        Err(Refused::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_callers", detail)
            .header(axum::http::header::RETRY_AFTER, "1"))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
