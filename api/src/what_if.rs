//! `POST /api/v1/what-if`: a question made up by a person, sealed as it would be now. The page evaluates it on the gate's own
//! module; the gate decides nothing by it and writes nothing down.

use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::question::SealedQuestion;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is asked. With a `record`, all that is not said is as it was there.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct WhatIf {
    /// The position of an evaluation in the log of decisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<u64>,
    /// Who would act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<EntityRef>,
    /// In which task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// On behalf of which person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf: Option<EntityRef>,
    /// Through which server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// On what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<EntityRef>,
    /// The arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
}

/// The question, sealed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhatIfReply {
    /// The gate's time.
    pub now: Timestamp,
    /// What was asked, with all that the record said of it.
    pub asked: WhatIf,
    /// What would run, in the bundle author's words.
    pub says: String,
    /// The question: with today's facts, grants and locks.
    pub question: SealedQuestion,
    /// The module that judges, served at `/policy/{sha256}.wasm`.
    pub module: Digest,
    /// What the evaluation then said, where there is a record of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<policy_core::outcome::Evaluation>,
}
