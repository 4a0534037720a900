//! Retention: how long each class is kept. Once a day by the gate's clock what is older is erased, and that is a record,
//! also where nothing was.

use std::collections::BTreeMap;
use std::path::Path;

use policy_core::time::{Span, Timestamp};
use serde::Deserialize;
use thiserror::Error;

use super::event::Erasure;
use super::needed::LOOKED_AT;
use super::report::ErasureReport;
use super::run::Act;
use super::selection::{Class, Selection, Who};
use crate::app::append::Proposal;
use crate::app::event::{GateEvent, LedgerEvent};
use crate::app::refusal::Refusal;
use crate::app::{App, identities};
use crate::random;
use crate::store::Verified;

/// In whose name it is done.
pub const RETENTION: &str = "retention";
/// How often.
const EVERY: Span = Span::from_seconds(86_400);

/// How long each class is kept; what is not named is kept for ever.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// By class.
    #[serde(default)]
    pub keep: BTreeMap<Class, Span>,
}

/// Why a file of retention says nothing.
#[derive(Debug, Error)]
pub enum RetentionError {
    /// It cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    File {
        /// Which.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is no such file.
    #[error("`{path}` does not say how long what is kept: {message}")]
    Shape {
        /// Which.
        path: String,
        /// What is wrong.
        message: String,
    },
}

impl RetentionError {
    /// A stable snake_case code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "file_unusable",
            Self::Shape { .. } => "bad_retention",
        }
    }
}

impl Retention {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, names no class, or keeps one for less than the gate needs it.
    pub fn read(file: &Path) -> Result<Self, RetentionError> {
        let path = file.display().to_string();
        let text =
            std::fs::read_to_string(file).map_err(|source| RetentionError::File { path: path.clone(), source })?;
        let shape = |message: String| RetentionError::Shape { path: path.clone(), message };
        let read: Self = toml::from_str(&text).map_err(|error| shape(error.message().to_owned()))?;
        match read.keep.iter().find(|(_, age)| **age < LOOKED_AT) {
            Some((class, age)) => {
                Err(shape(format!("`{}` is kept for `{age}`, and the gate itself needs `{LOOKED_AT}`", class.word())))
            }
            None => Ok(read),
        }
    }
}

impl App {
    /// Erases what is older than it is kept, where the last time was a day ago. What was erased; absent where it is not
    /// time.
    ///
    /// # Errors
    /// As [`App::erase`].
    pub async fn retain_due(&self) -> Result<Option<ErasureReport>, Refusal> {
        let keep = &self.settings().retention.keep;
        let now = self.now();
        let (last, trusted) = {
            let state = self.state();
            (state.erased.looked_at(), !state.clock_doubted)
        };
        // INVARIANT (R6): by a clock that is in doubt nothing is old.
        // Nor is anything erased before all of the record is verified: what is not due now is at the next look.
        let read = self.folded().verified() == Verified::Whole;
        if keep.is_empty()
            || !read
            || !trusted
            || !self.time().await.safe
            || last.is_some_and(|last| now < last.plus(EVERY))
        {
            return Ok(None);
        }
        let mut all = ErasureReport::default();
        for (class, age) in keep {
            let selection = Selection { who: Who::Anybody, older_than: Some(*age), classes: vec![*class] };
            let reason = format!("{} are kept for {age}", class.word());
            let done = self
                .carry_out(&selection, Act { by: RETENTION, reason: &reason, dry_run: false, by_two: None })
                .await?;
            done.erased.iter().for_each(|(class, payloads)| all.count(*class, *payloads));
            all.lost.add(done.lost);
            all.records.extend(done.records);
        }
        self.note_retention(now).await?;
        Ok(Some(all))
    }

    /// That it was looked, of this day.
    async fn note_retention(&self, now: Timestamp) -> Result<(), Refusal> {
        let run = random::id(self.random(), "era").map_err(|_| identities::no_randomness())?;
        let erasure = Erasure {
            run,
            what: "age".to_owned(),
            of: None,
            older_than: None,
            classes: self.settings().retention.keep.keys().copied().collect(),
            by: RETENTION.to_owned(),
            reason: "what is older than it is kept is erased".to_owned(),
            at: now,
            proposal: None,
            people: Vec::new(),
            erased: Vec::new(),
            counts: BTreeMap::new(),
            lost: super::Lost::default(),
            exceptions: Vec::new(),
            credentials: Vec::new(),
            tasks: Vec::new(),
        };
        let event = LedgerEvent::Gate(GateEvent::PayloadsErased(Box::new(erasure)));
        self.admit(|_| Ok(Proposal { expected: Vec::new(), records: vec![self.ledger(now, &event)?], answer: () }))
            .await
            .map(drop)
    }
}
