//! What one can ask, as tables, one for each theme.

mod decisions;
mod exceptions;
mod findings;
mod gate;
mod members;
mod ownership;
mod passkeys;
mod people;
mod record;
mod retention;
mod sign_in;
mod stops;

/// Who may ask.
pub(super) enum Who {
    /// Anybody who reaches the gate.
    Anybody,
    /// A bearer token.
    Caller,
    /// A session, and its page's key.
    Person,
    /// A session's cookie alone.
    Follower,
    /// A bearer token, or a session and its page's key.
    Known,
}

/// One address and method.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) who: Who,
    pub(super) query: &'static [(&'static str, &'static str)],
    pub(super) headers: &'static [&'static str],
    pub(super) body: Option<&'static str>,
    pub(super) status: &'static str,
    /// Content type, and the schema's name, or for other than JSON and events what it is.
    pub(super) answer: Option<(&'static str, &'static str)>,
}

const SUBJECT_TOKEN: &str = "Proviso-Subject-Token";
const VOUCHED: &str = "Proviso-Vouched";

const fn get(path: &'static str, id: &'static str, who: Who, answer: &'static str, summary: &'static str) -> Operation {
    let answer = Some(("application/json", answer));
    Operation { method: "get", path, id, summary, who, query: &[], headers: &[], body: None, status: "200", answer }
}

const fn post(
    path: &'static str,
    id: &'static str,
    who: Who,
    body: &'static str,
    answer: &'static str,
    summary: &'static str,
) -> Operation {
    Operation { method: "post", body: Some(body), ..get(path, id, who, answer, summary) }
}

/// All of them.
pub(super) fn all() -> impl Iterator<Item = &'static Operation> {
    THEMES.iter().copied().flatten()
}

const THEMES: &[&[Operation]] = &[
    decisions::OPERATIONS,
    exceptions::OPERATIONS,
    findings::OPERATIONS,
    gate::OPERATIONS,
    members::OPERATIONS,
    ownership::OPERATIONS,
    passkeys::OPERATIONS,
    people::OPERATIONS,
    record::OPERATIONS,
    retention::OPERATIONS,
    sign_in::OPERATIONS,
    stops::OPERATIONS,
];
