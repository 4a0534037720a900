//! A reader who knows the events alone, and none of the code that decided them.

use std::collections::BTreeSet;

use crate::abi::Eligibility;
use crate::fixtures::exact;
use crate::grant::Scope;
use crate::lifecycle::{Context, Event, ReviewKind, VoteDecision};
use crate::time::Timestamp;

/// Who may never vote on, review or judge the request of these models, whatever policy says.
pub(super) const INVOLVED: [&str; 3] = ["rita", "alice", "olga"];

/// What a reader of the record has noted.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reader {
    decide_by: i64,
    /// How many persons it takes by the strictest terms since the request, or as policy says for a declared emergency.
    needed: u32,
    emergency: bool,
    /// Whether each version is the wide scope or the exact one, which lies inside it.
    versions: Vec<bool>,
    /// Who said yes, to which version, and whether to what lies inside, too.
    approvals: Vec<(String, usize, bool)>,
    decided: BTreeSet<String>,
    bundle: String,
    grant: Option<Window>,
    suspended: bool,
    ended: Option<String>,
    reviews: Vec<(String, bool)>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Window {
    made: i64,
    begin: i64,
    end: i64,
    max_uses: usize,
    /// So many uses in so many milliseconds.
    rate: Option<(usize, i64)>,
    /// When it was last judged.
    judged: i64,
    /// Each use: the evaluation, when, and whether it was given back.
    uses: Vec<(String, i64, bool)>,
}

impl Window {
    fn used(&self) -> usize {
        self.uses.iter().filter(|(_, _, back)| !back).count()
    }
}

fn may_vote(context: &Context, id: &str) -> bool {
    let by_policy = |e: &Eligibility| e.person.id == id && e.eligible;
    !INVOLVED.contains(&id) && context.eligible.iter().any(by_policy)
}

impl Reader {
    /// How many persons it takes by the terms that this context asks, with all that were asked before.
    fn demanded(&self, context: &Context) -> u32 {
        let asked = context.terms.as_ref().expect("nothing is granted without terms");
        let now = if self.emergency { asked.emergency_approvals.unwrap_or(asked.approvals) } else { asked.approvals };
        self.needed.max(now)
    }

    /// R4: distinct persons, each eligible now, each of this version or of whatever lies inside the one voted on.
    fn check_quorum(&self, context: &Context) {
        let counted: BTreeSet<&String> = self
            .approvals
            .iter()
            .filter(|(person, version, inside)| {
                may_vote(context, person) && (*version == self.versions.len() || *inside)
            })
            .map(|(person, _, _)| person)
            .collect();
        let demanded = self.demanded(context);
        assert!(counted.len() >= demanded.max(1) as usize, "{counted:?} of {demanded}");
    }

    fn judged(&mut self, context: &Context) {
        self.needed = self.demanded(context);
        self.bundle = context.bundle.to_string();
        self.suspended = false;
        if self.grant.is_some() {
            self.check_quorum(context);
        }
        if let Some(grant) = &mut self.grant {
            grant.judged = context.now.millis();
        }
    }

    fn end(&mut self, word: &str) {
        assert_eq!(self.ended, None, "it ends once");
        self.ended = Some(word.to_owned());
    }

    /// Whether votes are wanted: nothing was granted or ended, and there is time (R6).
    fn check_open(&self, now: i64) {
        assert!(self.ended.is_none() && self.grant.is_none() && !self.suspended);
        assert!(now < self.decide_by, "after the time to decide");
    }

    pub(super) fn read(&mut self, context: &Context, event: &Event) {
        let now = context.now.millis();
        match event {
            Event::ExceptionRequested { request, terms, .. } => {
                self.decide_by = request.decide_by.millis();
                self.needed = terms.approvals;
                self.versions = vec![is_wide(&request.scope)];
                self.bundle = context.bundle.to_string();
                if let Some(renewal) = &request.renews {
                    assert!(renewal.number <= terms.max_renewals.unwrap_or(0), "more renewals than policy allows");
                }
                assert!(!context.overdue_tiers.contains(&terms.tier), "a review is overdue");
            }
            Event::ScopeNarrowed { version } => {
                self.check_open(now);
                let before = *self.versions.last().expect("a version");
                let is_wide = is_wide(&version.scope);
                assert!(before && !is_wide, "R5: only from the wide scope to the exact one");
                self.versions.push(is_wide);
                assert!(self.versions.len() <= 5 && self.versions.len() == version.number as usize);
            }
            Event::VoteCast { vote } => {
                self.check_open(now);
                assert!(may_vote(context, &vote.person.id), "{} votes", vote.person);
                self.decided.insert(vote.person.id.to_string());
                if vote.decision == VoteDecision::Approve {
                    assert!(!context.overdue_tiers.contains(&"low".to_owned()), "a review is overdue");
                    assert_eq!(vote.version as usize, self.versions.len());
                    self.approvals.push((vote.person.id.to_string(), self.versions.len(), vote.inside));
                    self.needed = self.demanded(context);
                }
            }
            Event::VoteWithdrawn { by, .. } => {
                assert!(self.ended.is_none() && self.grant.is_none() && now < self.decide_by);
                assert!(self.approvals.iter().any(|(person, ..)| *person == by.id), "{by} had not approved");
                self.approvals.retain(|(person, ..)| *person != by.id);
            }
            Event::EmergencyDeclared { emergency, terms, .. } => {
                self.check_open(now);
                assert!(may_vote(context, &emergency.by.id) && context.emergency_blocked.check(&emergency.by).is_ok());
                assert!(emergency.decide_by.millis() <= self.decide_by, "an emergency prolongs nothing");
                let asked = context.terms.as_ref().expect("terms");
                self.needed = asked.emergency_approvals.unwrap_or(self.needed.max(asked.approvals));
                assert_eq!(terms.approvals, self.needed);
                (self.emergency, self.decide_by) = (true, emergency.decide_by.millis());
                self.decided.insert(emergency.by.id.to_string());
                self.bundle = context.bundle.to_string();
            }
            Event::ExceptionRejudged { .. } => {
                assert_eq!(self.ended, None);
                self.judged(context);
            }
            Event::GrantActivated { .. } => {
                assert!(self.ended.is_none() && !self.suspended);
                let grant = self.grant.as_ref().expect("a grant");
                assert!(now >= grant.begin && now < grant.end);
                self.judged(context);
            }
            Event::GrantSuspended { .. } => {
                assert_eq!(self.ended, None);
                if let Event::GrantSuspended { terms: Some(terms), .. } = event {
                    self.needed = terms.approvals.max(self.needed);
                }
                (self.suspended, self.bundle) = (true, context.bundle.to_string());
            }
            Event::ExceptionGranted { grant, .. } => {
                self.check_open(now);
                self.check_quorum(context);
                assert_eq!(grant.version as usize, self.versions.len());
                assert_eq!(self.bundle, context.bundle.to_string(), "granted under the active bundle");
                let scope = &grant.scope;
                let begin = scope.not_before.map_or(now, |begin| begin.millis().max(now));
                assert!(scope.not_after.millis() <= begin + 3_600_000, "longer than the terms");
                self.grant = Some(Window {
                    made: now,
                    begin,
                    end: scope.not_after.millis(),
                    max_uses: scope.max_uses as usize,
                    rate: scope.rate.map(|rate| (rate.uses as usize, 1000 * rate.per.seconds() as i64)),
                    judged: now,
                    uses: Vec::new(),
                });
            }
            Event::GrantUsed { evaluation, .. } => {
                assert!(self.ended.is_none() && !self.suspended);
                assert_eq!(self.bundle, context.bundle.to_string(), "R4: used under the bundle that judged it");
                let grant = self.grant.as_mut().expect("R3: a use is of a grant");
                assert!(grant.begin <= now && now < grant.end, "R6: in its window");
                let judged = grant.begin <= grant.made || grant.judged >= grant.begin;
                assert!(judged, "R4: a later start is judged again first");
                if let Some((most, per)) = grant.rate {
                    let recent = grant.uses.iter().filter(|(_, at, _)| now - at < per).count();
                    assert!(recent < most, "R3: faster than its rate");
                }
                grant.uses.push((evaluation.clone(), now, false));
                assert!(grant.used() <= grant.max_uses, "R3: more uses than granted");
            }
            Event::UseGivenBack { evaluation, by, .. } => {
                assert!(may_vote(context, &by.id));
                let grant = self.grant.as_mut().expect("a grant");
                assert!(now < grant.end && (self.ended.is_none() || self.ended.as_deref() == Some("exhausted")));
                let (_, _, back) = grant.uses.iter_mut().find(|(name, _, _)| name == evaluation).expect("a use");
                assert!(!*back, "R3: one use comes back once");
                *back = true;
                self.decided.insert(by.id.to_string());
                self.ended = None;
            }
            Event::GrantExhausted { .. } => {
                let grant = self.grant.as_ref().expect("a grant");
                assert_eq!(grant.used(), grant.max_uses);
                self.end("exhausted");
            }
            Event::GrantRevoked { .. } => {
                assert!(self.grant.as_ref().is_some_and(|grant| now < grant.end));
                // A use of what is used up may be given back, so that it is taken away like one that is not.
                if self.ended.as_deref() == Some("exhausted") {
                    self.ended = None;
                }
                self.end("revoked");
            }
            Event::ExceptionDenied { .. } => {
                self.check_open(now);
                self.end("denied");
            }
            Event::ExceptionCancelled { .. } => {
                assert!(self.grant.is_none() && now < self.decide_by);
                self.end("cancelled");
            }
            Event::ExceptionLapsed { .. } => {
                let over = self.grant.as_ref().map_or(self.decide_by, |grant| grant.end);
                assert!(now >= over, "R6: not before its time");
                self.end("lapsed");
            }
            Event::ReviewOpened { review } => {
                let grant = self.grant.as_ref().expect("a review is of a grant");
                match review.kind {
                    ReviewKind::Emergency => assert!(self.emergency && grant.made == now),
                    ReviewKind::AfterUse => {
                        assert!(!grant.uses.is_empty() && (self.ended.is_some() || now >= grant.end));
                    }
                }
                assert!(review.due > Timestamp::from_millis(grant.made));
                self.reviews.push((review.id.clone(), false));
            }
            Event::ReviewClosed { id, closing } => {
                assert!(!INVOLVED.contains(&closing.by.id.as_str()) && !self.decided.contains(closing.by.id.as_str()));
                let (_, closed) = self.reviews.iter_mut().find(|(name, _)| name == id).expect("a review");
                assert!(!*closed, "a review is closed once");
                *closed = true;
            }
            Event::DispositionSet { disposed } => {
                assert!(!INVOLVED.contains(&disposed.by.id.as_str()));
                let over = self.grant.as_ref().map_or(self.decide_by, |grant| grant.end);
                assert!(self.ended.is_some() || now >= over, "what is open is not judged");
            }
            Event::QuestionAnswered { answer } => {
                assert!(self.ended.is_none() && self.grant.is_none() && now < self.decide_by);
                assert!(["a1", "rita", "olga"].contains(&answer.by.id.as_str()));
            }
            Event::RequestFolded { .. } => {
                assert!(self.ended.is_none() && self.grant.is_none() && now < self.decide_by);
            }
            Event::ExceptionUnconfirmed { .. } | Event::ConfirmationGiven { .. } | Event::ExceptionConfirmed { .. } => {
                panic!("no epoch begins in these models")
            }
        }
    }
}

/// Whether a scope is not yet for exactly the call.
fn is_wide(scope: &Scope) -> bool {
    scope.arguments != exact().arguments
}
