//! What the pages show, worked out without a browser.
//!
//! Nothing here names Leptos, a network or a clock: the pages hand in what the server said, what the approver set and
//! the time, and draw what comes back. It builds and is tested natively.

pub mod activation;
pub mod afterwards;
pub mod agents;
pub mod arrival;
pub mod ballot;
pub mod cedar;
pub mod copies;
pub mod curl;
pub mod epoch;
pub mod erasures;
pub mod export;
pub mod facts;
pub mod findings;
pub mod grant_form;
pub mod keys;
pub mod knob;
pub mod latest;
pub mod length;
pub mod log;
pub mod ownership;
pub mod palette;
pub mod passkeys;
pub mod past;
pub mod people;
pub mod pictures;
pub mod preview;
pub mod problem;
pub mod queue;
pub mod retention;
pub mod rights;
pub mod said;
pub mod scope;
pub mod sessions;
pub mod staleness;
pub mod stay;
pub mod stops;
pub mod time;
pub mod what_if;

#[cfg(test)]
mod samples;
