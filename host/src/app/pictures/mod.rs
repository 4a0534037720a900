//! What people would rather look at than read: counts over time, of what this person may see. Nobody's times are told to
//! anybody else: one's own to oneself, others' as teams of five or more.

mod counts;

use std::collections::BTreeMap;

use policy_core::lifecycle::Exception;
use policy_core::time::{Span, Timestamp};
use proviso_api::past::PicturesReply;

use super::App;
use super::console::Rights;
use super::past::{dispositions, newest};
use super::refusal::Refusal;
use crate::identity::PersonSession;
use counts::{day_counts, day_times, narrowed, recurring, teams, times, unused};

/// A day, in seconds.
const DAY: u64 = 86_400;
/// How many days, when nobody says, and at most.
const USUAL_DAYS: u32 = 30;
const MOST_DAYS: u32 = 90;
/// How many exceptions are looked at: the newest.
const MOST: usize = 20_000;

impl App {
    /// The counts of the last days.
    ///
    /// # Errors
    /// `bad_request` for no days or too many; `limit` where the module gives no answer.
    pub async fn pictures(&self, person: &PersonSession, days: Option<u32>) -> Result<PicturesReply, Refusal> {
        let days = days.unwrap_or(USUAL_DAYS);
        if !(1..=MOST_DAYS).contains(&days) {
            return Err(Refusal::bad("bad_request", format!("`days` is a whole number from 1 to {MOST_DAYS}")));
        }
        self.refresh_all().await;
        let now = self.now();
        let from = first_day(now, days);
        let (position, all) = {
            let state = self.state();
            let all = state.exceptions.values().map(|entry| &entry.exception);
            let all = all.filter(|exception| exception.request.requested_at >= from);
            (state.position, newest(all.collect(), MOST, |exception| exception.request.requested_at))
        };
        let rights = self.rights(person, &all, Rights::OF_A_LINE, now).await?;
        let seen: Vec<Exception> = all
            .into_iter()
            .zip(rights)
            .filter(|(_, rights)| rights.is_some())
            .map(|(exception, _)| exception)
            .collect();
        let groups: BTreeMap<_, _> = seen
            .iter()
            .flat_map(|exception| &exception.votes)
            .map(|vote| (vote.person.clone(), self.policy().groups_of(&vote.person)))
            .collect();
        let closed = seen.iter().filter(|exception| exception.ended_at(now).is_some());
        let not_judged = closed.filter(|exception| exception.disposition.is_none()).count();
        Ok(PicturesReply {
            now,
            position,
            from,
            days,
            requests: day_counts(&seen, from, now),
            times: day_times(&seen, from),
            yours: times(&seen, |vote| vote.person == person.person),
            teams: teams(&seen, &groups),
            recurring: recurring(&seen),
            narrowed: narrowed(&seen),
            unused: unused(&seen, now),
            dispositions: dispositions(seen.iter()),
            not_judged: u32::try_from(not_judged).unwrap_or(u32::MAX),
        })
    }
}

/// Midnight UTC of the first of so many days, today among them.
fn first_day(now: Timestamp, days: u32) -> Timestamp {
    let day = i64::try_from(DAY).unwrap_or(86_400).saturating_mul(1_000);
    let today = now.millis().div_euclid(day).saturating_mul(day);
    Timestamp::from_millis(today.saturating_sub(i64::from(days.saturating_sub(1)).saturating_mul(day)))
}

/// Which day an instant is on, from 0.
fn day_of(at: Timestamp, from: Timestamp) -> u32 {
    let passed: Span = at.since(from);
    u32::try_from(passed.seconds() / DAY).unwrap_or(u32::MAX)
}
