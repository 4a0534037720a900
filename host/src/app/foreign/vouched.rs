//! An agent on the word of an enforcement point that the operator lets vouch: no credential of its own was shown.

use policy_core::entity::EntityRef;
use policy_core::json;
use policy_core::text;
use serde::Deserialize;

use crate::app::App;
use crate::app::identities::hold_chain;
use crate::app::refusal::Refusal;
use crate::identity::{AgentCredential, Credential, PointCredential, vouched_by};

/// What may be said.
const LIMITS: json::Limits = json::Limits { max_bytes: 4 * 1024, max_depth: 4 };

/// Who acts in which task for whom, as a point says it, in the bundle's words.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vouched {
    subject: Named,
    task: String,
    /// The agents between it and the human, from the one that called it inward.
    #[serde(default)]
    via: Vec<Named>,
    /// The human behind it, by id.
    #[serde(default, rename = "for")]
    on_behalf: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    #[serde(rename = "type")]
    kind: String,
    id: String,
}

impl App {
    /// The agent that an enforcement point vouches for.
    ///
    /// # Errors
    /// `may_not_vouch` for whoever the operator does not let; `bad_vouching`, and those of minting an agent's token.
    pub fn vouched(&self, caller: &Credential, said: &str) -> Result<Credential, Refusal> {
        // INVARIANT (R3): only the operator makes somebody's word one for subject, task and chain.
        let point = match caller {
            Credential::EnforcementPoint(point) if point.vouches => point,
            Credential::EnforcementPoint(_) | Credential::Agent(_) => {
                return Err(Refusal::forbidden("may_not_vouch", "this credential may vouch for nobody"));
            }
        };
        let unreadable = |_| Refusal::bad("bad_vouching", "`Proviso-Vouched` is no JSON of that shape");
        let said: Vouched = json::read_as(said.as_bytes(), LIMITS).map_err(unreadable)?;
        self.agent_of(point, said).map(Credential::Agent)
    }

    fn agent_of(&self, point: &PointCredential, said: Vouched) -> Result<AgentCredential, Refusal> {
        let entity = |named: Named| EntityRef::new(named.kind, named.id);
        let (subject, via) = (entity(said.subject), said.via.into_iter().map(entity).collect::<Vec<_>>());
        // INVARIANT (R11): what names somebody is a name, whoever says it.
        let agents = || std::iter::once(&subject).chain(&via);
        if !agents().map(|agent| agent.id.as_str()).chain([said.task.as_str()]).all(text::is_identifier) {
            return Err(Refusal::bad("bad_name", "the task, or an agent, cannot be a name here"));
        }
        if let Some(stranger) = agents().find(|agent| !self.policy().is_subject(&agent.kind)) {
            let shown = text::visible(&stranger.kind, 80);
            return Err(Refusal::bad("unknown_type", format!("`{shown}` is no subject type of the bundle"))
                .help("`[types] subjects` in `bundle.toml` lists them"));
        }
        hold_chain(&subject, &via, said.on_behalf.is_some())?;
        let on_behalf = said.on_behalf.map(|user| EntityRef::new(self.policy().person_type(), user));
        on_behalf.iter().try_for_each(|person| self.known_person(person))?;
        Ok(AgentCredential {
            // It stands and falls with the point's own.
            token: point.token.clone(),
            subject,
            task: said.task,
            via,
            on_behalf,
            build: None,
            resource: None,
            issuer: vouched_by(&point.name),
            proof: None,
        })
    }
}
