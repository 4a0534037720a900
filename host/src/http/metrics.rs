//! `GET /metrics`: counts, in Prometheus' text format. Nothing in them names a subject, a task or a person.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::site::Site;

/// Counts since the gate started.
pub(super) async fn get(State(site): State<Site>) -> impl IntoResponse {
    let app = site.app();
    let mut text = String::new();
    family(&mut text, "proviso_decisions_total", "counter", "Decisions by outcome.", "outcome", app.counters());
    let calls = site.module().calls.counts().into_iter().map(|(kind, count)| (kind.to_owned(), count));
    family(&mut text, "proviso_module_calls_total", "counter", "Calls into policy.wasm.", "result", calls);
    let logs = app.record().logs.into_iter().map(|head| (head.log, head.size));
    family(&mut text, "proviso_log_records", "gauge", "Records in each log.", "log", logs);
    let ready = [("record".to_owned(), u64::from(app.ready().is_ok()))];
    family(&mut text, "proviso_ready", "gauge", "Whether the gate is ready.", "of", ready);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

fn family(
    text: &mut String,
    name: &str,
    kind: &str,
    help: &str,
    label: &str,
    samples: impl IntoIterator<Item = (String, u64)>,
) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    for (value, count) in samples {
        let _ = writeln!(text, "{name}{{{label}=\"{}\"}} {count}", value.replace(['\\', '"', '\n'], "_"));
    }
}
