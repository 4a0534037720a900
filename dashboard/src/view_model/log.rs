//! The log as a list: what it is narrowed to, as it stands in the address; what a line says, and which page it opens.

use policy_core::entity::EntityRef;
use proviso_api::record::{RecordLine, RecordLines};

use super::agents;
use super::export::instant;
use super::queue::encoded;

/// The members of the address, in the order of [`Wanted`].
const NAMES: [&str; 10] = ["log", "seq", "kind", "person", "agent", "task", "exception", "grant", "since", "until"];

/// Kinds that somebody may look for. Others can be typed.
pub const KINDS: [&str; 23] = [
    "evaluation",
    "search",
    "execution",
    "exception_requested",
    "vote_cast",
    "scope_narrowed",
    "exception_granted",
    "exception_denied",
    "exception_cancelled",
    "exception_lapsed",
    "grant_used",
    "grant_revoked",
    "locked",
    "unlocked",
    "signed_in",
    "act_refused",
    "token_minted",
    "finding_opened",
    "owner_handed_over",
    "bundle_proposed",
    "bundle_activated",
    "erasure_proposed",
    "payloads_erased",
];

/// What the list is narrowed to, as it was filled in. What is empty narrows nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Which log: `ledger`, `decisions-main`, or both.
    pub log: String,
    /// Which record of it.
    pub seq: String,
    /// Kinds, with commas between.
    pub kind: String,
    /// Who did it.
    pub person: String,
    /// Of which agent.
    pub agent: String,
    /// Of which task.
    pub task: String,
    /// Of which exception.
    pub exception: String,
    /// Of which grant.
    pub grant: String,
    /// From when on: a date and time as the browser's field writes it, in UTC.
    pub since: String,
    /// Up to when, this instant not included.
    pub until: String,
}

impl Wanted {
    /// What an address names: `get` reads a member of its query.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let [log, seq, kind, person, agent, task, exception, grant, since, until] =
            NAMES.map(|name| get(name).unwrap_or_default().trim().to_owned());
        Self { log, seq, kind, person, agent, task, exception, grant, since, until }
    }

    fn members(&self) -> [&String; 10] {
        let Self { log, seq, kind, person, agent, task, exception, grant, since, until } = self;
        [log, seq, kind, person, agent, task, exception, grant, since, until]
    }

    fn pairs(&self) -> Vec<String> {
        let said = NAMES.into_iter().zip(self.members()).filter(|(_, value)| !value.trim().is_empty());
        said.map(|(name, value)| format!("{name}={}", encoded(value.trim()))).collect()
    }

    /// The page's address.
    pub fn address(&self) -> String {
        let pairs = self.pairs();
        if pairs.is_empty() { "/record/log".into() } else { format!("/record/log?{}", pairs.join("&")) }
    }

    /// Whether it leaves anything out.
    pub fn narrows(&self) -> bool {
        !self.pairs().is_empty()
    }

    /// What the gate is asked for: this page, or the one behind the token.
    ///
    /// # Errors
    /// With what is wrong, where nothing could be found.
    pub fn asked(&self, token: Option<&str>) -> Result<String, &'static str> {
        let (since, until) = (instant(&self.since), instant(&self.until));
        if let (Some(since), Some(until)) = (&since, &until)
            && since >= until
        {
            return Err("The end does not lie behind the beginning, so nothing lies between them.");
        }
        if !self.seq.is_empty() && (self.log.is_empty() || self.seq.parse::<u64>().is_err()) {
            return Err("A record is a whole number in one of the logs: choose which.");
        }
        let exact = Self { since: since.unwrap_or_default(), until: until.unwrap_or_default(), ..self.clone() };
        let token = token.map(|token| format!("page={}", encoded(token)));
        let pairs: Vec<String> = exact.pairs().into_iter().chain(token).collect();
        Ok(format!("/api/v1/record/lines?{}", pairs.join("&")))
    }

    /// One record alone.
    pub fn record(log: &str, seq: u64) -> Self {
        Self { log: log.replace('/', "-"), seq: seq.to_string(), ..Self::default() }
    }

    /// What is of an exception.
    pub fn exception(id: &str) -> Self {
        Self { exception: id.to_owned(), ..Self::default() }
    }
}

/// What was told until now, page behind page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What it was asked for.
    pub wanted: Wanted,
    /// The lines, newest first.
    pub lines: Vec<RecordLine>,
    /// How many records were read for them.
    pub looked: u64,
    /// As the last page said: with the ledger position of the first.
    pub last: RecordLines,
}

impl Told {
    /// The first page.
    pub fn begin(wanted: Wanted, mut page: RecordLines) -> Self {
        let lines = std::mem::take(&mut page.lines);
        Self { wanted, lines, looked: page.looked, last: page }
    }

    /// The page behind.
    pub fn go_on(&mut self, mut page: RecordLines) {
        self.lines.append(&mut page.lines);
        self.looked = self.looked.saturating_add(page.looked);
        let position = self.last.position;
        self.last = RecordLines { position, ..page };
    }
}

/// What a line is, in words: its kind, and what it came to.
pub fn what(line: &RecordLine) -> String {
    let kind = line.kind.replace('_', " ");
    let of = line.action.as_deref().map(|action| format!(" of {action}")).unwrap_or_default();
    let on: Vec<String> = line.resources.iter().map(|resource| format!("{}::{}", resource.kind, resource.id)).collect();
    let on = if on.is_empty() { String::new() } else { format!(" on {}", on.join(", ")) };
    let outcome = line.outcome.as_deref().map(|outcome| format!(": {}", outcome.replace('_', " "))).unwrap_or_default();
    let reason = line.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    format!("{kind}{of}{on}{outcome}{reason}")
}

/// The page that a line opens. Every line opens one: the last resort is the record itself.
pub fn page_of(line: &RecordLine) -> String {
    if let Some(exception) = &line.exception {
        return format!("/exceptions/{}", encoded(exception));
    }
    if let Some(finding) = &line.finding {
        return format!("/findings/{}", encoded(finding));
    }
    if let Some(bundle) = line.bundle.as_deref().filter(|_| line.kind != "bundle_activated") {
        return format!("/policies/{}", encoded(bundle));
    }
    let page = match line.kind.as_str() {
        "bundle_activated" | "module_activated" => Some("/policies"),
        "locked" | "lock_renewed" | "lift_voted" | "unlocked" => Some("/locks"),
        "payloads_erased" | "erasure_proposed" | "erasure_confirmed" | "erasure_ended" => Some("/retention"),
        "hold_placed" | "hold_lifted" => Some("/retention"),
        "owner_handed_over" | "person_departed" | "person_returned" => Some("/ownership"),
        "enrolment_offered" | "person_enrolled" | "account_unlinked" => Some("/people"),
        kind if kind.starts_with("proposal_") || kind.starts_with("recovery_") => Some("/people"),
        "epoch_begun" | "epoch_told" | "log_key_rotated" => Some("/record"),
        _ => None,
    };
    if let Some(page) = page {
        return page.to_owned();
    }
    match (line.kind.as_str(), &line.subject, &line.by) {
        // The question itself, as it was and as it would be now.
        ("evaluation", Some(_), _) if !line.hidden => format!("/what-if?record={}", line.seq),
        (_, Some(subject), _) => agents::address(subject),
        (_, None, Some(by)) if !is_operator(by) => format!("/people/{}", encoded(&by.id)),
        _ => Wanted::record(&line.log, line.seq).address(),
    }
}

/// Whether it is an operating-system user, who has no page.
pub fn is_operator(by: &EntityRef) -> bool {
    by.kind == "operator"
}

/// What was erased of a line, in words.
pub fn erased(line: &RecordLine) -> Option<String> {
    (!line.erased.is_empty()).then(|| format!("erased: {}; the leaf is still in the log", line.erased.join(", ")))
}

/// How far a list came, in words.
pub fn far(told: &Told) -> String {
    match told.lines.len() {
        0 => format!("No record fits; {} were read.", told.looked),
        1 => format!("1 record of {} that were read.", told.looked),
        lines => format!("{lines} records of {} that were read.", told.looked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: &str) -> RecordLine {
        serde_json::from_value(serde_json::json!({
            "log": "decisions/main", "seq": 7, "at": "2026-11-29T16:00:00.000Z", "kind": kind,
        }))
        .unwrap()
    }

    fn page(lines: usize, position: u64, next: Option<&str>) -> RecordLines {
        RecordLines {
            now: line("x").at,
            position,
            lines: vec![line("evaluation"); lines],
            looked: 10,
            back_to: None,
            next: next.map(str::to_owned),
        }
    }

    #[test]
    fn an_address_says_what_the_list_is_of_and_is_read_again() {
        let wanted = Wanted {
            log: "ledger".into(),
            kind: "vote_cast,locked".into(),
            task: " a b&c ".into(),
            since: "2026-11-29T16:00".into(),
            ..Wanted::default()
        };
        let address = "/record/log?log=ledger&kind=vote_cast%2Clocked&task=a%20b%26c&since=2026-11-29T16%3A00";
        assert_eq!(wanted.address(), address);
        let read = Wanted::read(|name| match name {
            "log" => Some("ledger".into()),
            "kind" => Some("vote_cast,locked".into()),
            "task" => Some("a b&c".into()),
            "since" => Some("2026-11-29T16:00".into()),
            _ => None,
        });
        assert_eq!(read.address(), address);
        assert_eq!(
            wanted.asked(Some("t+1")).unwrap(),
            "/api/v1/record/lines?log=ledger&kind=vote_cast%2Clocked&task=a%20b%26c&since=2026-11-29T16%3A00%3A00Z&page=t%2B1"
        );
        assert!(wanted.narrows() && !Wanted::default().narrows());
        assert_eq!(Wanted::default().address(), "/record/log");
        assert_eq!(Wanted::record("decisions/main", 7).address(), "/record/log?log=decisions-main&seq=7");
    }

    #[test]
    fn what_could_find_nothing_is_said_before_it_is_asked() {
        let times = Wanted { since: "2026-11-29T16:00".into(), until: "2026-11-29T16:00".into(), ..Wanted::default() };
        assert!(times.asked(None).is_err());
        assert!(Wanted { seq: "7".into(), ..Wanted::default() }.asked(None).is_err());
        assert!(Wanted { seq: "x".into(), log: "ledger".into(), ..Wanted::default() }.asked(None).is_err());
        assert!(Wanted::record("ledger", 7).asked(None).is_ok());
    }

    #[test]
    fn every_line_opens_a_page() {
        let agent = EntityRef::new("Agent", "a/1");
        for (line, page) in [
            (RecordLine { exception: Some("exc_1".into()), ..line("vote_cast") }, "/exceptions/exc_1"),
            (RecordLine { finding: Some("fnd_1".into()), ..line("finding_opened") }, "/findings/fnd_1"),
            (RecordLine { bundle: Some("d1".into()), ..line("bundle_proposed") }, "/policies/d1"),
            (RecordLine { bundle: Some("d1".into()), ..line("bundle_activated") }, "/policies"),
            (line("locked"), "/locks"),
            (line("payloads_erased"), "/retention"),
            (line("erasure_confirmed"), "/retention"),
            (line("person_departed"), "/ownership"),
            (line("recovery_begun"), "/people"),
            (RecordLine { subject: Some(agent.clone()), ..line("evaluation") }, "/what-if?record=7"),
            (
                RecordLine { subject: Some(agent.clone()), hidden: true, ..line("evaluation") },
                "/agents?type=Agent&id=a%2F1",
            ),
            (RecordLine { subject: Some(agent), ..line("token_minted") }, "/agents?type=Agent&id=a%2F1"),
            (RecordLine { by: Some(EntityRef::new("User", "mara")), ..line("signed_in") }, "/people/mara"),
            (
                RecordLine { by: Some(EntityRef::new("operator", "root")), ..line("gate_started") },
                "/record/log?log=decisions-main&seq=7",
            ),
            (line("of a later release"), "/record/log?log=decisions-main&seq=7"),
        ] {
            assert_eq!(page_of(&line), page, "{line:?}");
        }
    }

    #[test]
    fn a_line_says_what_it_is_and_what_it_came_to() {
        let full = RecordLine {
            action: Some("write_file".into()),
            resources: vec![EntityRef::new("Volume", "files")],
            outcome: Some("requestable_denial".into()),
            reason: Some("not_in_scope".into()),
            ..line("evaluation")
        };
        assert_eq!(what(&full), "evaluation of write_file on Volume::files: requestable denial (not_in_scope)");
        assert_eq!(what(&line("vote_cast")), "vote cast");
        let gone = RecordLine { erased: vec!["event".into()], ..line("vote_cast") };
        assert_eq!(erased(&gone).as_deref(), Some("erased: event; the leaf is still in the log"));
        assert_eq!(erased(&full), None);
    }

    #[test]
    fn pages_stand_behind_one_another_under_the_position_of_the_first() {
        let mut told = Told::begin(Wanted::default(), page(2, 40, Some("t")));
        assert_eq!(far(&told), "2 records of 10 that were read.");
        told.go_on(page(1, 44, None));
        assert_eq!((told.lines.len(), told.looked, told.last.position), (3, 20, 40));
        assert_eq!((told.last.next.as_deref(), far(&told).as_str()), (None, "3 records of 20 that were read."));
        assert_eq!(far(&Told::begin(Wanted::default(), page(0, 1, None))), "No record fits; 10 were read.");
    }
}
