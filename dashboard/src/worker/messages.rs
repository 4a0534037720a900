//! What page and worker say to each other: JSON text, and for the module its bytes beside it.

use policy_core::abi::{Load, Previewed};
use policy_core::digest::Digest;
use policy_core::grant::Grant;
use policy_core::outcome::Evaluation;
use policy_core::question::SealedQuestion;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::view_model::preview::Trial;

/// From the page.
#[derive(Serialize, Deserialize)]
pub enum ToWorker {
    /// Once: what everything is tried on. The module's bytes come beside it.
    Start(Box<Start>),
    /// Try this grant.
    Try(u64, Box<Trial>),
    /// Once, and nothing else: evaluate this question. The module's bytes come beside it.
    One(Box<One>),
}

/// One question.
#[derive(Serialize, Deserialize)]
pub struct One {
    /// The digest that the module's bytes must have.
    pub module: Digest,
    /// The bundle.
    pub load: Load,
    /// The question.
    pub question: SealedQuestion,
}

/// What one question was answered with.
#[derive(Serialize, Deserialize)]
pub struct Answered {
    /// The answer.
    pub answer: Evaluation,
    /// How long it took, in milliseconds.
    pub millis: f64,
}

/// What everything is tried on.
#[derive(Serialize, Deserialize)]
pub struct Start {
    /// The digest that the module's bytes must have.
    pub module: Digest,
    /// The bundle.
    pub load: Load,
    /// The refused question.
    pub question: SealedQuestion,
    /// The grant that each trial changes.
    pub grant: Grant,
    /// Recorded denials.
    pub others: Vec<SealedQuestion>,
    /// The sheet's instant.
    pub at: Timestamp,
}

/// From the worker.
#[derive(Serialize, Deserialize)]
pub enum FromWorker {
    /// It listens.
    Up,
    /// The module stands and has read the bundle.
    Ready {
        /// For compiling and loading, in milliseconds.
        millis: f64,
    },
    /// There is no module to ask.
    Broken(Broken),
    /// What the one question was answered with.
    Answered(Result<Box<Answered>, Broken>),
    /// What trial `.0` gave.
    Tried(u64, Result<Box<Tried>, Broken>),
}

/// What one trial gave.
#[derive(Serialize, Deserialize)]
pub struct Tried {
    /// The preview.
    pub previewed: Previewed,
    /// The grant as policy.
    pub cedar: String,
    /// For the preview, in milliseconds.
    pub millis: f64,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// A stable code.
    pub code: String,
    /// One sentence.
    pub message: String,
}
