//! Which payloads of one log and name, told in ranges.

use std::collections::BTreeMap;

use audit_verify::erasure::Erased;

use crate::store::Log;

/// Gathers payloads, in the order of their records.
#[derive(Debug, Default)]
pub(super) struct Spans {
    names: BTreeMap<(Log, String), Span>,
}

#[derive(Debug, Default)]
struct Span {
    ranges: Vec<(u64, u64)>,
    payloads: u64,
    /// Whether the last range may go on.
    open: bool,
}

impl Spans {
    /// One more, behind all that were given of this name.
    pub fn add(&mut self, log: Log, name: &str, seq: u64) {
        let span = self.names.entry((log, name.to_owned())).or_default();
        span.payloads = span.payloads.saturating_add(1);
        match span.ranges.last_mut() {
            Some((_, last)) if span.open => *last = seq,
            _ => span.ranges.push((seq, seq)),
        }
        span.open = true;
    }

    /// One of this name that stays, or has gone before: no range reaches over it.
    pub fn pass(&mut self, log: Log, name: &str) {
        if let Some(span) = self.names.get_mut(&(log, name.to_owned())) {
            span.open = false;
        }
    }

    /// How many there are.
    pub fn payloads(&self) -> u64 {
        self.names.values().map(|span| span.payloads).sum()
    }

    /// As the record says it.
    pub fn erased(self) -> Vec<Erased> {
        let told = self.names.into_iter().map(|((log, name), span)| Erased {
            log: log.name().to_owned(),
            name,
            ranges: span.ranges,
            payloads: span.payloads,
        });
        told.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_reaches_over_records_without_the_payload_and_over_none_that_stays() {
        let mut spans = Spans::default();
        for seq in [0, 3, 5] {
            spans.add(Log::Decisions, "question", seq);
        }
        spans.pass(Log::Decisions, "question");
        spans.pass(Log::Decisions, "claimed");
        spans.add(Log::Decisions, "question", 9);
        spans.add(Log::Decisions, "claimed", 7);
        assert_eq!(spans.payloads(), 5);
        let told: Vec<_> = spans.erased().into_iter().map(|said| (said.name, said.ranges, said.payloads)).collect();
        let expected = [("claimed".to_owned(), vec![(7, 7)], 1), ("question".to_owned(), vec![(0, 5), (9, 9)], 4)];
        assert_eq!(told, expected);
    }
}
