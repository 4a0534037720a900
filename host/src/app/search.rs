//! Searches (AuthZEN): which subjects, resources or actions an evaluation would permit. Each page is one record, uses
//! nothing, and tells nobody about subjects that are not theirs.

use std::collections::BTreeSet;

use policy_core::containment;
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::outcome::{Evaluation, Outcome};
use policy_core::question::{Requested, SealedQuestion};
use proviso_api::authzen::{Action, Entity, EvaluationRequest};
use proviso_api::search::{ActionSearch, Found, PageReply, PageRequest, ResourceSearch, SearchReply, SubjectSearch};
use serde_json::{Map, Value};

use super::App;
use super::append::{ATTEMPTS, canonical};
use super::asker::{ASK, Ask, Asker};
use super::evaluate::SMALLEST;
use super::event::{QUESTIONS, SEARCH, SearchRecord};
use super::inputs::{self, Apart};
use super::page;
use super::refusal::Refusal;
use super::time::Reading;
use crate::identity::{AgentCredential, Credential, EMBEDDED};
use crate::random;
use crate::store::{AppendError, Log, NewRecord, VersionKey};

/// How many results a page has when nobody says.
const USUAL_PAGE: u32 = 50;
/// How many it may have, and how many are looked at for one page.
const LARGEST_PAGE: u32 = 100;

/// What is searched for.
#[derive(Debug, Clone)]
pub enum Search {
    /// Who may do this to that?
    Subject(SubjectSearch),
    /// On what may this subject do that?
    Resource(ResourceSearch),
    /// What may this subject do to that?
    Action(ActionSearch),
}

/// One that may turn out to be a result.
struct Possible {
    /// Its place in the order of the search.
    key: String,
    found: Found,
    question: EvaluationRequest,
}

/// What came of one of them.
struct Tried {
    question: Option<SealedQuestion>,
    permits: bool,
    /// What made it, where the module's answer alone did not.
    apart: Option<String>,
}

/// A page as it will be recorded.
struct Page {
    expected: Vec<(VersionKey, u64)>,
    record: NewRecord,
    reply: SearchReply,
}

impl Search {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Subject(_) => "subject",
            Self::Resource(_) => "resource",
            Self::Action(_) => "action",
        }
    }

    const fn page(&self) -> &PageRequest {
        match self {
            Self::Subject(SubjectSearch { page, .. })
            | Self::Resource(ResourceSearch { page, .. })
            | Self::Action(ActionSearch { page, .. }) => page,
        }
    }

    /// The subject that is asked about; none where subjects are searched for.
    fn subject(&self) -> Option<EntityRef> {
        match self {
            Self::Subject(_) => None,
            Self::Resource(ResourceSearch { subject, .. }) | Self::Action(ActionSearch { subject, .. }) => {
                Some(EntityRef::new(&subject.kind, &subject.id))
            }
        }
    }

    /// Everything that must be the same on the next page.
    fn query(&self) -> Result<Value, Refusal> {
        let value = match self {
            Self::Subject(search) => serde_json::to_value(search),
            Self::Resource(search) => serde_json::to_value(search),
            Self::Action(search) => serde_json::to_value(search),
        };
        let mut value = value.map_err(|error| Refusal::bad("bad_input", error.to_string()))?;
        if let Some(page) = value.get_mut("page").and_then(Value::as_object_mut) {
            page.remove("token");
        }
        Ok(value)
    }
}

impl App {
    /// Searches. An agent, alone or through an enforcement point, is told of its own subject in its own task; an
    /// enforcement point alone of every subject that its credential names, by scope and without a task.
    ///
    /// # Errors
    /// `not_for_this_subject` for another's subject; `bad_page_token`; what an evaluation is refused for, but unknown
    /// types and ids, which find nothing.
    pub async fn search(
        &self,
        caller: &Credential,
        subject: Option<&Credential>,
        search: Search,
    ) -> Result<SearchReply, Refusal> {
        let asks = self.who_searches(caller, subject, &search)?;
        // A page is one turn of who searches, as an evaluation is, also where it finds nobody to ask about.
        let _turn = match (caller, asks.first()) {
            (Credential::EnforcementPoint(point), _) if subject.is_none() => self.turn_of_point(point).await?,
            (_, Some(asker)) => self.turn(asker).await?,
            (_, None) => return Err(not_yours()),
        };
        self.record_held_stops().await;
        for _ in 0..ATTEMPTS {
            let page = self.page(caller, subject, &search).await?;
            // INVARIANT (R1): what policy permits is told after the record of telling it is durable.
            match self.store().append(page.expected, vec![page.record]).await {
                Ok(_) => return Ok(page.reply),
                Err(AppendError::Conflict(_)) => {}
                Err(AppendError::Unavailable) => return Err(Refusal::record_unavailable()),
            }
        }
        Err(super::append::contended())
    }

    async fn page(&self, caller: &Credential, subject: Option<&Credential>, search: &Search) -> Result<Page, Refusal> {
        let reading = self.time().await;
        let limit = match search.page().limit {
            None => USUAL_PAGE,
            Some(0) => return Err(Refusal::bad("bad_request", "`page.limit` is a whole number from 1")),
            Some(limit) => limit.min(LARGEST_PAGE),
        };
        let asks = self.who_searches(caller, subject, search)?;
        let query = search.query()?;
        let credentials: Vec<String> = [Some(caller), subject].into_iter().flatten().map(token_of).collect();
        let bound = serde_json::json!({
            "kind": search.kind(), "query": query, "by": credentials, "bundle": self.policy().digest(),
        });
        let bound = Digest::of(&canonical(&bound)?);
        let token = search.page().token.as_str();
        let after = if token.is_empty() { None } else { Some(page::after(self.keys(), bound, token)?) };
        let mut expected = BTreeSet::new();
        {
            let state = self.state();
            for id in &credentials {
                self.still_live(&state, id, reading.now)?;
                expected.insert(state.version(VersionKey::Identity(id.clone())));
            }
            expected.insert(state.version(VersionKey::Bundle));
            expected.insert(state.version(VersionKey::Locks));
        }
        let mut all: Vec<(Asker, Possible)> = asks
            .into_iter()
            .flat_map(|asker| {
                let possible = self.possible(&asker, search);
                possible.into_iter().map(move |possible| (asker.clone(), possible))
            })
            .filter(|(_, possible)| after.as_ref().is_none_or(|after| possible.key > *after))
            .collect();
        all.sort_by(|(_, a), (_, b)| a.key.cmp(&b.key));
        let count = all.len();
        let (mut results, mut questions, mut judged, mut last) = (Vec::new(), Vec::new(), Vec::new(), String::new());
        let mut apart = Vec::new();
        for (asker, possible) in all.into_iter().take(usize::try_from(LARGEST_PAGE).unwrap_or(usize::MAX)) {
            let tried = self.would_permit(&asker, &possible.question, reading, &mut expected).await?;
            if let Some(why) = tried.apart {
                apart.push(Apart { at: u32::try_from(judged.len()).unwrap_or(u32::MAX), why });
            }
            judged.push(possible.key.clone());
            last = possible.key;
            if let Some(mut question) = tried.question {
                self.policy().redact(&mut question, self.keys());
                questions.push(question);
            }
            if tried.permits {
                results.push(possible.found);
            }
            if results.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
                break;
            }
        }
        let next_token = if judged.len() < count { page::token(self.keys(), bound, &last)? } else { String::new() };
        let found = u32::try_from(results.len()).unwrap_or(u32::MAX);
        let record = SearchRecord {
            search: random::id(self.random(), "search").map_err(|_| super::identities::no_randomness())?,
            credentials,
            kind: search.kind().to_owned(),
            query,
            after,
            judged,
            results: results.clone(),
            apart: Some(apart),
        };
        let record = self.search_record(&record, &questions, reading)?;
        let reply = SearchReply { page: PageReply { next_token, count: found }, results };
        Ok(Page { expected: expected.into_iter().collect(), record, reply })
    }

    /// Whose subjects are asked about: one asker for each.
    ///
    /// INVARIANT (design 8): nobody learns of a subject that their credential does not name.
    fn who_searches(
        &self,
        caller: &Credential,
        subject: Option<&Credential>,
        search: &Search,
    ) -> Result<Vec<Asker>, Refusal> {
        let (Credential::EnforcementPoint(point), None) = (caller, subject) else {
            let asker = Asker::of(caller, subject)?;
            return match search.subject() {
                Some(wanted) if wanted != asker.agent.subject => Err(not_yours()),
                _ => Ok(vec![asker]),
            };
        };
        let subjects = match (search, search.subject()) {
            (_, Some(wanted)) if point.subjects.matches(&wanted) => vec![wanted],
            (_, Some(_)) => return Err(not_yours()),
            (Search::Subject(SubjectSearch { subject, .. }), None) => {
                let known = self.policy().of_type(&subject.kind);
                known.into_iter().filter(|known| point.subjects.matches(known)).collect()
            }
            (_, None) => Vec::new(),
        };
        let alone = |subject: EntityRef| Asker {
            agent: AgentCredential {
                token: point.token.clone(),
                subject,
                task: String::new(),
                via: Vec::new(),
                on_behalf: None,
                build: None,
                resource: None,
                issuer: EMBEDDED.to_owned(),
                proof: None,
            },
            point: Some(point.clone()),
        };
        // Nobody to ask about: the search is still this credential's, and recorded.
        Ok(subjects.into_iter().map(alone).collect())
    }

    /// What may turn out to be a result, about this subject.
    fn possible(&self, asker: &Asker, search: &Search) -> Vec<Possible> {
        let own = &asker.agent.subject;
        let question = |action: &Action, resource: Entity, said: Map<String, Value>, context: &Map<String, Value>| {
            let mut context = context.clone();
            context.insert(ASK.to_owned(), true.into());
            let subject = Entity { kind: own.kind.to_string(), id: own.id.to_string(), properties: said };
            EvaluationRequest { subject, action: action.clone(), resource, context }
        };
        let of = |entity: &EntityRef| Found::Entity { kind: entity.kind.to_string(), id: entity.id.to_string() };
        let plain = |entity: &EntityRef| Entity {
            kind: entity.kind.to_string(),
            id: entity.id.to_string(),
            properties: Map::new(),
        };
        match search {
            Search::Subject(search) if search.subject.kind != own.kind => Vec::new(),
            Search::Subject(search) => vec![Possible {
                key: own.id.to_string(),
                found: of(own),
                question: question(&search.action, search.resource.clone(), Map::new(), &search.context),
            }],
            Search::Resource(search) => {
                let known = self.policy().of_type(&search.resource.kind);
                let possible = known.into_iter().map(|resource| Possible {
                    key: resource.id.to_string(),
                    found: of(&resource),
                    question: question(
                        &search.action,
                        plain(&resource),
                        search.subject.properties.clone(),
                        &search.context,
                    ),
                });
                possible.collect()
            }
            Search::Action(search) => {
                let actions = self.policy().actions_for(&own.kind, &search.resource.kind);
                let possible = actions.into_iter().map(|name| Possible {
                    key: name.clone(),
                    found: Found::Action { name: name.clone() },
                    question: question(
                        &Action { name, properties: Map::new() },
                        search.resource.clone(),
                        search.subject.properties.clone(),
                        &search.context,
                    ),
                });
                possible.collect()
            }
        }
    }

    /// Whether an evaluation would permit it now. What cannot be sealed is not permitted.
    async fn would_permit(
        &self,
        asker: &Asker,
        body: &EvaluationRequest,
        reading: Reading,
        expected: &mut BTreeSet<(VersionKey, u64)>,
    ) -> Result<Tried, Refusal> {
        let ask = Ask::of(asker, body)?;
        let Ok(mut question) = self.policy().seal(asker, &ask, reading.now, self.done(&asker.agent.task)) else {
            return Ok(Tried { question: None, permits: false, apart: Some(inputs::NOT_SEALED.to_owned()) });
        };
        self.refresh_grants(&question).await?;
        let read = self.read(asker, &ask, &question, reading.safe)?;
        let (held_grants, held_uses, held_sum) = self.held_already(&question, None, reading.now);
        question.requested = Requested {
            duration: SMALLEST,
            uses: 1,
            held_grants,
            held_uses,
            held_sum,
            emergency: false,
            asker: None,
            sum: 0,
        };
        question.candidates = read.candidates.clone();
        question.locks = read.locks.clone();
        expected.extend(read.expected.iter().chain(&read.used).cloned());
        let (answer, limit) = self.judge(&question).await;
        let believed = self.state_fault(asker, &ask)?.is_none();
        let permits = answer.outcome.permits();
        let made = if permits && !is_ours(&answer, &question) {
            Some(inputs::NOT_A_CANDIDATE.to_owned())
        } else if permits && !believed {
            Some(inputs::APPROVAL_UNVERIFIABLE.to_owned())
        } else {
            // Terms that nobody here can meet change nothing of what is found.
            limit.filter(|limit| ![inputs::STEP_UP, inputs::NO_COPY].contains(&limit.as_str()))
        };
        Ok(Tried { question: Some(question), permits: permits && made.is_none(), apart: made })
    }

    fn search_record(
        &self,
        search: &SearchRecord,
        questions: &[SealedQuestion],
        reading: Reading,
    ) -> Result<NewRecord, Refusal> {
        let who = search.credentials.join(" ");
        Ok(NewRecord {
            log: Log::Decisions,
            at: reading.now,
            kind: "search".to_owned(),
            stream: format!("search/{}", self.keys().pseudonym(&who)),
            outcome: None,
            policies: Vec::new(),
            module: Some(self.engine().module()),
            bundle: Some(self.policy().digest()),
            payloads: vec![(SEARCH, canonical(search)?), (QUESTIONS, canonical(&questions)?)],
            touches: Vec::new(),
            urgent: false,
            outbox: Vec::new(),
        })
    }
}

/// INVARIANT (R3): what the module says a grant permits is a candidate of ours that covers the call.
fn is_ours(answer: &Evaluation, question: &SealedQuestion) -> bool {
    if answer.outcome != Outcome::PermittedByException {
        return true;
    }
    let mut candidates = question.candidates.iter();
    candidates.any(|candidate| {
        answer.grant.as_deref() == Some(candidate.grant.id.as_str()) && containment::covers(candidate, question).is_ok()
    })
}

fn token_of(credential: &Credential) -> String {
    match credential {
        Credential::Agent(agent) => agent.token.clone(),
        Credential::EnforcementPoint(point) => point.token.clone(),
    }
}

fn not_yours() -> Refusal {
    Refusal::forbidden("not_for_this_subject", "a search is about the caller's own subjects")
        .help("an agent searches for itself, an enforcement point for the subjects that its token names")
}
