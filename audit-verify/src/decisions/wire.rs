//! A decision as its payload holds it: the members that a check needs. Others are not looked at.

use serde::Deserialize;

use super::UseFault;
use crate::grants::{Entity, Grant};

/// One evaluation.
#[derive(Debug, Deserialize)]
pub(super) struct Decision {
    pub(super) evaluation: String,
    purpose: String,
    pub(super) call: Option<String>,
    subject: Entity,
    task: String,
    action: String,
    #[serde(default)]
    actors: Vec<Entity>,
    server: Option<String>,
    input_digest: Option<String>,
    pub(super) answer: Answer,
    #[serde(default)]
    pub(super) repeated: bool,
    pub(super) exception: Option<String>,
}

/// What was answered.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    pub(super) outcome: String,
    grant: Option<String>,
}

impl Decision {
    /// Whether it takes a use: a question takes nothing, and the same call within ten seconds nothing again.
    pub(super) fn takes(&self) -> bool {
        self.purpose == "use" && !self.repeated
    }

    /// The fault that this is not what the grant says.
    pub(super) fn differs(&self, what: &'static str) -> UseFault {
        UseFault::NotGranted { evaluation: self.evaluation.clone(), what }
    }

    /// What of the call lies outside this grant; nothing where all of it lies inside.
    pub(super) fn outside(&self, grant: &Grant) -> Option<&'static str> {
        let hops = grant.chain.as_array().map_or(&[][..], Vec::as_slice);
        let chain = hops.len() == self.actors.len()
            && hops.iter().zip(&self.actors).all(|(hop, actor)| {
                hop["id"] == *actor.id && hop["type"].as_str().is_some_and(|kind| same_type(&actor.kind, kind))
            });
        let exact = grant.scope.arguments.as_str() == Some("exact");
        let checks = [
            ("grant", self.answer.grant.as_ref() == Some(&grant.id)),
            ("subject", self.subject.id == grant.subject.id && same_type(&self.subject.kind, &grant.subject.kind)),
            ("task", self.task == grant.task),
            ("chain", chain),
            ("server", self.server == grant.server),
            ("action", self.action == grant.action),
            ("input_digest", !exact || self.input_digest.as_ref() == Some(&grant.input_digest)),
        ];
        checks.iter().find(|(_, holds)| !holds).map(|(what, _)| *what)
    }
}

/// Whether two names of a type mean one: a caller may write it with the bundle's namespace, a grant never does.
fn same_type(asked: &str, granted: &str) -> bool {
    asked.strip_suffix(granted).is_some_and(|namespace| namespace.is_empty() || namespace.ends_with("::"))
}
