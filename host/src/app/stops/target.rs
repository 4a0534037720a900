//! What can be locked: what is there. A lock on a name that nothing has would hold nothing, and look as if it did.

use policy_core::question::LockTarget;
use policy_core::text;
use policy_core::time::Timestamp;

use super::super::App;
use super::super::refusal::Refusal;
use crate::identity::TokenFacts;

impl App {
    /// Refuses a target that no lock could stop anything by.
    ///
    /// Ids of subjects, people and tasks are not looked up: whoever is to be stopped may not have been seen yet.
    pub(super) fn check_target(&self, target: &LockTarget) -> Result<(), Refusal> {
        let named = match target {
            LockTarget::Subject(entity) | LockTarget::Person(entity) => entity.id.as_str(),
            LockTarget::Task(id) | LockTarget::Tool(id) | LockTarget::Server(id) | LockTarget::Grant(id) => id,
        };
        if !text::is_identifier(named) {
            return Err(Refusal::bad("bad_name", "that cannot be locked: it is no id"));
        }
        let policy = self.policy();
        let (is_there, what, help) = match target {
            LockTarget::Subject(entity) => (
                policy.is_subject(&entity.kind),
                format!("`{}` is no type of workloads", text::visible(&entity.kind, 80)),
                format!("its type is one of {}", policy.subject_types().join(", ")),
            ),
            LockTarget::Person(entity) => (
                entity.kind == policy.person_type(),
                format!("`{}` is no type of people", text::visible(&entity.kind, 80)),
                format!("its type is {}", policy.person_type()),
            ),
            LockTarget::Task(_) => return Ok(()),
            LockTarget::Tool(tool) => (
                policy.may_call(tool),
                format!("the bundle has no action and no tool `{tool}`"),
                "name a tool as its server does, or an action of the bundle".to_owned(),
            ),
            LockTarget::Server(server) => (
                policy.maps_server(server) || self.is_served(server, self.now()),
                format!("no enforcement point and no tool of the bundle is for a server `{server}`"),
                "name a server as the enforcement points' credentials do".to_owned(),
            ),
            LockTarget::Grant(grant) => (
                self.state().grants.contains_key(grant),
                format!("there is no grant `{grant}`"),
                "take the id from the exception's history".to_owned(),
            ),
        };
        if is_there { Ok(()) } else { Err(Refusal::bad("bad_target", what).help(help)) }
    }

    /// Whether an enforcement point was ever given a credential for this server.
    fn is_served(&self, server: &str, now: Timestamp) -> bool {
        self.state().registry.list(now).iter().any(|(token, _)| match &token.facts {
            TokenFacts::EnforcementPoint { servers, .. } => servers.iter().any(|served| served == server),
            TokenFacts::Agent { .. } | TokenFacts::Approver { .. } => false,
        })
    }
}
