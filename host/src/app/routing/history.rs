//! What an exception's history says of who was told and who was asked instead.

use policy_core::text;
use policy_core::time::Timestamp;
use proviso_api::exceptions::HistoryLine;

use super::event::Notice;
use super::standing::{Handover, Routing, Sent};
use crate::store::Log;

/// How much of somebody's words one line shows.
const SAID: usize = 2_000;

/// Each notice and each hand-over.
pub fn history(routing: &Routing, exception: &str) -> Vec<HistoryLine> {
    let notices = routing.told(exception).map_or(&[][..], |told| told.notices.as_slice());
    notices.iter().map(notice).chain(routing.handovers(exception).iter().map(handover)).collect()
}

fn notice(sent: &Sent) -> HistoryLine {
    let people = if sent.people == 1 { "1 person".to_owned() } else { format!("{} people", sent.people) };
    let sentence = match &sent.notice {
        Notice::Requested => format!("{people} told that a decision is wanted"),
        Notice::ReminderHalf => format!("{people} reminded: half of the time to decide has passed"),
        Notice::ReminderLast => format!("{people} reminded: nine tenths of the time to decide have passed"),
        Notice::Emergency => format!("{people} told that an emergency was declared"),
        Notice::Escalated { group } => format!("{people} of {} told next", text::visible(group, 100)),
        Notice::Question { vote } => format!("{people} told that vote {vote} asks something"),
    };
    line(sent.seq, "notification_sent", sent.at, sentence)
}

fn handover(handover: &Handover) -> HistoryLine {
    let sentence = format!("{} handed it to {}", handover.from, handover.to);
    HistoryLine {
        by: Some(handover.from.clone()),
        said: Some(text::visible(&handover.reason, SAID)),
        ..line(handover.seq, "request_handed_over", handover.at, sentence)
    }
}

fn line(seq: u64, kind: &str, at: Timestamp, sentence: String) -> HistoryLine {
    HistoryLine { log: Log::Ledger.name().to_owned(), seq, at, kind: kind.to_owned(), by: None, sentence, said: None }
}
