//! `GET /metrics`: what operators look at, in the OpenMetrics text format. Nothing in it names a subject, a task or a
//! person. `docs/alerts.yml` has an alert for each, and `docs/runbooks` says what to do then.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::copy_metrics::copies;
use super::openmetrics::{CONTENT_TYPE, Exposition, seconds};
use super::site::Site;
use super::tls_metrics::certificate;
use crate::app::{BOUNDS, Measured, NOT_READY, Took};
use crate::store::Verified;

/// The counts since the gate started, and what is folded from the record.
pub(super) async fn get(State(site): State<Site>) -> impl IntoResponse {
    let mut text = Exposition::default();
    counted(&mut text, &site);
    let measured = site.app().measured();
    waited(&mut text, &measured);
    stopped(&mut text, &measured);
    copies(&mut text, site.app());
    certificate(&mut text, &site);
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], text.end())
}

/// What happened since the gate started, how large the record is, and whether the gate can do its work.
fn counted(text: &mut Exposition, site: &Site) {
    let app = site.app();
    text.family("proviso_decisions", "counter", "Decisions by outcome; unrecorded are denials without a record.");
    app.counters().iter().for_each(|(outcome, count)| text.sample("_total", &[("outcome", outcome)], count));
    text.family("proviso_module_calls", "counter", "Calls into policy.wasm by result.");
    let calls = site.module().calls.counts();
    calls.iter().for_each(|(result, count)| text.sample("_total", &[("result", result)], count));
    text.family("proviso_turned_away", "counter", "Questions that came past capacity, and were told to come again.");
    text.sample("_total", &[], site.room().turned_away());
    text.family("proviso_log_records", "gauge", "Records in each log.");
    app.record().logs.iter().for_each(|head| text.sample("", &[("log", &head.log)], head.size));
    let ready = app.ready();
    text.family("proviso_ready", "gauge", "Whether the gate is ready.");
    text.sample("", &[("of", "record")], u8::from(ready.is_ok()));
    text.family("proviso_not_ready", "gauge", "Why the gate is not ready.");
    for reason in NOT_READY {
        text.sample("", &[("reason", reason)], u8::from(ready == Err(reason)));
    }
}

/// How long what waits has waited, how long people took, and how old the heads are.
fn waited(text: &mut Exposition, measured: &Measured) {
    text.family("proviso_pending", "gauge", "Requests that wait for a decision, by tier.");
    for (tier, waiting) in &measured.waiting {
        text.sample("", &[("tier", tier)], waiting.requests);
    }
    text.family("proviso_pending_age_seconds", "gauge", "How long the oldest request has waited, by tier.");
    for (tier, waiting) in &measured.waiting {
        text.sample("", &[("tier", tier)], seconds(waiting.oldest));
    }
    text.family("proviso_time_to_decide_seconds", "histogram", "From a request to its grant or refusal.");
    measured.decided.iter().for_each(|(decision, took)| histogram(text, ("decision", decision), took));
    text.family("proviso_head_age_seconds", "gauge", "Since the newest head of a log was signed: since it last grew.");
    measured.heads.iter().for_each(|(log, age)| text.sample("", &[("log", log)], seconds(*age)));
}

/// What is suspended and locked.
fn stopped(text: &mut Exposition, measured: &Measured) {
    text.family("proviso_suspended", "gauge", "Exceptions that the active bundle suspends.");
    text.sample("", &[], measured.suspended);
    text.family("proviso_locks", "gauge", "Locks in force, by what they stop.");
    measured.locks.iter().for_each(|(target, count)| text.sample("", &[("target", target)], count));
    text.family(
        "proviso_findings",
        "gauge",
        "Findings that are not resolved, by kind and by their strongest evidence.",
    );
    for (kind, strength, count) in &measured.findings {
        text.sample("", &[("kind", kind.word()), ("strength", strength.word())], count);
    }
    text.family("proviso_clock_doubted", "gauge", "Whether the clock is doubted, and no exception honoured.");
    text.sample("", &[], u8::from(measured.clock_doubted));
    text.family("proviso_record_verified", "gauge", "How much of the record was verified since the start.");
    for how in [Verified::Tail, Verified::Whole] {
        text.sample("", &[("how", how.word())], u8::from(measured.verified == how));
    }
    text.family(
        "proviso_record_doubted",
        "gauge",
        "Whether the record was found not to be what is believed, and no exception is honoured.",
    );
    text.sample("", &[], u8::from(measured.record_doubted));
}

fn histogram(text: &mut Exposition, label: (&str, &str), took: &Took) {
    for (bound, within) in BOUNDS.iter().zip(took.within) {
        text.sample("_bucket", &[label, ("le", &format!("{bound}.0"))], within);
    }
    text.sample("_bucket", &[label, ("le", "+Inf")], took.count);
    text.sample("_sum", &[label], seconds(took.sum));
    text.sample("_count", &[label], took.count);
}
