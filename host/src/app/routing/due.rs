//! What is due: a comparison of the log with the clock, told once and written down.

use policy_core::lifecycle::{Exception, Phase};
use policy_core::outcome::Terms;
use policy_core::time::Timestamp;

use super::event::{Notice, RoutingEvent};
use super::message::{first_groups, next_groups, to_webhook};
use super::standing::Told;
use crate::app::App;
use crate::app::append::canonical;
use crate::app::asked::open_questions;
use crate::app::event::LedgerEvent;
use crate::app::people::unknown_exception;
use crate::app::refusal::Refusal;
use crate::app::state::State;
use crate::store::{AppendError, VersionKey};

/// For how many exceptions something is done in one go; the next go follows at once.
const AT_ONCE: usize = 100;

impl App {
    /// Tells whoever is to be told by now, and writes down what time has ended, so that those who wait hear of it.
    /// Answers when something is due next; absent: not before something happens.
    pub async fn tell_due(&self) -> Option<Timestamp> {
        if self.settings().channels.is_empty() {
            return None;
        }
        let now = self.now();
        let (due, over, next) = self.look(now);
        let more = due.len() >= AT_ONCE || over.len() >= AT_ONCE;
        let mut failed = match self.tell_of_epoch(now).await {
            Ok(()) => false,
            Err(refusal) => {
                tracing::warn!(code = refusal.code, "nobody could be told of the epoch yet");
                true
            }
        };
        for id in over {
            failed |= report(&id, self.refresh(&id).await);
        }
        for (id, notice) in due {
            failed |= report(&id, self.tell(&id, notice, now).await);
        }
        if more || failed { Some(now) } else { next }
    }

    /// What is due now, what time has ended unnoticed, and when to look again.
    fn look(&self, now: Timestamp) -> (Vec<(String, Notice)>, Vec<String>, Option<Timestamp>) {
        let state = self.state();
        let (mut due, mut over, mut next) = (Vec::new(), Vec::new(), None::<Timestamp>);
        for (id, entry) in state.exceptions.iter().filter(|(_, entry)| State::is_open(entry)) {
            let exception = &entry.exception;
            if exception.is_over(now) {
                if over.len() < AT_ONCE {
                    over.push(id.clone());
                }
                continue;
            }
            let ends = ends(exception);
            let mut later = ends;
            if exception.phase == Phase::Requested {
                let plan = Plan::of(&exception.terms, exception.request.requested_at, ends);
                let told = state.routing.told(id);
                let (mut wanted, at) = plan.due(told, now);
                if exception.emergency.is_some() && !told.is_some_and(|told| told.emergency) {
                    wanted.push(Notice::Emergency);
                }
                let asked = open_questions(exception);
                let asked = asked.filter(|vote| told.is_none_or(|told| !told.questions.contains(vote)));
                wanted.extend(asked.map(|vote| Notice::Question { vote }));
                later = at.map_or(ends, |at| at.min(ends));
                if due.len() < AT_ONCE {
                    due.extend(wanted.into_iter().map(|notice| (id.clone(), notice)));
                }
            }
            next = Some(next.map_or(later, |next| next.min(later)));
        }
        (due, over, next)
    }

    /// Tells of one notice, unless somebody decided or told meanwhile: then the next look sees that.
    async fn tell(&self, id: &str, notice: Notice, now: Timestamp) -> Result<(), Refusal> {
        let (exception, expected) = {
            let state = self.state();
            let entry = state.exceptions.get(id).ok_or_else(unknown_exception)?;
            let keys = [
                VersionKey::Exception(id.to_owned()),
                VersionKey::Routing(id.to_owned()),
                VersionKey::Deputies,
                VersionKey::Bundle,
            ];
            (entry.exception.clone(), keys.map(|key| state.version(key)).to_vec())
        };
        let groups = match &notice {
            Notice::Escalated { group } => vec![group.clone()],
            Notice::Question { .. } => Vec::new(),
            _ => first_groups(&exception.terms).to_vec(),
        };
        let people = self.who_is_told(&exception, &notice, &groups, now).await?;
        let mut message = self.message(kind(&notice), id, now);
        message.tier = Some(exception.terms.tier.clone());
        message.decide_by = Some(ends(&exception));
        message.groups.clone_from(&groups);
        let body = canonical(&message)?;
        let mut outbox = self.mails(&body, &people, &groups);
        let reached = if groups.is_empty() { self.groups_of_all(&people) } else { groups.clone() };
        let heard = self.settings().channels.webhooks.iter().filter(|webhook| match notice {
            // The request's own record has told them, but for those whom only eligibility names.
            Notice::Requested => groups.is_empty() && !webhook.groups.is_empty() && webhook.hears(&reached),
            // It is no group's to answer.
            Notice::Question { .. } => webhook.groups.is_empty(),
            _ => webhook.hears(&reached),
        });
        outbox.extend(heard.map(|webhook| to_webhook(&webhook.name, &body)));
        let event = RoutingEvent::NotificationSent { exception: id.to_owned(), notice, groups, people, at: now };
        let mut record = self.ledger(now, &LedgerEvent::Routing(event))?;
        record.outbox = outbox;
        match self.store().append(expected, vec![record]).await {
            Ok(_) | Err(AppendError::Conflict(_)) => Ok(()),
            Err(AppendError::Unavailable) => Err(Refusal::record_unavailable()),
        }
    }
}

fn kind(notice: &Notice) -> &'static str {
    match notice {
        Notice::Requested => "exception.requested",
        Notice::ReminderHalf | Notice::ReminderLast => "exception.reminder",
        Notice::Emergency => "exception.emergency",
        Notice::Escalated { .. } => "exception.escalated",
        Notice::Question { .. } => "question.asked",
    }
}

/// Whether it failed. INVARIANT (R1): who is not told decides nothing; a notice is tried again and fails nobody else.
fn report(id: &str, done: Result<(), Refusal>) -> bool {
    match done {
        Ok(()) => false,
        Err(refusal) => {
            tracing::warn!(code = refusal.code, exception = id, "nobody could be told yet");
            true
        }
    }
}

/// When time ends an open exception.
fn ends(exception: &Exception) -> Timestamp {
    exception.phase.grant().map_or(exception.decide_by(), |held| held.grant.scope.not_after)
}

/// The instants at which people are told.
struct Plan {
    /// Each stage with its instant, earliest first.
    stages: [(Notice, Timestamp); 3],
    /// Each group that is told next, with its instant.
    escalations: Vec<(String, Timestamp)>,
}

impl Plan {
    /// Reminders at half and nine tenths of the time to decide; with the last one the next group, and each further group
    /// after half of what is left.
    fn of(terms: &Terms, asked: Timestamp, ends: Timestamp) -> Self {
        let whole = ends.millis().saturating_sub(asked.millis()).max(0);
        let after = |part: i64| Timestamp::from_millis(asked.millis().saturating_add(part));
        let nine_tenths = whole.saturating_mul(9) / 10;
        let stages = [
            (Notice::Requested, asked),
            (Notice::ReminderHalf, after(whole / 2)),
            (Notice::ReminderLast, after(nine_tenths)),
        ];
        let mut left = whole.saturating_sub(nine_tenths);
        let mut escalations = Vec::new();
        for group in next_groups(terms) {
            escalations.push((group.clone(), after(whole.saturating_sub(left))));
            left /= 2;
        }
        Self { stages, escalations }
    }

    /// What is to be told now, and when something is to be told next. Of several stages that were missed only the last
    /// is told: three mails about one request help nobody.
    fn due(self, told: Option<&Told>, now: Timestamp) -> (Vec<Notice>, Option<Timestamp>) {
        let (mut due, mut next) = (None, None::<Timestamp>);
        let mut later = |at: Timestamp| next = Some(next.map_or(at, |next| next.min(at)));
        for (stage, at) in self.stages {
            if told.and_then(|told| told.stage.as_ref()) >= Some(&stage) {
                continue;
            }
            if at <= now {
                due = Some(stage);
            } else {
                later(at);
            }
        }
        let mut due: Vec<Notice> = due.into_iter().collect();
        for (group, at) in self.escalations {
            if told.is_some_and(|told| told.escalated.contains(&group)) {
                continue;
            }
            if at <= now {
                due.push(Notice::Escalated { group });
            } else {
                later(at);
            }
        }
        (due, next)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn terms(escalate: &[&str]) -> Terms {
        let terms = json!({
            "tier": "low", "approvals": 1, "groups": ["approvers"], "max_duration": "1h", "max_uses": 1,
            "escalate": escalate, "policies": [],
        });
        serde_json::from_value(terms).unwrap()
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_millis(minute * 60_000)
    }

    fn group(group: &str) -> Notice {
        Notice::Escalated { group: group.to_owned() }
    }

    #[test]
    fn the_next_groups_follow_the_last_reminder_in_the_order_of_policy() {
        let due = |minute: i64, told: Option<&Told>| {
            Plan::of(&terms(&["security", "board", "everybody"]), at(0), at(400)).due(told, at(minute))
        };
        let told = |stage: Notice, groups: &[&str]| Told {
            stage: Some(stage),
            escalated: groups.iter().map(|group| (*group).to_owned()).collect(),
            ..Told::default()
        };
        let asked = told(Notice::Requested, &[]);
        let half = told(Notice::ReminderHalf, &[]);
        for (minute, before, expected, next) in [
            (0, None, vec![Notice::Requested], Some(200)),
            (199, Some(&asked), vec![], Some(200)),
            (200, Some(&asked), vec![Notice::ReminderHalf], Some(360)),
            (359, Some(&half), vec![], Some(360)),
            (360, Some(&half), vec![Notice::ReminderLast, group("security")], Some(380)),
            (380, Some(&told(Notice::ReminderLast, &["security"])), vec![group("board")], Some(390)),
            (390, Some(&told(Notice::ReminderLast, &["security", "board"])), vec![group("everybody")], None),
            // The gate was away: of the stages the last, of the groups each.
            (395, None, vec![Notice::ReminderLast, group("security"), group("board"), group("everybody")], None),
            (395, Some(&told(Notice::ReminderLast, &["board"])), vec![group("security"), group("everybody")], None),
        ] {
            assert_eq!(due(minute, before), (expected, next.map(at)), "{minute}");
        }
    }

    #[test]
    fn no_time_to_decide_is_no_trouble() {
        let (due, next) = Plan::of(&terms(&["security"]), at(5), at(5)).due(None, at(5));
        assert_eq!((due, next), (vec![Notice::ReminderLast, group("security")], None));
    }
}
