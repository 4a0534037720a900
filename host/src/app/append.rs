//! How use cases write: records with what they touch, appended under the versions that the outcome read.

use policy_core::entity::EntityRef;
use policy_core::json;
use policy_core::time::Timestamp;
use serde::Serialize;

use super::App;
use super::event::{EVENT, GateEvent, LedgerEvent};
use super::refusal::Refusal;
use super::state::State;
use crate::identity::{EndedParty, IdentityEvent};
use crate::store::{AppendError, Log, NewRecord, Positions, VersionKey};

/// How often an outcome is made again when what it read has changed.
pub(super) const ATTEMPTS: usize = 4;

impl App {
    /// The ledger record of an event.
    pub(super) fn ledger(&self, now: Timestamp, event: &LedgerEvent) -> Result<NewRecord, Refusal> {
        let (stream, touches) = match event {
            LedgerEvent::Exception { id, event } => {
                let mut touches = vec![VersionKey::Exception(id.clone())];
                if let policy_core::lifecycle::Event::ExceptionRequested { request, .. } = &**event {
                    touches.push(VersionKey::Requests(request.question.call.subject.to_string()));
                }
                (format!("exception/{id}"), touches)
            }
            LedgerEvent::Identity(event) => ("identity".to_owned(), identity_touches(event)),
            LedgerEvent::Routing(event) => event.place(),
            LedgerEvent::Finding(event) => event.place(),
            LedgerEvent::Ownership(event) => event.place(),
            LedgerEvent::Console(_) => ("console".to_owned(), Vec::new()),
            LedgerEvent::Policy(_) => ("policy".to_owned(), vec![VersionKey::Proposals]),
            LedgerEvent::Membership(_) => ("members".to_owned(), vec![VersionKey::Members]),
            LedgerEvent::Gate(event) => {
                let touches = match event {
                    GateEvent::Locked { .. }
                    | GateEvent::LockRenewed { .. }
                    | GateEvent::LiftVoted { .. }
                    | GateEvent::Unlocked { .. }
                    | GateEvent::TaskEnded { .. } => vec![VersionKey::Locks],
                    GateEvent::PayloadsErased(erasure) => {
                        let exceptions = erasure.exceptions.iter().cloned().map(VersionKey::Exception);
                        let credentials = erasure.credentials.iter().cloned().map(VersionKey::Identity);
                        let tasks = (!erasure.tasks.is_empty()).then_some(VersionKey::Locks);
                        exceptions.chain(credentials).chain(tasks).collect()
                    }
                    GateEvent::ErasureProposed(_) | GateEvent::ErasureConfirmed(_) | GateEvent::ErasureEnded(_) => {
                        vec![VersionKey::Erasures]
                    }
                    GateEvent::HoldPlaced { .. } | GateEvent::HoldLifted { .. } => vec![VersionKey::Holds],
                    GateEvent::GateStarted { .. }
                    | GateEvent::GateStopped { .. }
                    | GateEvent::SigningKeyRotated { .. }
                    | GateEvent::CredentialKeyRotated { .. }
                    | GateEvent::LogKeyRotated { .. }
                    | GateEvent::AllowWithheld { .. }
                    | GateEvent::Limited { .. } => Vec::new(),
                    // What was proposed was proposed against the bundle before.
                    GateEvent::BundleActivated { .. } => vec![VersionKey::Bundle, VersionKey::Proposals],
                    GateEvent::ClockDoubted { .. } | GateEvent::EpochBegun { .. } | GateEvent::ClockTrusted { .. } => {
                        vec![VersionKey::Bundle]
                    }
                };
                ("gate".to_owned(), touches)
            }
        };
        Ok(NewRecord {
            log: Log::Ledger,
            at: now,
            kind: event.kind(),
            stream,
            outcome: None,
            policies: Vec::new(),
            module: None,
            bundle: None,
            payloads: vec![(EVENT, canonical(event)?)],
            touches,
            urgent: false,
            outbox: self.outgoing(now, event)?,
        })
    }

    /// Appends what `make` decides on the state, again when what it read has changed. Nothing to write is success.
    pub(super) async fn admit<T>(
        &self,
        make: impl Fn(&State) -> Result<Proposal<T>, Refusal>,
    ) -> Result<(T, Option<Positions>), Refusal> {
        for _ in 0..ATTEMPTS {
            let Proposal { expected, records, answer } = make(&self.state())?;
            if records.is_empty() {
                return Ok((answer, None));
            }
            match self.store().append(expected, records).await {
                Ok(positions) => return Ok((answer, Some(positions))),
                Err(AppendError::Conflict(_)) => {}
                Err(AppendError::Unavailable) => return Err(Refusal::record_unavailable()),
            }
        }
        Err(contended())
    }
}

/// What is to be written, the versions that it was decided on, and the answer once it is durable.
pub(super) struct Proposal<T> {
    pub expected: Vec<(VersionKey, u64)>,
    pub records: Vec<NewRecord>,
    pub answer: T,
}

/// The code of [`contended`].
pub(super) const CONTENDED: &str = "contended";

/// What an outcome read kept changing.
pub(super) fn contended() -> Refusal {
    Refusal::conflict(CONTENDED, "what this depends on changed several times while it was decided").help("ask again")
}

fn identity_touches(event: &IdentityEvent) -> Vec<VersionKey> {
    let key = |id: &String| VersionKey::Identity(id.clone());
    match event {
        IdentityEvent::TokenMinted { token } => vec![key(&token.id)],
        IdentityEvent::TokenRevoked { id, .. } => vec![key(id)],
        IdentityEvent::CredentialVerified { credential } => vec![key(&credential.id)],
        // The credentials that end with it are its record's to name.
        IdentityEvent::CredentialEnded { ended: EndedParty::Token { token, .. }, .. } => vec![key(token)],
        IdentityEvent::CredentialEnded { ended: EndedParty::Credential { id, .. }, .. } => vec![key(id)],
        IdentityEvent::CredentialEnded { ended: EndedParty::Subject(_), .. } => Vec::new(),
        IdentityEvent::SignedIn { link, session, replaces, .. } => {
            link.iter().chain(replaces).map(key).chain([key(&session.id)]).collect()
        }
        IdentityEvent::SignedOut { session, .. } | IdentityEvent::SignInUsed { session, .. } => vec![key(session)],
        IdentityEvent::PasskeyAdded { passkey } => {
            vec![key(&passkey.id), key(&passkey.credential), key(&passkeys_of(&passkey.person))]
        }
        // A sign-in or a vote by it that is under way conflicts with its end, and with a use by whoever has a copy.
        IdentityEvent::PasskeyUsed { id, .. }
        | IdentityEvent::PasskeySuspended { id, .. }
        | IdentityEvent::PasskeyEnded { id, .. } => vec![key(id)],
    }
}

/// By what two passkeys that are added at once conflict.
pub(super) fn passkeys_of(person: &EntityRef) -> String {
    format!("passkeys of {person}")
}

/// Canonical JSON of what we made ourselves.
pub(super) fn canonical<T: Serialize>(value: &T) -> Result<Vec<u8>, Refusal> {
    json::to_canonical_bytes(value).map_err(|error| no_canonical_form(&error))
}

/// Why something cannot be written.
pub(super) fn no_canonical_form(error: &json::CanonicalError) -> Refusal {
    Refusal::bad("bad_input", format!("it has no canonical form: {error}"))
}
