//! What somebody wants to see of the log.

use std::collections::BTreeSet;

use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;
use proviso_api::record::RecordLine;
use serde::Serialize;

use crate::app::App;
use crate::app::console::About;
use crate::app::proofs::named;
use crate::app::refusal::Refusal;
use crate::app::state::State;
use crate::store::{Log, Sought};

/// The longest word that the list is narrowed by.
const LONGEST: usize = 512;
/// How many kinds at once.
const MOST_KINDS: usize = 32;

/// What a list of the log is narrowed to. All of it has to fit; what is absent narrows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LinesWanted {
    /// One log, as addresses name it.
    pub log: Option<String>,
    /// One record of that log.
    pub seq: Option<u64>,
    /// Kinds of records, with commas between.
    pub kind: Option<String>,
    /// Who did it, by id or as `TYPE::ID`.
    pub person: Option<String>,
    /// The agent that it is about, by id or as `TYPE::ID`.
    pub agent: Option<String>,
    /// The task.
    pub task: Option<String>,
    /// The exception.
    pub exception: Option<String>,
    /// The grant: its exception is meant.
    pub grant: Option<String>,
    /// From this time on.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
}

/// The same, with what memory knows of where that stands.
pub(super) struct Narrowed {
    pub(super) wanted: LinesWanted,
    /// In which logs.
    pub(super) logs: Vec<Log>,
    pub(super) sought: Sought,
    /// The exception, by whichever name.
    exception: Option<String>,
    /// Where the call was refused that led to it: that record knows nothing of it.
    refused: Option<u64>,
}

impl App {
    /// Finds out where it stands. Nothing: it is of a grant that nobody knows, so no record can fit.
    ///
    /// # Errors
    /// `unknown_log`; `bad_request` for what is too long, or a position without its log.
    pub(super) fn narrowed(&self, wanted: LinesWanted) -> Result<Option<Narrowed>, Refusal> {
        let words = [&wanted.kind, &wanted.person, &wanted.agent, &wanted.task, &wanted.exception, &wanted.grant];
        if words.into_iter().flatten().any(|word| word.len() > LONGEST) {
            return Err(Refusal::bad("bad_request", format!("no word has more than {LONGEST} bytes here")));
        }
        let logs = match wanted.log.as_deref() {
            Some(name) => vec![named(&name.replace('/', "-"))?],
            None if wanted.seq.is_some() => {
                return Err(Refusal::bad("bad_request", "a position is one of a log")
                    .help("say `log` besides: `ledger` or `decisions-main`"));
            }
            None => Log::ALL.to_vec(),
        };
        let kinds: BTreeSet<String> = wanted
            .kind
            .iter()
            .flat_map(|kinds| kinds.split(','))
            .map(|kind| kind.trim().to_owned())
            .filter(|kind| !kind.is_empty())
            .collect();
        if kinds.len() > MOST_KINDS {
            return Err(Refusal::bad("bad_request", format!("at most {MOST_KINDS} kinds at once")));
        }
        let mut sought = Sought { kinds, streams: None, since: wanted.since, until: wanted.until };
        let (mut exception, mut refused) = (wanted.exception.clone(), None);
        let state = self.state();
        if let Some(grant) = &wanted.grant {
            let Some(of) = state.grants.get(grant) else { return Ok(None) };
            if exception.as_ref().is_some_and(|exception| exception != of) {
                return Ok(None);
            }
            exception = Some(of.clone());
        }
        if let Some(id) = &exception {
            refused = state.exceptions.get(id).map(|entry| entry.origin.refused_seq);
            sought.streams = Some(self.streams_of(&state, id));
        }
        drop(state);
        Ok(Some(Narrowed { wanted, logs, sought, exception, refused }))
    }

    /// In which streams something of an exception may stand.
    fn streams_of(&self, state: &State, id: &str) -> BTreeSet<String> {
        let leaf = format!("exception/{id}");
        // Of one that was erased the leaves still say where they belong.
        let Some(entry) = state.exceptions.get(id) else { return BTreeSet::from([leaf]) };
        let subject = &entry.exception.request.question.call.subject;
        let findings = state.findings.of(subject).filter(|finding| finding.facts.exception.as_deref() == Some(id));
        let findings = findings.map(|finding| format!("finding/{}", finding.facts.id));
        let reports = entry.reports.keys().map(|evaluation| format!("evaluation/{evaluation}"));
        let own = [leaf, format!("subject/{}", self.keys().pseudonym(&subject.to_string())), "gate".to_owned()];
        own.into_iter().chain(findings).chain(reports).collect()
    }
}

impl Narrowed {
    /// Whether a record is one of those that are wanted. Held only against what any reader of its line sees, so that no
    /// list tells by what it leaves out.
    pub(super) fn fits(&self, line: &RecordLine, about: Option<&About>) -> bool {
        let Self { wanted, exception, refused, .. } = self;
        let named = |wanted: &Option<String>, of: Option<&EntityRef>| {
            wanted.as_deref().is_none_or(|wanted| {
                of.is_some_and(|of| of.id == wanted || format!("{}::{}", of.kind, of.id) == wanted)
            })
        };
        let agent = line.subject.as_ref().or_else(|| about.and_then(About::of));
        let task = line.task.as_deref().or_else(|| about.and_then(About::task));
        let led_to_it = line.log == Log::Decisions.name() && *refused == Some(line.seq);
        named(&wanted.person, line.by.as_ref())
            && named(&wanted.agent, agent)
            && wanted.task.as_deref().is_none_or(|wanted| task == Some(wanted))
            && exception.as_ref().is_none_or(|id| line.exception.as_ref() == Some(id) || led_to_it)
    }
}
