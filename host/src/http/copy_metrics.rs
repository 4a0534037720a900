//! How far the record has come to whoever holds it besides, for `/metrics`.

use super::openmetrics::Exposition;
use crate::app::App;

/// The lag of each receiver, in records and in seconds, and whether it takes anything.
pub(super) fn copies(text: &mut Exposition, app: &App) {
    let lines = app.copy_lines();
    text.family("proviso_copy_lag_records", "gauge", "Records that a copy does not hold yet.");
    for line in &lines {
        if let Some(records) = line.records {
            text.sample("", &[("name", &line.name), ("kind", &line.kind)], records);
        }
    }
    text.family("proviso_copy_lag_seconds", "gauge", "For how long a receiver has not held all that there is.");
    for line in &lines {
        text.sample("", &[("name", &line.name), ("kind", &line.kind)], line.seconds);
    }
    text.family(
        "proviso_copy_erasures_pending",
        "gauge",
        "Payloads that a copy may hold and that are erased at the gate.",
    );
    for line in &lines {
        if let Some(pending) = line.erasures_pending {
            text.sample("", &[("name", &line.name), ("kind", &line.kind)], pending);
        }
    }
    text.family("proviso_copy_failing", "gauge", "Whether a receiver takes nothing, or holds another record.");
    for line in &lines {
        let fails = matches!(line.state.as_str(), "failing" | "other_record");
        text.sample("", &[("name", &line.name), ("kind", &line.kind)], u8::from(fails));
    }
}
